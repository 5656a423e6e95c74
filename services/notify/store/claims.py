"""Statements on deliveries in hand: claimed when they are due, settled after an attempt, or put back."""

from collections.abc import Sequence
from datetime import datetime

from services.notify.domain.deliveries import Claimed, Outcome
from services.notify.store.accesses import IS_KEPT_OUT, LET_IN_AT
from shared.kit.work import Work


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
