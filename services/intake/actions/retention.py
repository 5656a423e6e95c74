"""Keeping the periods: what has been kept for long enough is removed in batches, and reported; a hold keeps people."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from services.intake.actions import erasures, protection
from services.intake.domain.retention import RULES, Forecast, Report, Rule
from services.intake.store import matches, persons
from services.intake.store import retention as store
from services.intake.store.persons import Person
from services.intake.store.vault import Vault
from shared.contracts.intake.identities import RetentionApplied
from shared.kit.work import Work

BATCH = 200
AHEAD = timedelta(days=30)
MOST_REPORTS = 100


async def apply_rule(work: Work, vault: Vault, rule: Rule, *, after: str | None = None) -> tuple[int, str | None]:
    """Remove one batch of what has reached its period; people under a hold are counted and kept.

    Answers how much was removed, and the case after which to go on (None: there is nothing more of this rule).
    """
    if rule.kind != "identity":
        removed = await store.sweep(work, rule, limit=BATCH)
        await _report(work, rule, removed, 0)
        return removed, None
    found = await store.find_due(work, rule, after=after, limit=BATCH)
    if found.people:
        await matches.be_alone(work)
    joined = {one.person_id: same for one in found.people if len(same := await persons.all_as_one(work, one)) > 1}
    case_ids = [case_id for person in found.people for case_id in person.case_ids]
    also = [case_id for same in joined.values() for one in same for case_id in one.case_ids]
    await work.lock_cases([*case_ids, *also])
    # Looked at once more: while the locks were waited for, a hold may have been placed or another clock been here.
    due = await store.find_due(work, rule, after=after, limit=BATCH, among=case_ids)
    people = await _with_all_that_are_one(work, due.people, joined)
    if people:
        await erasures.erase(work, vault, people, reason="retention", references=[rule.code] * len(people))
    await _report(work, rule, len(people), found.held + due.held)
    return len(people), found.last


async def _with_all_that_are_one(
    work: Work, due: Sequence[Person], joined: Mapping[str, Sequence[Person]]
) -> list[Person]:
    """Of these people those of whom every case is due, each by its own rule, with those cases.

    Somebody who came back is one person: while one of the cases is kept, the name behind the others would be, too.
    """
    going = {one.person_id: one for one in due}
    for person_id, same in joined.items():
        if person_id not in going:
            continue
        cases = [case_id for one in same for case_id in one.case_ids]
        ready: set[str] = set()
        for rule in RULES:
            if rule.kind == "identity":
                found = await store.find_due(work, rule, after=None, limit=len(cases), among=cases)
                ready |= {one.person_id for one in found.people}
        if ready.issuperset(one.person_id for one in same):
            going |= {one.person_id: one for one in same}
        else:
            del going[person_id]
    return list(going.values())


async def forecast(work: Work, *, ahead: timedelta = AHEAD) -> list[Forecast]:
    """What would go until then by each rule, if nothing changed; nothing is removed. Raises `NotAllowed`."""
    await protection.act_for_all_ports(work)
    by = work.now + ahead
    found = []
    for rule in RULES:
        if rule.kind == "identity":
            found.append(Forecast(rule, *await store.count_due(work, rule, by=by)))
        else:
            found.append(Forecast(rule, await store.count_sweep(work, rule, by=by), 0))
    return found


async def list_reports(work: Work) -> Sequence[Report]:
    """What was removed and why, day by day, the latest first. Raises `NotAllowed`."""
    await protection.act_for_all_ports(work)
    return await store.list_reports(work, limit=MOST_REPORTS)


async def _report(work: Work, rule: Rule, removed: int, held: int) -> None:
    if removed:
        report_id = await store.add_report(work, rule, removed=removed, held=held)
        work.record(RetentionApplied(case_id=report_id, rule=rule.code, removed=removed, held=held))
