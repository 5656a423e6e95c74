"""What a supervisor does about needs of the own region: ask an agency again, close a need with a reason, reopen it.

What a supervisor does about who is asked, and about needs that wait, is in `steering`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from services.referral import policy, rules
from services.referral.actions import choosing, following, staying, telling, walls
from services.referral.actions.choosing import Asking
from services.referral.actions.following import Changes
from services.referral.actions.routing import Routing
from services.referral.domain import corrections, needs
from services.referral.domain.assignments import Assignment
from services.referral.domain.consents import NOTHING_SAID, Consents
from services.referral.domain.needs import Need
from services.referral.domain.refusals import MoveNotAllowed, NobodyToAsk, ReferralUnknown, Refused
from services.referral.domain.routing import Decision
from services.referral.store import consents as book
from services.referral.store import desk, returns
from services.referral.store import escalations as ladder
from services.referral.store import needs as store
from services.referral.store.desk import Task
from shared.contracts.referral.households import SplitReason
from shared.kit.ids import new_id
from shared.kit.work import Work


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
    split: SplitReason | None = None
    """Why the household is parted by it, where it is."""


class About(Protocol):
    """One item of a list that is about a need."""

    @property
    def referral_id(self) -> str: ...


Result = Need | Refused
T = TypeVar("T", bound=About)


@dataclass(frozen=True, slots=True)
class Explained:
    """A need before a supervisor, with why; of a restricted one neither attempts nor decision.

    `unknown_year`: a year within the deadline that runs whose holidays are not all known.
    """

    task: Task
    attempts: Sequence[Assignment]
    decision: Decision | None
    unknown_year: int | None = None
    consents: Consents = NOTHING_SAID
    """What the person has said of handing the case on; of a restricted need nothing either."""
    earlier: int = 0
    """How often the person had landed before; of a restricted need nothing either."""


async def count_attempts(work: Work, tasks: Sequence[Task]) -> list[Task]:
    """These tasks, found in the actor's own scope, with what their attempts have come to."""
    await work.as_service()  # each attempt is its agency's own; of the latest one the supervisor learns how it stands
    attempts = await store.list_attempts(work, [task.referral_id for task in tasks])
    return [task.with_attempts(attempts.get(task.referral_id, [])) for task in tasks]


async def explain(work: Work, referral_id: str, *, routing: Routing) -> Explained:
    """Why a need of the actor's region, or of the country, went where it went. Raises `ReferralUnknown`."""
    everywhere = policy.answers_for_the_country(work.actor)
    if everywhere:
        await work.as_service()  # the whole country is nobody's region: policy has said who answers for it
    found = await desk.find_task(work, referral_id, everywhere=everywhere)
    if found is None:
        raise ReferralUnknown
    await work.as_service()  # as above; explanations are the service's
    await routing.router(work)
    attempts = (await store.list_attempts(work, [referral_id])).get(referral_id, [])
    task = found.with_attempts(attempts)
    if task.explanation is None:
        return Explained(task, [], None)
    decision = rules.read((await store.find_explanations(work, [task.explanation]))[task.explanation])
    consents = (await book.find_consents(work, [task.case_id]))[task.case_id]
    earlier = await returns.count_earlier(work, task.case_id)
    live = next((a for a in reversed(attempts) if a.is_live), None)
    if live is None:
        return Explained(task, attempts, decision, consents=consents, earlier=earlier)
    counting = routing.times.of(live.agency_id, decision.facts.need, decision.terms)
    return Explained(task, attempts, decision, counting.unknown_year(live, now=work.now), consents, earlier)


async def ask_again(
    work: Work,
    referral_id: str,
    *,
    agency_id: str | None,
    routing: Routing,
    version: int | None = None,
    split: SplitReason | None = None,
) -> None:
    """Ask an agency of the supervisor's choice among the candidates, else the first of them, once more.

    A person may choose an agency that is passed over. Raises `ReferralUnknown` outside the actor's region and duty,
    `VersionChanged`, `AttemptStillLive`, `NobodyToAsk`; without `split`, `SplitUnexplained` where it parts a household.
    """
    overseen = await desk.find_overseen(work, [referral_id])
    if not overseen and policy.answers_for_the_country(work.actor):
        await work.as_service()  # the whole country is nobody's region: policy has said who answers for it
        overseen = await ladder.find_national(work, [referral_id])
    if not overseen:
        raise ReferralUnknown
    changes = await locked(work, overseen)
    need = changes.need(referral_id)
    needs.expect(need, version)
    digest = need.referral.explanation
    candidates = (await routing.candidates(work, {digest}))[digest]
    available = (await routing.router(work)).directory.available
    walled = await walls.around(work, [need], routing, among=[need])
    chosen = choosing.chosen(need, candidates, walled.open_to(need, available), agency_id)
    if chosen is None:
        raise NobodyToAsk
    asked = needs.ask(need, chosen, assignment_id=new_id(), times=routing.times, now=work.now)
    if agency_id is not None:
        (await staying.watch(work, changes.households, changes.splits)).expect(asked, split)
    asked = walled.note(asked)
    changes.put(asked)
    changes.settled.add(referral_id)
    work.emit(telling.sent(asked, asked.attempts[-1]))
    await following.save(work, changes)


async def close_needs(work: Work, closings: Sequence[Closing]) -> list[Result]:
    """End needs that were not met; each takes its live attempt, its gap and its escalations with it."""
    overseen = await desk.find_overseen(work, [closing.referral_id for closing in closings])
    changes = await locked(work, overseen)
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
        choosing.tell_ends(work, need, closed)
        work.emit(telling.closed(closed))
        changes.settled.add(closing.referral_id)
        if need.referral.state == "unroutable":
            gaps.append(closing.referral_id)
        return closed

    results = each(closings, overseen, changes, close)
    await following.save(work, changes)
    if gaps:
        await store.close_gaps(work, gaps)
    return results


async def reopen_needs(work: Work, reopenings: Sequence[Reopening], *, routing: Routing) -> list[Result]:
    """Open met or given-up needs again and ask at once; where nobody can be asked, they stay with the supervisor.

    Of who has died nothing is opened again but that the remains come home.
    """
    overseen = await desk.find_overseen(work, [reopening.referral_id for reopening in reopenings])
    changes = await locked(work, overseen)
    asking = await Asking.of(work, changes, routing)
    dead = await store.list_dead(work, sorted(set(overseen.values())))

    def reopen(need: Need, reopening: Reopening) -> Need:
        r = need.referral
        if r.case_id in dead and r.need != corrections.OF_THE_DEAD:
            raise MoveNotAllowed("referral", r.state, "reopened", at=r.ended_at)
        reopened = needs.reopen(need, reason=reopening.reason, version=reopening.version, now=work.now)
        told = telling.reopened(reopened, reopening.reason)
        return asking.ask(reopened, reopening.agency_id, told, split=reopening.split)

    results = each(reopenings, overseen, changes, reopen)
    await following.save(work, changes)
    return results


async def locked(work: Work, overseen: Mapping[str, str]) -> Changes:
    """Lock the cases of these referrals, then read their needs."""
    return await following.locked(work, {id_: (id_, case_id) for id_, case_id in overseen.items()})


def each(
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
