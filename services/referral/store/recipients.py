"""Erased persons, and what each agency that had been shown a person has to do about its copy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from services.referral.domain.recipients import Kind, Outstanding, RecipientTask
from shared.kit.work import Work

COLUMNS = ", ".join(field.name for field in fields(RecipientTask))
OVERSEEN = "(left(region, 2) = left($1, 2) AND $1 IN (region, left(region, 2)))"
"""As for needs: `$1` is the actor's region, a province or a regency; nothing without one."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who had been shown who a case is, and what it has to do now."""

    task_id: str
    kind: Kind
    case_id: str
    agency_id: str
    confirm_by: datetime
    fields: tuple[str, ...] = ()
    cause: str | None = None


async def add_erasures(work: Work, case_ids: Sequence[str]) -> None:
    """Nobody can read any more who these cases are."""
    await work.connection.execute(
        "INSERT INTO erasures (case_id, erased_at) SELECT *, $2 FROM unnest($1::uuid[]) ON CONFLICT DO NOTHING",
        case_ids,
        work.now,
    )


async def add_tasks(work: Work, recipients: Sequence[Recipient]) -> None:
    """A task for each recipient; to erase, once, and once for each withdrawal.

    It lies in the agency's region, or, if it has none, where help is due.

    The fields travel joined by commas: arrays of arrays have to be of one length.
    """
    await work.connection.execute(
        "INSERT INTO recipient_tasks (task_id, kind, case_id, agency_id, region, asked_at, confirm_by, fields, cause)"
        " SELECT n.task_id, n.kind, n.case_id, n.agency_id, coalesce((SELECT a.region FROM agencies a"
        "  WHERE a.agency_id = n.agency_id), (SELECT min(r.regency) FROM referrals r WHERE r.case_id = n.case_id)),"
        " $7, n.confirm_by, string_to_array(n.fields, ','), n.cause"
        " FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::timestamptz[], $6::text[], $8::uuid[])"
        " AS n (task_id, kind, case_id, agency_id, confirm_by, fields, cause) ON CONFLICT DO NOTHING",
        [r.task_id for r in recipients],
        [r.kind for r in recipients],
        [r.case_id for r in recipients],
        [r.agency_id for r in recipients],
        [r.confirm_by for r in recipients],
        [",".join(r.fields) for r in recipients],
        work.now,
        [r.cause for r in recipients],
    )


async def find_erased_at(work: Work, case_id: str) -> datetime | None:
    """When the identity behind a case was erased. # unscoped: the caller has found the case as its own"""
    found: datetime | None = await work.connection.fetchval(
        "SELECT erased_at FROM erasures WHERE case_id = $1", case_id
    )
    return found


async def list_open(work: Work, limit: int) -> list[RecipientTask]:
    """What the own agency has still to do, the soonest limit first."""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM recipient_tasks WHERE agency_id = $1 AND settled_at IS NULL"  # noqa: S608
        " ORDER BY confirm_by, task_id LIMIT $2",
        work.actor.organisation,
        limit,
    )
    return [_task(row) for row in rows]


async def list_open_of_kind(work: Work, kind: Kind, limit: int) -> list[RecipientTask]:
    """Of that what is of one kind."""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM recipient_tasks WHERE agency_id = $1 AND settled_at IS NULL"  # noqa: S608
        " AND kind = $3 ORDER BY confirm_by, task_id LIMIT $2",
        work.actor.organisation,
        limit,
        kind,
    )
    return [_task(row) for row in rows]


async def list_to_read(work: Work, case_id: str) -> list[str]:
    """The own agency's open tasks to read a case again."""
    rows = await work.connection.fetch(
        "SELECT task_id FROM recipient_tasks WHERE agency_id = $1 AND case_id = $2 AND settled_at IS NULL"
        " AND kind = 'correction'",
        work.actor.organisation,
        case_id,
    )
    return [str(row["task_id"]) for row in rows]


async def list_own_referrals(work: Work, case_ids: Sequence[str]) -> dict[str, list[str]]:
    """The referrals of these cases for which the own agency has, or had, an attempt, by case."""
    rows = await work.connection.fetch(
        "SELECT DISTINCT r.case_id, r.referral_id FROM assignments a JOIN referrals r USING (referral_id)"
        " WHERE a.agency_id = $1 AND r.case_id = ANY($2::uuid[])",
        work.actor.organisation,
        case_ids,
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(str(row["case_id"]), []).append(str(row["referral_id"]))
    return found


async def lock_own(work: Work, task_ids: Sequence[str]) -> dict[str, RecipientTask]:
    """Of these tasks the own agency's, for this work alone to change."""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM recipient_tasks WHERE agency_id = $1 AND task_id = ANY($2::uuid[])"  # noqa: S608
        " ORDER BY task_id FOR UPDATE",
        work.actor.organisation,
        task_ids,
    )
    return {task.task_id: task for task in map(_task, rows)}


async def list_outstanding(work: Work, limit: int, *, everywhere: bool) -> list[RecipientTask]:
    """What agencies of the actor's region, or everywhere, have not settled yet, the longest overdue first."""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM recipient_tasks WHERE ($2 OR {OVERSEEN})"  # noqa: S608
        " AND settled_at IS NULL ORDER BY confirm_by, task_id LIMIT $3",
        work.actor.region,
        everywhere,
        limit,
    )
    return [_task(row) for row in rows]


async def count_outstanding(work: Work, *, everywhere: bool) -> list[Outstanding]:
    """How many copies agencies of the actor's region, or everywhere, have still to see to, by what is to be done.

    `everywhere`: # unscoped: numbers only, for those who answer for the country or protect its data
    """
    rows = await work.connection.fetch(
        "SELECT kind, count(*) AS total, count(*) FILTER (WHERE confirm_by <= $2) AS overdue,"  # noqa: S608
        " min(asked_at) AS since, min(confirm_by) AS next_by"
        f" FROM recipient_tasks WHERE ($3 OR {OVERSEEN}) AND settled_at IS NULL GROUP BY kind ORDER BY kind",
        work.actor.region,
        work.now,
        everywhere,
    )
    return [Outstanding(**row) for row in rows]


async def lock_overdue(work: Work, task_id: str, *, everywhere: bool) -> RecipientTask | None:
    """One of those that is overdue, or was settled after all, for this work alone to change."""
    row = await work.connection.fetchrow(
        f"SELECT {COLUMNS} FROM recipient_tasks WHERE ($3 OR {OVERSEEN})"  # noqa: S608
        " AND task_id = $4 AND confirm_by <= $2 FOR UPDATE",
        work.actor.region,
        work.now,
        everywhere,
        task_id,
    )
    return None if row is None else _task(row)


async def lock_unreminded(work: Work, limit: int, apart_from: Sequence[str]) -> list[RecipientTask]:
    """Overdue tasks that nobody was told of yet. # unscoped: the clock works for everybody"""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM recipient_tasks WHERE settled_at IS NULL AND overdue_told_at IS NULL"  # noqa: S608
        " AND confirm_by <= $1 AND task_id <> ALL($3::uuid[]) ORDER BY confirm_by LIMIT $2 FOR UPDATE SKIP LOCKED",
        work.now,
        limit,
        apart_from,
    )
    return [_task(row) for row in rows]


async def mark_settled(work: Work, tasks: Sequence[RecipientTask]) -> None:
    """Nothing is left to do about these copies, by what was said or done."""
    await work.connection.execute(
        "UPDATE recipient_tasks t SET settled_at = $2, settled_by = n.settled_by, settled_as = n.settled_as"
        " FROM unnest($1::uuid[], $3::text[], $4::text[]) AS n (task_id, settled_by, settled_as)"
        " WHERE t.task_id = n.task_id",
        [task.task_id for task in tasks],
        work.now,
        [task.settled_by for task in tasks],
        [task.settled_as for task in tasks],
    )


async def supersede_corrections(work: Work, case_ids: Sequence[str]) -> None:
    """These persons were erased: nobody has to read them again. # unscoped: what the service itself has heard"""
    await work.connection.execute(
        "UPDATE recipient_tasks SET settled_at = $2, settled_by = $3, settled_as = 'superseded'"
        " WHERE case_id = ANY($1::uuid[]) AND kind = 'correction' AND settled_at IS NULL",
        case_ids,
        work.now,
        work.actor.id,
    )


async def mark_overdue_told(work: Work, task_ids: Sequence[str]) -> None:
    """A supervisor has been told of these."""
    await work.connection.execute(
        "UPDATE recipient_tasks SET overdue_told_at = $2 WHERE task_id = ANY($1::uuid[])", task_ids, work.now
    )


def _task(row: Mapping[str, Any]) -> RecipientTask:
    ids = {name: row[name] and str(row[name]) for name in ("task_id", "case_id", "cause")}
    return RecipientTask(**{**row, **ids, "fields": tuple(row["fields"])})
