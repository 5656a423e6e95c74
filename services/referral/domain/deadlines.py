"""Until when an agency answers and helps, and what falls due. Pure: what the clock decides, it decides here.

The rules' hours are counted while the agency's office is open, except of the most urgent needs, which never sleep.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from services.referral.domain import assignments, calendars
from services.referral.domain.assignments import Assignment
from services.referral.domain.calendars import Calendar
from services.referral.domain.routing import Candidate, Counted
from shared.contracts import codes

NEVER_SLEEPS = 1
"""The urgency of which hours are hours of the clock."""

FallsDue = Literal["expires", "question_lapses", "is_overdue"]


@dataclass(frozen=True, slots=True)
class Times:
    """How the hours of the rules become moments. `limit` caps the time to answer (for drills).

    `calendar_of`: the calendar of an agency, None where its hours are not known: there they are hours of the clock.
    """

    limit: timedelta | None = None
    calendar_of: Callable[[str], Calendar | None] = lambda _: None

    def answer_due(self, candidate: Candidate, need: str, *, now: datetime) -> datetime:
        """When an answer is due: after the rule's hours, or sooner where a limit is set."""
        due = self.after(candidate.agency_id, need, candidate.answer_hours, candidate.terms.counted, now=now)
        return due if self.limit is None else min(due, now + self.limit)

    def after(
        self, agency_id: str, need: str, hours: int, counted: Counted | None = None, *, now: datetime
    ) -> datetime:
        """The moment when so many hours have passed for this agency and need.

        `counted`: as the rules say; None where they leave it to the need's own urgency.
        """
        span = timedelta(hours=hours)
        calendar = None if counted_of(need, counted) == "always" else self.calendar_of(agency_id)
        return now + span if calendar is None else calendars.add_working(now, span, calendar)


def counted_of(need: str, counted: Counted | None) -> Counted:
    """Which hours count: as the rules say, else by the need's own urgency."""
    return counted or ("always" if codes.needs()[need].priority <= NEVER_SLEEPS else "working")


BY_THE_CLOCK = Times()
"""All hours are hours of the clock."""


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
