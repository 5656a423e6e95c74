"""Minutes of a handover (*berita acara serah terima*): in codes and numbers. Names stay on the paper that was signed.

Sources: Permen P2MI 32/2025 Art. 13(e): to the family or who has its power of attorney, witnessed by village or local
government; 13(f): to the social ministry where there is no family.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.referral.domain.refusals import (
    GuardianCheckMissing,
    HandoverMissing,
    HandoverRecorded,
    HandoverUnrecorded,
    PlaceUnknown,
    ReasonMissing,
    ReceiverUnfit,
    SignatureMissing,
    WitnessUnfit,
)
from shared.contracts import codes

RECEIVERS: Mapping[str, tuple[str, ...]] = {
    "HANDED_TO_FAMILY": ("family", "guardian"),
    "HANDED_TO_SOCIAL_MINISTRY": ("social_ministry",),
    "HANDED_TO_AGENCY": ("agency", "village"),
}
"""In which capacity somebody receives, by the outcome that it is. `guardian`: who has the power of attorney."""
CAPACITIES = frozenset(capacity for known in RECEIVERS.values() for capacity in known)
GOVERNMENT = frozenset({"village", "local_government"})
"""The witnesses that the law names."""
WITNESSES = GOVERNMENT | {"police", "agency", "social_ministry"}
PRIVATE = frozenset({"family", "guardian"})
"""Who receives only before such a witness."""
CHILD_SAFE = frozenset({"social_ministry", "agency"})
"""To whom a child is handed without a check of the guardian."""
DOCUMENTS = frozenset(
    {"passport", "travel_letter", "identity_card", "family_card", "birth_certificate", "fit_to_travel_letter",
     "medical_record", "belongings", "none"}
)  # fmt: skip
CONDITIONS = frozenset({"well", "sick_travelling", "under_treatment", "deceased"})
MOST_OLD = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Handover:
    """The minutes of one attempt; several of an agency share a number when they are of a group."""

    assignment_id: str
    number: str
    case_id: str
    agency_id: str
    child: bool
    handed_by: str
    receiver: str
    witness: str
    place: str
    """Regency."""
    documents: tuple[str, ...]
    condition: str
    guardian_check: str | None
    """Number of the document that says that the guardian was checked."""
    handed_at: datetime
    signed_at: datetime
    """Since when both signatures stand on it."""


def expect_sound(minutes: Handover, *, now: datetime) -> Handover:
    """The minutes, if they say everything and are lawful.

    Raises `ReasonMissing` for a code that is none, `PlaceUnknown`, `WitnessUnfit`, `GuardianCheckMissing`,
    `SignatureMissing` when they were signed before the handover or are still to be.
    """
    codes_are_known = (
        minutes.receiver in CAPACITIES
        and minutes.witness in WITNESSES
        and minutes.condition in CONDITIONS
        and minutes.documents
        and DOCUMENTS.issuperset(minutes.documents)
        and ("none" not in minutes.documents or len(minutes.documents) == 1)
    )
    if not codes_are_known:
        raise ReasonMissing
    if minutes.place not in codes.regencies():
        raise PlaceUnknown
    if minutes.receiver in PRIVATE and minutes.witness not in GOVERNMENT:
        raise WitnessUnfit
    expect_child_safe(minutes)
    if not now - MOST_OLD < minutes.handed_at <= minutes.signed_at <= now:
        raise SignatureMissing
    return minutes


def expect_child_safe(minutes: Handover) -> None:
    """Raises `GuardianCheckMissing` when a child is handed to somebody whom nobody has checked."""
    if minutes.child and minutes.receiver not in CHILD_SAFE and minutes.guardian_check is None:
        raise GuardianCheckMissing


def expect_new(minutes: Handover, recorded: Sequence[Handover]) -> None:
    """Raises `HandoverRecorded`: minutes are signed, so nobody writes them again."""
    if any(one.number == minutes.number for one in recorded):
        raise HandoverRecorded


def expect_recorded(outcome: str, number: str | None, recorded: Sequence[Handover]) -> None:
    """Refuse an outcome whose minutes are not there. `recorded`: those of the attempt.

    Raises `HandoverMissing` without a number, `HandoverUnrecorded` for one that names none of them, `ReceiverUnfit`
    when who received says another outcome, `GuardianCheckMissing`.
    """
    if number is None:
        if outcome in RECEIVERS:
            raise HandoverMissing
        return
    found = next((one for one in recorded if one.number == number), None)
    if found is None:
        raise HandoverUnrecorded
    if outcome in RECEIVERS and found.receiver not in RECEIVERS[outcome]:
        raise ReceiverUnfit
    expect_child_safe(found)
