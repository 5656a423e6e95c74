"""Statements on `deliveries` and `attempts`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.notify.domain import consents
from services.notify.domain.deliveries import Claimed, Notice, Outcome
from services.notify.store import stops
from services.notify.store.accesses import IS_KEPT_OUT, LET_IN_AT
from shared.kit.database import Database
from shared.kit.work import Work

ROW = """d.delivery_id::text, d.subscription_id::text, d.organisation, d.test, d.event_id::text, d.event_type,
    d.case_id::text, d.need, d.province, d.status, d.attempts, d.replays, d.created_at, d.next_attempt_at,
    d.ended_at, d.trouble, d.http_status, d.suppressed_because"""


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
class Told:
    """A subscription that has been sent something about a case, and what that was about."""

    subscription_id: str
    organisation: str
    need: str
    province: str


@dataclass(frozen=True, slots=True)
class Attempt:
    number: int
    started_at: datetime
    ms: int
    status: int | None
    trouble: str | None
    response: bytes


async def add_notices(work: Work, notices: Sequence[Notice]) -> dict[str, bool]:
    """Queue notices; answers the delivery ids that were new (a fact reaches a subscription once), and which wait.

    Of a case that its organisation must not be told of any more a notice is written down as not sent.
    """
    rows = await work.connection.fetch(
        f"""
        INSERT INTO deliveries (delivery_id, subscription_id, organisation, test, event_id, event_type, case_id,
            need, province, body, traceparent, status, created_at, queued_at, next_attempt_at, ended_at,
            suppressed_because)
        SELECT n.delivery_id, n.subscription_id, n.organisation, FALSE, n.event_id, n.event_type, n.case_id,
            n.need, n.province, n.body, n.traceparent, CASE WHEN n.stopped THEN 'suppressed' ELSE 'queued' END,
            $11, $11, CASE WHEN NOT n.stopped THEN $11::timestamptz END, CASE WHEN n.stopped THEN $11::timestamptz END,
            CASE WHEN n.stopped THEN 'consent_withdrawn' END
        FROM (
            SELECT n.*, n.event_type <> ALL($13::text[])
                AND coalesce({stops.STANDS.format(case="n.case_id", class_="n.class", need="n.need")}, FALSE) AS stopped
            FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::uuid[], $7::text[],
                    $8::text[], $9::bytea[], $10::text[], $12::text[])
                AS n (delivery_id, subscription_id, organisation, event_id, event_type, case_id, need, province,
                    body, traceparent, class)
        ) n
        ON CONFLICT (subscription_id, event_id) DO NOTHING
        RETURNING delivery_id::text, status = 'queued' AS waits
        """,  # noqa: S608 - a constant piece
        [n.delivery_id for n in notices],
        [n.subscription_id for n in notices],
        [n.organisation for n in notices],
        [n.event_id for n in notices],
        [n.event_type for n in notices],
        [n.case_id for n in notices],
        [n.need for n in notices],
        [n.province for n in notices],
        [n.body for n in notices],
        [n.traceparent for n in notices],
        work.now,
        [consents.recipient_class(n.organisation) for n in notices],
        list(consents.TOLD_ANYHOW),
    )
    return {row["delivery_id"]: row["waits"] for row in rows}


async def list_told(work: Work, case_id: str, organisations: Sequence[str], need: str) -> list[Told]:
    """The subscriptions of these organisations that have been sent something about a case, for a need or any (`*`).

    # unscoped: the service itself has heard that this case is not to be told any more
    """
    rows = await work.connection.fetch(
        """
        SELECT DISTINCT ON (d.subscription_id) d.subscription_id::text, d.organisation, d.need, d.province
        FROM deliveries d JOIN subscriptions s USING (subscription_id)
        WHERE d.case_id = $1 AND d.attempts > 0 AND d.need IS NOT NULL AND NOT d.test AND s.status <> 'ended'
            AND d.organisation = ANY($2) AND ($3 = '*' OR d.need = $3)
        ORDER BY d.subscription_id, d.delivery_id DESC
        """,
        case_id,
        organisations,
        need,
    )
    return [Told(**dict(row)) for row in rows]


async def list_heard(work: Work, case_ids: Sequence[str]) -> set[tuple[str, str, str]]:
    """Subscription, case and need of all that was told, or waits to be."""
    # unscoped: matching is for all organisations
    rows = await work.connection.fetch(
        """
        SELECT DISTINCT subscription_id::text, case_id::text, need FROM deliveries
        WHERE case_id = ANY($1::uuid[]) AND need IS NOT NULL AND NOT test AND status <> 'suppressed'
        """,
        case_ids,
    )
    return {(row["subscription_id"], row["case_id"], row["need"]) for row in rows}


async def suppress_stopped(
    work: Work, organisations: Sequence[str], classes: Sequence[str], *, since: datetime, limit: int
) -> list[Row]:
    """End what waits of cases that these organisations, each of its class, must not be told of, stopped since then.

    What is in hand is left to its holder, who does not send it.
    """
    # unscoped: the clock acts for all organisations
    rows = await work.connection.fetch(
        f"""
        WITH moot AS (
            SELECT d.delivery_id FROM stops fresh
            JOIN deliveries d ON d.case_id = fresh.case_id AND (fresh.need = '*' OR fresh.need = d.need)
            JOIN unnest($2::text[], $3::text[]) AS o (organisation, class)
                ON o.organisation = d.organisation AND o.class = fresh.recipient_class
            WHERE fresh.stopped AND fresh.since >= $4 AND d.status IN ('queued', 'sending', 'retry_wait')
                AND NOT d.test AND d.event_type <> ALL($6) AND (d.lease_until IS NULL OR d.lease_until <= $1)
                AND {stops.STANDS.format(case="d.case_id", class_="o.class", need="d.need")}
            LIMIT $5
            FOR UPDATE OF d SKIP LOCKED
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


async def add_test(
    work: Work,
    *,
    delivery_id: str,
    subscription_id: str,
    organisation: str,
    event_id: str,
    event_type: str,
    body: bytes,
    lease_until: datetime,
) -> None:
    """Add a test notice that its maker holds in hand already."""
    await work.connection.execute(
        """
        INSERT INTO deliveries (delivery_id, subscription_id, organisation, test, event_id, event_type, case_id,
            body, status, created_at, queued_at, next_attempt_at, lease_until)
        VALUES ($1, $2, $3, TRUE, $4, $5, $2, $6, 'sending', $7, $7, $7, $8)
        """,
        delivery_id,
        subscription_id,
        organisation,
        event_id,
        event_type,
        body,
        work.now,
        lease_until,
    )


async def claim_due(
    work: Work, *, trusted: bool, lease_until: datetime, subscriptions: int, limit: int
) -> list[Claimed]:
    """Take what is due, a turn each: from at most `subscriptions` subscriptions, at most `limit` in all.

    The circuits taken from are locked and those in another claimer's hands skipped, so that a subscription's
    window holds over all replicas. A notice whose lease ran out is due again, with its old id. Whoever had room and
    got nothing, because the limit was reached, keeps its place in the queue.

    Written so that no plan, also none made while the table was empty, reads all that is due: asked for one row, a
    subscription is looked into by itself, and `ended_at` keeps the partial indexes out of the last step.
    """
    # unscoped: the clock acts for all organisations
    rows = await work.connection.fetch(
        f"""
        WITH ready AS MATERIALIZED (
            SELECT c.subscription_id, c.claim_window, c.claimed_at
            FROM circuits c JOIN subscriptions s USING (subscription_id)
            WHERE s.status = 'active' AND NOT {IS_KEPT_OUT}
                AND c.trusted = $2 AND (c.open_until IS NULL OR c.open_until <= $1)
                AND (
                    SELECT TRUE FROM deliveries d
                    WHERE d.subscription_id = c.subscription_id AND d.status IN ('queued', 'sending', 'retry_wait')
                        AND coalesce(d.lease_until, d.next_attempt_at) <= $1
                    LIMIT 1
                )
            ORDER BY c.claimed_at NULLS FIRST
            LIMIT $4
            FOR UPDATE OF c SKIP LOCKED
        ), room AS (
            SELECT r.subscription_id, r.claimed_at, r.claim_window - (
                SELECT count(*) FROM deliveries h
                WHERE h.subscription_id = r.subscription_id AND h.status = 'sending' AND h.lease_until > $1
            ) AS places
            FROM ready r
        ), due AS (
            SELECT d.delivery_id, r.subscription_id
            FROM room r CROSS JOIN LATERAL (
                SELECT d.delivery_id, row_number() OVER () AS turn FROM (
                    SELECT d.delivery_id FROM deliveries d
                    WHERE d.subscription_id = r.subscription_id AND d.status IN ('queued', 'sending', 'retry_wait')
                        AND coalesce(d.lease_until, d.next_attempt_at) <= $1
                    ORDER BY coalesce(d.lease_until, d.next_attempt_at)
                    LIMIT greatest(r.places, 0)
                ) d
            ) d
            ORDER BY d.turn, r.claimed_at NULLS FIRST, r.places DESC
            LIMIT $5
        ), turned AS (
            UPDATE circuits c SET claimed_at = $1 FROM room r
            WHERE c.subscription_id = r.subscription_id
                AND (r.places <= 0 OR r.subscription_id IN (SELECT subscription_id FROM due))
        )
        UPDATE deliveries d SET status = 'sending', lease_until = $3
        FROM due, subscriptions s
        WHERE d.delivery_id = due.delivery_id AND s.subscription_id = d.subscription_id
            AND d.ended_at IS NULL AND coalesce(d.lease_until, d.next_attempt_at) <= $1
        RETURNING d.delivery_id::text, d.subscription_id::text, d.organisation, d.test, d.replays > 0 AS replayed,
            d.event_id::text, d.event_type, d.case_id::text, d.need, d.body, d.traceparent, d.attempts, d.step,
            greatest(d.queued_at, {LET_IN_AT}) AS queued_at, d.lease_until, s.channel, s.url,
            s.secret AS sealed_secret
        """,  # noqa: S608 - constant pieces
        work.now,
        trusted,
        lease_until,
        subscriptions,
        limit,
    )
    return [Claimed(**dict(row)) for row in rows]


async def record_outcomes(work: Work, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Write attempts and where their notices stand now; answers those whose notices were still in hand.

    A holder who comes back after its lease went to somebody else changes nothing.
    """
    # unscoped: the clock acts for all organisations
    rows = await work.connection.fetch(
        """
        WITH tried AS (
            SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::smallint[], $5::smallint[],
                    $6::timestamptz[], $7::timestamptz[], $8::text[], $9::smallint[], $10::timestamptz[],
                    $11::integer[], $12::bytea[])
                AS t (delivery_id, lease_until, status, number, step, next_attempt_at, ended_at, trouble,
                    http_status, started_at, ms, response)
        ), settled AS (
            UPDATE deliveries d SET status = t.status, attempts = t.number, step = t.step,
                next_attempt_at = t.next_attempt_at, lease_until = NULL, ended_at = t.ended_at,
                trouble = t.trouble, http_status = t.http_status
            FROM tried t
            WHERE d.delivery_id = t.delivery_id AND d.status = 'sending' AND d.lease_until = t.lease_until
            RETURNING d.delivery_id, t.lease_until
        ), noted AS (
            INSERT INTO attempts (delivery_id, number, started_at, ms, status, trouble, response)
            SELECT t.delivery_id, t.number, t.started_at, t.ms, t.http_status, t.trouble, t.response
            FROM tried t JOIN settled USING (delivery_id, lease_until)
        )
        SELECT delivery_id::text, lease_until FROM settled
        """,
        [o.claimed.delivery_id for o in outcomes],
        [o.claimed.lease_until for o in outcomes],
        [o.status for o in outcomes],
        [o.number for o in outcomes],
        [o.step for o in outcomes],
        [o.next_attempt_at for o in outcomes],
        [o.ended_at for o in outcomes],
        [o.trouble for o in outcomes],
        [o.answer.status for o in outcomes],
        [o.answer.started_at for o in outcomes],
        [o.answer.ms for o in outcomes],
        [o.answer.response for o in outcomes],
    )
    settled = {(row["delivery_id"], row["lease_until"]) for row in rows}
    return [o for o in outcomes if (o.claimed.delivery_id, o.claimed.lease_until) in settled]


async def put_back(work: Work, claimed: Sequence[Claimed]) -> None:
    """Take claimed notices that are still in the claimer's hand out of it, as if they had not been claimed."""
    # unscoped: the clock acts for all organisations
    await work.connection.execute(
        """
        UPDATE deliveries d SET lease_until = NULL, status = CASE WHEN d.step = 0 THEN 'queued' ELSE 'retry_wait' END
        FROM unnest($1::uuid[], $2::timestamptz[]) AS c (delivery_id, lease_until)
        WHERE d.delivery_id = c.delivery_id AND d.status = 'sending' AND d.lease_until = c.lease_until
        """,
        [c.delivery_id for c in claimed],
        [c.lease_until for c in claimed],
    )


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
        WHERE d.delivery_id = $1 AND ($2::text IS NULL OR d.organisation = $2)
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
        WHERE d.subscription_id = $1 AND ($2::text IS NULL OR d.organisation = $2)
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
        WHERE d.delivery_id = $1 AND ($2::text IS NULL OR d.organisation = $2)
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
        FROM attempts a JOIN deliveries d USING (delivery_id)
        WHERE a.delivery_id = ANY($1::uuid[]) AND ($2::text IS NULL OR d.organisation = $2)
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
