"""A need with all its attempts, and the rules that bind them.

At most one agency helps and at most one is asked; beside who helps only who is to take over is asked. A referral that
ends takes its live attempts with it, in the same step; a need that met nobody stays open in front of a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.referral.domain import assignments, referrals
from services.referral.domain.assignments import Assignment, Effect, Side
from services.referral.domain.deadlines import BY_THE_CLOCK, Times
from services.referral.domain.handovers import Handover
from services.referral.domain.referrals import Referral
from services.referral.domain.refusals import (
    AlreadyAccepted,
    AskedYourself,
    AssignmentUnknown,
    AttemptStillLive,
    MoveNotAllowed,
    NotUndoable,
    ReasonMissing,
    VersionChanged,
)
from services.referral.domain.routing import Candidate, Terms

RECALLS = frozenset({"WRONG_AGENCY", "PERSON_MOVED", "NEW_FACTS", "SENT_TWICE"})
"""Why a request may be taken back before it is accepted."""


@dataclass(frozen=True, slots=True)
class Need:
    """A referral and its attempts, first to last."""

    referral: Referral
    attempts: tuple[Assignment, ...] = ()

    @property
    def live(self) -> Assignment | None:
        """The latest attempt that is asked or helping, if there is one."""
        return next((a for a in reversed(self.attempts) if a.is_live), None)

    @property
    def asked(self) -> Assignment | None:
        """The attempt whose agency owes an answer, if there is one."""
        return next((a for a in self.attempts if a.state in assignments.ASKED), None)

    @property
    def helping(self) -> Assignment | None:
        """The attempt whose agency has the need; beside it only who is to take over from it is asked."""
        return next((a for a in self.attempts if a.state in assignments.HELPING), None)

    @property
    def tried(self) -> frozenset[str]:
        """The agencies that were asked before."""
        return frozenset(a.agency_id for a in self.attempts)

    @property
    def version(self) -> int:
        """Grows with every move of the need and of its attempts."""
        return self.referral.version + sum(a.version for a in self.attempts)

    def attempt(self, assignment_id: str) -> Assignment:
        """One of its attempts. Raises `AssignmentUnknown`."""
        for assignment in self.attempts:
            if assignment.assignment_id == assignment_id:
                return assignment
        raise AssignmentUnknown


def expect(need: Need, version: int | None) -> None:
    """Refuse when the caller decided on another version. Raises `VersionChanged`."""
    if version is not None and version != need.version:
        raise VersionChanged(expected=version, found=need.version)


def ask(need: Need, candidate: Candidate, *, assignment_id: str, times: Times, now: datetime) -> Need:
    """Ask one agency. Raises `AttemptStillLive` beside a live attempt, `MoveNotAllowed` on an ended need."""
    if need.live is not None:
        raise AttemptStillLive
    if need.referral.state != "open":
        raise MoveNotAllowed("referral", need.referral.state, "asked")
    asked = attempt_at(need, candidate, assignment_id=assignment_id, times=times, now=now)
    return Need(need.referral, (*need.attempts, asked))


def attempt_at(need: Need, candidate: Candidate, *, assignment_id: str, times: Times, now: datetime) -> Assignment:
    """The next attempt, as it is sent."""
    return assignments.sent(
        candidate,
        assignment_id=assignment_id,
        referral_id=need.referral.referral_id,
        attempt=len(need.attempts) + 1,
        deadline=times.first(candidate, need.referral.need, now=now),
        now=now,
    )


def next_candidate(need: Need, candidates: Sequence[Candidate], available: frozenset[str]) -> Candidate | None:
    """The first in rank that is available and was not asked before."""
    tried = need.tried
    return next((c for c in candidates if c.agency_id in available and c.agency_id not in tried), None)


def ask_next(
    need: Need,
    candidates: Sequence[Candidate],
    available: frozenset[str],
    *,
    assignment_id: str,
    times: Times,
    now: datetime,
) -> Need | None:
    """Ask the next in rank; None when nobody is left: then a person has to act."""
    following = next_candidate(need, candidates, available)
    return None if following is None else ask(need, following, assignment_id=assignment_id, times=times, now=now)


def acknowledge(
    need: Need,
    assignment_id: str,
    *,
    version: int | None,
    now: datetime,
    times: Times = BY_THE_CLOCK,
    terms: Terms | None = None,
) -> Need:
    """A worker opened it: the time to open it stops, and the time to decide begins. `terms`: those it was asked on."""
    found = need.attempt(assignment_id)
    assignments.expect(found, version)
    answer = times.of(found.agency_id, need.referral.need, terms).deciding(found, now=now)
    return with_attempt(need, assignments.acknowledge(found, answer=answer, now=now))


def accept(
    need: Need,
    assignment_id: str,
    *,
    by: str,
    version: int | None,
    now: datetime,
    times: Times = BY_THE_CLOCK,
    terms: Terms | None = None,
) -> Need:
    """The agency takes it; `terms`: those it was asked on.

    Raises `AlreadyAnswered` (naming the winner), `TooLate`, `VersionChanged`.
    """
    found = need.attempt(assignment_id)
    counting = times.of(found.agency_id, need.referral.need, terms)
    taken = assignments.accept(
        found,
        by=by,
        service=counting.service(found.service_hours, now=now),
        answer=counting.deciding(found, now=now),
        now=now,
    )
    assignments.expect(found, version)
    before = need.helping
    if before is None:
        return with_attempt(need, taken)
    if before.assignment_id != taken.transfer_of:
        raise AttemptStillLive
    return with_attempt(with_attempt(need, assignments.move(before, "transferred", now=now)), taken)


def undo(need: Need, assignment_id: str, *, version: int | None, now: datetime) -> Need:
    """The acceptance is taken back at once. Raises `NotUndoable`."""
    found = need.attempt(assignment_id)
    assignments.expect(found, version)
    if need.asked is not None:
        raise NotUndoable
    return with_attempt(need, assignments.undo(found, now=now))


def waitlist(
    need: Need,
    assignment_id: str,
    *,
    until: datetime,
    version: int | None,
    now: datetime,
    times: Times = BY_THE_CLOCK,
    terms: Terms | None = None,
) -> Need:
    """The agency looks again on a date. Raises `DateMissing`."""
    found = need.attempt(assignment_id)
    waiting = assignments.waitlist(found, until=until, now=now)
    assignments.expect(found, version)
    review = times.of(found.agency_id, need.referral.need, terms).review(until, now=now)
    return with_attempt(need, replace(waiting, remind_at=review.remind_at))


def decline(
    need: Need,
    assignment_id: str,
    *,
    reason: str,
    side: Side | None,
    by: str,
    version: int | None,
    now: datetime,
) -> tuple[Need, Effect]:
    """The agency says no; answers what follows from its reason."""
    declined = assignments.decline(need.attempt(assignment_id), reason=reason, side=side, by=by, now=now)
    assignments.expect(need.attempt(assignment_id), version)
    return with_attempt(need, declined), assignments.DECLINE_EFFECT[reason]


def expire(need: Need, assignment_id: str, *, now: datetime) -> Need:
    """The time to answer ran out. Raises `MoveNotAllowed` before that time or after an answer."""
    found = need.attempt(assignment_id)
    if now < found.answer_due_at:
        raise MoveNotAllowed("assignment", found.state, "deadline_passed")
    return with_attempt(need, assignments.move(found, "deadline_passed", now=now))


def recall(need: Need, *, reason: str, version: int | None, now: datetime) -> Need:
    """The sender takes the request back from who is asked. Raises `AlreadyAccepted` when nobody is, and one helps."""
    expect(need, version)
    if reason not in RECALLS:
        raise ReasonMissing
    if need.asked is not None:
        return with_attempt(need, replace(assignments.move(need.asked, "recalled", now=now), end_reason=reason))
    if need.helping is not None:
        raise AlreadyAccepted(state=need.helping.state, answered_at=need.helping.answered_at)
    raise MoveNotAllowed("referral", need.referral.state, "recalled")


def found_wrong(need: Need, attempt: int, *, version: int | None, now: datetime) -> Need:
    """This attempt should never have been made. Raises `AssignmentUnknown` when there is none of that number."""
    expect(need, version)
    wrong = next((a for a in need.attempts if a.attempt == attempt), None)
    if wrong is None:
        raise AssignmentUnknown
    return with_attempt(need, assignments.move(wrong, "found_wrong", now=now))


def hold(need: Need, *, reason: str, until: datetime, personally: bool, version: int | None, now: datetime) -> Need:
    """The need waits until a day; who is asked is recalled. Raises `AlreadyAccepted` while somebody helps."""
    expect(need, version)
    if need.helping is not None:
        raise AlreadyAccepted(state=need.helping.state, answered_at=need.helping.answered_at)
    held = referrals.hold(need.referral, reason=reason, until=until, personally=personally, now=now)
    return _cascade(replace(need, referral=held), now=now)


def resume(need: Need, *, version: int | None, now: datetime) -> Need:
    """The need goes on."""
    expect(need, version)
    return replace(need, referral=referrals.resume(need.referral, now=now))


def start(need: Need, assignment_id: str, *, version: int | None, now: datetime) -> Need:
    """The agency begins to help."""
    found = need.attempt(assignment_id)
    assignments.expect(found, version)
    return with_attempt(need, assignments.start(found, now=now))


def complete(
    need: Need,
    assignment_id: str,
    *,
    outcome: str,
    handover_ref: str | None,
    by: str,
    version: int | None,
    now: datetime,
    minutes: Sequence[Handover] = (),
) -> Need:
    """Help was given; the need is met in the same step."""
    found = need.attempt(assignment_id)
    assignments.expect(found, version)
    # Who was handed over may have turned out to be a child since the minutes were signed, or to be none.
    minutes = [replace(one, child=need.referral.child) for one in minutes]
    done = assignments.complete(found, outcome=outcome, handover_ref=handover_ref, now=now, minutes=minutes)
    met = referrals.fulfil(need.referral, outcome=outcome, by=by, now=now)
    return _cascade(replace(with_attempt(need, done), referral=met), now=now)


def fail(need: Need, assignment_id: str, *, outcome: str, version: int | None, now: datetime) -> tuple[Need, Effect]:
    """Accepted help did not come about; the need stays open. Answers what follows."""
    found = need.attempt(assignment_id)
    assignments.expect(found, version)
    return with_attempt(need, assignments.fail(found, outcome=outcome, now=now)), assignments.FAIL_EFFECT[outcome]


def close(
    need: Need, *, reason: str, by: str, organisation: str, personally: bool, version: int | None, now: datetime
) -> Need:
    """End the need unmet, with its live attempt; `organisation` is that of who closes it.

    Raises `AskedYourself`, `VersionChanged` and as `referrals.close`.
    """
    expect(need, version)
    if any(a.is_live and a.agency_id == organisation for a in need.attempts):
        raise AskedYourself
    closed = referrals.close(need.referral, reason=reason, by=by, personally=personally, now=now)
    return _cascade(replace(need, referral=closed), now=now)


def wait_for_consent(need: Need, *, now: datetime) -> Need:
    """Nobody is asked before an adult has consented; of a new need only."""
    draft = replace(need.referral, state="draft")
    return replace(need, referral=referrals.move(draft, "consent_requested", now=now))


def obtain_consent(need: Need, *, now: datetime) -> Need:
    """What the need waited for is there."""
    return replace(need, referral=referrals.move(need.referral, "consent_recorded", now=now))


def refuse(need: Need, *, statement: str, by: str, now: datetime) -> Need:
    """An adult wants no help with this, and has signed that. Raises as `referrals.refuse`."""
    return _cascade(
        replace(need, referral=referrals.refuse(need.referral, statement=statement, by=by, now=now)), now=now
    )


def withdraw(need: Need, *, by: str, now: datetime) -> Need:
    """An adult took back the consent that it rests on. Raises as `referrals.withdraw`."""
    return stop(
        replace(need, referral=referrals.withdraw(need.referral, by=by, now=now)),
        frozenset(a.agency_id for a in need.attempts),
        now=now,
    )


def stop(need: Need, agency_ids: frozenset[str], *, now: datetime) -> Need:
    """Nothing allows any more that these agencies are asked or help; the need goes on with others."""
    for live in [a for a in need.attempts if a.is_live and a.agency_id in agency_ids]:
        need = with_attempt(need, assignments.move(live, "consent_withdrawn", now=now))
    return need


def ended(need: Need, referral: Referral, *, now: datetime) -> Need:
    """The need with its referral as it has ended: whoever is asked or helps is asked and helps no more."""
    return _cascade(replace(need, referral=referral), now=now)


def reopen(need: Need, *, reason: str, version: int | None, now: datetime) -> Need:
    """A met or given-up need turned out to be open; the next attempt has the next number."""
    expect(need, version)
    return replace(need, referral=referrals.reopen(need.referral, reason=reason, now=now))


def unroutable(need: Need, *, now: datetime) -> Need:
    """Nobody in the directory serves this; a gap stays open until somebody does."""
    return replace(need, referral=referrals.move(need.referral, "no_candidate", now=now))


def routable(need: Need, *, now: datetime) -> Need:
    """Somebody serves this now."""
    return replace(need, referral=referrals.move(need.referral, "candidate_found", now=now))


def with_attempt(need: Need, changed: Assignment) -> Need:
    """The need with this attempt as it is now."""
    return replace(
        need,
        attempts=tuple(changed if a.assignment_id == changed.assignment_id else a for a in need.attempts),
    )


def _cascade(need: Need, *, now: datetime) -> Need:
    """Whoever is asked or helps is asked and helps no more."""
    for live in [a for a in need.attempts if a.is_live]:
        event: assignments.Event = "referral_ended" if live.state in assignments.HELPING else "recalled"
        need = with_attempt(need, assignments.move(live, event, now=now))
    return need
