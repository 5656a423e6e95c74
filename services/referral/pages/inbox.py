"""The inbox of an agency: what is new, what is being done, what is done; soonest deadline first."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from starlette.responses import Response

from services.referral import policy
from services.referral.actions import answering
from services.referral.actions.answering import Answer, Result
from services.referral.domain import assignments
from services.referral.domain.refusals import AssignmentUnknown, Refused
from services.referral.pages import conflicts, forms, labels
from services.referral.pages import recipients as copies
from services.referral.store import agencies, cancellations, desk, needs, pauses, recipients
from services.referral.store.desk import InboxItem
from shared.kit.actor import Actor
from shared.kit.identity import actor_of, require
from shared.kit.web import FieldProblem, Invalid, idempotent, key_of, language_of, page, page_router, redirect
from shared.kit.words import msg, msg_count, translate

router = page_router()

Worker = Annotated[Actor, Depends(require(*policy.WORKERS))]
Anybody = Annotated[Actor, Depends(actor_of)]

PAGE_ROWS = 200
MOST_TASKS = 50
TABS: dict[str, tuple[str, tuple[str, ...]]] = {
    "baru": (msg("New"), tuple(sorted(assignments.ASKED))),
    "dikerjakan": (msg("In progress"), tuple(sorted(assignments.HELPING))),
    "selesai": (msg("Done"), tuple(sorted(assignments.TERMINAL))),
}


@router.get("/")
async def inbox_page(
    request: Request, actor: Anybody, tab: str = "baru", after: Annotated[str, Query(pattern=desk.PLACE)] = ""
) -> Response:
    """The agency's inbox; a coordinator's first page are the figures, the protection officer's is oversight."""
    if policy.may_watch(actor) and not policy.may_answer(actor):
        return redirect(request, "/angka")
    if actor.has(*policy.PORT_OFFICERS) and not policy.may_answer(actor):
        return redirect(request, "/pertanyaan")
    if policy.oversees_everywhere(actor) and not policy.may_answer(actor):
        return redirect(request, "/pengawasan")
    await require(*policy.WORKERS)(request)
    tab = tab if tab in TABS else "baru"
    _, states = TABS[tab]
    async with request.app.state.database.work(actor, purpose="look") as work:
        read = desk.list_ended if tab == "selesai" else desk.list_inbox
        found = await read(work, states, after=after, limit=PAGE_ROWS + 1)
        counts = await desk.count_inbox(work)
        to_see_to = await recipients.list_open(work, MOST_TASKS)
        cancelled = await cancellations.list_open(work, MOST_TASKS)
        why = await cancellations.list_reasons(work, [one.assignment_id for one in cancelled])
        paused = await pauses.list_own(work)
        own = await agencies.find_agency(work, actor.organisation) if policy.may_keep_own_entry(actor) else None
        now = work.now
    if after and not found:
        return redirect(request, f"/?tab={tab}")
    shown = found[:PAGE_ROWS]
    return page(
        request,
        "inbox.html",
        tab=tab,
        tabs=[
            (label, f"/?tab={name}", None if name == "selesai" else sum(counts.get(s, 0) for s in of), name == tab)
            for name, (label, of) in TABS.items()
        ],
        rows=[_row(request, item) for item in shown],
        further=f"/?tab={tab}&after={shown[-1].place}" if len(found) > len(shown) else "",
        copies=copies.shown(language_of(request), to_see_to),
        cancelled=[
            (
                one.assignment_id,
                labels.reference(one.case_id),
                one.confirm_by,
                labels.CLOSINGS.get(why.get(one.assignment_id) or "", ""),
            )
            for one in cancelled
        ],
        paused=[(labels.need(language_of(request), one.need), one.until) for one in paused],
        undoable=[_chosen(item) for item in shown if item.may_undo(now)],
        entry=own if own is not None and not own.is_fresh(now) else None,
        reasons=labels.REASONS,
        organisation=actor.organisation,
        now=now,
        zone=policy.zone(actor),
    )


@router.post("/terima")
async def accept_selected(request: Request, actor: Worker) -> Response:
    """Accept all that were ticked; those that somebody answered meanwhile stay as they are."""
    said = msg_count("%(n)s referral accepted.", "%(n)s referrals accepted.")
    act = partial(answering.accept_assignments, routing=request.app.state.routing)
    return await _do(request, actor, "accept", act, said, "/?tab=dikerjakan")


@router.post("/buka")
async def acknowledge_selected(request: Request, actor: Worker) -> Response:
    """Say of all that were ticked that they were opened."""
    said = msg_count("%(n)s referral opened.", "%(n)s referrals opened.")
    act = partial(answering.acknowledge_assignments, routing=request.app.state.routing)
    return await _do(request, actor, "acknowledge", act, said, "/")


@router.post("/tolak")
async def decline_selected(request: Request, actor: Worker) -> Response:
    """Decline all that were ticked, for one reason."""
    reason = forms.text(await request.form(), "reason")
    if reason not in labels.REASONS:
        raise Invalid([FieldProblem("reason", translate(language_of(request), msg("Choose a reason.")))])
    said = msg_count("%(n)s referral declined.", "%(n)s referrals declined.")
    act = partial(answering.decline_assignments, routing=request.app.state.routing)
    return await _do(request, actor, "decline", act, said, "/", reason=reason)


@router.post("/urungkan")
async def undo_selected(request: Request, actor: Worker) -> Response:
    """Undo acceptances of a moment ago, as long as nobody has read who it is."""
    said = msg_count("%(n)s acceptance undone.", "%(n)s acceptances undone.")
    return await _do(request, actor, "accept", answering.undo_acceptances, said, "/")


async def _do(
    request: Request,
    actor: Actor,
    purpose: str,
    act: Callable[..., Awaitable[list[Result]]],
    said: str,
    path: str,
    *,
    reason: str = "",
) -> Response:
    """One action on all that were ticked, once per form; each that was refused is listed with what stood in the way."""
    form, key = await request.form(), await key_of(request)
    chosen = [Answer(id_, version, reason=reason) for id_, version in forms.chosen(form)][:PAGE_ROWS]
    async with request.app.state.database.work(actor, purpose=purpose) as work:

        async def once() -> Response:
            results = await act(work, chosen)
            refused = [(a.assignment_id, r) for a, r in zip(chosen, results, strict=True) if isinstance(r, Refused)]
            done = len(results) - len(refused)
            if not refused:
                return redirect(request, path if done else "/", said=said, n=done)
            language, zone = language_of(request), policy.zone(actor)
            await work.as_service()  # of the own ones, which `each` has found, their numbers
            needs_of = await needs.find_cases_of(work, [id_ for id_, _ in refused])
            return page(
                request,
                "inbox_results.html",
                done=translate(language, said, n=done) if done else "",
                refused=[
                    (
                        id_,
                        labels.reference(needs_of[id_][1])
                        if id_ in needs_of and not isinstance(result, AssignmentUnknown)
                        else None,
                        msg("There is no such referral in your inbox")
                        if isinstance(result, AssignmentUnknown)
                        else conflicts.sentence(language, result, zone),
                    )
                    for id_, result in refused
                ],
            )

        return await idempotent(request, work, key, once)


def _chosen(item: InboxItem) -> str:
    """What a form sends of a row: which one, and the version that is on the page."""
    return f"{item.assignment_id}.{item.version}"


def _row(request: Request, item: InboxItem) -> dict[str, Any]:
    return {
        "id": item.assignment_id,
        "chosen": _chosen(item),
        "reference": labels.reference(item.case_id),
        "need": labels.need(language_of(request), item.need),
        "restricted": item.restricted,
        "person": (labels.SEXES[item.sex], labels.AGES[item.age_band]),
        "port": labels.port(item.port),
        "region": labels.region(item.regency),
        "attempt": item.attempt,
        "state": labels.STATES[item.state],
        "due_at": item.due_at,
        "is_paused": item.is_paused,
        "is_reminded": item.due_at is not None and item.reminded_at is not None,
        "clock": labels.CLOCKS[item.clock] if item.clock else "",
        "sent_at": item.sent_at,
        "ended_at": item.ended_at,
    }
