"""Between police and narcotics matters of a person and what protects the same person: no agency is asked for both."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.referral.domain import matters
from services.referral.domain.needs import Need
from services.referral.store import matters as store
from shared.kit.work import Work


@dataclass(frozen=True, slots=True)
class Walls:
    """Who has been asked for what of each case, in whatever attempt: who was asked has seen it."""

    asked: set[tuple[str, str, str]]

    def open_to(self, need: Need, available: frozenset[str]) -> frozenset[str]:
        """Of the agencies that take referrals those that may be asked for this need."""
        case_id, apart = need.referral.case_id, matters.opposite(need.referral.need)
        if not apart:
            return available
        return available - {agency for case, code, agency in self.asked if case == case_id and code in apart}

    def note(self, need: Need) -> None:
        """The latest attempt is made now, in this work."""
        self.asked.add((need.referral.case_id, need.referral.need, need.attempts[-1].agency_id))


async def around(work: Work, needs: Iterable[Need]) -> Walls:
    """The walls that stand around these needs."""
    walled = [need for need in needs if matters.opposite(need.referral.need)]
    if not walled:
        return Walls(set())
    case_ids = sorted({need.referral.case_id for need in walled})
    return Walls(set(await store.list_asked(work, case_ids, sorted(matters.CUSTODY | matters.PROTECTION))))
