"""What follows when an attempt ends without help: the next agency, or a supervisor. And writing changed needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.referral.actions import staying, telling, walls
from services.referral.actions.routing import Routing
from services.referral.domain import corrections, escalations, needs
from services.referral.domain.assignments import Assignment
from services.referral.domain.cancellations import CONFIRM_WITHIN
from services.referral.domain.escalations import Escalation
from services.referral.domain.needs import Need
from services.referral.domain.referrals import Referral
from services.referral.store import cancellations, places, questions
from services.referral.store import escalations as ladder
from services.referral.store import needs as store
from shared.contracts.referral.households import SplitReason
from shared.kit.crash import crash_point
from shared.kit.ids import new_id
from shared.kit.work import Work


@dataclass(slots=True)
class Changes:
    """Needs as they were loaded and as they are now, with the escalations that follow. The cases are locked."""

    before: Mapping[str, Need]
    now: datetime
    after: dict[str, Need] = field(default_factory=dict)
    escalations: list[Escalation] = field(default_factory=list)
    households: Mapping[str, str] = field(default_factory=dict)
    """The household of each of the cases that is in one; its lock is held too."""
    splits: dict[str, SplitReason] = field(default_factory=dict)
    """What people have said of why somebody comes to be apart from it, by case."""
    settled: set[str] = field(default_factory=set)
    """Referrals that nobody need worry about any more: their escalations close."""

    def need(self, referral_id: str) -> Need:
        return self.after.get(referral_id) or self.before[referral_id]

    def need_of(self, assignment_id: str) -> Need:
        """The need that this attempt is made at."""
        [referral_id] = [
            n.referral.referral_id
            for n in self.before.values()
            if any(a.assignment_id == assignment_id for a in n.attempts)
        ]
        return self.need(referral_id)

    def put(self, need: Need) -> None:
        self.after[need.referral.referral_id] = need

    def escalate(self, need: Need, reason: str, assignment: Assignment | None, *, limit: str | None = None) -> None:
        """Put a need in front of a person; `limit`: the one of the law that has passed."""
        self.escalations.append(escalation(need, reason, assignment, limit=limit, now=self.now))


def escalation(
    need: Need, reason: str, assignment: Assignment | None, *, now: datetime, limit: str | None = None
) -> Escalation:
    """A need as it comes before a person."""
    assignment_id = None if assignment is None else assignment.assignment_id
    return escalations.of(need, reason, escalation_id=new_id(), assignment_id=assignment_id, limit=limit, now=now)


async def locked(work: Work, owned: Mapping[str, tuple[str, str]]) -> Changes:
    """Lock the cases of these assignments (assignment → referral, case), then read their needs.

    The caller has found them in the actor's own scope. What follows is the service's: it depends on other agencies'
    attempts and leads to new ones.
    """
    await work.as_service()
    homes = await staying.lock(work, {case_id for _, case_id in owned.values()})
    found = await store.find_needs(work, sorted({referral_id for referral_id, _ in owned.values()}))
    return Changes(found, work.now, households=homes)


async def locked_by_attempts(work: Work, assignment_ids: Sequence[str]) -> Changes:
    """The same for attempts that were found through something else of the actor's own."""
    await work.as_service()
    return await locked(work, await store.find_cases_of(work, assignment_ids))


async def ask_next(work: Work, changes: Changes, wanting: Sequence[Need], routing: Routing) -> None:
    """Ask the next candidate of each of these needs; where none is left, tell a supervisor."""
    if not wanting:
        return
    candidates = await routing.candidates(work, {need.referral.explanation for need in wanting})
    walled = await walls.around(work, wanting, routing, among=changes.before.values())
    for need in wanting:
        is_passing = corrections.is_to_be_handed_on(need)
        if need.live is not None and not is_passing:
            continue  # who wanted to hand it on keeps it, or who was to take it over is still asked
        available = walled.open_to(need, await routing.open_for(work, need.referral.need))
        ranked = candidates[need.referral.explanation]
        if is_passing:
            asked = corrections.hand_on_next(
                need, ranked, available, new_id=new_id(), times=routing.times, now=work.now
            )
        else:
            asked = needs.ask_next(need, ranked, available, assignment_id=new_id(), times=routing.times, now=work.now)
        if asked is None:
            changes.escalate(need, "no_candidate_left", need.attempts[-1] if need.attempts else None)
            continue
        asked = walled.note(asked)
        changes.put(asked)
        work.emit(telling.sent(asked, asked.attempts[-1]))


async def save(work: Work, changes: Changes) -> None:
    """Write what differs, a statement per table that has a difference."""
    referrals, changed, added = _differences(changes)
    if leaving := {a.agency_id for a in changed if a.place is not None and not a.is_live}:
        await places.lock_places(work, sorted(leaving))  # in one order, also where nobody has held them until now
    # Who hands a need on has ended before who takes it over helps: never two at one moment.
    for some in ([a for a in changed if not a.is_live], [a for a in changed if a.is_live]):
        if some:
            await store.update_assignments(work, some)
    crash_point("referral.between_attempts")
    if added:
        await store.add_assignments(work, added)
    if referrals:
        await store.update_referrals(work, referrals)
    await _note_ends(work, changes, changed)
    if changes.settled:
        await ladder.close_escalations(work, sorted(changes.settled))
    if changes.escalations:
        told = await ladder.add_escalations(work, changes.escalations)
        for escalation in changes.escalations:
            if escalation.escalation_id in told:
                work.emit(telling.escalated(changes.need(escalation.referral_id), escalation))
    await staying.note(work, changes.households.values(), changes.splits)


async def _note_ends(work: Work, changes: Changes, changed: Sequence[Assignment]) -> None:
    """Questions that nobody needs answered any more are closed; who helped and was cancelled is asked to confirm."""
    before = {a.assignment_id: a for need in changes.before.values() for a in need.attempts}
    asked = [before[a.assignment_id].question_id for a in changed if a.question_id is None]
    if needless := [question_id for question_id in asked if question_id is not None]:
        await questions.close_questions(work, needless)
    cancelled = [a for a in changed if a.state == "cancelled_by_sender"]
    if cancelled:
        await cancellations.add_cancellations(
            work,
            [a.assignment_id for a in cancelled],
            [changes.need(a.referral_id).referral.case_id for a in cancelled],
            [a.agency_id for a in cancelled],
            confirm_by=work.now + CONFIRM_WITHIN,
        )


def _differences(changes: Changes) -> tuple[list[Referral], list[Assignment], list[Assignment]]:
    """Changed referrals, changed assignments, new assignments."""
    referrals: list[Referral] = []
    changed: list[Assignment] = []
    added: list[Assignment] = []
    for referral_id, need in changes.after.items():
        was = changes.before[referral_id]
        if need.referral != was.referral:
            referrals.append(need.referral)
        known = {a.assignment_id: a for a in was.attempts}
        for assignment in need.attempts:
            if assignment.assignment_id not in known:
                added.append(assignment)
            elif assignment != known[assignment.assignment_id]:
                changed.append(assignment)
    return referrals, changed, added
