"""Counts as people may see them, so that nobody can be found in them.

Every number is rounded to tens, totals too, and small ones are not shown, none among them. So no difference between
numbers that are shown, nor between two looks at them, tells how many there are of something that is few. Needs that are
the case team's alone stand together in one line of each table, whatever they are and wherever help is due.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.referral.domain.recipients import Outstanding

STEP = 10
FEWEST = 15
"""The least that is shown. Small cells end at 10; 11 to 14 would be rounded to 10 and so show what they are."""
FEWEST_RESTRICTED = 25
"""The least that is shown of restricted needs."""
RESTRICTED = "restricted"
"""The name of their line."""


def shown(count: int, *, fewest: int = FEWEST) -> int | None:
    """The count in tens; None when it is too small to be shown."""
    return None if count < fewest else (count + STEP // 2) // STEP * STEP


def published(figures: Mapping[str, Any], *, restricted: Mapping[str, int]) -> dict[str, Any]:
    """Exact figures, with the restricted needs in lines of their own, as people may see them.

    Lines whose total is too small are left out, wherever they come from. `restricted`: what these needs add to the
    totals. It is rounded by itself: who may count all others one by one takes nothing off a total that says more.
    """
    return {
        **figures,
        "rounded_to": STEP,
        "fewest": FEWEST,
        "totals": {name: _total(count, restricted.get(name, 0)) for name, count in figures["totals"].items()},
        "provinces": _lines(figures["provinces"], "province"),
        "needs": {
            need: number
            for need, count in figures["needs"].items()
            if (number := shown(count, fewest=_fewest(need))) is not None
        },
        "agencies": _lines(figures["agencies"], "agency_id"),
    }


def published_gaps(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The register of gaps as people may see it; lines whose total is too small are left out."""
    return _lines(rows, "need")


def published_register(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Gaps before who may see each need that is not restricted: exact, but for the line of all that are (`need` None).

    That one is rounded, since when to the day (it is of one need), and comes last; left out where it is too small.
    """
    rounded = [row if row["need"] is not None else _rounded(row) for row in map(dict, rows)]
    return sorted((row for row in rounded if row["total"] is not None), key=lambda row: row["need"] is None)


def published_outstanding(counts: Sequence[Outstanding]) -> list[Outstanding]:
    """Copies that agencies owe as people may see it. Each kind is one line, of which some may be of restricted needs.

    When the oldest was asked for, and when the first is due, is said to the day: each is of one copy.
    """
    return [
        replace(
            one,
            total=total,
            overdue=shown(one.overdue or 0, fewest=FEWEST_RESTRICTED),
            since=_day(one.since),
            next_by=_day(one.next_by) + timedelta(days=1),
        )
        for one in counts
        if (total := shown(one.total, fewest=FEWEST_RESTRICTED)) is not None
    ]


def _day(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _rounded(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "total": shown(row["total"], fewest=FEWEST_RESTRICTED), "since": _day(row["since"])}


def _total(count: int, restricted: int) -> int | None:
    parts = [n for n in (shown(count), shown(restricted, fewest=FEWEST_RESTRICTED)) if n is not None]
    return sum(parts) if parts else None


def _lines(rows: Sequence[Mapping[str, Any]], key: str) -> list[dict[str, Any]]:
    lines = [
        {
            name: shown(value, fewest=_fewest(row[key])) if isinstance(value, int) else value
            for name, value in row.items()
        }
        for row in rows
    ]
    return [line for line in lines if line["total"] is not None]


def _fewest(line: str) -> int:
    return FEWEST_RESTRICTED if line == RESTRICTED else FEWEST
