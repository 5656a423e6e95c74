"""Subscriptions: made, changed, paused, resumed, ended by those they belong to."""

from collections.abc import Callable

from services.notify import policy, store
from services.notify.domain.refusals import NotAllowed, SubscriptionUnknown, TaskUnknown, TooManySubscriptions
from services.notify.domain.refusals import SubscriptionEnded as SubscriptionHasEnded
from services.notify.domain.subscriptions import EndpointRules, Filter, Subscription, endpoint
from shared.contracts import notify as facts
from shared.kit.ids import new_id
from shared.kit.work import Work

MOST_PER_ORGANISATION = 50


async def create_subscription(
    work: Work,
    *,
    name: str,
    url: str,
    wants: Filter,
    secret: str,
    seal: Callable[[str, str], bytes],
    rules: EndpointRules,
) -> str:
    """Make an active webhook subscription for the actor's organisation; answers its id.

    Raises `NotAllowed`, `EndpointRefused`, `TooManySubscriptions`.
    """
    if not policy.may_subscribe(work.actor):
        raise NotAllowed
    address = endpoint(url, rules)
    if await store.subscriptions.count_subscriptions(work) >= MOST_PER_ORGANISATION:
        raise TooManySubscriptions
    subscription_id = new_id()
    await store.subscriptions.add_subscription(
        work,
        subscription_id=subscription_id,
        name=name,
        channel="webhook",
        url=address,
        wants=wants,
        sealed_secret=seal(subscription_id, secret),
    )
    await work.as_service()  # how a server answers is the service's own bookkeeping, from the first row on
    await store.subscriptions.add_circuit(work, subscription_id)
    work.emit(facts.SubscriptionCreated(case_id=subscription_id, channel="webhook"))
    return subscription_id


async def change_subscription(
    work: Work, subscription_id: str, *, name: str, url: str, wants: Filter, rules: EndpointRules
) -> None:
    """Change name, address and filter. Raises `SubscriptionUnknown`, `SubscriptionEnded`, `EndpointRefused`."""
    address = endpoint(url, rules)
    await _locked(work, subscription_id)
    await store.subscriptions.change_subscription(work, subscription_id, name=name, url=address, wants=wants)
    work.emit(facts.SubscriptionChanged(case_id=subscription_id))


async def pause_subscription(work: Work, subscription_id: str) -> None:
    """Hold notices back, losing none. Pausing twice is pausing once."""
    subscription = await _locked(work, subscription_id)
    if subscription.status == "paused":
        return
    await store.subscriptions.mark_subscription(work, subscription_id, status="paused", paused_because="by_subscriber")
    work.emit(facts.SubscriptionPaused(case_id=subscription_id, reason="by_subscriber"))


async def resume_subscription(work: Work, subscription_id: str) -> None:
    """Let notices flow again, those held back first and with all their attempts. Resuming twice is resuming once."""
    subscription = await _locked(work, subscription_id)
    if subscription.status == "active":
        return
    await store.subscriptions.mark_subscription(work, subscription_id, status="active")
    await store.subscriptions.reset_circuit(work, subscription_id)
    await store.deliveries.restart_waiting(work, subscription_id)
    await store.tasks.close_tasks_of_subscription(work, subscription_id, kind="subscriber_gone", because="resumed")
    work.emit(facts.SubscriptionResumed(case_id=subscription_id))


async def end_subscription(work: Work, subscription_id: str) -> None:
    """End it for good; what still waits for it is suppressed by the clock, on the record."""
    await _locked(work, subscription_id)
    await store.subscriptions.mark_subscription(work, subscription_id, status="ended")
    for kind in ("dead_letter", "subscriber_gone"):
        await store.tasks.close_tasks_of_subscription(work, subscription_id, kind=kind, because="ended")
    work.emit(facts.SubscriptionEnded(case_id=subscription_id))


async def dismiss_task(work: Work, task_id: str) -> None:
    """Close a task without sending anything again. Raises `TaskUnknown`."""
    task = await store.tasks.close_task(work, task_id, scope=policy.scope(work.actor), because="dismissed")
    if task is None:
        raise TaskUnknown
    work.record(facts.TaskDismissed(case_id=task.subscription_id, task_id=task.task_id, delivery_id=task.delivery_id))


async def _locked(work: Work, subscription_id: str) -> Subscription:
    if not policy.may_look(work.actor):
        raise NotAllowed
    subscription = await store.subscriptions.lock_subscription(work, subscription_id, scope=policy.scope(work.actor))
    if subscription is None:
        raise SubscriptionUnknown
    if subscription.status == "ended":
        raise SubscriptionHasEnded
    return subscription
