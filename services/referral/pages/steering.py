"""A supervisor sets right what went wrong with a request, lets a need wait, and lets agencies be asked again."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from fastapi import Request
from starlette.responses import Response

from services.referral import policy
from services.referral.actions import pausing, steering
from services.referral.actions.steering import Error, Hold, Recall, Resumption
from services.referral.domain.refusals import ChildNeedsOfficer, ReferralUnknown, Refused
from services.referral.pages import conflicts, forms, labels
from services.referral.pages.deciding import split_of
from services.referral.pages.supervision import Supervisor, region_of, shown
from services.referral.store import desk, pauses
from shared.contracts.fact import Id
from shared.kit.actor import Actor
from shared.kit.web import FieldProblem, idempotent, key_of, language_of, page, page_router, redirect
from shared.kit.words import msg, translate
from shared.kit.work import Work

router = page_router()

MOST_ROWS = 200


@router.get("/eskalasi/{referral_id}/atur")
async def steering_page(request: Request, actor: Supervisor, referral_id: Id) -> Response:
    """What may be done about who is asked, and the form to let the need wait."""
    return await _show(request, actor, referral_id)


@router.post("/eskalasi/{referral_id}/tarik")
async def recall(request: Request, actor: Supervisor, referral_id: Id) -> Response:
    """Take the request back."""
    form = await request.form()
    reason = forms.text(form, "recall")
    if reason not in labels.RECALLS:
        return await _again(request, actor, referral_id, "recall", msg("Choose a reason."))
    item = Recall(referral_id, reason, forms.text(form, "agency") or None, forms.version(request, form), split_of(form))
    act = partial(steering.recall_assignments, routing=request.app.state.routing)
    return await _do(request, actor, item, act, msg("Taken back. Somebody else has been asked, or it waits for you."))


@router.post("/eskalasi/{referral_id}/keliru")
async def note_error(request: Request, actor: Supervisor, referral_id: Id) -> Response:
    """The last request should never have been made."""
    form = await request.form()
    attempt = forms.text(form, "attempt")
    if not forms.VERSION.fullmatch(attempt) or forms.text(form, "sure") != "1":
        return await _again(request, actor, referral_id, "sure", msg("Tick that it was a mistake."))
    item = Error(referral_id, int(attempt), forms.version(request, form))
    act = partial(steering.note_errors, routing=request.app.state.routing)
    return await _do(request, actor, item, act, msg("Noted as a mistake. The next agency has been asked."))


@router.post("/eskalasi/{referral_id}/tunda")
async def hold(request: Request, actor: Supervisor, referral_id: Id) -> Response:
    """Let the need wait."""
    form = await request.form()
    reason, days = forms.text(form, "hold"), labels.DAYS.get(forms.text(form, "days"))
    if reason not in labels.HOLDS:
        return await _again(request, actor, referral_id, "hold", msg("Choose a reason."))
    if days is None:
        return await _again(request, actor, referral_id, "days", msg("Choose when it goes on."))
    item = Hold(
        referral_id,
        reason,
        until=request.app.state.database.clock.now() + timedelta(days=days[1]),
        personally=forms.text(form, "personally") == "1",
        version=forms.version(request, form),
    )
    return await _do(
        request, actor, item, steering.hold_needs, msg("The need waits, and goes on by itself on its day.")
    )


@router.post("/eskalasi/{referral_id}/lanjut")
async def resume(request: Request, actor: Supervisor, referral_id: Id) -> Response:
    """Let the need go on."""
    form = await request.form()
    item = Resumption(referral_id, forms.text(form, "agency") or None, forms.version(request, form), split_of(form))
    act = partial(steering.resume_needs, routing=request.app.state.routing)
    return await _do(request, actor, item, act, msg("The need goes on; an agency has been asked, or it waits for you."))


@router.get("/jeda")
async def pauses_page(request: Request, actor: Supervisor) -> Response:
    """Agencies of the region that are passed over, and needs that wait."""
    region = await region_of(request, actor)
    language = language_of(request)
    async with request.app.state.database.work(actor, purpose="look") as work:
        paused = await pauses.list_overseen(work, MOST_ROWS)
        held = await desk.list_held(work, MOST_ROWS)
        tasks = await shown(work, request, language, held)
        directory = (await request.app.state.routing.router(work)).directory
        now = work.now
    return page(
        request,
        "pauses.html",
        region=labels.region(region or ""),
        pauses=[
            {
                "pause_id": one.pause_id,
                "agency": labels.agency(directory, one.agency_id),
                "need": labels.need(language, one.need) if policy.may_know_need(actor, one) else None,
                "reason": translate(language, labels.REASONS[one.reason]),
                "until": one.until,
            }
            for one in paused
        ],
        tasks=tasks,
        now=now,
        zone=policy.zone(actor),
    )


@router.post("/jeda/{pause_id}/cabut")
async def lift(request: Request, actor: Supervisor, pause_id: Id) -> Response:
    """Let the agency be asked again."""
    key = await key_of(request)
    async with request.app.state.database.work(actor, purpose="supervise") as work:

        async def once() -> Response:
            [result] = await pausing.lift_pauses(work, [pause_id])
            if isinstance(result, Refused):
                raise result
            return redirect(request, "/jeda", said=msg("The agency is asked again."))

        return await idempotent(request, work, key, once)


async def _do(
    request: Request,
    actor: Actor,
    item: Recall | Error | Hold | Resumption,
    act: Callable[[Work, Sequence[Any]], Awaitable[Sequence[object]]],
    said: str,
) -> Response:
    """One action on this need, once per form; what stood in the way is said on the form as it is now."""
    key = await key_of(request)
    try:
        async with request.app.state.database.work(actor, purpose="supervise") as work:

            async def once() -> Response:
                [result] = await act(work, [item])
                if isinstance(result, Refused):
                    raise result
                return redirect(request, "/eskalasi", said=said)

            return await idempotent(request, work, key, once)
    except ReferralUnknown:
        raise
    except ChildNeedsOfficer:
        problem = msg("Say that you answer for it by name: it may be a child's need.")
        return await _again(request, actor, item.referral_id, "personally", problem)
    except Refused as refused:
        conflict = conflicts.sentence(language_of(request), refused, policy.zone(actor))
        return await _show(request, actor, item.referral_id, status=409, conflict=conflict)


async def _again(request: Request, actor: Actor, referral_id: str, field: str, message: str) -> Response:
    problem = FieldProblem(field, translate(language_of(request), message))
    return await _show(request, actor, referral_id, status=422, errors=[problem])


async def _show(
    request: Request,
    actor: Actor,
    referral_id: str,
    *,
    status: int = 200,
    errors: Sequence[FieldProblem] = (),
    conflict: str = "",
) -> Response:
    await region_of(request, actor)
    language = language_of(request)
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await desk.find_task(work, referral_id)
        if found is None:
            raise ReferralUnknown
        [task] = await shown(work, request, language, [found])
    return page(
        request,
        "steering.html",
        status=status,
        errors=list(errors),
        conflict=conflict,
        task=task,
        recalls=[(code, translate(language, text)) for code, text in labels.RECALLS.items()],
        splits=[(code, translate(language, text)) for code, text in labels.SPLITS.items()],
        holds=[(code, translate(language, text)) for code, text in labels.HOLDS.items()],
        days=[(code, translate(language, text)) for code, (text, _) in labels.DAYS.items()],
        zone=policy.zone(actor),
    )
