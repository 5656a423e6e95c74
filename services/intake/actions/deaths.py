"""A death that was noted wrongly: one person says that somebody lives, another confirms it, and what ended goes on."""

from collections.abc import Sequence

from services.intake.actions import households, second_person
from services.intake.actions.arrival_corrections import about, expected, write
from services.intake.domain import arrival_corrections as domain
from services.intake.domain.arrival_corrections import DeathUndoneReason, Doubt, Kept
from services.intake.domain.refusals.arrival_corrections import DoubtedAlready
from services.intake.store import arrival_corrections as store
from services.intake.store import deaths
from shared.contracts.intake.arrivals import DeathDoubted, DeathDoubtEnded, DeathUndone
from shared.kit.ids import new_id
from shared.kit.work import Work


async def doubt(work: Work, case_id: str, *, version: int, reason: DeathUndoneReason) -> Doubt:
    """Say that somebody lives who was noted as dead. Raises as `expected`, `NotDead`, `DoubtedAlready`."""
    kept = await expected(work, case_id, version)
    domain.expect_dead(kept)
    await work.as_service()  # found at the own port; what waits for a second person is the service's to write
    new = Doubt(new_id(), case_id, kept.port, kept.regency, reason, work.actor.id, work.now)
    if not await deaths.add(work, new):
        raise DoubtedAlready
    work.record(DeathDoubted(case_id=case_id, doubt_id=new.doubt_id, reason=reason))
    return new


async def confirm(work: Work, doubt_id: str, *, version: int | None = None) -> Kept:
    """A second person confirms that somebody lives. Who answered for whom before is linked anew, by people.

    Raises `NotAllowed`, `ProposalUnknown`, `ProposalEnded`, `NotTwoPeople`, `ChangedMeanwhile`.
    """
    doubt_, kept = await second_person.to_confirm(work, deaths.find, doubt_id, version=version)
    death = await store.find_death(work, kept.case_id)
    corrected = domain.undo_death(kept, death, reason=doubt_.reason, by=work.actor.id, proposed_by=doubt_.proposed_by)
    after, step = corrected
    await deaths.end(work, kept.case_id, "confirmed")
    fact = DeathUndone.model_validate(
        {**about(after), "reason": doubt_.reason, "proposed_by": doubt_.proposed_by, "struck": step.struck}
    )
    await write(work, corrected, fact)
    return await households.protect_who_lives(work, after)


async def refuse(work: Work, doubt_id: str) -> None:
    """A second person does not see it so, or who said it takes it back.

    Raises `NotAllowed`, `ProposalUnknown`, `ProposalEnded`.
    """
    doubt_, how = await second_person.to_refuse(work, deaths.find, doubt_id)
    await deaths.end(work, doubt_.case_id, how)
    work.record(DeathDoubtEnded(case_id=doubt_.case_id, doubt_id=doubt_id, how=how))


async def list_open(work: Work, *, limit: int) -> Sequence[Doubt]:
    """What waits for a second person in the actor's port or region, the longest first. Raises `NotAllowed`."""
    port, region = second_person.scope_of(work)
    return await deaths.list_open(work, port=port, region=region, limit=limit)
