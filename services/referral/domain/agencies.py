"""The directory: which office of which kind serves which region. A snapshot; the table is the truth."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from services.referral.domain.hours import STATUTORY, Hours

Level = Literal["regency", "province", "national"]

FRESH_FOR = timedelta(days=90)
"""How long an entry is taken to be right after somebody of the office has said so."""


@dataclass(frozen=True, slots=True)
class Agency:
    """One office. `takes_referrals` is false for police and civil society: nothing is routed there by itself.

    Of what an office may restrict (`domain/eligibility.py`), None leaves it open.
    """

    agency_id: str
    kind: str
    level: Level
    region: str | None
    """Province `PP` or regency `PP.KK`; None for the whole country."""
    name: str
    zone: str
    takes_referrals: bool
    is_suspended: bool
    needs: tuple[str, ...] | None = None
    sexes: tuple[str, ...] | None = None
    min_age: int | None = None
    """Years; the youngest it takes."""
    max_age: int | None = None
    """Years; the oldest it takes."""
    serves: tuple[str, ...] | None = None
    """Provinces and regencies whose people it takes."""
    languages: tuple[str, ...] | None = None
    """ISO 639 codes of what is spoken there."""
    accessibility: tuple[str, ...] | None = None
    """How people with disabilities are received; empty: not at all."""
    with_children: bool | None = None
    """Whether it takes children together with adults."""
    hours: Hours | None = None
    """None: the hours of offices of the state."""
    keeps_holidays: bool = True
    """Whether it is closed on public holidays."""
    phone: str | None = None
    """The office's switchboard; never a person's own number."""
    email: str | None = None
    """The office's mailbox; never a person's own."""
    supervised_by: str | None = None
    """The agency whose supervisor answers for it; None: that of the province where it lies."""
    active_from: date | None = None
    active_until: date | None = None
    """The last day on which it takes anybody."""
    reserved: tuple[str, ...] = ()
    """Of `OWN`, what coordinators keep for themselves."""
    version: int = 1
    """Grows with each change of the entry."""
    confirmed_at: datetime | None = None
    """When somebody of the office last said that the entry is right."""
    is_current: bool = True
    """Whether the moment of this snapshot lies in its active period."""

    @property
    def is_available(self) -> bool:
        return self.takes_referrals and not self.is_suspended and self.is_current

    @property
    def opening_hours(self) -> Hours:
        """When it is open in a week, in its own time zone."""
        return STATUTORY if self.hours is None else self.hours

    def is_fresh(self, now: datetime) -> bool:
        """True when the office has lately said that its entry is right."""
        return self.confirmed_at is not None and now - self.confirmed_at < FRESH_FOR

    def at(self, moment: datetime) -> "Agency":
        """As it was at a moment: in its active period, or not."""
        if self.active_from is None and self.active_until is None and self.is_current:
            return self
        today = moment.astimezone(ZoneInfo(self.zone)).date()
        is_current = (self.active_from is None or self.active_from <= today) and (
            self.active_until is None or today <= self.active_until
        )
        return self if is_current is self.is_current else replace(self, is_current=is_current)


KEPT = (
    "name", "zone", "takes_referrals", "is_suspended", "needs", "sexes", "min_age", "max_age", "serves", "languages",
    "accessibility", "with_children", "hours", "keeps_holidays", "phone", "email", "supervised_by", "active_from",
    "active_until", "reserved",
)  # fmt: skip
"""What of an entry can be changed; the history of an entry is made of it."""
OWN = (
    "needs", "sexes", "min_age", "max_age", "languages", "accessibility", "with_children", "hours", "keeps_holidays",
    "phone", "email",
)  # fmt: skip
"""What of it the office itself may change; whom it serves where, and whether it is asked at all, coordinators keep."""


def differing(before: Agency, after: Agency) -> tuple[str, ...]:
    """The fields that were changed."""
    return tuple(name for name in KEPT if getattr(before, name) != getattr(after, name))


ENTRIES = UUID("0b6c4bb2-3d0f-5c4e-9f0a-7a4d2d1c9e55")


def entry(agency_id: str) -> str:
    """The id under which facts about an office stand, where other facts have a case's."""
    return str(uuid5(ENTRIES, agency_id))


def is_asked_by_itself(kind: str) -> bool:
    """False for the police, who are told by people, and for civil society, which takes the person's consent."""
    return kind != "POLDA" and not kind.startswith("CSO-")


def agency_id(kind: str, region: str | None) -> str:
    """`DINSOS-73.08`, `BP3MI-73`, `KEMENSOS`."""
    return kind if region is None else f"{kind}-{region}"


@dataclass(frozen=True, slots=True)
class Directory:
    """All agencies by id, as they were at `changed_at`, and the ids of those that may be asked.

    The begin and the end of an active period count as changes.
    """

    agencies: dict[str, Agency]
    available: frozenset[str]
    changed_at: datetime

    def find(self, kind: str, region: str | None) -> Agency | None:
        """The office of this kind for exactly this region."""
        return self.agencies.get(agency_id(kind, region))


def directory(agencies: Iterable[Agency], changed_at: datetime) -> Directory:
    """A snapshot of the directory."""
    known = {a.agency_id: a.at(changed_at) for a in agencies}
    return Directory(known, frozenset(a.agency_id for a in known.values() if a.is_available), changed_at)
