"""What an agency may ask the port before it decides: coded questions, each with its coded answers. No free text."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.referral.domain import assignments
from services.referral.domain.assignments import Assignment
from services.referral.domain.deadlines import HOURS_OF_THE_CLOCK, Counting
from services.referral.domain.refusals import QuestionClosed, QuestionOpen, ReasonMissing

QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "still_at_port": ("yes", "has_left", "not_known"),
    "travels_on": ("today", "tomorrow", "within_a_week", "later", "not_known"),
    "fit_to_travel": ("yes", "with_escort", "no", "not_known"),
    "company": ("alone", "with_children", "with_family", "not_known"),
    "wants_help": ("yes", "no", "not_asked"),
    "papers": ("identity_card", "travel_letter", "none", "not_known"),
    "interpreter": ("not_needed", "needed", "not_known"),
}
"""The answers to each question."""

ANSWER_WITHIN = timedelta(hours=4)
"""How long the port has; then the agency's time runs on and a supervisor is told."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question of one attempt. `closed_at`: nobody needs the answer any more, since the agency has decided."""

    question_id: str
    assignment_id: str
    case_id: str
    agency_id: str
    port: str
    restricted: bool
    code: str
    asked_at: datetime
    due_at: datetime
    answered_at: datetime | None = None
    answered_by: str | None = None
    answer: str | None = None
    closed_at: datetime | None = None


def ask(
    assignment: Assignment, question_id: str, code: str, *, now: datetime, counting: Counting = HOURS_OF_THE_CLOCK
) -> Assignment:
    """The attempt while it waits for the port: its own time stands still, the question's runs.

    What is left of its own is counted as its agency's time is. Who asks has opened it, so that the time to decide runs.
    Raises `ReasonMissing` for a question that is none, `QuestionOpen` beside another.
    """
    if code not in QUESTIONS:
        raise ReasonMissing
    asked = assignments.expect_asked(assignment)
    if asked.question_id is not None:
        raise QuestionOpen
    return replace(
        assignments.move(asked, "question_asked", now=now),
        acknowledged_at=asked.acknowledged_at or now,
        question_id=question_id,
        answer_left=counting.left(counting.deciding(asked, now=now).due_at, now=now),
        answer_due_at=now + ANSWER_WITHIN,
        remind_at=None,
    )


def answer(question: Question, said: str, *, by: str, now: datetime) -> Question:
    """The question with its answer. Raises `QuestionClosed`, `ReasonMissing` for an answer to something else."""
    if question.answered_at is not None or question.closed_at is not None:
        raise QuestionClosed(answered_by=question.answered_by, at=question.answered_at or question.closed_at)
    if said not in QUESTIONS[question.code]:
        raise ReasonMissing
    return replace(question, answered_at=now, answered_by=by, answer=said)


def resume(assignment: Assignment, *, now: datetime, counting: Counting = HOURS_OF_THE_CLOCK) -> Assignment:
    """The answer is there: the agency has as much of its time as it had when it asked."""
    return replace(_running(assignment, "question_answered", counting, now=now), question_id=None)


def lapse(assignment: Assignment, *, now: datetime, counting: Counting = HOURS_OF_THE_CLOCK) -> Assignment:
    """Nobody answered in time: the agency's time goes on all the same. The question may still be answered."""
    return _running(assignment, "question_lapsed", counting, now=now)


def is_paused(assignment: Assignment) -> bool:
    """True while the agency's time stands still."""
    return assignment.answer_left is not None


def _running(assignment: Assignment, event: assignments.Event, counting: Counting, *, now: datetime) -> Assignment:
    moved = assignments.move(assignment, event, now=now)
    answer = counting.deciding(assignment, now=now)
    return replace(moved, answer_due_at=answer.due_at, remind_at=answer.remind_at, answer_left=None)
