"""Subscriptions: made, looked at, changed, paused, resumed, ended."""

from datetime import timedelta
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from services.notify import policy, store
from services.notify.actions import subscriptions
from services.notify.api.filters import EventType, ProvinceCode
from services.notify.domain.refusals import EndpointRefused, SubscriptionUnknown
from services.notify.domain.subscriptions import EVENTS, LONGEST_NAME, Filter, is_visible
from services.notify.gateways import secrets
from shared.contracts import codes
from shared.contracts.fact import Id
from shared.kit import words
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import KEYED, FieldProblem, Invalid, idempotent, json_response, key_of, language_of
from shared.kit.words import msg

router = APIRouter(prefix="/api", tags=["notify"])

Subscriber = Annotated[Actor, Depends(require(*policy.SUBSCRIBERS))]
Reader = Annotated[Actor, Depends(require(*policy.READERS))]


def _visible(name: str) -> str:
    if not is_visible(name):
        raise ValueError(msg("There are characters in it that cannot be seen."))
    return name


Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME), AfterValidator(_visible)
]


class Wanted(BaseModel):
    """What to hear and where. An empty list means: all. Restricted needs are never sent, whatever is asked for."""

    model_config = ConfigDict(extra="forbid")

    name: Name
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
async def get_subscriptions(
    request: Request,
    actor: Reader,
    ended: bool = False,
    before: Id | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
) -> Response:
    """The organisation's subscriptions with their health; an operator sees all.

    With `ended`, those that have ended instead, last made first; `before` is the last id of the page before.
    """
    scope = policy.scope(actor)
    async with request.app.state.database.work(actor, purpose="look") as work:
        since = work.now - timedelta(days=1)
        if ended:
            found = await store.subscriptions.list_ended(work, scope=scope, since=since, before=before, limit=limit)
        else:
            found = await store.subscriptions.list_overviews(work, scope=scope, since=since, limit=limit)
    return json_response({"subscriptions": [_overview(actor, one) for one in found]})


@router.post("/subscriptions", status_code=201, openapi_extra=KEYED)
async def post_subscription(request: Request, actor: Subscriber, wanted: Wanted) -> Response:
    """Make a subscription. The answer has its signing secret, which is never shown again."""
    key = await key_of(request)
    state = request.app.state
    async with request.app.state.database.work(actor, purpose="subscribe") as work:

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
        # The same key finds it also when it has ended since.
        overview = await store.subscriptions.find_overview(
            work, subscription_id, scope=actor.organisation, since=work.now
        )
    assert overview is not None, "no answer is kept without its subscription"
    secret = state.seal.open(subscription_id, sealed)
    replayed = kept.headers.get("Idempotent-Replay")
    return json_response(
        {**_overview(actor, overview), "secret": secret}, 201, {"Idempotent-Replay": replayed} if replayed else None
    )


@router.get("/subscriptions/{subscription_id}")
async def get_subscription(request: Request, actor: Reader, subscription_id: Id) -> Response:
    """One subscription with its health, also when it has ended."""
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await store.subscriptions.find_overview(
            work, subscription_id, scope=policy.scope(actor), since=work.now - timedelta(days=1)
        )
    if found is None:
        raise SubscriptionUnknown
    return json_response(_overview(actor, found))


@router.put("/subscriptions/{subscription_id}", openapi_extra=KEYED)
async def put_subscription(request: Request, actor: Subscriber, subscription_id: Id, wanted: Wanted) -> Response:
    """Change name, address and filter."""
    key = await key_of(request)
    async with request.app.state.database.work(actor, purpose="subscribe") as work:

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
    async with request.app.state.database.work(actor, purpose="subscribe") as work:

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
    async with request.app.state.database.work(actor, purpose="subscribe") as work:

        async def end() -> Response:
            await subscriptions.end_subscription(work, subscription_id)
            return json_response({"subscription_id": subscription_id, "status": "ended"})

        return await idempotent(request, work, key, end)


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
        "ended_at": one.ended_at,
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
