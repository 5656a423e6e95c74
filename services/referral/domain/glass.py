"""Breaking the glass: somebody outside the case team reads a case in an emergency, and somebody else judges it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from services.referral.domain.matters import Matter
from services.referral.domain.refusals import AlreadyReviewed, GlassExpired, OwnGlass

Reason = Literal["danger_to_life", "child_at_risk", "agency_silent", "lawful_order"]
Decision = Literal["justified", "not_justified"]

HOURS = (1, 2, 4)
"""For how long a case may be opened."""
REVIEW_WITHIN = timedelta(hours=24)
PROTECTION_OFFICER = "data_protection_officer"


@dataclass(frozen=True, slots=True)
class Glass:
    """One case opened to one person for a time. `region`: the regency where help is due."""

    glass_id: str
    case_id: str
    region: str
    matter: Matter
    reason: Reason
    reference: str
    broken_by: str
    broken_at: datetime
    expires_at: datetime
    told: str
    """Whose task the review is: the supervisor of the province, or the data protection officer."""
    review_by: datetime
    reviewed_at: datetime | None = None
    reviewed_by: str | None = None
    decision: Decision | None = None
    overdue_told_at: datetime | None = None


def told(region: str, *, by_its_supervisor: bool) -> str:
    """Who is to judge: the supervisor of the region; of what that one has opened, the data protection officer."""
    return PROTECTION_OFFICER if by_its_supervisor else f"supervisor-{region[:2]}"


def expect_open(glass: Glass, *, now: datetime) -> None:
    """Refuse when its time is over. Raises `GlassExpired`."""
    if now >= glass.expires_at:
        raise GlassExpired


def review(glass: Glass, *, decision: Decision, by: str, now: datetime) -> Glass:
    """Somebody else has judged it. Raises `OwnGlass`, `AlreadyReviewed`."""
    if by == glass.broken_by:
        raise OwnGlass
    if glass.reviewed_at is not None:
        raise AlreadyReviewed
    return replace(glass, decision=decision, reviewed_by=by, reviewed_at=now)


LENGTHS: Mapping[int, timedelta] = {hours: timedelta(hours=hours) for hours in HOURS}
