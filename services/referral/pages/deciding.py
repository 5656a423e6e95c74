"""What else an agency may say to a case: not yet, a question first, not us but them, somebody is to take over."""

from datetime import timedelta
from functools import partial
from typing import cast

from fastapi import Request
from starlette.datastructures import FormData
from starlette.responses import Response

from services.referral.actions import answering, asking, passing
from services.referral.pages import forms, labels
from services.referral.pages.cases import Worker, again, do
from shared.contracts.fact import Id
from shared.contracts.referral.households import SaidOfSplit
from shared.kit.web import page_router
from shared.kit.words import msg

router = page_router()


@router.post("/rujukan/{assignment_id}/tunggu")
async def wait(request: Request, actor: Worker, assignment_id: Id) -> Response:
    """The agency would help, but not yet."""
    days = labels.DAYS.get(forms.text(await request.form(), "days"))
    if days is None:
        return await again(request, actor, assignment_id, "days", msg("Choose when you look at it again."))
    until = request.app.state.database.clock.now() + timedelta(days=days[1])
    said = msg("On the waiting list. Decide by then, or the next agency is asked.")
    act = partial(answering.waitlist_assignments, routing=request.app.state.routing)
    return await do(request, actor, assignment_id, "waitlist", act, said, until=until)


@router.post("/rujukan/{assignment_id}/tanya")
async def ask(request: Request, actor: Worker, assignment_id: Id) -> Response:
    """A question to the port."""
    question = forms.text(await request.form(), "question")
    if question not in labels.QUESTIONS:
        return await again(request, actor, assignment_id, "question", msg("Choose a question."))
    said = msg("The port is asked. Your time to decide stands still meanwhile.")
    act = partial(asking.ask_port, routing=request.app.state.routing)
    return await do(request, actor, assignment_id, "ask", act, said, question=question)


@router.post("/rujukan/{assignment_id}/teruskan")
async def forward(request: Request, actor: Worker, assignment_id: Id) -> Response:
    """The agency is the wrong one and names the right one."""
    form = await request.form()
    reason, agency_id = forms.text(form, "why"), forms.text(form, "right")
    if reason not in labels.FORWARDS:
        return await again(request, actor, assignment_id, "why", msg("Choose a reason."))
    if not agency_id:
        return await again(request, actor, assignment_id, "right", msg("Choose the right agency."))
    act = partial(passing.forward_assignments, routing=request.app.state.routing)
    said = msg("Declined, and the agency that you named has been asked.")
    split = split_of(form)
    return await do(
        request, actor, assignment_id, "decline", act, said, reason=reason, agency_id=agency_id, split=split
    )


@router.post("/rujukan/{assignment_id}/alihkan")
async def transfer(request: Request, actor: Worker, assignment_id: Id) -> Response:
    """Another agency is to take over."""
    form = await request.form()
    agency_id = forms.text(form, "taker")
    if not agency_id:
        return await again(request, actor, assignment_id, "taker", msg("Choose who is to take over."))
    act = partial(passing.transfer_assignments, routing=request.app.state.routing)
    said = msg("Asked. The need stays yours until that agency has accepted.")
    split = split_of(form)
    return await do(request, actor, assignment_id, "transfer", act, said, agency_id=agency_id, split=split)


def split_of(form: FormData) -> SaidOfSplit | None:
    """Why the household is parted, where somebody has said so."""
    said = forms.text(form, "split")
    return cast("SaidOfSplit | None", said if said in labels.SPLITS else None)
