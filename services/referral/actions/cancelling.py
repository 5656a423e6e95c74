"""Help that the sender ended: the agency says that it knows, else who oversees it does, after having made sure."""

from collections.abc import Sequence

from services.referral.actions import following, telling
from services.referral.domain import cancellations
from services.referral.domain.cancellations import Cancellation
from services.referral.domain.refusals import CancellationUnknown, Refused
from services.referral.store import cancellations as store
from shared.kit.work import Work

Result = Cancellation | Refused


async def confirm_cancellations(work: Work, assignment_ids: Sequence[str]) -> list[Result]:
    """The own agency knows that these have ended; one that is not its own looks like a missing one."""
    return await _confirm(work, await store.lock_own(work, assignment_ids), assignment_ids)


async def confirm_for_agency(work: Work, assignment_id: str) -> None:
    """A supervisor has made sure that the agency knows. Raises `CancellationUnknown`."""
    found = await store.lock_overdue(work, assignment_id)
    if found is None:
        raise CancellationUnknown
    await _confirm(work, {assignment_id: found}, [assignment_id])


async def remind(work: Work, overdue: Sequence[Cancellation]) -> None:
    """Tell once of each of these locked cancellations that was not confirmed in time."""
    changes = await following.locked_by_attempts(work, [one.assignment_id for one in overdue])
    for one in overdue:
        need = changes.need_of(one.assignment_id)
        work.emit(telling.cancellation_overdue(need, need.attempt(one.assignment_id), one.confirm_by))
    await store.mark_cancellations_overdue_told(work, [one.assignment_id for one in overdue])


async def _confirm(work: Work, found: dict[str, Cancellation], assignment_ids: Sequence[str]) -> list[Result]:
    after = {id_: cancellations.confirm(one, by=work.actor.id, now=work.now) for id_, one in found.items()}
    fresh = sorted(id_ for id_, one in after.items() if one != found[id_])
    if fresh:
        await store.mark_cancellations_confirmed(work, fresh)
        changes = await following.locked_by_attempts(work, fresh)
        for assignment_id in fresh:
            need = changes.need_of(assignment_id)
            work.emit(telling.cancellation_confirmed(need, need.attempt(assignment_id)))
    return [after.get(assignment_id) or CancellationUnknown() for assignment_id in assignment_ids]
