"""Who may be shown which identifying fields: only the agency that accepted, only what its need allows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shared.contracts.codes import NeedCode

GRACE = timedelta(days=30)
"""How long after it has helped an agency may still look a person up, to finish its own papers."""

RefusalReason = Literal["not_accepted", "other_agency", "ended", "unknown_case", "erased", "no_consent"]

_WHO = ("full_name", "alias", "birth")
_PAPERS = ("nik", "document_type", "document_number")
_HOME = ("birthplace", "origin_village", "family_contact", "language")
_WORK = ("employer", "sector", "country_from", "region_from")
_CUSTODY = ("detained_at", "return_reason")

FIELDS: Mapping[NeedCode, tuple[str, ...]] = {
    "UAC": (*_WHO, *_PAPERS, *_HOME, "health_note", "country_from"),
    "CHILD": (*_WHO, *_PAPERS, *_HOME, "country_from"),
    "ATT": (*_WHO, *_PAPERS, *_HOME, "country_from"),
    "TIP": (*_WHO, *_PAPERS, *_HOME, *_WORK, "health_note"),
    "GBV": (*_WHO, *_HOME, "health_note"),
    "SICK": (*_WHO, "nik", "family_contact", "language", "health_note"),
    "INFECT": (*_WHO, "nik", "origin_village", "family_contact", "language", "health_note"),
    "MENTAL": (*_WHO, "nik", "family_contact", "language", "health_note"),
    "PREG": (*_WHO, "nik", "origin_village", "family_contact", "language", "health_note"),
    "ELDER": (*_WHO, "nik", *_HOME),
    "PWD": (*_WHO, "nik", *_HOME, "health_note"),
    "NOFAM": (*_WHO, "nik", *_HOME),
    "WAGE": (*_WHO, *_PAPERS, "family_contact", "language", *_WORK),
    "DEBT": (*_WHO, "nik", "family_contact", "language", *_WORK),
    "LEGAL": (*_WHO, *_PAPERS, "language", "country_from", *_CUSTODY),
    "DRUG": (*_WHO, "nik", "language", "health_note"),
    "NEED": (*_WHO, *_PAPERS, *_HOME, "country_from"),
    "REMAINS": (*_WHO, *_PAPERS, *_HOME, "country_from"),
}
"""What helping with each need takes. Why somebody was arrested is for legal help alone, health for those who treat."""


@dataclass(frozen=True, slots=True)
class Grant:
    """An acceptance that intake itself has heard. `completed`: it ended with help, not without."""

    assignment_id: str
    case_id: str
    agency_id: str
    need: NeedCode
    ended_at: datetime | None
    completed: bool


def refusal(grant: Grant | None, *, case_id: str, agency_id: str, now: datetime) -> RefusalReason | None:
    """Why this agency may not see this person's identity now; None when it may."""
    if grant is None:
        return "not_accepted"
    if grant.case_id != case_id:
        return "unknown_case"
    if grant.agency_id != agency_id:
        return "other_agency"
    if grant.ended_at is not None and (not grant.completed or now > grant.ended_at + GRACE):
        return "ended"
    return None
