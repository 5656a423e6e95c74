"""What an agency does with what it was asked: open, accept, decline, begin, complete, give up.

Each takes a list and answers one result per item: the assignment as it is now, or the refusal that stood in its way.
One refused item stops none of the others. All of them lock the cases first, so whoever comes second sees the first.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.referral import policy
from services.referral.actions import following, guarding, pausing, telling
from services.referral.actions.following import Changes
from services.referral.actions.routing import Routing
from services.referral.domain import assignments, needs, pauses, responsibilities
from services.referral.domain.assignments import Assignment, Side
from services.referral.domain.handovers import Handover
from services.referral.domain.needs import Need
from services.referral.domain.pauses import Pause
from services.referral.domain.refusals import AssignmentUnknown, DateMissing, MoveNotAllowed, Refused
from services.referral.domain.routing import Terms
from services.referral.store import handovers
from services.referral.store import needs as store
from shared.contracts.referral.households import SplitReason
from shared.kit.work import Work


@dataclass(frozen=True, slots=True)
class Answer:
    """One item of a list: which assignment, decided on which version (None: whichever is stored)."""

    assignment_id: str
    version: int | None = None
    reason: str = ""
    side: Side | None = None
    outcome: str = ""
    handover_ref: str | None = None
    until: datetime | None = None
    agency_id: str | None = None
    question: str = ""
    split: SplitReason | None = None
    """Why the person is parted from the household, where that comes of it."""


ESCALATED_AS = {"person_refused": "person_refused", "duplicate": "said_duplicate"}
"""As what a declined need comes before a supervisor, by the reason."""

Result = Assignment | Refused
Step = Callable[[Need, Answer], Need]


async def acknowledge_assignments(work: Work, answers: Sequence[Answer], *, routing: Routing) -> list[Result]:
    """A named worker opened them; the time to decide runs. Opening again changes nothing and tells nothing."""
    asked_on: dict[bytes, Terms | None] = {}

    async def prepare(changes: Changes) -> None:
        asked_on.update(await routing.terms(work, {n.referral.explanation for n in changes.before.values()}))

    def acknowledge(need: Need, answer: Answer) -> Need:
        opened = needs.acknowledge(
            need,
            answer.assignment_id,
            version=answer.version,
            times=routing.times,
            terms=asked_on[need.referral.explanation],
            now=work.now,
        )
        if opened != need:
            work.emit(telling.acknowledged(opened, opened.attempt(answer.assignment_id)))
        return opened

    return await each(work, answers, acknowledge, prepare=prepare)


async def accept_assignments(work: Work, answers: Sequence[Answer], *, routing: Routing) -> list[Result]:
    """The agency takes them; from now on it may ask for the identity. Who takes a child's protection answers for it."""
    protected: list[Need] = []
    asked_on: dict[bytes, Terms | None] = {}

    async def prepare(changes: Changes) -> None:
        asked_on.update(await routing.terms(work, {n.referral.explanation for n in changes.before.values()}))

    def accept(need: Need, answer: Answer) -> Need:
        accepted = needs.accept(
            need,
            answer.assignment_id,
            by=work.actor.id,
            version=answer.version,
            times=routing.times,
            terms=asked_on[need.referral.explanation],
            now=work.now,
        )
        taken = accepted.attempt(answer.assignment_id)
        if need.helping is not None:
            work.emit(telling.transferred(accepted, accepted.attempt(need.helping.assignment_id), taken))
        work.emit(telling.accepted(accepted, taken))
        if responsibilities.passes_with(accepted):
            protected.append(accepted)
        return accepted

    async def follow(_: Changes) -> None:
        await guarding.pass_on(work, protected, "acceptance")

    return await each(work, answers, accept, settles=True, prepare=prepare, follow=follow)


async def take_over_children(work: Work, answers: Sequence[Answer]) -> list[Result]:
    """A person of an agency that helps a child answers for it by name, whoever did until now."""
    taken: list[Need] = []

    def take_over(need: Need, answer: Answer) -> Need:
        found = need.attempt(answer.assignment_id)
        assignments.expect(found, answer.version)
        if not need.referral.child:
            raise AssignmentUnknown  # there is no child here
        if found.state not in assignments.HELPING:
            raise MoveNotAllowed("assignment", found.state, "taken_over", at=found.ended_at)
        taken.append(need)
        return need

    async def follow(_: Changes) -> None:
        await guarding.pass_on(work, taken, "takeover")

    return await each(work, answers, take_over, follow=follow)


async def undo_acceptances(work: Work, answers: Sequence[Answer]) -> list[Result]:
    """Take back an acceptance of a moment ago: the agency is asked as before, who answered for a child does again."""
    taken_back: list[tuple[Need, datetime]] = []

    def undo(need: Need, answer: Answer) -> Need:
        undone = needs.undo(need, answer.assignment_id, version=answer.version, now=work.now)
        work.emit(telling.undone(undone, undone.attempt(answer.assignment_id)))
        accepted_at = need.attempt(answer.assignment_id).answered_at
        assert accepted_at is not None
        taken_back.append((undone, accepted_at))
        return undone

    async def follow(_: Changes) -> None:
        await guarding.give_back(work, taken_back)

    return await each(work, answers, undo, follow=follow)


async def waitlist_assignments(work: Work, answers: Sequence[Answer], *, routing: Routing) -> list[Result]:
    """The agency would help, but not yet; it names a day, is reminded before it, and has to decide by then."""
    asked_on: dict[bytes, Terms | None] = {}

    async def prepare(changes: Changes) -> None:
        asked_on.update(await routing.terms(work, {n.referral.explanation for n in changes.before.values()}))

    def waitlist(need: Need, answer: Answer) -> Need:
        if answer.until is None:
            raise DateMissing
        waiting = needs.waitlist(
            need,
            answer.assignment_id,
            until=answer.until,
            version=answer.version,
            times=routing.times,
            terms=asked_on[need.referral.explanation],
            now=work.now,
        )
        work.emit(telling.waitlisted(waiting, waiting.attempt(answer.assignment_id)))
        return waiting

    return await each(work, answers, waitlist, prepare=prepare)


async def decline_assignments(work: Work, answers: Sequence[Answer], *, routing: Routing) -> list[Result]:
    """The agency says no, with a reason; what the reason leads to happens in the same transaction.

    By its reason the agency is passed over for such needs for a while, until `until` where it names a day.
    """
    wanting: list[Need] = []
    for_a_person: list[tuple[Need, str]] = []
    paused: list[Pause] = []

    def decline(need: Need, answer: Answer) -> Need:
        until = pauses.until(answer.reason, answer.until, now=work.now)
        declined, effect = needs.decline(
            need,
            answer.assignment_id,
            reason=answer.reason,
            side=answer.side,
            by=work.actor.id,
            version=answer.version,
            now=work.now,
        )
        attempt = declined.attempt(answer.assignment_id)
        if until is not None:
            paused.append(pausing.of(declined, attempt, until=until, now=work.now))
        if effect == "ask_next":
            wanting.append(declined)
        elif declined.helping is None:
            for_a_person.append((declined, ESCALATED_AS[answer.reason]))
        work.emit(telling.declined(declined, attempt, passed_over_until=until))
        return declined

    async def follow(changes: Changes) -> None:
        await following.ask_next(work, changes, wanting, routing)
        await pausing.begin(work, paused)
        for need, reason in for_a_person:
            changes.escalate(need, reason, need.attempts[-1])

    return await each(work, answers, decline, follow=follow)


async def start_services(work: Work, answers: Sequence[Answer]) -> list[Result]:
    """The agency begins to help."""

    def start(need: Need, answer: Answer) -> Need:
        started = needs.start(need, answer.assignment_id, version=answer.version, now=work.now)
        if started != need:
            work.emit(telling.started(started, started.attempt(answer.assignment_id)))
        return started

    return await each(work, answers, start)


async def complete_assignments(work: Work, answers: Sequence[Answer]) -> list[Result]:
    """Help was given and handed over, by minutes that are recorded; the need is met."""
    minutes: dict[str, list[Handover]] = {}

    async def prepare(_: Changes) -> None:
        if named := [answer.assignment_id for answer in answers if answer.handover_ref is not None]:
            minutes.update(await handovers.find_handovers(work, named))

    def complete(need: Need, answer: Answer) -> Need:
        has_begun = need.attempt(answer.assignment_id).started_at is not None
        done = needs.complete(
            need,
            answer.assignment_id,
            outcome=answer.outcome,
            handover_ref=answer.handover_ref,
            by=work.actor.id,
            version=answer.version,
            now=work.now,
            minutes=minutes.get(answer.assignment_id, ()),
        )
        assignment = done.attempt(answer.assignment_id)
        if not has_begun:
            work.emit(telling.started(done, assignment))
        work.emit(telling.completed(done, assignment))
        if need.asked is not None:
            work.emit(telling.ended_with_need(done, done.attempt(need.asked.assignment_id)))
        work.emit(telling.fulfilled(done))
        return done

    return await each(work, answers, complete, settles=True, prepare=prepare)


async def fail_assignments(work: Work, answers: Sequence[Answer], *, routing: Routing) -> list[Result]:
    """Accepted help came to nothing; the next agency is asked or a supervisor told, by the outcome."""
    wanting: list[Need] = []
    for_a_person: list[Need] = []

    def fail(need: Need, answer: Answer) -> Need:
        failed, effect = needs.fail(
            need, answer.assignment_id, outcome=answer.outcome, version=answer.version, now=work.now
        )
        (wanting if effect == "ask_next" else for_a_person).append(failed)
        work.emit(telling.failed(failed, failed.attempt(answer.assignment_id)))
        return failed

    async def follow(changes: Changes) -> None:
        changes.settled.update(need.referral.referral_id for need in (*wanting, *for_a_person))
        await following.ask_next(work, changes, wanting, routing)
        for need in for_a_person:
            changes.escalate(need, "outcome_failed", need.attempts[-1])

    return await each(work, answers, fail, follow=follow)


async def read_case(work: Work, assignment_id: str) -> tuple[Need, Assignment]:
    """The need behind one of the actor's own assignments; the reading is on the trail before it is shown.

    Raises `AssignmentUnknown`, also for another agency's.
    """
    owned = await store.find_owned(work, [assignment_id])
    if assignment_id not in owned:
        raise AssignmentUnknown
    referral_id, _ = owned[assignment_id]
    await work.as_service()  # a case tells which agencies were asked before and after
    need = (await store.find_needs(work, [referral_id]))[referral_id]
    assignment = need.attempt(assignment_id)
    if not policy.answers_for(work.actor, assignment.agency_id):
        raise AssignmentUnknown
    work.record(telling.case_read(need, assignment))
    return need, assignment


async def each(
    work: Work,
    answers: Sequence[Answer],
    step: Step,
    *,
    settles: bool = False,
    prepare: Callable[[Changes], Awaitable[None]] | None = None,
    follow: Callable[[Changes], Awaitable[None]] | None = None,
) -> list[Result]:
    """Read what the steps take, take one per answer on the needs behind them, then what follows, then write."""
    owned = await store.find_owned(work, [answer.assignment_id for answer in answers])
    changes = await following.locked(work, owned)
    if prepare is not None:
        await prepare(changes)
    refusals: dict[int, Refused] = {}
    for n, answer in enumerate(answers):
        if answer.assignment_id not in owned:
            refusals[n] = AssignmentUnknown()
            continue
        need = changes.need(owned[answer.assignment_id][0])
        if not policy.answers_for(work.actor, need.attempt(answer.assignment_id).agency_id):
            refusals[n] = AssignmentUnknown()
            continue
        try:
            changes.put(step(need, answer))
        except Refused as refused:
            refusals[n] = refused
        else:
            if settles:
                changes.settled.add(need.referral.referral_id)
    if follow is not None:
        await follow(changes)
    await following.save(work, changes)
    return [
        refusals.get(n) or changes.need(owned[answer.assignment_id][0]).attempt(answer.assignment_id)
        for n, answer in enumerate(answers)
    ]
