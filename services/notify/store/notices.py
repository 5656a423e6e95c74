"""Statements that queue deliveries: who is told, and who has been told of what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.notify.domain import consents
from services.notify.domain.deliveries import Notice
from services.notify.store import stops
from shared.contracts.notify import QueuedNotice
from shared.kit.work import Work


@dataclass(frozen=True, slots=True)
class Told:
    """A subscription that has been sent something about a case, and what that was about."""

    subscription_id: str
    organisation: str
    need: str
    province: str


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


async def let_out(
    work: Work, organisations: Sequence[str], *, case_id: str, recipient_class: str, need: str, said_by: str
) -> list[QueuedNotice]:
    """Queue what was written down as not sent of facts from after this event, about a need or any (`*`).

    Ids of events come in the order of time. What is stopped or restricted all the same stays unsent.
    """
    # unscoped: the service itself has heard that these organisations may be told
    rows = await work.connection.fetch(
        f"""
        UPDATE deliveries d SET status = 'queued', queued_at = $6, next_attempt_at = $6, ended_at = NULL,
            suppressed_because = NULL
        WHERE d.case_id = $1 AND d.organisation = ANY($2) AND ($4 = '*' OR d.need = $4) AND d.event_id > $5
            AND d.suppressed_because = 'consent_withdrawn' AND d.attempts = 0
            AND {stops.STANDS.format(case="d.case_id", class_="$3", need="d.need")} IS NOT TRUE
            AND NOT EXISTS (SELECT FROM restricted_needs n WHERE n.case_id = d.case_id AND n.need = d.need)
        RETURNING d.delivery_id::text, d.subscription_id::text, d.event_id::text, d.event_type
        """,  # noqa: S608 - a constant piece
        case_id,
        organisations,
        recipient_class,
        need,
        said_by,
        work.now,
    )
    return [QueuedNotice(**dict(row)) for row in rows]


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
