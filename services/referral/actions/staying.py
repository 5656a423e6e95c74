"""Keeping an eye on households: who acts on one is alone with it, and who comes to be apart is somebody's task."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.referral.actions import telling
from services.referral.domain import households
from services.referral.domain.households import Reunification
from services.referral.domain.needs import Need
from services.referral.domain.refusals import SplitUnexplained
from services.referral.store import households as store
from services.referral.store import needs as needs_store
from shared.contracts.referral import SplitReason
from shared.kit.ids import new_id
from shared.kit.work import Work


async def lock(work: Work, case_ids: Iterable[str]) -> dict[str, str]:
    """Make this work the only one on these cases and on the households of them; answers the household of each.

    Households before cases, everywhere: so no two works wait for each other. As the service.
    """
    case_ids = sorted(set(case_ids))
    found = await store.find_households(work, case_ids)
    if found:
        await work.lock_cases(found.values())
    await work.lock_cases(case_ids)
    # Who joined meanwhile has been told by a work that is over; from here on nobody joins or parts.
    return await store.find_households(work, case_ids) if found else found


async def load(work: Work, household_ids: Iterable[str]) -> dict[str, list[Need]]:
    """All needs of these households that have not ended; their locks are held."""
    members = await store.list_members(work, sorted(set(household_ids)))
    home = {case_id: household_id for household_id, cases in members.items() for case_id in cases}
    owned = await needs_store.find_of_cases(work, list(home))
    found: dict[str, list[Need]] = {}
    for need in (await needs_store.find_needs(work, sorted(owned))).values():
        if not need.referral.is_terminal:
            found.setdefault(home[need.referral.case_id], []).append(need)
    return found


@dataclass(slots=True)
class Watch:
    """Households as they stand before a person chooses an office: whoever parts one has to say why."""

    home: Mapping[str, str]
    needs: dict[str, list[Need]]
    splits: dict[str, SplitReason]

    def expect(self, after: Need, said: SplitReason | None) -> None:
        """The need goes where a person has chosen. Raises `SplitUnexplained`."""
        household_id = self.home.get(after.referral.case_id)
        if household_id is None:
            return
        known = self.needs.get(household_id, [])
        changed = [n for n in known if n.referral.referral_id != after.referral.referral_id] + [after]
        before, now = (
            {need.referral.case_id for need in households.who_is_apart(some)[1]} for some in (known, changed)
        )
        if now <= before:
            return
        if said is None:
            raise SplitUnexplained
        self.splits.update(dict.fromkeys(now - before, said))


async def watch(work: Work, home: Mapping[str, str], splits: dict[str, SplitReason]) -> Watch:
    """The households of some cases, whose locks are held; what is said goes into `splits`."""
    return Watch(home, await load(work, home.values()) if home else {}, splits)


async def note(work: Work, household_ids: Iterable[str], reasons: Mapping[str, SplitReason] | None = None) -> None:
    """Put who is apart now before a supervisor, and close what has come right; after all else was written.

    `reasons`: what people have said of it, by case. What somebody has decided stands until one of the two moves on.
    """
    ids = sorted(set(household_ids))
    if not ids:
        return
    loaded = await load(work, ids)
    latest = await store.list_latest(work, ids)
    added: list[Reunification] = []
    for household_id in ids:
        lead, apart = households.who_is_apart(loaded.get(household_id, []))
        for need in apart:
            assert lead is not None
            before = latest.pop(need.referral.case_id, None)
            if before is not None and _stands(before, lead, need):
                continue
            reason = (reasons or {}).get(need.referral.case_id) or households.why_apart(lead, need, now=work.now)
            task = households.opened(household_id, lead, need, reason, task_id=new_id(), now=work.now)
            added.append(task)
            work.record(telling.reunification_opened(task))
        together = {need.referral.case_id for need in loaded.get(household_id, []) if need.live is not None}
        for task in list(latest.values()):
            is_open = task.household_id == household_id and task.closed_at is None
            if is_open and task.case_id in together and lead is not None and lead.live is not None:
                await close(work, task, "reunited")
    if added:
        await store.add_tasks(work, added)


async def close(work: Work, task: Reunification, how: households.ClosedAs) -> None:
    """Nothing is left to bring together."""
    ended = households.end(task, how, now=work.now)
    await store.save_task(work, ended)
    work.record(telling.reunification_closed(ended))


def _stands(task: Reunification, lead: Need, need: Need) -> bool:
    """True for a task that is open, or that a person has decided for these very two offices."""
    assert lead.live is not None
    assert need.live is not None
    if task.closed_at is None:
        return True
    return task.closed_as == "decided" and (task.agency_id, task.apart_from) == (
        need.live.agency_id,
        lead.live.agency_id,
    )
