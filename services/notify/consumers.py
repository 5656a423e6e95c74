"""Kafka in: each fact of referral that a subscriber may be told."""

from services.notify.actions import notices
from services.notify.actions.notices import Matchers
from services.notify.domain.subscriptions import EVENTS
from shared.contracts import referral as facts
from shared.contracts.referral import ReferralFact
from shared.kit.inbox import Heard, Inbox
from shared.kit.work import Work

HEARD = (
    facts.ReferralOpened,
    facts.AssignmentSent,
    facts.AssignmentAcknowledged,
    facts.AssignmentAccepted,
    facts.AssignmentDeclined,
    facts.AssignmentExpired,
    facts.ServiceStarted,
    facts.AssignmentCompleted,
    facts.AssignmentFailed,
    facts.ReferralFulfilled,
    facts.ReferralEscalated,
    facts.GapOpened,
)
assert {fact.type for fact in HEARD} == EVENTS.keys()


def subscribe(inbox: Inbox) -> None:
    """Register what notify hears."""
    matchers = Matchers()

    @inbox.hears(*HEARD)
    async def on_referral_facts(work: Work, heard: list[Heard[ReferralFact]]) -> None:
        await notices.queue_notices(work, heard, matchers)
