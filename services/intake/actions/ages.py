"""Correcting an age: towards a child at once, from a child to of age by two people, the second of whom confirms."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.intake.actions import households, second_person
from services.intake.actions.arrival_corrections import expected, lived, write_age
from services.intake.actions.arrivals import day_at
from services.intake.domain import arrival_corrections as domain
from services.intake.domain import dates, people
from services.intake.domain.arrival_corrections import Kept, Proposal
from services.intake.domain.people import Birth
from services.intake.domain.refusals.arrival_corrections import (
    AgeAlreadyProposed,
    AgeStaysSame,
    ProofMissing,
    ProposalEnded,
)
from services.intake.domain.refusals.identities import PersonErasedBefore
from services.intake.store import arrival_corrections as store
from services.intake.store import arrivals
from services.intake.store.vault import Vault
from services.intake.store.vault.resealing import open_proposal, seal_proposal
from shared.contracts import codes
from shared.contracts.codes import AgeProof, CorrectionReason
from shared.contracts.intake.arrivals import AgeProposalEnded, AgeProposed
from shared.kit.ids import new_id
from shared.kit.work import Work


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody says of an age: a birth, or the years that a person had when landing; neither: nobody knows."""

    birth: Birth | None = None
    years: int | None = None

    def of(self, kept: Kept) -> Birth | None:
        """The birth of who landed then. Raises `BadCell` for one that nobody can have."""
        if self.birth is not None:
            return lived(kept, self.birth)
        if self.years is None:
            return None
        return people.aged(self.years, day_at(codes.ports()[kept.port], kept.arrived_at))


async def correct_age(
    work: Work,
    vault: Vault,
    case_id: str,
    *,
    version: int,
    told: Told,
    reason: CorrectionReason,
    proof: AgeProof | None,
) -> Kept | Proposal:
    """Correct the age, or, where that takes two people, ask for it.

    Raises as `arrival_corrections.expected`, `BadCell`, `AgeStaysSame`, `ProofMissing`, `AgeAlreadyProposed`,
    `PersonErasedBefore`, `ArrivalInError`, `PersonHasDied`.
    """
    kept = await expected(work, case_id, version)
    birth = told.of(kept)
    becomes = people.age_band(birth, day_at(codes.ports()[kept.port], kept.arrived_at))
    domain.expect_alive(kept)
    if becomes == kept.age_band:
        raise AgeStaysSame
    if not domain.takes_two(kept.age_band, becomes):
        after = await write_age(work, vault, kept, birth, reason=reason, proof=proof, proposed_by=None)
        await households.end_with_person(work, after, reason="in_error")
        return after
    if proof is None:
        raise ProofMissing
    assert birth is not None  # without one nobody is of age
    await work.as_service()  # the person's key is nobody's; the birth is sealed with it, unseen
    found = await arrivals.find_sealed(work, case_id)
    if found is None or found.wrapped_key is None:
        raise PersonErasedBefore
    proposal_id = new_id()
    new = Proposal(
        proposal_id=proposal_id,
        case_id=case_id,
        person_id=kept.person_id,
        port=kept.port,
        regency=kept.regency,
        was=kept.age_band,
        becomes=becomes,
        sealed=seal_proposal(
            vault,
            birth.text,
            wrapped_key=found.wrapped_key,
            person_id=kept.person_id,
            correction_id=proposal_id,
        ),
        reason=reason,
        proof=proof,
        proposed_by=work.actor.id,
        proposed_at=work.now,
    )
    if not await store.add_proposal(work, new):
        raise AgeAlreadyProposed
    work.record(AgeProposed(case_id=case_id, proposal_id=proposal_id, proof=proof))
    return new


async def confirm(work: Work, vault: Vault, proposal_id: str, *, version: int | None = None) -> Kept:
    """A second person confirms that somebody is of age: protection as a child ends with it.

    Raises `NotAllowed`, `ProposalUnknown`, `ProposalEnded`, `NotTwoPeople`, `ChangedMeanwhile`.
    """
    proposal, kept = await second_person.to_confirm(work, store.find_proposal, proposal_id, version=version)
    if domain.has_lapsed(proposal.proposed_at, work.now):
        raise ProposalEnded
    found = await arrivals.find_sealed(work, kept.case_id)
    if found is None or found.wrapped_key is None:
        raise PersonErasedBefore
    text = open_proposal(
        vault,
        proposal.sealed,
        wrapped_key=found.wrapped_key,
        person_id=kept.person_id,
        correction_id=proposal_id,
    )
    await store.end_proposal(work, proposal_id, "confirmed")
    after = await write_age(
        work,
        vault,
        kept,
        dates.read_kept(text),
        reason=proposal.reason,
        proof=proposal.proof,
        proposed_by=proposal.proposed_by,
    )
    await households.end_with_person(work, after, reason="in_error")
    return after


async def refuse(work: Work, proposal_id: str) -> None:
    """A second person does not see it so, or who asked for it takes it back: the child stays one.

    Raises `NotAllowed`, `ProposalUnknown`, `ProposalEnded`.
    """
    proposal, how = await second_person.to_refuse(work, store.find_proposal, proposal_id)
    await store.end_proposal(work, proposal_id, how)
    work.record(AgeProposalEnded(case_id=proposal.case_id, proposal_id=proposal_id, how=how))


async def lapse(work: Work, *, limit: int) -> int:
    """End what nobody has confirmed in time; the child stays a child. Answers how many there were."""
    due = await store.list_lapsed(work, before=work.now - domain.LAPSES_AFTER, limit=limit)
    await work.lock_cases({case_id for _, case_id in due})
    for proposal_id, case_id in due:
        if await store.end_proposal(work, proposal_id, "expired"):
            work.record(AgeProposalEnded(case_id=case_id, proposal_id=proposal_id, how="expired"))
    return len(due)


async def list_open(work: Work, *, limit: int) -> Sequence[Proposal]:
    """What waits for a second person in the actor's port or region, the longest first. Raises `NotAllowed`."""
    port, region = second_person.scope_of(work)
    return await store.list_open(work, port=port, region=region, limit=limit)
