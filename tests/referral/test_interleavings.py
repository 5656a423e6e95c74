"""Whatever agencies, clocks and replays do in whatever order on a real database: nobody is lost, nobody wins twice."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from services.referral import rules
from services.referral.actions.answering import Answer
from services.referral.actions.routing import Routing
from services.referral.actions.supervising import Closing, Reopening
from services.referral.consumers import subscribe
from services.referral.domain import assignments, referrals
from shared.kit.actor import system
from shared.kit.clock import FixedClock
from shared.kit.database import connect
from shared.kit.heard import Heard
from shared.kit.inbox import Inbox
from tests.conftest import DatabaseUrls
from tests.referral.conftest import Desk
from tests.referral.factories import START, an_arrival

NEEDS = ("NEED", "ELDER", "SICK", "UAC", "WAGE")
VERBS = ("acknowledge", "accept", "decline", "start", "complete", "fail")

LOST = """
SELECT r.referral_id FROM referrals r
WHERE r.state = 'open'
  AND NOT EXISTS (SELECT FROM assignments a WHERE a.referral_id = r.referral_id AND a.ended_at IS NULL)
  AND NOT EXISTS (SELECT FROM escalations e WHERE e.referral_id = r.referral_id AND e.closed_at IS NULL)
"""
TWO_LIVE = "SELECT referral_id FROM assignments WHERE ended_at IS NULL GROUP BY 1 HAVING count(*) > 1"
LIVE_BUT_ENDED = """
SELECT r.referral_id FROM referrals r JOIN assignments a USING (referral_id)
WHERE r.ended_at IS NOT NULL AND a.ended_at IS NULL
"""
ENDED_BUT_WAITING = """
SELECT r.referral_id FROM referrals r JOIN escalations e USING (referral_id)
WHERE r.ended_at IS NOT NULL AND e.closed_at IS NULL
"""
WITHOUT_REFERRAL = (
    "SELECT FROM assignments a WHERE NOT EXISTS (SELECT FROM referrals r WHERE r.referral_id = a.referral_id)"
)
WITHOUT_EXPLANATION = (
    "SELECT FROM referrals r WHERE NOT EXISTS (SELECT FROM explanations e WHERE e.digest = r.explanation)"
)
OVERDUE = "SELECT FROM assignments WHERE due_at <= $1 AND overdue_told_at IS NULL"
TOLD = """
SELECT
    (SELECT count(*) FROM journal WHERE type = 'referral.referral_opened.v1') - (SELECT count(*) FROM referrals),
    (SELECT count(*) FROM journal WHERE type = 'referral.assignment_sent.v1') - (SELECT count(*) FROM assignments),
    (SELECT count(*) FROM journal WHERE type = 'referral.assignment_accepted.v1')
        - (SELECT count(*) FROM assignments WHERE answered_at IS NOT NULL AND state <> 'declined'),
    (SELECT count(*) FROM journal WHERE type = 'referral.assignment_declined.v1')
        - (SELECT count(*) FROM assignments WHERE state = 'declined'),
    (SELECT count(*) FROM journal WHERE type = 'referral.assignment_expired.v1')
        - (SELECT count(*) FROM assignments WHERE state = 'expired'),
    (SELECT count(*) FROM journal WHERE type IN ('referral.referral_fulfilled.v1', 'referral.referral_closed.v1'))
        - (SELECT count(*) FROM journal WHERE type = 'referral.referral_reopened.v1')
        - (SELECT count(*) FROM referrals WHERE ended_at IS NOT NULL),
    (SELECT count(*) FROM journal WHERE type = 'referral.assignment_recalled.v1')
        - (SELECT count(*) FROM assignments WHERE state = 'recalled'),
    (SELECT count(*) FROM journal WHERE type = 'referral.assignment_cancelled.v1')
        - (SELECT count(*) FROM assignments WHERE state = 'cancelled_by_sender'),
    (SELECT count(*) FROM journal WHERE type = 'referral.referral_escalated.v1') - (SELECT count(*) FROM escalations)
"""


class Referring(RuleBasedStateMachine):
    """One referral service, its agencies and its clocks."""

    def __init__(self, runner: asyncio.Runner, desk: Desk) -> None:
        super().__init__()
        self.runner = runner
        self.desk = desk
        self.heard: list[Heard[Any]] = []

    def run(self, *work: Coroutine[Any, Any, Any]) -> None:
        async def together() -> None:
            await asyncio.gather(*work)

        self.runner.run(together())

    async def hear(self, *arrivals: Heard[Any]) -> None:
        """As the inbox hands events over: each has its effect once."""
        inbox = Inbox(self.desk.database)
        subscribe(inbox, self.desk.routing)
        async with self.desk.database.work(system("referral", "consumer"), purpose="hear") as work:
            if first := await work.first_sight_of("referral", list(arrivals)):
                await inbox.handle(work, first)

    async def act(self, verb: str, pick: int, *, right: bool = True) -> None:
        rows = await self.desk.rows(
            "SELECT assignment_id, agency_id FROM assignments ORDER BY assignment_id DESC LIMIT 8"
        )
        if not rows:
            return
        row = rows[pick % len(rows)]
        reasons, outcomes = sorted(assignments.DECLINE_SIDE), sorted(assignments.FAIL_EFFECT)
        answer = Answer(
            str(row["assignment_id"]),
            reason=reasons[pick % len(reasons)],
            outcome="SERVICE_DELIVERED" if verb == "complete" else outcomes[pick % len(outcomes)],
        )
        await self.desk.answer(verb, row["agency_id"] if right else "RSJ-11", answer)

    async def supervise(self, pick: int, *, personally: bool) -> None:
        """Close what is open and reopen what is closed."""
        rows = await self.desk.rows("SELECT referral_id, ended_at FROM referrals ORDER BY referral_id DESC LIMIT 4")
        if not rows:
            return
        row = rows[pick % len(rows)]
        referral_id = str(row["referral_id"])
        if row["ended_at"] is None:
            reasons = sorted(referrals.CLOSINGS)
            await self.desk.close(Closing(referral_id, reasons[pick % len(reasons)], personally=personally))
        else:
            await self.desk.reopen(Reopening(referral_id, min(referrals.REOPENINGS)))

    @rule(wanted=st.lists(st.sampled_from(NEEDS), min_size=1, max_size=3), child=st.booleans())
    def arrive(self, wanted: list[str], child: bool) -> None:
        arrival = an_arrival(*wanted, age_band="child" if child else "adult")
        self.heard.append(arrival)
        self.run(self.hear(arrival))

    @rule(n=st.integers(1, 5))
    def hear_again(self, n: int) -> None:
        self.run(*(self.hear(*self.heard[-n:]) for _ in range(2)))

    @rule(verb=st.sampled_from(VERBS), pick=st.integers(0, 60))
    def answer(self, verb: str, pick: int) -> None:
        self.run(self.act(verb, pick))

    @rule(verb=st.sampled_from(VERBS), pick=st.integers(0, 60))
    def meddle(self, verb: str, pick: int) -> None:
        self.run(self.act(verb, pick, right=False))

    @rule(verbs=st.lists(st.sampled_from(VERBS), min_size=2, max_size=4), pick=st.integers(0, 60))
    def all_at_once(self, verbs: list[str], pick: int) -> None:
        self.run(*(self.act(verb, pick) for verb in verbs), self.desk.chase())

    @rule(pick=st.integers(0, 60), personally=st.booleans())
    def oversee(self, pick: int, personally: bool) -> None:
        self.run(self.supervise(pick, personally=personally))

    @rule(verb=st.sampled_from(VERBS), pick=st.integers(0, 60))
    def oversee_while_others_act(self, verb: str, pick: int) -> None:
        self.run(self.supervise(pick, personally=True), self.act(verb, pick), self.supervise(pick, personally=True))

    @rule(minutes=st.integers(1, 3000))
    def time_passes(self, minutes: int) -> None:
        self.desk.clock.advance(timedelta(minutes=minutes))
        self.run(self.desk.chase(), self.desk.chase())
        assert not self.rows(OVERDUE, self.desk.clock.now())

    def rows(self, statement: str, *arguments: Any) -> list[Any]:
        return self.runner.run(self.desk.rows(statement, *arguments))

    @invariant()
    def nobody_is_lost(self) -> None:
        assert not self.rows(LOST)

    @invariant()
    def nobody_wins_twice_and_nothing_lives_on(self) -> None:
        assert not self.rows(TWO_LIVE)
        assert not self.rows(LIVE_BUT_ENDED)
        assert not self.rows(ENDED_BUT_WAITING)
        assert not self.rows(WITHOUT_REFERRAL)
        assert not self.rows(WITHOUT_EXPLANATION)

    @invariant()
    def every_change_is_told_once(self) -> None:
        [row] = self.rows(TOLD)
        assert list(row) == [0] * len(row)


def interleave(database_urls: DatabaseUrls, *, examples: int, steps: int) -> None:
    with asyncio.Runner() as runner:
        clock = FixedClock(START)
        database = runner.run(connect(database_urls("referral").application, service="referral", clock=clock))
        desk = Desk(database, clock, Routing(rules.load(rules.latest())))
        try:
            run_state_machine_as_test(
                lambda: Referring(runner, desk),  # type: ignore[arg-type]
                settings=settings(
                    max_examples=examples,
                    stateful_step_count=steps,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(database.aclose())


def test_no_interleaving_loses_or_doubles_anybody(database_urls: DatabaseUrls) -> None:
    interleave(database_urls, examples=10, steps=20)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_interleaving_loses_or_doubles_anybody_for_long(database_urls: DatabaseUrls) -> None:
    interleave(database_urls, examples=400, steps=60)
