"""What intake hears of referral."""

from services.intake.actions import consents, erasures, referrals
from shared.contracts.referral.assignments import (
    AcceptanceUndone,
    AssignmentAccepted,
    AssignmentCancelled,
    AssignmentCompleted,
    AssignmentEnteredInError,
    AssignmentFailed,
    AssignmentTransferred,
)
from shared.contracts.referral.recipients import (
    ErasureConfirmed,
    ErasureOverdue,
    WithdrawalConfirmed,
    WithdrawalOverdue,
)
from shared.contracts.referral.referrals import ReferralClosed, ReferralFulfilled, ReferralOpened, ReferralReopened
from shared.kit.heard import Heard
from shared.kit.inbox import Inbox
from shared.kit.work import Work


def subscribe(inbox: Inbox) -> None:
    """Register the handlers."""

    @inbox.hears(ReferralOpened, ReferralFulfilled, ReferralClosed, ReferralReopened)
    async def on_referrals_opened_or_ended(work: Work, heard: list[referrals.Said]) -> None:
        await referrals.note_referrals(work, heard)

    @inbox.hears(AssignmentAccepted)
    async def on_assignments_accepted(work: Work, heard: list[Heard[AssignmentAccepted]]) -> None:
        await referrals.grant_disclosures(work, heard)

    @inbox.hears(
        AcceptanceUndone,
        AssignmentCompleted,
        AssignmentFailed,
        AssignmentCancelled,
        AssignmentTransferred,
        AssignmentEnteredInError,
    )
    async def on_assignments_ended(work: Work, heard: list[referrals.Ended]) -> None:
        await referrals.end_disclosures(work, heard)

    @inbox.hears(ErasureConfirmed, ErasureOverdue)
    async def on_copies_erased_or_not(work: Work, heard: list[erasures.Said]) -> None:
        await erasures.note_confirmations(work, heard)

    @inbox.hears(WithdrawalConfirmed, WithdrawalOverdue)
    async def on_use_ended_or_not(work: Work, heard: list[consents.Said]) -> None:
        await consents.note_confirmations(work, heard)
