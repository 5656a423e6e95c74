"""The directory's tables: each entry as it is, and as it was after each change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import orjson

from services.referral.domain import hours
from services.referral.domain.agencies import KEPT, Agency
from shared.kit.work import Work

Change = Literal["added", "changed", "suspended", "resumed", "confirmed"]

# Always after the change before, whatever the clocks of two machines say: snapshots are compared by it.
NEXT_CHANGE = "greatest($1::timestamptz, (SELECT max(changed_at) + interval '1 microsecond' FROM agencies))"
FIXED = ("agency_id", "kind", "level", "region")
WRITTEN = tuple(name for name in KEPT if name != "is_suspended")
COLUMNS = f"{', '.join((*FIXED, *WRITTEN))}, suspended_at IS NOT NULL AS is_suspended, version, confirmed_at"
LISTS = frozenset({"needs", "sexes", "serves", "languages", "accessibility", "reserved"})
DATES = frozenset({"active_from", "active_until"})


@dataclass(frozen=True, slots=True)
class Written:
    """An entry as it is to be, and what of it was changed."""

    agency: Agency
    change: Change
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """An entry as it was after one change. `by_role` is the role of who made it."""

    agency: Agency
    changed_at: datetime
    change: Change
    fields: tuple[str, ...]
    by_role: str


async def changed_at(work: Work) -> datetime:
    """When the directory was changed last, or an active period began or ended.

    # unscoped: the directory is public to every signed-in actor
    """
    found: datetime = await work.connection.fetchval(
        "SELECT greatest((SELECT max(changed_at) FROM agencies), (SELECT max(turn) FROM agencies,"
        "  LATERAL (VALUES (active_from::timestamp AT TIME ZONE zone),"
        "   ((active_until + 1)::timestamp AT TIME ZONE zone)) AS turns (turn)"
        "  WHERE (active_from IS NOT NULL OR active_until IS NOT NULL) AND turn <= $1))",
        work.now,
    )
    return found


async def list_agencies(
    work: Work,
    *,
    kind: str | None = None,
    region: str | None = None,
    need: str | None = None,
    confirmed_before: datetime | None = None,
    after: str = "",
    limit: int = 10_000,
) -> list[Agency]:
    """The directory by id; `region` a province with its regencies, or one regency. # unscoped: as above

    `confirmed_before`: only those of which nobody has said since that they are right.
    """
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM agencies"  # noqa: S608 - a constant
        " WHERE ($1::text IS NULL OR kind = $1) AND ($2::text IS NULL OR region = $2 OR left(region, 2) = $2)"
        " AND ($3::text IS NULL OR needs IS NULL OR $3 = ANY(needs))"
        " AND ($4::timestamptz IS NULL OR confirmed_at IS NULL OR confirmed_at <= $4)"
        " AND agency_id > $5 ORDER BY agency_id LIMIT $6",
        kind,
        region,
        need,
        confirmed_before,
        after,
        limit,
    )
    return [_agency(row) for row in rows]


async def list_kinds(work: Work) -> list[str]:
    """The kinds of office there are. # unscoped: as above"""
    return [row["kind"] for row in await work.connection.fetch("SELECT DISTINCT kind FROM agencies ORDER BY kind")]


async def find_agency(work: Work, agency_id: str) -> Agency | None:
    """An office; None when there is none. # unscoped: as above"""
    row = await work.connection.fetchrow(f"SELECT {COLUMNS} FROM agencies WHERE agency_id = $1", agency_id)  # noqa: S608
    return None if row is None else _agency(row)


async def lock_agencies(work: Work, agency_ids: Sequence[str]) -> dict[str, Agency]:
    """These offices, as far as they are there, for this work alone to change."""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM agencies WHERE agency_id = ANY($1::text[]) ORDER BY agency_id FOR UPDATE",  # noqa: S608
        agency_ids,
    )
    return {row["agency_id"]: _agency(row) for row in rows}


async def lock_directory(work: Work) -> None:
    """Let nobody else change the directory until this work ends; it can be read meanwhile."""
    await work.connection.execute("LOCK TABLE agencies IN EXCLUSIVE MODE")


ADD_VERSIONS = """
INSERT INTO agency_versions (agency_id, version, changed_at, change, fields, by_role, entry)
SELECT w.agency_id, w.version, w.changed_at, v.change, v.fields, $4, v.entry FROM written w
JOIN jsonb_to_recordset($3::jsonb) AS v (agency_id text, change text, fields text[], entry jsonb) USING (agency_id)
RETURNING agency_id
"""


async def add_agencies(work: Work, added: Sequence[Written]) -> set[str]:
    """Enter offices, with their first version; answers the ids of those that were not there before."""
    names = ", ".join((*FIXED, *WRITTEN))
    rows = await work.connection.fetch(
        f"WITH written AS (INSERT INTO agencies ({names}, suspended_at, changed_at)"  # noqa: S608 - constants
        f" SELECT {names}, suspended_at, {NEXT_CHANGE} FROM jsonb_populate_recordset(NULL::agencies, $2::jsonb)"
        f" ON CONFLICT DO NOTHING RETURNING agency_id, version, changed_at) {ADD_VERSIONS}",
        *_arguments(work, added),
    )
    return {row["agency_id"] for row in rows}


async def update_agencies(work: Work, changed: Sequence[Written]) -> None:
    """Write what can change of these offices, and each a further version."""
    sets = ", ".join(f"{name} = n.{name}" for name in WRITTEN)
    await work.connection.fetch(
        f"WITH written AS (UPDATE agencies a SET {sets}, version = a.version + 1, changed_at = {NEXT_CHANGE},"  # noqa: S608
        " suspended_at = CASE WHEN n.suspended_at IS NOT NULL THEN coalesce(a.suspended_at, n.suspended_at) END,"
        " confirmed_at = n.confirmed_at"
        " FROM jsonb_populate_recordset(NULL::agencies, $2::jsonb) AS n WHERE a.agency_id = n.agency_id"
        f" RETURNING a.agency_id, a.version, a.changed_at) {ADD_VERSIONS}",
        *_arguments(work, changed),
    )


async def confirm_agency(work: Work, agency: Agency) -> None:
    """The entry is right, says the office. It goes into the history, and changes nothing for routing."""
    await work.connection.fetch(
        "WITH written AS (UPDATE agencies SET version = version + 1, confirmed_at = $1 WHERE agency_id = $2"  # noqa: S608
        f" RETURNING agency_id, version, $1::timestamptz AS changed_at) {ADD_VERSIONS}",
        work.now,
        agency.agency_id,
        _versions([Written(agency, "confirmed")]),
        work.actor.role,
    )


async def list_versions(work: Work, agency_id: str, *, limit: int) -> list[Version]:
    """The history of an entry, the latest first; under policies only the own one, or any for a keeper."""
    return [_version(row) for row in await work.connection.fetch(
        "SELECT a.kind, a.level, a.region, v.agency_id, v.version, v.changed_at, v.change, v.fields, v.by_role, v.entry"
        " FROM agency_versions v JOIN agencies a USING (agency_id)"
        " WHERE v.agency_id = $1 ORDER BY v.version DESC LIMIT $2",
        agency_id,
        limit,
    )]  # fmt: skip


async def list_as_of(work: Work, moment: datetime) -> list[Version]:
    """Each entry as it was at a moment; of what was entered later, none. # unscoped: for the service and keepers"""
    return [_version(row) for row in await work.connection.fetch(
        "SELECT a.kind, a.level, a.region, v.agency_id, v.version, v.changed_at, v.change, v.fields, v.by_role, v.entry"
        " FROM (SELECT DISTINCT ON (agency_id) agency_id, version, changed_at, change, fields, by_role, entry"
        "  FROM agency_versions WHERE changed_at <= $1 ORDER BY agency_id, version DESC) v"
        " JOIN agencies a USING (agency_id) ORDER BY v.agency_id",
        moment,
    )]  # fmt: skip


async def find_entries(work: Work, wanted: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Agency]:
    """Entries as they were at these versions. # unscoped: for the service, which makes decisions again"""
    rows = await work.connection.fetch(
        "SELECT a.kind, a.level, a.region, v.agency_id, v.version, v.changed_at, v.change, v.fields, v.by_role, v.entry"
        " FROM agency_versions v JOIN unnest($1::text[], $2::integer[]) AS w (agency_id, version)"
        " USING (agency_id, version) JOIN agencies a USING (agency_id)",
        [agency_id for agency_id, _ in wanted],
        [version for _, version in wanted],
    )
    return {(row["agency_id"], row["version"]): _version(row).agency for row in rows}


def _arguments(work: Work, written: Sequence[Written]) -> tuple[datetime, str, str, str]:
    rows = [
        {
            **{name: getattr(w.agency, name) for name in FIXED},
            **entry(w.agency),
            "suspended_at": work.now if w.agency.is_suspended else None,
            "confirmed_at": w.agency.confirmed_at,
        }
        for w in written
    ]
    return work.now, orjson.dumps(rows).decode(), _versions(written), work.actor.role


def _versions(written: Sequence[Written]) -> str:
    return orjson.dumps(
        [
            {"agency_id": w.agency.agency_id, "change": w.change, "fields": w.fields, "entry": entry(w.agency)}
            for w in written
        ]
    ).decode()


def entry(agency: Agency) -> dict[str, Any]:
    """What is kept of an entry, as JSON has it; what it leaves open is left out."""
    said = {name: getattr(agency, name) for name in KEPT if getattr(agency, name) is not None}
    return said | ({"hours": hours.written(agency.hours)} if agency.hours is not None else {})


def _agency(row: Mapping[str, Any]) -> Agency:
    said: dict[str, Any] = dict(row)
    for name in LISTS:
        if (listed := said.get(name)) is not None:
            said[name] = tuple(listed)
    if said["hours"] is not None:
        said["hours"] = hours.read(said["hours"])
    return Agency(**said)


def _version(row: Mapping[str, Any]) -> Version:
    said: dict[str, Any] = orjson.loads(row["entry"])
    said |= {name: date.fromisoformat(said[name]) for name in DATES & said.keys()}
    fixed = {name: row[name] for name in (*FIXED, "version")}
    return Version(
        _agency({**fixed, "hours": None, **said}),
        row["changed_at"],
        row["change"],
        tuple(row["fields"]),
        row["by_role"],
    )
