"""Name lists that were taken in: counts, the digest of the file, and where the held-back rows hurt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from asyncpg import Record

from shared.kit.work import Work


@dataclass(frozen=True, slots=True)
class Manifest:
    """`finished_at` is None while rows are being recorded, or when that was interrupted."""

    manifest_id: str
    voyage_id: str
    listed: int
    rejected: int
    accepted: int | None
    known: int | None
    recorded: int
    """Rows of it that are recorded by now."""
    held: int
    """Rows of it that are still held back."""
    received_at: datetime
    finished_at: datetime | None
    superseded: bool


RECORDED = "(SELECT count(*) FROM arrivals a WHERE a.voyage_id = m.voyage_id AND a.manifest_id = m.manifest_id)"
HELD = "(SELECT count(*) FROM held_rows h WHERE h.manifest_id = m.manifest_id AND h.settled_at IS NULL)"


class Source(NamedTuple):
    """The draft that a list comes from, and which of its files."""

    draft_id: str
    upload: int


async def begin(
    work: Work,
    *,
    manifest_id: str,
    voyage_id: str,
    file_digest: bytes,
    listed: int,
    source: Source | None = None,
) -> str:
    """Keep that a list was received; answers its id, the earlier one when the same file was received before."""
    known: str | None = await work.connection.fetchval(
        "WITH begun AS ("
        " INSERT INTO manifests (manifest_id, voyage_id, file_digest, listed, rejected, received_by, received_at,"
        " draft_id, upload) VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8)"
        " ON CONFLICT (voyage_id, file_digest) DO NOTHING RETURNING manifest_id"
        ") SELECT manifest_id::text FROM begun UNION ALL"
        " SELECT manifest_id::text FROM manifests WHERE voyage_id = $2 AND file_digest = $3",
        manifest_id,
        voyage_id,
        file_digest,
        listed,
        work.actor.id,
        work.now,
        source and source.draft_id,
        source and source.upload,
    )
    # Nothing comes back when another writer committed the same file while this statement waited for it.
    return known or await _id_of(work, voyage_id, file_digest)


async def _id_of(work: Work, voyage_id: str, file_digest: bytes) -> str:
    found: str = await work.connection.fetchval(
        "SELECT manifest_id::text FROM manifests WHERE voyage_id = $1 AND file_digest = $2", voyage_id, file_digest
    )
    return found


async def add_problems(work: Work, manifest_id: str, problems: Sequence[tuple[int, str, str]]) -> None:
    """Keep row number, field and code of each problem; again changes nothing."""
    await work.connection.execute(
        "INSERT INTO manifest_problems (manifest_id, row_number, field, code)"
        " SELECT $1, p.row_number, p.field, p.code FROM unnest($2::integer[], $3::text[], $4::text[])"
        " AS p (row_number, field, code) ON CONFLICT DO NOTHING",
        manifest_id,
        [row for row, _, _ in problems],
        [field for _, field, _ in problems],
        [code for _, _, code in problems],
    )


async def count_rejected(work: Work, manifest_id: str) -> None:
    """Count how many rows of a list that is being taken in are held back by now.

    # unscoped: a list that the actor has just begun.
    """
    await work.connection.execute(
        "UPDATE manifests SET rejected = (SELECT count(*) FROM held_rows h WHERE h.manifest_id = $1)"
        " WHERE manifest_id = $1 AND finished_at IS NULL",
        manifest_id,
    )


async def problems_of(work: Work, manifest_id: str, *, limit: int) -> tuple[list[tuple[int, str, str]], int]:
    """Row number, field and code of what held rows back, for a list of the actor's port, in order; and how many."""
    rows = await work.connection.fetch(
        "SELECT p.row_number, p.field, p.code, count(*) OVER () AS total"
        " FROM manifest_problems p JOIN manifests m USING (manifest_id)"
        " JOIN voyages v USING (voyage_id) WHERE p.manifest_id = $1 AND v.port = $2"
        " ORDER BY p.row_number, p.field, p.code LIMIT $3",
        manifest_id,
        work.actor.port,
        limit,
    )
    return [(row["row_number"], row["field"], row["code"]) for row in rows], rows[0]["total"] if rows else 0


async def finish(work: Work, manifest_id: str, *, rejected: int) -> Manifest | None:
    """Count the list and close it; None when it was closed before. `accepted` are rows that it brought in itself."""
    row = await work.connection.fetchrow(
        "UPDATE manifests m SET accepted = c.recorded, rejected = $2,"  # noqa: S608 - a constant
        " known = m.listed - $2 - c.recorded, finished_at = $3"
        " FROM (SELECT count(*) AS recorded FROM arrivals a JOIN manifests o ON o.voyage_id = a.voyage_id"
        "  WHERE o.manifest_id = $1 AND a.manifest_id = $1) c"
        " WHERE m.manifest_id = $1 AND m.finished_at IS NULL"
        " RETURNING m.manifest_id, m.voyage_id, m.listed, m.rejected, m.accepted, m.known, c.recorded, m.received_at,"
        f" m.finished_at, FALSE AS superseded, {HELD} AS held",
        manifest_id,
        rejected,
        work.now,
    )
    return None if row is None else _manifest(row)


class Repeated(NamedTuple):
    """What a list has of an earlier one: rows that the earlier one recorded, and rows that it holds back."""

    manifest_id: str
    recorded: int
    held: int


async def supersede(work: Work, earlier: Sequence[Repeated], *, by: str, voyage_id: str) -> list[str]:
    """Let a list take the place of earlier ones; answers of which.

    It has everybody that those recorded, and most of their rows in all: a person on two lists replaces neither, and
    a list of which nearly nothing could be taken is not forgotten over the little that comes again. The same upload of
    a draft sent again is that list, also when somebody who was erased stands in it no more.
    """
    rows = await work.connection.fetch(
        "UPDATE manifests m SET superseded_by = $1"  # noqa: S608 - constants
        " FROM unnest($2::uuid[], $3::integer[], $4::integer[]) AS e (manifest_id, recorded, held), manifests later"
        " WHERE m.manifest_id = e.manifest_id AND m.voyage_id = $5 AND m.superseded_by IS NULL AND m.manifest_id < $1"
        " AND later.manifest_id = $1 AND ((m.draft_id, m.upload) = (later.draft_id, later.upload)"
        f" OR (e.recorded = {RECORDED} AND 2 * (e.recorded + e.held) >"
        f" CASE WHEN m.finished_at IS NULL THEN m.listed ELSE {RECORDED} + {HELD} END))"
        " RETURNING m.manifest_id::text",
        by,
        [one.manifest_id for one in earlier],
        [one.recorded for one in earlier],
        [one.held for one in earlier],
        voyage_id,
    )
    return [row["manifest_id"] for row in rows]


SELECT = (
    "SELECT m.manifest_id, m.voyage_id, m.listed, m.rejected, m.accepted, m.known,"  # noqa: S608 - constants
    f" m.received_at, m.finished_at, m.superseded_by IS NOT NULL AS superseded, {HELD} AS held, {RECORDED} AS recorded"
    " FROM manifests m JOIN voyages v USING (voyage_id)"
)


async def find_by_file(work: Work, voyage_id: str, file_digest: bytes) -> Manifest | None:
    """The list of a voyage of the actor's port that came as this very file."""
    row = await work.connection.fetchrow(
        f"{SELECT} WHERE m.voyage_id = $1 AND m.file_digest = $2 AND v.port = $3",
        voyage_id,
        file_digest,
        work.actor.port,
    )
    return None if row is None else _manifest(row)


async def of_voyage(work: Work, voyage_id: str) -> list[Manifest]:
    """The lists of a voyage of the actor's port, the latest first."""
    rows = await work.connection.fetch(
        f"{SELECT} WHERE m.voyage_id = $1 AND v.port = $2 ORDER BY m.manifest_id DESC LIMIT 100",
        voyage_id,
        work.actor.port,
    )
    return [_manifest(row) for row in rows]


def _manifest(row: Record) -> Manifest:
    return Manifest(
        manifest_id=str(row["manifest_id"]),
        voyage_id=str(row["voyage_id"]),
        listed=row["listed"],
        rejected=row["rejected"],
        accepted=row["accepted"],
        known=row["known"],
        recorded=row["recorded"],
        received_at=row["received_at"],
        held=row["held"],
        finished_at=row["finished_at"],
        superseded=row["superseded"],
    )
