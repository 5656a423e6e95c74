"""Deliveries with their attempts; tests and replays."""

from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response

from services.notify import policy, store
from services.notify.actions import attempts, deliveries
from services.notify.api.filters import EventType
from services.notify.domain.deliveries import Claimed
from services.notify.domain.refusals import DeliveryUnknown, SubscriptionUnknown
from shared.contracts.fact import Id
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import KEYED, idempotent, json_response, key_of

router = APIRouter(prefix="/api", tags=["notify"])

Reader = Annotated[Actor, Depends(require(*policy.READERS))]

DeliveryStatus = Literal["queued", "sending", "retry_wait", "delivered", "dead_lettered", "suppressed", "expired"]


@router.get("/subscriptions/{subscription_id}/deliveries")
async def get_deliveries(
    request: Request,
    actor: Reader,
    subscription_id: Id,
    status: Annotated[list[DeliveryStatus], Query()] = [],  # noqa: B006 - FastAPI copies defaults
    event: EventType | None = None,
    before: Id | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Response:
    """Deliveries of a subscription with their attempts, newest first; `before` is the last id of the page before."""
    scope = policy.scope(actor)
    async with request.app.state.database.work(actor, purpose="look") as work:
        if not await store.subscriptions.find_overview(work, subscription_id, scope=scope, since=work.now):
            raise SubscriptionUnknown
        rows = await store.deliveries.list_deliveries(
            work,
            scope=scope,
            subscription_id=subscription_id,
            statuses=status,
            event_type=event,
            before=before,
            limit=limit,
        )
        tried = await store.deliveries.list_attempts(work, [row.delivery_id for row in rows], scope=scope)
    return json_response({"deliveries": [_delivery(actor, row, tried.get(row.delivery_id, [])) for row in rows]})


@router.get("/deliveries/{delivery_id}")
async def get_delivery(request: Request, actor: Reader, delivery_id: Id) -> Response:
    """One delivery: the body as it was sent, and each attempt with what came back."""
    scope = policy.scope(actor)
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await store.deliveries.find_delivery(work, delivery_id, scope=scope)
        tried = await store.deliveries.list_attempts(work, [delivery_id], scope=scope)
    if found is None:
        raise DeliveryUnknown
    row, body = found
    return json_response({**_delivery(actor, row, tried.get(delivery_id, [])), "body": body.decode()})


@router.post("/deliveries/{delivery_id}/replay", status_code=202, openapi_extra=KEYED)
async def post_replay(request: Request, actor: Reader, delivery_id: Id) -> Response:
    """Send an ended notice again, under the same webhook id."""
    key = await key_of(request)
    async with request.app.state.database.work(actor, purpose="replay") as work:

        async def replay() -> Response:
            row = await deliveries.replay_delivery(work, delivery_id)
            return json_response({"delivery_id": row.delivery_id, "status": row.status}, 202)

        return await idempotent(request, work, key, replay)


@router.post("/subscriptions/{subscription_id}/test", openapi_extra=KEYED)
async def post_test(request: Request, actor: Reader, subscription_id: Id) -> Response:
    """Send a test notice now, by real HTTP, once, and answer what came back.

    `delivered` is null while an earlier request with the same key still waits for the subscriber's server.
    """
    key, state = await key_of(request), request.app.state
    begun: list[Claimed] = []
    async with state.database.work(actor, purpose="test") as work:

        async def begin() -> Response:
            begun.append(await deliveries.begin_test(work, subscription_id))
            return json_response({"delivery_id": begun[0].delivery_id})

        kept = await idempotent(request, work, key, begin)
    if begun:
        await attempts.finish_test(state.database, state.channels, actor, begun[0])
    delivery_id: str = orjson.loads(bytes(kept.body))["delivery_id"]
    replayed = kept.headers.get("Idempotent-Replay")
    return json_response(
        await _tested(request, actor, delivery_id), headers={"Idempotent-Replay": replayed} if replayed else None
    )


async def _tested(request: Request, actor: Actor, delivery_id: str) -> dict[str, Any]:
    scope = policy.scope(actor)
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await store.deliveries.find_delivery(work, delivery_id, scope=scope)
        tried = await store.deliveries.list_attempts(work, [delivery_id], scope=scope)
    if found is None:
        raise DeliveryUnknown
    row, _ = found
    last = next(reversed(tried.get(delivery_id, [])), None)
    return {
        "delivery_id": delivery_id,
        "delivered": None if row.ended_at is None else row.status == "delivered",
        "http_status": row.http_status,
        "trouble": row.trouble,
        "ms": last.ms if last else None,
        "response": _text(last.response) if last and policy.may_read_answers(actor, row.organisation) else None,
    }


def _delivery(actor: Actor, row: store.deliveries.Row, tried: list[store.deliveries.Attempt]) -> dict[str, Any]:
    readable = policy.may_read_answers(actor, row.organisation)
    return {
        "delivery_id": row.delivery_id,
        "webhook_id": row.delivery_id,
        "subscription_id": row.subscription_id,
        "test": row.test,
        "event_id": row.event_id,
        "event_type": row.event_type,
        "case_id": row.case_id,
        "need": row.need,
        "province": row.province,
        "status": row.status,
        "replays": row.replays,
        "created_at": row.created_at,
        "next_attempt_at": row.next_attempt_at,
        "ended_at": row.ended_at,
        "trouble": row.trouble,
        "http_status": row.http_status,
        "suppressed_because": row.suppressed_because,
        "attempts": [_attempt(one, readable=readable) for one in tried],
    }


def _attempt(one: store.deliveries.Attempt, *, readable: bool) -> dict[str, datetime | int | str | None]:
    return {
        "number": one.number,
        "started_at": one.started_at,
        "ms": one.ms,
        "http_status": one.status,
        "trouble": one.trouble,
        "response": _text(one.response) if readable else None,
    }


def _text(response: bytes) -> str:
    return response.decode("utf-8", "replace").replace("\x00", "�")
