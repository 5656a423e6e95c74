"""One case as its agency sees it: coded summary, reasons, what has happened, and what the agency does about it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import Response

from services.referral import policy, rules
from services.referral.actions import answering, guarding, households, passing, reaching
from services.referral.actions.answering import Answer, Result
from services.referral.actions.households import Company
from services.referral.domain import assignments, limits, responsibilities
from services.referral.domain import questions as questions_of
from services.referral.domain.assignments import Assignment
from services.referral.domain.consents import Consents
from services.referral.domain.corrections import Correction
from services.referral.domain.deadlines import running
from services.referral.domain.needs import Need
from services.referral.domain.questions import Question
from services.referral.domain.refusals import AssignmentUnknown, Refused
from services.referral.domain.responsibilities import Responsibility
from services.referral.pages import (
    conflicts,
    consentwords,
    corrections,
    explanations,
    forms,
    identities,
    labels,
    timeline,
)
from services.referral.rules import reasons
from services.referral.store import consents as book
from services.referral.store import corrections as corrected
from services.referral.store import needs, questions, returns
from shared.contracts import codes
from shared.contracts.fact import Id
from shared.kit import words
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import (
    FieldProblem,
    idempotent,
    key_of,
    language_of,
    page,
    page_router,
    reads_people,
    redirect,
)
from shared.kit.words import Language, msg, translate
from shared.kit.work import Work

router = page_router()

Worker = Annotated[Actor, Depends(require(*policy.WORKERS))]

ByName = Annotated[Actor, Depends(require(*policy.PEOPLE_AT_WORK))]

TYPED = ("question", "days", "why", "right", "split", "reason", "outcome", "handover_ref", "taker", "failure")
"""The fields of all forms on the page, each of one form or of two that never stand there together."""


@dataclass(frozen=True, slots=True)
class Case:
    """What the page shows of a case, before it is put in words."""

    need: Need
    assignment: Assignment
    lines: list[explanations.Line]
    terms: list[tuple[str, str]]
    rules_version: str
    unknown_year: int | None
    """A year within the deadline that runs whose holidays are not all known."""
    agency_names: dict[str, str]
    erased_at: datetime | None
    asked: list[Question]
    responsible: Responsibility | None
    """Who answers for it, if it is a child."""
    corrections: list[Correction]
    company: Company
    """The household of the person, as far as the agency sees it."""
    others: list[tuple[str, str]]
    """Agencies that may be named instead of this one: id and name."""
    earlier: int
    """How often the person had landed before."""
    consents: Consents
    """What the person has said of handing the case on."""


@router.get("/rujukan/{assignment_id}")
@reads_people
async def case_page(request: Request, actor: Worker, assignment_id: Id) -> Response:
    """The case. Looking at it is on the trail, and opens it when it is new."""
    return await _show(request, actor, assignment_id)


@router.post("/rujukan/{assignment_id}/terima")
async def accept(request: Request, actor: Worker, assignment_id: Id) -> Response:
    """Take it."""
    act = partial(answering.accept_assignments, routing=request.app.state.routing)
    return await do(request, actor, assignment_id, "accept", act, msg("Accepted. The identity is below."))


@router.post("/rujukan/{assignment_id}/tolak")
async def decline(request: Request, actor: Worker, assignment_id: Id) -> Response:
    """Say no; a reason is needed."""
    form = await request.form()
    reason = forms.text(form, "reason")
    if reason not in labels.REASONS:
        return await again(request, actor, assignment_id, "reason", msg("Choose a reason."))
    act = partial(answering.decline_assignments, routing=request.app.state.routing)
    said = msg("Declined. The next agency has been asked, or a supervisor told.")
    return await do(request, actor, assignment_id, "decline", act, said, reason=reason)


@router.post("/rujukan/{assignment_id}/mulai")
async def start(request: Request, actor: Worker, assignment_id: Id) -> Response:
    """Help has begun."""
    return await do(request, actor, assignment_id, "serve", answering.start_services, msg("Recorded: help has begun."))


@router.post("/rujukan/{assignment_id}/ambil-alih")
async def take_over(request: Request, actor: ByName, assignment_id: Id) -> Response:
    """Answer for the child by name from now on."""
    act = answering.take_over_children
    return await do(request, actor, assignment_id, "answer_for", act, msg("You answer for the child from now on."))


@router.post("/rujukan/{assignment_id}/selesai")
async def complete(request: Request, actor: Worker, assignment_id: Id) -> Response:
    """Help was given and handed over."""
    form = await request.form()
    outcome, reference = forms.text(form, "outcome"), forms.text(form, "handover_ref").strip()
    if outcome not in labels.SUCCESSES:
        return await again(request, actor, assignment_id, "outcome", msg("Choose an outcome."))
    if reference and not assignments.is_handover_ref(reference):
        said = msg("A reference has letters, digits and . / - _, no spaces, for example BAST/12/2026.")
        return await again(request, actor, assignment_id, "handover_ref", said)
    if assignments.needs_handover_ref(outcome) and not reference:
        said = msg("Give the number of the handover minutes; a handover without minutes has no witness.")
        return await again(request, actor, assignment_id, "handover_ref", said)
    return await do(
        request,
        actor,
        assignment_id,
        "serve",
        answering.complete_assignments,
        msg("Completed. The need is met."),
        outcome=outcome,
        handover_ref=reference or None,
    )


@router.post("/rujukan/{assignment_id}/gagal")
async def fail(request: Request, actor: Worker, assignment_id: Id) -> Response:
    """The help came to nothing."""
    form = await request.form()
    outcome = forms.text(form, "failure")
    if outcome not in labels.FAILURES:
        return await again(request, actor, assignment_id, "failure", msg("Choose what happened."))
    act = partial(answering.fail_assignments, routing=request.app.state.routing)
    said = msg("Recorded. The next agency has been asked, or a supervisor told.")
    return await do(request, actor, assignment_id, "serve", act, said, outcome=outcome)


async def do(
    request: Request,
    actor: Actor,
    assignment_id: str,
    purpose: str,
    act: Callable[..., Awaitable[list[Result]]],
    said: str,
    **values: Any,
) -> Response:
    """One action on this case, once per form; a conflict shows the case as it is now and who was first."""
    form, key = await request.form(), await key_of(request)
    answer = Answer(assignment_id, version=forms.version(request, form), **values)
    try:
        async with request.app.state.database.work(actor, purpose=purpose) as work:

            async def once() -> Response:
                [result] = await act(work, [answer])
                if isinstance(result, Refused):
                    raise result
                return redirect(request, f"/rujukan/{assignment_id}", said=said)

            return await idempotent(request, work, key, once)
    except AssignmentUnknown:
        raise
    except Refused as refused:
        conflict = conflicts.sentence(language_of(request), refused, policy.zone(actor))
        return await _show(request, actor, assignment_id, status=409, conflict=conflict)


async def again(request: Request, actor: Actor, assignment_id: str, field: str, message: str) -> Response:
    """The page once more, with what is missing."""
    problem = FieldProblem(field, translate(language_of(request), message))
    return await _show(request, actor, assignment_id, status=422, errors=[problem])


async def _show(
    request: Request,
    actor: Actor,
    assignment_id: str,
    *,
    status: int = 200,
    errors: list[FieldProblem] | None = None,
    conflict: str = "",
) -> Response:
    database, language, form = request.app.state.database, language_of(request), await request.form()
    async with database.work(actor, purpose="read_case") as work:
        case = await _read(work, request, language, assignment_id)
        now = work.now
    identity = (
        await identities.shown(request, actor, case.assignment, erased_at=case.erased_at, now=now)
        if policy.may_answer(actor)
        else None
    )
    r, a = case.need.referral, case.assignment
    zone = policy.zone(actor)
    return page(
        request,
        "case.html",
        status=status,
        errors=errors or [],
        conflict=conflict,
        typed=forms.typed(form, TYPED),
        case=case,
        a=a,
        reference=labels.reference(r.case_id),
        need=labels.need(language, r.need),
        state=labels.STATES[a.state],
        by_law=[(one.article, one.due(r)) for one in limits.of(r.need) if not one.is_met(case.need)],
        summary=[
            (
                msg("Person"),
                f"{translate(language, labels.SEXES[r.sex])}, {translate(language, labels.AGES[r.age_band])}",
            ),
            (msg("Arrived at"), labels.port(r.port)),
            (msg("Arrival"), words.moment(language, r.arrived_at, _port_zone(r.port))),
            (msg("Help is due in"), f"{labels.region(r.regency)}, {labels.region(r.province)}"),
            (msg("Wish"), translate(language, labels.WISHES[r.onward_wish])),
            *labels.earlier(language, case.earlier),
            *_responsible(language, case, zone),
            *([(msg("Handover reference"), a.handover_ref)] if a.handover_ref else []),
        ],
        corrections=corrections.lines(language, case.corrections, zone),
        consents=consentwords.lines(language, case.consents, r.need, r.age_band, now=now, zone=zone),
        may_refuse=a.is_live and not r.child,
        identity=identity,
        assignment_id=assignment_id,
        field_labels=labels.FIELDS,
        covered=labels.COVERED,
        every_ms=identities.EVERY_MS,
        timeline=timeline.lines(language, case.need, a, case.agency_names, zone),
        reasons=[(code, translate(language, text)) for code, text in labels.REASONS.items()],
        successes=[(code, translate(language, text)) for code, text in labels.SUCCESSES.items()],
        failures=[(code, translate(language, text)) for code, text in labels.FAILURES.items()],
        questions=[(code, translate(language, text)) for code, text in labels.QUESTIONS.items()],
        asked=[_asked(language, question, a) for question in case.asked],
        forwards=[(code, translate(language, text)) for code, text in labels.FORWARDS.items()],
        splits=[(code, translate(language, text)) for code, text in labels.SPLITS.items()],
        reference_of=labels.reference,
        sexes=labels.SEXES,
        ages=labels.AGES,
        days=[(code, translate(language, text)) for code, (text, _) in labels.DAYS.items()],
        may_take_over=_may_take_over(actor, case),
        is_paused=questions_of.is_paused(a),
        clock=labels.CLOCKS[clock] if (clock := running(a.state, is_paused=questions_of.is_paused(a))) else "",
        may_wait=(a.state, "waitlisted") in assignments.MOVES,
        is_handing_on=a.state in assignments.HELPING and case.need.asked is not None,
        is_asked=a.state in assignments.ASKED,
        is_helping=a.state in assignments.HELPING,
        now=now,
        zone=zone,
    )


async def _read(work: Work, request: Request, language: Language, assignment_id: str) -> Case:
    need, assignment = await answering.read_case(work, assignment_id)
    if assignment.state in {"sent", "delivered"} and policy.opens_by_looking(work.actor):
        routing = request.app.state.routing
        [opened] = await answering.acknowledge_assignments(work, [Answer(assignment_id)], routing=routing)
        if isinstance(opened, Assignment):
            assignment = opened
            attempts = tuple(opened if x.attempt == opened.attempt else x for x in need.attempts)
            need = replace(need, attempts=attempts)
    bodies = await needs.find_explanations(work, [need.referral.explanation])
    directory = (await request.app.state.routing.router(work)).directory
    decision = rules.read(bodies[need.referral.explanation])
    return Case(
        need=need,
        assignment=assignment,
        lines=explanations.lines(language, need.attempts, decision, directory),
        terms=reasons.terms(language, decision),
        rules_version=decision.rules_version,
        unknown_year=request.app.state.routing.times.of(
            assignment.agency_id, need.referral.need, decision.terms
        ).unknown_year(assignment, now=work.now),
        erased_at=await reaching.find_erased_at(work, need.referral.case_id),
        asked=(await questions.find_asked(work, [assignment_id])).get(assignment_id, []),
        responsible=await guarding.find_responsible(work, need),
        consents=(await book.find_consents(work, [need.referral.case_id]))[need.referral.case_id],
        corrections=await corrected.list_corrections(work, need.referral.case_id),
        earlier=await returns.count_earlier(work, need.referral.case_id),
        company=await households.find_company(work, need.referral.case_id),
        others=passing.others(need, decision.candidates, directory),
        agency_names={a.agency_id: labels.agency(directory, a.agency_id) for a in need.attempts},
    )


def _responsible(language: Language, case: Case, zone: str) -> list[tuple[str, str]]:
    """Who answers for a child; where no person does yet, or the agency may not know who, only that."""
    step = case.responsible
    if step is None:
        return []
    since = words.moment(language, step.since, zone)
    if not step.is_named:
        return [
            (
                msg("Answers for the child"),
                translate(language, msg("the supervisor on duty, since %(when)s"), when=since),
            )
        ]
    if not responsibilities.is_shown(case.need):
        return [
            (msg("Answers for the child"), translate(language, msg("an officer, by name, since %(when)s"), when=since))
        ]
    return [(msg("Answers for the child"), f"{step.officer}, {step.organisation}, {since}")]


def _may_take_over(actor: Actor, case: Case) -> bool:
    """A person of the agency that helps, unless it is who answers already."""
    return (
        case.responsible is not None
        and actor.kind == "person"
        and case.assignment.state in assignments.HELPING
        and (case.responsible.officer, case.responsible.organisation) != (actor.id, actor.organisation)
    )


def _asked(language: Language, question: Question, a: Assignment) -> dict[str, Any]:
    answer = labels.ANSWERS.get(question.answer or "", "")
    return {
        "question": translate(language, labels.QUESTIONS[question.code]),
        "answer": translate(language, answer) if answer else "",
        "due_at": question.due_at,
        "is_open": question.question_id == a.question_id,
    }


def _port_zone(code: str) -> str:
    found = codes.ports().get(code)
    return found.zone if found else "Asia/Jakarta"
