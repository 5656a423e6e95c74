"""Placing and lifting legal holds: what a court or an investigation needs is not erased meanwhile."""

from services.intake.actions import protection
from services.intake.domain.holds import Hold, LiftReason, Reason
from services.intake.domain.references import is_reference
from services.intake.domain.refusals.identities import HoldLifted, HoldUnknown, PersonErasedBefore, ReferenceUnfit
from services.intake.store import erasures
from services.intake.store import holds as store
from shared.contracts.intake.identities import LegalHoldLifted, LegalHoldPlaced
from shared.kit.ids import new_id
from shared.kit.work import Work


async def place_hold(work: Work, case_id: str, *, reason: Reason, reference: str) -> Hold:
    """Keep the person of a case from being erased.

    Raises `NotAllowed`, `CaseUnknown`, `ReferenceUnfit`, or `PersonErasedBefore` when there is nothing left to hold.
    """
    person = await protection.find_person(work, case_id)
    if not is_reference(reference):
        raise ReferenceUnfit
    await work.lock_cases(person.case_ids)
    if await erasures.find(work, person.person_id) is not None:
        raise PersonErasedBefore
    hold = Hold(new_id(), person.person_id, case_id, reason, reference, work.actor.id, work.now)
    await store.add(work, hold)
    work.record(LegalHoldPlaced(case_id=case_id, hold_id=hold.hold_id, reason=reason))
    return hold


async def lift_hold(work: Work, hold_id: str, *, reason: LiftReason) -> Hold:
    """End a hold. Raises `NotAllowed`, `HoldUnknown` or `HoldLifted`."""
    await protection.act_for_all_ports(work)
    hold = await store.find(work, hold_id)
    if hold is None:
        raise HoldUnknown
    await work.lock_cases([hold.case_id])
    if not await store.lift(work, hold_id, reason=reason):
        raise HoldLifted
    work.record(LegalHoldLifted(case_id=hold.case_id, hold_id=hold_id, reason=reason))
    lifted = await store.find(work, hold_id)
    assert lifted is not None
    return lifted


async def list_holds(work: Work, *, after: str | None, limit: int) -> tuple[list[Hold], str | None]:
    """Holds that stand, and the `after` of the next page; None on the last. Raises `NotAllowed`."""
    await protection.act_for_all_ports(work)
    found = await store.list_standing(work, after=after, limit=limit + 1)
    return found[:limit], found[limit - 1].hold_id if len(found) > limit else None
