"""The clock goes on, whatever becomes of one assignment."""

from datetime import timedelta

import asyncpg
import orjson
import pytest

from services.referral.actions import answering
from services.referral.actions.answering import Answer
from services.referral.clock import Chase
from services.referral.domain.assignments import Assignment
from shared.kit.actor import system
from shared.kit.database import connect
from tests.conftest import DatabaseUrls
from tests.referral.commands import by_agency
from tests.referral.conftest import Desk
from tests.referral.factories import an_arrival


async def turn_until_idle(chase: Chase) -> None:
    while await chase():
        pass


async def test_one_assignment_that_cannot_be_chased_holds_up_nobody(desk: Desk, database_urls: DatabaseUrls) -> None:
    await desk.open(*(an_arrival("ELDER") for _ in range(9)))
    # Its explanation is gone, so nobody knows whom to ask next. Only the owner can do such a thing.
    owner = await asyncpg.connect(database_urls("referral").owner)
    broken = await owner.fetchval("SELECT referral_id FROM referrals ORDER BY referral_id LIMIT 1")
    await owner.execute("UPDATE referrals SET explanation = '\\x00' WHERE referral_id = $1", broken)
    await owner.close()
    desk.clock.advance(timedelta(hours=4))
    chase = Chase(desk.database, desk.routing)

    await turn_until_idle(chase)

    states = await desk.rows("SELECT referral_id, state FROM assignments WHERE attempt = 1")
    assert {str(row["referral_id"]) for row in states if row["state"] == "sent"} == {str(broken)}
    assert sum(row["state"] == "expired" for row in states) == 8
    assert len(chase.stuck) == 1


async def test_trouble_that_goes_away_leaves_nothing_out(desk: Desk, database_urls: DatabaseUrls) -> None:
    await desk.open(an_arrival("ELDER"))
    desk.clock.advance(timedelta(hours=4))
    away = await connect(database_urls("referral").application, service="referral", clock=desk.clock)
    chase = Chase(away, desk.routing)
    await away.aclose()

    with pytest.raises(asyncpg.InterfaceError):
        await chase()

    assert chase.stuck == set()


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
