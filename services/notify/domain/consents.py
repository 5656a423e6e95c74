"""Whom a withdrawn consent silences: civil society and foreign bodies, which are told of a case at all by consent only.

Offices of the state are told by their duty (UU 27/2022 Art 20(2)(e)); that they may use what they were told is not
decided here.
"""

import re
from collections.abc import Iterable

from shared.contracts import codes
from shared.contracts.codes import RecipientClass

BY_CONSENT: frozenset[RecipientClass] = frozenset({"civil_society", "international"})
ALL_NEEDS = "*"
PURPOSE = "help"

STATE_OFFICE = re.compile(r"[A-Z0-9]+-[0-9]{2}(\.[0-9]{2})?")
"""An office of one region, `DINSOS-73.06`."""
MINISTRIES = frozenset(
    {"KP2MI", "KEMENSOS", "KEMENPPPA", "KEMENKES", "KEMNAKER", "KEMLU", "BNN", "LPSK", "DUKCAPIL"}
)  # fmt: skip

WITHDRAWN, REFUSED = "intake.consent_withdrawn.v1", "intake.consent_recorded.v1"
EXPIRED = "intake.consent_expired.v1"
LATE_TO_END, LATE_TO_ERASE = "referral.withdrawal_overdue.v1", "referral.erasure_overdue.v1"
LATE_TO_CORRECT = "referral.correction_overdue.v1"
STATES = {
    WITHDRAWN: "consent_withdrawn",
    REFUSED: "consent_refused",
    EXPIRED: "consent_expired",
    LATE_TO_END: "ending_unconfirmed",
    LATE_TO_ERASE: "erasure_unconfirmed",
    LATE_TO_CORRECT: "correction_unconfirmed",
}
"""The notice that it has ended, which goes to whoever had been told of the case, or that something about a copy is not
confirmed in time, which goes to the agency that is late; and the state it says. No filter holds these back."""
TOLD_ANYHOW = STATES.keys() - {LATE_TO_CORRECT}
"""Nor does anybody's word these: they ask for nothing but an end."""


def recipient_class(organisation: str) -> RecipientClass:
    """The class of a subscriber. Who is not known as an office of the state is told by consent only."""
    found = codes.recipient_class(organisation)
    if found != "state" or organisation in MINISTRIES or STATE_OFFICE.fullmatch(organisation):
        return found
    return "civil_society"


def by_class(organisations: Iterable[str]) -> tuple[list[str], list[str]]:
    """Of these organisations those that are told by consent only, each with its class: two lists of one length."""
    found = [(one, class_) for one in sorted(set(organisations)) if (class_ := recipient_class(one)) in BY_CONSENT]
    return [one for one, _ in found], [class_ for _, class_ in found]
