"""Needs that are referred: opened, waiting, corrected, ended."""

from typing import Literal

from shared.contracts.codes import NeedCode
from shared.contracts.fact import AwareDatetime, Code, Digest, Fact, Id, ProvinceCode, RegencyCode, Version

Outcome = Literal[
    "SERVICE_DELIVERED",
    "HANDED_TO_FAMILY",
    "HANDED_TO_SOCIAL_MINISTRY",
    "HANDED_TO_AGENCY",
    "REFERRED_ONWARD",
    "PERSON_REFUSED",
    "COULD_NOT_CONTACT",
    "NOT_ELIGIBLE",
    "NO_CAPACITY",
    "PERSON_LEFT",
    "DECEASED",
    "DUPLICATE",
]
HandoverWitness = Literal["village", "local_government", "police", "agency", "social_ministry"]
CloseReason = Literal[
    "PERSON_REFUSED",
    "PERSON_LEFT",
    "DECEASED",
    "COULD_NOT_CONTACT",
    "NOT_ELIGIBLE",
    "NO_CAPACITY",
    "DUPLICATE",
    "NO_LONGER_NEEDED",
    "ENTERED_IN_ERROR",
]
HoldReason = Literal["IN_HOSPITAL", "IN_CUSTODY", "AWAITING_PAPERS", "PERSON_ASKED_TO_WAIT"]
Refuser = Literal["self", "family"]
"""Family speaks for whoever cannot decide itself (Permen P2MI 32/2025 Art. 39)."""
ReopenReason = Literal["NEED_REMAINS", "PERSON_FOUND", "PERSON_AGREES", "CLOSED_IN_ERROR"]


class ReferralFact(Fact):
    """What each fact about a need repeats, so that a receiver can filter without asking back."""

    referral_id: Id
    need: NeedCode
    province: ProvinceCode
    """Where help is due: the province of origin, or of the port where origin is unknown."""
    restricted: bool
    """Trafficking, sexual violence, children: for the case team only."""


class ReferralOpened(ReferralFact):
    """A need became an open referral."""

    port: Code
    regency: RegencyCode
    rules_version: Version
    explanation: Digest
    """Address of the stored explanation: rule version, facts used, candidates with why and why not."""


class ResponsibilityPassed(ReferralFact):
    """Who did this answers for the child by name from now on: by accepting its protection, by taking over, or by
    finding that it is a child. By `undoing` an acceptance who answered before it does again."""

    for_audit = True

    reason: Literal["acceptance", "takeover", "correction", "undoing"]
    step: int
    """How many have answered for it by now."""


class ReferralFulfilled(ReferralFact):
    """The need was met."""

    outcome: Outcome


class ConsentAwaited(ReferralFact):
    """The rules let nobody be asked for this need before the person has consented, or a law decides without."""


class ConsentObtained(ReferralFact):
    """What the need waited for is there: agencies are asked."""


class RefusalRecorded(ReferralFact):
    """A statement of refusal was signed and recorded; who stands on it, and its number, stays with referral."""

    for_audit = True

    refuser: Refuser
    witness: HandoverWitness
    place: RegencyCode
    refused_at: AwareDatetime
    language: Code
    """In which it was explained, ISO 639."""


class ReferralClosed(ReferralFact):
    """The need ended although it was not met.

    A supervisor ended it, for a child answering for it by name; or an adult refused the help by a signed statement
    (`refused`), or took the consent back that it rests on (`consent_withdrawn`).
    """

    state: Literal["unfulfilled", "cancelled", "entered_in_error", "refused", "consent_withdrawn"]
    reason: CloseReason | Literal["CONSENT_WITHDRAWN"]


class ReferralHeld(ReferralFact):
    """The need waits until a day; nobody is asked meanwhile."""

    reason: HoldReason
    until: AwareDatetime


class ReferralResumed(ReferralFact):
    """A need that waited goes on."""


class ReferralCorrected(ReferralFact):
    """What was recorded of the person, or of the household, was corrected: the need goes on, decided anew."""

    changed: tuple[Literal["age", "sex", "origin", "household"], ...]
    regency: RegencyCode
    """Where help is due from now on."""
    routed_again: bool
    """True: another office is asked than before."""
    rules_version: Version
    explanation: Digest


class ReferralReopened(ReferralFact):
    """A need that was met or given up is open again."""

    reason: ReopenReason | Literal["FOUND_AFTER_ALL", "DEATH_UNDONE", "CHILD_AFTER_ALL", "OTHERS_TO_ASK"]
