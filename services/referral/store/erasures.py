"""Erased persons, and what each agency that had been shown one has to erase itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from services.referral.domain.erasures import ErasureTask
from shared.kit.work import Work

COLUMNS = ", ".join(field.name for field in fields(ErasureTask))
OVERSEEN = "(left(region, 2) = left($1, 2) AND $1 IN (region, left(region, 2)))"
"""As for needs: `$1` is the actor's region, a province or a regency; nothing without one."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who had been shown who a case is."""

    task_id: str
    case_id: str
    agency_id: str
    confirm_by: datetime


async def add_erasures(work: Work, case_ids: Sequence[str]) -> None:
    """Nobody can read any more who these cases are."""
    await work.connection.execute(
        "INSERT INTO erasures (case_id, erased_at) SELECT *, $2 FROM unnest($1::uuid[]) ON CONFLICT DO NOTHING",
        case_ids,
        work.now,
    )


async def add_tasks(work: Work, recipients: Sequence[Recipient]) -> None:
    """A task for each recipient, once. It lies in the agency's region, or, if it has none, where help is due."""
    await work.connection.execute(
        "INSERT INTO erasure_tasks (task_id, case_id, agency_id, region, asked_at, confirm_by)"
        " SELECT n.task_id, n.case_id, n.agency_id, coalesce((SELECT a.region FROM agencies a"
        "  WHERE a.agency_id = n.agency_id), (SELECT min(r.regency) FROM referrals r WHERE r.case_id = n.case_id)),"
        " $5, n.confirm_by FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[])"
        " AS n (task_id, case_id, agency_id, confirm_by) ON CONFLICT DO NOTHING",
        [r.task_id for r in recipients],
        [r.case_id for r in recipients],
        [r.agency_id for r in recipients],
        [r.confirm_by for r in recipients],
        work.now,
    )


async def find_erased_at(work: Work, case_id: str) -> datetime | None:
    """When the identity behind a case was erased. # unscoped: the caller has found the case as its own"""
    found: datetime | None = await work.connection.fetchval(
        "SELECT erased_at FROM erasures WHERE case_id = $1", case_id
    )
    return found


async def list_open(work: Work, limit: int) -> list[ErasureTask]:
    """What the own agency has still to erase, the soonest limit first."""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM erasure_tasks WHERE agency_id = $1 AND confirmed_at IS NULL"  # noqa: S608
        " ORDER BY confirm_by, task_id LIMIT $2",
        work.actor.organisation,
        limit,
    )
    return [_task(row) for row in rows]


async def lock_own(work: Work, task_ids: Sequence[str]) -> dict[str, ErasureTask]:
    """Of these tasks the own agency's, for this work alone to change."""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM erasure_tasks WHERE agency_id = $1 AND task_id = ANY($2::uuid[])"  # noqa: S608
        " ORDER BY task_id FOR UPDATE",
        work.actor.organisation,
        task_ids,
    )
    return {task.task_id: task for task in map(_task, rows)}


async def list_overdue(work: Work, limit: int, *, everywhere: bool) -> list[ErasureTask]:
    """What agencies of the actor's region, or everywhere, have not confirmed in time, the longest overdue first."""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM erasure_tasks WHERE ($3 OR {OVERSEEN})"  # noqa: S608
        " AND confirmed_at IS NULL AND confirm_by <= $2 ORDER BY confirm_by, task_id LIMIT $4",
        work.actor.region,
        work.now,
        everywhere,
        limit,
    )
    return [_task(row) for row in rows]


async def lock_overdue(work: Work, task_id: str, *, everywhere: bool) -> ErasureTask | None:
    """One of those, or one that was confirmed after all, for this work alone to change."""
    row = await work.connection.fetchrow(
        f"SELECT {COLUMNS} FROM erasure_tasks WHERE ($3 OR {OVERSEEN})"  # noqa: S608
        " AND task_id = $4 AND confirm_by <= $2 FOR UPDATE",
        work.actor.region,
        work.now,
        everywhere,
        task_id,
    )
    return None if row is None else _task(row)


async def lock_unreminded(work: Work, limit: int) -> list[ErasureTask]:
    """Overdue tasks that nobody was told of yet. # unscoped: the clock works for everybody"""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM erasure_tasks WHERE confirmed_at IS NULL AND overdue_told_at IS NULL"  # noqa: S608
        " AND confirm_by <= $1 ORDER BY confirm_by LIMIT $2 FOR UPDATE SKIP LOCKED",
        work.now,
        limit,
    )
    return [_task(row) for row in rows]


async def mark_tasks_confirmed(work: Work, tasks: Sequence[ErasureTask]) -> None:
    """These copies are erased, by what was said."""
    await work.connection.execute(
        "UPDATE erasure_tasks t SET confirmed_at = $2, confirmed_by = n.confirmed_by"
        " FROM unnest($1::uuid[], $3::text[]) AS n (task_id, confirmed_by) WHERE t.task_id = n.task_id",
        [task.task_id for task in tasks],
        work.now,
        [task.confirmed_by for task in tasks],
    )


async def mark_tasks_overdue_told(work: Work, task_ids: Sequence[str]) -> None:
    """A supervisor has been told of these."""
    await work.connection.execute(
        "UPDATE erasure_tasks SET overdue_told_at = $2 WHERE task_id = ANY($1::uuid[])", task_ids, work.now
    )


def _task(row: Mapping[str, Any]) -> ErasureTask:
    return ErasureTask(**{**row, "task_id": str(row["task_id"]), "case_id": str(row["case_id"])})
