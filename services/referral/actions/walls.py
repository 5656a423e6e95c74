"""Between police and narcotics matters of a person and what protects the same person: no agency is asked for both.

Nor one that is known to have no place for somebody who has to be lodged, nor one that no consent and no law allows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.referral.actions import leasing
from services.referral.actions.leasing import Rooms
from services.referral.actions.routing import Routing
from services.referral.domain import capacity, consents, matters
from services.referral.domain.needs import Need
from services.referral.store import consents as said
from services.referral.store import matters as store
from shared.kit.work import Work


@dataclass(frozen=True, slots=True)
class Walls:
    """Who has been asked for what of each case, in whatever attempt: who was asked has seen it. And who has room."""

    asked: set[tuple[str, str, str]]
    rooms: Rooms
    closed: Mapping[str, frozenset[str]]
    """By need the agencies of classes that may not be asked."""

    def open_to(self, need: Need, available: frozenset[str]) -> frozenset[str]:
        """Of the agencies that take referrals those that may be asked for this need."""
        available = self.rooms.open_to(need, available) - self.closed[need.referral.referral_id]
        case_id, apart = need.referral.case_id, matters.opposite(need.referral.need)
        if not apart:
            return available
        return available - {agency for case, code, agency in self.asked if case == case_id and code in apart}

    def note(self, need: Need) -> Need:
        """The latest attempt is made now, in this work; answers the need with the place that it takes."""
        self.asked.add((need.referral.case_id, need.referral.need, need.attempts[-1].agency_id))
        return self.rooms.take(need)


async def around(work: Work, needs: Iterable[Need], routing: Routing, *, among: Iterable[Need]) -> Walls:
    """The walls that stand around these needs, and the places that may be taken for them. As the service.

    `among`: all that this work may change, of which what leaves a place frees it.
    """
    needs = list(needs)
    closed = await _closed(work, needs, routing)
    lodged = {need.referral.case_id for need in needs if capacity.takes_place(need.referral.need)}
    rooms = await leasing.rooms(work, await leasing.offices(work, among, routing) if lodged else frozenset(), lodged)
    walled = [need for need in needs if matters.opposite(need.referral.need)]
    if not walled:
        return Walls(set(), rooms, closed)
    case_ids = sorted({need.referral.case_id for need in walled})
    asked = set(await store.list_asked(work, case_ids, sorted(matters.CUSTODY | matters.PROTECTION)))
    return Walls(asked, rooms, closed)


async def _closed(work: Work, needs: Iterable[Need], routing: Routing) -> dict[str, frozenset[str]]:
    """By need whom neither a consent nor a law allows to be asked, by what was said until now."""
    referrals = [need.referral for need in needs]
    heard = await said.find_consents(work, sorted({r.case_id for r in referrals}))
    terms = await routing.terms(work, {r.explanation for r in referrals})
    known = frozenset((await routing.router(work)).directory.available)
    return {
        r.referral_id: consents.outside(
            known, consents.open_classes(heard[r.case_id], r, terms[r.explanation], now=work.now)
        )
        for r in referrals
    }
