"""What agencies ask the port before they decide: its officers answer here, with a tick."""

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from services.referral import policy
from services.referral.actions import asking
from services.referral.actions.asking import Reply
from services.referral.domain.questions import QUESTIONS
from services.referral.domain.refusals import QuestionClosed, Refused
from services.referral.pages import conflicts, forms, labels
from services.referral.store import questions
from shared.contracts import codes
from shared.contracts.fact import Id
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import FieldProblem, Invalid, idempotent, key_of, language_of, page, page_router, redirect
from shared.kit.words import msg, translate

router = page_router()

Officer = Annotated[Actor, Depends(require(*policy.PORT_OFFICERS))]

MOST_ROWS = 100


@router.get("/pertanyaan")
async def questions_page(request: Request, actor: Officer) -> Response:
    """The open questions to the own port, the soonest first."""
    return await _show(request, actor)


@router.post("/pertanyaan/{question_id}")
async def answer(request: Request, actor: Officer, question_id: Id) -> Response:
    """Answer one."""
    form, key = await request.form(), await key_of(request)
    said = forms.text(form, "answer")
    if said not in labels.ANSWERS:
        raise Invalid([FieldProblem("answer", translate(language_of(request), msg("Choose an answer.")))])
    try:
        async with request.app.state.database.work(actor, purpose="answer") as work:

            async def once() -> Response:
                replies, routing = [Reply(question_id, said)], request.app.state.routing
                [result] = await asking.answer_questions(work, replies, routing=routing)
                if isinstance(result, Refused):
                    raise result
                return redirect(request, "/pertanyaan", said=msg("Answered. The agency decides now."))

            return await idempotent(request, work, key, once)
    except QuestionClosed as refused:
        conflict = conflicts.sentence(language_of(request), refused, policy.zone(actor))
        return await _show(request, actor, status=409, conflict=conflict)


async def _show(request: Request, actor: Actor, *, status: int = 200, conflict: str = "") -> Response:
    language = language_of(request)
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await questions.list_open(work, MOST_ROWS)
        directory = (await request.app.state.routing.router(work)).directory
        now = work.now
    port = codes.ports().get(actor.port or "")
    return page(
        request,
        "questions.html",
        status=status,
        conflict=conflict,
        port=labels.port(actor.port) if actor.port else "",
        questions=[
            {
                "question_id": one.question_id,
                "reference": labels.reference(one.case_id),
                "agency": None if one.restricted else labels.agency(directory, one.agency_id),
                "question": labels.QUESTIONS[one.code],
                "answers": [(code, translate(language, labels.ANSWERS[code])) for code in QUESTIONS[one.code]],
                "due_at": one.due_at,
            }
            for one in found
        ],
        now=now,
        zone=port.zone if port else policy.zone(actor),
    )
