"""What others counted of a voyage; each read only the port's own."""

from collections.abc import Sequence

import orjson
from asyncpg import Record

from services.intake.domain.totals import Part, Totals, WithdrawReason
from shared.kit.work import Work

SELECT = (
    "SELECT t.source_id, t.voyage_id, t.kind, t.heads, t.recorded_by, t.recorded_at, t.number, t.dated, t.issued_by,"
    " t.depot, t.parts, t.withdrawn_as, t.withdrawn_by, t.withdrawn_at"
    " FROM voyage_totals t JOIN voyages v USING (voyage_id)"
)


async def add(work: Work, totals: Totals) -> None:
    """Keep what a paper or a count says."""
    await work.connection.execute(
        "INSERT INTO voyage_totals (source_id, voyage_id, kind, heads, number, dated, issued_by, depot, parts,"
        " recorded_by, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        totals.source_id,
        totals.voyage_id,
        totals.kind,
        totals.heads,
        totals.number,
        totals.dated,
        totals.issued_by,
        totals.depot,
        orjson.dumps([[part.dimension, part.value, part.heads] for part in totals.parts]).decode(),
        totals.recorded_by,
        totals.recorded_at,
    )


async def withdraw(work: Work, source_id: str, *, reason: WithdrawReason) -> bool:
    """Let it count no more; False when it did not any more, or is another port's."""
    withdrawn = await work.connection.fetchval(
        "UPDATE voyage_totals t SET withdrawn_as = $3, withdrawn_by = $4, withdrawn_at = $5 FROM voyages v"
        " WHERE t.source_id = $1 AND v.voyage_id = t.voyage_id AND v.port = $2 AND t.withdrawn_at IS NULL"
        " RETURNING t.source_id",
        source_id,
        work.actor.port,
        reason,
        work.actor.id,
        work.now,
    )
    return withdrawn is not None


async def find(work: Work, source_id: str) -> Totals | None:
    """What one source says of a voyage of the actor's port."""
    row = await work.connection.fetchrow(f"{SELECT} WHERE t.source_id = $1 AND v.port = $2", source_id, work.actor.port)
    return None if row is None else _totals(row)


async def of_voyage(work: Work, voyage_id: str) -> Sequence[Totals]:
    """All that was said of a voyage of the actor's port, in the order it was kept."""
    rows = await work.connection.fetch(
        f"{SELECT} WHERE t.voyage_id = $1 AND v.port = $2 ORDER BY t.source_id", voyage_id, work.actor.port
    )
    return [_totals(row) for row in rows]


def _totals(row: Record) -> Totals:
    parts = tuple(Part(*part) for part in orjson.loads(row["parts"]))
    ids = {name: str(row[name]) for name in ("source_id", "voyage_id")}
    return Totals(**{**row, **ids, "parts": parts})
