"""What agencies ask the port before they decide; its officers answer with a code."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.referral import policy
from services.referral.actions import asking
from services.referral.actions.asking import Reply, Result
from services.referral.api.items import Items, Verdict, answer_each, verdict
from services.referral.domain.questions import QUESTIONS, Question
from services.referral.domain.refusals import Refused
from services.referral.store import questions
from shared.contracts.fact import Code, Id
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import KEYED, json_response
from shared.kit.words import Language

router = APIRouter()

Officer = Annotated[Actor, Depends(require(*policy.PORT_OFFICERS))]

MOST_ROWS = 500


class Answered(BaseModel):
    """`answer`: one of the question's own `answers`."""

    model_config = ConfigDict(extra="forbid")

    question_id: Id
    answer: Code = Field(examples=["with_escort"])


class QuestionResult(Verdict):
    question_id: Id
    answered_at: datetime | None = None


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
    replies = [Reply(**item.model_dump()) for item in posted.items]

    def say(language: Language, n: int, result: Result) -> QuestionResult:
        said = {
            "question_id": replies[n].question_id,
            "answered_at": None if isinstance(result, Refused) else result.answered_at,
        }
        return verdict(language, QuestionResult, result, **said)

    act = partial(asking.answer_questions, replies=replies, routing=request.app.state.routing)
    return await answer_each(request, actor, "answer", act, say)


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
