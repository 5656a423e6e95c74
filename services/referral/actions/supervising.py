"""What a supervisor does about needs of the own region: ask an agency again, close a need with a reason, reopen it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from services.referral import policy
from services.referral.actions import following, telling, walls
from services.referral.actions.following import Changes
from services.referral.actions.routing import Routing
from services.referral.domain import needs
from services.referral.domain.needs import Need
from services.referral.domain.refusals import ReferralUnknown, Refused
from services.referral.domain.routing import Candidate
from services.referral.store import desk
from services.referral.store import needs as store
from services.referral.store.desk import Task
from shared.kit.ids import new_id
from shared.kit.work import Work


class NobodyToAsk(Refused):
    """The agency is no candidate of this need, or takes nothing at the moment."""


@dataclass(frozen=True, slots=True)
class Closing:
    """One need to close, and why. `personally`: who closes it answers for it by name, which a child's need takes.

    `version`: the one that was decided on (None: whichever is stored).
    """

    referral_id: str
    reason: str
    personally: bool = False
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Reopening:
    """One need to reopen, why, and whom to ask (None: the first candidate that takes referrals)."""

    referral_id: str
    reason: str
    agency_id: str | None = None
    version: int | None = None


Result = Need | Refused
T = TypeVar("T", Closing, Reopening)


async def count_attempts(work: Work, tasks: Sequence[Task]) -> list[Task]:
    """These tasks, found in the actor's own scope, with what their attempts have come to."""
    await work.as_service()  # each attempt is its agency's own; of the latest one the supervisor learns how it stands
    attempts = await store.list_attempts(work, [task.referral_id for task in tasks])
    return [task.with_attempts(attempts.get(task.referral_id, [])) for task in tasks]


async def ask_again(work: Work, referral_id: str, *, agency_id: str | None, routing: Routing) -> None:
    """Ask an agency of the supervisor's choice among the candidates, else the first of them, once more.

    Raises `ReferralUnknown` outside the actor's region, `AttemptStillLive`, `NobodyToAsk`.
    """
    overseen = await desk.find_overseen(work, [referral_id])
    if not overseen:
        raise ReferralUnknown
    changes = await _locked(work, overseen)
    need = changes.need(referral_id)
    digest = need.referral.explanation
    candidates = (await routing.candidates(work, {digest}))[digest]
    available = (await routing.router(work)).directory.available
    chosen = _chosen(need, candidates, (await walls.around(work, [need])).open_to(need, available), agency_id)
    if chosen is None:
        raise NobodyToAsk
    asked = needs.ask(need, chosen, assignment_id=new_id(), limit=routing.answer_limit, now=work.now)
    changes.put(asked)
    changes.settled.add(referral_id)
    work.emit(telling.sent(asked, asked.attempts[-1]))
    await following.save(work, changes)


async def close_needs(work: Work, closings: Sequence[Closing]) -> list[Result]:
    """End needs that were not met; each takes its live attempt, its gap and its escalations with it."""
    overseen = await desk.find_overseen(work, [closing.referral_id for closing in closings])
    changes = await _locked(work, overseen)
    gaps: list[str] = []

    def close(need: Need, closing: Closing) -> Need:
        closed = needs.close(
            need,
            reason=closing.reason,
            by=work.actor.id,
            organisation=work.actor.organisation,
            personally=closing.personally and policy.may_answer_by_name(work.actor),
            version=closing.version,
            now=work.now,
        )
        if need.live is not None:
            work.emit(telling.ended_by_closing(closed, closed.attempt(need.live.assignment_id)))
        work.emit(telling.closed(closed))
        changes.settled.add(closing.referral_id)
        if need.referral.state == "unroutable":
            gaps.append(closing.referral_id)
        return closed

    results = _each(closings, overseen, changes, close)
    await following.save(work, changes)
    if gaps:
        await store.close_gaps(work, gaps)
    return results


async def reopen_needs(work: Work, reopenings: Sequence[Reopening], *, routing: Routing) -> list[Result]:
    """Open met or given-up needs again and ask at once; where nobody can be asked, they stay with the supervisor."""
    overseen = await desk.find_overseen(work, [reopening.referral_id for reopening in reopenings])
    changes = await _locked(work, overseen)
    candidates = await routing.candidates(work, {need.referral.explanation for need in changes.before.values()})
    available = (await routing.router(work)).directory.available
    walled = await walls.around(work, changes.before.values())

    def reopen(need: Need, reopening: Reopening) -> Need:
        reopened = needs.reopen(need, reason=reopening.reason, version=reopening.version, now=work.now)
        open_to = walled.open_to(need, available)
        chosen = _chosen(need, candidates[need.referral.explanation], open_to, reopening.agency_id)
        if chosen is None and reopening.agency_id is not None:
            raise NobodyToAsk
        work.emit(telling.reopened(reopened, reopening.reason))
        if chosen is None:
            changes.escalate(reopened, "no_candidate_left", need.attempts[-1] if need.attempts else None)
            return reopened
        asked = needs.ask(reopened, chosen, assignment_id=new_id(), limit=routing.answer_limit, now=work.now)
        walled.note(asked)
        work.emit(telling.sent(asked, asked.attempts[-1]))
        return asked

    results = _each(reopenings, overseen, changes, reopen)
    await following.save(work, changes)
    return results


async def _locked(work: Work, overseen: Mapping[str, str]) -> Changes:
    """Lock the cases of these referrals, then read their needs."""
    return await following.locked(work, {id_: (id_, case_id) for id_, case_id in overseen.items()})


def _each(
    items: Sequence[T], overseen: Mapping[str, str], changes: Changes, step: Callable[[Need, T], Need]
) -> list[Result]:
    """Take one step per item; one that is refused stops none of the others."""
    results: list[Result] = []
    for item in items:
        if item.referral_id not in overseen:
            results.append(ReferralUnknown())
            continue
        try:
            done = step(changes.need(item.referral_id), item)
        except Refused as refused:
            results.append(refused)
        else:
            changes.put(done)
            results.append(done)
    return results


def _chosen(
    need: Need, candidates: Sequence[Candidate], available: frozenset[str], agency_id: str | None
) -> Candidate | None:
    """The first candidate that may be asked, or the one that is wished for.

    Of a restricted need nobody outside the case team chooses: which agencies could be asked would say what it is.
    """
    if agency_id is not None and need.referral.restricted:
        return None
    for candidate in candidates:
        if candidate.agency_id in available and agency_id in (None, candidate.agency_id):
            return candidate
    return None
