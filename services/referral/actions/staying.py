"""Keeping an eye on households: who acts on one is alone with it, and who comes to be apart is somebody's task."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from services.referral import rules
from services.referral.actions import telling
from services.referral.domain import households
from services.referral.domain.households import Reunification, Standing
from services.referral.domain.needs import Need
from services.referral.domain.refusals import SplitUnexplained
from services.referral.domain.routing import Facts
from services.referral.store import households as store
from shared.contracts.referral.households import SplitReason
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


def read_facts(body: bytes) -> Facts:
    """What a stored decision was made on."""
    return rules.read(body).facts


async def list_standing(work: Work, household_ids: Iterable[str]) -> dict[str, list[Standing]]:
    """How all open needs of these households stand; their locks are held."""
    return await store.list_standing(work, sorted(household_ids), read_facts)


@dataclass(slots=True)
class Watch:
    """Households as they stand before a person chooses an office: whoever parts one has to say why."""

    home: Mapping[str, str]
    standing: Mapping[str, Sequence[Standing]]
    splits: dict[str, SplitReason]

    def expect(self, after: Need, said: SplitReason | None) -> None:
        """The need goes where a person has chosen. Raises `SplitUnexplained`."""
        household_id, live = self.home.get(after.referral.case_id), after.live
        known = self.standing.get(household_id or "", ())
        changed = [
            replace(one, agency_id=None if live is None else live.agency_id)
            if one.referral_id == after.referral.referral_id
            else one
            for one in known
        ]
        if household_id is not None and all(one.referral_id != after.referral.referral_id for one in known):
            # It had ended, and is open again. Who is apart, no facts are asked for.
            r = after.referral
            changed.append(households.standing(household_id, after, Facts(r.need, r.age_band, r.regency, None)))
        before, now = ({one.case_id for one in households.who_is_apart(some)[1]} for some in (known, changed))
        if now <= before:
            return
        if said is None:
            raise SplitUnexplained
        self.splits.update(dict.fromkeys(now - before, said))


async def watch(work: Work, home: Mapping[str, str], splits: dict[str, SplitReason]) -> Watch:
    """The households of some cases, whose locks are held; what is said goes into `splits`."""
    return Watch(home, await list_standing(work, set(home.values())) if home else {}, splits)


async def note(work: Work, household_ids: Iterable[str], reasons: Mapping[str, SplitReason] | None = None) -> None:
    """Put who is apart now before a supervisor, and close what has come right; after all else was written.

    `reasons`: what people have said of it, by case. What somebody has decided stands until one of the two moves on.
    """
    ids = sorted(set(household_ids))
    if not ids:
        return
    standing = await list_standing(work, ids)
    latest = await store.list_latest(work, ids)
    added: list[Reunification] = []
    for household_id in ids:
        some = standing.get(household_id, [])
        lead, apart = households.who_is_apart(some)
        for one in apart:
            assert lead is not None
            before = latest.pop(one.case_id, None)
            if before is not None and _stands(before, lead, one):
                continue
            reason = (reasons or {}).get(one.case_id) or households.why_apart(lead, one, now=work.now)
            added.append(households.opened(lead, one, reason, task_id=new_id(), now=work.now))
            work.record(telling.reunification_opened(added[-1]))
        together = {one.case_id for one in some if one.agency_id is not None}
        for task in latest.values():
            is_open = task.household_id == household_id and task.closed_at is None
            if is_open and task.case_id in together and lead is not None and lead.agency_id is not None:
                await close(work, task, "reunited")
    if added:
        await store.add_tasks(work, added)


async def close(work: Work, task: Reunification, how: households.ClosedAs) -> None:
    """Nothing is left to bring together."""
    ended = households.end(task, how, now=work.now)
    await store.save_task(work, ended)
    work.record(telling.reunification_closed(ended))


def _stands(task: Reunification, lead: Standing, one: Standing) -> bool:
    """True for a task that is open, or that a person has decided for these very two offices."""
    if task.closed_at is None:
        return True
    return task.closed_as == "decided" and (task.agency_id, task.apart_from) == (one.agency_id, lead.agency_id)
