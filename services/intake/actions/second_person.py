"""What takes two people: one asks for it, another of the port or a supervisor of its region decides."""

from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

from services.intake import policy
from services.intake.actions.arrival_corrections import expect_version, lock_with_links
from services.intake.domain.arrival_corrections import Doubt, Kept, Proposal
from services.intake.domain.refusals import NotAllowed
from services.intake.domain.refusals.arrival_corrections import NotTwoPeople, ProposalEnded, ProposalUnknown
from services.intake.store import arrival_corrections as store
from shared.kit.work import Work

Waiting = TypeVar("Waiting", Proposal, Doubt)
Find = Callable[..., Awaitable[Waiting | None]]
"""How `store` finds one by its id in a port or a region."""


def scope_of(work: Work) -> tuple[str | None, str | None]:
    """The port or the region of which the actor decides what waits. Raises `NotAllowed`."""
    if not policy.may_decide_ages(work.actor):
        raise NotAllowed
    return policy.decides_ages_in(work.actor)


async def to_confirm(work: Work, find: Find[Waiting], id_: str, *, version: int | None) -> tuple[Waiting, Kept]:
    """What the actor, another than who asked for it, confirms on this version of the case, which is locked.

    Raises `NotAllowed`, `ProposalUnknown`, `ProposalEnded`, `NotTwoPeople`, `ChangedMeanwhile`.
    """
    waiting, kept = await _open(work, find, id_)
    if waiting.proposed_by == work.actor.id:
        raise NotTwoPeople
    if version is not None:
        await expect_version(work, kept, version)
    return waiting, kept


async def to_refuse(work: Work, find: Find[Waiting], id_: str) -> tuple[Waiting, Literal["refused", "withdrawn"]]:
    """What the actor does not see so or, who asked for it, takes back, its case locked; and which of the two it is.

    Raises `NotAllowed`, `ProposalUnknown`, `ProposalEnded`.
    """
    waiting, _ = await _open(work, find, id_)
    return waiting, "withdrawn" if waiting.proposed_by == work.actor.id else "refused"


async def _open(work: Work, find: Find[Waiting], id_: str) -> tuple[Waiting, Kept]:
    port, region = scope_of(work)
    found = await find(work, id_, port=port, region=region)
    if found is None:
        raise ProposalUnknown
    await work.as_service()  # found in the own port or region; what it leads to is the service's to write
    await lock_with_links(work, found.case_id)
    found = await find(work, id_, port=port, region=region)
    assert found is not None
    if found.ended_as is not None:
        raise ProposalEnded
    return found, await store.find_proposed(work, found.case_id)
