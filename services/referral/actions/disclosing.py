"""Who the person is, for one reader at the agency that helps: on the trail here, asked of intake, kept nowhere."""

from services.referral.actions import answering, reaching
from services.referral.domain import assignments
from services.referral.domain.assignments import Assignment
from services.referral.domain.refusals import IdentityErased
from services.referral.gateways import Disclosure
from services.referral.store import needs
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.identity import ServiceToken
from shared.kit.work import Work


async def read_identity(
    database: Database, disclosure: Disclosure, token: ServiceToken, actor: Actor, assignment_id: str
) -> dict[str, str]:
    """The fields the need allows. The reading is committed before intake is asked, which journals what it gives; that
    fields were corrected is settled by it.

    Raises `AssignmentUnknown`, `IdentityErased`, `IdentityWithheld`, `DisclosureEnded`, `IdentityFollows`.
    """
    async with database.work(actor, purpose="read_identity") as work:
        need, assignment = await answering.read_case(work, assignment_id)
        erased_at = await reaching.find_erased_at(work, need.referral.case_id)
        to_read = await reaching.list_to_read(work, need.referral.case_id)
        await _hold_to_acceptance(work, need.referral.case_id, assignment)
        now = work.now
    if erased_at is not None:
        raise IdentityErased
    assignments.expect_disclosable(assignment, now=now)
    identity = await disclosure.disclose(
        token,
        case_id=need.referral.case_id,
        assignment_id=assignment_id,
        agency_id=actor.organisation,
        reader=actor.id,
    )
    if to_read:
        async with database.work(actor, purpose="read_identity") as work:
            await reaching.note_reading(work, to_read)
    return identity


async def _hold_to_acceptance(work: Work, case_id: str, assignment: Assignment) -> None:
    """Keep that the identity is read while the acceptance could still be undone; from then on it cannot.

    Raises `IdentityWithheld` when it was undone a moment ago.
    """
    if assignment.state != "accepted" or assignment.disclosed_at is not None or assignment.answered_at is None:
        return
    if work.now > assignment.answered_at + assignments.UNDO_WITHIN:
        return
    await work.lock_cases([case_id])
    found = (await needs.list_attempts(work, [assignment.referral_id]))[assignment.referral_id]
    assignments.expect_disclosable(next(a for a in found if a.attempt == assignment.attempt), now=work.now)
    await needs.mark_disclosed(work, assignment.assignment_id)
