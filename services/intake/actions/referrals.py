"""Taking note of what referral did: needs taken up, assignments accepted and ended."""

from collections.abc import Sequence

from services.intake.store import referrals as store
from shared.contracts.referral import AssignmentAccepted, AssignmentCompleted, AssignmentFailed, ReferralOpened
from shared.kit.inbox import Heard
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


async def end_disclosures(work: Work, heard: Sequence[Heard[AssignmentCompleted] | Heard[AssignmentFailed]]) -> None:
    """Remember which assignments ended: their time of grace begins."""
    await store.end_grants(work, [(h.fact.assignment_id, h.occurred_at) for h in heard])
