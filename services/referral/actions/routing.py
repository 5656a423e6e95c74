"""Rules and directory as one process holds them between batches."""

from collections import OrderedDict
from collections.abc import Collection
from datetime import datetime, timedelta

from services.referral import rules
from services.referral.domain import calendars
from services.referral.domain.agencies import directory
from services.referral.domain.calendars import Calendar
from services.referral.domain.deadlines import Counting, Times
from services.referral.domain.needs import Need
from services.referral.domain.routing import Candidate, Terms
from services.referral.rules import Router, Rules
from services.referral.store import agencies, needs, pauses, places, rulesets
from shared.kit.work import Work

FRESH_FOR = timedelta(seconds=2)
"""How long a process may route by a directory that has just been changed."""
REMEMBERED = 20_000


class Routing:
    """The rules in force and a snapshot of the directory, looked after as time passes.

    `active`: what decides until a version is in force in the database. `answer_limit` caps the time an agency has to
    answer (for drills); None leaves it to the rules.
    """

    def __init__(self, active: Rules, *, answer_limit: timedelta | None = None) -> None:
        self.rules = active
        self.answer_limit = answer_limit
        self._router: Router | None = None
        self._looked_at: datetime | None = None
        self._candidates: OrderedDict[bytes, tuple[Candidate, ...]] = OrderedDict()
        self._paused: frozenset[tuple[str, str]] = frozenset()
        self._paused_at: datetime | None = None
        self._open: dict[str, frozenset[str]] = {}
        """By need, who takes referrals of it; of this directory and these pauses."""
        self._publishing: frozenset[str] = frozenset()
        self._published_at: datetime | None = None

    async def router(self, work: Work) -> Router:
        """The router for this work; reads rules and directory again when they have changed since."""
        router, looked_at = self._router, self._looked_at
        if router is not None and looked_at is not None and abs(work.now - looked_at) < FRESH_FOR:
            return router
        changed_at = await agencies.changed_at(work)
        active = await rulesets.find_active(work)
        if active is not None and active.version != self.rules.version:
            body = await rulesets.find_body(work, active.version)
            assert body is not None
            self.rules = rules.compiled(active.version, body)
        since = changed_at if active is None else max(changed_at, active.since)
        if router is None or router.rules is not self.rules or router.since != since:
            router = Router(self.rules, directory(await agencies.list_agencies(work), changed_at), since=since)
            self._open = {}
        self._router, self._looked_at = router, work.now
        return router

    async def open_for(self, work: Work, need: str) -> frozenset[str]:
        """The agencies that take referrals of this need now. The work acts as the service: pauses are the agencies'."""
        looked_at = self._paused_at
        if looked_at is None or abs(work.now - looked_at) >= FRESH_FOR:
            self._paused, self._paused_at = frozenset(await pauses.list_in_force(work)), work.now
            self._open = {}
        router = await self.router(work)  # last: others may have read the directory again meanwhile
        known = self._open.get(need)
        if known is None:
            paused = {agency_id for agency_id, of in self._paused if of == need}
            known = self._open[need] = router.directory.available - paused
        return known

    async def publishing(self, work: Work) -> frozenset[str]:
        """The agencies that publish how many places they have. As the service, as above."""
        looked_at = self._published_at
        if looked_at is None or abs(work.now - looked_at) >= FRESH_FOR:
            self._publishing, self._published_at = frozenset(await places.list_publishing(work)), work.now
        return self._publishing

    async def candidates(self, work: Work, digests: set[bytes]) -> dict[bytes, tuple[Candidate, ...]]:
        """The ranked candidates of stored decisions, from memory where they were read before."""
        unknown = sorted(digests - self._candidates.keys())
        if unknown:
            for digest, body in (await needs.find_explanations(work, unknown)).items():
                self._candidates[digest] = rules.read(body).candidates
        found = {digest: self._candidates[digest] for digest in digests}
        while len(self._candidates) > REMEMBERED:
            self._candidates.popitem(last=False)
        return found

    async def terms(self, work: Work, digests: set[bytes]) -> dict[bytes, Terms | None]:
        """The terms of stored decisions, which all candidates of one share; the directory's hours are known then."""
        await self.router(work)
        found = await self.candidates(work, digests)
        return {digest: candidates[0].terms if candidates else None for digest, candidates in found.items()}

    @property
    def times(self) -> Times:
        """How the hours of the rules become moments, by the directory as it was last read."""
        return Times(self.answer_limit, self._calendar_of)

    def _calendar_of(self, agency_id: str) -> Calendar | None:
        """The calendar of an office; None for one that the directory has no more."""
        found = None if self._router is None else self._router.directory.agencies.get(agency_id)
        return None if found is None else calendars.of(found)


async def counting_of(work: Work, found: Collection[Need], routing: Routing) -> dict[str, Counting]:
    """How the time of each attempt at these needs is counted, by attempt."""
    terms = await routing.terms(work, {need.referral.explanation for need in found})
    return {
        a.assignment_id: routing.times.of(a.agency_id, need.referral.need, terms[need.referral.explanation])
        for need in found
        for a in need.attempts
    }
