"""Limits that the law sets. They run beside the rules' clocks and no version of the rules moves them.

A limit is derived from when the need was opened or the person arrived; nothing of it is stored with the need. What is
not met in time comes before the national level with the article, once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Literal

from services.referral.domain.needs import Need
from services.referral.domain.referrals import Referral

Since = Literal["opened", "arrived"]
Until = Literal["accepted", "started", "ended"]
"""What meets a limit: an agency takes the need, begins to help, or the need ends."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How long the law gives. `need`: of which needs, None for all."""

    code: str
    article: str
    need: str | None
    within: timedelta
    since: Since
    until: Until

    def due(self, referral: Referral) -> datetime:
        """When it passes for this need."""
        return (referral.opened_at if self.since == "opened" else referral.arrived_at) + self.within

    def is_met(self, need: Need) -> bool:
        """True when what the law asks for has been done, in time or not."""
        if need.referral.is_terminal or self.until == "ended":
            return need.referral.is_terminal
        return any(a.service_due_at if self.until == "accepted" else a.started_at for a in need.attempts)


LIMITS = (
    # Rehabilitation, return and reintegration within seven days of the request; first aid for trauma or dangerous
    # illness likewise.
    Limit("uu-21-2007-52", "UU 21/2007 Pasal 52-53", "TIP", timedelta(days=7), "opened", "started"),
    # The unit that receives a victim's report hands it on within three times 24 hours, which takes that it has it.
    Limit("uu-12-2022-41", "UU 12/2022 Pasal 41 ayat (3)", "GBV", timedelta(hours=3 * 24), "opened", "accepted"),
    # Support of rehabilitation ends a year after the arrival.
    Limit("perban-6-2023", "Perban BP2MI 6/2023", None, timedelta(days=365), "arrived", "ended"),
)
BY_CODE = {limit.code: limit for limit in LIMITS}


@cache
def of(need: str) -> tuple[Limit, ...]:
    """The limits that the law sets for such a need, the shortest first."""
    return tuple(sorted((limit for limit in LIMITS if limit.need in {None, need}), key=lambda limit: limit.within))


def breached(need: Need, *, now: datetime) -> list[Limit]:
    """Those that have passed unmet."""
    return [limit for limit in of(need.referral.need) if limit.due(need.referral) <= now and not limit.is_met(need)]
