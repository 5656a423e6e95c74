"""What reaches everybody who had been shown a person: erase your copy, or read the person again.

The needs of an erased person go on: help that has begun is finished, a request is answered, with the case's number for
a name. Only the identity stays unreadable, for ever.
"""

from collections.abc import Sequence
from datetime import datetime

from services.referral import policy
from services.referral.actions import returning, telling
from services.referral.domain import assignments, recipients
from services.referral.domain.recipients import WITHIN, RecipientTask
from services.referral.domain.refusals import DisclosureEnded, IdentityWithheld, Refused, TaskUnknown
from services.referral.store import needs
from services.referral.store import recipients as store
from services.referral.store.recipients import Recipient
from shared.contracts.intake.identities import IdentityCorrected, PersonErased
from shared.kit.heard import Heard
from shared.kit.ids import new_id
from shared.kit.work import Work

Result = RecipientTask | Refused
Said = Heard[PersonErased] | Heard[IdentityCorrected]


async def ask_recipients(work: Work, said: Sequence[Said]) -> None:
    """Give each agency that had been shown the person a task; what was to be corrected before an erasure is settled."""
    asked = [recipient for heard in said for recipient in _recipients(heard)]
    if asked:
        await store.add_tasks(work, asked)
    erased = [heard.case_id for heard in said if isinstance(heard.fact, PersonErased)]
    if erased:
        await store.add_erasures(work, erased)
        await store.supersede_corrections(work, erased)
        await returning.forget(work, erased)


async def confirm_tasks(work: Work, task_ids: Sequence[str]) -> list[Result]:
    """The own agency has done it; a task that is not its own looks like a missing one."""
    found = await store.lock_own(work, task_ids)
    readable = await _readable(work, {task.case_id for task in found.values() if task.kind == "correction"})
    after: dict[str, Result] = {}
    for task_id, task in found.items():
        may_read = task.case_id in readable
        try:
            after[task_id] = recipients.confirm(task, by=work.actor.id, may_read=may_read, now=work.now)
        except Refused as refused:
            after[task_id] = refused
    await _settle(work, found, [task for task in after.values() if isinstance(task, RecipientTask)])
    return [after.get(task_id) or TaskUnknown() for task_id in task_ids]


async def confirm_for_agency(work: Work, task_id: str) -> None:
    """Somebody who has checked says it for an agency that did not in time. Raises `TaskUnknown`."""
    task = await store.lock_overdue(work, task_id, everywhere=policy.oversees_everywhere(work.actor))
    if task is None or not policy.may_confirm_for(work.actor, task.region):
        raise TaskUnknown
    await _settle(work, {task_id: task}, [recipients.settle(task, "confirmed", by=work.actor.id, now=work.now)])


async def list_to_read(work: Work, case_id: str) -> list[str]:
    """The tasks that a reading which begins now will settle; one that is asked meanwhile is not among them."""
    return await store.list_to_read(work, case_id)


async def note_reading(work: Work, task_ids: Sequence[str]) -> None:
    """The agency has been shown the person again, as corrected."""
    found = await store.lock_own(work, task_ids)
    await _settle(work, found, [recipients.settle(t, "read", by=work.actor.id, now=work.now) for t in found.values()])


async def remind(work: Work, overdue: Sequence[RecipientTask]) -> None:
    """Tell once of each of these locked tasks that was not settled in time."""
    for task in overdue:
        work.emit(telling.copy_overdue(task))
    await store.mark_overdue_told(work, [task.task_id for task in overdue])


async def find_erased_at(work: Work, case_id: str) -> datetime | None:
    """When the identity behind a case that the actor has found as its own was erased; None while it is there."""
    # No agency owns the erasure itself; that the case is the actor's has been found out before.
    await work.as_service()
    return await store.find_erased_at(work, case_id)


def _recipients(heard: Said) -> list[Recipient]:
    """Each agency that had been shown the person, once, with what it has to do."""
    fact = heard.fact
    names = sorted(set(fact.recipients))
    if isinstance(fact, PersonErased):
        return [Recipient(new_id(), "erasure", heard.case_id, name, fact.confirm_by) for name in names]
    by = heard.occurred_at + WITHIN
    return [Recipient(new_id(), "correction", heard.case_id, name, by, fact.fields) for name in names]


async def _readable(work: Work, case_ids: set[str]) -> set[str]:
    """Of these cases those whose identity the own agency may still be shown."""
    if not case_ids:
        return set()
    own = await store.list_own_referrals(work, list(case_ids))
    attempts = await needs.list_attempts(work, [id_ for referral_ids in own.values() for id_ in referral_ids])

    def may_read(referral_id: str) -> bool:
        for attempt in attempts.get(referral_id, ()):
            if policy.answers_for(work.actor, attempt.agency_id):
                try:
                    assignments.expect_disclosable(attempt, now=work.now)
                except (DisclosureEnded, IdentityWithheld):
                    continue
                return True
        return False

    return {case_id for case_id, referral_ids in own.items() if any(map(may_read, referral_ids))}


async def _settle(work: Work, found: dict[str, RecipientTask], after: Sequence[RecipientTask]) -> None:
    fresh = [task for task in after if task != found[task.task_id]]
    for task in fresh:
        work.emit(telling.copy_settled(task))
    if fresh:
        await store.mark_settled(work, fresh)
