"""What a supervisor has to act on: needs that nobody answers for, services overdue, gaps."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Annotated, Any, cast

from fastapi import Depends, Query, Request
from starlette.responses import Response

from services.referral import policy, rules
from services.referral.actions import escalating, supervising
from services.referral.domain import referrals
from services.referral.domain.agencies import Directory
from services.referral.pages import consentwords, explanations, forms, labels
from services.referral.rules import reasons
from services.referral.store import desk, needs
from services.referral.store.desk import Task, View
from shared.contracts.fact import Id
from shared.contracts.referral.households import SaidOfSplit
from shared.kit.actor import Actor
from shared.kit.identity import deny, require
from shared.kit.web import idempotent, key_of, language_of, page, page_router, redirect
from shared.kit.words import Language, msg, translate
from shared.kit.work import Work

router = page_router()

Supervisor = Annotated[Actor, Depends(require(*policy.SUPERVISORS))]
Duty = Annotated[Actor, Depends(require(*policy.DUTY))]

Place = Annotated[str, Query(pattern=desk.PLACE)]

PAGE_TASKS = 100
CLOSED = "/eskalasi/ditutup"
VIEWS: dict[str, View] = {"/eskalasi": "waiting", "/eskalasi/saya": "mine", "/eskalasi/lewat": "overdue"}
TABS = {
    "/eskalasi": msg("Waiting for you"),
    "/eskalasi/saya": msg("Taken by you"),
    "/eskalasi/lewat": msg("Taken by nobody in time"),
    CLOSED: msg("Closed"),
}


@router.get("/eskalasi")
@router.get("/eskalasi/saya")
@router.get("/eskalasi/lewat")
async def tasks_page(request: Request, actor: Duty, after: Place = "") -> Response:
    """The open escalations and gaps of the supervisor's region, or of the whole country; oldest first."""
    path = request.url.path[request.url.path.index("/eskalasi") :]
    return await _list(request, actor, after, path, partial(escalating.list_tasks, view=VIEWS[path]))


@router.post("/eskalasi/{referral_id}/ambil")
async def take(request: Request, actor: Duty, referral_id: Id) -> Response:
    """Answer for a need by name."""
    await duty_of(request, actor)
    key = await key_of(request)
    async with request.app.state.database.work(actor, purpose="supervise") as work:

        async def once() -> Response:
            [result] = await escalating.take_needs(work, [referral_id])
            if isinstance(result, Exception):
                raise result
            return redirect(request, "/eskalasi/saya", said=msg("You answer for this need now."))

        return await idempotent(request, work, key, once)


@router.get("/eskalasi/ditutup")
async def closed_page(request: Request, actor: Supervisor, after: Place = "") -> Response:
    """The met and the given-up needs of the region, the latest first: they may be reopened."""
    return await _list(request, actor, after, CLOSED, desk.list_closed)


async def _list(
    request: Request, actor: Actor, after: str, path: str, read: Callable[..., Awaitable[list[Task]]]
) -> Response:
    region = await duty_of(request, actor)
    language = language_of(request)
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await read(work, after=after, limit=PAGE_TASKS + 1)
        tasks = await shown(work, request, language, found[:PAGE_TASKS])
        now = work.now
    if after and not found:
        return redirect(request, path)
    return page(
        request,
        "tasks.html",
        region=labels.region(region) if region else None,
        may_close=region is not None,
        path_here=path,
        tabs=[(label, href, href == path) for href, label in TABS.items() if region is not None or href != CLOSED],
        tasks=tasks,
        splits=[(code, translate(language, text)) for code, text in labels.SPLITS.items()],
        further=f"{path}?after={found[PAGE_TASKS - 1].place}" if len(found) > PAGE_TASKS else "",
        now=now,
        zone=policy.zone(actor),
    )


@router.post("/eskalasi/{referral_id}/minta")
async def ask_again(request: Request, actor: Duty, referral_id: Id) -> Response:
    """Ask an agency again, the one chosen or the first in rank."""
    await duty_of(request, actor)
    form, key = await request.form(), await key_of(request)
    split = forms.text(form, "split")
    async with request.app.state.database.work(actor, purpose="supervise") as work:

        async def once() -> Response:
            await supervising.ask_again(
                work,
                referral_id,
                agency_id=forms.text(form, "agency") or None,
                routing=request.app.state.routing,
                version=forms.version(request, form),
                split=cast("SaidOfSplit | None", split if split in labels.SPLITS else None),
            )
            return redirect(request, "/eskalasi", said=msg("The agency has been asked."))

        return await idempotent(request, work, key, once)


async def duty_of(request: Request, actor: Actor) -> str | None:
    """The region the actor answers for, None for the whole country; without either there is nothing here."""
    return None if policy.answers_for_the_country(actor) else await region_of(request, actor)


async def region_of(request: Request, actor: Actor) -> str:
    """The region the supervisor answers for; without one there is nothing here."""
    region = policy.overseen_by(actor)
    if region is None:
        await deny(request, actor, "not_yours", msg("No region is assigned to you."))
    return region


@router.get("/eskalasi/{referral_id}/alasan")
async def explanation_page(request: Request, actor: Duty, referral_id: Id) -> Response:
    """Why a need went where it went, and what the person has said of it; of a restricted one the case team knows."""
    await duty_of(request, actor)
    language = language_of(request)
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await supervising.explain(work, referral_id, routing=request.app.state.routing)
        directory = (await request.app.state.routing.router(work)).directory
    decision, why = found.decision, None
    if decision is not None:
        why = {
            "lines": explanations.lines(language, found.attempts, decision, directory),
            "terms": reasons.terms(language, decision),
            "rules_version": decision.rules_version,
            "digest": decision.digest.hex()[:12],
            "unknown_year": found.unknown_year,
        }
    consents: list[tuple[str, str]] = []
    if found.task.need is not None and decision is not None:
        zone, age_band = policy.zone(actor), decision.facts.age_band
        consents = consentwords.lines(language, found.consents, found.task.need, age_band, now=work.now, zone=zone)
    task = _shown(language, found.task, {}, directory)
    return page(
        request,
        "explanation.html",
        task=task,
        why=why,
        consents=consents,
        earlier=labels.earlier(language, found.earlier),
        may_refuse=found.task.need is not None and (found.task.state, "consent_refused") in referrals.MOVES,
        zone=policy.zone(actor),
    )


async def shown(work: Work, request: Request, language: Language, tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """These needs of the actor's region as the pages show them, with whom their explanations allow to ask."""
    tasks = await supervising.count_attempts(work, tasks)
    bodies = await needs.find_explanations(work, [t.explanation for t in tasks if t.explanation is not None])
    directory = (await request.app.state.routing.router(work)).directory
    return [_shown(language, task, bodies, directory) for task in tasks]


def _shown(language: Language, task: Task, bodies: dict[bytes, bytes], directory: Directory) -> dict[str, Any]:
    decision = rules.read(bodies[task.explanation]) if task.explanation in bodies else None
    outcome = {**labels.OUTCOMES, **labels.CLOSINGS, **labels.BY_THE_PERSON}.get(task.outcome or "")
    return {
        "referral_id": task.referral_id,
        "reference": labels.reference(task.case_id),
        "kind": labels.TASKS.get(task.kind) or labels.NEEDS[task.state],
        "gap": labels.GAPS.get(task.gap_reason or ""),
        "state": task.state,
        "version": task.version,
        "restricted": task.restricted,
        "need": labels.need(language, task.need) if task.need else None,
        "region": labels.region(task.regency),
        "port": labels.port(task.port),
        "at": task.at,
        "attempts": task.attempts,
        "last": labels.agency(directory, task.last_agency) if task.last_agency else None,
        "outcome": translate(language, outcome) if outcome else None,
        "is_live": task.is_live,
        "rung": labels.RUNGS.get(task.rung or ""),
        "due_at": task.due_at,
        "taken_by": task.taken_by,
        "choices": [
            (c.agency_id, labels.agency(directory, c.agency_id))
            for c in (decision.candidates if decision else ())
            if c.agency_id in directory.available
        ],
    }
