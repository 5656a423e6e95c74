"""Bringing together by hand who of a household is apart: what it comes to, and asking where the strictest need is."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from services.referral import policy
from services.referral.actions import following, leasing, staying, telling, walls
from services.referral.actions.routing import Routing
from services.referral.domain import corrections, households, needs
from services.referral.domain.households import Reunification, Standing
from services.referral.domain.refusals import (
    AlreadyAccepted,
    NobodyToAsk,
    Refused,
    ReunificationEnded,
    ReunificationUnknown,
)
from services.referral.domain.routing import Candidate, Decision
from services.referral.rules import Router
from services.referral.store import corrections as book
from services.referral.store import households as store
from services.referral.store import needs as needs_store
from shared.kit.ids import new_id
from shared.kit.work import Work


@dataclass(frozen=True, slots=True)
class Joining:
    """One who is apart and is to be brought together; `version`: of the need that moves, as it was looked at."""

    task_id: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Who would be asked instead of whom; both None where a need is restricted, of which nobody else learns it."""

    version: int
    agency_id: str | None
    to: str | None
    is_helping: bool
    is_possible: bool


async def plan(work: Work, tasks: Sequence[Reunification], *, routing: Routing) -> dict[str, Plan]:
    """For tasks of the actor's duty whose person is apart still, what bringing them together comes to."""
    await work.as_service()  # found in the actor's own duty; whom the needs are with is others' to know
    router = await routing.router(work)
    standing = await staying.list_standing(work, {task.household_id for task in tasks})
    apart = {task.task_id: found for task in tasks if (found := _apart(task, standing)) is not None}
    wanted = {one.referral_id for pair in apart.values() for one in pair}
    known = await needs_store.find_needs(work, sorted(wanted))
    plans: dict[str, Plan] = {}
    for task in tasks:
        if task.task_id not in apart:
            continue
        lead, one = apart[task.task_id]
        decision = _together(router, standing[task.household_id], lead, one)
        to = _nearer(lead, one, decision, router.directory.available)
        hidden = any(known[some.referral_id].referral.restricted for some in (lead, one))
        plans[task.task_id] = Plan(
            version=known[one.referral_id].version,
            agency_id=None if hidden else one.agency_id,
            to=None if hidden or to is None else to.agency_id,
            is_helping=one.helping,
            is_possible=to is not None and not one.helping,
        )
    return plans


async def bring_together(work: Work, joinings: Sequence[Joining], *, routing: Routing) -> list[Reunification | Refused]:
    """Ask where the strictest need of the household is helped for who is apart from it, instead of who is asked now.

    Whoever is not apart any more has the task closed. One that is refused stops none of the others; outside the
    actor's duty it looks like a missing one.
    """
    everywhere = policy.answers_for_the_country(work.actor)
    if everywhere:
        await work.as_service()  # as above
    found = await store.find_tasks(work, [one.task_id for one in joinings], everywhere=everywhere)
    await work.as_service()  # found in the own duty; what follows is the service's
    await work.lock_cases({task.household_id for task in found.values()})
    await work.lock_cases({task.case_id for task in found.values()})  # at once: in one order, as everywhere
    owned = await needs_store.find_of_cases(work, sorted({task.case_id for task in found.values()}))
    await leasing.hold(work, (await needs_store.find_needs(work, sorted(owned))).values(), routing)
    results: list[Reunification | Refused] = []
    decided: dict[str, Decision] = {}
    for one in joinings:
        if one.task_id not in found:
            results.append(ReunificationUnknown())
            continue
        [task] = (await store.find_tasks(work, [one.task_id], everywhere=everywhere)).values()
        try:
            await _bring(work, task, one, routing, decided)
        except Refused as refused:
            results.append(refused)
        else:
            results.append(task)
    if decided:
        await needs_store.update_explanations(work, decided)  # all at once, last: in one order, as everywhere
    return results


async def _bring(
    work: Work, task: Reunification, joining: Joining, routing: Routing, decided: dict[str, Decision]
) -> None:
    """What was decided goes into `decided`.

    Raises `ReunificationEnded`, `VersionChanged`, `AlreadyAccepted`, `NobodyToAsk`, before anything is written.
    """
    if task.closed_at is not None:
        raise ReunificationEnded
    standing = await staying.list_standing(work, [task.household_id])
    pair = _apart(task, standing)
    if pair is None:
        await staying.close(work, task, "reunited")
        return
    lead, one = pair
    changes = await following.locked(work, {one.referral_id: (one.referral_id, one.case_id)})
    need = changes.need(one.referral_id)
    needs.expect(need, joining.version)
    if need.helping is not None:
        raise AlreadyAccepted(state=need.helping.state, answered_at=need.helping.answered_at)
    router = await routing.router(work)
    decision = _together(router, standing[task.household_id], lead, one)
    walled = await walls.around(work, [need], routing, among=[need])
    to = _nearer(lead, one, decision, walled.open_to(need, router.directory.available))
    if to is None or need.asked is None:
        raise NobodyToAsk
    back = corrections.take_back(corrections.decided(need, decision), reason="NEW_FACTS", now=work.now)
    work.emit(telling.taken_back(need, back, back.attempt(need.asked.assignment_id), "NEW_FACTS"))
    work.emit(telling.corrected(back, decision, ("household",), routed_again=True))
    moved = walled.note(needs.ask(back, to, assignment_id=new_id(), times=routing.times, now=work.now))
    changes.put(moved)
    work.emit(telling.sent(moved, moved.attempts[-1]))
    decided[one.referral_id] = decision
    await book.update_facts(work, [moved.referral])
    await following.save(work, changes)


def _apart(task: Reunification, standing: Mapping[str, Sequence[Standing]]) -> tuple[Standing, Standing] | None:
    """The strictest need of a task's household, and that of the person who is apart from it."""
    lead, apart = households.who_is_apart(standing.get(task.household_id, ()))
    one = next((one for one in apart if one.case_id == task.case_id), None)
    return None if lead is None or one is None else (lead, one)


def _together(router: Router, some: Sequence[Standing], lead: Standing, one: Standing) -> Decision:
    """The decision by which one need goes with the strictest one of the household."""
    mixed = households.are_mixed(other.age_band for other in some)
    return router.decide(households.with_household(one.facts, lead, mixed=mixed))


def _nearer(lead: Standing, one: Standing, decision: Decision, open_to: AbstractSet[str]) -> Candidate | None:
    """Whom a person may have asked, also again: the first in rank by whom the two are together."""
    return next(
        (c for c in decision.candidates if c.agency_id in open_to and households.is_nearer(lead, one, c.agency_id)),
        None,
    )
