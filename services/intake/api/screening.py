"""Screening: the questions that are asked, what answers come to, and what was decided on them."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.intake import policy, screening
from services.intake.actions import arrival_corrections
from services.intake.actions import screening as actions
from services.intake.actions.arrival_corrections import ArrivalChanged, ChangedMeanwhile
from services.intake.api.arrival_corrections import CONFLICTS
from services.intake.api.keyed import once
from services.intake.domain.screening import Answer, Assessment, Circumstances, Element, Group, Interpreter, Level
from services.intake.domain.screening import Screening as Kept
from services.intake.store import screenings as store
from shared.contracts.codes import NeedCode, TraffickingDecision, TraffickingReason
from shared.contracts.fact import Id
from shared.kit import identity, web
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.work import Work

router = APIRouter(tags=["screening"])

Officer = Annotated[Actor, Depends(identity.require("port_officer"))]
Reader = Annotated[Actor, Depends(identity.require(*policy.PORT_ROLES))]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,40}$")]
Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")
]

MOST = 200
MOST_ANSWERS = 200


class QuestionOut(BaseModel):
    """`shows`: the answer that points to a need."""

    id: str
    group: Group
    text_id: str
    text_en: str
    shows: Answer


class QuestionnaireOut(BaseModel):
    """`private`: groups that are asked with nobody else in the room."""

    version: str
    questions: list[QuestionOut]
    private: list[Group]


class AnswersIn(BaseModel):
    """Answers by question; what was not asked is left out."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [{"questionnaire": "2026-12", "answers": {"hurt_now": "yes", "no_family": "no"}}]
        },
    )

    questionnaire: Code
    answers: Annotated[dict[Code, Answer], Field(max_length=MOST_ANSWERS)]


class ScreeningIn(AnswersIn):
    """A talk and what was decided on it. `version` is that of the arrival as it was looked at.

    `needs`: those that the officer chose, on the answers or beyond them; age and company bring theirs by themselves.
    `reason` is there where the decision is another than the answers point to.
    """

    version: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]
    needs: tuple[NeedCode, ...] = ()
    decision: TraffickingDecision
    reason: TraffickingReason | None = None
    place: Words
    """Where they talked, like: room 2. Never a name."""
    spoken_in: Annotated[Words, StringConstraints(max_length=40)]
    """The language of the talk."""
    interpreter: Interpreter
    alone: Annotated[bool, Field(strict=True)]
    """Nobody else listened."""


class TraffickingOut(BaseModel):
    """`elements` of the definition that were shown, by which questions (`shown`), the weightiest first."""

    level: Level
    score: int
    elements: list[Element]
    shown: list[str]


class AssessmentOut(BaseModel):
    """What answers point to; a person decides. `because`: the questions that show each need."""

    proposed: list[NeedCode]
    because: dict[NeedCode, list[str]]
    trafficking: TraffickingOut
    open: list[str]


class ScreeningOut(BaseModel):
    """A talk in codes, without what was answered."""

    screening_id: str
    case_id: str
    questionnaire: str
    screened_by: str
    screened_at: datetime
    place: str
    spoken_in: str
    interpreter: Interpreter
    alone: bool
    proposed: list[NeedCode]
    added: list[NeedCode]
    level: Level
    score: int
    decision: TraffickingDecision
    reason: TraffickingReason | None


class AnsweredOut(ScreeningOut):
    """With the answers, and why it came to what it did by the version it was asked with; empty once the person was
    erased. `because`, `elements`, `shown`: as in a trial.
    """

    answers: dict[str, Answer]
    because: dict[NeedCode, list[str]]
    elements: list[Element]
    shown: list[str]


class ScreeningsOut(BaseModel):
    """`next` is the `after` of the next page; None on the last."""

    items: list[ScreeningOut]
    next: str | None


@router.get("/api/screening", response_model=QuestionnaireOut, summary="The questions that are asked now")
async def show_questionnaire(_: Reader, version: Annotated[Code | None, Query()] = None) -> Response:
    """In both languages. `version`: those of an earlier version, as a screening names it."""
    asked = screening.current() if version is None else actions.questionnaire(version)
    questions = [
        {"id": q.id, "group": q.group, "text_id": q.text["id"], "text_en": q.text["en"], "shows": q.shows}
        for q in asked.questions
    ]
    return web.json_response({"version": asked.version, "questions": questions, "private": sorted(asked.private)})


@router.post("/api/arrivals/{case_id}/screening-trial", response_model=AssessmentOut, summary="What answers come to")
async def try_answers(request: Request, case_id: Id, sent: AnswersIn, actor: Officer) -> Response:
    """Nothing is kept; the header Idempotency-Key is not needed."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="screen") as work:
        found = await actions.try_answers(work, case_id, version=sent.questionnaire, answers=sent.answers)
    return web.json_response(assessment_out(found))


@router.post(
    "/api/arrivals/{case_id}/screenings",
    status_code=201,
    response_model=ScreeningOut,
    summary="Keep a talk, and add the needs that were found",
    openapi_extra=web.KEYED,
    responses=CONFLICTS,
)
async def screen(request: Request, case_id: Id, sent: ScreeningIn, actor: Officer) -> Response:
    """No need is taken away by it. Needs the header Idempotency-Key."""
    vault = request.app.state.vault

    async def act(work: Work) -> Response:
        done = await actions.screen(
            work,
            vault,
            case_id,
            arrival_version=sent.version,
            version=sent.questionnaire,
            answers=sent.answers,
            chosen=sent.needs,
            decision=sent.decision,
            reason=sent.reason,
            circumstances=Circumstances(sent.place, sent.spoken_in, sent.interpreter, sent.alone),
        )
        return web.json_response(screening_out(done), 201)

    try:
        return await once(request, actor, act, purpose="screen", names=True)
    except ChangedMeanwhile as changed:
        raise ArrivalChanged(web.language_of(request), changed, lambda _, code: code) from None


@router.get(
    "/api/arrivals/{case_id}/screenings", response_model=ScreeningsOut, summary="Talks with a person, the latest first"
)
async def list_screenings(request: Request, case_id: Id, actor: Officer) -> Response:
    """In codes, without what was answered."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="look") as work:
        await arrival_corrections.look(work, case_id)
        found = await store.of_case(work, case_id)
    return web.json_response({"items": [screening_out(one.screening) for one in found], "next": None})


@router.get("/api/screenings", response_model=ScreeningsOut, summary="Who is to be assessed further")
async def list_further(
    request: Request,
    actor: Officer,
    after: Annotated[Id | None, Query(description="The `next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> Response:
    """People of the port of whom it is open whether they were trafficked, the earliest first."""
    database: Database = request.app.state.database
    policy.own_port(actor)
    async with database.work(actor, purpose="look") as work:
        found = await store.list_further(work, after=after, limit=limit + 1)
    next_ = found[limit - 1].screening_id if len(found) > limit else None
    return web.json_response({"items": [screening_out(one) for one in found[:limit]], "next": next_})


@router.get("/api/screenings/{screening_id}", response_model=AnsweredOut, summary="What was answered")
@web.reads_people
async def read_answers(request: Request, screening_id: Id, actor: Officer) -> Response:
    """It is on the trail."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="screen") as work:
        read = await actions.read_answers(work, request.app.state.vault, screening_id)
    why = {
        "because": read.found.because,
        "elements": read.found.trafficking.elements,
        "shown": read.found.trafficking.shown,
    }
    return web.json_response({**screening_out(read.screening), "answers": read.answers, **why})


def assessment_out(found: Assessment) -> dict[str, Any]:
    """An assessment as programs read it."""
    told = found.trafficking
    trafficking = {"level": told.level, "score": told.score, "elements": told.elements, "shown": told.shown}
    return {
        "proposed": found.proposed,
        "because": dict(found.because),
        "trafficking": trafficking,
        "open": found.open,
    }


def screening_out(done: Kept) -> dict[str, Any]:
    """A talk as programs read it."""
    talk = done.circumstances
    told = {"place": talk.place, "spoken_in": talk.language, "interpreter": talk.interpreter, "alone": talk.alone}
    return {
        **{name: getattr(done, name) for name in ScreeningOut.model_fields if name not in told},
        **told,
    }
