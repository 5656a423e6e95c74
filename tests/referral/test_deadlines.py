"""Until when an agency has time, and what falls due."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

from services.referral.domain import assignments, calendars, hours, needs, questions
from services.referral.domain.assignments import Assignment
from services.referral.domain.deadlines import Times, falls_due, remind
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
        assert AT_THE_OFFICE.first(asked(2), "ELDER", now=FRIDAY_EVENING).due_at == MONDAY

    def test_never_sleep_where_it_is_most_urgent(self) -> None:
        for need in ("UAC", "TIP", "GBV", "SICK"):
            due = AT_THE_OFFICE.first(asked(1), need, now=FRIDAY_EVENING).due_at
            assert due == FRIDAY_EVENING + timedelta(hours=1)

    def test_count_as_the_rules_say_where_they_do(self) -> None:
        due = {c: AT_THE_OFFICE.first(asked(2, c), "ELDER", now=FRIDAY_EVENING).due_at for c in get_args(Counted)}

        assert due == {"always": FRIDAY_EVENING + timedelta(hours=2), "working": MONDAY}

    def test_are_hours_of_the_clock_where_no_office_is_known(self) -> None:
        assert Times().first(asked(4), "ELDER", now=FRIDAY_EVENING).due_at == FRIDAY_EVENING + timedelta(hours=4)

    def test_to_open_it_and_to_decide_run_one_after_the_other(self) -> None:
        terms = Terms(1, 3, 24)
        attempt = an_attempt(terms, now=MONDAY)
        counting = AT_THE_OFFICE.of("DINSOS-73.06", "ELDER", terms)
        opened_at = MONDAY + timedelta(minutes=20)

        opened = assignments.acknowledge(attempt, answer=counting.deciding(attempt, now=opened_at), now=opened_at)

        assert attempt.answer_due_at == MONDAY + timedelta(hours=1)
        assert opened.answer_due_at == opened_at + timedelta(hours=3)
        assert counting.deciding(opened, now=opened_at + timedelta(hours=2)).due_at == opened.answer_due_at

    def test_of_rules_that_give_one_for_both_go_on_when_it_is_opened(self) -> None:
        attempt = an_attempt(Terms(0, 4, 24), now=MONDAY)

        due = AT_THE_OFFICE.of("DINSOS-73.06", "ELDER", Terms(0, 4, 24)).deciding(attempt, now=MONDAY)

        assert due.due_at == attempt.answer_due_at == MONDAY + timedelta(hours=4)

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


class TestHolidays:
    def test_of_a_year_that_are_not_decreed_yet_are_said_of_deadlines_in_it(self) -> None:
        counting = AT_THE_OFFICE.of("DINSOS-73.06", "ELDER")
        this_year, next_year = (
            replace(an_attempt(Terms(0, 8, 24), now=MONDAY), answer_due_at=MONDAY + timedelta(days=days))
            for days in (30, 40)
        )

        assert counting.unknown_year(this_year, now=MONDAY) is None
        assert counting.unknown_year(next_year, now=MONDAY) == 2027
        assert Times().of("DINSOS-73.06", "ELDER").unknown_year(next_year, now=MONDAY) is None
        assert AT_THE_OFFICE.of("DINSOS-73.06", "SICK").unknown_year(next_year, now=MONDAY) is None


class TestReminders:
    def test_come_after_three_quarters_of_the_time_in_office_hours(self) -> None:
        """Of eight hours six pass on Friday; of four from Friday evening three pass on Monday."""
        friday_morning = FRIDAY_EVENING - timedelta(hours=10)

        assert AT_THE_OFFICE.first(asked(8), "ELDER", now=friday_morning).remind_at == friday_morning + timedelta(
            hours=6
        )
        assert AT_THE_OFFICE.first(asked(4), "ELDER", now=FRIDAY_EVENING).remind_at == MONDAY + timedelta(hours=1)

    def test_come_on_the_day_before_the_day_of_the_waiting_list(self) -> None:
        counting = AT_THE_OFFICE.of("DINSOS-73.06", "ELDER")

        assert counting.review(MONDAY + timedelta(days=10), now=MONDAY).remind_at == MONDAY + timedelta(days=9)
        # The day before is a Sunday: when the office opens, which is before that day's moment.
        opens = MONDAY - timedelta(hours=2)
        assert counting.review(MONDAY, now=MONDAY - timedelta(days=10)).remind_at == opens

    def test_wait_for_the_office_to_open_where_the_clock_comes_late(self) -> None:
        attempt = replace(an_attempt(Terms(0, 8, 24), now=FRIDAY_EVENING), remind_at=FRIDAY_EVENING)
        counting = AT_THE_OFFICE.of("DINSOS-73.06", "ELDER")

        waiting = remind(attempt, counting, now=FRIDAY_EVENING)
        reminded = remind(attempt, counting, now=MONDAY)

        assert (waiting.remind_at, waiting.reminded_at) == (MONDAY - timedelta(hours=2), None)
        assert (reminded.remind_at, reminded.reminded_at) == (None, MONDAY)

    def test_are_not_repeated_on_a_time_that_a_question_had_stopped(self) -> None:
        counting = AT_THE_OFFICE.of("DINSOS-73.06", "ELDER")
        attempt = replace(an_attempt(Terms(0, 8, 24), now=MONDAY), remind_at=None, reminded_at=MONDAY)

        resumed = questions.resume(
            questions.ask(attempt, "q", "company", counting=counting, now=MONDAY), counting=counting, now=MONDAY
        )

        assert (resumed.remind_at, resumed.reminded_at) == (None, MONDAY)

    def test_come_anew_for_each_time(self) -> None:
        terms = Terms(1, 3, 24)
        asked_need = needs.ask(
            a_need(), Candidate("DINSOS-73.06", terms), assignment_id="1", times=AT_THE_OFFICE, now=MONDAY
        )
        opened = needs.acknowledge(asked_need, "1", version=None, times=AT_THE_OFFICE, terms=terms, now=MONDAY)
        taken = needs.accept(opened, "1", by="w", version=None, times=AT_THE_OFFICE, terms=terms, now=MONDAY)
        ended = needs.close(
            taken, reason="DECEASED", by="p", organisation="X", personally=True, version=None, now=MONDAY
        )

        assert [need.attempts[0].remind_at for need in (asked_need, opened, taken, ended)] == [
            MONDAY + timedelta(minutes=45),
            MONDAY + timedelta(hours=2, minutes=15),
            AT_THE_OFFICE.of("DINSOS-73.06", "ELDER").after(timedelta(hours=18), now=MONDAY),
            None,
        ]


class TestFallsDue:
    def test_nothing_before_its_time_nor_once_it_was_told(self) -> None:
        [asked] = an_asked_need().attempts
        helping = replace(asked, state="accepted", service_due_at=START)
        assert asked.remind_at is not None

        assert falls_due(asked, now=START) is None
        assert falls_due(asked, now=asked.remind_at) == "is_reminded"
        assert falls_due(replace(asked, remind_at=None), now=asked.remind_at) is None
        assert falls_due(asked, now=asked.answer_due_at) == "expires"
        assert falls_due(replace(asked, answer_left=timedelta()), now=asked.answer_due_at) == "question_lapses"
        assert falls_due(helping, now=START) == "is_overdue"
        assert falls_due(replace(helping, overdue_told_at=START), now=START) is None
        assert falls_due(replace(asked, state="declined", ended_at=START), now=START + timedelta(days=9)) is None
