"""Office time: opening hours, the three time zones, public holidays."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.referral.domain import calendars, hours
from services.referral.domain.agencies import Agency
from services.referral.domain.calendars import Calendar, add_working

MINUTE = timedelta(minutes=1)
ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")
SCHEDULES = (
    "MO,TU,WE,TH 07:30-16:00; FR 07:30-16:30",
    "MO,TU,WE,TH,FR,SA 08:00-12:00; MO,TU,WE 13:00-17:00",
    "SU 10:00-11:00",
    "MO,TU,WE,TH,FR,SA,SU 00:00-24:00",
)
MAKASSAR = calendars.calendar("Asia/Makassar", hours.read("MO,TU,WE,TH,FR 08:00-16:00"), "73")

any_calendar = st.builds(
    lambda zone, schedule, province: calendars.calendar(zone, hours.read(schedule), province),
    st.sampled_from(ZONES),
    st.sampled_from(SCHEDULES),
    st.sampled_from(["73", "91", None]),
)
any_minute = st.integers(0, 3 * 365 * 24 * 60).map(lambda n: datetime(2026, 1, 1, tzinfo=UTC) + n * MINUTE)
any_span = st.integers(0, 60 * 60).map(lambda n: n * MINUTE)


def at(text: str) -> datetime:
    """A moment of Makassar's."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Makassar"))


def is_open(calendar: Calendar, moment: datetime) -> bool:
    """Whether the office is open in the minute that begins then; written apart from what is tested."""
    local = moment.astimezone(calendar.zone)
    since = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)
    spans = calendar.week.get(local.isoweekday(), ()) if local.date() not in calendar.holidays else ()
    return any(opens <= since < closes for opens, closes in spans)


@pytest.mark.parametrize(
    ("start", "span", "due"),
    [
        ("2026-11-23T09:00", 4, "2026-11-23T13:00"),
        ("2026-11-23T15:00", 4, "2026-11-24T11:00"),
        ("2026-11-27T15:00", 2, "2026-11-30T09:00"),
        ("2026-11-28T12:00", 1, "2026-11-30T09:00"),
        ("2026-12-24T15:00", 2, "2026-12-28T09:00"),
        ("2026-11-23T08:00", 8, "2026-11-23T16:00"),
    ],
    ids=["within a day", "over night", "over a weekend", "from a weekend", "over Christmas", "to the end of a day"],
)
def test_counts_the_hours_in_which_the_office_is_open(start: str, span: int, due: str) -> None:
    assert add_working(at(start), timedelta(hours=span), MAKASSAR) == at(due)


def test_the_same_hours_end_earlier_the_further_east_an_office_lies() -> None:
    start = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)

    west, middle, east = (
        add_working(start, timedelta(hours=1), calendars.calendar(zone, hours.STATUTORY, None)) for zone in ZONES
    )

    assert (west - middle, middle - east) == (timedelta(hours=1), timedelta(hours=1))


def test_an_office_that_keeps_no_holidays_works_through_them() -> None:
    always = calendars.calendar("Asia/Makassar", hours.read("MO,TU,WE,TH,FR 08:00-16:00"), None)

    assert add_working(at("2026-12-24T15:00"), timedelta(hours=2), always) == at("2026-12-25T09:00")


def test_the_calendar_of_an_office_is_that_of_its_entry() -> None:
    office = Agency("DINSOS-91.71", "DINSOS", "regency", "91.71", "Dinsos", "Asia/Jayapura", True, False)

    assert calendars.of(office) is calendars.calendar("Asia/Jayapura", hours.STATUTORY, "91")
    assert date(2026, 12, 25) in calendars.of(office).holidays


def test_says_of_which_years_the_holidays_are_not_decreed_yet() -> None:
    assert [calendars.are_holidays_known(year) for year in (2026, 2027, 2031)] == [True, False, False]


@given(any_minute, any_span, any_calendar)
def test_agrees_with_counting_minute_by_minute(start: datetime, span: timedelta, calendar: Calendar) -> None:
    due = add_working(start, span, calendar)

    minutes = int((due - start) / MINUTE)
    if minutes > 200_000:
        return
    assert sum(is_open(calendar, start + n * MINUTE) for n in range(minutes)) == span / MINUTE


@given(any_minute, any_span, any_calendar)
def test_is_never_due_while_the_office_is_closed(start: datetime, span: timedelta, calendar: Calendar) -> None:
    due = add_working(start, span, calendar)

    assert due >= start
    assert is_open(calendar, due) or is_open(calendar, due - MINUTE)


@given(any_minute, any_span, any_span, any_calendar)
def test_two_spans_one_after_the_other_are_their_sum(
    start: datetime, first: timedelta, second: timedelta, calendar: Calendar
) -> None:
    assert add_working(add_working(start, first, calendar), second, calendar) == add_working(
        start, first + second, calendar
    )


@given(any_minute, any_minute, any_span, any_span, any_calendar)
def test_who_starts_later_or_has_longer_is_never_due_sooner(
    one: datetime, other: datetime, short: timedelta, long: timedelta, calendar: Calendar
) -> None:
    (one, other), (short, long) = sorted([one, other]), sorted([short, long])

    assert add_working(one, short, calendar) <= add_working(other, long, calendar)


@given(any_calendar, any_minute, any_span)
def test_between_two_moments_lie_the_hours_that_were_added(
    calendar: Calendar, start: datetime, span: timedelta
) -> None:
    assert calendars.working_between(start, add_working(start, span, calendar), calendar) == span


def test_nothing_lies_between_a_moment_and_one_before_it() -> None:
    assert calendars.working_between(at("2026-11-24T09:00"), at("2026-11-23T09:00"), MAKASSAR) == timedelta()
