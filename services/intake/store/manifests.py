"""Name lists that were taken in: counts, the digest of the file, and where the held-back rows hurt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asyncpg import Record

from shared.kit.database import Database
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
    received_at: datetime
    finished_at: datetime | None
    superseded: bool


async def begin(work: Work, *, manifest_id: str, voyage_id: str, file_digest: bytes, listed: int, rejected: int) -> str:
    """Keep that a list was received; answers its id, the earlier one when the same file was received before."""
    known: str | None = await work.connection.fetchval(
        "WITH begun AS ("
        " INSERT INTO manifests (manifest_id, voyage_id, file_digest, listed, rejected, received_by, received_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (voyage_id, file_digest) DO NOTHING RETURNING manifest_id"
        ") SELECT manifest_id::text FROM begun UNION ALL"
        " SELECT manifest_id::text FROM manifests WHERE voyage_id = $2 AND file_digest = $3",
        manifest_id,
        voyage_id,
        file_digest,
        listed,
        rejected,
        work.actor.id,
        work.now,
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


async def problems_of(
    database: Database, manifest_id: str, *, port: str, limit: int
) -> tuple[list[tuple[int, str, str]], int]:
    """Row number, field and code of what held rows back, for a list of this port, in order; and how many there are."""
    rows = await database.fetch(
        "SELECT p.row_number, p.field, p.code, count(*) OVER () AS total"
        " FROM manifest_problems p JOIN manifests m USING (manifest_id)"
        " JOIN voyages v USING (voyage_id) WHERE p.manifest_id = $1 AND v.port = $2"
        " ORDER BY p.row_number, p.field, p.code LIMIT $3",
        manifest_id,
        port,
        limit,
    )
    return [(row["row_number"], row["field"], row["code"]) for row in rows], rows[0]["total"] if rows else 0


async def finish(work: Work, manifest_id: str, *, rejected: int) -> Manifest | None:
    """Count the list and close it; None when it was closed before. `accepted` are rows that it brought in itself."""
    row = await work.connection.fetchrow(
        "UPDATE manifests m SET accepted = c.recorded, rejected = $2, known = m.listed - $2 - c.recorded,"
        " finished_at = $3"
        " FROM (SELECT count(*) AS recorded FROM arrivals a JOIN manifests o ON o.voyage_id = a.voyage_id"
        "  WHERE o.manifest_id = $1 AND a.manifest_id = $1) c"
        " WHERE m.manifest_id = $1 AND m.finished_at IS NULL"
        " RETURNING m.manifest_id, m.voyage_id, m.listed, m.rejected, m.accepted, m.known, c.recorded, m.received_at,"
        " m.finished_at, FALSE AS superseded",
        manifest_id,
        rejected,
        work.now,
    )
    return None if row is None else _manifest(row)


async def supersede(work: Work, earlier: Sequence[str], *, by: str, voyage_id: str) -> None:
    """Leave earlier lists out of the voyage's counts: those a new list repeats, and those that brought nobody."""
    await work.connection.execute(
        "UPDATE manifests SET superseded_by = $2 WHERE voyage_id = $3 AND superseded_by IS NULL AND manifest_id <> $2"
        " AND (manifest_id = ANY($1::uuid[]) OR accepted + known = 0)",
        earlier,
        by,
        voyage_id,
    )


SELECT = (
    "SELECT m.manifest_id, m.voyage_id, m.listed, m.rejected, m.accepted, m.known, m.received_at, m.finished_at,"
    " m.superseded_by IS NOT NULL AS superseded,"
    " (SELECT count(*) FROM arrivals a WHERE a.voyage_id = m.voyage_id AND a.manifest_id = m.manifest_id) AS recorded"
    " FROM manifests m JOIN voyages v USING (voyage_id)"
)


async def find_by_file(database: Database, voyage_id: str, file_digest: bytes, *, port: str) -> Manifest | None:
    """The list of a voyage of this port that came as this very file."""
    rows = await database.fetch(
        f"{SELECT} WHERE m.voyage_id = $1 AND m.file_digest = $2 AND v.port = $3", voyage_id, file_digest, port
    )
    return _manifest(rows[0]) if rows else None


async def of_voyage(database: Database, voyage_id: str, *, port: str) -> list[Manifest]:
    """The lists of a voyage of this port, the latest first."""
    rows = await database.fetch(
        f"{SELECT} WHERE m.voyage_id = $1 AND v.port = $2 ORDER BY m.manifest_id DESC LIMIT 100", voyage_id, port
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
        finished_at=row["finished_at"],
        superseded=row["superseded"],
    )
