"""The clocks go on, whatever becomes of one row."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import orjson
import pytest

from services.referral import clock
from services.referral.actions import answering, keeping, steering
from services.referral.actions.answering import Answer
from services.referral.clock import AGAIN_AFTER, Due
from services.referral.domain.assignments import Assignment
from shared.kit.actor import system
from shared.kit.database import connect
from tests.conftest import DatabaseUrls
from tests.referral.commands import by_agency
from tests.referral.conftest import PEOPLE, Desk
from tests.referral.factories import an_arrival

ELDERS = ("DINSOS-73.06", "DINSOS-73", "KEMENSOS")


async def decline(desk: Desk) -> None:
    """They come before a supervisor, who does not take them."""
    for row in await desk.rows("SELECT assignment_id::text AS id FROM assignments"):
        await desk.answer("decline", "DINSOS-73.06", Answer(row["id"], reason="person_refused"))


async def hold(desk: Desk) -> None:
    until = desk.clock.now() + timedelta(days=1)
    async with desk.database.work(PEOPLE["supervisor"], purpose="supervise") as work:
        for row in await desk.rows("SELECT referral_id::text AS id FROM referrals"):
            await steering.hold_needs(work, [steering.Hold(row["id"], "PERSON_ASKED_TO_WAIT", until)])


async def serve(desk: Desk) -> None:
    """Whoever serves them was away, so that there are gaps, and is back."""
    async with desk.database.work(system("referral", "test"), purpose="test") as work:
        await keeping.resume_agency(work, "DINSOS-73.06")


async def break_case(owner: asyncpg.Connection) -> str:
    """Let nothing more be told of one case. Only the owner can do such a thing."""
    case_id: str = await owner.fetchval("SELECT case_id::text FROM referrals ORDER BY referral_id LIMIT 1")
    await owner.execute(
        "CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken'; END $$;"
        "CREATE TRIGGER broken BEFORE INSERT ON journal FOR EACH ROW"
        f" WHEN (NEW.case_id = '{case_id}') EXECUTE FUNCTION break()"
    )
    return case_id


@dataclass(frozen=True)
class Kind:
    """What falls due of the need of each of nine people, and the first fact that it is told by."""

    turn: Callable[[Desk], Due[Any]]
    told: str
    need: str = "ELDER"
    away: Sequence[str] = ()
    before: Callable[[Desk], Awaitable[None]] | None = None


KINDS = {
    "chase": Kind(lambda desk: clock.chase(desk.database, desk.routing), "assignment_expired"),
    "climb": Kind(lambda desk: clock.climb(desk.database), "escalation_raised", before=decline),
    "resume": Kind(lambda desk: clock.resume(desk.database, desk.routing), "referral_resumed", before=hold),
    "reroute": Kind(lambda desk: clock.reroute(desk.database, desk.routing), "gap_closed", away=ELDERS, before=serve),
    "keep_the_law": Kind(lambda desk: clock.keep_the_law(desk.database), "referral_escalated", need="TIP"),
}


@pytest.mark.invariant("I186")
class TestOneRowThatFails:
    @pytest.mark.parametrize("name", KINDS)
    async def test_holds_up_nobody_else_and_is_tried_again_after_a_while(
        self, desk: Desk, database_urls: DatabaseUrls, capsys: pytest.CaptureFixture[str], name: str
    ) -> None:
        kind = KINDS[name]
        async with desk.database.work(system("referral", "test"), purpose="test") as work:
            for agency_id in kind.away:
                await keeping.suspend_agency(work, agency_id)
        await desk.open(*(an_arrival(kind.need) for _ in range(9)))
        if kind.before is not None:
            await kind.before(desk)
        owner = await asyncpg.connect(database_urls("referral").owner)
        broken = await break_case(owner)
        desk.clock.advance(timedelta(days=8))
        due = kind.turn(desk)
        known = await told_of(desk, kind.told)

        while await due():
            pass

        assert len(await told_of(desk, kind.told) - known) == 8
        assert broken not in await told_of(desk, kind.told) - known
        assert len(due.stuck) == 1
        [said] = [line for line in capsys.readouterr().out.splitlines() if "due_stuck" in line]
        assert name in said
        assert broken in said
        await owner.execute("DROP TRIGGER broken ON journal")
        await owner.close()
        assert await due() == 0

        desk.clock.advance(AGAIN_AFTER)
        while await due():
            pass

        assert broken in await told_of(desk, kind.told) - known
        assert due.stuck == []


async def told_of(desk: Desk, what: str) -> set[str]:
    """The cases of which this was told."""
    rows = await desk.rows("SELECT case_id::text FROM journal WHERE type = $1", f"referral.{what}.v1")
    return {row["case_id"] for row in rows}


async def test_trouble_that_goes_away_leaves_nothing_out(desk: Desk, database_urls: DatabaseUrls) -> None:
    await desk.open(an_arrival("ELDER"))
    desk.clock.advance(timedelta(hours=4))
    away = await connect(database_urls("referral").application, service="referral", clock=desk.clock)
    chase = clock.chase(away, desk.routing)
    await away.aclose()

    with pytest.raises(asyncpg.InterfaceError):
        await chase()

    assert chase.stuck == []


class TestTwoClocks:
    """An agency has an hour to open the need of an old person, and from then on three to decide."""

    async def test_who_has_not_opened_it_in_time_loses_it_and_the_fact_says_so(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        desk.clock.advance(timedelta(minutes=59))
        await desk.chase()
        assert await desk.attempts() == [(1, "DINSOS-73.06", "sent")]
        desk.clock.advance(timedelta(minutes=1))

        await desk.chase()

        assert (await desk.attempts())[0] == (1, "DINSOS-73.06", "expired")
        assert await causes(desk) == ["not_opened"]

    async def test_who_opens_it_late_in_that_hour_still_has_the_whole_time_to_decide(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        desk.clock.advance(timedelta(minutes=59))
        [opened] = await desk.answer("acknowledge", "DINSOS-73.06", Answer(await desk.live()))
        assert isinstance(opened, Assignment)
        assert opened.answer_due_at == desk.clock.now() + timedelta(hours=3)
        desk.clock.advance(timedelta(hours=2, minutes=59))
        await desk.chase()
        assert await desk.attempts() == [(1, "DINSOS-73.06", "acknowledged")]
        desk.clock.advance(timedelta(minutes=1))

        await desk.chase()

        assert await causes(desk) == ["not_decided"]

    async def test_opening_it_again_gives_no_more_time(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        [first] = await desk.answer("acknowledge", "DINSOS-73.06", Answer(await desk.live()))
        desk.clock.advance(timedelta(hours=1))

        assert await desk.answer("acknowledge", "DINSOS-73.06", Answer(await desk.live())) == [first]

    async def test_an_acceptance_that_is_undone_leaves_the_time_to_decide(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        await desk.answer("accept", "DINSOS-73.06", Answer(await desk.live()))
        accepted_at = desk.clock.now()
        desk.clock.advance(timedelta(seconds=9))

        [undone] = await by_agency(desk, "DINSOS-73.06", answering.undo_acceptances, Answer(await desk.live()))

        assert (undone.state, undone.answer_due_at) == ("acknowledged", accepted_at + timedelta(hours=3))


class TestReminders:
    async def test_tell_the_agency_once_of_each_deadline_and_void_nothing(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        first = await desk.live()
        for minutes in (44, 1, 1):
            desk.clock.advance(timedelta(minutes=minutes))
            await desk.chase()
        assert (await desk.told()).count("assignment_reminded") == 1

        [opened] = await desk.answer("acknowledge", "DINSOS-73.06", Answer(first, version=1))
        assert isinstance(opened, Assignment)
        for minutes in (134, 1, 1):
            desk.clock.advance(timedelta(minutes=minutes))
            await desk.chase()
        [taken] = await desk.answer("accept", "DINSOS-73.06", Answer(first, version=opened.version))

        assert isinstance(taken, Assignment)
        assert await clocks_told(desk) == ["acknowledge", "decide"]

    async def test_come_in_office_hours_and_of_the_most_urgent_at_any_hour(self, desk: Desk) -> None:
        """Eleven at night: the fifteen minutes of who is sick go by, and of an old person nobody is told."""
        desk.clock.advance(timedelta(hours=11))
        await desk.open(an_arrival("ELDER"), an_arrival("SICK"))
        desk.clock.advance(timedelta(minutes=12))

        await desk.chase()

        rows = await desk.rows(
            "SELECT need FROM assignments JOIN referrals USING (referral_id) WHERE reminded_at = $1", desk.clock.now()
        )
        assert [row["need"] for row in rows] == ["SICK"]

    async def test_are_found_by_an_index(self, desk: Desk) -> None:
        await desk.open(*(an_arrival("ELDER") for _ in range(3)))
        async with desk.database.work(system("referral", "clock"), purpose="chase") as work:
            await work.connection.execute("SET LOCAL enable_seqscan = off")
            plan = "\n".join(
                row[0]
                for row in await work.connection.fetch(
                    "EXPLAIN SELECT assignment_id FROM assignments a WHERE least(a.remind_at, a.due_at) <= now()"
                    " AND a.due_at IS NOT NULL AND a.overdue_told_at IS NULL ORDER BY least(a.remind_at, a.due_at)"
                )
            )

        assert "Index Scan using assignments_by_deadline" in plan
        assert "Sort" not in plan


async def clocks_told(desk: Desk) -> list[str]:
    """Of which deadlines agencies were reminded, as it was told."""
    rows = await desk.rows("SELECT payload FROM journal WHERE type = 'referral.assignment_reminded.v1'")
    return [orjson.loads(row["payload"])["data"]["clock"] for row in rows]


async def causes(desk: Desk) -> list[str]:
    """Which times were over, as it was told."""
    rows = await desk.rows("SELECT payload FROM journal WHERE type = 'referral.assignment_expired.v1'")
    return [orjson.loads(row["payload"])["data"]["cause"] for row in rows]
