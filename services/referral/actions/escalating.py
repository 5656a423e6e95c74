"""The ladder: somebody takes a need that is before a person, or it climbs; and limits of the law that have passed."""

from collections.abc import Sequence

from services.referral import policy
from services.referral.actions import following, guarding, telling
from services.referral.domain import escalations, limits
from services.referral.domain.escalations import Escalation
from services.referral.domain.needs import Need
from services.referral.domain.refusals import ReferralUnknown, Refused
from services.referral.store import desk
from services.referral.store import escalations as store
from services.referral.store.desk import Task, View
from shared.kit.work import Work

Result = Need | Refused


async def list_tasks(work: Work, *, view: View, after: str, limit: int) -> list[Task]:
    """What is before the actor: of the own region, or of the whole country."""
    everywhere = policy.answers_for_the_country(work.actor)
    if everywhere:
        await work.as_service()  # the whole country is nobody's region: policy has said who answers for it
    return await desk.list_tasks(work, view=view, everywhere=everywhere, after=after, limit=limit)


async def take_needs(work: Work, referral_ids: Sequence[str]) -> list[Result]:
    """The actor answers for these needs by name, until they move. One that is refused stops none of the others.

    Of a child for whom nobody answers by name yet, the actor answers for the child too.
    """
    found = await find_in_duty(work, referral_ids)
    changes = await following.locked(work, {id_: (id_, case_id) for id_, case_id in found.items()})
    standing = await store.list_open(work, sorted(found))
    results: list[Result] = []
    changed: dict[str, Escalation] = {}
    for referral_id in referral_ids:
        own = [changed.get(e.escalation_id, e) for e in standing if e.referral_id == referral_id]
        if not own:
            results.append(ReferralUnknown())
            continue
        need = changes.need(referral_id)
        try:
            taken = [escalations.take(e, need, by=work.actor.id, now=work.now) for e in own]
        except Refused as refused:
            results.append(refused)
            continue
        for before, after in zip(own, taken, strict=True):
            if after != before:
                changed[after.escalation_id] = after
                work.emit(telling.escalation_taken(need, after))
        results.append(need)
    if changed:
        await store.update_escalations(work, list(changed.values()))
        await guarding.name(work, [result for result in results if isinstance(result, Need)])
    return results


async def climb(work: Work, due: Sequence[tuple[str, str]]) -> None:
    """What nobody has taken in time goes one rung up, what was taken and has not moved comes back."""
    changes = await following.locked(work, {referral_id: (referral_id, case_id) for referral_id, case_id in due})
    changed: list[Escalation] = []
    # Read again under the lock: somebody may have taken it meanwhile, or another clock been here.
    for before in await store.list_open(work, sorted(changes.before)):
        need = changes.need(before.referral_id)
        after = escalations.fall_due(before, need, now=work.now)
        if after != before:
            changed.append(after)
            work.emit(telling.escalation_raised(need, before, after))
    if changed:
        await store.update_escalations(work, changed)


async def tell_breaches(work: Work, found: Sequence[tuple[str, str, str]]) -> None:
    """Put needs whose limit in law has passed before the whole country, once per limit."""
    changes = await following.locked(work, {referral_id: (referral_id, case_id) for referral_id, _, case_id in found})
    for referral_id, code, _ in found:
        need = changes.need(referral_id)
        if limits.BY_CODE[code] in limits.breached(need, now=work.now):
            changes.escalate(need, "legal_limit", need.live, limit=code)
    await following.save(work, changes)


async def find_in_duty(work: Work, referral_ids: Sequence[str]) -> dict[str, str]:
    """Of these needs those before a person that the actor has to act on: the case of each."""
    if not policy.answers_for_the_country(work.actor):
        return await desk.find_overseen(work, referral_ids)
    await work.as_service()  # the whole country is nobody's region: policy has said who answers for it
    return await store.find_national(work, referral_ids)
