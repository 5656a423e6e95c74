"""The directory: which office of which kind serves which region. A snapshot; the table is the truth."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid5

Level = Literal["regency", "province", "national"]


@dataclass(frozen=True, slots=True)
class Agency:
    """One office. `takes_referrals` is false for police and civil society: nothing is routed there by itself."""

    agency_id: str
    kind: str
    level: Level
    region: str | None
    """Province `PP` or regency `PP.KK`; None for the whole country."""
    name: str
    zone: str
    takes_referrals: bool
    is_suspended: bool

    @property
    def is_available(self) -> bool:
        return self.takes_referrals and not self.is_suspended


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
    """All agencies by id, as they were at `changed_at`, and the ids of those that may be asked."""

    agencies: dict[str, Agency]
    available: frozenset[str]
    changed_at: datetime

    def find(self, kind: str, region: str | None) -> Agency | None:
        """The office of this kind for exactly this region."""
        return self.agencies.get(agency_id(kind, region))


def directory(agencies: Iterable[Agency], changed_at: datetime) -> Directory:
    """A snapshot of the directory."""
    known = {a.agency_id: a for a in agencies}
    return Directory(known, frozenset(a.agency_id for a in known.values() if a.is_available), changed_at)
