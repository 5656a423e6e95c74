"""Taking note of what referral did: needs taken up and ended, assignments accepted and ended."""

from collections.abc import Sequence

from services.intake.store import referrals as store
from shared.contracts.referral.assignments import (
    AcceptanceUndone,
    AssignmentAccepted,
    AssignmentCancelled,
    AssignmentCompleted,
    AssignmentEnteredInError,
    AssignmentFailed,
    AssignmentTransferred,
)
from shared.contracts.referral.referrals import ReferralClosed, ReferralFulfilled, ReferralOpened, ReferralReopened
from shared.kit.heard import Heard
from shared.kit.work import Work

Said = Heard[ReferralOpened] | Heard[ReferralFulfilled] | Heard[ReferralClosed] | Heard[ReferralReopened]


async def note_referrals(work: Work, heard: Sequence[Said]) -> None:
    """Remember which needs became open referrals, and which of these have ended."""
    await store.note_needs(
        work,
        [
            store.Taken(
                h.fact.case_id,
                h.fact.need,
                h.occurred_at,
                h.case_seq,
                isinstance(h.fact, ReferralFulfilled | ReferralClosed),
            )
            for h in heard
        ],
    )


async def grant_disclosures(work: Work, heard: Sequence[Heard[AssignmentAccepted]]) -> None:
    """Remember who accepted what: from now on the identity may be released to them."""
    await store.add_grants(
        work,
        [
            store.Accepted(h.fact.assignment_id, h.fact.case_id, h.fact.agency_id, h.fact.need, h.occurred_at)
            for h in heard
        ],
    )


Ended = (
    Heard[AcceptanceUndone]
    | Heard[AssignmentCompleted]
    | Heard[AssignmentFailed]
    | Heard[AssignmentCancelled]
    | Heard[AssignmentTransferred]
    | Heard[AssignmentEnteredInError]
)


async def end_disclosures(work: Work, heard: Sequence[Ended]) -> None:
    """Remember which assignments ended: who has helped gets a time of grace, nobody else."""
    await store.end_grants(
        work,
        [store.Ended(h.fact.assignment_id, h.occurred_at, isinstance(h.fact, AssignmentCompleted)) for h in heard],
    )
