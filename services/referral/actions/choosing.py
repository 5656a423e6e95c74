"""Whom to ask for a need that nobody is asked about, and telling those who were asked that this is over."""

from collections.abc import Mapping, Sequence

from services.referral.actions import staying, telling, walls
from services.referral.actions.following import Changes
from services.referral.actions.routing import Routing
from services.referral.actions.staying import Watch
from services.referral.actions.walls import Walls
from services.referral.domain import needs
from services.referral.domain.needs import Need
from services.referral.domain.refusals import NobodyToAsk
from services.referral.domain.routing import Candidate
from shared.contracts.fact import Fact
from shared.contracts.referral.households import SplitReason
from shared.kit.ids import new_id
from shared.kit.work import Work


class Asking:
    """Asks at once for needs that nobody is asked about any more, or leaves them with the supervisor."""

    def __init__(
        self,
        work: Work,
        changes: Changes,
        routing: Routing,
        candidates: Mapping[bytes, Sequence[Candidate]],
        available: frozenset[str],
        open_for: Mapping[str, frozenset[str]],
        walled: Walls,
        watch: Watch,
    ) -> None:
        self._work = work
        self._changes = changes
        self._routing = routing
        self._candidates = candidates
        self._available = available
        self._open_for = open_for
        self._walled = walled
        self._watch = watch

    @classmethod
    async def of(cls, work: Work, changes: Changes, routing: Routing) -> "Asking":
        """With all that the choice takes; the cases are locked."""
        found = changes.before.values()
        return cls(
            work,
            changes,
            routing,
            await routing.candidates(work, {need.referral.explanation for need in found}),
            (await routing.router(work)).directory.available,
            {n.referral.need: await routing.open_for(work, n.referral.need) for n in found},
            await walls.around(work, found, routing, among=found),
            await staying.watch(work, changes.households, changes.splits),
        )

    def ask(
        self,
        need: Need,
        agency_id: str | None,
        told: Fact,
        *,
        untried: bool = False,
        split: SplitReason | None = None,
    ) -> Need:
        """Ask the agency that is wished for, else the first in rank; then tell what led to it.

        `untried`: only who was not asked before. A person may wish for one that is passed over; `split`: and says why,
        where the household is parted by it. Raises `NobodyToAsk`, `SplitUnexplained`.
        """
        to: Candidate | None = None
        if need.live is None:
            available = self._available if agency_id else self._open_for[need.referral.need]
            open_to = self._walled.open_to(need, available) - (need.tried if untried else frozenset())
            to = chosen(need, self._candidates[need.referral.explanation], open_to, agency_id)
            if to is None and agency_id is not None:
                raise NobodyToAsk
            if to is not None and agency_id is not None:
                wished = needs.ask(need, to, assignment_id=new_id(), times=self._routing.times, now=self._work.now)
                self._watch.expect(wished, split)
        self._work.emit(told)
        if need.live is not None:
            return need
        if to is None:
            self._changes.escalate(need, "no_candidate_left", need.attempts[-1] if need.attempts else None)
            return need
        asked = needs.ask(need, to, assignment_id=new_id(), times=self._routing.times, now=self._work.now)
        asked = self._walled.note(asked)
        self._changes.settled.add(asked.referral.referral_id)
        self._work.emit(telling.sent(asked, asked.attempts[-1]))
        return asked


def chosen(
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


def tell_ends(work: Work, before: Need, after: Need) -> None:
    """Tell those who were asked or helped that their part has ended with the need."""
    for live in before.attempts:
        if live.is_live:
            work.emit(telling.ended_with_need(after, after.attempt(live.assignment_id)))
