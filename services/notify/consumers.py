"""Kafka in: each fact of referral that a subscriber may be told, and what persons say of being told of."""

from services.notify.actions import notices, obeying
from services.notify.actions.notices import Matchers
from shared.contracts import referral as facts
from shared.contracts.intake.consents import ConsentExpired, ConsentRecorded, ConsentWithdrawn
from shared.contracts.referral import ReferralFact
from shared.kit.heard import Heard
from shared.kit.inbox import Inbox
from shared.kit.work import Work


def subscribe(inbox: Inbox) -> None:
    """Register what notify hears."""
    matchers = Matchers()

    @inbox.hears(
        facts.ReferralOpened,
        facts.AssignmentSent,
        facts.AssignmentAcknowledged,
        facts.AssignmentAccepted,
        facts.AssignmentDeclined,
        facts.AssignmentExpired,
        facts.ServiceStarted,
        facts.AssignmentCompleted,
        facts.AssignmentFailed,
        facts.AssignmentRecalled,
        facts.AssignmentCancelled,
        facts.ReferralFulfilled,
        facts.ReferralClosed,
        facts.ReferralReopened,
        facts.ReferralEscalated,
        facts.GapOpened,
        facts.AssignmentReminded,
        facts.AssignmentWaitlisted,
        facts.QuestionAsked,
        facts.QuestionAnswered,
        facts.QuestionLapsed,
        facts.AcceptanceUndone,
        facts.AssignmentTransferred,
        facts.AssignmentEnteredInError,
        facts.ReferralHeld,
        facts.ReferralResumed,
        facts.EscalationTaken,
        facts.EscalationRaised,
        facts.GapClosed,
        facts.ReferralCorrected,
        facts.ConsentAwaited,
        facts.ConsentObtained,
        facts.CancellationConfirmed,
        facts.CancellationOverdue,
    )
    async def on_referral_facts(work: Work, heard: list[Heard[ReferralFact]]) -> None:
        await notices.queue_notices(work, heard, matchers)

    @inbox.hears(ConsentRecorded, ConsentWithdrawn, ConsentExpired)
    async def on_consents_said(work: Work, heard: list[obeying.HeardOf]) -> None:
        await obeying.obey(work, heard)

    @inbox.hears(facts.WithdrawalOverdue, facts.ErasureOverdue, facts.CorrectionOverdue)
    async def on_copies_overdue(work: Work, heard: list[obeying.Overdue]) -> None:
        await obeying.remind(work, heard)
