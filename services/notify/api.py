"""JSON in, one action, JSON out: subscriptions, deliveries, tasks."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from services.notify import policy, store
from services.notify.actions import attempts, deliveries, subscriptions
from services.notify.domain.refusals import DeliveryUnknown, EndpointRefused, SubscriptionUnknown
from services.notify.domain.subscriptions import EVENTS, Filter
from services.notify.gateways import secrets
from shared.contracts import codes
from shared.contracts.fact import Id
from shared.kit import words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.identity import require
from shared.kit.web import KEYED, FieldProblem, Invalid, idempotent, json_response, key_of, language_of
from shared.kit.words import msg

router = APIRouter(prefix="/api", tags=["notify"])

Subscriber = Annotated[Actor, Depends(require(*policy.SUBSCRIBERS))]
Reader = Annotated[Actor, Depends(require(*policy.READERS))]

MATCHED_DAYS = 7

EventType = Literal[
    "referral.referral_opened.v1",
    "referral.assignment_sent.v1",
    "referral.assignment_acknowledged.v1",
    "referral.assignment_accepted.v1",
    "referral.assignment_declined.v1",
    "referral.assignment_expired.v1",
    "referral.service_started.v1",
    "referral.assignment_completed.v1",
    "referral.assignment_failed.v1",
    "referral.referral_fulfilled.v1",
    "referral.referral_escalated.v1",
    "referral.gap_opened.v1",
]


def _known_province(code: str) -> str:
    if code not in codes.provinces():
        raise ValueError(msg("There is no province with this code."))
    return code


ProvinceCode = Annotated[str, AfterValidator(_known_province)]
DeliveryStatus = Literal["queued", "sending", "retry_wait", "delivered", "dead_lettered", "suppressed", "expired"]


class Wanted(BaseModel):
    """What to hear and where. An empty list means: all. Restricted needs are never sent, whatever is asked for."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    channel: Literal["webhook"] = "webhook"
    url: Annotated[str, StringConstraints(strip_whitespace=True, min_length=8, max_length=1000)]
    events: list[EventType] = Field(default=[], max_length=len(EVENTS))
    provinces: list[ProvinceCode] = Field(default=[], max_length=60)
    needs: list[codes.NeedCode] = Field(default=[], max_length=18)

    @property
    def filter(self) -> Filter:
        return Filter(frozenset(self.events), frozenset(self.provinces), frozenset(self.needs))


class StatusWanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    status: Literal["active", "paused"]


@router.get("/subscriptions")
async def get_subscriptions(request: Request, actor: Reader) -> Response:
    """The organisation's subscriptions with their health; an operator sees all."""
    async with _database(request).work(actor, purpose="look") as work:
        found = await store.subscriptions.list_overviews(
            work, scope=policy.scope(actor), since=work.now - timedelta(days=1)
        )
    return json_response({"subscriptions": [_overview(actor, one) for one in found]})


@router.post("/subscriptions", status_code=201, openapi_extra=KEYED)
async def post_subscription(request: Request, actor: Subscriber, wanted: Wanted) -> Response:
    """Make a subscription. The answer has its signing secret, which is never shown again."""
    key = await key_of(request)
    state = request.app.state
    async with _database(request).work(actor, purpose="subscribe") as work:

        async def create() -> Response:
            try:
                created = await subscriptions.create_subscription(
                    work,
                    name=wanted.name,
                    url=wanted.url,
                    wants=wanted.filter,
                    secret=secrets.new_secret(),
                    seal=state.seal.close,
                    rules=state.endpoint_rules,
                )
            except EndpointRefused as refused:
                raise _at_fault(request, refused) from None
            return json_response({"subscription_id": created}, 201)

        # The kept answer has no secret in it; the same key gets it from the sealed column again.
        kept = await idempotent(request, work, key, create)
        subscription_id = orjson.loads(bytes(kept.body))["subscription_id"]
        sealed = await store.subscriptions.find_sealed_secret(work, subscription_id)
        [overview] = await store.subscriptions.list_overviews(
            work, scope=actor.organisation, since=work.now, subscription_id=subscription_id
        )
    secret = state.seal.open(subscription_id, sealed)
    replayed = kept.headers.get("Idempotent-Replay")
    return json_response(
        {**_overview(actor, overview), "secret": secret}, 201, {"Idempotent-Replay": replayed} if replayed else None
    )


@router.get("/subscriptions/{subscription_id}")
async def get_subscription(request: Request, actor: Reader, subscription_id: Id) -> Response:
    """One subscription with its health."""
    async with _database(request).work(actor, purpose="look") as work:
        found = await store.subscriptions.list_overviews(
            work,
            scope=policy.scope(actor),
            since=work.now - timedelta(days=1),
            subscription_id=subscription_id,
        )
    if not found:
        raise SubscriptionUnknown
    return json_response(_overview(actor, found[0]))


@router.put("/subscriptions/{subscription_id}", openapi_extra=KEYED)
async def put_subscription(request: Request, actor: Subscriber, subscription_id: Id, wanted: Wanted) -> Response:
    """Change name, address and filter."""
    key = await key_of(request)
    async with _database(request).work(actor, purpose="subscribe") as work:

        async def change() -> Response:
            try:
                await subscriptions.change_subscription(
                    work,
                    subscription_id,
                    name=wanted.name,
                    url=wanted.url,
                    wants=wanted.filter,
                    rules=request.app.state.endpoint_rules,
                )
            except EndpointRefused as refused:
                raise _at_fault(request, refused) from None
            return json_response({"subscription_id": subscription_id})

        return await idempotent(request, work, key, change)


@router.put("/subscriptions/{subscription_id}/status", openapi_extra=KEYED)
async def put_status(request: Request, actor: Reader, subscription_id: Id, wanted: StatusWanted) -> Response:
    """Pause (notices are kept and held back) or resume (those held back are sent first)."""
    key = await key_of(request)
    async with _database(request).work(actor, purpose="subscribe") as work:

        async def change() -> Response:
            if wanted.status == "paused":
                await subscriptions.pause_subscription(work, subscription_id)
            else:
                await subscriptions.resume_subscription(work, subscription_id)
            return json_response({"subscription_id": subscription_id, "status": wanted.status})

        return await idempotent(request, work, key, change)


@router.delete("/subscriptions/{subscription_id}", openapi_extra=KEYED)
async def delete_subscription(request: Request, actor: Subscriber, subscription_id: Id) -> Response:
    """End a subscription for good; what still waits for it is not sent."""
    key = await key_of(request)
    async with _database(request).work(actor, purpose="subscribe") as work:

        async def end() -> Response:
            await subscriptions.end_subscription(work, subscription_id)
            return json_response({"subscription_id": subscription_id, "status": "ended"})

        return await idempotent(request, work, key, end)


@router.post("/subscriptions/{subscription_id}/test")
async def post_test(request: Request, actor: Reader, subscription_id: Id) -> Response:
    """Send a test notice now, by real HTTP, once, and answer what came back."""
    state = request.app.state
    claimed, answer = await attempts.test_subscription(state.database, state.channels, actor, subscription_id)
    return json_response(
        {
            "delivery_id": claimed.delivery_id,
            "delivered": answer.trouble is None,
            "http_status": answer.status,
            "trouble": answer.trouble,
            "ms": answer.ms,
            "response": _text(answer.response) if policy.may_read_answers(actor, claimed.organisation) else None,
        }
    )


@router.get("/matches")
async def get_matches(
    request: Request,
    actor: Reader,
    events: Annotated[list[EventType], Query()] = [],  # noqa: B006 - FastAPI copies defaults
    provinces: Annotated[list[ProvinceCode], Query()] = [],  # noqa: B006
    needs: Annotated[list[codes.NeedCode], Query()] = [],  # noqa: B006
) -> Response:
    """How many facts of the last seven days a filter would have let through."""
    wants = Filter(frozenset(events), frozenset(provinces), frozenset(needs))
    async with _database(request).work(actor, purpose="look") as work:
        matched = await store.heard.count_matching(work, wants, since=work.now - timedelta(days=MATCHED_DAYS))
    return json_response({"matched": matched, "days": MATCHED_DAYS})


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
    async with _database(request).work(actor, purpose="look") as work:
        if not await store.subscriptions.list_overviews(
            work, scope=scope, since=work.now, subscription_id=subscription_id
        ):
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
    async with _database(request).work(actor, purpose="look") as work:
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
    async with _database(request).work(actor, purpose="replay") as work:

        async def replay() -> Response:
            row = await deliveries.replay_delivery(work, delivery_id)
            return json_response({"delivery_id": row.delivery_id, "status": row.status}, 202)

        return await idempotent(request, work, key, replay)


@router.get("/tasks")
async def get_tasks(
    request: Request, actor: Reader, after: Id | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> Response:
    """Open tasks, oldest first: notices whose attempts ended, subscribers that are gone."""
    scope = policy.scope(actor)
    async with _database(request).work(actor, purpose="look") as work:
        tasks = await store.tasks.list_tasks(work, scope=scope, after=after, limit=limit)
        total = await store.tasks.count_tasks(work, scope=scope)
    return json_response({"open": total, "tasks": tasks})


@router.delete("/tasks/{task_id}", openapi_extra=KEYED)
async def delete_task(request: Request, actor: Reader, task_id: Id) -> Response:
    """Close a task without sending anything again."""
    key = await key_of(request)
    async with _database(request).work(actor, purpose="dismiss") as work:

        async def dismiss() -> Response:
            await subscriptions.dismiss_task(work, task_id)
            return json_response({"task_id": task_id, "status": "dismissed"})

        return await idempotent(request, work, key, dismiss)


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _at_fault(request: Request, refused: EndpointRefused) -> Invalid:
    sentence = policy.ENDPOINT_PROBLEMS[refused.part]
    return Invalid([FieldProblem("/url", words.translate(language_of(request), sentence))])


def _overview(actor: Actor, overview: store.subscriptions.Overview) -> dict[str, Any]:
    one, circuit = overview.subscription, overview.circuit
    return {
        "subscription_id": one.subscription_id,
        "organisation": one.organisation,
        "name": one.name,
        "channel": one.channel,
        "url": one.url if policy.may_read_answers(actor, one.organisation) else None,
        "events": one.filter.events,
        "provinces": one.filter.provinces,
        "needs": one.filter.needs,
        "status": one.status,
        "paused_because": one.paused_because,
        "created_at": one.created_at,
        "health": {
            "waiting": overview.waiting,
            "delivered": circuit.delivered,
            "failed_attempts": circuit.failed,
            "consecutive_failures": circuit.consecutive_failures,
            "next_probe_at": circuit.open_until,
            "last_delivered_at": circuit.last_delivered_at,
            "last_failed_at": circuit.last_failed_at,
            "last_trouble": circuit.last_trouble,
            "last_http_status": circuit.last_status,
        },
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
