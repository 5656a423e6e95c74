"""Working time of an office: its weekly hours in its own time zone, without public holidays.

Indonesia's zones have no summer time, so that a local day has always 24 hours.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from services.referral.domain.agencies import Agency
from services.referral.domain.hours import Hours
from shared.contracts import codes

Spans = tuple[tuple[timedelta, timedelta], ...]
"""When it opens and closes, from local midnight."""


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """When an office is open. Equal ones are one object (`calendar`)."""

    zone: ZoneInfo
    week: Mapping[int, Spans]
    """Spans by ISO weekday; a day without any is missing."""
    holidays: frozenset[date]

    def open_on(self, day: date) -> Spans:
        """Its spans on a day."""
        return () if day in self.holidays else self.week.get(day.isoweekday(), ())


@cache
def calendar(zone: str, hours: Hours, holidays_of: str | None) -> Calendar:
    """The calendar of these hours; `holidays_of`: the province whose holidays it keeps, None where it works on them.

    A year whose holidays are not known counts as plain weeks (`are_holidays_known`).
    """
    week: defaultdict[int, Spans] = defaultdict(tuple)
    for opening in hours:
        week[opening.weekday] += ((timedelta(minutes=opening.opens), timedelta(minutes=opening.closes)),)
    days = frozenset(h.day for h in codes.holidays() if holidays_of and h.province_code in {None, holidays_of})
    return Calendar(ZoneInfo(zone), dict(week), days)


NATIONAL = "00"
"""Stands for the province of an office that serves the whole country: it keeps the holidays of the whole country."""


def of(agency: Agency) -> Calendar:
    """The calendar that an office keeps."""
    province = NATIONAL if agency.region is None else agency.region[:2]
    return calendar(agency.zone, agency.opening_hours, province if agency.keeps_holidays else None)


@lru_cache(maxsize=4096)  # all that arrive in one batch arrive at one moment
def add_working(start: datetime, span: timedelta, calendar: Calendar) -> datetime:
    """The moment at which the office has been open for `span` since `start`, in UTC; `span` ≥ 0.

    It lies in office hours or at their end; of no time at all it is the first moment of office hours.
    """
    local = start.astimezone(calendar.zone)
    day, left = local.date(), span
    at = local.replace(tzinfo=None) - datetime.combine(day, time())
    while True:
        for opens, closes in calendar.open_on(day):
            begin = max(opens, at)
            if begin <= closes:
                if left <= closes - begin:
                    return (datetime.combine(day, time(), calendar.zone) + begin + left).astimezone(UTC)
                left -= closes - begin
        day, at = day + timedelta(days=1), timedelta()


def working_between(start: datetime, end: datetime, calendar: Calendar) -> timedelta:
    """How long the office is open from `start` to `end`; nothing where it ends first."""
    begin, until = start.astimezone(calendar.zone), end.astimezone(calendar.zone)
    day, open_for = begin.date(), timedelta()
    while day <= until.date():
        midnight = datetime.combine(day, time(), calendar.zone)
        for opens, closes in calendar.open_on(day):
            open_for += max(min(midnight + closes, until) - max(midnight + opens, begin), timedelta())
        day += timedelta(days=1)
    return open_for


@cache
def are_holidays_known(year: int) -> bool:
    """False for a year of which fixed holidays at most are in the data; on its others it counts as plain weeks."""
    return any(h.day.year == year and h.source.startswith(DECREED) for h in codes.holidays())


DECREED = "SKB"
"""The joint decree of three ministers that fixes the holidays of one year, those that move with the moon among them."""


def unknown_year(start: datetime, end: datetime, calendar: Calendar) -> int | None:
    """The first year from `start` to `end` of which not all holidays are known; None where the office keeps none."""
    if not calendar.holidays:
        return None
    years = range(start.astimezone(calendar.zone).year, end.astimezone(calendar.zone).year + 1)
    return next((year for year in years if not are_holidays_known(year)), None)
