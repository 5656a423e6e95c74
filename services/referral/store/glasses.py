"""Cases opened in an emergency, and their reviews."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

from services.referral.domain.glass import PROTECTION_OFFICER, Glass
from services.referral.domain.matters import Matter
from shared.kit.work import Work

NAMES = tuple(field.name for field in fields(Glass))
COLUMNS = ", ".join(NAMES)
REVIEWABLE = (
    "reviewed_at IS NULL AND broken_by <> $2 AND CASE WHEN $3 THEN told = $4 OR review_by <= $5 ELSE told <> $4"
    " AND left(region, 2) = left($1, 2) AND $1 IN (region, left(region, 2)) END"
)
"""What is the actor's to judge: never the own; of the region (`$1`), or as the protection officer (`$3`)."""


@dataclass(frozen=True, slots=True)
class Found:
    """A case, and the regency where help is due."""

    case_id: str
    region: str


async def find_cases(work: Work, number: str) -> list[Found]:
    """The cases whose id is, or ends with, this; at most two. # unscoped: breaking the glass is for what is not own"""
    # A reference is looked for through all cases: it is for emergencies alone, and an index would slow every arrival.
    rows = await work.connection.fetch(
        "SELECT case_id, min(regency) AS region FROM referrals WHERE "  # noqa: S608 - constants
        + ("case_id = $1::uuid" if len(number) == 36 else "right(case_id::text, 10) = $1")
        + " GROUP BY case_id LIMIT 2",
        number,
    )
    return [Found(str(row["case_id"]), row["region"]) for row in rows]


async def add_glass(work: Work, glass: Glass) -> None:
    """Open a case."""
    places = ", ".join(f"${n}" for n in range(1, len(NAMES) + 1))
    await work.connection.execute(f"INSERT INTO glasses ({COLUMNS}) VALUES ({places})", *astuple(glass))  # noqa: S608


async def find_open(work: Work, case_id: str, matter: Matter) -> Glass | None:
    """What the actor has opened of a case already."""
    row = await work.connection.fetchrow(
        f"SELECT {COLUMNS} FROM glasses WHERE broken_by = $1 AND case_id = $2 AND matter = $3 AND expires_at > $4",  # noqa: S608
        work.actor.id,
        case_id,
        matter,
        work.now,
    )
    return None if row is None else _glass(row)


async def find_own(work: Work, glass_id: str) -> Glass | None:
    """One that the actor has broken."""
    row = await work.connection.fetchrow(
        f"SELECT {COLUMNS} FROM glasses WHERE broken_by = $1 AND glass_id = $2",  # noqa: S608
        work.actor.id,
        glass_id,
    )
    return None if row is None else _glass(row)


async def list_own(work: Work, limit: int) -> list[Glass]:
    """The ones the actor has open, the soonest to end first."""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM glasses WHERE broken_by = $1 AND expires_at > $2 ORDER BY expires_at LIMIT $3",  # noqa: S608
        work.actor.id,
        work.now,
        limit,
    )
    return [_glass(row) for row in rows]


async def list_reviewable(work: Work, limit: int, *, everywhere: bool) -> list[Glass]:
    """The ones that wait for the actor's judgement, the longest first."""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM glasses WHERE {REVIEWABLE} ORDER BY review_by, glass_id LIMIT $6",  # noqa: S608
        *_reviewer(work, everywhere=everywhere),
        limit,
    )
    return [_glass(row) for row in rows]


async def lock_reviewable(work: Work, glass_id: str, *, everywhere: bool) -> Glass | None:
    """One of those, for this work alone to change."""
    row = await work.connection.fetchrow(
        f"SELECT {COLUMNS} FROM glasses WHERE {REVIEWABLE} AND glass_id = $6 FOR UPDATE",  # noqa: S608
        *_reviewer(work, everywhere=everywhere),
        glass_id,
    )
    return None if row is None else _glass(row)


async def count_overdue(work: Work) -> int:
    """How many were not judged in time, of those that the actor may see."""
    n: int = await work.connection.fetchval(
        "SELECT count(*) FROM glasses WHERE reviewed_at IS NULL AND review_by <= $1", work.now
    )
    return n


async def mark_glass_reviewed(work: Work, glass: Glass) -> None:
    """Somebody has judged it."""
    await work.connection.execute(
        "UPDATE glasses SET reviewed_at = $2, reviewed_by = $3, decision = $4 WHERE glass_id = $1",
        glass.glass_id,
        glass.reviewed_at,
        glass.reviewed_by,
        glass.decision,
    )


async def lock_unreminded(work: Work, limit: int, apart_from: Sequence[str]) -> list[Glass]:
    """Those that were not judged in time, nobody told of it. # unscoped: the clock works for everybody"""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM glasses WHERE reviewed_at IS NULL AND overdue_told_at IS NULL AND review_by <= $1"  # noqa: S608
        " AND glass_id <> ALL($3::uuid[]) ORDER BY review_by LIMIT $2 FOR UPDATE SKIP LOCKED",
        work.now,
        limit,
        apart_from,
    )
    return [_glass(row) for row in rows]


async def mark_glasses_overdue_told(work: Work, glass_ids: Sequence[str]) -> None:
    """The data protection officer has been told of these."""
    await work.connection.execute(
        "UPDATE glasses SET overdue_told_at = $2 WHERE glass_id = ANY($1::uuid[])", glass_ids, work.now
    )


def _reviewer(work: Work, *, everywhere: bool) -> tuple[Any, ...]:
    return work.actor.region, work.actor.id, everywhere, PROTECTION_OFFICER, work.now


def _glass(row: Mapping[str, Any]) -> Glass:
    return Glass(**{**row, "glass_id": str(row["glass_id"]), "case_id": str(row["case_id"])})
