"""A supervisor closes a need with a reason or opens one again, each on a page of its own, to be thought over."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from fastapi import Request
from starlette.responses import Response

from services.referral import policy
from services.referral.actions import supervising
from services.referral.actions.supervising import Closing, Reopening, Result
from services.referral.domain import referrals
from services.referral.domain.refusals import ChildNeedsOfficer, ReferralUnknown, Refused, SplitUnexplained
from services.referral.pages import conflicts, forms, labels
from services.referral.pages.deciding import split_of
from services.referral.pages.supervision import Supervisor, region_of, shown
from services.referral.store import desk
from shared.contracts.fact import Id
from shared.kit.actor import Actor
from shared.kit.web import FieldProblem, idempotent, key_of, language_of, page, page_router, redirect
from shared.kit.words import msg, translate
from shared.kit.work import Work

router = page_router()

Act = Callable[[Work, Sequence[Closing | Reopening]], Awaitable[list[Result]]]


@router.get("/eskalasi/{referral_id}/tutup")
async def closing_page(request: Request, actor: Supervisor, referral_id: Id) -> Response:
    """The form to close a need."""
    return await _show(request, actor, referral_id, "closing.html")


@router.post("/eskalasi/{referral_id}/tutup")
async def close(request: Request, actor: Supervisor, referral_id: Id) -> Response:
    """End it, with a reason; for a child answering for it by name."""
    form = await request.form()
    closing = Closing(
        referral_id,
        reason=forms.text(form, "reason"),
        personally=forms.text(form, "personally") == "1",
        version=forms.version(request, form),
    )
    if closing.reason not in labels.CLOSINGS:
        return await _again(request, actor, referral_id, "closing.html", "reason", msg("Choose a reason."))
    return await _do(
        request, actor, closing, "closing.html", supervising.close_needs, "/eskalasi", msg("The need is closed.")
    )


@router.get("/eskalasi/{referral_id}/buka")
async def reopening_page(request: Request, actor: Supervisor, referral_id: Id) -> Response:
    """The form to open a need again."""
    return await _show(request, actor, referral_id, "reopening.html")


@router.post("/eskalasi/{referral_id}/buka")
async def reopen(request: Request, actor: Supervisor, referral_id: Id) -> Response:
    """Open it again, with a reason; an agency is asked at once."""
    form = await request.form()
    reopening = Reopening(
        referral_id,
        reason=forms.text(form, "reason"),
        agency_id=forms.text(form, "agency") or None,
        version=forms.version(request, form),
        split=split_of(form),
    )
    if reopening.reason not in labels.REOPENINGS:
        return await _again(request, actor, referral_id, "reopening.html", "reason", msg("Choose a reason."))
    act = partial(supervising.reopen_needs, routing=request.app.state.routing)
    said = msg("The need is open again; an agency has been asked, or it waits for you.")
    return await _do(request, actor, reopening, "reopening.html", act, "/eskalasi/ditutup", said)


async def _do(
    request: Request,
    actor: Actor,
    item: Closing | Reopening,
    template: str,
    act: Callable[..., Awaitable[list[Result]]],
    path: str,
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
                return redirect(request, path, said=said)

            return await idempotent(request, work, key, once)
    except ReferralUnknown:
        raise
    except ChildNeedsOfficer:
        problem = msg("Say that you answer for it by name: it may be a child's need.")
        return await _again(request, actor, item.referral_id, template, "personally", problem)
    except SplitUnexplained:
        return await _again(request, actor, item.referral_id, template, "split", conflicts.SENTENCES[SplitUnexplained])
    except Refused:
        conflict = msg("This is not possible as the need stands now. Look at it again.")
        return await _show(request, actor, item.referral_id, template, status=409, conflict=conflict)


async def _again(request: Request, actor: Actor, referral_id: str, template: str, field: str, message: str) -> Response:
    """The form once more, with what is missing."""
    problem = FieldProblem(field, translate(language_of(request), message))
    return await _show(request, actor, referral_id, template, status=422, errors=[problem])


async def _show(
    request: Request,
    actor: Actor,
    referral_id: str,
    template: str,
    *,
    status: int = 200,
    errors: Sequence[FieldProblem] = (),
    conflict: str = "",
) -> Response:
    await region_of(request, actor)
    language, form = language_of(request), await request.form()
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await desk.find_task(work, referral_id)
        if found is None:
            raise ReferralUnknown
        [task] = await shown(work, request, language, [found])
        may_reopen = await desk.is_reopenable(work, referral_id)
    return page(
        request,
        template,
        status=status,
        errors=list(errors),
        conflict=conflict,
        task=task,
        typed=forms.typed(form, ("reason", "personally", "agency", "split")),
        closings=[(code, translate(language, labels.CLOSINGS[code])) for code in referrals.closings(found.state)],
        reopenings=[(code, translate(language, text)) for code, text in labels.REOPENINGS.items()],
        splits=[(code, translate(language, text)) for code, text in labels.SPLITS.items()],
        may_reopen=may_reopen,
        zone=policy.zone(actor),
    )
