"""Differences between the counts of a voyage, open or settled; each read only the port's own."""

from collections.abc import Sequence

from asyncpg import Record

from services.intake.domain.reconciliation import Difference
from shared.kit.work import Work

SELECT = (
    "SELECT d.difference_id, d.voyage_id, d.pair, d.heads, d.owner, d.opened_by, d.opened_at, d.reason,"
    " d.next_voyage_id, d.settled_by, d.settled_at, d.version"
    " FROM voyage_differences d JOIN voyages v USING (voyage_id)"
)


async def add(work: Work, difference: Difference) -> None:
    """Keep a part of a difference, open or settled at once."""
    await work.connection.execute(
        "INSERT INTO voyage_differences (difference_id, voyage_id, pair, heads, owner, opened_by, opened_at, reason,"
        " next_voyage_id, settled_by, settled_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        difference.difference_id,
        difference.voyage_id,
        difference.pair,
        difference.heads,
        difference.owner,
        difference.opened_by,
        difference.opened_at,
        difference.reason,
        difference.next_voyage_id,
        difference.settled_by,
        difference.settled_at,
    )


async def lock(work: Work, difference_id: str) -> Difference | None:
    """One difference of a voyage of the actor's port. Locks its row."""
    row = await work.connection.fetchrow(
        f"{SELECT} WHERE d.difference_id = $1 AND v.port = $2 FOR NO KEY UPDATE OF d", difference_id, work.actor.port
    )
    return None if row is None else _difference(row)


async def save(work: Work, difference: Difference) -> None:
    """Put a changed difference, locked before, in the place of the one that was."""
    await work.connection.execute(
        "UPDATE voyage_differences SET owner = $2, reason = $3, next_voyage_id = $4, settled_by = $5,"
        " settled_at = $6, version = $7 WHERE difference_id = $1",
        difference.difference_id,
        difference.owner,
        difference.reason,
        difference.next_voyage_id,
        difference.settled_by,
        difference.settled_at,
        difference.version,
    )


async def of_voyage(work: Work, voyage_id: str) -> Sequence[Difference]:
    """What was said of the differences of a voyage of the actor's port, in that order."""
    rows = await work.connection.fetch(
        f"{SELECT} WHERE d.voyage_id = $1 AND v.port = $2 ORDER BY d.difference_id", voyage_id, work.actor.port
    )
    return [_difference(row) for row in rows]


async def list_open(work: Work, *, after: str | None, limit: int) -> Sequence[tuple[Difference, str]]:
    """Differences of the actor's port that wait for a reason, the oldest first, each with the name of its voyage."""
    rows = await work.connection.fetch(
        f"{SELECT.replace(' FROM', ', v.vessel FROM')} WHERE v.port = $1 AND d.settled_at IS NULL"
        " AND ($2::uuid IS NULL OR d.difference_id > $2::uuid) ORDER BY d.difference_id LIMIT $3",
        work.actor.port,
        after,
        limit,
    )
    return [(_difference(row), row["vessel"]) for row in rows]


async def rolled_over_to(work: Work, voyage_id: str) -> dict[str, int]:
    """How many people of each other voyage of the actor's port are said to come with this one."""
    rows = await work.connection.fetch(
        "SELECT d.voyage_id, -sum(d.heads)::bigint AS heads FROM voyage_differences d JOIN voyages v USING (voyage_id)"
        " WHERE d.next_voyage_id = $1 AND v.port = $2 AND d.heads < 0 AND d.pair = 'announced_arrived'"
        " AND d.reason = 'rolled_over' GROUP BY d.voyage_id",
        voyage_id,
        work.actor.port,
    )
    return {str(row["voyage_id"]): row["heads"] for row in rows}


def _difference(row: Record) -> Difference:
    ids = {name: str(row[name]) for name in ("difference_id", "voyage_id")}
    next_ = str(row["next_voyage_id"]) if row["next_voyage_id"] else None
    names = Difference.__dataclass_fields__
    return Difference(**{**{name: row[name] for name in names}, **ids, "next_voyage_id": next_})
