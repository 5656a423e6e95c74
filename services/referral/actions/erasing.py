"""What follows when a person's identity was erased: whoever had been shown it erases its own copy and says so.

The needs of an erased person go on: help that has begun is finished, a request is answered, with the case's number for
a name. Only the identity stays unreadable, for ever.
"""

from collections.abc import Sequence
from datetime import datetime

from services.referral import policy
from services.referral.actions import telling
from services.referral.domain import erasures
from services.referral.domain.erasures import ErasureTask
from services.referral.domain.refusals import ErasureUnknown, Refused
from services.referral.store import erasures as store
from services.referral.store.erasures import Recipient
from shared.contracts.intake import PersonErased
from shared.kit.heard import Heard
from shared.kit.ids import new_id
from shared.kit.work import Work

BATCH = 200

Result = ErasureTask | Refused


async def ask_for_erasure(work: Work, erased: Sequence[Heard[PersonErased]]) -> None:
    """Keep that these persons are erased, and give each agency that had been shown one a task."""
    await store.add_erasures(work, [heard.case_id for heard in erased])
    recipients = [
        Recipient(new_id(), heard.case_id, agency_id, heard.fact.confirm_by)
        for heard in erased
        for agency_id in sorted(set(heard.fact.recipients))
    ]
    if recipients:
        await store.add_tasks(work, recipients)


async def confirm_erasures(work: Work, task_ids: Sequence[str]) -> list[Result]:
    """The own agency has erased its copies; one that is not its own looks like a missing one."""
    found = await store.lock_own(work, task_ids)
    return await _confirm(work, found, task_ids)


async def confirm_for_agency(work: Work, task_id: str) -> None:
    """Somebody who has checked says it for an agency that did not in time. Raises `ErasureUnknown`."""
    task = await store.lock_overdue(work, task_id, everywhere=policy.oversees_everywhere(work.actor))
    if task is None or not policy.may_confirm_for(work.actor, task.region):
        raise ErasureUnknown
    await _confirm(work, {task_id: task}, [task_id])


async def remind(work: Work, *, limit: int = BATCH) -> int:
    """Tell once of each task that was not confirmed in time; answers how many there were."""
    overdue = await store.lock_unreminded(work, limit)
    for task in overdue:
        work.emit(telling.erasure_overdue(task))
    if overdue:
        await store.mark_tasks_overdue_told(work, [task.task_id for task in overdue])
    return len(overdue)


async def find_erased_at(work: Work, case_id: str) -> datetime | None:
    """When the identity behind a case that the actor has found as its own was erased; None while it is there."""
    # No agency owns the erasure itself; that the case is the actor's has been found out before.
    await work.as_service()
    return await store.find_erased_at(work, case_id)


async def _confirm(work: Work, found: dict[str, ErasureTask], task_ids: Sequence[str]) -> list[Result]:
    after = {id_: erasures.confirm(task, by=work.actor.id, now=work.now) for id_, task in found.items()}
    fresh = [task for id_, task in after.items() if task != found[id_]]
    for task in fresh:
        work.emit(telling.erasure_confirmed(task))
    if fresh:
        await store.mark_tasks_confirmed(work, fresh)
    return [after.get(task_id) or ErasureUnknown() for task_id in task_ids]
