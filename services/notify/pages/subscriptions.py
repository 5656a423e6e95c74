"""Subscriptions: all of them with how they are doing, and one with its delivery log."""

from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from services.notify import policy, store
from services.notify.actions import subscriptions
from services.notify.domain.refusals import SubscriptionUnknown
from services.notify.pages import labels
from shared.contracts.fact import Id
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import idempotent, key_of, language_of, page, page_router, redirect
from shared.kit.words import msg

router = page_router()

Subscriber = Annotated[Actor, Depends(require(*policy.SUBSCRIBERS))]
Reader = Annotated[Actor, Depends(require(*policy.READERS))]

LOG_TABS = {
    "": (msg("All"), ()),
    "terkirim": (msg("Delivered"), ("delivered",)),
    "menunggu": (msg("Waiting to be sent"), ("queued", "sending", "retry_wait")),
    "gagal": (msg("Failed"), ("dead_lettered", "expired")),
}


@router.get("/")
async def subscriptions_page(request: Request, actor: Reader, before: Id | None = None) -> Response:
    """All subscriptions of the organisation with how they are doing, and those that have ended."""
    scope = policy.scope(actor)
    async with request.app.state.database.work(actor, purpose="look") as work:
        since = work.now - timedelta(days=1)
        found = await store.subscriptions.list_overviews(work, scope=scope, since=since)
        ended = await store.subscriptions.list_ended(
            work, scope=scope, since=since, before=before, limit=labels.PAGE_ROWS + 1
        )
        tasks = await store.tasks.count_tasks(work, scope=scope)
        now = work.now
    language = language_of(request)
    cards = [
        {
            "one": one.subscription,
            "circuit": one.circuit,
            "health": one,
            "wants": labels.in_words(language, one.subscription.filter),
            "state": labels.state(one),
        }
        for one in found
    ]
    shown = [one.subscription for one in ended[: labels.PAGE_ROWS]]
    return page(
        request,
        "subscriptions.html",
        cards=cards,
        ended=shown,
        older=labels.link("/", before=shown[-1].subscription_id) if ended[labels.PAGE_ROWS :] else "",
        tasks=tasks,
        may_subscribe=policy.may_subscribe(actor),
        all_organisations=scope is None,
        zone=policy.zone(actor),
        now=now,
        trouble_labels=labels.TROUBLES,
    )


@router.get("/langganan/{subscription_id}")
async def subscription_page(request: Request, actor: Reader, subscription_id: Id, before: Id | None = None) -> Response:
    """One subscription: health, filter, delivery log."""
    tab = request.query_params.get("status", "")
    tab = tab if tab in LOG_TABS else ""
    event = request.query_params.get("event") or None
    event = event if event in labels.EVENTS else None
    async with request.app.state.database.work(actor, purpose="look") as work:
        overview = await store.subscriptions.find_overview(
            work, subscription_id, scope=policy.scope(actor), since=work.now - timedelta(days=1)
        )
        if overview is None:
            raise SubscriptionUnknown
        rows = await store.deliveries.list_deliveries(
            work,
            scope=policy.scope(actor),
            subscription_id=subscription_id,
            statuses=LOG_TABS[tab][1],
            event_type=event,
            before=before,
            limit=labels.PAGE_ROWS + 1,
        )
        now = work.now
    language = language_of(request)
    more = rows[labels.PAGE_ROWS :]
    rows = rows[: labels.PAGE_ROWS]
    path = f"/langganan/{subscription_id}"
    return page(
        request,
        "subscription.html",
        one=overview.subscription,
        circuit=overview.circuit,
        health=overview,
        state=labels.state(overview),
        wants=labels.in_words(language, overview.subscription.filter),
        rows=rows,
        older=labels.link(path, status=tab, event=event or "", before=rows[-1].delivery_id) if more else "",
        tabs=[
            (label, labels.link(path, status=code, event=event or ""), code == tab)
            for code, (label, _) in LOG_TABS.items()
        ],
        tab=tab,
        event=event or "",
        event_labels=labels.EVENTS,
        status_labels=labels.STATUSES,
        trouble_labels=labels.TROUBLES,
        pause_labels=labels.PAUSES,
        owner=policy.may_read_answers(actor, overview.subscription.organisation),
        zone=policy.zone(actor),
        now=now,
    )


@router.post("/langganan/{subscription_id}/jeda")
async def post_pause(request: Request, actor: Reader, subscription_id: Id) -> Response:
    """Pause a subscription."""
    key = await key_of(request)
    async with request.app.state.database.work(actor, purpose="subscribe") as work:

        async def pause() -> Response:
            await subscriptions.pause_subscription(work, subscription_id)
            return redirect(
                request, f"/langganan/{subscription_id}", said=msg("Paused. Notices are kept until you resume.")
            )

        return await idempotent(request, work, key, pause)


@router.post("/langganan/{subscription_id}/lanjut")
async def post_resume(request: Request, actor: Reader, subscription_id: Id) -> Response:
    """Resume a paused subscription."""
    key = await key_of(request)
    async with request.app.state.database.work(actor, purpose="subscribe") as work:

        async def resume() -> Response:
            await subscriptions.resume_subscription(work, subscription_id)
            return redirect(
                request, f"/langganan/{subscription_id}", said=msg("Resumed. What was held back is being sent.")
            )

        return await idempotent(request, work, key, resume)


@router.post("/langganan/{subscription_id}/akhiri")
async def post_end(request: Request, actor: Subscriber, subscription_id: Id) -> Response:
    """End a subscription for good."""
    key = await key_of(request)
    async with request.app.state.database.work(actor, purpose="subscribe") as work:

        async def end() -> Response:
            await subscriptions.end_subscription(work, subscription_id)
            return redirect(request, "/", said=msg("The subscription was ended."))

        return await idempotent(request, work, key, end)
