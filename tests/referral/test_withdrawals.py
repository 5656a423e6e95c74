"""Whatever agencies, supervisors, clocks and replays do, in whatever order: a withdrawal reaches each past recipient.

It confirms within 3 x 24 hours, or who oversees it is told.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from datetime import timedelta
from itertools import count
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from services.referral import rules
from services.referral.actions import reaching
from services.referral.actions.routing import Routing
from services.referral.consumers import subscribe
from services.referral.domain.refusals import TaskUnknown
from shared.kit.actor import system
from shared.kit.clock import FixedClock
from shared.kit.database import connect
from shared.kit.heard import Heard
from shared.kit.ids import new_id
from shared.kit.inbox import Inbox
from tests.conftest import DatabaseUrls
from tests.referral.conftest import PEOPLE, Desk
from tests.referral.factories import START, a_consent, a_withdrawal, an_agency, an_erasure
from tests.soaking import examples

WITHIN = timedelta(hours=3 * 24)
AGENCIES = ("DINSOS-73.06", "DINSOS-73", "KEMENSOS", "CSO-UNION")

UNREACHED = """
SELECT FROM unnest($1::uuid[], $2::text[]) AS asked (cause, agency_id)
LEFT JOIN recipient_tasks t ON t.cause = asked.cause AND t.agency_id = asked.agency_id AND t.kind = 'withdrawal'
WHERE t.task_id IS NULL
"""
SILENT = """
SELECT FROM recipient_tasks WHERE settled_at IS NULL AND overdue_told_at IS NULL AND confirm_by <= $1
"""
LATE = "SELECT FROM recipient_tasks WHERE confirm_by > asked_at + interval '72 hours'"
TOLD = """
SELECT
    (SELECT count(*) FROM journal WHERE type = 'referral.withdrawal_confirmed.v1')
        - (SELECT count(*) FROM recipient_tasks WHERE kind = 'withdrawal' AND settled_at IS NOT NULL),
    (SELECT count(*) FROM journal WHERE type = 'referral.withdrawal_overdue.v1')
        - (SELECT count(*) FROM recipient_tasks WHERE kind = 'withdrawal' AND overdue_told_at IS NOT NULL)
"""


class Withdrawing(RuleBasedStateMachine):
    """Cases whose identity agencies had been shown, and what becomes of each copy."""

    def __init__(self, runner: asyncio.Runner, desk: Desk) -> None:
        super().__init__()
        self.runner = runner
        self.desk = desk
        self.cases = [new_id() for _ in range(3)]
        self.heard: list[Heard[Any]] = []
        self.asked: list[tuple[str, str]] = []
        """Cause and agency."""
        self.spoken = count(2)

    def run(self, *work: Coroutine[Any, Any, Any]) -> None:
        async def together() -> None:
            await asyncio.gather(*work)

        self.runner.run(together())

    async def hear(self, *heard: Heard[Any]) -> None:
        inbox = Inbox(self.desk.database)
        subscribe(inbox, self.desk.routing)
        async with self.desk.database.work(system("referral", "consumer"), purpose="hear") as work:
            if first := await work.first_sight_of("referral", list(heard)):
                await inbox.handle(work, first)

    def say(self, heard: Heard[Any], cause: str, recipients: tuple[str, ...]) -> None:
        self.heard.append(heard)
        self.asked += [(cause, agency) for agency in recipients]
        self.run(self.hear(heard))

    async def confirm(self, pick: int, *, wakes: bool) -> None:
        """One open task, by its agency, or, overdue, by who oversees it."""
        rows = await self.desk.rows("SELECT task_id::text, agency_id FROM recipient_tasks ORDER BY task_id")
        if not rows:
            return
        row = rows[pick % len(rows)]
        actor = an_agency(row["agency_id"], person=True) if not wakes else PEOPLE["dpo"]
        async with self.desk.database.work(actor, purpose="settle_copy") as work:
            if wakes:
                with suppress(TaskUnknown):
                    await reaching.confirm_for_agency(work, row["task_id"])
            else:
                await reaching.confirm_tasks(work, [row["task_id"]])

    @rule(
        pick=st.integers(0, 2),
        recipients=st.sets(st.sampled_from(AGENCIES)),
        to=st.sampled_from(["state", "civil_society"]),
    )
    def withdraw(self, pick: int, recipients: set[str], to: str) -> None:
        by = self.desk.clock.now() + WITHIN
        heard = a_withdrawal(self.cases[pick], *recipients, to=to, seq=next(self.spoken), confirm_by=by)
        self.say(heard, heard.fact.withdrawal_id, tuple(recipients))

    @rule(pick=st.integers(0, 2), recipients=st.sets(st.sampled_from(AGENCIES)))
    def refuse(self, pick: int, recipients: set[str]) -> None:
        by = self.desk.clock.now() + WITHIN
        heard = a_consent(
            self.cases[pick], given=False, seq=next(self.spoken), recipients=tuple(recipients), confirm_by=by
        )
        self.say(heard, heard.fact.consent_id, tuple(recipients))

    @rule(pick=st.integers(0, 2))
    def consent_anew(self, pick: int) -> None:
        self.run(self.hear(a_consent(self.cases[pick], seq=next(self.spoken))))

    @rule(pick=st.integers(0, 2), recipients=st.sets(st.sampled_from(AGENCIES), min_size=1))
    def erase(self, pick: int, recipients: set[str]) -> None:
        self.run(self.hear(an_erasure(self.cases[pick], *recipients)))

    @rule()
    def hear_again(self) -> None:
        self.run(*(self.hear(*self.heard[-3:]) for _ in range(2)))

    @rule(pick=st.integers(0, 20), twice=st.booleans())
    def an_agency_confirms(self, pick: int, twice: bool) -> None:
        self.run(*(self.confirm(pick, wakes=False) for _ in range(1 + twice)))

    @rule(pick=st.integers(0, 20))
    def who_oversees_confirms(self, pick: int) -> None:
        self.run(self.confirm(pick, wakes=True), self.confirm(pick + 1, wakes=False))

    @rule(hours=st.integers(1, 40))
    def time_passes(self, hours: int) -> None:
        self.desk.clock.advance(timedelta(hours=hours))
        self.run(self.desk.remind(), self.desk.remind())
        assert not self.rows(SILENT, self.desk.clock.now())

    def rows(self, statement: str, *arguments: Any) -> list[Any]:
        return self.runner.run(self.desk.rows(statement, *arguments))

    @invariant()
    def each_past_recipient_was_asked_and_has_three_days(self) -> None:
        causes, agencies = [cause for cause, _ in self.asked], [agency for _, agency in self.asked]
        assert not self.rows(UNREACHED, causes, agencies)
        assert not self.rows(LATE)

    @invariant()
    def what_was_confirmed_and_what_is_overdue_is_told_once(self) -> None:
        [row] = self.rows(TOLD)
        assert list(row) == [0, 0]


def test_each_withdrawal_leads_every_past_recipient_to_confirmed_or_escalated(database_urls: DatabaseUrls) -> None:
    with asyncio.Runner() as runner:
        clock = FixedClock(START)
        database = runner.run(connect(database_urls("referral").application, service="referral", clock=clock))
        desk = Desk(database, clock, Routing(rules.load(rules.latest())))
        try:
            run_state_machine_as_test(
                lambda: Withdrawing(runner, desk),  # type: ignore[arg-type]
                settings=settings(
                    max_examples=examples(15),
                    stateful_step_count=25,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(database.aclose())
