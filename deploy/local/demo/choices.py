"""What an agency of the demo does with a referral: derived from a hash, so that runs are alike in kind."""

import hashlib
from dataclasses import dataclass
from typing import Literal

from shared.contracts.referral.assignments import DeclineReason
from shared.contracts.referral.referrals import Outcome

Answer = Literal["accept", "decline", "silence"]

REASONS: tuple[DeclineReason, ...] = ("no_capacity", "wrong_service", "outside_region", "insufficient_facts")
HANDED: Outcome = "HANDED_TO_FAMILY"
"""The one that takes minutes."""
OUTCOMES: tuple[Outcome, ...] = (HANDED, "SERVICE_DELIVERED", "REFERRED_ONWARD")


@dataclass(frozen=True, slots=True)
class Choice:
    answer: Answer
    acknowledge: bool
    """A named worker opens it first; a silent agency may have opened it and still not answer."""
    reason: DeclineReason
    read_identity: bool
    complete: bool
    outcome: Outcome


def choose(referral_id: str, attempt: int) -> Choice:
    """Decide for one attempt (1, 2, …) at one referral.

    Of 100 referrals about 80 are accepted at once, 12 are declined, 6 get no answer and the next agency takes
    them; 2 are declined by everybody, so that a supervisor has to act.
    """
    draw = _draw(referral_id, "answer")
    nobody = draw >= 98
    first_no = attempt == 1 and 80 <= draw < 92
    silent = attempt == 1 and 92 <= draw < 98
    return Choice(
        answer="silence" if silent else "decline" if nobody or first_no else "accept",
        acknowledge=not silent or draw % 2 == 0,
        reason=REASONS[_draw(referral_id, "reason") % len(REASONS)],
        read_identity=_draw(referral_id, "identity") < 10,
        complete=_draw(referral_id, "complete") < 10,
        outcome=OUTCOMES[_draw(referral_id, "outcome") % len(OUTCOMES)],
    )


def _draw(referral_id: str, question: str) -> int:
    """A number from 0 to 99 that depends on nothing but the referral and the question."""
    return int.from_bytes(hashlib.sha256(f"{referral_id}/{question}".encode()).digest()[:4]) % 100
