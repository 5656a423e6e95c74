"""The directory's table."""

from datetime import datetime

from services.referral.domain.agencies import Agency, Level
from shared.kit.work import Work

# Always after the change before, whatever the clocks of two machines say: snapshots are compared by it.
NEXT_CHANGE = "greatest($1::timestamptz, (SELECT max(changed_at) + interval '1 microsecond' FROM agencies))"
COLUMNS = "agency_id, kind, level, region, name, zone, takes_referrals, suspended_at IS NOT NULL AS is_suspended"


async def changed_at(work: Work) -> datetime:
    """When the directory was changed last. # unscoped: the directory is public to every signed-in actor"""
    found: datetime = await work.connection.fetchval("SELECT max(changed_at) FROM agencies")
    return found


async def list_agencies(
    work: Work, *, kind: str | None = None, region: str | None = None, after: str = "", limit: int = 10_000
) -> list[Agency]:
    """The directory by id; `region` a province with its regencies, or one regency. # unscoped: as above"""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM agencies"  # noqa: S608 - a constant
        " WHERE ($1::text IS NULL OR kind = $1) AND ($2::text IS NULL OR region = $2 OR left(region, 2) = $2)"
        " AND agency_id > $3 ORDER BY agency_id LIMIT $4",
        kind,
        region,
        after,
        limit,
    )
    return [Agency(**row) for row in rows]


async def add_agency(work: Work, *, kind: str, level: Level, region: str | None, name: str, zone: str) -> bool:
    """Enter an office; answers False when it is there already."""
    done: str = await work.connection.execute(
        "INSERT INTO agencies (agency_id, kind, level, region, name, zone, changed_at)"  # noqa: S608
        f" VALUES ($2 || coalesce('-' || $4, ''), $2, $3, $4, $5, $6, {NEXT_CHANGE}) ON CONFLICT DO NOTHING",
        work.now,
        kind,
        level,
        region,
        name,
        zone,
    )
    return done.endswith(" 1")


async def mark_suspended(work: Work, agency_id: str, *, suspended: bool) -> bool:
    """Take an office out of routing, or back in; answers False when nothing changed."""
    done: str = await work.connection.execute(
        f"UPDATE agencies SET suspended_at = CASE WHEN $3 THEN $1::timestamptz END, changed_at = {NEXT_CHANGE}"  # noqa: S608
        " WHERE agency_id = $2 AND (suspended_at IS NOT NULL) <> $3",
        work.now,
        agency_id,
        suspended,
    )
    return done.endswith(" 1")
