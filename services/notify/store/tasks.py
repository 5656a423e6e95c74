"""Statements on `tasks`: what a person has to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.kit.ids import new_id
from shared.kit.work import Work


@dataclass(frozen=True, slots=True)
class Task:
    """`delivery_id` and what follows it are None for a task about a whole subscription."""

    task_id: str
    kind: str
    organisation: str
    subscription_id: str
    subscription_name: str
    opened_at: datetime
    delivery_id: str | None
    event_type: str | None
    case_id: str | None
    attempts: int | None
    trouble: str | None
    http_status: int | None


async def open_tasks(work: Work, *, kind: str, about: Sequence[tuple[str, str, str | None]]) -> None:
    """Open one task for each (organisation, subscription id, delivery id) that has none open.

    None for a subscription that has ended: nobody could act on it.
    """
    await work.connection.execute(
        """
        INSERT INTO tasks (task_id, kind, organisation, subscription_id, delivery_id, opened_at)
        SELECT a.task_id, $2, a.organisation, a.subscription_id, a.delivery_id, $3
        FROM unnest($1::uuid[], $4::text[], $5::uuid[], $6::uuid[])
            AS a (task_id, organisation, subscription_id, delivery_id)
        JOIN subscriptions s ON s.subscription_id = a.subscription_id AND s.status <> 'ended'
        WHERE a.delivery_id IS NOT NULL OR NOT EXISTS (
            SELECT FROM tasks t WHERE t.subscription_id = a.subscription_id AND t.kind = $2 AND t.closed_at IS NULL
        )
        ON CONFLICT DO NOTHING
        """,
        [new_id() for _ in about],
        kind,
        work.now,
        [organisation for organisation, _, _ in about],
        [subscription_id for _, subscription_id, _ in about],
        [delivery_id for _, _, delivery_id in about],
    )


async def close_tasks_of_deliveries(work: Work, delivery_ids: Sequence[str], *, because: str) -> None:
    """Close the open tasks about these deliveries."""
    await work.connection.execute(
        "UPDATE tasks SET closed_at = $2, closed_because = $3"
        " WHERE delivery_id = ANY($1::uuid[]) AND closed_at IS NULL",
        delivery_ids,
        work.now,
        because,
    )


async def close_tasks_of_subscription(work: Work, subscription_id: str, *, kind: str, because: str) -> None:
    """Close the open tasks of one kind about a subscription."""
    await work.connection.execute(
        "UPDATE tasks SET closed_at = $2, closed_because = $4"
        " WHERE subscription_id = $1 AND kind = $3 AND closed_at IS NULL",
        subscription_id,
        work.now,
        kind,
        because,
    )


async def close_task(work: Work, task_id: str, *, scope: str | None, because: str) -> Task | None:
    """Close one open task; None when there is none within `scope` (None: all organisations)."""
    row = await work.connection.fetchrow(
        """
        WITH closed AS (
            UPDATE tasks SET closed_at = $3, closed_because = $4
            WHERE task_id = $1 AND closed_at IS NULL AND ($2::text IS NULL OR organisation = $2)
            RETURNING task_id, kind, organisation, subscription_id, delivery_id, opened_at
        )
        SELECT t.task_id::text, t.kind, t.organisation, t.subscription_id::text, s.name AS subscription_name,
            t.opened_at, t.delivery_id::text, d.event_type, d.case_id::text, d.attempts, d.trouble, d.http_status
        FROM closed t JOIN subscriptions s USING (subscription_id) LEFT JOIN deliveries d USING (delivery_id)
        """,
        task_id,
        scope,
        work.now,
        because,
    )
    return _task(row) if row else None


async def list_tasks(work: Work, *, scope: str | None, after: str | None = None, limit: int = 100) -> list[Task]:
    """Open tasks, oldest first, from `after` on; within `scope` (None: all organisations)."""
    rows = await work.connection.fetch(
        """
        SELECT t.task_id::text, t.kind, t.organisation, t.subscription_id::text, s.name AS subscription_name,
            t.opened_at, t.delivery_id::text, d.event_type, d.case_id::text, d.attempts, d.trouble, d.http_status
        FROM tasks t JOIN subscriptions s USING (subscription_id) LEFT JOIN deliveries d USING (delivery_id)
        WHERE t.closed_at IS NULL AND ($1::text IS NULL OR t.organisation = $1)
            AND ($2::uuid IS NULL OR t.task_id > $2)
        ORDER BY t.task_id
        LIMIT $3
        """,
        scope,
        after,
        limit,
    )
    return [_task(row) for row in rows]


async def count_tasks(work: Work, *, scope: str | None) -> int:
    """How many tasks are open within `scope` (None: all organisations)."""
    counted: int = await work.connection.fetchval(
        "SELECT count(*) FROM tasks WHERE closed_at IS NULL AND ($1::text IS NULL OR organisation = $1)", scope
    )
    return counted


def _task(row: Any) -> Task:
    return Task(**dict(row))
