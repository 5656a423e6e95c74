"""A need that passes on: from the agency that helps to another, or from one that was asked wrongly to the right one."""

from collections.abc import Mapping, Sequence

from services.referral.actions import pausing, staying, telling, walls
from services.referral.actions.answering import Answer, Result, each
from services.referral.actions.following import Changes
from services.referral.actions.routing import Routing
from services.referral.actions.staying import Watch
from services.referral.actions.walls import Walls
from services.referral.domain import needs, passing, pauses
from services.referral.domain.agencies import Directory
from services.referral.domain.needs import Need
from services.referral.domain.pauses import Pause
from services.referral.domain.refusals import NobodyToAsk, ReasonMissing
from services.referral.domain.routing import Candidate
from shared.kit.ids import new_id
from shared.kit.work import Work

FORWARDED_FOR = ("wrong_service", "outside_region")
"""Why an agency that was asked may name another one."""


async def transfer_assignments(work: Work, answers: Sequence[Answer], *, routing: Routing) -> list[Result]:
    """The helping agency asks another to take over; it keeps the need until that one has accepted."""
    choice = _Choice(work, routing)

    def transfer(need: Need, answer: Answer) -> Need:
        passing.expect_transferable(need, answer.assignment_id, version=answer.version)
        to = choice.of(need, answer.agency_id)
        asked = passing.transfer(
            need,
            answer.assignment_id,
            to,
            new_id=new_id(),
            times=routing.times,
            now=work.now,
        )
        choice.watch.expect(asked, answer.split)
        asked = choice.note(asked)
        work.emit(telling.sent(asked, asked.attempts[-1]))
        return asked

    return await each(work, answers, transfer, prepare=choice.prepare)


async def forward_assignments(work: Work, answers: Sequence[Answer], *, routing: Routing) -> list[Result]:
    """The agency that was asked is the wrong one and names the right one, which is asked next."""
    choice = _Choice(work, routing)
    paused: list[Pause] = []

    def forward(need: Need, answer: Answer) -> Need:
        if answer.reason not in FORWARDED_FOR:
            raise ReasonMissing
        declined, _ = needs.decline(
            need,
            answer.assignment_id,
            reason=answer.reason,
            side="AGENCY",
            by=work.actor.id,
            version=answer.version,
            now=work.now,
        )
        to = choice.of(declined, answer.agency_id)
        if declined.helping is not None:
            asked = passing.transfer(
                declined,
                declined.helping.assignment_id,
                to,
                new_id=new_id(),
                times=routing.times,
                now=work.now,
            )
        else:
            asked = needs.ask(declined, to, assignment_id=new_id(), times=routing.times, now=work.now)
        choice.watch.expect(asked, answer.split)
        attempt = declined.attempt(answer.assignment_id)
        until = pauses.until(answer.reason, None, now=work.now)
        if until is not None:
            paused.append(pausing.of(declined, attempt, until=until, now=work.now))
        work.emit(telling.declined(declined, attempt, passed_over_until=until, instead=to.agency_id))
        asked = choice.note(asked)
        work.emit(telling.sent(asked, asked.attempts[-1]))
        return asked

    async def follow(_: Changes) -> None:
        await pausing.begin(work, paused)

    return await each(work, answers, forward, prepare=choice.prepare, follow=follow)


def others(need: Need, candidates: Sequence[Candidate], directory: Directory) -> list[tuple[str, str]]:
    """Id and name of those near where help is due or where the person landed whom an agency may name instead of itself.

    Further away ones may be named by id.
    """
    near = {need.referral.province, *(c.agency_id.partition("-")[2][:2] for c in candidates), ""}
    found = [
        (agency.agency_id, agency.name)
        for agency in directory.agencies.values()
        if agency.agency_id in directory.available - need.tried
        and (agency.region or "")[:2] in near
        and passing.proposed(candidates, directory.agencies, agency.agency_id) is not None
    ]
    return sorted(found, key=lambda one: one[1])


class _Choice:
    """Whom an agency may name: of a kind that the rules ask, taking such referrals, and not asked before."""

    def __init__(self, work: Work, routing: Routing) -> None:
        self._work = work
        self._routing = routing
        self._candidates: Mapping[bytes, Sequence[Candidate]] = {}
        self._open: dict[str, frozenset[str]] = {}
        self._directory: Directory | None = None
        self._walled: Walls | None = None
        self.watch = Watch({}, {}, {})

    async def prepare(self, changes: Changes) -> None:
        """Read what the choices are made of; the cases are locked."""
        found = changes.before.values()
        self._candidates = await self._routing.candidates(self._work, {n.referral.explanation for n in found})
        self._directory = (await self._routing.router(self._work)).directory
        self._walled = await walls.around(self._work, found, self._routing, among=found)
        self.watch = await staying.watch(self._work, changes.households, changes.splits)
        for need in found:
            self._open[need.referral.need] = await self._routing.open_for(self._work, need.referral.need)

    def of(self, need: Need, agency_id: str | None) -> Candidate:
        """The named agency. Raises `NobodyToAsk`."""
        assert self._directory is not None
        assert self._walled is not None
        candidates = self._candidates[need.referral.explanation]
        chosen = passing.proposed(candidates, self._directory.agencies, agency_id or "")
        open_to = self._walled.open_to(need, self._open[need.referral.need])
        if chosen is None or chosen.agency_id not in open_to or chosen.agency_id in need.tried:
            raise NobodyToAsk
        return chosen

    def note(self, need: Need) -> Need:
        """The latest attempt is made now, in this work; answers the need with the place that it takes."""
        assert self._walled is not None
        return self._walled.note(need)
