"""Corrections that were asked for. Read for officers for the protection of data, who see every port."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from asyncpg import Record

from services.intake.domain.corrections import Decision, RejectReason
from shared.kit.work import Work

COLUMNS = (
    "correction_id, case_id, person_id, port, field, sealed, reference, requested_by, requested_at, decide_by,"
    " decision, reason, decided_by, decided_at"
)


class Correction(NamedTuple):
    """One field that is said to be wrong. `sealed` is what it is to become, empty once it was decided."""

    correction_id: str
    case_id: str
    person_id: str
    port: str
    field: str
    sealed: bytes
    reference: str
    requested_by: str
    requested_at: datetime
    decide_by: datetime
    decision: Decision | None = None
    reason: RejectReason | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None


async def add(work: Work, new: Correction) -> None:
    """Keep a correction that is asked for now."""
    await work.connection.execute(
        "INSERT INTO corrections (correction_id, case_id, person_id, port, field, sealed, reference, requested_by,"
        " requested_at, decide_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        *new[:10],
    )


async def find(work: Work, correction_id: str) -> Correction | None:
    """One correction.

    # unscoped: see above.
    """
    row = await work.connection.fetchrow(
        f"SELECT {COLUMNS} FROM corrections WHERE correction_id = $1",  # noqa: S608 - a constant
        correction_id,
    )
    return None if row is None else _correction(row)


async def of_person(work: Work, person_id: str) -> list[Correction]:
    """All corrections of a person, in the order they were asked for.

    # unscoped: see above.
    """
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM corrections WHERE person_id = $1 ORDER BY correction_id",  # noqa: S608 - a constant
        person_id,
    )
    return [_correction(row) for row in rows]


async def list_undecided(work: Work, *, limit: int) -> list[Correction]:
    """What is to be decided, the longest due first.

    # unscoped: see above.
    """
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM corrections WHERE decision IS NULL"  # noqa: S608 - a constant
        " ORDER BY decide_by, correction_id LIMIT $1",
        limit,
    )
    return [_correction(row) for row in rows]


async def count_overdue(work: Work) -> int:
    """How many should have been decided by now.

    # unscoped: a number, for who looks after the service.
    """
    overdue: int = await work.connection.fetchval(
        "SELECT count(*) FROM corrections WHERE decision IS NULL AND decide_by < $1", work.now
    )
    return overdue


async def decide(
    work: Work, correction_ids: Sequence[str], decision: Decision, *, reason: RejectReason | None = None
) -> None:
    """Keep a decision, and the value that was asked for no longer."""
    await work.connection.execute(
        "UPDATE corrections SET decision = $2, reason = $3, decided_by = $4, decided_at = $5, sealed = ''"
        " WHERE correction_id = ANY($1::uuid[]) AND decision IS NULL",
        correction_ids,
        decision,
        reason,
        work.actor.id,
        work.now,
    )


def _correction(row: Record) -> Correction:
    ids = {name: str(row[name]) for name in ("correction_id", "case_id", "person_id")}
    return Correction(**{**row, **ids})
