"""Taking note of what referral did: needs taken up, assignments accepted and ended."""

from collections.abc import Sequence

from services.intake.store import referrals as store
from shared.contracts.referral import (
    AssignmentAccepted,
    AssignmentCancelled,
    AssignmentCompleted,
    AssignmentFailed,
    ReferralOpened,
)
from shared.kit.heard import Heard
from shared.kit.work import Work


async def note_opened_referrals(work: Work, heard: Sequence[Heard[ReferralOpened]]) -> None:
    """Remember which needs became open referrals."""
    await store.add_referred_needs(work, [(h.fact.case_id, h.fact.need, h.occurred_at) for h in heard])


async def grant_disclosures(work: Work, heard: Sequence[Heard[AssignmentAccepted]]) -> None:
    """Remember who accepted what: from now on the identity may be released to them."""
    await store.add_grants(
        work,
        [
            store.Accepted(h.fact.assignment_id, h.fact.case_id, h.fact.agency_id, h.fact.need, h.occurred_at)
            for h in heard
        ],
    )


Ended = Heard[AssignmentCompleted] | Heard[AssignmentFailed] | Heard[AssignmentCancelled]


async def end_disclosures(work: Work, heard: Sequence[Ended]) -> None:
    """Remember which assignments ended: who has helped gets a time of grace, nobody else."""
    await store.end_grants(
        work,
        [store.Ended(h.fact.assignment_id, h.occurred_at, isinstance(h.fact, AssignmentCompleted)) for h in heard],
    )
