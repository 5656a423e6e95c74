"""Members of a household are referred together, by the strictest need of all, in whatever order they are heard of."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from services.referral import policy
from services.referral.actions import following, leasing, staying, telling, walls
from services.referral.actions.following import Changes
from services.referral.actions.routing import Routing
from services.referral.domain import corrections, households, needs
from services.referral.domain.households import Reunification, Standing
from services.referral.domain.needs import Need
from services.referral.domain.refusals import (
    Refused,
    ReunificationUnknown,
)
from services.referral.domain.routing import Candidate, Decision, Facts
from services.referral.rules import Router
from services.referral.store import corrections as book
from services.referral.store import households as store
from services.referral.store import needs as needs_store
from shared.contracts.intake.arrivals import ArrivalRecorded
from shared.contracts.intake.households import HouseholdChanged
from shared.contracts.referral.households import ReunificationDecision
from shared.kit.heard import Heard
from shared.kit.ids import new_id
from shared.kit.work import Work


@dataclass(frozen=True, slots=True)
class Deciding:
    """What a person decides of one who is apart."""

    task_id: str
    decision: ReunificationDecision


@dataclass(slots=True)
class Together:
    """The households of people who land in one batch, with who of them has landed before.

    Landing moves nobody who has landed before: whoever would have to move is left to the clock, which holds no place
    and no explanation by then, so that two works cannot wait for each other.
    """

    home: dict[str, str] = field(default_factory=dict)
    """The household of each case that is in one."""
    now: dict[str, list[Standing]] = field(default_factory=dict)
    ages: dict[str, set[str]] = field(default_factory=dict)
    origins: dict[str, set[str | None]] = field(default_factory=dict)
    """Where those of each household come from, to where the others may be sent with them."""
    joined: frozenset[str] = frozenset()
    """Those of the households of whom somebody has landed before."""

    @classmethod
    async def of(cls, work: Work, arrivals: Sequence[Heard[ArrivalRecorded]]) -> "Together":
        """The households of these arrivals, as this work alone sees them from now on; before anything is written."""
        found = cls()
        for arrival in arrivals:
            fact = arrival.fact
            if fact.household_id is not None:
                found.home[fact.case_id] = fact.household_id
                found.ages.setdefault(fact.household_id, set()).add(fact.age_band)
                found.origins.setdefault(fact.household_id, set()).add(fact.origin_regency)
        if found.home:
            await work.lock_cases(found.home.values())
            found.now = await staying.list_standing(work, set(found.home.values()))
        found.joined = frozenset(found.now)
        for household_id, some in found.now.items():
            found.ages[household_id].update(one.age_band for one in some)
            found.origins[household_id].update(one.facts.origin_regency for one in some)
        return found

    def in_order(self, arrivals: Sequence[Heard[ArrivalRecorded]]) -> Iterator[tuple[Heard[ArrivalRecorded], str]]:
        """Each need of each arrival; of a household the strictest first, which the others go with."""
        needed = [(arrival, code) for arrival in arrivals for code in dict.fromkeys(arrival.fact.needs)]
        yield from (one for one in needed if one[0].fact.case_id not in self.home)
        yield from sorted(
            (one for one in needed if one[0].fact.case_id in self.home),
            key=lambda one: households.strictness(one[1], one[0].fact.age_band, one[0].fact.case_id),
        )

    def told(self, facts: Facts, case_id: str) -> Facts:
        """The facts of a need that is opened now, with what the household adds."""
        household_id = self.home.get(case_id)
        if household_id is None:
            return facts
        mixed = households.are_mixed(self.ages[household_id])
        lead = households.strictest(self.now.get(household_id, []))
        if lead is None or households.strictness(facts.need, facts.age_band, case_id) < lead.strictness:
            return replace(facts, household_mixed=mixed)  # this is the strictest now; the others will go with it
        return households.with_household(facts, lead, mixed=mixed)

    def opened(self, need: Need, facts: Facts) -> None:
        """This need is there from now on."""
        household_id = self.home.get(need.referral.case_id)
        if household_id is not None:
            self.now.setdefault(household_id, []).append(households.standing(household_id, need, facts))

    def unsettled(self, router: Router) -> set[str]:
        """The households of which somebody is to be asked elsewhere, now that these have landed."""
        return {household_id for household_id, some in self.now.items() if any(_wanting(router, some))}

    async def note(self, work: Work, unsettled: AbstractSet[str]) -> None:
        """Put before a supervisor who is apart in spite of it; after all else was written."""
        apart = {id_ for id_, some in self.now.items() if households.who_is_apart(some)[1]}
        await staying.note(work, (apart | self.joined) - unsettled)


async def settle(work: Work, wanted: Sequence[str], *, routing: Routing) -> None:
    """Bring together the households of whom somebody landed who was left to the clock."""
    await work.lock_cases(wanted)
    if ids := await store.take_unsettled(work, wanted):
        await gather(work, set(ids), routing=routing)


async def hear_households(work: Work, heard: Sequence[Heard[HouseholdChanged]], *, routing: Routing) -> None:
    """Who belongs together has changed: bring together who does, and let go who does not.

    Whoever is alone by it goes where a person alone goes, as far as nobody has accepted it.
    Nothing is left to do for those whom their arrivals have named already.
    """
    wanted: dict[str, str | None] = {}
    for one in heard:
        wanted[one.case_id] = one.fact.household_id if one.fact.change == "joined" else None
    before = await store.find_households(work, sorted(wanted))
    changed = {case_id: home for case_id, home in wanted.items() if before.get(case_id) != home}
    if not changed:
        return
    left = {before[case_id] for case_id in changed if case_id in before}
    joined = {case_id: home for case_id, home in changed.items() if home is not None}
    ids = left | set(joined.values())
    await work.lock_cases(ids)
    standing = await staying.list_standing(work, left)
    if parted := sorted(changed.keys() - joined.keys()):
        await store.remove_members(work, parted)
    if joined:
        await store.put_members(work, joined)
    for task in (await store.list_latest(work, sorted(left))).values():
        if task.case_id in changed and task.closed_at is None:
            await staying.close(work, task, "parted")
    alone = {*parted, *await store.list_left_alone(work, sorted(left))} - joined.keys()
    let_go = [one for some in standing.values() for one in some if one.case_id in alone]
    await gather(work, ids, routing=routing, let_go=let_go)


async def gather(
    work: Work, household_ids: AbstractSet[str], *, routing: Routing, let_go: Sequence[Standing] = ()
) -> None:
    """Let the needs of these households go where the strictest one of each is, as far as nobody has accepted them.

    `let_go`: needs that stood with a household and do no longer.

    The locks of the households are held, so nobody else moves them. Where somebody helps already, that goes on, and
    whoever is apart by it is put before a supervisor.
    """
    ids = sorted(household_ids)
    standing = await staying.list_standing(work, ids)
    router = await routing.router(work)
    wanting = [*_alone(router, let_go), *(one for some in standing.values() for one in _wanting(router, some))]
    if wanting:
        owned = {one.referral_id: (one.referral_id, one.case_id) for _, one, _ in wanting}
        changes = await following.locked(work, owned)
        await _move(work, routing, changes, wanting)
        await following.save(work, changes)
    await staying.note(work, ids)


def _wanting(router: Router, some: Sequence[Standing]) -> Iterator[tuple[Standing, Standing, Decision]]:
    """Who of a household is asked elsewhere than the strictest need is, though its office or one of its region is a
    candidate by the household: the strictest one, the one that is to go with it, and the decision by which.
    """
    lead = households.strictest(some)
    if lead is None or lead.agency_id is None or len({one.case_id for one in some}) < 2:
        return
    mixed = households.are_mixed(one.age_band for one in some)
    for one in some:
        if one is lead or one.helping or one.agency_id is None:
            continue
        facts = households.with_household(one.facts, lead, mixed=mixed)
        if facts == one.facts:
            continue
        decision = router.decide(facts)
        first = next(iter(decision.candidates), None)
        if first is not None and first.agency_id != one.agency_id and households.is_nearer(lead, one, first.agency_id):
            yield lead, one, decision


def _alone(router: Router, let_go: Sequence[Standing]) -> Iterator[tuple[None, Standing, Decision]]:
    """Those of them who went with a household and whom nobody helps yet, with what is decided without it."""
    for one in let_go:
        if one.facts.household_agency is not None and one.agency_id is not None and not one.helping:
            yield None, one, router.decide(households.with_household(one.facts, None, mixed=False))


async def _move(
    work: Work, routing: Routing, changes: Changes, wanting: Sequence[tuple[Standing | None, Standing, Decision]]
) -> None:
    """Put these needs on the decision of the household, and ask whom it proposes instead of whom was asked."""
    decided = {one.referral_id: decision for _, one, decision in wanting}
    for id_, decision in decided.items():
        changes.put(corrections.decided(changes.need(id_), decision))
    await leasing.hold(work, changes.before.values(), routing)
    await needs_store.update_explanations(work, decided)
    await book.update_facts(work, [changes.need(id_).referral for id_ in decided])
    walled = await walls.around(work, [changes.need(id_) for id_ in decided], routing, among=changes.before.values())
    for lead, one, decision in wanting:
        need = changes.need(one.referral_id)
        asked = need.asked
        if asked is None:
            continue
        open_to = walled.open_to(need, await routing.open_for(work, need.referral.need))
        to = _next(need, lead, one, decision, open_to)
        if to is None or to.agency_id == asked.agency_id:
            work.emit(telling.corrected(need, decision, ("household",), routed_again=False))
            continue
        back = corrections.take_back(need, reason="NEW_FACTS", now=work.now)
        recalled = back.attempt(asked.assignment_id)
        work.emit(telling.taken_back(changes.before[one.referral_id], back, recalled, "NEW_FACTS"))
        work.emit(telling.corrected(back, decision, ("household",), routed_again=True))
        moved = walled.note(needs.ask(back, to, assignment_id=new_id(), times=routing.times, now=work.now))
        changes.put(moved)
        work.emit(telling.sent(moved, moved.attempts[-1]))


def _next(
    need: Need, lead: Standing | None, one: Standing, decision: Decision, open_to: frozenset[str]
) -> Candidate | None:
    """Whom to ask with the household, or without it: then also who was asked before and taken back from."""
    asked = need.asked
    assert asked is not None
    if lead is None:
        passed = {a.agency_id for a in need.attempts if a.ended_at is not None and a.state != "recalled"}
        return next((c for c in decision.candidates if c.agency_id in open_to - passed), None)
    to = corrections.next_after(need, decision.candidates, open_to, again=asked.agency_id)
    return to if to is not None and households.is_nearer(lead, one, to.agency_id) else None


@dataclass(frozen=True, slots=True)
class Company:
    """Whether somebody belongs to a household, and who of it the actor's own agency has before it too."""

    in_household: bool
    others: Sequence[store.Companion]


async def find_company(work: Work, case_id: str) -> Company:
    """The household of a case that was found in the actor's own scope, as far as the actor sees the others anyway."""
    await work.as_service()  # households are nobody's; what of them may be seen, the statement says
    home = await store.find_households(work, [case_id])
    return Company(bool(home), await store.list_companions(work, case_id) if home else [])


async def list_tasks(work: Work, *, limit: int) -> list[Reunification]:
    """Who is to be brought together, before the actor: of the own region, or what has climbed to the whole country."""
    everywhere = policy.answers_for_the_country(work.actor)
    if everywhere:
        await work.as_service()  # the whole country is nobody's region: policy has said who answers for it
    return await store.list_open(work, everywhere=everywhere, limit=limit)


async def decide(work: Work, decisions: Sequence[Deciding]) -> list[Reunification | Refused]:
    """The actor says by name why they stay apart, or that they are together by other means.

    One that is refused stops none of the others; outside the actor's duty it looks like a missing one.
    """
    everywhere = policy.answers_for_the_country(work.actor)
    if everywhere:
        await work.as_service()  # as above
    ids = [one.task_id for one in decisions]
    found = await store.find_tasks(work, ids, everywhere=everywhere)
    await work.as_service()  # found in the own duty; tasks are written by these actions alone
    await work.lock_cases({task.household_id for task in found.values()})
    found = await store.find_tasks(work, list(found), everywhere=everywhere)
    results: list[Reunification | Refused] = []
    for one in decisions:
        if one.task_id not in found:
            results.append(ReunificationUnknown())
            continue
        try:
            task = households.decide(found[one.task_id], one.decision, by=work.actor.id, now=work.now)
        except Refused as refused:
            results.append(refused)
            continue
        found[one.task_id] = task
        await store.save_task(work, task)
        work.record(telling.reunification_closed(task))
        results.append(task)
    return results


async def remind(work: Work, due: Sequence[Reunification]) -> None:
    """Remind of what is still apart, once, after three quarters of the time."""
    ids = sorted({task.household_id for task in due})
    await work.lock_cases(ids)
    for task in (await store.list_latest(work, ids)).values():
        if task.closed_at is None and task.remind_at is not None and task.remind_at <= work.now:
            reminded = households.remind(task, now=work.now)
            await store.save_task(work, reminded)
            work.record(telling.reunification_reminded(reminded))


async def climb(work: Work, due: Sequence[Reunification]) -> None:
    """What nobody has settled in time goes one rung up."""
    ids = sorted({task.household_id for task in due})
    await work.lock_cases(ids)
    for task in (await store.list_latest(work, ids)).values():
        if task.closed_at is None and task.due_at <= work.now:
            raised = households.climb(task, now=work.now)
            await store.save_task(work, raised)
            work.record(telling.reunification_raised(raised))
