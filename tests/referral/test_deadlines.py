"""Until when an agency has time, and what falls due."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

from services.referral.domain import assignments, calendars, hours, needs, questions
from services.referral.domain.assignments import Assignment
from services.referral.domain.deadlines import Times, falls_due
from services.referral.domain.routing import Candidate, Counted, Terms
from tests.referral.factories import START, a_need, an_asked_need

FRIDAY_EVENING = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
MONDAY = datetime(2026, 11, 30, 1, 30, tzinfo=UTC)
OFFICE = calendars.calendar("Asia/Makassar", hours.STATUTORY, "73")
AT_THE_OFFICE = Times(calendar_of=lambda _: OFFICE)


def asked(hours: int, counted: Counted | None = None) -> Candidate:
    return Candidate("DINSOS-73.06", Terms(0, hours, 24, counted=counted))


def an_attempt(terms: Terms, *, now: datetime) -> Assignment:
    """An office in Makassar's time was asked now on these terms."""
    asked = needs.ask(a_need(), Candidate("DINSOS-73.06", terms), assignment_id="1", times=AT_THE_OFFICE, now=now)
    return asked.attempts[0]


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
        assert Times().answer_due(asked(4), "ELDER", now=FRIDAY_EVENING) == FRIDAY_EVENING + timedelta(hours=4)

    def test_to_open_it_and_to_decide_run_one_after_the_other(self) -> None:
        terms = Terms(1, 3, 24)
        attempt = an_attempt(terms, now=MONDAY)
        counting = AT_THE_OFFICE.of("DINSOS-73.06", "ELDER", terms)
        opened_at = MONDAY + timedelta(minutes=20)

        opened = assignments.acknowledge(
            attempt, answer_due_at=counting.deciding(attempt, now=opened_at), now=opened_at
        )

        assert attempt.answer_due_at == MONDAY + timedelta(hours=1)
        assert opened.answer_due_at == opened_at + timedelta(hours=3)
        assert counting.deciding(opened, now=opened_at + timedelta(hours=2)) == opened.answer_due_at

    def test_of_rules_that_give_one_for_both_go_on_when_it_is_opened(self) -> None:
        attempt = an_attempt(Terms(0, 4, 24), now=MONDAY)

        due = AT_THE_OFFICE.of("DINSOS-73.06", "ELDER", Terms(0, 4, 24)).deciding(attempt, now=MONDAY)

        assert due == attempt.answer_due_at == MONDAY + timedelta(hours=4)

    def test_that_a_question_stops_are_counted_in_office_hours(self) -> None:
        """Asked on Friday an hour before closing and answered on Saturday, it has the same hours left as before."""
        counting = AT_THE_OFFICE.of("DINSOS-73.06", "ELDER", Terms(0, 4, 24))
        attempt = an_attempt(Terms(0, 4, 24), now=FRIDAY_EVENING - timedelta(hours=4))
        asked_at = FRIDAY_EVENING - timedelta(hours=2, minutes=30)

        waiting = questions.ask(attempt, "q", "company", counting=counting, now=asked_at)
        resumed = questions.resume(waiting, counting=counting, now=FRIDAY_EVENING + timedelta(hours=12))

        assert attempt.answer_due_at == MONDAY - timedelta(minutes=30)
        assert waiting.answer_left == timedelta(hours=2, minutes=30)
        assert resumed.answer_due_at == MONDAY + timedelta(minutes=30)


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
