"""Arrivals become needs, and each need goes to the first agency that can serve it."""

from collections.abc import Sequence
from dataclasses import replace

from services.referral.actions import following, guarding, leasing, telling
from services.referral.actions.households import Together
from services.referral.actions.leasing import Rooms
from services.referral.actions.routing import Routing
from services.referral.domain import capacity, consents, needs
from services.referral.domain.escalations import Escalation
from services.referral.domain.needs import Need
from services.referral.domain.referrals import CHILDREN, Referral
from services.referral.domain.routing import AT_PORT, Decision, Facts
from services.referral.rules import Router
from services.referral.store import escalations as ladder
from services.referral.store import needs as store
from services.referral.store import places
from services.referral.store.needs import Gap
from shared.contracts.codes import needs as known_needs
from shared.contracts.intake.arrivals import ArrivalRecorded
from shared.kit.crash import crash_point
from shared.kit.heard import Heard
from shared.kit.ids import new_id
from shared.kit.work import Work

RESTRICTED = frozenset(code for code, need in known_needs().items() if need.restricted)


async def open_referrals(work: Work, arrivals: Sequence[Heard[ArrivalRecorded]], *, routing: Routing) -> None:
    """Open a referral for each need of each arrival and ask the first candidate; nobody there is an open gap.

    One statement for all of them. A need is never left out: what the rules do not know becomes a gap too. A child, and
    whoever is the case team's alone, does not wait in it: a supervisor is told at once.
    """
    router = await routing.router(work)
    together = await Together.of(work, arrivals)
    rooms = await _rooms(work, router, arrivals, routing, together)
    opened: list[Need] = []
    decisions: list[Decision] = []
    gaps: list[Gap] = []
    escalations: list[Escalation] = []
    for arrival, code in together.in_order(arrivals):
        facts = together.told(_facts(arrival.fact, code), arrival.fact.case_id)
        decision = router.decide(facts)
        need = _opened(work, arrival.fact, code, decision, routing, rooms, await routing.open_for(work, code))
        together.opened(need, facts)
        work.emit(telling.opened(need, decision.rules_version), cause=arrival)
        if need.live is not None:
            work.emit(telling.sent(need, need.live), cause=arrival)
        elif need.referral.state == "awaiting_consent":
            work.emit(telling.consent_awaited(need), cause=arrival)
            escalations.append(following.escalation(need, "consent_awaited", None, now=work.now))
            work.emit(telling.escalated(need, escalations[-1]), cause=arrival)
        elif need.referral.state == "open":
            # All who serve this have said that they cannot now: a person decides whom to ask in spite of it.
            escalations.append(following.escalation(need, "no_candidate_left", None, now=work.now))
            work.emit(telling.escalated(need, escalations[-1]), cause=arrival)
        else:
            gaps.append(Gap(new_id(), need.referral.referral_id, decision.why_nobody))
            work.emit(telling.gap_opened(need, gaps[-1]), cause=arrival)
            if need.referral.restricted:  # also of an adult: nobody is to learn which of them is a child's
                reason = "unroutable_child" if need.referral.child else "no_candidate_left"
                escalations.append(following.escalation(need, reason, None, now=work.now))
                work.emit(telling.escalated(need, escalations[-1]), cause=arrival)
        opened.append(need)
        decisions.append(decision)
    await guarding.begin(work, arrivals)
    unsettled = together.unsettled(router)
    await store.add_opened(
        work, opened, decisions, gaps, directory_at=router.since, homes=together.home, unsettled=unsettled
    )
    if rooms.leases:
        await places.take_places(work, rooms.leases)
    if escalations:
        await ladder.add_escalations(work, escalations)
    await together.note(work, unsettled)
    crash_point("referral.after_open")


def is_restricted(need: str, age_band: str, decision: Decision) -> bool:
    """True for what is the case team's alone: all needs of a child, also those that are not secret in an adult.

    What else is to be, the rules say.
    """
    by_the_rules = decision.terms is not None and decision.terms.visibility == "restricted"
    return need in RESTRICTED or age_band in CHILDREN or by_the_rules


def _facts(arrival: ArrivalRecorded, need: str) -> Facts:
    return Facts(
        need=need,
        age_band=arrival.age_band,
        port_regency=arrival.port_regency,
        origin_regency=arrival.origin_regency,
        sex=arrival.sex,
    )


async def _rooms(
    work: Work, router: Router, arrivals: Sequence[Heard[ArrivalRecorded]], routing: Routing, together: Together
) -> Rooms:
    """The places of those who may be asked to lodge these people; where nobody publishes any, nothing is read."""
    publishing = await routing.publishing(work)
    if not publishing:
        return Rooms(work.now)
    decided = [
        router.decide(facts)
        for a in arrivals
        for code in a.fact.needs
        if capacity.takes_place(code)
        for facts in _ways(a.fact, code, together)
    ]
    asked = {c.agency_id for decision in decided for c in decision.candidates}
    return await leasing.rooms(work, publishing & asked, {a.fact.case_id for a in arrivals})


def _ways(arrival: ArrivalRecorded, need: str, together: Together) -> list[Facts]:
    """The facts by which a need may go: by the own, with a household that stays at the port, or home with one of it."""
    own = _facts(arrival, need)
    if arrival.household_id is None:
        return [own]
    homes = together.origins[arrival.household_id] - {None}
    return [own, *(replace(own, household_at=at) for at in (AT_PORT, *homes))]


def _opened(
    work: Work,
    arrival: ArrivalRecorded,
    code: str,
    decision: Decision,
    routing: Routing,
    rooms: Rooms,
    available: frozenset[str],
) -> Need:
    """A need as it stands after its decision: asked, unroutable, or before a person where all are paused or full.

    It waits only where the rules say that an adult consents before anybody is asked.
    """
    need = Need(
        Referral(
            referral_id=new_id(),
            case_id=arrival.case_id,
            need=code,
            state="open",
            version=1,
            restricted=is_restricted(code, arrival.age_band, decision),
            regency=decision.facts.due_in,
            port=arrival.port,
            sex=arrival.sex,
            age_band=arrival.age_band,
            onward_wish=arrival.onward_wish,
            arrived_at=arrival.arrived_at,
            explanation=decision.digest,
            opened_at=work.now,
            urgency=None if decision.terms is None else decision.terms.urgency,
        )
    )
    if consents.waits(decision.terms, arrival.age_band):
        return needs.wait_for_consent(need, now=work.now)
    if not decision.candidates:
        return needs.unroutable(need, now=work.now)
    first = needs.next_candidate(need, decision.candidates, rooms.open_to(need, available))
    if first is None:
        return need
    return rooms.take(needs.ask(need, first, assignment_id=new_id(), times=routing.times, now=work.now))
