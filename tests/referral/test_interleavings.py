"""Whatever agencies, clocks and replays do in whatever order on a real database: nobody is lost, nobody wins twice."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from services.referral import clock as clocks
from services.referral import rules
from services.referral.actions import answering, asking, keeping, passing, pausing, steering, supervising
from services.referral.actions.answering import Answer
from services.referral.actions.asking import Reply
from services.referral.actions.routing import Routing
from services.referral.actions.steering import Error, Hold, Recall, Resumption
from services.referral.actions.supervising import Closing, Reopening
from services.referral.consumers import subscribe
from services.referral.domain import assignments, referrals
from services.referral.domain.questions import QUESTIONS
from services.referral.domain.refusals import Refused
from shared.kit.actor import system
from shared.kit.clock import FixedClock
from shared.kit.database import connect
from shared.kit.heard import Heard
from shared.kit.inbox import Inbox
from tests.conftest import DatabaseUrls
from tests.referral.commands import by_agency, by_officer, by_supervisor
from tests.referral.conftest import PEOPLE, Desk, turn
from tests.referral.factories import START, a_basis, a_consent, a_withdrawal, an_arrival

NEEDS = ("NEED", "ELDER", "SICK", "UAC", "WAGE")
AGENCIES = ("DINSOS-73.06", "DINSOS-73", "DINSOS-32.04", "DINKES-73")
VERBS: dict[str, tuple[Callable[..., Any], bool]] = {
    "acknowledge": (answering.acknowledge_assignments, True),
    "accept": (answering.accept_assignments, True),
    "undo": (answering.undo_acceptances, False),
    "waitlist": (answering.waitlist_assignments, True),
    "ask the port": (asking.ask_port, True),
    "decline": (answering.decline_assignments, True),
    "forward": (passing.forward_assignments, True),
    "start": (answering.start_services, False),
    "transfer": (passing.transfer_assignments, True),
    "complete": (answering.complete_assignments, False),
    "fail": (answering.fail_assignments, True),
}
"""What an agency says; whether that takes the rules."""
STEERING = ("recall", "find wrong", "hold", "resume", "close or reopen", "ask again", "lift")
words = st.sampled_from(["consent", "refuse", "withdraw", "name a law"])
classes = st.sampled_from(["state", "civil_society"])
verbs, steps, picks = st.sampled_from(sorted(VERBS)), st.sampled_from(STEERING), st.integers(0, 60)

LOST = """
SELECT r.referral_id FROM referrals r
WHERE r.state = 'open'
  AND NOT EXISTS (SELECT FROM assignments a WHERE a.referral_id = r.referral_id AND a.ended_at IS NULL)
  AND NOT EXISTS (SELECT FROM escalations e WHERE e.referral_id = r.referral_id AND e.closed_at IS NULL)
  OR r.state = 'unroutable'
  AND NOT EXISTS (SELECT FROM gaps g WHERE g.referral_id = r.referral_id AND g.closed_at IS NULL)
"""
TWO_LIVE = """
SELECT a.referral_id FROM assignments a JOIN assignments b USING (referral_id)
WHERE a.attempt < b.attempt AND a.ended_at IS NULL AND b.ended_at IS NULL
  AND NOT (a.state IN ('accepted', 'in_progress') AND b.transfer_of = a.assignment_id AND b.answered_at IS NULL)
"""
HELD_BUT_ASKED = """
SELECT r.referral_id FROM referrals r JOIN assignments a USING (referral_id)
WHERE r.state = 'on_hold' AND a.ended_at IS NULL
"""
QUESTION_LOST = """
SELECT FROM questions q FULL JOIN assignments a USING (question_id)
WHERE (q.question_id IS NOT NULL AND q.answered_at IS NULL AND q.closed_at IS NULL) <> (a.question_id IS NOT NULL)
"""
UNCONFIRMED = """
SELECT FROM assignments a LEFT JOIN cancellations c USING (assignment_id)
WHERE a.state = 'cancelled_by_sender' AND c.assignment_id IS NULL
"""
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
WITHOUT_GROUND = """
SELECT a.assignment_id FROM assignments a JOIN referrals r USING (referral_id)
CROSS JOIN LATERAL (SELECT CASE WHEN a.agency_id LIKE 'CSO-%' THEN 'civil_society' ELSE 'state' END AS class) of
LEFT JOIN LATERAL (
    SELECT c.kind FROM consents c WHERE c.case_id = r.case_id AND c.recipient_class = of.class
    AND c.kind IN ('given', 'refused', 'withdrawn') ORDER BY c.seq DESC LIMIT 1
) said ON TRUE
WHERE a.ended_at IS NULL
  AND CASE WHEN of.class = 'state' THEN r.age_band = 'adult' AND r.need IN ('ELDER', 'SICK', 'WAGE')
      AND said.kind IN ('refused', 'withdrawn') ELSE said.kind IS DISTINCT FROM 'given' END
  AND NOT EXISTS (SELECT FROM consents c WHERE c.case_id = r.case_id AND c.recipient_class = of.class
      AND c.kind = 'basis')
"""
"""Who is asked or helps though the person said no, or never yes, and no law decides."""
OVERDUE = """
SELECT FROM assignments WHERE due_at <= $1 AND overdue_told_at IS NULL
UNION ALL SELECT FROM referrals WHERE held_until <= $1
"""
TOLD = """
SELECT
    (SELECT count(*) FROM journal WHERE type = 'referral.referral_opened.v1') - (SELECT count(*) FROM referrals),
    (SELECT count(*) FROM journal WHERE type = 'referral.assignment_sent.v1') - (SELECT count(*) FROM assignments),
    (SELECT count(*) FROM journal WHERE type = 'referral.assignment_accepted.v1')
        - (SELECT count(*) FROM journal WHERE type = 'referral.acceptance_undone.v1')
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
    (SELECT count(*) FROM journal WHERE type = 'referral.assignment_transferred.v1')
        - (SELECT count(*) FROM assignments WHERE state = 'transferred'),
    (SELECT count(*) FROM journal WHERE type = 'referral.assignment_entered_in_error.v1')
        - (SELECT count(*) FROM assignments WHERE state = 'entered_in_error'),
    (SELECT count(*) FROM journal WHERE type = 'referral.question_asked.v1') - (SELECT count(*) FROM questions),
    (SELECT count(*) FROM journal WHERE type = 'referral.question_answered.v1')
        - (SELECT count(*) FROM questions WHERE answered_at IS NOT NULL),
    (SELECT count(*) FROM journal WHERE type = 'referral.pause_lifted.v1')
        - (SELECT count(*) FROM pauses WHERE lifted_at IS NOT NULL),
    (SELECT count(*) FROM journal WHERE type = 'referral.referral_escalated.v1') - (SELECT count(*) FROM escalations)
"""


class Referring(RuleBasedStateMachine):
    """One referral service, its agencies and its clocks."""

    def __init__(self, runner: asyncio.Runner, desk: Desk) -> None:
        super().__init__()
        self.runner = runner
        self.desk = desk
        self.heard: list[Heard[Any]] = []
        self.spoken = count(2)

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
            "SELECT assignment_id, agency_id FROM assignments ORDER BY assignment_id DESC LIMIT 3"
        )
        if not rows:
            return
        row = rows[pick % len(rows)]
        reasons, outcomes = sorted(assignments.DECLINE_SIDE), sorted(assignments.FAIL_EFFECT)
        answer = Answer(
            str(row["assignment_id"]),
            reason="outside_region" if verb == "forward" else reasons[pick % len(reasons)],
            outcome="SERVICE_DELIVERED" if verb == "complete" else outcomes[pick % len(outcomes)],
            until=self.desk.clock.now() + timedelta(days=1 + pick % 9) if verb == "waitlist" else None,
            agency_id=AGENCIES[pick % len(AGENCIES)],
            question=sorted(QUESTIONS)[pick % len(QUESTIONS)],
        )
        act, routed = VERBS[verb]
        await by_agency(self.desk, row["agency_id"] if right else "RSJ-11", act, answer, routed=routed)

    async def steer(self, step: str, pick: int, *, personally: bool = True) -> None:
        """What a supervisor does about one of the latest needs."""
        desk = self.desk
        if step == "lift":
            paused = await desk.rows("SELECT pause_id::text FROM pauses ORDER BY pause_id")
            await by_supervisor(desk, pausing.lift_pauses, *(row["pause_id"] for row in paused), routed=False)
            return
        rows = await desk.rows(
            "SELECT referral_id::text AS id, ended_at, (SELECT max(attempt) FROM assignments a"
            " WHERE a.referral_id = r.referral_id) AS attempt FROM referrals r ORDER BY referral_id DESC LIMIT 2"
        )
        if not rows:
            return
        row = rows[pick % len(rows)]
        id_, until = row["id"], desk.clock.now() + timedelta(hours=1 + pick)
        match step:
            case "recall":
                await by_supervisor(desk, steering.recall_assignments, Recall(id_, "NEW_FACTS"))
            case "find wrong":
                await by_supervisor(desk, steering.note_errors, Error(id_, row["attempt"] or 1))
            case "hold":
                await by_supervisor(
                    desk, steering.hold_needs, Hold(id_, "IN_HOSPITAL", until, personally), routed=False
                )
            case "resume":
                await by_supervisor(desk, steering.resume_needs, Resumption(id_))
            case "ask again":
                with suppress(Refused):
                    await self.ask_again(id_)
            case _ if row["ended_at"] is None:
                reasons = sorted(referrals.CLOSINGS)
                await desk.close(Closing(id_, reasons[pick % len(reasons)], personally=personally))
            case _:
                await desk.reopen(Reopening(id_, min(referrals.REOPENINGS)))

    async def ask_again(self, referral_id: str) -> None:
        async with self.desk.database.work(PEOPLE["supervisor"], purpose="supervise") as work:
            await supervising.ask_again(work, referral_id, agency_id=None, routing=self.desk.routing)

    async def reply(self, pick: int) -> None:
        """The port answers one question, however old."""
        rows = await self.desk.rows("SELECT question_id::text AS id, code FROM questions ORDER BY question_id DESC")
        if rows:
            row = rows[pick % len(rows)]
            await by_officer(self.desk, Reply(row["id"], QUESTIONS[row["code"]][0]))

    @rule(wanted=st.lists(st.sampled_from(NEEDS), min_size=1, max_size=3), child=st.booleans())
    def arrive(self, wanted: list[str], child: bool) -> None:
        arrival = an_arrival(*wanted, age_band="child" if child else "adult")
        self.heard.append(arrival)
        self.run(self.hear(arrival))

    @rule(n=st.integers(1, 5))
    def hear_again(self, n: int) -> None:
        self.run(*(self.hear(*self.heard[-n:]) for _ in range(2)))

    @rule(verb=verbs, pick=picks)
    def answer(self, verb: str, pick: int) -> None:
        self.run(self.act(verb, pick))

    @rule(verb=verbs, pick=picks)
    def meddle(self, verb: str, pick: int) -> None:
        self.run(self.act(verb, pick, right=False))

    @rule(some=st.lists(verbs, min_size=2, max_size=4), pick=picks)
    def all_at_once(self, some: list[str], pick: int) -> None:
        self.run(*(self.act(verb, pick) for verb in some), self.desk.chase(), self.reply(0))

    async def speak(self, what: str, to: str, pick: int) -> None:
        """What somebody of those who landed last says of handing the case on."""
        if not self.heard:
            return
        case_id, seq = self.heard[-1 - pick % min(3, len(self.heard))].case_id, next(self.spoken)
        said = {
            "consent": lambda: a_consent(case_id, to=to, seq=seq),
            "refuse": lambda: a_consent(case_id, given=False, to=to, seq=seq),
            "withdraw": lambda: a_withdrawal(case_id, to=to, seq=seq),
            "name a law": lambda: a_basis(case_id, to=to, seq=seq),
        }
        await self.hear(said[what]())

    @rule(what=words, to=classes, pick=picks)
    def somebody_says(self, what: str, to: str, pick: int) -> None:
        self.run(self.speak(what, to, pick))

    @rule(what=words, to=classes, verb=verbs, step=steps, pick=picks)
    def somebody_says_while_others_act(self, what: str, to: str, verb: str, step: str, pick: int) -> None:
        self.run(self.act(verb, pick), self.speak(what, to, 0), self.steer(step, pick), self.desk.chase())

    @rule(pick=picks)
    def a_port_answers(self, pick: int) -> None:
        self.run(self.reply(pick))

    @rule(step=steps, pick=picks, personally=st.booleans())
    def oversee(self, step: str, pick: int, personally: bool) -> None:
        self.run(self.steer(step, pick, personally=personally))

    @rule(some=st.lists(steps, min_size=1, max_size=2), verb=verbs, pick=picks)
    def oversee_while_others_act(self, some: list[str], verb: str, pick: int) -> None:
        self.run(*(self.steer(step, pick) for step in some), self.act(verb, pick), self.reply(0))

    @rule(minutes=st.integers(1, 3000))
    def time_passes(self, minutes: int) -> None:
        self.desk.clock.advance(timedelta(minutes=minutes))
        self.run(
            self.desk.chase(),
            self.desk.chase(),
            turn(clocks.resume(self.desk.database, self.desk.routing)),
            self.desk.remind(),
        )
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
        assert not self.rows(HELD_BUT_ASKED)
        assert not self.rows(QUESTION_LOST)
        assert not self.rows(UNCONFIRMED)
        assert not self.rows(WITHOUT_GROUND)
        assert not self.rows(ENDED_BUT_WAITING)
        assert not self.rows(WITHOUT_REFERRAL)
        assert not self.rows(WITHOUT_EXPLANATION)

    @invariant()
    def every_change_is_told_once(self) -> None:
        [row] = self.rows(TOLD)
        assert list(row) == [0] * len(row)


async def takes_referrals(desk: Desk, *agency_ids: str) -> None:
    """These organisations of civil society have agreed that requests come by themselves, where a person consents."""
    async with desk.database.work(system("referral", "test"), purpose="test") as work:
        for agency_id in agency_ids:
            await keeping.change_agency(work, agency_id, {"takes_referrals": True})


def interleave(database_urls: DatabaseUrls, *, examples: int, steps: int) -> None:
    with asyncio.Runner() as runner:
        clock = FixedClock(START)
        database = runner.run(connect(database_urls("referral").application, service="referral", clock=clock))
        desk = Desk(database, clock, Routing(rules.load(rules.latest())))
        runner.run(takes_referrals(desk, "CSO-FAITH", "CSO-HEALTH", "CSO-UNION", "CSO-CHILD", "CSO-VILLAGE"))
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
    interleave(database_urls, examples=20, steps=30)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_interleaving_loses_or_doubles_anybody_for_long(database_urls: DatabaseUrls) -> None:
    interleave(database_urls, examples=400, steps=60)
