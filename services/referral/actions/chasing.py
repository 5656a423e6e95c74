"""What falls due: agencies are reminded, silence expires, late help is escalated, gaps are tried again.

Gaps are when the directory or the rules have changed.
"""

from collections.abc import Sequence
from dataclasses import replace

from services.referral.actions import asking, following, telling, walls
from services.referral.actions.following import Changes
from services.referral.actions.routing import Routing, counting_of
from services.referral.domain import deadlines, needs
from services.referral.domain.assignments import Assignment
from services.referral.domain.needs import Need
from services.referral.domain.refusals import Refused
from services.referral.domain.routing import Decision
from services.referral.rules import read
from services.referral.store import needs as store
from shared.kit.crash import crash_point
from shared.kit.ids import new_id
from shared.kit.work import Work


async def chase(work: Work, due: Sequence[tuple[str, str, str]], *, routing: Routing) -> None:
    """Act on assignments (with their referrals and cases) whose deadline or reminder has passed."""
    changes = await following.locked(work, {a: (referral, case) for a, referral, case in due})
    wanting: list[Need] = []
    lapsed: list[Assignment] = []
    reminded: list[Assignment] = []
    for assignment_id, referral_id, _ in due:
        need = changes.need(referral_id)
        assignment = need.attempt(assignment_id)
        # Read again under the lock: somebody may have answered meanwhile, or another clock been here.
        match deadlines.falls_due(assignment, now=work.now):
            case "is_reminded":
                reminded.append(assignment)
            case "question_lapses":
                lapsed.append(assignment)
            case "expires":
                wanting.append(_expired(work, changes, need, assignment))
            case "is_overdue":
                _tell_overdue(work, changes, need, assignment)
    await _remind(work, changes, reminded, routing)
    await asking.lapse(work, changes, lapsed, routing)
    await following.ask_next(work, changes, wanting, routing)
    await following.save(work, changes)
    crash_point("referral.after_chase")


async def _remind(work: Work, changes: Changes, due: Sequence[Assignment], routing: Routing) -> None:
    """Remind these agencies, each once of its deadline; of an office that is closed, when it opens."""
    if not due:
        return
    counted = await counting_of(work, [changes.need(a.referral_id) for a in due], routing)
    reminded = [deadlines.remind(a, counted[a.assignment_id], now=work.now) for a in due]
    await store.mark_reminded(work, reminded)
    for assignment in reminded:
        if assignment.reminded_at == work.now:
            work.emit(telling.reminded(changes.need(assignment.referral_id), assignment))


def _expired(work: Work, changes: Changes, need: Need, assignment: Assignment) -> Need:
    expired = needs.expire(need, assignment.assignment_id, now=work.now)
    changes.put(expired)
    cause = deadlines.CAUSES[assignment.state]
    work.emit(telling.expired(expired, expired.attempt(assignment.assignment_id), cause))
    return expired


def _tell_overdue(work: Work, changes: Changes, need: Need, assignment: Assignment) -> None:
    """The agency keeps the need; a supervisor is told, once."""
    told = replace(assignment, overdue_told_at=work.now, version=assignment.version + 1)
    changes.put(replace(need, attempts=tuple(told if a.attempt == told.attempt else a for a in need.attempts)))
    changes.escalate(need, "service_overdue", assignment)


async def list_gaps(
    work: Work, limit: int, apart_from: Sequence[str], *, routing: Routing
) -> list[tuple[str, str, str]]:
    """Open gaps, with their referrals and cases, that are older than the last change of directory or rules."""
    router = await routing.router(work)
    return await store.list_gaps_before(work, router.since, limit, apart_from)


async def reroute_gaps(work: Work, found: Sequence[tuple[str, str, str]], *, routing: Routing) -> None:
    """Decide again on open gaps.

    The stored facts are decided under the rules in force now; who can be asked is asked, else a person decides.
    """
    router = await routing.router(work)
    changes = await following.locked(work, {gap: (referral, case) for gap, referral, case in found})
    bodies = await store.find_explanations(work, [changes.need(r).referral.explanation for _, r, _ in found])
    closed: list[str] = []
    reasons: dict[str, str | None] = {}
    decided: dict[str, Decision] = {}
    walled = await walls.around(work, changes.before.values(), routing, among=changes.before.values())
    for gap_id, referral_id, _ in found:
        need = changes.need(referral_id)
        decision = router.decide(read(bodies[need.referral.explanation]).facts)
        reasons[gap_id] = decision.why_nobody
        if not decision.candidates:
            continue
        try:
            served = needs.routable(need, now=work.now)
        except Refused:
            continue
        closed.append(gap_id)
        decided[referral_id] = decision
        changes.settled.add(referral_id)
        work.emit(telling.gap_closed(served, gap_id))
        first = needs.next_candidate(
            served, decision.candidates, walled.open_to(served, await routing.open_for(work, served.referral.need))
        )
        if first is None:
            # All who serve this have said that they cannot now: a person decides whom to ask in spite of it.
            changes.put(served)
            changes.escalate(served, "no_candidate_left", served.attempts[-1] if served.attempts else None)
            continue
        asked = walled.note(needs.ask(served, first, assignment_id=new_id(), times=routing.times, now=work.now))
        changes.put(asked)
        work.emit(telling.sent(asked, asked.attempts[-1]))
    await following.save(work, changes)
    await store.update_explanations(work, decided)
    await store.mark_gaps_closed(work, closed)
    still = {gap_id: reason for gap_id, reason in reasons.items() if gap_id not in closed}
    await store.mark_gaps_tried(work, still, directory_at=router.since)
