"""Office hours: a weekly schedule, written `MO,TU,WE,TH 07:30-16:00; FR 07:30-16:30` (days as in iCalendar)."""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
PART = re.compile(r"((?:[A-Z]{2})(?:,[A-Z]{2})*) ([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})")
MIDNIGHT = 24 * 60
MOST = 28
"""Spans of a week: four a day."""


class HoursUnreadable(ValueError):
    """Not a weekly schedule; the text names the part at fault."""


@dataclass(frozen=True, slots=True, order=True)
class Opening:
    """One span of a weekday, in the office's own time zone."""

    weekday: int
    """1 Monday … 7 Sunday, as `date.isoweekday` counts."""
    opens: int
    """Minutes since midnight."""
    closes: int
    """Minutes since midnight, up to 1440."""


Hours = tuple[Opening, ...]
"""In order, no two overlapping."""


def read(text: str) -> Hours:
    """The schedule that is written there. Raises `HoursUnreadable`."""
    found: list[Opening] = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        match = PART.fullmatch(part)
        if match is None or not set(match[1].split(",")) <= set(DAYS):
            raise HoursUnreadable(part)
        opens, closes = int(match[2]) * 60 + int(match[3]), int(match[4]) * 60 + int(match[5])
        if int(match[3]) > 59 or int(match[5]) > 59 or not 0 <= opens < closes <= MIDNIGHT:
            raise HoursUnreadable(part)
        found += [Opening(DAYS.index(day) + 1, opens, closes) for day in match[1].split(",")]
    return schedule(found)


def schedule(openings: Iterable[Opening]) -> Hours:
    """These spans in order. Raises `HoursUnreadable` when there is none, when two overlap, or for too many."""
    ordered = tuple(sorted(openings))
    if not ordered or len(ordered) > MOST:
        raise HoursUnreadable(f"{len(ordered)}")
    for before, after in itertools.pairwise(ordered):
        if before.weekday == after.weekday and after.opens < before.closes:
            raise HoursUnreadable(f"{DAYS[after.weekday - 1]} {_clock(after.opens)}")
    return ordered


def parts(hours: Hours) -> list[tuple[tuple[str, ...], str, str]]:
    """Days that share a span, with the span: (`MO`, `TU`), `07:30`, `16:00`."""
    days: dict[tuple[int, int], list[str]] = {}
    for opening in hours:
        days.setdefault((opening.opens, opening.closes), []).append(DAYS[opening.weekday - 1])
    return [(tuple(names), _clock(opens), _clock(closes)) for (opens, closes), names in days.items()]


def written(hours: Hours) -> str:
    """The schedule as text; `read` gives it back."""
    return "; ".join(f"{','.join(days)} {opens}-{closes}" for days, opens, closes in parts(hours))


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


STATUTORY = read("MO,TU,WE,TH 07:30-16:00; FR 07:30-16:30")
"""Offices of the state: five days, 37.5 hours without the breaks, from 07.30 local time (Perpres 21/2023 Art. 3-4)."""
