"""Voyages and their counts; each read only the port's own."""

from collections.abc import Collection, Sequence
from datetime import datetime

from asyncpg import Record

from services.intake.domain.voyages import LATE, Counts, Sighting, Voyage
from services.intake.store.roll_calls import ABSENT_RECORDED, CALLED_LAST, HELD_BACK
from shared.kit.database import Database
from shared.kit.work import Work

VOYAGE = "v.voyage_id, v.port, v.modality, v.vessel, v.announced, v.expected_at, v.version, v.told_on"

COUNTS = f"""
    letters.announced AS said,
    heads.by_list + heads.absent + held.not_again + recording.waiting AS listed, held.open - held.absent AS rejected,
    heads.arrived, heads.referred, held.absent + heads.absent AS absent,
    heads.arrived - heads.by_list - (held.not_again - held.open) AS unlisted, recording.waiting
FROM voyages v
CROSS JOIN LATERAL (
    SELECT coalesce(sum(t.heads), 0)::bigint AS announced FROM voyage_totals t
    WHERE t.voyage_id = v.voyage_id AND t.kind = 'letter' AND t.withdrawn_at IS NULL
) letters
CROSS JOIN LATERAL (
    SELECT count(*) AS not_again, count(*) FILTER (WHERE {HELD_BACK}) AS open,
        count(*) FILTER (WHERE {HELD_BACK} AND called.mark = 'absent') AS absent
    FROM held_rows h JOIN manifests m USING (manifest_id) LEFT JOIN LATERAL ({CALLED_LAST}) called ON TRUE
    WHERE h.voyage_id = v.voyage_id AND h.settled_by IS NULL
) held
CROSS JOIN LATERAL (
    SELECT coalesce(sum(m.listed - m.rejected - (
        SELECT count(*) FROM arrivals a WHERE a.voyage_id = m.voyage_id AND a.manifest_id = m.manifest_id
    )), 0)::bigint AS waiting
    FROM manifests m WHERE m.voyage_id = v.voyage_id AND m.finished_at IS NULL AND m.superseded_by IS NULL
) recording
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE a.landed) AS arrived,
        count(a.manifest_id) FILTER (WHERE a.landed) AS by_list,
        count(*) FILTER (WHERE NOT a.landed AND a.is_absent) AS absent, count(*) FILTER (
        WHERE a.landed AND cardinality(a.needs) = (
            SELECT count(*) FROM referred_needs r WHERE r.case_id = a.case_id AND r.need = ANY(a.needs)
        )
    ) AS referred
    FROM (
        SELECT a.case_id, a.manifest_id, a.needs, a.ended_as IS DISTINCT FROM 'entered_in_error' AS landed,
            {ABSENT_RECORDED} AS is_absent
        FROM arrivals a WHERE a.voyage_id = v.voyage_id
    ) a
) heads
"""  # noqa: S608 - constants
"""Each person on a list counts once: recorded by one, still held back (or logged by hand since), or about to be
recorded. A held row that stands in a later list counts there, and an arrival that was entered in error
nowhere, unless a list had recorded somebody who was not there. Who is absent is listed."""


async def add(work: Work, voyage: Voyage) -> None:
    """Keep an announced voyage."""
    await work.connection.execute(
        "INSERT INTO voyages (voyage_id, port, modality, vessel, announced, expected_at, announced_by, announced_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        voyage.voyage_id,
        voyage.port,
        voyage.modality,
        voyage.vessel,
        voyage.announced,
        voyage.expected_at,
        work.actor.id,
        work.now,
    )


async def find(work: Work, voyage_id: str) -> Voyage | None:
    """One voyage of the actor's port."""
    row = await work.connection.fetchrow(
        f"SELECT {VOYAGE} FROM voyages v WHERE v.voyage_id = $1 AND v.port = $2",  # noqa: S608 - a constant
        voyage_id,
        work.actor.port,
    )
    return None if row is None else voyage_of(row)


async def is_as_seen(work: Work, voyage: Voyage) -> bool:
    """Whether a voyage is as it was found; nobody corrects it until this work ends."""
    version: int = await work.connection.fetchval(
        "SELECT version FROM voyages WHERE voyage_id = $1 AND port = $2 FOR SHARE", voyage.voyage_id, voyage.port
    )
    return version == voyage.version


async def find_many(database: Database, voyage_ids: Sequence[str], *, port: str) -> dict[str, Voyage]:
    """Those of the voyages that are this port's, by id; asked by the desk, which records for many actors at once."""
    rows = await database.fetch(
        f"SELECT {VOYAGE} FROM voyages v WHERE v.voyage_id = ANY($1::uuid[]) AND v.port = $2",  # noqa: S608
        voyage_ids,
        port,
    )
    return {str(row["voyage_id"]): voyage_of(row) for row in rows}


async def sighted(work: Work, voyage_id: str) -> Sighting | None:
    """One voyage of the actor's port with its counts."""
    row = await work.connection.fetchrow(
        f"SELECT {VOYAGE}, {COUNTS} WHERE v.voyage_id = $1 AND v.port = $2", voyage_id, work.actor.port
    )
    return None if row is None else _sighting(row)


async def expected_between(work: Work, start: datetime, end: datetime, *, limit: int) -> list[Sighting]:
    """Voyages of the actor's port that are expected from `start` until before `end`, in that order."""
    rows = await work.connection.fetch(
        f"SELECT {VOYAGE}, {COUNTS} WHERE v.port = $1 AND v.expected_at >= $2 AND v.expected_at < $3"
        " ORDER BY v.expected_at, v.voyage_id LIMIT $4",
        work.actor.port,
        start,
        end,
        limit,
    )
    return [_sighting(row) for row in rows]


async def still_to_come(work: Work, *, limit: int) -> list[Voyage]:
    """Voyages of any port that are expected from now on, or may be late, the next first.

    # unscoped: whoever rolls over may come to another port; a ship, its port and its time are no secret of theirs.
    """
    rows = await work.connection.fetch(
        f"SELECT {VOYAGE} FROM voyages v WHERE v.expected_at > $1 ORDER BY v.expected_at, v.voyage_id LIMIT $2",  # noqa: S608
        work.now - LATE,
        limit,
    )
    return [voyage_of(row) for row in rows]


async def find_any(work: Work, voyage_ids: Collection[str]) -> dict[str, Voyage]:
    """Voyages of any port, by id.

    # unscoped: a ship, its port and its time are no secret to those whose people come with it.
    """
    await work.as_service()
    rows = await work.connection.fetch(
        f"SELECT {VOYAGE} FROM voyages v WHERE v.voyage_id = ANY($1::uuid[])",  # noqa: S608 - a constant
        list(voyage_ids),
    )
    return {str(row["voyage_id"]): voyage_of(row) for row in rows}


async def needs_by_kind(work: Work, voyage_id: str) -> dict[str, tuple[int, int]]:
    """For each need: how many arrivals of the voyage have it, and for how many of them a referral is open."""
    rows = await work.connection.fetch(
        "SELECT n.need, count(*) AS people, count(r.need) AS opened"
        " FROM arrivals a CROSS JOIN LATERAL unnest(a.needs) AS n (need)"
        " LEFT JOIN referred_needs r ON r.case_id = a.case_id AND r.need = n.need"
        " WHERE a.voyage_id = $1 AND a.port = $2 AND a.ended_as IS DISTINCT FROM 'entered_in_error' GROUP BY n.need",
        voyage_id,
        work.actor.port,
    )
    return {row["need"]: (row["people"], row["opened"]) for row in rows}


def voyage_of(row: Record) -> Voyage:
    """A voyage from its columns, `VOYAGE`."""
    return Voyage(
        voyage_id=str(row["voyage_id"]),
        port=row["port"],
        modality=row["modality"],
        vessel=row["vessel"],
        announced=row["announced"],
        expected_at=row["expected_at"],
        version=row["version"],
        told_on=row["told_on"],
    )


def _sighting(row: Record) -> Sighting:
    voyage = voyage_of(row)
    counts = ("listed", "rejected", "arrived", "referred", "unlisted", "waiting", "absent")
    return Sighting(voyage, Counts(row["said"], **{name: row[name] for name in counts}))
