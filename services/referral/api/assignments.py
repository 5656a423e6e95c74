"""An agency's inbox, its cases and its answers; the identity of a person it helps."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.referral import policy, rules
from services.referral.actions import answering, disclosing, guarding, reaching
from services.referral.actions.answering import Answer, Result
from services.referral.actions.routing import Routing
from services.referral.api.items import Items, Verdict, answer_each, verdict
from services.referral.domain import assignments, deadlines, questions, refusals, responsibilities
from services.referral.domain.assignments import Assignment
from services.referral.domain.needs import Need
from services.referral.domain.questions import Question
from services.referral.domain.refusals import Refused
from services.referral.domain.responsibilities import Responsibility
from services.referral.rules import reasons
from services.referral.store import corrections, desk, needs, returns
from services.referral.store import questions as asked_of
from services.referral.store.desk import InboxItem
from shared.contracts import codes
from shared.contracts.fact import AwareDatetime, Code, Id
from shared.contracts.referral.assignments import DeclineReason
from shared.contracts.referral.referrals import Outcome
from shared.kit import words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.identity import require
from shared.kit.refusal import Refusal
from shared.kit.web import KEYED, FieldProblem, Invalid, json_response, language_of, reads_people
from shared.kit.words import Language, msg
from shared.kit.work import Work

router = APIRouter()

Worker = Annotated[Actor, Depends(require(*policy.WORKERS))]

ByName = Annotated[Actor, Depends(require(*policy.PEOPLE_AT_WORK))]

MOST_ROWS = 500

HandoverRef = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9./_-]{0,63}$")]
"""The number of a handover document. No spaces, so that it cannot hold a name."""


class IdentityFollows(Refusal):
    """The acceptance stands; the identity cannot be had at this moment."""

    status = 503
    code = "identity_follows"
    title = msg("The identity follows")

    def __init__(self) -> None:
        super().__init__(
            msg("Your acceptance is kept. The port's vault does not answer at the moment; please ask again."),
            headers={"Retry-After": "2"},
        )


class Item(BaseModel):
    """One assignment of a list. `version`: the one that was read; a newer one refuses the item."""

    model_config = ConfigDict(extra="forbid")

    assignment_id: Id
    version: int | None = Field(default=None, ge=0, le=2**31 - 1, strict=True)

    def answer(self) -> Answer:
        return Answer(**self.model_dump())


class Decline(Item):
    """`until`: with `no_capacity` or `wrong_service`, until when no such need is to be sent to your agency."""

    reason: DeclineReason
    side: Literal["PERSON", "AGENCY"] | None = None
    until: AwareDatetime | None = Field(default=None, examples=["2026-12-01T00:00:00+08:00"])


class Completion(Item):
    outcome: Outcome
    handover_ref: HandoverRef | None = None


class Failure(Item):
    outcome: Outcome


class ItemResult(Verdict):
    """As always, and of a refusal who was first where somebody was."""

    assignment_id: Id
    state: str | None = None
    version: int | None = None
    service_due_at: datetime | None = None
    answered_by: Code | None = None
    answered_at: datetime | None = None
    answer_due_at: datetime | None = None


class Results(BaseModel):
    items: list[ItemResult]


Act = Callable[[Work, Sequence[Answer]], Awaitable[list[Result]]]


@router.get("/inbox")
async def get_inbox(
    request: Request,
    actor: Worker,
    state: Annotated[list[assignments.State] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 100,
    after: Annotated[str, Query(pattern=desk.PLACE)] = "",
) -> Response:
    """The own agency's assignments: live ones by deadline, soonest first, or ended ones, latest first.

    `state` one or more; without it all that are live. `next` is the `after` of the next page.
    """
    wanted = state or sorted(assignments.LIVE)
    ended = [s for s in wanted if s in assignments.TERMINAL]
    if ended and len(ended) != len(wanted):
        raise Invalid([_problem(request, "/state", msg("Ask for live states or for ended ones, not both."))])
    async with _database(request).work(actor, purpose="look") as work:
        read = desk.list_ended if ended else desk.list_inbox
        found = await read(work, wanted, after=after, limit=limit)
        now = work.now
    return json_response(
        {
            "items": [_item(item) for item in found],
            "next": found[-1].place if len(found) == limit else None,
            "now": now.isoformat(),
        }
    )


@router.get("/assignments/{assignment_id}")
@reads_people
async def get_assignment(request: Request, actor: Worker, assignment_id: Id) -> Response:
    """One case as its agency may see it: coded summary, reasons, history. The reading is on the trail first.

    `holidays_unknown_of`: a year within the deadline that runs whose holidays are not decreed yet, else null.
    `earlier_landings`: how often the person had landed before, as far as people at a port have decided so.
    """
    async with _database(request).work(actor, purpose="read_case") as work:
        need, assignment = await answering.read_case(work, assignment_id)
        bodies = await needs.find_explanations(work, [need.referral.explanation])
        erased_at = await reaching.find_erased_at(work, need.referral.case_id)
        asked = (await asked_of.find_asked(work, [assignment_id])).get(assignment_id, [])
        responsible = await guarding.find_responsible(work, need)
        corrected = await corrections.list_corrections(work, need.referral.case_id)
        earlier = await returns.count_earlier(work, need.referral.case_id)
        routing: Routing = request.app.state.routing
        await routing.router(work)
        now = work.now
    case = _case(need, assignment, asked, bodies[need.referral.explanation], now)
    terms = rules.read(bodies[need.referral.explanation]).terms
    counting = routing.times.of(assignment.agency_id, need.referral.need, terms)
    more = {
        "holidays_unknown_of": counting.unknown_year(assignment, now=now),
        "identity_erased_at": erased_at and erased_at.isoformat(),
        "responsible": responsible and _responsible(need, responsible),
        "corrections": [asdict(one) for one in corrected],
        "earlier_landings": earlier,
    }
    return json_response(case | more)


@router.post("/assignments/acknowledgements", response_model=Results, openapi_extra=KEYED)
async def post_acknowledgements(request: Request, actor: Worker, posted: Items[Item]) -> Response:
    """Say that they were opened: the time to open them stops, and the time to decide runs."""
    act = partial(answering.acknowledge_assignments, routing=request.app.state.routing)
    return await post(request, actor, posted, "acknowledge", act)


@router.post("/assignments/acceptances", response_model=Results, openapi_extra=KEYED)
async def post_acceptances(request: Request, actor: Worker, posted: Items[Item]) -> Response:
    """Take them. From then on the identity may be asked for."""
    act = partial(answering.accept_assignments, routing=request.app.state.routing)
    return await post(request, actor, posted, "accept", act)


@router.post("/assignments/declines", response_model=Results, openapi_extra=KEYED)
async def post_declines(request: Request, actor: Worker, posted: Items[Decline]) -> Response:
    """Say no, with a coded reason; the next agency is asked, or a supervisor when the person refuses."""
    act = partial(answering.decline_assignments, routing=request.app.state.routing)
    return await post(request, actor, posted, "decline", act)


@router.post("/assignments/takeovers", response_model=Results, openapi_extra=KEYED)
async def post_takeovers(request: Request, actor: ByName, posted: Items[Item]) -> Response:
    """Answer for these children by name from now on, while your agency helps; a person only."""
    return await post(request, actor, posted, "answer_for", answering.take_over_children)


@router.post("/assignments/starts", response_model=Results, openapi_extra=KEYED)
async def post_starts(request: Request, actor: Worker, posted: Items[Item]) -> Response:
    """Say that help has begun."""
    return await post(request, actor, posted, "serve", answering.start_services)


@router.post("/assignments/completions", response_model=Results, openapi_extra=KEYED)
async def post_completions(request: Request, actor: Worker, posted: Items[Completion]) -> Response:
    """Help was given and handed over; `handover_ref` is the number of the document."""
    return await post(request, actor, posted, "serve", answering.complete_assignments)


@router.post("/assignments/failures", response_model=Results, openapi_extra=KEYED)
async def post_failures(request: Request, actor: Worker, posted: Items[Failure]) -> Response:
    """Accepted help came to nothing; the next agency is asked, or a supervisor, by the outcome."""
    act = partial(answering.fail_assignments, routing=request.app.state.routing)
    return await post(request, actor, posted, "serve", act)


@router.get("/assignments/{assignment_id}/identity")
@reads_people
async def get_identity(request: Request, actor: Worker, assignment_id: Id) -> Response:
    """Who the person is, asked of intake for this reading alone: while you help, and for thirty days after you have."""
    state = request.app.state
    try:
        fields = await disclosing.read_identity(
            state.database, state.disclosure, state.identity.service_token, actor, assignment_id
        )
    except refusals.IdentityFollows:
        raise IdentityFollows from None
    return json_response({"assignment_id": assignment_id, "fields": fields}, headers={"Cache-Control": "no-store"})


async def post(request: Request, actor: Actor, posted: Items[Any], purpose: str, act: Act) -> Response:
    """One action over the items, once per key."""
    answers = [item.answer() for item in posted.items]

    def say(language: Language, n: int, result: Result) -> ItemResult:
        return result_of(language, answers[n], result)

    return await answer_each(request, actor, purpose, lambda work: act(work, answers), say)


OF_A_REFUSAL = ("state", "answered_by", "answered_at")
OF_AN_ATTEMPT = ("state", "version", "service_due_at", "answer_due_at")


def result_of(language: Language, answer: Answer, result: Result) -> ItemResult:
    """What to say about one item."""
    names = OF_A_REFUSAL if isinstance(result, Refused) else OF_AN_ATTEMPT
    said = {name: getattr(result, name, None) for name in names}
    return verdict(language, ItemResult, result, assignment_id=answer.assignment_id, **said)


def _responsible(need: Need, step: Responsibility) -> dict[str, Any]:
    """Who answers for the child, as far as the agency may know it. `named`: a person does, by name."""
    shown = responsibilities.is_shown(need)
    return {
        "named": step.is_named,
        "since": step.since.isoformat(),
        "officer": step.officer if shown else None,
        "organisation": step.organisation if shown else None,
    }


def _case(need: Need, assignment: Assignment, asked: Sequence[Question], body: bytes, now: datetime) -> dict[str, Any]:
    r = need.referral
    decision = rules.read(body)
    return {
        "assignment_id": assignment.assignment_id,
        "referral_id": r.referral_id,
        "case_id": r.case_id,
        "state": assignment.state,
        "version": assignment.version,
        "attempt": assignment.attempt,
        "need": r.need,
        "restricted": r.restricted,
        "summary": {
            "sex": r.sex,
            "age_band": r.age_band,
            "port": r.port,
            "regency": r.regency,
            "province": r.province,
            "onward_wish": r.onward_wish,
            "arrived_at": r.arrived_at.isoformat(),
        },
        "questions": [
            {
                "question_id": q.question_id,
                "question": q.code,
                "answer": q.answer,
                "asked_at": q.asked_at.isoformat(),
                "due_at": q.due_at.isoformat(),
            }
            for q in asked
        ],
        "deadlines": {
            "clock": deadlines.running(assignment.state, is_paused=questions.is_paused(assignment)),
            "paused": questions.is_paused(assignment),
            "reminded_at": assignment.reminded_at and assignment.reminded_at.isoformat(),
            "answer_due_at": assignment.answer_due_at.isoformat(),
            "service_due_at": assignment.service_due_at and assignment.service_due_at.isoformat(),
        },
        "outcome": assignment.outcome,
        "handover_ref": assignment.handover_ref,
        "explanation": {
            "digest": r.explanation.hex(),
            "candidates": [c.agency_id for c in decision.candidates],
            **reasons.said(decision),
        },
        "attempts": [
            {"attempt": a.attempt, "agency_id": a.agency_id, "state": a.state, "sent_at": a.sent_at.isoformat()}
            for a in need.attempts
        ],
        "now": now.isoformat(),
    }


def _item(item: InboxItem) -> dict[str, Any]:
    return asdict(item) | {"clock": item.clock, "need_label": codes.needs()[item.need].label_id}


def _problem(request: Request, field: str, message: str) -> FieldProblem:
    return FieldProblem(field, words.translate(language_of(request), message))


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database
