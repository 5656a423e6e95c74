"""The form of a subscription, new or changed, and the secret that a new one is given."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

import orjson
from fastapi import Depends, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from services.notify import policy, store
from services.notify.actions import subscriptions
from services.notify.domain.refusals import EndpointRefused, SubscriptionEnded, SubscriptionUnknown
from services.notify.domain.subscriptions import EVENTS, LONGEST_NAME, EndpointRules, Filter, endpoint, is_visible
from services.notify.gateways import secrets
from services.notify.pages import labels
from shared.contracts import codes
from shared.contracts.fact import Id
from shared.kit import words
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import FieldProblem, idempotent, json_response, key_of, language_of, page, page_router, redirect
from shared.kit.words import Language, msg

router = page_router()

Subscriber = Annotated[Actor, Depends(require(*policy.SUBSCRIBERS))]

MATCHED_DAYS = 7
NAME_MISSING = (msg("Give the subscription a name."), msg("For example: Kupang duty desk."))
NAME_LONG = (msg("A name has at most 80 characters."), msg("Shorten it."))
NAME_UNSEEN = (msg("There are characters in it that cannot be seen."), msg("Type it by hand, without pasting."))
URL_MISSING = (msg("Give the address of your server."), msg("Write it like https://example.org/notices."))


@router.get("/langganan/baru")
async def new_subscription_page(request: Request, actor: Subscriber) -> Response:
    """The empty form of a subscription."""
    return await _form_page(request, actor, Draft())


@router.post("/langganan/baru")
async def post_new_subscription(request: Request, actor: Subscriber) -> Response:
    """Count what a filter would match, or make the subscription and show its secret this once."""
    form = await request.form()
    draft = Draft.of(form)
    if form.get("do") == "count":
        return await _form_page(request, actor, draft)
    if errors := draft.problems(language_of(request), request.app.state.endpoint_rules):
        return await _form_page(request, actor, draft, errors)
    key, state = await key_of(request), request.app.state
    async with state.database.work(actor, purpose="subscribe") as work:

        async def create() -> Response:
            created = await subscriptions.create_subscription(
                work,
                name=draft.name,
                url=draft.url,
                wants=draft.filter,
                secret=secrets.new_secret(),
                seal=state.seal.close,
                rules=state.endpoint_rules,
            )
            return json_response({"subscription_id": created})

        kept = await idempotent(request, work, key, create)
        subscription_id = orjson.loads(bytes(kept.body))["subscription_id"]
        sealed = await store.subscriptions.find_sealed_secret(work, subscription_id)
    secret = state.seal.open(subscription_id, sealed)
    return page(request, "secret.html", subscription_id=subscription_id, name=draft.name, secret=secret)


@router.get("/langganan/{subscription_id}/ubah")
async def change_subscription_page(request: Request, actor: Subscriber, subscription_id: Id) -> Response:
    """The form of a subscription that exists."""
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await store.subscriptions.find_overview(work, subscription_id, scope=actor.organisation, since=work.now)
    if found is None:
        raise SubscriptionUnknown
    one = found.subscription
    if one.status == "ended":
        raise SubscriptionEnded
    draft = Draft(
        one.name,
        one.url,
        tuple(sorted(one.filter.events)),
        tuple(sorted(one.filter.provinces)),
        tuple(sorted(one.filter.needs)),
    )
    return await _form_page(request, actor, draft, subscription_id=subscription_id)


@router.post("/langganan/{subscription_id}/ubah")
async def post_change(request: Request, actor: Subscriber, subscription_id: Id) -> Response:
    """Count what the filter would match, or change the subscription."""
    form = await request.form()
    draft = Draft.of(form)
    if form.get("do") == "count":
        return await _form_page(request, actor, draft, subscription_id=subscription_id)
    if errors := draft.problems(language_of(request), request.app.state.endpoint_rules):
        return await _form_page(request, actor, draft, errors, subscription_id=subscription_id)
    key = await key_of(request)
    async with request.app.state.database.work(actor, purpose="subscribe") as work:

        async def change() -> Response:
            await subscriptions.change_subscription(
                work,
                subscription_id,
                name=draft.name,
                url=draft.url,
                wants=draft.filter,
                rules=request.app.state.endpoint_rules,
            )
            return redirect(request, f"/langganan/{subscription_id}", said=msg("The subscription was changed."))

        return await idempotent(request, work, key, change)


@dataclass(frozen=True, slots=True)
class Draft:
    """A subscription as somebody is typing it."""

    name: str = ""
    url: str = ""
    events: tuple[str, ...] = ()
    provinces: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    @classmethod
    def of(cls, form: FormData) -> "Draft":
        def text(name: str) -> str:
            value = form.get(name)
            return value.strip() if isinstance(value, str) else ""

        def chosen(name: str, known: Any) -> tuple[str, ...]:
            return tuple(value for value in form.getlist(name) if isinstance(value, str) and value in known)

        return cls(
            " ".join(text("name")[: LONGEST_NAME * 4].split()),
            text("url")[:2000],
            chosen("events", EVENTS),
            chosen("provinces", codes.provinces()),
            chosen("needs", labels.open_needs()),
        )

    @property
    def filter(self) -> Filter:
        return Filter(frozenset(self.events), frozenset(self.provinces), frozenset(self.needs))

    def problems(self, language: Language, rules: EndpointRules) -> list[FieldProblem]:
        """What is wrong, all at once, and what to do about it."""
        found = []
        if not self.name:
            found.append(_problem(language, "name", NAME_MISSING))
        elif len(self.name) > LONGEST_NAME:
            found.append(_problem(language, "name", NAME_LONG))
        elif not is_visible(self.name):
            found.append(_problem(language, "name", NAME_UNSEEN))
        if not self.url:
            found.append(_problem(language, "url", URL_MISSING))
        else:
            try:
                endpoint(self.url, rules)
            except EndpointRefused as refused:
                found.append(_problem(language, "url", (policy.ENDPOINT_PROBLEMS[refused.part], "")))
        return found


def _problem(language: Language, field: str, told: tuple[str, str]) -> FieldProblem:
    message, remedy = told
    return FieldProblem(field, words.translate(language, message), words.translate(language, remedy))


async def _form_page(
    request: Request,
    actor: Actor,
    draft: Draft,
    errors: list[FieldProblem] | None = None,
    *,
    subscription_id: str | None = None,
) -> Response:
    async with request.app.state.database.work(actor, purpose="look") as work:
        matched = await store.heard.count_matching(work, draft.filter, since=work.now - timedelta(days=MATCHED_DAYS))
    language = language_of(request)
    return page(
        request,
        "subscription_form.html",
        422 if errors else 200,
        draft=draft,
        errors=errors or [],
        matched=matched,
        action=f"/langganan/{subscription_id}/ubah" if subscription_id else "/langganan/baru",
        back=f"/langganan/{subscription_id}" if subscription_id else "/",
        is_new=subscription_id is None,
        event_options=[(code, words.translate(language, labels.EVENTS[code])) for code in EVENTS],
        province_options=[(p.code, p.name_en if language == "en" else p.name) for p in codes.provinces().values()],
        need_options=[(code, labels.need(language, code)) for code in labels.open_needs()],
        restricted=[labels.need(language, code) for code, need in codes.needs().items() if need.restricted],
    )
