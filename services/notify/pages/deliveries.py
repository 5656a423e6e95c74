"""One notice on its way: what is sent, each attempt and what came back; tests and replays."""

from typing import Annotated

import orjson
from fastapi import Depends, Request
from starlette.responses import Response

from services.notify import policy, store
from services.notify.actions import attempts, deliveries
from services.notify.domain.deliveries import Claimed
from services.notify.domain.refusals import DeliveryUnknown
from services.notify.pages import labels
from shared.contracts.fact import Id
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import idempotent, key_of, page, page_router, redirect
from shared.kit.words import msg

router = page_router()

Reader = Annotated[Actor, Depends(require(*policy.READERS))]


@router.get("/pengiriman/{delivery_id}")
async def delivery_page(request: Request, actor: Reader, delivery_id: Id) -> Response:
    """One delivery: what is sent, each attempt, what came back."""
    scope = policy.scope(actor)
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await store.deliveries.find_delivery(work, delivery_id, scope=scope)
        if found is None:
            raise DeliveryUnknown
        row, body = found
        tried = (await store.deliveries.list_attempts(work, [delivery_id], scope=scope)).get(delivery_id, [])
        overview = await store.subscriptions.find_overview(work, row.subscription_id, scope=scope, since=work.now)
        now = work.now
    owner = policy.may_read_answers(actor, row.organisation)
    assert overview is not None, "no delivery without its subscription"
    one = overview.subscription
    return page(
        request,
        "delivery.html",
        row=row,
        one=one,
        headers=_headers(row, tried),
        body=orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode(),
        attempts=[{"one": attempt, "response": _text(attempt.response)} for attempt in tried],
        owner=owner,
        curl=_curl(one.url if owner else "https://…", body),
        event_labels=labels.EVENTS,
        status_labels=labels.STATUSES,
        trouble_labels=labels.TROUBLES,
        why_not_sent=labels.SUPPRESSED.get(row.suppressed_because or ""),
        zone=policy.zone(actor),
        now=now,
    )


@router.post("/pengiriman/{delivery_id}/kirim-ulang")
async def post_replay(request: Request, actor: Reader, delivery_id: Id) -> Response:
    """Send an ended notice again."""
    key = await key_of(request)
    async with request.app.state.database.work(actor, purpose="replay") as work:

        async def replay() -> Response:
            await deliveries.replay_delivery(work, delivery_id)
            return redirect(request, f"/pengiriman/{delivery_id}", said=msg("Queued again, under the same webhook id."))

        return await idempotent(request, work, key, replay)


@router.post("/langganan/{subscription_id}/uji")
async def post_test(request: Request, actor: Reader, subscription_id: Id) -> Response:
    """Send a test notice and go to what came back; a second press of the button goes there and sends nothing."""
    key, state = await key_of(request), request.app.state
    begun: list[Claimed] = []
    async with state.database.work(actor, purpose="test") as work:

        async def begin() -> Response:
            begun.append(await deliveries.begin_test(work, subscription_id))
            return redirect(request, f"/pengiriman/{begun[0].delivery_id}")

        kept = await idempotent(request, work, key, begin)
    if not begun:
        return kept
    answer = await attempts.finish_test(state.database, state.channels, actor, begun[0])
    said = msg("The test notice did not arrive.") if answer.trouble else msg("Your server took the test notice.")
    return redirect(request, f"/pengiriman/{begun[0].delivery_id}", said=said)


def _headers(row: store.deliveries.Row, tried: list[store.deliveries.Attempt]) -> str:
    """The headers of the last attempt as they were sent; the signature stays between server and server."""
    sent = str(int(tried[-1].started_at.timestamp())) if tried else "…"
    return "\n".join(
        (
            "POST",
            "content-type: application/json",
            "user-agent: Rujukan-Webhook/1",
            f"webhook-id: {row.delivery_id}",
            f"webhook-timestamp: {sent}",
            "webhook-signature: v1,…",
        )
    )


def _curl(url: str, body: bytes) -> str:
    """A line that sends the same body by hand, unsigned."""
    quoted = body.decode().replace("'", "'\\''")
    address = url.replace("'", "%27")
    return f"curl -i '{address}' \\\n  -H 'content-type: application/json' \\\n  --data-raw '{quoted}'"


def _text(response: bytes) -> str:
    return response.decode("utf-8", "replace").replace("\x00", "�")
