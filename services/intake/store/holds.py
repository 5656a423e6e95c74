"""Legal holds. All of this is for officers for the protection of data, who see every port; policy says who that is."""

from collections.abc import Sequence

from asyncpg import Record

from services.intake.domain.holds import Hold, LiftReason
from shared.kit.work import Work

SELECT = (
    "SELECT hold_id, person_id, case_id, reason, reference, placed_by, placed_at, lifted_by, lifted_at, lift_reason"
    " FROM legal_holds"
)


async def add(work: Work, hold: Hold) -> None:
    """Keep a hold that is placed now."""
    await work.connection.execute(
        "INSERT INTO legal_holds (hold_id, person_id, case_id, reason, reference, placed_by, placed_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        hold.hold_id,
        hold.person_id,
        hold.case_id,
        hold.reason,
        hold.reference,
        hold.placed_by,
        hold.placed_at,
    )


async def lift(work: Work, hold_id: str, *, reason: LiftReason) -> bool:
    """End a hold; False when it had ended before."""
    lifted = await work.connection.fetchval(
        "UPDATE legal_holds SET lifted_by = $2, lifted_at = $3, lift_reason = $4"
        " WHERE hold_id = $1 AND lifted_at IS NULL RETURNING hold_id",
        hold_id,
        work.actor.id,
        work.now,
        reason,
    )
    return lifted is not None


async def find(work: Work, hold_id: str) -> Hold | None:
    """One hold.

    # unscoped: see above.
    """
    row = await work.connection.fetchrow(f"{SELECT} WHERE hold_id = $1", hold_id)
    return None if row is None else _hold(row)


async def of_people(work: Work, person_ids: Sequence[str]) -> list[Hold]:
    """All holds on these people, those that stand first, then by time.

    # unscoped: see above.
    """
    rows = await work.connection.fetch(
        f"{SELECT} WHERE person_id = ANY($1::uuid[]) ORDER BY lifted_at IS NOT NULL, hold_id",
        person_ids,
    )
    return [_hold(row) for row in rows]


async def list_standing(work: Work, *, after: str | None, limit: int) -> list[Hold]:
    """Holds that stand, in the order they were placed, `limit` of them after one.

    # unscoped: see above.
    """
    rows = await work.connection.fetch(
        f"{SELECT} WHERE lifted_at IS NULL AND ($1::uuid IS NULL OR hold_id > $1::uuid) ORDER BY hold_id LIMIT $2",
        after,
        limit,
    )
    return [_hold(row) for row in rows]


def _hold(row: Record) -> Hold:
    ids = {name: str(row[name]) for name in ("hold_id", "person_id", "case_id")}
    return Hold(**{**row, **ids})
