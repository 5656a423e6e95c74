"""Members of a household are referred together, by the strictest need of all, in whatever order they are heard of."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from services.referral import policy, rules
from services.referral.actions import following, staying, telling, walls
from services.referral.actions.following import Changes
from services.referral.actions.routing import Routing
from services.referral.domain import corrections, households, needs
from services.referral.domain.households import Reunification
from services.referral.domain.needs import Need
from services.referral.domain.refusals import Refused, ReunificationUnknown
from services.referral.domain.routing import Decision, Facts
from services.referral.rules import Router
from services.referral.store import corrections as book
from services.referral.store import households as store
from services.referral.store import needs as needs_store
from shared.contracts.intake import ArrivalRecorded, HouseholdChanged
from shared.contracts.referral import ReunificationDecision
from shared.kit.heard import Heard
from shared.kit.ids import new_id
from shared.kit.work import Work

BATCH = 200


@dataclass(frozen=True, slots=True)
class Deciding:
    """What a person decides of one who is apart."""

    task_id: str
    decision: ReunificationDecision


@dataclass(slots=True)
class Together:
    """The households of some people who have just landed: what is known of them, and what becomes of it."""

    home: dict[str, str] = field(default_factory=dict)
    """The household of each case that is in one."""
    needs: dict[str, list[Need]] = field(default_factory=dict)
    """What is open of each household."""
    facts: dict[str, Facts] = field(default_factory=dict)
    """What each of these needs was decided on."""
    ages: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    async def of(cls, work: Work, arrivals: Sequence[Heard[ArrivalRecorded]]) -> "Together":
        """The households of these arrivals, theirs alone from here on. Nothing is read where nobody is in one."""
        home = {a.fact.case_id: a.fact.household_id for a in arrivals if a.fact.household_id is not None}
        if not home:
            return cls()
        ids = sorted(set(home.values()))
        await work.lock_cases(ids)
        await store.put_members(work, home)
        loaded = await staying.load(work, ids)
        found = cls(home=home, needs=loaded, facts=await _facts_of(work, [n for ns in loaded.values() for n in ns]))
        for household_id, members in loaded.items():
            found.ages.setdefault(household_id, set()).update(need.referral.age_band for need in members)
        for arrival in arrivals:
            if arrival.fact.household_id is not None:
                found.ages.setdefault(arrival.fact.household_id, set()).add(arrival.fact.age_band)
        return found

    def in_order(self, arrivals: Sequence[Heard[ArrivalRecorded]]) -> Iterator[tuple[Heard[ArrivalRecorded], str]]:
        """Each need of each arrival; of a household the strictest first, which the others go with."""
        for arrival in arrivals:
            if arrival.fact.case_id not in self.home:
                yield from ((arrival, code) for code in dict.fromkeys(arrival.fact.needs))
        of_households = [
            (arrival, code)
            for arrival in arrivals
            if arrival.fact.case_id in self.home
            for code in dict.fromkeys(arrival.fact.needs)
        ]
        yield from sorted(
            of_households,
            key=lambda one: households.strictness(one[1], one[0].fact.age_band, one[0].fact.case_id),
        )

    def told(self, facts: Facts, case_id: str) -> Facts:
        """The facts of a need that is opened now, with what the household adds."""
        household_id = self.home.get(case_id)
        if household_id is None:
            return facts
        mixed = households.are_mixed(self.ages[household_id])
        lead = households.strictest(self.needs.get(household_id, []))
        if lead is None:
            return replace(facts, household_mixed=mixed)
        key = households.strictness(facts.need, facts.age_band, case_id)
        if key < households.strictness(lead.referral.need, lead.referral.age_band, lead.referral.case_id):
            return replace(facts, household_mixed=mixed)  # this is the strictest now; the others will go with it
        return households.with_household(facts, lead, self.facts[lead.referral.referral_id], mixed=mixed)

    def opened(self, need: Need, facts: Facts) -> None:
        """This need is there from now on."""
        household_id = self.home.get(need.referral.case_id)
        if household_id is not None:
            self.needs.setdefault(household_id, []).append(need)
            self.facts[need.referral.referral_id] = facts

    async def follow(self, work: Work, routing: Routing) -> None:
        """Bring with the strictest need of each household who had gone elsewhere before."""
        if self.home:
            await gather(work, set(self.home.values()), routing=routing)


async def hear_households(work: Work, heard: Sequence[Heard[HouseholdChanged]], *, routing: Routing) -> None:
    """Who belongs together has changed: bring together who does, and let go who does not."""
    ids = {h.fact.household_id for h in heard}
    before = await store.find_households(work, sorted({h.case_id for h in heard}))
    await work.lock_cases(ids | set(before.values()))
    for one in heard:
        fact = one.fact
        if fact.change == "joined":
            await store.put_members(work, {fact.case_id: fact.household_id})
        else:
            await store.remove_member(work, fact.case_id, fact.household_id)
            task = (await store.list_latest(work, [fact.household_id])).get(fact.case_id)
            if task is not None and task.closed_at is None:
                await staying.close(work, task, "parted")
    await gather(work, ids | set(before.values()), routing=routing)


async def gather(work: Work, household_ids: AbstractSet[str], *, routing: Routing) -> None:
    """Let the needs of these households go where the strictest one of each is, as far as nobody has accepted them.

    The locks of the households are held, so nobody else moves them. Where somebody helps already, that goes on, and
    whoever is apart by it is put before a supervisor.
    """
    loaded = await staying.load(work, household_ids)
    found = {n.referral.referral_id: n.referral.case_id for some in loaded.values() for n in some}
    changes = await following.locked(work, {id_: (id_, case_id) for id_, case_id in found.items()})
    by_household = {
        household_id: [changes.need(n.referral.referral_id) for n in some] for household_id, some in loaded.items()
    }
    await _Gathering(work, routing, changes).run(by_household)
    await following.save(work, changes)


@dataclass(slots=True)
class _Gathering:
    """The needs of some households on their way to where the strictest one is."""

    work: Work
    routing: Routing
    changes: Changes
    decided: dict[str, Decision] = field(default_factory=dict)

    async def run(self, by_household: dict[str, list[Need]]) -> None:
        router = await self.routing.router(self.work)
        stored = await _facts_of(self.work, list(self.changes.before.values()))
        wanting: list[tuple[Need, Need, Decision]] = []
        for some in by_household.values():
            wanting += self._wanting(router, some, stored)
        if not wanting:
            return
        await needs_store.update_explanations(self.work, self.decided)
        walled = await walls.around(self.work, [need for _, need, _ in wanting], self.routing)
        for lead, need, decision in wanting:
            open_to = walled.open_to(need, await self.routing.open_for(self.work, need.referral.need))
            moved = self._moved(lead, need, decision, open_to)
            if moved is not None:
                self.changes.put(walled.note(moved))
                self.work.emit(telling.sent(moved, moved.attempts[-1]))
        await book.update_facts(self.work, [self.changes.need(id_).referral for id_ in self.decided])

    def _wanting(
        self, router: Router, some: Sequence[Need], stored: dict[str, Facts]
    ) -> Iterator[tuple[Need, Need, Decision]]:
        """Needs that another decision holds for by now, with the one that they go with; put on it at once."""
        lead = households.strictest(some)
        if lead is None or len({need.referral.case_id for need in some}) < 2:
            return
        mixed = households.are_mixed(need.referral.age_band for need in some)
        for need in some:
            if need is lead or need.helping is not None:
                continue
            id_ = need.referral.referral_id
            facts = households.with_household(stored[id_], lead, stored[lead.referral.referral_id], mixed=mixed)
            if facts == stored[id_]:
                continue
            decision = router.decide(facts)
            self.decided[id_] = decision
            after = replace(
                need,
                referral=replace(
                    need.referral,
                    regency=facts.due_in,
                    explanation=decision.digest,
                    version=need.referral.version + 1,
                ),
            )
            self.changes.put(after)
            yield lead, after, decision

    def _moved(self, lead: Need, need: Need, decision: Decision, open_to: frozenset[str]) -> Need | None:
        """The need with another office asked, the strictest one's or one of its region; None where nothing is won."""
        asked = need.asked
        if asked is None or lead.live is None:
            return None
        to = corrections.next_after(need, decision.candidates, open_to, again=asked.agency_id)
        if to is None or to.agency_id == asked.agency_id:
            return None
        is_nearer = households.are_apart(lead, need) and households.meet(
            households.region_of(to.agency_id), households.region_of(lead.live.agency_id)
        )
        if to.agency_id != lead.live.agency_id and not is_nearer:
            return None
        back = corrections.take_back(need, reason="NEW_FACTS", now=self.work.now)
        self.work.emit(telling.recalled(back, back.attempt(asked.assignment_id), "NEW_FACTS"))
        return needs.ask(back, to, assignment_id=new_id(), times=self.routing.times, now=self.work.now)


async def _facts_of(work: Work, some: Sequence[Need]) -> dict[str, Facts]:
    """What each of these needs was decided on."""
    if not some:
        return {}
    digests = sorted({need.referral.explanation for need in some})
    bodies = await needs_store.find_explanations(work, digests)
    return {need.referral.referral_id: rules.read(bodies[need.referral.explanation]).facts for need in some}


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


async def climb(work: Work, *, limit: int = BATCH) -> int:
    """What nobody has settled in time goes one rung up; answers how many there were."""
    due = await store.list_due(work, limit)
    if not due:
        return 0
    ids = sorted({task.household_id for task in due})
    await work.lock_cases(ids)
    for task in (await store.list_latest(work, ids)).values():
        if task.closed_at is None and task.due_at <= work.now:
            raised = households.climb(task, now=work.now)
            await store.save_task(work, raised)
            work.record(telling.reunification_raised(raised))
    return len(due)
