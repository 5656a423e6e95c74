"""An assignment: one attempt to have one agency meet one need."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, get_args

from services.referral.domain import handovers, machines
from services.referral.domain.handovers import Handover
from services.referral.domain.refusals import (
    AlreadyAnswered,
    DateMissing,
    DisclosureEnded,
    IdentityWithheld,
    MoveNotAllowed,
    NotUndoable,
    ReasonMissing,
    Refused,
    TakenBack,
    TooLate,
    VersionChanged,
)
from services.referral.domain.routing import Candidate

State = machines.AttemptState
Event = machines.AttemptEvent
Side = Literal["PERSON", "AGENCY"]
Effect = Literal["ask_next", "ask_supervisor"]

STATES: tuple[State, ...] = get_args(State)
ASKED: frozenset[State] = frozenset({"sent", "delivered", "acknowledged", "waitlisted"})
"""The agency owes an answer."""
HELPING: frozenset[State] = frozenset({"accepted", "in_progress"})
"""The agency has the need; at most one assignment of a referral is in these."""
LIVE: frozenset[State] = ASKED | HELPING | {"proposed"}
TERMINAL: frozenset[State] = frozenset(STATES) - LIVE


MOVES = machines.moves(machines.ATTEMPT)
"""Every legal move. A terminal state has no exit: another try is another assignment with the next number."""

SUCCESS = frozenset(
    {"SERVICE_DELIVERED", "HANDED_TO_FAMILY", "HANDED_TO_SOCIAL_MINISTRY", "HANDED_TO_AGENCY", "REFERRED_ONWARD"}
)
"""Outcomes with which a need counts as met."""

UNDO_WITHIN = timedelta(seconds=10)
"""How long an acceptance can be undone, as long as nobody has read who the person is."""
MOST_WAITING = timedelta(days=90)

GRACE = timedelta(days=30)
"""How long after it has helped an agency may still look the person up, to finish its own papers."""

HANDOVER_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9./_-]{0,63}")

DECLINE_SIDE: Mapping[str, Side] = {
    "no_capacity": "AGENCY",
    "outside_region": "AGENCY",
    "wrong_service": "AGENCY",
    "duplicate": "AGENCY",
    "insufficient_facts": "AGENCY",
    "person_refused": "PERSON",
}
"""Whose decision each reason is."""

DECLINE_EFFECT: Mapping[str, Effect] = {
    "no_capacity": "ask_next",
    "outside_region": "ask_next",
    "wrong_service": "ask_next",
    # Whether it is the same person and the same need, a person has to see before anybody else is asked.
    "duplicate": "ask_supervisor",
    "insufficient_facts": "ask_next",
    # Asking agency after agency to help somebody who says no would be a chase; a person has to talk first.
    "person_refused": "ask_supervisor",
}
FAIL_EFFECT: Mapping[str, Effect] = {
    "NOT_ELIGIBLE": "ask_next",
    "NO_CAPACITY": "ask_next",
    "PERSON_REFUSED": "ask_supervisor",
    "COULD_NOT_CONTACT": "ask_supervisor",
    "PERSON_LEFT": "ask_supervisor",
    "DECEASED": "ask_supervisor",
    "DUPLICATE": "ask_supervisor",
}
"""What a failed outcome leads to. None of them closes the need: a person does, with a reason."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a time is over, and when its agency is reminded of it; None where it is not, or was already."""

    due_at: datetime
    remind_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """One attempt. `attempt` counts from 1 per referral and never repeats."""

    assignment_id: str
    referral_id: str
    attempt: int
    agency_id: str
    state: State
    version: int
    sent_at: datetime
    answer_due_at: datetime
    service_hours: int
    acknowledged_at: datetime | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None
    service_due_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    decline_reason: str | None = None
    decline_side: Side | None = None
    outcome: str | None = None
    handover_ref: str | None = None
    overdue_told_at: datetime | None = None
    transfer_of: str | None = None
    """The attempt whose agency hands the need on to this one."""
    question_id: str | None = None
    """The question to the port that has no answer yet."""
    answer_left: timedelta | None = None
    """What was left of the time to answer when that question paused it; `answer_due_at` is the question's meanwhile."""
    disclosed_at: datetime | None = None
    """When the identity was first read, if that was within the seconds in which an acceptance can be undone."""
    place: str | None = None
    """The sort of place of its agency that it has taken (`capacity.Place.key`), until it ends."""
    remind_at: datetime | None = None
    """When its agency is to be reminded of the deadline that runs; None once it was, and where it is not to be."""
    reminded_at: datetime | None = None
    """When it was reminded of that deadline."""
    end_reason: str | None = None
    """Why the sender took it back, or wants the help handed on."""

    @property
    def due_at(self) -> datetime | None:
        """The deadline that runs; None where none does."""
        if self.state in ASKED:
            return self.answer_due_at
        return self.service_due_at if self.state in HELPING else None

    @property
    def is_live(self) -> bool:
        return self.state in LIVE


def sent(
    candidate: Candidate,
    *,
    assignment_id: str,
    referral_id: str,
    attempt: int,
    deadline: Deadline,
    now: datetime,
) -> Assignment:
    """A new attempt, proposed and dispatched in one: the row and the fact that tells it commit together."""
    return Assignment(
        assignment_id=assignment_id,
        referral_id=referral_id,
        attempt=attempt,
        agency_id=candidate.agency_id,
        state="sent",
        version=1,
        sent_at=now,
        answer_due_at=deadline.due_at,
        remind_at=deadline.remind_at,
        service_hours=candidate.service_hours,
    )


def move(assignment: Assignment, event: Event, *, now: datetime) -> Assignment:
    """The assignment after the event. Raises `MoveNotAllowed`."""
    to = MOVES.get((assignment.state, event))
    if to is None:
        raise MoveNotAllowed("assignment", assignment.state, event, at=assignment.ended_at)
    moved = replace(
        assignment,
        state=to,
        version=assignment.version + 1,
        ended_at=now if to in TERMINAL else None,
        remind_at=None if to in TERMINAL else assignment.remind_at,
    )
    if to == "acknowledged":
        return moved
    return replace(moved, question_id=None, answer_left=None)  # who has decided needs no answer any more


def needs_handover_ref(outcome: str) -> bool:
    """True for outcomes that say that somebody was handed over."""
    return outcome.startswith("HANDED_TO_")


def is_handover_ref(text: str) -> bool:
    """True for the number of a document. It has no spaces, so that it cannot hold a name."""
    return HANDOVER_REF.fullmatch(text) is not None


def expect(assignment: Assignment, version: int | None) -> None:
    """Refuse when the caller decided on another version. Raises `VersionChanged`."""
    if version is not None and version != assignment.version:
        raise VersionChanged(expected=version, found=assignment.version)


def expect_disclosable(assignment: Assignment, *, now: datetime) -> None:
    """Refuse when its agency may not know who the person is. Raises `IdentityWithheld`, `DisclosureEnded`."""
    if assignment.state in HELPING:
        return
    if assignment.ended_at is None:
        raise IdentityWithheld
    if assignment.state != "completed" or now > assignment.ended_at + GRACE:
        raise DisclosureEnded


def acknowledge(assignment: Assignment, *, answer: Deadline, now: datetime) -> Assignment:
    """A named worker opened it: the time to decide, `answer`, runs. Opening it again changes nothing."""
    if assignment.state == "acknowledged":
        return assignment
    opened = move(expect_asked(assignment), "opened", now=now)
    has_new_clock = answer.due_at != opened.answer_due_at
    return replace(
        opened,
        acknowledged_at=now,
        answer_due_at=answer.due_at,
        remind_at=answer.remind_at,
        reminded_at=None if has_new_clock else opened.reminded_at,
    )


def accept(assignment: Assignment, *, by: str, service: Deadline, answer: Deadline, now: datetime) -> Assignment:
    """The agency takes the need; the time for its first service begins to run.

    `answer`: until when it would decide, had it only opened it; what an acceptance that is undone leaves.
    """
    return replace(
        move(expect_asked(assignment), "accepted", now=now),
        answer_due_at=answer.due_at,
        remind_at=service.remind_at,
        reminded_at=None,
        answered_at=now,
        answered_by=by,
        service_due_at=service.due_at,
    )


def undo(assignment: Assignment, *, now: datetime) -> Assignment:
    """The acceptance was a slip of the finger: the agency is asked as before. Raises `NotUndoable`.

    It is not reminded: somebody there had it in hand a moment ago.
    """
    moved = move(_expect_helping(assignment), "acceptance_undone", now=now)
    assert assignment.answered_at is not None
    is_late = now > assignment.answered_at + UNDO_WITHIN
    if is_late or assignment.disclosed_at is not None or assignment.transfer_of is not None:
        raise NotUndoable
    return replace(
        moved,
        acknowledged_at=assignment.acknowledged_at or assignment.answered_at,
        answered_at=None,
        answered_by=None,
        service_due_at=None,
        remind_at=None,
    )


def waitlist(assignment: Assignment, *, until: datetime, now: datetime) -> Assignment:
    """The agency would, but not yet: it looks again on a date, and decides by then. Raises `DateMissing`."""
    if not now < until <= now + MOST_WAITING:
        raise DateMissing
    waiting = move(expect_asked(assignment), "waitlisted", now=now)
    return replace(waiting, answer_due_at=until, remind_at=None, reminded_at=None)


def decline(assignment: Assignment, *, reason: str, side: Side | None, by: str, now: datetime) -> Assignment:
    """The agency says no. Raises `ReasonMissing` when reason and side do not belong together."""
    whose = DECLINE_SIDE.get(reason)
    if whose is None or (side is not None and side != whose):
        raise ReasonMissing
    return replace(
        move(expect_asked(assignment), "declined", now=now),
        answered_at=now,
        answered_by=by,
        decline_reason=reason,
        decline_side=whose,
    )


def start(assignment: Assignment, *, now: datetime) -> Assignment:
    """The agency begins to help; told once, however often it is said."""
    if assignment.state == "in_progress":
        return assignment
    return replace(move(_expect_helping(assignment), "service_started", now=now), started_at=now)


def complete(
    assignment: Assignment,
    *,
    outcome: str,
    handover_ref: str | None,
    now: datetime,
    minutes: Sequence[Handover] = (),
) -> Assignment:
    """Help was given and handed over. From `accepted` it has begun and ended in one.

    `minutes`: the recorded ones of this attempt, of which the reference names one. Raises `ReasonMissing` for an
    outcome that is none, and as `handovers.expect_recorded`.
    """
    if outcome not in SUCCESS:
        raise ReasonMissing
    _expect_helping(assignment)
    handovers.expect_recorded(outcome, handover_ref, minutes)
    begun = start(assignment, now=now) if assignment.state == "accepted" else assignment
    return replace(move(begun, "outcome_recorded", now=now), outcome=outcome, handover_ref=handover_ref)


def fail(assignment: Assignment, *, outcome: str, now: datetime) -> Assignment:
    """The accepted help did not come about."""
    if outcome not in FAIL_EFFECT:
        raise ReasonMissing
    return replace(move(_expect_helping(assignment), "outcome_failed", now=now), outcome=outcome)


def expect_asked(assignment: Assignment) -> Assignment:
    """The assignment, if an answer is still wanted. Raises `AlreadyAnswered`, `TooLate` or `TakenBack`."""
    if assignment.state not in ASKED:
        raise _settled(assignment)
    return assignment


def _expect_helping(assignment: Assignment) -> Assignment:
    """The assignment, unless its agency's part has ended. Raises `AlreadyAnswered`, `TooLate` or `TakenBack`."""
    if not assignment.is_live:
        raise _settled(assignment)
    return assignment


def _settled(assignment: Assignment) -> Refused:
    """Who was first, and when."""
    if assignment.state == "expired":
        return TooLate(state=assignment.state, ended_at=assignment.ended_at)
    if assignment.state in {"recalled", "cancelled_by_sender", "entered_in_error"}:
        return TakenBack(state=assignment.state, ended_at=assignment.ended_at)
    return AlreadyAnswered(
        state=assignment.state,
        answered_by=assignment.answered_by,
        answered_at=assignment.ended_at or assignment.answered_at,
    )
