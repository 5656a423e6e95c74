"""A death that was noted wrongly: one person says that somebody lives, another confirms it, and what ended goes on."""

from collections.abc import Sequence

from services.intake import policy
from services.intake.actions import households
from services.intake.actions.arrival_corrections import about, expect_version, expected, lock_with_links, write
from services.intake.domain import arrival_corrections as domain
from services.intake.domain.arrival_corrections import DeathUndoneReason, Doubt, Kept
from services.intake.domain.refusals import NotAllowed
from services.intake.domain.refusals.arrival_corrections import (
    DoubtedAlready,
    NotTwoPeople,
    ProposalEnded,
    ProposalUnknown,
)
from services.intake.store import arrival_corrections as store
from services.intake.store import deaths
from shared.contracts.intake import DeathDoubted, DeathDoubtEnded, DeathUndone
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
    doubt_, kept = await _open(work, doubt_id)
    if doubt_.proposed_by == work.actor.id:
        raise NotTwoPeople
    if version is not None:
        await expect_version(work, kept, version)
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
    doubt_, _ = await _open(work, doubt_id)
    if doubt_.proposed_by == work.actor.id:
        await deaths.end(work, doubt_.case_id, "withdrawn")
        work.record(DeathDoubtEnded(case_id=doubt_.case_id, doubt_id=doubt_id, how="withdrawn"))
    else:
        await deaths.end(work, doubt_.case_id, "refused")
        work.record(DeathDoubtEnded(case_id=doubt_.case_id, doubt_id=doubt_id, how="refused"))


async def list_open(work: Work, *, limit: int) -> Sequence[Doubt]:
    """What waits for a second person in the actor's port or region, the longest first. Raises `NotAllowed`."""
    port, region = _scope(work)
    return await deaths.list_open(work, port=port, region=region, limit=limit)


def _scope(work: Work) -> tuple[str | None, str | None]:
    """Who confirms that a child is of age confirms this too."""
    if not policy.may_decide_ages(work.actor):
        raise NotAllowed
    return policy.decides_ages_in(work.actor)


async def _open(work: Work, doubt_id: str) -> tuple[Doubt, Kept]:
    """A doubt that still waits, its case locked."""
    port, region = _scope(work)
    found = await deaths.find(work, doubt_id, port=port, region=region)
    if found is None:
        raise ProposalUnknown
    await work.as_service()  # found in the own port or region; what it leads to is the service's to write
    await lock_with_links(work, found.case_id)
    found = await deaths.find(work, doubt_id, port=port, region=region)
    assert found is not None
    if found.ended_as is not None:
        raise ProposalEnded
    return found, await store.find_proposed(work, found.case_id)
