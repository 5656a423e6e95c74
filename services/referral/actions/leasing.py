"""Places of offices that publish them: published, and taken by who is sent there."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.referral import policy
from services.referral.actions import telling
from services.referral.actions.keeping import NotYours
from services.referral.actions.routing import Routing
from services.referral.domain import capacity
from services.referral.domain.capacity import Place
from services.referral.domain.needs import Need
from services.referral.store import places as store
from shared.kit.work import Work


@dataclass(slots=True)
class Rooms:
    """The places of the offices that may be asked, locked for this work; empty where nobody publishes any."""

    now: datetime
    places: dict[str, list[Place]] = field(default_factory=dict)
    beds: dict[tuple[str, str], str] = field(default_factory=dict)
    """The sort of place that a person has there already, by office and case: who has two needs sleeps in one bed."""
    leases: dict[str, str] = field(default_factory=dict)
    """What was taken: attempt → sort of place; of one person at one office the same, whichever is written first."""
    _owners: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Office and case of each of these attempts."""

    def open_to(self, need: Need, available: frozenset[str]) -> frozenset[str]:
        """Of these agencies those that have room for this person, or of which nobody knows."""
        if not self.places or not capacity.takes_place(need.referral.need):
            return available
        return available - {
            agency_id
            for agency_id, places in self.places.items()
            if self._own(agency_id, need) is None and not capacity.may_have_room(places, need.referral, self.now)
        }

    def take(self, need: Need) -> Need:
        """The need, whose latest attempt has taken a place where there is one to take, or the person has one."""
        asked = need.attempts[-1]
        places = self.places.get(asked.agency_id)
        if not places or not capacity.takes_place(need.referral.need):
            return need
        chosen = self._own(asked.agency_id, need) or capacity.choice(places, need.referral, self.now)
        if chosen is None:
            return need
        owner = asked.agency_id, need.referral.case_id
        self._move(*owner, chosen.key)
        self._owners[asked.assignment_id] = owner
        self.leases |= {attempt: chosen.key for attempt, of in self._owners.items() if of == owner}
        return replace(need, attempts=(*need.attempts[:-1], replace(asked, place=chosen.key)))

    def _own(self, agency_id: str, need: Need) -> Place | None:
        """The place that the person has at this office, if it does for this need too."""
        key = self.beds.get((agency_id, need.referral.case_id))
        return next((p for p in self.places[agency_id] if p.key == key and p.fits(need.referral)), None)

    def _move(self, agency_id: str, case_id: str, key: str) -> None:
        """The person has this sort of place there from now on, and no other.

        The one before is free for others only after this work, which may write who takes it before who leaves it.
        """
        before = self.beds.get((agency_id, case_id))
        self.beds[agency_id, case_id] = key
        self.places[agency_id] = [
            replace(place, taken=place.taken + (place.key == key != before)) for place in self.places[agency_id]
        ]


async def rooms(work: Work, agency_ids: AbstractSet[str], case_ids: AbstractSet[str] = frozenset()) -> Rooms:
    """The places of these offices, of which it is known that they publish some; `case_ids`: who may have one there."""
    found = Rooms(work.now)
    if agency_ids:
        for place in await store.lock_places(work, sorted(agency_ids)):
            found.places.setdefault(place.agency_id, []).append(place)
        if found.places and case_ids:
            found.beds = await store.find_beds(work, sorted(found.places), sorted(case_ids))
    return found


async def hold(work: Work, needs: Iterable[Need], routing: Routing, *, added: Iterable[str] = ()) -> None:
    """Lock all places that these needs may take or leave, and those that are `added` to them; as the service.

    Places before explanations, everywhere: who writes what was decided anew holds them all by then.
    """
    needs = list(needs)
    if any(capacity.takes_place(code) for code in (*added, *(need.referral.need for need in needs))):
        await store.lock_places(work, sorted(await offices(work, needs, routing)))


async def offices(work: Work, needs: Iterable[Need], routing: Routing) -> set[str]:
    """The offices that publish places, and those of which these needs hold one, published or not."""
    held = {a.agency_id for need in needs for a in need.attempts if a.place is not None and a.is_live}
    return held | await routing.publishing(work)


async def publish_places(work: Work, offers: Sequence[Place]) -> list[Place]:
    """An office says how many places it has; `taken` of the offers is not looked at.

    Raises `NotYours`, `PlacesUnusable`, `PlacesTaken`.
    """
    if not policy.may_answer(work.actor) or any(offer.agency_id != work.actor.organisation for offer in offers):
        raise NotYours
    taken = {place.key: place.taken for place in await store.lock_places(work, [work.actor.organisation])}
    offers = [capacity.published(replace(o, taken=taken.get(o.key, 0)), now=work.now) for o in offers]
    await store.save_places(work, offers)
    work.record(telling.places_published(work.actor.organisation, offers))
    return list(offers)
