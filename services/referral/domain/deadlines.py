"""Until when an agency opens, answers and helps, and what falls due. Pure: what the clock decides, it decides here.

An agency has one clock at a time: for opening what it is asked, then for deciding, then for the first help. The rules'
hours are counted while the agency's office is open, except of the most urgent needs, which never sleep.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from services.referral.domain import assignments, calendars
from services.referral.domain.assignments import Assignment
from services.referral.domain.calendars import Calendar
from services.referral.domain.routing import Candidate, Counted, Terms
from shared.contracts import codes
from shared.contracts.referral import ExpiryCause

NEVER_SLEEPS = 1
"""The urgency of which hours are hours of the clock."""

FallsDue = Literal["expires", "question_lapses", "is_overdue"]
Clock = Literal["acknowledge", "decide", "question", "review", "serve"]
"""What the time that runs is for: opening it, deciding, the port's answer, the day of the waiting list, helping."""

CAUSES: Mapping[assignments.State, ExpiryCause] = {
    "sent": "not_opened",
    "delivered": "not_opened",
    "acknowledged": "not_decided",
    "waitlisted": "not_reviewed",
}
"""Which time is over when an attempt expires."""


@dataclass(frozen=True, slots=True)
class Counting:
    """How the time of one agency at one need is counted.

    `calendar`: None for hours of the clock. `terms`: what it was asked on; None where that is not known, as of rules
    that gave one time for opening and answering, where opening it changes no deadline.
    """

    calendar: Calendar | None
    limit: timedelta | None
    terms: Terms | None

    def after(self, span: timedelta, *, now: datetime) -> datetime:
        """The moment when so much of its time has passed."""
        return now + span if self.calendar is None else calendars.add_working(now, span, self.calendar)

    def left(self, until: datetime, *, now: datetime) -> timedelta:
        """How much of its time is left; nothing where that is past."""
        if self.calendar is not None:
            return calendars.working_between(now, until, self.calendar)
        return max(until - now, timedelta())

    def answer_due(self, hours: float, *, now: datetime) -> datetime:
        """When a time to open or to answer is over, or sooner where a limit is set."""
        due = self.after(timedelta(hours=hours), now=now)
        return due if self.limit is None else min(due, now + self.limit)

    def deciding(self, assignment: Assignment, *, now: datetime) -> datetime:
        """Until when the agency decides that has it open now: the time begins when it is opened, and then stays.

        Where a question to the port had stopped it, as much is left as was then.
        """
        if assignment.answer_left is not None:
            return self.after(assignment.answer_left, now=now)
        if assignment.acknowledged_at is not None or self.terms is None or not self.terms.acknowledge_hours:
            return assignment.answer_due_at
        return self.answer_due(self.terms.decide_hours, now=now)


HOURS_OF_THE_CLOCK = Counting(None, None, None)


@dataclass(frozen=True, slots=True)
class Times:
    """How the hours of the rules become moments. `limit` caps each time to open and to answer (for drills).

    `calendar_of`: the calendar of an agency, None where its hours are not known: there they are hours of the clock.
    """

    limit: timedelta | None = None
    calendar_of: Callable[[str], Calendar | None] = lambda _: None

    def of(self, agency_id: str, need: str, terms: Terms | None = None) -> Counting:
        """How this agency's time is counted at such a need."""
        always = counted_of(need, None if terms is None else terms.counted) == "always"
        return Counting(None if always else self.calendar_of(agency_id), self.limit, terms)

    def answer_due(self, candidate: Candidate, need: str, *, now: datetime) -> datetime:
        """When it has to have been opened, or, where the rules give one time for both, answered."""
        counting = self.of(candidate.agency_id, need, candidate.terms)
        return counting.answer_due(candidate.terms.first_hours, now=now)


def counted_of(need: str, counted: Counted | None) -> Counted:
    """Which hours count: as the rules say, else by the need's own urgency."""
    return counted or ("always" if codes.needs()[need].priority <= NEVER_SLEEPS else "working")


BY_THE_CLOCK = Times()
"""All hours are hours of the clock."""


def running(state: assignments.State, *, is_paused: bool) -> Clock | None:
    """What the time that runs is for; None where none does."""
    if state in assignments.HELPING:
        return "serve"
    if state in {"sent", "delivered"}:
        return "acknowledge"
    if state == "acknowledged":
        return "question" if is_paused else "decide"
    return "review" if state == "waitlisted" else None


def falls_due(assignment: Assignment, *, now: datetime) -> FallsDue | None:
    """What has fallen due of an attempt; None while its clock runs, or when it needs none any more."""
    if assignment.state in assignments.ASKED:
        if now < assignment.answer_due_at:
            return None
        return "expires" if assignment.answer_left is None else "question_lapses"
    due = assignment.service_due_at
    if assignment.state in assignments.HELPING and due is not None and due <= now:
        return "is_overdue" if assignment.overdue_told_at is None else None
    return None
