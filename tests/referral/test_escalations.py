"""The ladder: what nobody takes climbs, what was taken and does not move comes back; limits of the law."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.referral import clock
from services.referral.actions import escalating
from services.referral.actions.answering import Answer
from services.referral.domain import escalations, limits
from services.referral.domain.escalations import Escalation
from services.referral.domain.needs import Need
from services.referral.domain.refusals import AlreadyTaken, ReferralUnknown
from services.referral.store import limits as limiting
from shared.kit.actor import system
from tests.referral.conftest import PEOPLE, Desk, turn
from tests.referral.factories import START, a_need, an_arrival

HOUR = timedelta(hours=1)


def an_escalation(need: Need, reason: str = "person_refused") -> Escalation:
    return escalations.of(need, reason, escalation_id="e", assignment_id=None, limit=None, now=START)


class TestLadder:
    def test_climbs_to_the_province_and_the_country_when_nobody_takes_it(self) -> None:
        need, escalation, told = a_need(), an_escalation(a_need()), []
        for _ in range(4):
            escalation = escalations.fall_due(escalation, need, now=escalation.due_at)
            told.append((escalation.rung, escalation.supervisor))

        assert told == [("province", "supervisor-73"), *[("national", "coordinator")] * 3]

    def test_stands_while_its_clock_runs(self) -> None:
        escalation = an_escalation(a_need())

        assert escalations.fall_due(escalation, a_need(), now=START + 7 * HOUR) == escalation

    def test_comes_back_to_its_rung_from_who_took_it_and_did_not_move(self) -> None:
        taken = escalations.take(an_escalation(a_need()), a_need(), by="p", now=START)

        back = escalations.fall_due(taken, a_need(), now=taken.due_at)

        assert (back.rung, back.taken_by, back.taken_at) == ("agency_supervisor", None, None)
        assert back.due_at > taken.due_at

    @pytest.mark.invariant("I96")
    @pytest.mark.parametrize(
        ("who", "rung", "within"),
        [
            ({"age_band": "child"}, "province", 4 * HOUR),
            ({"restricted": True, "urgency": 3}, "province", 4 * HOUR),
            ({"urgency": 1}, "province", 4 * HOUR),
            ({"urgency": 2}, "agency_supervisor", 8 * HOUR),
        ],
    )
    def test_begins_where_nobody_sleeps_and_hurries_where_it_is_urgent(
        self, who: dict[str, Any], rung: str, within: timedelta
    ) -> None:
        need = a_need()
        begun = an_escalation(replace(need, referral=replace(need.referral, **who)))

        assert (begun.rung, begun.due_at - START) == (rung, within)

    async def test_of_what_is_most_urgent_by_the_rules_begins_before_the_province(self, desk: Desk) -> None:
        await desk.open(an_arrival("SICK"), an_arrival("WAGE"))
        rows = await desk.rows("SELECT assignment_id, agency_id FROM assignments")
        for row in rows:
            await desk.answer("decline", row["agency_id"], Answer(str(row["assignment_id"]), reason="person_refused"))

        begun = await desk.rows("SELECT r.need, e.rung FROM escalations e JOIN referrals r USING (referral_id)")

        assert {row["need"]: row["rung"] for row in begun} == {"SICK": "province", "WAGE": "agency_supervisor"}

    def test_is_taken_by_one(self) -> None:
        taken = escalations.take(an_escalation(a_need()), a_need(), by="p", now=START)

        assert escalations.take(taken, a_need(), by="p", now=START + HOUR) == taken
        with pytest.raises(AlreadyTaken) as refused:
            escalations.take(taken, a_need(), by="other", now=START)
        assert refused.value.taken_by == "p"


async def refused(desk: Desk) -> str:
    """A need before a supervisor."""
    await desk.open(an_arrival("ELDER"))
    await desk.answer("decline", "DINSOS-73.06", Answer(await desk.live(), reason="person_refused"))
    return await desk.referral()


async def climb(desk: Desk) -> int:
    return await turn(clock.climb(desk.database))


async def take(desk: Desk, who: str, referral_id: str) -> object:
    async with desk.database.work(PEOPLE[who], purpose="supervise") as work:
        [result] = await escalating.take_needs(work, [referral_id])
    return result


async def keep_the_law(desk: Desk) -> int:
    return await turn(clock.keep_the_law(desk.database))


async def standing(desk: Desk) -> list[tuple[object, ...]]:
    rows = await desk.rows("SELECT reason, rung, taken_by FROM escalations WHERE closed_at IS NULL ORDER BY reason")
    return [tuple(row) for row in rows]


class TestTaking:
    async def test_puts_a_name_to_it_and_on_the_trail(self, desk: Desk) -> None:
        referral_id = await refused(desk)

        result = await take(desk, "gowa", referral_id)

        assert isinstance(result, Need)
        assert await standing(desk) == [("person_refused", "agency_supervisor", "penyelia.7306")]
        assert (await desk.told())[-1] == "escalation_taken"

    async def test_of_two_the_second_learns_who_was_first(self, desk: Desk) -> None:
        referral_id = await refused(desk)
        await take(desk, "gowa", referral_id)

        assert isinstance(await take(desk, "supervisor", referral_id), AlreadyTaken)

    async def test_is_for_the_region(self, desk: Desk) -> None:
        referral_id = await refused(desk)

        assert isinstance(await take(desk, "makassar", referral_id), ReferralUnknown)
        assert isinstance(await take(desk, "coordinator", referral_id), ReferralUnknown)
        assert isinstance(await take(desk, "unplaced", referral_id), ReferralUnknown)

    async def test_is_for_the_country_once_it_has_climbed_so_far(self, desk: Desk) -> None:
        referral_id = await refused(desk)
        for _ in range(2):
            desk.clock.advance(16 * HOUR)
            await climb(desk)

        assert isinstance(await take(desk, "coordinator", referral_id), Need)


class TestNoTimeLimitNoChase:
    """The complaint: nobody follows up, and nobody notices."""

    async def test_what_nobody_takes_climbs_once_whatever_the_clocks_do(self, desk: Desk) -> None:
        await refused(desk)
        desk.clock.advance(9 * HOUR)
        await climb(desk)

        assert await climb(desk) == 0
        desk.clock.advance(-20 * HOUR)  # another process, whose clock goes behind
        assert await climb(desk) == 0
        assert await standing(desk) == [("person_refused", "province", None)]
        assert (await desk.told()).count("escalation_raised") == 1

    async def test_what_was_taken_and_does_not_move_comes_back(self, desk: Desk) -> None:
        referral_id = await refused(desk)
        await take(desk, "gowa", referral_id)
        desk.clock.advance(25 * HOUR)

        await climb(desk)

        assert await standing(desk) == [("person_refused", "agency_supervisor", None)]


class TestLimitsOfTheLaw:
    async def test_come_before_the_country_once_with_the_article(self, desk: Desk) -> None:
        await desk.open(an_arrival("TIP"))
        desk.clock.advance(timedelta(days=7))

        assert await keep_the_law(desk) == 1
        assert await keep_the_law(desk) == 0

        assert ("legal_limit", "national", None) in await standing(desk)
        [row] = await desk.rows("SELECT limit_code FROM escalations WHERE reason = 'legal_limit'")
        assert limits.BY_CODE[row["limit_code"]].article == "UU 21/2007 Pasal 52-53"

    async def test_are_met_by_what_the_law_asks_for_and_by_nothing_less(self, desk: Desk) -> None:
        await desk.open(an_arrival("TIP"), an_arrival("GBV"))
        rows = await desk.rows("SELECT assignment_id::text, agency_id FROM assignments")
        for assignment_id, agency_id in rows:
            await desk.answer("accept", agency_id, Answer(assignment_id))
        desk.clock.advance(timedelta(days=7))

        await keep_the_law(desk)

        [row] = await desk.rows("SELECT need FROM escalations JOIN referrals USING (referral_id)")
        assert row["need"] == "TIP"  # accepted, which is not yet help

    async def test_stay_before_the_country_until_the_need_ends(self, desk: Desk) -> None:
        await desk.open(an_arrival("TIP"))
        desk.clock.advance(timedelta(days=7))
        await keep_the_law(desk)
        [row] = await desk.rows("SELECT assignment_id::text, agency_id FROM assignments WHERE ended_at IS NULL")

        await desk.answer("accept", row["agency_id"], Answer(row["assignment_id"]))
        assert [reason for reason, *_ in await standing(desk)] == ["legal_limit"]
        await desk.answer("complete", row["agency_id"], Answer(row["assignment_id"], outcome="SERVICE_DELIVERED"))

        assert await standing(desk) == []

    async def test_a_clock_that_jumped_ahead_and_back_tells_nobody_twice(self, desk: Desk) -> None:
        await desk.open(an_arrival("TIP"))
        desk.clock.advance(timedelta(days=30))
        await keep_the_law(desk)
        desk.clock.advance(timedelta(days=-30))
        await desk.open(an_arrival("TIP"))
        desk.clock.advance(timedelta(days=8))

        await keep_the_law(desk)

        [row] = await desk.rows("SELECT count(*) AS n, count(DISTINCT referral_id) AS m FROM escalations")
        assert tuple(row) == (2, 2)

    async def test_of_a_year_ends_every_need_and_is_told_once(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"), an_arrival("ELDER", arrived_at=START + timedelta(days=1)))
        desk.clock.advance(timedelta(days=365))

        assert await keep_the_law(desk) == 1
        assert await keep_the_law(desk) == 0

        rows = await desk.rows("SELECT limit_code, arrived_at FROM escalations JOIN referrals USING (referral_id)")
        assert [tuple(row) for row in rows] == [("perban-6-2023", START)]

    async def test_are_found_by_indexes_of_what_is_live(self, desk: Desk) -> None:
        said: list[Any] = []
        async with desk.database.work(system("referral", "clock"), purpose="law") as work:
            work.connection.add_query_logger(said.append)
            await limiting.list_breached(work, 200, [])
            await asyncio.sleep(0)  # loggers are called by the loop
            [statement] = [one for one in said if "LATERAL" in one.query]
            await work.connection.execute("SET LOCAL enable_seqscan = off")
            rows = await work.connection.fetch(f"EXPLAIN {statement.query}", *statement.args)
        plan = [row[0].strip(" ->") for row in rows]

        scans = [line.partition(" on ")[0] for line in plan if re.search(r" on referrals r(_1)? ", line)]
        assert scans == ["Index Scan using live_needs_with_a_limit", "Index Scan using live_referrals"]

    def test_are_of_the_two_kinds_that_are_looked_for(self) -> None:
        assert {(limit.since, limit.until == "ended") for limit in limiting.OF_A_NEED} == {("opened", False)}
        assert {(limit.since, limit.until) for limit in limiting.OF_EVERY_NEED} == {("arrived", "ended")}

    def test_are_no_part_of_the_rules(self) -> None:
        need = a_need()

        assert [limit.code for limit in limits.of(need.referral.need)] == ["perban-6-2023"]
        assert limits.breached(need, now=START + timedelta(days=364)) == []
        assert len(limits.breached(need, now=START + timedelta(days=365))) == 1
