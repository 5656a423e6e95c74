"""HTML in and out: subscriptions, their delivery logs, and the tasks that notices have become."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
from fastapi import Depends, Request
from starlette.datastructures import FormData
from starlette.responses import Response

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
from shared.kit.web import FieldProblem, idempotent, json_response, key_of, language_of, page, page_router, redirect
from shared.kit.words import Language, msg

router = page_router()

Subscriber = Annotated[Actor, Depends(require(*policy.SUBSCRIBERS))]
Reader = Annotated[Actor, Depends(require(*policy.READERS))]

ZONE = "Asia/Jakarta"
"""Subscribers sit in all three zones; their pages show Western Indonesian Time and say so."""
MATCHED_DAYS = 7
PAGE_ROWS = 50
LONGEST_NAME = 80

EVENT_LABELS = {
    "referral.referral_opened.v1": msg("Referral opened"),
    "referral.assignment_sent.v1": msg("Agency asked"),
    "referral.assignment_acknowledged.v1": msg("Opened by the agency"),
    "referral.assignment_accepted.v1": msg("Accepted by the agency"),
    "referral.assignment_declined.v1": msg("Declined by the agency"),
    "referral.assignment_expired.v1": msg("No answer in time"),
    "referral.service_started.v1": msg("Help begun"),
    "referral.assignment_completed.v1": msg("Help given and handed over"),
    "referral.assignment_failed.v1": msg("Help did not come about"),
    "referral.referral_fulfilled.v1": msg("Need met"),
    "referral.referral_escalated.v1": msg("Supervisor called in"),
    "referral.gap_opened.v1": msg("Nobody can serve the need"),
    "notify.test.v1": msg("Test"),
}
STATUS_LABELS = {
    "queued": (msg("waiting"), "info"),
    "sending": (msg("being sent"), "info"),
    "retry_wait": (msg("will be tried again"), "warn"),
    "delivered": (msg("delivered"), "ok"),
    "dead_lettered": (msg("given up"), "bad"),
    "suppressed": (msg("not sent"), "neutral"),
    "expired": (msg("test failed"), "bad"),
}
LOG_TABS = {
    "": (msg("All"), ()),
    "terkirim": (msg("Delivered"), ("delivered",)),
    "menunggu": (msg("Waiting to be sent"), ("queued", "sending", "retry_wait")),
    "gagal": (msg("Failed"), ("dead_lettered", "expired")),
}
TROUBLE_LABELS = {
    "timeout": msg("The server did not answer in 10 seconds."),
    "connection": msg("The server could not be reached: no such name, connection refused or broken off."),
    "tls": msg("The server's certificate is not valid, or it speaks no TLS."),
    "address_refused": msg("The name leads to an address that is not on the open internet. Nothing was sent."),
    "redirect": msg("The server answered with a redirect. Redirects are not followed: give the final address."),
    "client_error": msg("The server refused the notice. It is not sent again until somebody replays it."),
    "server_error": msg("The server reported an error of its own."),
    "throttled": msg("The server asked to be called less often."),
}
PAUSE_LABELS = {
    "by_subscriber": msg("Paused by your organisation. Notices are kept and sent when you resume."),
    "gone": msg("Paused because your server answered 410 Gone. Notices are kept and sent when you resume."),
}


@router.get("/")
async def subscriptions_page(request: Request, actor: Reader) -> Response:
    """All subscriptions of the organisation with how they are doing."""
    async with _database(request).work(actor, purpose="look") as work:
        found = await store.subscriptions.list_overviews(
            work, scope=policy.scope(actor), since=work.now - timedelta(days=1)
        )
        tasks = await store.tasks.count_tasks(work, scope=policy.scope(actor))
        now = work.now
    language = language_of(request)
    cards = [
        {
            "one": one.subscription,
            "circuit": one.circuit,
            "health": one,
            "wants": _in_words(language, one.subscription.filter),
            "state": _state(one),
        }
        for one in found
    ]
    return page(
        request,
        "subscriptions.html",
        cards=cards,
        tasks=tasks,
        may_subscribe=policy.may_subscribe(actor),
        all_organisations=policy.scope(actor) is None,
        zone=ZONE,
        now=now,
        trouble_labels=TROUBLE_LABELS,
    )


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
    if errors := draft.problems(language_of(request)):
        return await _form_page(request, actor, draft, errors)
    key, state = await key_of(request), request.app.state
    try:
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
    except EndpointRefused as refused:
        return await _form_page(request, actor, draft, [_url_problem(request, refused)])
    secret = state.seal.open(subscription_id, sealed)
    return page(request, "secret.html", subscription_id=subscription_id, name=draft.name, secret=secret)


@router.get("/langganan/{subscription_id}")
async def subscription_page(request: Request, actor: Reader, subscription_id: Id) -> Response:
    """One subscription: health, filter, delivery log."""
    tab = request.query_params.get("status", "")
    tab = tab if tab in LOG_TABS else ""
    event = request.query_params.get("event") or None
    event = event if event in EVENT_LABELS else None
    before = request.query_params.get("before") or None
    if before is not None and not _is_id(before):
        before = None
    async with _database(request).work(actor, purpose="look") as work:
        found = await store.subscriptions.list_overviews(
            work,
            scope=policy.scope(actor),
            since=work.now - timedelta(days=1),
            subscription_id=subscription_id,
        )
        if not found:
            raise SubscriptionUnknown
        rows = await store.deliveries.list_deliveries(
            work,
            scope=policy.scope(actor),
            subscription_id=subscription_id,
            statuses=LOG_TABS[tab][1],
            event_type=event,
            before=before,
            limit=PAGE_ROWS + 1,
        )
        now = work.now
    [overview] = found
    language = language_of(request)
    more = rows[PAGE_ROWS:]
    rows = rows[:PAGE_ROWS]
    path = f"/langganan/{subscription_id}"
    return page(
        request,
        "subscription.html",
        one=overview.subscription,
        circuit=overview.circuit,
        health=overview,
        state=_state(overview),
        wants=_in_words(language, overview.subscription.filter),
        rows=rows,
        older=_link(path, status=tab, event=event or "", before=rows[-1].delivery_id) if more else "",
        tabs=[
            (label, _link(path, status=code, event=event or ""), code == tab) for code, (label, _) in LOG_TABS.items()
        ],
        tab=tab,
        event=event or "",
        event_labels=EVENT_LABELS,
        status_labels=STATUS_LABELS,
        trouble_labels=TROUBLE_LABELS,
        pause_labels=PAUSE_LABELS,
        owner=policy.may_read_answers(actor, overview.subscription.organisation),
        zone=ZONE,
        now=now,
    )


@router.get("/langganan/{subscription_id}/ubah")
async def change_subscription_page(request: Request, actor: Subscriber, subscription_id: Id) -> Response:
    """The form of a subscription that exists."""
    async with _database(request).work(actor, purpose="look") as work:
        found = await store.subscriptions.list_overviews(
            work, scope=actor.organisation, since=work.now, subscription_id=subscription_id
        )
    if not found:
        raise SubscriptionUnknown
    one = found[0].subscription
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
    if errors := draft.problems(language_of(request)):
        return await _form_page(request, actor, draft, errors, subscription_id=subscription_id)
    key = await key_of(request)
    try:
        async with _database(request).work(actor, purpose="subscribe") as work:

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
    except EndpointRefused as refused:
        return await _form_page(
            request, actor, draft, [_url_problem(request, refused)], subscription_id=subscription_id
        )


@router.post("/langganan/{subscription_id}/uji")
async def post_test(request: Request, actor: Reader, subscription_id: Id) -> Response:
    """Send a test notice and go to what came back."""
    state = request.app.state
    claimed, answer = await attempts.test_subscription(state.database, state.channels, actor, subscription_id)
    said = (
        msg("Your server took the test notice.") if answer.trouble is None else msg("The test notice did not arrive.")
    )
    return redirect(request, f"/pengiriman/{claimed.delivery_id}", said=said)


@router.post("/langganan/{subscription_id}/jeda")
async def post_pause(request: Request, actor: Reader, subscription_id: Id) -> Response:
    """Pause a subscription."""
    key = await key_of(request)
    async with _database(request).work(actor, purpose="subscribe") as work:

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
    async with _database(request).work(actor, purpose="subscribe") as work:

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
    async with _database(request).work(actor, purpose="subscribe") as work:

        async def end() -> Response:
            await subscriptions.end_subscription(work, subscription_id)
            return redirect(request, "/", said=msg("The subscription was ended."))

        return await idempotent(request, work, key, end)


@router.get("/pengiriman/{delivery_id}")
async def delivery_page(request: Request, actor: Reader, delivery_id: Id) -> Response:
    """One delivery: what is sent, each attempt, what came back."""
    scope = policy.scope(actor)
    async with _database(request).work(actor, purpose="look") as work:
        found = await store.deliveries.find_delivery(work, delivery_id, scope=scope)
        if found is None:
            raise DeliveryUnknown
        row, body = found
        tried = (await store.deliveries.list_attempts(work, [delivery_id], scope=scope)).get(delivery_id, [])
        overviews = await store.subscriptions.list_overviews(
            work, scope=scope, since=work.now, subscription_id=row.subscription_id
        )
        now = work.now
    owner = policy.may_read_answers(actor, row.organisation)
    one = overviews[0].subscription if overviews else None
    return page(
        request,
        "delivery.html",
        row=row,
        one=one,
        headers=_headers(row, tried),
        body=orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode(),
        attempts=[{"one": attempt, "response": _text(attempt.response)} for attempt in tried],
        owner=owner,
        curl=_curl(one.url if one and owner else "https://…", body),
        event_labels=EVENT_LABELS,
        status_labels=STATUS_LABELS,
        trouble_labels=TROUBLE_LABELS,
        zone=ZONE,
        now=now,
    )


@router.post("/pengiriman/{delivery_id}/kirim-ulang")
async def post_replay(request: Request, actor: Reader, delivery_id: Id) -> Response:
    """Send an ended notice again."""
    key = await key_of(request)
    async with _database(request).work(actor, purpose="replay") as work:

        async def replay() -> Response:
            await deliveries.replay_delivery(work, delivery_id)
            return redirect(request, f"/pengiriman/{delivery_id}", said=msg("Queued again, under the same webhook id."))

        return await idempotent(request, work, key, replay)


@router.get("/tugas")
async def tasks_page(request: Request, actor: Reader) -> Response:
    """What notices and subscribers need a person for, oldest first."""
    after = request.query_params.get("after") or None
    if after is not None and not _is_id(after):
        after = None
    scope = policy.scope(actor)
    async with _database(request).work(actor, purpose="look") as work:
        tasks = await store.tasks.list_tasks(work, scope=scope, after=after, limit=PAGE_ROWS + 1)
        total = await store.tasks.count_tasks(work, scope=scope)
    shown = tasks[:PAGE_ROWS]
    return page(
        request,
        "tasks.html",
        tasks=shown,
        total=total,
        later=_link("/tugas", after=shown[-1].task_id) if tasks[PAGE_ROWS:] else "",
        all_organisations=scope is None,
        event_labels=EVENT_LABELS,
        trouble_labels=TROUBLE_LABELS,
        zone=ZONE,
    )


@router.post("/tugas/{task_id}/tutup")
async def post_dismiss(request: Request, actor: Reader, task_id: Id) -> Response:
    """Close a task without sending anything again."""
    key = await key_of(request)
    async with _database(request).work(actor, purpose="dismiss") as work:

        async def dismiss() -> Response:
            await subscriptions.dismiss_task(work, task_id)
            return redirect(request, "/tugas", said=msg("The task was closed."))

        return await idempotent(request, work, key, dismiss)


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
            text("name")[: LONGEST_NAME * 4],
            text("url")[:2000],
            chosen("events", EVENTS),
            chosen("provinces", codes.provinces()),
            chosen("needs", _open_needs()),
        )

    @property
    def filter(self) -> Filter:
        return Filter(frozenset(self.events), frozenset(self.provinces), frozenset(self.needs))

    def problems(self, language: Language) -> list[FieldProblem]:
        """What is missing or too long; the address itself is judged by the domain."""
        found = []
        if not self.name:
            found.append(FieldProblem("name", words.translate(language, "Give the subscription a name.")))
        elif len(self.name) > LONGEST_NAME:
            found.append(FieldProblem("name", words.translate(language, "A name has at most 80 characters.")))
        if not self.url:
            found.append(FieldProblem("url", words.translate(language, "Give the address of your server.")))
        return found


async def _form_page(
    request: Request,
    actor: Actor,
    draft: Draft,
    errors: list[FieldProblem] | None = None,
    *,
    subscription_id: str | None = None,
) -> Response:
    async with _database(request).work(actor, purpose="look") as work:
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
        event_options=[(code, words.translate(language, EVENT_LABELS[code])) for code in EVENTS],
        province_options=[(p.code, p.name_en if language == "en" else p.name) for p in codes.provinces().values()],
        need_options=[(code, _need(language, code)) for code in _open_needs()],
        restricted=[_need(language, code) for code, need in codes.needs().items() if need.restricted],
    )


def _open_needs() -> list[str]:
    """Needs that notices are ever sent about."""
    return [code for code, need in codes.needs().items() if not need.restricted]


def _need(language: Language, code: str) -> str:
    need = codes.needs()[code]
    return need.label_en if language == "en" else need.label_id


def _in_words(language: Language, wants: Filter) -> list[str]:
    """A filter as people say it: events, provinces, needs."""
    provinces = codes.provinces()
    events = [words.translate(language, EVENT_LABELS[code]) for code in EVENTS if code in wants.events]
    places = sorted(
        provinces[code].name_en if language == "en" else provinces[code].name
        for code in wants.provinces
        if code in provinces
    )
    needs = [_need(language, code) for code in codes.needs() if code in wants.needs]
    return [
        ", ".join(events) or words.translate(language, "all events"),
        ", ".join(places) or words.translate(language, "all provinces"),
        ", ".join(needs) or words.translate(language, "all needs that may be told"),
    ]


def _state(overview: store.subscriptions.Overview) -> tuple[str, str]:
    """How a subscription is doing, in a word and a colour."""
    if overview.subscription.status == "paused":
        return msg("paused"), "neutral"
    failures = overview.circuit.consecutive_failures
    if failures >= 5:
        return msg("keeps failing"), "bad"
    if failures:
        return msg("has trouble"), "warn"
    if overview.circuit.last_delivered_at is None:
        return msg("nothing sent yet"), "info"
    return msg("works"), "ok"


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


def _url_problem(request: Request, refused: EndpointRefused) -> FieldProblem:
    return FieldProblem("url", words.translate(language_of(request), policy.ENDPOINT_PROBLEMS[refused.part]))


def _link(path: str, **query: str) -> str:
    given = {name: value for name, value in query.items() if value}
    return path + ("?" + urlencode(given) if given else "")


def _is_id(text: str) -> bool:
    return len(text) == 36 and text.replace("-", "").isalnum() and all(c in "0123456789abcdef-" for c in text)


def _text(response: bytes) -> str:
    return response.decode("utf-8", "replace").replace("\x00", "�")


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database
