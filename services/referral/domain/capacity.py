"""Places that an office publishes, and which of them a person can take. Pure.

A place is taken by the attempt that asks for it, from then until the attempt ends: declined, expired, recalled, or
after the help was given. A person has one at an office, whatever many needs are with it, until the last of these ends.
The database counts (trigger `attempt_takes_its_place`), and refuses the one too many.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.referral.domain.entries import msg
from services.referral.domain.referrals import Referral
from services.referral.domain.refusals import Refused

SHELTERED = frozenset({"UAC", "TIP", "GBV", "ELDER", "PWD", "NOFAM"})
"""Needs of people who have to sleep somewhere; the others take no place."""
ACCESSIBLE = "PWD"
SEXES = ("F", "M", "any")
AGES = ("child", "adult", "elderly", "any")
MOST_PLACES = 1000
LONGEST = timedelta(days=7)
"""A publication is believed for so long at most; then nobody knows."""


TOO_FEW = msg("%(offered)s places are fewer than the %(taken)s that are taken.")
TOO_FEW_REMEDY = msg("Publish at least %(taken)s, or end or decline what holds them first.")


class PlacesTaken(Refused):
    """More of these places are taken than would be left: keep at least as many, or end or decline what holds them."""

    def __init__(self, *, place: str, offered: int, taken: int) -> None:
        super().__init__(f"{place}: {taken} taken, {offered} offered; publish at least {taken}, or let one go first")
        self.place = place
        self.offered = offered
        self.taken = taken


class PlacesUnusable(Refused):
    """Places are published for a sex and an age that are known, 0 to 1000 of them, for up to seven days."""


@dataclass(frozen=True, slots=True)
class Place:
    """How many places of one sort an office has. `X` in no sex: who has not stated it takes a place for anybody."""

    agency_id: str
    sex: str
    age_band: str
    accessible: bool
    offered: int
    taken: int
    expires_at: datetime

    @property
    def key(self) -> str:
        """`F/adult/accessible`: names the sort within the office."""
        return f"{self.sex}/{self.age_band}/{'accessible' if self.accessible else 'other'}"

    def fits(self, referral: Referral) -> bool:
        """True when it is of the sort that this person needs. Of unknown age is a child."""
        band = "child" if referral.child else referral.age_band
        return (
            self.sex in ("any", referral.sex)
            and self.age_band in ("any", band)
            and (self.accessible or referral.need != ACCESSIBLE)
        )

    def is_known(self, now: datetime) -> bool:
        """False when the publication is too old: then it may be free or not."""
        return now < self.expires_at

    def free(self, now: datetime) -> int | None:
        """How many are free; None when nobody knows."""
        return self.offered - self.taken if self.is_known(now) else None


def published(place: Place, *, now: datetime) -> Place:
    """The place, if it can be published so. Raises `PlacesUnusable`, `PlacesTaken`."""
    if place.sex not in SEXES or place.age_band not in AGES or not 0 <= place.offered <= MOST_PLACES:
        raise PlacesUnusable
    if not now < place.expires_at <= now + LONGEST:
        raise PlacesUnusable
    if place.offered < place.taken:
        raise PlacesTaken(place=place.key, offered=place.offered, taken=place.taken)
    return place


def takes_place(need: str) -> bool:
    """True for a need that somebody has to be lodged for."""
    return need in SHELTERED


def choice(places: Iterable[Place], referral: Referral, now: datetime) -> Place | None:
    """The free place that leaves most for others: one for this sex and age alone, accessible only who needs it."""
    free = [place for place in places if place.fits(referral) and (place.free(now) or 0) > 0]
    return min(
        free,
        key=lambda p: (p.accessible and referral.need != ACCESSIBLE, p.sex == "any", p.age_band == "any"),
        default=None,
    )


def may_have_room(places: Iterable[Place], referral: Referral, now: datetime) -> bool:
    """False when it is known that there is none: stale publications leave it open."""
    places = list(places)
    known = any(place.is_known(now) for place in places)
    return not known or any(place.free(now) != 0 for place in places if place.fits(referral))
