"""What the port corrects of an arrival, as it reaches the needs: all that follows happens where it is heard.

The rules decide anew on the corrected facts, and what they decide is kept with its explanation. Who is asked wrongly is
asked no more, help is handed on to who is right, needs come and go, and nothing is left of an arrival that was none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from services.referral import rules
from services.referral.actions import (
    choosing,
    consenting,
    following,
    guarding,
    leasing,
    opening,
    staying,
    telling,
    walls,
)
from services.referral.actions.following import Changes
from services.referral.actions.routing import Routing
from services.referral.actions.walls import Walls
from services.referral.domain import corrections, needs
from services.referral.domain.agencies import agency_id
from services.referral.domain.assignments import Assignment
from services.referral.domain.corrections import Became, Changed, Correction, Facts, TakenBackFor
from services.referral.domain.needs import Need
from services.referral.domain.referrals import CHILDREN
from services.referral.domain.routing import Decision
from services.referral.rules import Router
from services.referral.store import corrections as book
from services.referral.store import needs as store
from services.referral.store import returns
from services.referral.store.needs import Gap
from shared.contracts.fact import Told
from shared.contracts.intake.arrivals import (
    AgeCorrected,
    ArrivalEnteredInError,
    ArrivalFact,
    ArrivalRecorded,
    DeathUndone,
    NeedsCorrected,
    OriginCorrected,
    PersonDied,
    SexCorrected,
)
from shared.kit.heard import Heard
from shared.kit.ids import new_id
from shared.kit.work import Work

HeardOf = (
    Heard[AgeCorrected]
    | Heard[SexCorrected]
    | Heard[OriginCorrected]
    | Heard[NeedsCorrected]
    | Heard[ArrivalEnteredInError]
    | Heard[PersonDied]
    | Heard[DeathUndone]
)

RETURN_OFFICE = "BP3MI"
"""The kind of office that looks after returns in a province: of the port, and of where somebody comes from."""


async def hear_corrections(work: Work, heard: Sequence[HeardOf], *, routing: Routing) -> None:
    """Let the needs of each arrival follow what was corrected of it, one correction after the other."""
    await staying.lock(work, [h.case_id for h in heard])
    await _hold_places(work, heard, routing)
    if in_error := [h.case_id for h in heard if isinstance(h.fact, ArrivalEnteredInError)]:
        await returns.add_in_error(work, in_error)
    for one in heard:
        found = await store.find_of_cases(work, [one.case_id])
        changes = await following.locked(work, {id_: (id_, case_id) for id_, case_id in found.items()})
        await _Following(work, one, routing, changes).follow()


async def _hold_places(work: Work, heard: Sequence[HeardOf], routing: Routing) -> None:
    """Lock what any of these needs may take or leave, before the first of them is decided anew."""
    owned = await store.find_of_cases(work, [h.case_id for h in heard])
    found = await store.find_needs(work, sorted(owned))
    added = [code for h in heard for code in (*h.fact.needs, *_added(h.fact))]
    await leasing.hold(work, found.values(), routing, added=added)


@dataclass(slots=True)
class _Following:
    """One correction on its way through the needs of its case."""

    work: Work
    heard: HeardOf
    routing: Routing
    changes: Changes
    no_gap: list[str] = field(default_factory=list)
    """Needs that leave the register of gaps."""
    gaps: list[Gap] = field(default_factory=list)
    decided: dict[str, Decision] = field(default_factory=dict)
    goes_on: bool = False
    """Something that had ended is open again: what was said of consent meanwhile holds for it too.

    So it does for who is a child no more, whose word counts.
    """

    @property
    def fact(self) -> ArrivalFact:
        return self.heard.fact

    @property
    def by(self) -> str:
        assert self.heard.told is not None
        return self.heard.told.actor

    async def follow(self) -> None:
        """Needs end, the others are decided anew, and what is new is opened."""
        fact = self.fact
        router = await self.routing.router(self.work)
        for need in list(self.changes.before.values()):
            if self._ends(need):
                self._end(need)
        moved = await self._correct(router)
        if isinstance(fact, AgeCorrected) and fact.age_band in CHILDREN and fact.was not in CHILDREN:
            one = next(iter(self.changes.before), None)
            await guarding.begin_by_correction(self.work, self.heard, None if one is None else self.changes.need(one))
        if self.decided:
            await store.update_explanations(self.work, self.decided)
        walled = await walls.around(
            self.work, [self.changes.need(id_) for id_ in moved], self.routing, among=self.changes.before.values()
        )
        for id_, reason in moved.items():
            await self._route(self.changes.need(id_), reason, walled)
        await self._keep()
        await following.save(self.work, self.changes)
        if corrected := [n.referral for n in self.changes.after.values()]:
            await book.update_facts(self.work, corrected)
        if self.gaps:
            await store.add_gaps(self.work, self.gaps, directory_at=router.since)
        if self.no_gap:
            await store.close_gaps(self.work, self.no_gap)
        if await self._open() or self.goes_on or self._is_of_age_after_all():
            await consenting.apply_to_added(self.work, self.heard, routing=self.routing)

    def _ends(self, need: Need) -> bool:
        match self.fact:
            case ArrivalEnteredInError():
                return True
            case PersonDied():
                return need.referral.need != corrections.OF_THE_DEAD and not need.referral.is_terminal
            case AgeCorrected(struck=struck) | NeedsCorrected(struck=struck) | DeathUndone(struck=struck):
                return need.referral.need in struck
        return False

    def _end(self, need: Need) -> None:
        if self.fact.age_band in CHILDREN:  # nobody hears even of its end
            need = replace(need, referral=replace(need.referral, restricted=True))
        if isinstance(self.fact, PersonDied):
            ended = corrections.end_with_death(need, by=self.by, now=self.work.now)
        else:
            ended = corrections.strike(need, by=self.by, now=self.work.now)
        if need.referral.is_terminal:
            if ended != need:
                self.changes.put(ended)
            return
        choosing.tell_ends(self.work, need, ended)
        self.work.emit(telling.closed(ended), cause=self.heard)
        self.changes.settled.add(need.referral.referral_id)
        if need.referral.state == "unroutable":
            self.no_gap.append(need.referral.referral_id)
        self.changes.put(ended)

    async def _correct(self, router: Router) -> dict[str, TakenBackFor | None]:
        """Put the needs on the corrected facts, and open anew what had ended for what was not so.

        Answers those to route, with why who is asked wrongly is asked no more (None: nobody is).
        """
        moved: dict[str, TakenBackFor | None] = {}
        bodies = await store.find_explanations(
            self.work, [need.referral.explanation for need in self.changes.before.values()]
        )
        became = await self._became()
        for id_, before in self.changes.before.items():
            need = self.changes.need(id_)
            stored = rules.read(bodies[before.referral.explanation])
            facts = replace(
                stored.facts,
                age_band=self.fact.age_band,
                sex=self.fact.sex,
                origin_regency=self.fact.origin_regency,
            )
            if facts == stored.facts and not need.referral.is_terminal:
                continue
            decision = router.decide(facts)
            anew = corrections.why_anew(need, decision.candidates, became)
            if facts == stored.facts and anew is None:
                continue
            corrected = corrections.corrected(
                need if anew is None else corrections.open_anew(need, now=self.work.now),
                Facts(facts.sex, facts.age_band, facts.due_in),
                restricted=opening.is_restricted(need.referral.need, facts.age_band, decision),
                explanation=decision.digest,
            )
            if corrected == need:
                continue
            self.decided[id_] = decision  # also of what has ended: if it is reopened, the right office is asked
            if not need.referral.is_terminal:
                moved[id_] = "WRONG_ORIGIN" if isinstance(self.fact, OriginCorrected) else "NEW_FACTS"
            if anew is not None:
                self.goes_on = True
                self.work.emit(telling.reopened(corrected, anew), cause=self.heard)
                moved[id_] = None
            elif corrected.referral.restricted and not before.referral.restricted and need.referral.is_terminal:
                # Nothing follows here; who tells others has to know that this is told to nobody any more.
                told = telling.corrected(corrected, decision, self._changed(), routed_again=False)
                self.work.emit(told, cause=self.heard)
            elif corrected.referral.state == "awaiting_consent" and corrected.referral.child:
                corrected = needs.obtain_consent(corrected, now=self.work.now)  # a child's best interest decides
                self.work.emit(telling.consent_obtained(corrected), cause=self.heard)
                self.changes.settled.add(id_)
            self.changes.put(corrected)
        return moved

    async def _route(self, need: Need, reason: TakenBackFor | None, walled: Walls) -> None:
        """Ask who is right by the corrected facts, where that is another than who is asked or helps."""
        decision = self.decided[need.referral.referral_id]
        before = self.changes.before[need.referral.referral_id]
        open_to = walled.open_to(need, await self.routing.open_for(self.work, need.referral.need))
        routed, known_gaps = need, len(self.gaps)
        if need.referral.state in ("open", "unroutable"):
            routed = self._asked(need, decision, reason or "NEW_FACTS", open_to, walled)
        self.changes.put(routed)
        if reason is not None:
            again = routed.attempts[len(before.attempts) :] != ()
            self.work.emit(telling.corrected(routed, decision, self._changed(), routed_again=again), cause=self.heard)
        # After that it is there: to whom it is new, these would say so first.
        for gap in self.gaps[known_gaps:]:
            self.work.emit(telling.gap_opened(routed, gap), cause=self.heard)
        for attempt in routed.attempts[len(before.attempts) :]:
            self.work.emit(telling.sent(routed, attempt), cause=self.heard)

    def _asked(
        self, need: Need, decision: Decision, reason: TakenBackFor, open_to: frozenset[str], walled: Walls
    ) -> Need:
        ranked = decision.candidates
        before = self.changes.before[need.referral.referral_id]
        again = corrections.ended_with(before)

        def fits(attempt: Assignment) -> bool:
            places = walled.rooms.places.get(attempt.agency_id, ())
            return attempt.place is None or any(p.key == attempt.place and p.fits(need.referral) for p in places)

        if not corrections.keeps(need, ranked, open_to, fits=fits):
            asked = need.asked
            assert asked is not None
            again = asked.agency_id
            need = corrections.take_back(need, reason=reason, now=self.work.now)
            recalled = need.attempt(asked.assignment_id)
            self.work.emit(telling.taken_back(before, need, recalled, reason), cause=self.heard)
        to = corrections.next_after(need, ranked, open_to, again=again)
        if need.live is not None:
            if not corrections.wants_handing_on(need, ranked):
                return need
            if to is None:
                self.changes.escalate(need, "no_candidate_left", need.helping)
                return need
            return walled.note(
                corrections.hand_on(
                    need, to, reason=reason, new_id=new_id(), times=self.routing.times, now=self.work.now
                )
            )
        if to is None:
            return self._nobody(need, decision)
        if need.referral.state == "unroutable":
            need = needs.routable(need, now=self.work.now)
            self.no_gap.append(need.referral.referral_id)
        self.changes.settled.add(need.referral.referral_id)
        return walled.note(needs.ask(need, to, assignment_id=new_id(), times=self.routing.times, now=self.work.now))

    def _nobody(self, need: Need, decision: Decision) -> Need:
        """A gap where nobody serves it by the corrected facts either, else a person decides; of a child at once."""
        if need.referral.state == "open" and not decision.candidates:
            need = needs.unroutable(need, now=self.work.now)
            self.gaps.append(Gap(new_id(), need.referral.referral_id, decision.why_nobody))
        elif need.referral.state == "unroutable" and decision.candidates:
            need = needs.routable(need, now=self.work.now)
            self.no_gap.append(need.referral.referral_id)
            self.changes.settled.add(need.referral.referral_id)
        if need.referral.state == "open" or need.referral.restricted:
            of_child = need.referral.child and need.referral.state == "unroutable"
            latest = need.attempts[-1] if need.attempts else None
            self.changes.escalate(need, "unroutable_child" if of_child else "no_candidate_left", latest)
        return need

    async def _keep(self) -> None:
        """Let those who have the case know what was corrected; of an origin the offices for returns too."""
        for kind, was, became in self._kinds():
            fact = self.fact
            assert isinstance(fact, AgeCorrected | SexCorrected | OriginCorrected)
            correction = Correction(fact.case_id, fact.version, kind, was, became, fact.reason, self.heard.occurred_at)
            await book.add_correction(self.work, correction)
            if kind == "origin":
                provinces = {code[:2] for code in (fact.port_regency, was, became) if code is not None}
                offices = [agency_id(RETURN_OFFICE, province) for province in sorted(provinces)]
                await book.add_notices(self.work, correction, fact.port, offices)

    async def _open(self) -> bool:
        """Open what was added and was never there before, as when it lands; answers whether there was something."""
        fact = self.fact
        known = {need.referral.need for need in self.changes.before.values()}
        new = tuple(code for code in _added(self.fact) if code not in known)
        if not new:
            return False
        told = self.heard.told
        assert told is not None
        landed = ArrivalRecorded(
            case_id=fact.case_id,
            voyage_id=None,
            port=fact.port,
            port_regency=fact.port_regency,
            origin_regency=fact.origin_regency,
            sex=fact.sex,
            age_band=fact.age_band,
            needs=new,
            onward_wish=fact.onward_wish,
            arrived_at=fact.arrived_at,
            channel="single",
            household_id=self.changes.households.get(fact.case_id),
        )
        as_told = Told[ArrivalRecorded](
            actor=told.actor, organisation=told.organisation, role=told.role, purpose=told.purpose, data=landed
        )
        of = self.heard
        arrival = Heard(
            event_id=of.event_id,
            source=of.source,
            type=of.type,
            case_id=of.case_id,
            case_seq=of.case_seq,
            occurred_at=of.occurred_at,
            traceparent=of.traceparent,
            shared=of.shared,
            payload=of.payload,
            told=as_told,
        )
        await opening.open_referrals(self.work, [arrival], routing=self.routing)
        return True

    async def _became(self) -> Became:
        fact = self.fact
        # Of who counts as dead only the origin is corrected: it is the step before.
        is_moved_while_dead = isinstance(fact, DeathUndone) and any(
            one.version == fact.version - 1 for one in await book.list_corrections(self.work, fact.case_id)
        )
        return Became(
            needs=fact.needs,
            found=_added(fact),
            is_found_by_itself=isinstance(fact, NeedsCorrected | PersonDied),
            is_alive_after_all=isinstance(fact, DeathUndone),
            is_child_after_all=isinstance(fact, AgeCorrected) and fact.age_band in CHILDREN,
            is_of_the_person=is_moved_while_dead or self._kinds() != [],
        )

    def _is_of_age_after_all(self) -> bool:
        fact = self.fact
        return isinstance(fact, AgeCorrected) and fact.was in CHILDREN and fact.age_band not in CHILDREN

    def _kinds(self) -> list[tuple[Changed, str | None, str | None]]:
        match self.fact:
            case AgeCorrected(was=was, age_band=became):
                return [("age", was, became)]
            case SexCorrected(was=was, sex=became):
                return [("sex", was, became)]
            case OriginCorrected(was=was, origin_regency=became):
                return [("origin", was, became)]
        return []

    def _changed(self) -> tuple[Changed, ...]:
        return tuple(kind for kind, _, _ in self._kinds())


def _added(fact: ArrivalFact) -> tuple[str, ...]:
    """The needs that a correction finds."""
    match fact:
        case AgeCorrected(added=added) | NeedsCorrected(added=added):
            return added
        case PersonDied():
            return (corrections.OF_THE_DEAD,)
    return ()
