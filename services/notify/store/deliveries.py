"""Statements on `deliveries` and `attempts`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.notify.domain import consents
from services.notify.store import stops
from services.notify.store.accesses import IS_KEPT_OUT, LET_IN_AT
from shared.kit.database import Database
from shared.kit.work import Work

ROW = """d.delivery_id::text, d.subscription_id::text, d.organisation, d.test, d.event_id::text, d.event_type,
    d.case_id::text, d.need, d.province, d.status, d.attempts, d.replays, d.created_at, d.next_attempt_at,
    d.ended_at, d.trouble, d.http_status, d.suppressed_because"""

SHOWN = """(d.suppressed_because IS NULL OR d.suppressed_because = 'subscription_ended'
    OR d.suppressed_because = 'consent_withdrawn' AND d.attempts > 0)"""
"""True for what a person may look at: else the log would tell what nobody was to be told."""


@dataclass(frozen=True, slots=True)
class Row:
    """A delivery as lists show it."""

    delivery_id: str
    subscription_id: str
    organisation: str
    test: bool
    event_id: str
    event_type: str
    case_id: str
    need: str | None
    province: str | None
    status: str
    attempts: int
    replays: int
    created_at: datetime
    next_attempt_at: datetime | None
    ended_at: datetime | None
    trouble: str | None
    http_status: int | None
    suppressed_because: str | None
    ms: int | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    number: int
    started_at: datetime
    ms: int
    status: int | None
    trouble: str | None
    response: bytes


async def suppress_stopped(
    work: Work, organisations: Sequence[str], classes: Sequence[str], *, since: datetime | None, limit: int
) -> list[Row]:
    """End what waits of cases that these organisations, each of its class, must not be told of, stopped since then.

    `since`: None for whenever it was.

    What is in hand is left to its holder, who does not send it.

    Case by case, and by `ended_at`, which no partial index knows: a plan that was made while nothing waited would go
    through all that waits.
    """
    # unscoped: the clock acts for all organisations
    rows = await work.connection.fetch(
        f"""
        WITH moot AS (
            SELECT d.delivery_id FROM stops fresh
            JOIN unnest($2::text[], $3::text[]) AS o (organisation, class) ON o.class = fresh.recipient_class
            CROSS JOIN LATERAL (
                SELECT d.delivery_id FROM deliveries d
                WHERE d.case_id = fresh.case_id AND (fresh.need = '*' OR fresh.need = d.need)
                    AND d.organisation = o.organisation AND d.ended_at IS NULL AND NOT d.test
                    AND d.event_type <> ALL($6) AND (d.lease_until IS NULL OR d.lease_until <= $1)
                    AND {stops.STANDS.format(case="d.case_id", class_="o.class", need="d.need")}
                FOR UPDATE SKIP LOCKED
            ) d
            WHERE fresh.stopped AND fresh.since >= coalesce($4::timestamptz, '-infinity')
            LIMIT $5
        )
        UPDATE deliveries d SET status = 'suppressed', next_attempt_at = NULL, lease_until = NULL, ended_at = $1,
            suppressed_because = 'consent_withdrawn'
        FROM moot WHERE d.delivery_id = moot.delivery_id
        RETURNING {ROW}
        """,  # noqa: S608 - constant pieces
        work.now,
        organisations,
        classes,
        since,
        limit,
        list(consents.TOLD_ANYHOW),
    )
    return [Row(**dict(row)) for row in rows]


async def suppress_restricted(work: Work, *, since: datetime | None, limit: int) -> list[Row]:
    """End what waits about needs that the case team alone may know, since then (None: whenever it came to be so).

    What is in hand is left to its holder, as above.
    """
    # unscoped: the clock acts for all organisations
    rows = await work.connection.fetch(
        f"""
        WITH moot AS (
            SELECT d.delivery_id FROM restricted_needs n CROSS JOIN LATERAL (
                SELECT d.delivery_id FROM deliveries d
                WHERE d.case_id = n.case_id AND d.need = n.need AND d.ended_at IS NULL AND NOT d.test
                    AND d.event_type <> ALL($4) AND (d.lease_until IS NULL OR d.lease_until <= $1)
                FOR UPDATE SKIP LOCKED
            ) d
            WHERE n.since >= coalesce($2::timestamptz, '-infinity')
            LIMIT $3
        )
        UPDATE deliveries d SET status = 'suppressed', next_attempt_at = NULL, lease_until = NULL, ended_at = $1,
            suppressed_because = 'restricted'
        FROM moot WHERE d.delivery_id = moot.delivery_id
        RETURNING {ROW}
        """,  # noqa: S608 - a constant list of columns
        work.now,
        since,
        limit,
        list(consents.TOLD_ANYHOW),
    )
    return [Row(**dict(row)) for row in rows]


async def restart_waiting(work: Work, subscription_id: str) -> None:
    """Let what waits for a locked subscription begin anew, due now: its clock and its schedule stood still meanwhile.

    What was due earlier keeps its time, so that the oldest go first.
    """
    await work.connection.execute(
        """
        UPDATE deliveries SET queued_at = $2, step = 0, next_attempt_at = least(next_attempt_at, $2)
        WHERE subscription_id = $1 AND status IN ('queued', 'sending', 'retry_wait')
        """,
        subscription_id,
        work.now,
    )


async def give_up_waiting(work: Work, *, queued_before: datetime, limit: int) -> list[Row]:
    """End notices that have waited since before then behind a server that does not answer.

    One that never got its turn says what the others ran into.
    """
    # unscoped: the clock acts for all organisations
    rows = await work.connection.fetch(
        f"""
        WITH old AS (
            SELECT d.delivery_id, c.last_trouble
            FROM deliveries d JOIN subscriptions s USING (subscription_id) JOIN circuits c USING (subscription_id)
            WHERE d.status IN ('queued', 'sending', 'retry_wait') AND (d.lease_until IS NULL OR d.lease_until <= $3)
                AND d.queued_at < $1 AND s.status = 'active' AND NOT {IS_KEPT_OUT}
                AND coalesce({LET_IN_AT} < $1, TRUE)
            ORDER BY d.queued_at LIMIT $2
            FOR UPDATE OF d SKIP LOCKED
        )
        UPDATE deliveries d SET status = 'dead_lettered', next_attempt_at = NULL, lease_until = NULL, ended_at = $3,
            trouble = coalesce(d.trouble, old.last_trouble, 'connection')
        FROM old WHERE d.delivery_id = old.delivery_id
        RETURNING {ROW}
        """,  # noqa: S608 - constant pieces
        queued_before,
        limit,
        work.now,
    )
    return [Row(**dict(row)) for row in rows]


async def suppress_ended(work: Work, *, limit: int) -> list[Row]:
    """End what waits for subscriptions that were ended."""
    # unscoped: the clock acts for all organisations
    rows = await work.connection.fetch(
        f"""
        WITH moot AS (
            SELECT d.delivery_id FROM deliveries d JOIN subscriptions s USING (subscription_id)
            WHERE s.status = 'ended' AND d.status IN ('queued', 'sending', 'retry_wait')
                AND (d.lease_until IS NULL OR d.lease_until <= $2)
            LIMIT $1
            FOR UPDATE OF d SKIP LOCKED
        )
        UPDATE deliveries d SET status = 'suppressed', next_attempt_at = NULL, lease_until = NULL, ended_at = $2,
            suppressed_because = 'subscription_ended'
        FROM moot WHERE d.delivery_id = moot.delivery_id
        RETURNING {ROW}
        """,  # noqa: S608 - a constant list of columns
        limit,
        work.now,
    )
    return [Row(**dict(row)) for row in rows]


async def requeue(work: Work, delivery_ids: Sequence[str]) -> list[Row]:
    """Put locked, ended deliveries back into the queue with their ids, at the beginning of the schedule."""
    rows = await work.connection.fetch(
        f"""
        UPDATE deliveries d SET status = 'queued', step = 0, replays = d.replays + 1, queued_at = $2,
            next_attempt_at = $2, ended_at = NULL, suppressed_because = NULL
        WHERE d.delivery_id = ANY($1::uuid[])
        RETURNING {ROW}
        """,  # noqa: S608 - a constant list of columns
        delivery_ids,
        work.now,
    )
    return [Row(**dict(row)) for row in rows]


async def lock_delivery(work: Work, delivery_id: str, *, scope: str | None) -> Row | None:
    """The delivery, locked for a change; None when there is none within `scope` (None: all organisations)."""
    row = await work.connection.fetchrow(
        f"""
        SELECT {ROW} FROM deliveries d
        WHERE d.delivery_id = $1 AND ($2::text IS NULL OR d.organisation = $2) AND {SHOWN}
        FOR UPDATE
        """,  # noqa: S608 - a constant list of columns
        delivery_id,
        scope,
    )
    return Row(**dict(row)) if row else None


async def list_deliveries(
    work: Work,
    *,
    scope: str | None,
    subscription_id: str,
    statuses: Sequence[str] = (),
    event_type: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> list[Row]:
    """Deliveries of a subscription, newest first, older than `before`; with the time of the last attempt."""
    rows = await work.connection.fetch(
        f"""
        SELECT {ROW}, a.ms FROM deliveries d
        LEFT JOIN attempts a ON a.delivery_id = d.delivery_id AND a.number = d.attempts
        WHERE d.subscription_id = $1 AND ($2::text IS NULL OR d.organisation = $2) AND {SHOWN}
            AND (cardinality($3::text[]) = 0 OR d.status = ANY($3))
            AND ($4::text IS NULL OR d.event_type = $4) AND ($5::uuid IS NULL OR d.delivery_id < $5)
        ORDER BY d.delivery_id DESC
        LIMIT $6
        """,  # noqa: S608 - a constant list of columns
        subscription_id,
        scope,
        list(statuses),
        event_type,
        before,
        limit,
    )
    return [Row(**dict(row)) for row in rows]


async def find_delivery(work: Work, delivery_id: str, *, scope: str | None) -> tuple[Row, bytes] | None:
    """A delivery and its body; None when there is none within `scope` (None: all organisations)."""
    row = await work.connection.fetchrow(
        f"""
        SELECT {ROW}, d.body FROM deliveries d
        WHERE d.delivery_id = $1 AND ($2::text IS NULL OR d.organisation = $2) AND {SHOWN}
        """,  # noqa: S608 - a constant list of columns
        delivery_id,
        scope,
    )
    if row is None:
        return None
    values: dict[str, Any] = dict(row)
    body: bytes = values.pop("body")
    return Row(**values), body


async def list_attempts(work: Work, delivery_ids: Sequence[str], *, scope: str | None) -> dict[str, list[Attempt]]:
    """The attempts of deliveries, first to last, by delivery id; within `scope` (None: all organisations)."""
    rows = await work.connection.fetch(
        """
        SELECT a.delivery_id::text, a.number, a.started_at, a.ms, a.status, a.trouble, a.response
        FROM attempts a WHERE a.delivery_id = ANY($1::uuid[]) AND (
            $2::text IS NULL OR $2 = (SELECT d.organisation FROM deliveries d WHERE d.delivery_id = a.delivery_id)
        )
        ORDER BY a.delivery_id, a.number
        """,
        list(delivery_ids),
        scope,
    )
    found: dict[str, list[Attempt]] = {}
    for row in rows:
        delivery_id, *values = row
        found.setdefault(delivery_id, []).append(Attempt(*values))
    return found


async def count_overdue(database: Database) -> float:
    """Notices of active subscriptions that have been due for over a minute. # unscoped: a number only"""
    [row] = await database.fetch(
        "SELECT count(*) AS overdue FROM deliveries d JOIN subscriptions s USING (subscription_id)"  # noqa: S608
        f" WHERE s.status = 'active' AND NOT {IS_KEPT_OUT} AND d.status IN ('queued', 'sending', 'retry_wait')"
        " AND coalesce(d.lease_until, d.next_attempt_at) <= $1::timestamptz - interval '1 minute'",
        database.clock.now(),
    )
    return float(row["overdue"])
