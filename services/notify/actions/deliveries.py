"""Notices in hand: claimed, settled after an attempt, given up, replayed by a person."""

import random
from collections.abc import Sequence
from datetime import timedelta

from services.notify import policy, store
from services.notify.domain import circuits, consents, deliveries
from services.notify.domain.deliveries import Answer, Claimed, Outcome
from services.notify.domain.refusals import (
    ConsentWithdrawn,
    DeliveryStillWaiting,
    DeliveryUnknown,
    NotToldAnyMore,
    SubscriptionUnknown,
)
from services.notify.domain.refusals import SubscriptionEnded as SubscriptionHasEnded
from shared.contracts.notify import (
    NoticeDeadLettered,
    NoticeDelivered,
    NoticeFailed,
    NoticeReplayed,
    NoticeSuppressed,
    SubscriptionPaused,
    SubscriptionTested,
)
from shared.kit.ids import new_id
from shared.kit.work import Work

AT_ONCE = 500
SWEPT_FOR = timedelta(hours=1)
"""How long after a case was stopped waiting notices are looked for, longer than anything that was in hand then."""


def chance() -> float:
    """A number between -1 and 1 that moves a pause; no secret hangs on it."""
    return random.uniform(-1, 1)  # noqa: S311


async def claim_deliveries(work: Work, *, trusted: bool, subscriptions: int, limit: int) -> list[Claimed]:
    """Take notices that are due into the hand, a turn for each subscription, until their lease ends."""
    return await store.claims.claim_due(
        work, trusted=trusted, lease_until=work.now + deliveries.LEASE, subscriptions=subscriptions, limit=limit
    )


async def settle_deliveries(work: Work, tried: Sequence[tuple[Claimed, Answer]]) -> None:
    """Record attempts, and move their notices, circuits and tasks on. One row each, one statement per table."""
    await work.lock_cases(claimed.case_id for claimed, _ in tried)
    by_subscription: dict[str, list[Answer]] = {}
    for claimed, answer in tried:
        if not claimed.test and not claimed.replayed:
            by_subscription.setdefault(claimed.subscription_id, []).append(answer)
    if by_subscription:
        known = await store.subscriptions.lock_circuits(work, list(by_subscription))
        await store.subscriptions.mark_circuits(
            work, [circuits.after(known[id_], answers, now=work.now) for id_, answers in by_subscription.items()]
        )
    outcomes = [deliveries.after(claimed, answer, now=work.now, chance=chance()) for claimed, answer in tried]
    outcomes = await store.claims.record_outcomes(work, outcomes)
    dead = [o for o in outcomes if o.status == "dead_lettered"]
    if dead:
        await store.tasks.open_tasks(
            work,
            kind="dead_letter",
            about=[(o.claimed.organisation, o.claimed.subscription_id, o.claimed.delivery_id) for o in dead],
        )
    gone = {o.claimed.subscription_id: o.claimed.organisation for o in outcomes if o.gone}
    if gone:
        for subscription_id in await store.subscriptions.pause_gone(work, list(gone)):
            work.emit(SubscriptionPaused(case_id=subscription_id, reason="gone"))
        await store.tasks.open_tasks(
            work, kind="subscriber_gone", about=[(organisation, id_, None) for id_, organisation in gone.items()]
        )
    for outcome in outcomes:
        _tell(work, outcome)


async def put_back_deliveries(work: Work, claimed: Sequence[Claimed]) -> None:
    """Give back unsent what is in the caller's hand; it is due as it was before the claim."""
    await store.claims.put_back(work, claimed)


async def give_up_deliveries(work: Work) -> int:
    """Hand notices that waited too long behind a dead server to a person; answers how many."""
    rows = await store.deliveries.give_up_waiting(work, queued_before=work.now - deliveries.GIVE_UP, limit=AT_ONCE)
    if rows:
        await store.tasks.open_tasks(
            work, kind="dead_letter", about=[(r.organisation, r.subscription_id, r.delivery_id) for r in rows]
        )
    for row in rows:
        work.emit(
            NoticeDeadLettered.model_validate(
                {
                    "case_id": row.case_id,
                    "delivery_id": row.delivery_id,
                    "subscription_id": row.subscription_id,
                    "attempt": row.attempts,
                    "trouble": row.trouble,
                    "status": row.http_status,
                }
            )
        )
    return len(rows)


async def suppress_deliveries(work: Work) -> int:
    """End what waits for subscriptions that were ended, or of cases that are not to be told any more; how many."""
    rows = await store.deliveries.suppress_ended(work, limit=AT_ONCE)
    _tell_suppressed(work, rows)
    return len(rows) + await suppress_stopped(work) + await suppress_restricted(work)


async def suppress_stopped(work: Work, *, ever: bool = False) -> int:
    """End what waits of cases that a person does not let be told any more, lately or `ever`; answers how many."""
    listening = await store.subscriptions.list_organisations(work)
    rows = await store.deliveries.suppress_stopped(
        work, *consents.by_class(listening), since=None if ever else work.now - SWEPT_FOR, limit=AT_ONCE
    )
    _tell_suppressed(work, rows)
    return len(rows)


async def suppress_restricted(work: Work, *, ever: bool = False) -> int:
    """End what waits about needs that the case team alone may know, lately or `ever`; answers how many."""
    rows = await store.deliveries.suppress_restricted(work, since=None if ever else work.now - SWEPT_FOR, limit=AT_ONCE)
    _tell_suppressed(work, rows)
    return len(rows)


def _tell_suppressed(work: Work, rows: Sequence[store.deliveries.Row]) -> None:
    """Say of each notice that it was ended unsent, and why."""
    for row in rows:
        work.record(
            NoticeSuppressed.model_validate(
                {
                    "case_id": row.case_id,
                    "delivery_id": row.delivery_id,
                    "subscription_id": row.subscription_id,
                    "reason": row.suppressed_because,
                }
            )
        )


async def replay_delivery(work: Work, delivery_id: str) -> store.deliveries.Row:
    """Put one ended notice back into the queue under its old id.

    Raises `DeliveryUnknown`, `DeliveryStillWaiting`, `SubscriptionEnded`, `ConsentWithdrawn`, `NotToldAnyMore`.
    """
    row = await store.deliveries.lock_delivery(work, delivery_id, scope=policy.scope(work.actor))
    if row is None:
        raise DeliveryUnknown
    if row.ended_at is None:
        raise DeliveryStillWaiting
    subscription = await store.subscriptions.lock_subscription(
        work, row.subscription_id, scope=policy.scope(work.actor)
    )
    if subscription is None or subscription.status == "ended":
        raise SubscriptionHasEnded
    if row.need is not None and row.event_type not in consents.TOLD_ANYHOW:
        await work.as_service()  # what persons have said is the service's; the notice has been found as the actor's own
        if await store.stops.is_stopped(work, row.case_id, consents.recipient_class(row.organisation), row.need):
            raise ConsentWithdrawn
        if await store.restrictions.is_restricted(work, row.case_id, row.need):
            raise NotToldAnyMore
    [queued] = await store.deliveries.requeue(work, [delivery_id])
    await store.tasks.close_tasks_of_deliveries(work, [delivery_id], because="replayed")
    work.emit(NoticeReplayed(case_id=row.case_id, delivery_id=row.delivery_id, subscription_id=row.subscription_id))
    return queued


async def begin_test(work: Work, subscription_id: str) -> Claimed:
    """Put a test notice into the hand of the caller, who sends it after the commit.

    Raises `SubscriptionUnknown`, `SubscriptionEnded`.
    """
    subscription = await store.subscriptions.lock_subscription(work, subscription_id, scope=policy.scope(work.actor))
    if subscription is None:
        raise SubscriptionUnknown
    if subscription.status == "ended":
        raise SubscriptionHasEnded
    delivery_id, event_id = new_id(), new_id()
    claimed = Claimed(
        delivery_id=delivery_id,
        subscription_id=subscription_id,
        organisation=subscription.organisation,
        test=True,
        replayed=False,
        event_id=event_id,
        event_type=deliveries.TEST_EVENT,
        case_id=subscription_id,
        need=None,
        body=deliveries.test_body(event_id=event_id, subscription_id=subscription_id, now=work.now),
        traceparent=None,
        attempts=0,
        step=0,
        queued_at=work.now,
        lease_until=work.now + deliveries.LEASE,
        channel=subscription.channel,
        url=subscription.url,
        sealed_secret=await store.subscriptions.find_sealed_secret(work, subscription_id),
    )
    await work.as_service()  # notices are queued by the service alone
    await store.notices.add_test(
        work,
        delivery_id=delivery_id,
        subscription_id=subscription_id,
        organisation=subscription.organisation,
        event_id=event_id,
        event_type=deliveries.TEST_EVENT,
        body=claimed.body,
        lease_until=claimed.lease_until,
    )
    return claimed


def _tell(work: Work, outcome: Outcome) -> None:
    """Say what an attempt came to."""
    claimed, answer = outcome.claimed, outcome.answer
    if claimed.test:
        work.record(
            SubscriptionTested(
                case_id=claimed.subscription_id,
                delivery_id=claimed.delivery_id,
                trouble=outcome.trouble,
                status=answer.status,
            )
        )
        return
    ids = {
        "case_id": claimed.case_id,
        "delivery_id": claimed.delivery_id,
        "subscription_id": claimed.subscription_id,
    }
    if outcome.trouble is None:
        assert answer.status is not None
        work.emit(NoticeDelivered(**ids, attempt=outcome.number, status=answer.status))
    elif outcome.next_attempt_at is None:
        work.emit(NoticeDeadLettered(**ids, attempt=outcome.number, trouble=outcome.trouble, status=answer.status))
    else:
        work.record(
            NoticeFailed(
                **ids,
                attempt=outcome.number,
                trouble=outcome.trouble,
                status=answer.status,
                next_attempt_at=outcome.next_attempt_at,
            )
        )
