"""Kafka in: each fact of referral that a subscriber may be told, and what persons say of being told of."""

from services.notify.actions import notices, obeying
from services.notify.actions.notices import Matchers
from shared.contracts.intake.consents import (
    ConsentExpired,
    ConsentRecorded,
    ConsentWithdrawn,
    LawfulBasisEnded,
    LawfulBasisNamed,
)
from shared.contracts.referral import assignments, escalations, recipients, referrals
from shared.contracts.referral.referrals import ReferralFact
from shared.kit.heard import Heard
from shared.kit.inbox import Inbox
from shared.kit.work import Work


def subscribe(inbox: Inbox) -> None:
    """Register what notify hears."""
    matchers = Matchers()

    @inbox.hears(
        referrals.ReferralOpened,
        assignments.AssignmentSent,
        assignments.AssignmentAcknowledged,
        assignments.AssignmentAccepted,
        assignments.AssignmentDeclined,
        assignments.AssignmentExpired,
        assignments.ServiceStarted,
        assignments.AssignmentCompleted,
        assignments.AssignmentFailed,
        assignments.AssignmentRecalled,
        assignments.AssignmentCancelled,
        referrals.ReferralFulfilled,
        referrals.ReferralClosed,
        referrals.ReferralReopened,
        escalations.ReferralEscalated,
        escalations.GapOpened,
        assignments.AssignmentReminded,
        assignments.AssignmentWaitlisted,
        assignments.QuestionAsked,
        assignments.QuestionAnswered,
        assignments.QuestionLapsed,
        assignments.AcceptanceUndone,
        assignments.AssignmentTransferred,
        assignments.AssignmentEnteredInError,
        referrals.ReferralHeld,
        referrals.ReferralResumed,
        escalations.EscalationTaken,
        escalations.EscalationRaised,
        escalations.GapClosed,
        referrals.ReferralCorrected,
        referrals.ConsentAwaited,
        referrals.ConsentObtained,
        assignments.CancellationConfirmed,
        assignments.CancellationOverdue,
    )
    async def on_referral_facts(work: Work, heard: list[Heard[ReferralFact]]) -> None:
        await notices.queue_notices(work, heard, matchers)

    @inbox.hears(ConsentRecorded, ConsentWithdrawn, ConsentExpired, LawfulBasisNamed, LawfulBasisEnded)
    async def on_consents_said(work: Work, heard: list[obeying.HeardOf]) -> None:
        await obeying.obey(work, heard)

    @inbox.hears(recipients.WithdrawalOverdue, recipients.ErasureOverdue, recipients.CorrectionOverdue)
    async def on_copies_overdue(work: Work, heard: list[obeying.Overdue]) -> None:
        await obeying.remind(work, heard)
