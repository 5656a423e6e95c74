"""What agencies ask the port before they decide; its officers answer with a code."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.referral import policy
from services.referral.actions import asking
from services.referral.actions.asking import Reply, Result
from services.referral.api.items import Conflict, Items, answer_of, conflict_of, note_denied
from services.referral.domain.questions import QUESTIONS, Question
from services.referral.domain.refusals import Refused
from services.referral.store import questions
from shared.contracts.fact import Code, Id
from shared.kit import words
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import KEYED, idempotent, json_response, key_of, language_of
from shared.kit.words import Language

router = APIRouter()

Officer = Annotated[Actor, Depends(require(*policy.PORT_OFFICERS))]

MOST_ROWS = 500


class Answered(BaseModel):
    """`answer`: one of the question's own `answers`."""

    model_config = ConfigDict(extra="forbid")

    question_id: Id
    answer: Code = Field(examples=["with_escort"])


class QuestionResult(BaseModel):
    """What became of one item. `ok` false: `code`, `title` and `conflict` say why."""

    question_id: Id
    ok: bool
    status: int
    answered_at: datetime | None = None
    code: str | None = None
    title: str | None = None
    conflict: Conflict | None = None


class QuestionResults(BaseModel):
    items: list[QuestionResult]


class ShownQuestion(BaseModel):
    """`agency_id` is not shown where it would say what a restricted need is."""

    question_id: Id
    case_id: Id
    agency_id: Code | None
    question: str
    answers: list[str]
    asked_at: datetime
    due_at: datetime


class ShownQuestions(BaseModel):
    items: list[ShownQuestion]
    now: datetime


@router.get("/questions", response_model=ShownQuestions)
async def get_questions(
    request: Request, actor: Officer, limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 100
) -> Response:
    """What your port has still to answer, the soonest first."""
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await questions.list_open(work, limit)
        now = work.now
    return json_response({"items": [_shown(question) for question in found], "now": now.isoformat()})


@router.post("/questions/answers", response_model=QuestionResults, openapi_extra=KEYED)
async def post_answers(request: Request, actor: Officer, posted: Items[Answered]) -> Response:
    """Answer for your port; the agency's time to decide runs on."""
    key = await key_of(request)
    replies = [Reply(**item.model_dump()) for item in posted.items]
    async with request.app.state.database.work(actor, purpose="answer") as work:

        async def respond() -> Response:
            results = await asking.answer_questions(work, replies)
            note_denied(request, work, results)
            language = language_of(request)
            said = [_result(language, r.question_id, result) for r, result in zip(replies, results, strict=True)]
            return json_response(QuestionResults(items=said))

        return await idempotent(request, work, key, respond)


def _result(language: Language, question_id: str, result: Result) -> QuestionResult:
    if not isinstance(result, Refused):
        return QuestionResult(question_id=question_id, ok=True, status=200, answered_at=result.answered_at)
    status, code, title = answer_of(result)
    return QuestionResult(
        question_id=question_id,
        ok=False,
        status=status,
        code=code,
        title=words.translate(language, title),
        conflict=conflict_of(result, language) if status == 409 else None,
    )


def _shown(question: Question) -> dict[str, Any]:
    return {
        "question_id": question.question_id,
        "case_id": question.case_id,
        "agency_id": None if question.restricted else question.agency_id,
        "question": question.code,
        "answers": list(QUESTIONS[question.code]),
        "asked_at": question.asked_at.isoformat(),
        "due_at": question.due_at.isoformat(),
    }
