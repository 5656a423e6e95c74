"""What a supervisor has to act on: the ladder, and needs that nobody serves."""

from typing import Literal

from shared.contracts.codes import GapReason
from shared.contracts.fact import AwareDatetime, Code, Id
from shared.contracts.referral.referrals import ReferralFact

EscalationReason = Literal[
    "no_candidate_left",
    "service_overdue",
    "person_refused",
    "outcome_failed",
    "unroutable_child",
    "question_unanswered",
    "said_duplicate",
    "legal_limit",
    "consent_awaited",
]
Rung = Literal["agency_supervisor", "province", "national"]


class ReferralEscalated(ReferralFact):
    """Nobody can be asked, a limit has passed, or help came to nothing: a supervisor has to act."""

    reason: EscalationReason
    supervisor: Code
    """Where the duty lies: `supervisor-` and the code of the province, or `coordinator` for the whole country."""
    rung: Rung | None = None
    due_at: AwareDatetime | None = None
    """When it climbs to the next rung unless somebody takes it."""
    limit: Code | None = None
    """The limit in law that has passed."""


class EscalationFact(ReferralFact):
    """What each fact about the ladder repeats."""

    reason: EscalationReason
    rung: Rung
    due_at: AwareDatetime


class EscalationTaken(EscalationFact):
    """A person answers for the need by name; it comes back unless it has moved by then."""


class EscalationRaised(EscalationFact):
    """Nobody took it in time, so that it climbed; or who took it did not move, so that it came back."""

    supervisor: Code
    came_back: bool


class GapOpened(ReferralFact):
    """Nobody in the directory can serve this need there. `reason`: what stood in the way of who came nearest."""

    gap_id: Id
    reason: GapReason | None = None


class GapClosed(ReferralFact):
    """Somebody serves this need there by now; the first of them is asked."""

    gap_id: Id
