"""Until when an agency opens, answers and helps, and what falls due. Pure: what the clock decides, it decides here.

An agency has one clock at a time: for opening what it is asked, then for deciding, then for the first help. The rules'
hours are counted while the agency's office is open, except of the most urgent needs, which never sleep.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from services.referral.domain import assignments, calendars
from services.referral.domain.assignments import Assignment, Deadline
from services.referral.domain.calendars import Calendar
from services.referral.domain.routing import Candidate, Counted, Terms
from shared.contracts import codes

NEVER_SLEEPS = 1
"""The urgency of which hours are hours of the clock."""

REMINDED_AFTER = 0.75
"""The share of a time after which its agency is reminded: what is left is still enough to act."""
DAY_BEFORE = timedelta(days=1)
"""How long before the day of the waiting list its agency is reminded at the earliest."""

FallsDue = Literal["is_reminded", "expires", "question_lapses", "is_overdue"]
Clock = Literal["acknowledge", "decide", "question", "review", "serve"]
"""What the time that runs is for: opening it, deciding, the port's answer, the day of the waiting list, helping."""
Cause = Literal["not_opened", "not_decided", "not_reviewed"]
"""Which time is over when an attempt expires."""

CAUSES: Mapping[assignments.State, Cause] = {
    "sent": "not_opened",
    "delivered": "not_opened",
    "acknowledged": "not_decided",
    "waitlisted": "not_reviewed",
}


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

    def answer(self, hours: float, *, now: datetime) -> Deadline:
        """A time to open or to answer, which ends sooner where a limit is set."""
        return self._within(timedelta(hours=hours), now=now, limit=self.limit)

    def service(self, hours: int, *, now: datetime) -> Deadline:
        """The time until the first help."""
        return self._within(timedelta(hours=hours), now=now)

    def review(self, until: datetime, *, now: datetime) -> Deadline:
        """The time on the waiting list, until the day that the agency has named."""
        at = self.after(timedelta(), now=until - min((until - now) * (1 - REMINDED_AFTER), DAY_BEFORE))
        return Deadline(until, at if at < until else None)

    def deciding(self, assignment: Assignment, *, now: datetime) -> Deadline:
        """Until when the agency decides that has it open now: the time begins when it is opened, and then stays.

        Where a question to the port had stopped it, as much is left as was then.
        """
        if assignment.answer_left is not None:
            left = self._within(assignment.answer_left, now=now)
            return left if assignment.reminded_at is None else Deadline(left.due_at)
        if assignment.acknowledged_at is not None or self.terms is None or not self.terms.acknowledge_hours:
            return Deadline(assignment.answer_due_at, assignment.remind_at)
        return self.answer(self.terms.decide_hours, now=now)

    def unknown_year(self, assignment: Assignment, *, now: datetime) -> int | None:
        """The year within the time that runs whose holidays are not decreed yet: more of them may fall into it."""
        if self.calendar is None or assignment.due_at is None:
            return None
        return calendars.unknown_year(now, max(assignment.due_at, now), self.calendar)

    def _within(self, span: timedelta, *, now: datetime, limit: timedelta | None = None) -> Deadline:
        due, remind = self.after(span, now=now), self.after(span * REMINDED_AFTER, now=now)
        if limit is not None:
            due, remind = min(due, now + limit), min(remind, now + limit * REMINDED_AFTER)
        return Deadline(due, remind if remind < due else None)


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

    def first(self, candidate: Candidate, need: str, *, now: datetime) -> Deadline:
        """The time to open it, or, where the rules give one time for both, to answer."""
        counting = self.of(candidate.agency_id, need, candidate.terms)
        return counting.answer(candidate.terms.first_hours, now=now)


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
    due = assignment.due_at
    if due is None or assignment.overdue_told_at is not None:
        return None
    if now < due:
        return "is_reminded" if assignment.remind_at is not None and assignment.remind_at <= now else None
    if assignment.state in assignments.HELPING:
        return "is_overdue"
    return "expires" if assignment.answer_left is None else "question_lapses"


def remind(assignment: Assignment, counting: Counting, *, now: datetime) -> Assignment:
    """The attempt whose agency is reminded now, or, while its office is closed, when it opens next, if that is in time.

    Not a move: nothing that was decided on it is void by it.
    """
    assert assignment.due_at is not None
    opens_at = counting.after(timedelta(), now=now)
    if opens_at <= now:
        return replace(assignment, remind_at=None, reminded_at=now)
    return replace(assignment, remind_at=opens_at if opens_at < assignment.due_at else None)
