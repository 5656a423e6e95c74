"""Putting the counts of a voyage side by side, and settling where they differ or saying who looks after it."""

import asyncio
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from services.intake import policy
from services.intake.actions.arrivals import port_of
from services.intake.domain.reconciliation import (
    Difference,
    Heads,
    Pair,
    Reason,
    Reconciliation,
    reconcile,
)
from services.intake.domain.refusals.reconciliation import DifferenceMoved, DifferenceUnknown, RollsOverElsewhere
from services.intake.domain.refusals.voyages import VoyageUnknown
from services.intake.domain.totals import UNKNOWN, Dimension
from services.intake.store import arrivals as arrivals_store
from services.intake.store import carried, roll_calls, voyages
from services.intake.store import differences as store
from services.intake.store import totals as totals_store
from services.intake.store.vault import Sealed, SealedPerson, Vault
from shared.contracts.intake.voyages import VoyageDifferenceOpened, VoyageDifferenceSettled, VoyageReconciled
from shared.kit import words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.ids import new_id
from shared.kit.refusal import Refusal
from shared.kit.words import Language, msg
from shared.kit.work import Work

NEAR = timedelta(days=1)
"""Voyages this close may have taken each other's people."""
MOST_NEAR = 20
BATCH = 500
"""So many identities are opened at a time, between which others are served."""


class Moved(Refusal):
    """Somebody else was first; the answer says who, and what it is now."""

    status = 409
    code = "difference_moved"
    title = msg("This difference has changed meanwhile")

    def __init__(self, language: Language, moved: DifferenceMoved) -> None:
        now: Difference = moved.now
        told = (
            msg("%(who)s has settled it: %(reason)s. Look at it as it is now.")
            if now.is_settled
            else msg("It is version %(version)s now, and %(who)s looks after it. Look at it as it is now.")
        )
        who = now.settled_by or now.owner
        super().__init__(words.translate(language, told, who=who, reason=now.reason or "", version=str(now.version)))


async def reconcile_voyage(database: Database, vault: Vault, actor: Actor, voyage_id: str) -> Reconciliation:
    """All counts of a voyage of the actor's port. Depots and reasons are counted in the vault, which is on the trail.

    Raises `NotAllowed`, `VoyageUnknown`.
    """
    port_of(actor)
    async with database.work(actor, purpose="reconcile") as work:
        sighting = await voyages.sighted(work, voyage_id)
        if sighting is None or not policy.works_at(actor, sighting.voyage.port):
            raise VoyageUnknown
        sources = await totals_store.of_voyage(work, voyage_id)
        differences = await store.of_voyage(work, voyage_id)
        rolled_over = await store.rolled_over_to(work, voyage_id)
        absent = await roll_calls.absent_by_reason(work, voyage_id)
        absent_over = await roll_calls.absent_over(work, voyage_id)
        at = sighting.voyage.expected_at
        around = await voyages.expected_between(work, at - NEAR, at + NEAR, limit=MOST_NEAR)
        came_over, went_over = await carried.came_over(work, voyage_id), await carried.went_over(work, voyage_id)
        over = await carried.recorded_of(work, voyage_id) if came_over else frozenset()
        awaited = await carried.awaited_at(work, voyage_id)
    arrived, arrived_over = await _count_arrived(database, vault, actor, voyage_id, over)
    return reconcile(
        *(sighting, sources, arrived, differences),
        near=[one for one in around if one.voyage.voyage_id != voyage_id],
        rolled_over=rolled_over,
        awaited=awaited,
        absent=absent,
        absent_over=absent_over,
        came_over=came_over,
        went_over=went_over,
        arrived_over=arrived_over,
    )


async def _count_arrived(
    database: Database, vault: Vault, actor: Actor, voyage_id: str, over: Collection[str]
) -> tuple[Heads, Heads]:
    """Everybody who was recorded, and those of them whose cases are `over`: who was carried over to this voyage."""
    everybody, those = _nobody(), _nobody()
    after: str | None = None
    opened = 0
    while True:
        async with database.work(actor, purpose="reconcile") as work:
            await work.as_service()  # keys are nobody's; the voyage is the actor's port's, and only counts come out
            people = await arrivals_store.to_count(work, voyage_id, after=after, limit=BATCH)
        if not people:
            break
        for one in people:
            for tally in (everybody, those) if one.case_id in over else (everybody,):
                tally["group"].update(_groups(one.sex, one.age_band))
                tally["origin"][one.origin_regency[:2] if one.origin_regency else UNKNOWN] += 1
                if one.wrapped_key is None:  # erased: what only the vault knew nobody knows any more
                    tally["depot"][UNKNOWN] += 1
                    tally["reason"][UNKNOWN] += 1
        kept = [
            SealedPerson(one.person_id, one.case_id, Sealed(one.wrapped_key, one.sealed))
            for one in people
            if one.wrapped_key is not None
        ]
        for sealed, identity in zip(kept, vault.open_many(kept), strict=True):
            for tally in (everybody, those) if sealed.case_id in over else (everybody,):
                tally["depot"][identity.detained_at or UNKNOWN] += 1
                tally["reason"][identity.return_reason or UNKNOWN] += 1
        opened += len(kept)
        after = people[-1].case_id
        await asyncio.sleep(0)
    if opened:
        async with database.work(actor, purpose="reconcile") as work:
            work.record(VoyageReconciled(case_id=voyage_id, people=opened))
    return everybody, those


def _nobody() -> dict[Dimension, Counter[str]]:
    return {name: Counter() for name in ("group", "depot", "reason", "origin")}


def _groups(sex: str, age_band: str) -> tuple[str, ...]:
    """How a person is counted on the quay: once, and as a child once more. Who is of unknown age or sex is unknown."""
    if age_band == "child":
        return ({"M": "boys", "F": "girls"}.get(sex, UNKNOWN), "children")
    if age_band == "unknown" or sex == "X":
        return (UNKNOWN,)
    return ("men",) if sex == "M" else ("women",)


async def open_difference(work: Work, voyage_id: str, *, pair: Pair, heads: int) -> Difference:
    """Look after a part of a difference until its reason is known. Raises `NotAllowed`, `VoyageUnknown`."""
    difference = await _new(work, voyage_id, pair, heads)
    await store.add(work, difference)
    _tell_opened(work, difference)
    return difference


async def explain_difference(
    work: Work, voyage_id: str, *, pair: Pair, heads: int, reason: Reason, next_voyage_id: str | None = None
) -> Difference:
    """Say at once why counts differ by so many. Raises `NotAllowed`, `VoyageUnknown`, `RollsOverElsewhere`."""
    opened = await _new(work, voyage_id, pair, heads)
    settled = await _settled(work, opened, reason, next_voyage_id)
    await store.add(work, replace(settled, version=1))
    _tell_settled(work, settled)
    return settled


async def settle_difference(
    work: Work, difference_id: str, *, version: int, reason: Reason, next_voyage_id: str | None = None
) -> Difference:
    """Give an open difference its reason.

    Raises `NotAllowed`, `DifferenceUnknown`, `DifferenceMoved`, `RollsOverElsewhere`.
    """
    settled = await _settled(work, await _locked(work, difference_id, version), reason, next_voyage_id)
    await store.save(work, settled)
    _tell_settled(work, settled)
    return settled


async def take_difference(work: Work, difference_id: str, *, version: int) -> Difference:
    """Look after a difference instead of who did. Raises `NotAllowed`, `DifferenceUnknown`, `DifferenceMoved`."""
    found = await _locked(work, difference_id, version)
    taken = replace(found, owner=work.actor.id, version=found.version + 1)
    await store.save(work, taken)
    _tell_opened(work, taken)
    return taken


async def _new(work: Work, voyage_id: str, pair: Pair, heads: int) -> Difference:
    port_of(work.actor)
    if await voyages.find(work, voyage_id) is None:
        raise VoyageUnknown
    return Difference(new_id(), voyage_id, pair, heads, work.actor.id, work.actor.id, work.now)


async def _locked(work: Work, difference_id: str, version: int) -> Difference:
    port_of(work.actor)
    found = await store.lock(work, difference_id)
    if found is None:
        raise DifferenceUnknown
    if found.is_settled or found.version != version:
        raise DifferenceMoved(found)
    return found


async def _settled(work: Work, difference: Difference, reason: Reason, next_voyage_id: str | None) -> Difference:
    if next_voyage_id is not None and (
        reason != "rolled_over"
        or next_voyage_id == difference.voyage_id
        or await voyages.find(work, next_voyage_id) is None
    ):
        raise RollsOverElsewhere
    return replace(
        difference,
        reason=reason,
        next_voyage_id=next_voyage_id,
        settled_by=work.actor.id,
        settled_at=work.now,
        version=difference.version + 1,
    )


def _tell_opened(work: Work, difference: Difference) -> None:
    work.record(
        VoyageDifferenceOpened(
            case_id=difference.voyage_id,
            difference_id=difference.difference_id,
            pair=difference.pair,
            heads=difference.heads,
            owner=difference.owner,
        )
    )


def _tell_settled(work: Work, difference: Difference) -> None:
    assert difference.reason is not None
    work.record(
        VoyageDifferenceSettled(
            case_id=difference.voyage_id,
            difference_id=difference.difference_id,
            pair=difference.pair,
            heads=difference.heads,
            reason=difference.reason,
        )
    )
