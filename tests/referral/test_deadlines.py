"""Until when an agency has time, and what falls due."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

from services.referral.domain import calendars, hours
from services.referral.domain.deadlines import Times, falls_due
from services.referral.domain.routing import Candidate, Counted, Terms
from tests.referral.factories import START, an_asked_need

FRIDAY_EVENING = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
MONDAY = datetime(2026, 11, 30, 1, 30, tzinfo=UTC)
OFFICE = calendars.calendar("Asia/Makassar", hours.STATUTORY, "73")
AT_THE_OFFICE = Times(calendar_of=lambda _: OFFICE)


def asked(hours: int, counted: Counted | None = None) -> Candidate:
    return Candidate("DINSOS-73.06", Terms(0, hours, 24, counted=counted))


class TestTimes:
    def test_count_while_the_office_is_open(self) -> None:
        assert AT_THE_OFFICE.answer_due(asked(2), "ELDER", now=FRIDAY_EVENING) == MONDAY

    def test_never_sleep_where_it_is_most_urgent(self) -> None:
        for need in ("UAC", "TIP", "GBV", "SICK"):
            due = AT_THE_OFFICE.answer_due(asked(1), need, now=FRIDAY_EVENING)
            assert due == FRIDAY_EVENING + timedelta(hours=1)

    def test_count_as_the_rules_say_where_they_do(self) -> None:
        due = {c: AT_THE_OFFICE.answer_due(asked(2, c), "ELDER", now=FRIDAY_EVENING) for c in get_args(Counted)}

        assert due == {"always": FRIDAY_EVENING + timedelta(hours=2), "working": MONDAY}

    def test_are_hours_of_the_clock_where_no_office_is_known(self) -> None:
        assert Times().after("X", "ELDER", 4, now=FRIDAY_EVENING) == FRIDAY_EVENING + timedelta(hours=4)


class TestFallsDue:
    def test_nothing_before_its_time_nor_once_it_was_told(self) -> None:
        [asked] = an_asked_need().attempts
        helping = replace(asked, state="accepted", service_due_at=START)

        assert falls_due(asked, now=START) is None
        assert falls_due(asked, now=asked.answer_due_at) == "expires"
        assert falls_due(replace(asked, answer_left=timedelta()), now=asked.answer_due_at) == "question_lapses"
        assert falls_due(helping, now=START) == "is_overdue"
        assert falls_due(replace(helping, overdue_told_at=START), now=START) is None
        assert falls_due(replace(asked, state="declined", ended_at=START), now=START + timedelta(days=9)) is None
