"""The directory's table."""

from datetime import datetime

from services.referral.domain.agencies import Agency
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


async def list_kinds(work: Work) -> list[str]:
    """The kinds of office there are. # unscoped: as above"""
    return [row["kind"] for row in await work.connection.fetch("SELECT DISTINCT kind FROM agencies ORDER BY kind")]


async def lock_agency(work: Work, agency_id: str) -> Agency | None:
    """An office, for this work alone to change; None when there is none."""
    row = await work.connection.fetchrow(
        f"SELECT {COLUMNS} FROM agencies WHERE agency_id = $1 FOR UPDATE",  # noqa: S608 - a constant
        agency_id,
    )
    return None if row is None else Agency(**row)


async def add_agency(work: Work, agency: Agency) -> bool:
    """Enter an office; answers False when it is there already."""
    done: str = await work.connection.execute(
        "INSERT INTO agencies (agency_id, kind, level, region, name, zone, takes_referrals, changed_at)"  # noqa: S608
        f" VALUES ($2, $3, $4, $5, $6, $7, $8, {NEXT_CHANGE}) ON CONFLICT DO NOTHING",
        work.now,
        agency.agency_id,
        agency.kind,
        agency.level,
        agency.region,
        agency.name,
        agency.zone,
        agency.takes_referrals,
    )
    return done.endswith(" 1")


async def update_agency(work: Work, agency: Agency) -> None:
    """Write what can change of an office."""
    await work.connection.execute(
        "UPDATE agencies SET name = $3, zone = $4, takes_referrals = $5,"  # noqa: S608
        f" suspended_at = CASE WHEN $6 THEN coalesce(suspended_at, $1::timestamptz) END, changed_at = {NEXT_CHANGE}"
        " WHERE agency_id = $2",
        work.now,
        agency.agency_id,
        agency.name,
        agency.zone,
        agency.takes_referrals,
        agency.is_suspended,
    )
