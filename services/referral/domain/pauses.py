"""An agency that says it cannot or does not do this is passed over for such needs for a while, and told until when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.referral.domain.refusals import DateMissing

LASTS: Mapping[str, timedelta] = {"no_capacity": timedelta(days=3), "wrong_service": timedelta(days=90)}
"""How long by the reason of the decline, where the agency names no date of its own."""
MOST = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Pause:
    """One agency, one kind of need, until a moment. `restricted`: it came of a need that outsiders must not learn."""

    pause_id: str
    agency_id: str
    need: str
    restricted: bool
    region: str | None
    reason: str
    since: datetime
    until: datetime
    lifted_at: datetime | None = None
    lifted_by: str | None = None


def until(reason: str, wished: datetime | None, *, now: datetime) -> datetime | None:
    """Until when the agency is passed over; None where its reason says nothing about the next such need.

    Raises `DateMissing` for a date that is past, too far off, or given with a reason that pauses nothing.
    """
    lasts = LASTS.get(reason)
    if wished is None:
        return None if lasts is None else now + lasts
    if lasts is None or not now < wished <= now + MOST:
        raise DateMissing
    return wished
