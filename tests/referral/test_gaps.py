"""The register of gaps: what nobody serves, how many, since when; and what happens when somebody does."""

from datetime import timedelta
from typing import Any

from services.referral.actions import keeping, looking
from shared.kit.actor import system
from tests.referral.conftest import PEOPLE, Desk
from tests.referral.factories import START, an_arrival

ELDERS = ("DINSOS-73.06", "DINSOS-73", "KEMENSOS")
SICK = ("DINKES-65.03", "DINKES-65", "DINKES-73.06", "DINKES-73", "KP2MI")


async def change(desk: Desk, act: Any, *agency_ids: str) -> None:
    async with desk.database.work(system("referral", "test"), purpose="test") as work:
        for agency_id in agency_ids:
            await act(work, agency_id)


async def register(desk: Desk, who: str) -> list[dict[str, Any]]:
    async with desk.database.work(PEOPLE[who], purpose="look") as work:
        return await looking.take_gaps(work)


async def test_tells_how_many_wait_where_for_what_since_when_and_of_few_nothing(desk: Desk) -> None:
    await change(desk, keeping.suspend_agency, *ELDERS)
    await desk.open(
        *(an_arrival("ELDER") for _ in range(17)), *(an_arrival("ELDER", age_band="child") for _ in range(3))
    )

    [line] = await register(desk, "coordinator")

    assert (line["province"], line["regency"], line["need"], line["total"]) == ("73", "73.06", "ELDER", 20)
    assert line["since"] == START.date()
    exact = await register(desk, "service")
    assert [(row["need"], row["total"]) for row in exact] == [("ELDER", 20)]


async def test_closes_itself_when_a_service_appears_the_most_urgent_and_then_the_oldest_first(desk: Desk) -> None:
    await change(desk, keeping.suspend_agency, *ELDERS, *SICK)
    for need in ("ELDER", "ELDER", "SICK"):
        await desk.open(an_arrival(need))
        desk.clock.advance(timedelta(minutes=1))
    waiting = await desk.rows("SELECT referral_id FROM referrals WHERE state = 'unroutable' ORDER BY opened_at")
    assert len(waiting) == 3
    await change(desk, keeping.resume_agency, "KEMENSOS", "KP2MI")

    await desk.reroute()

    told = await desk.rows("SELECT type, case_id FROM journal WHERE type = 'referral.gap_closed.v1' ORDER BY position")
    cases = {row["case_id"]: row["need"] for row in await desk.rows("SELECT case_id, need FROM referrals")}
    assert [cases[row["case_id"]] for row in told] == ["SICK", "ELDER", "ELDER"]
    opened = {row["case_id"]: row["opened_at"] for row in await desk.rows("SELECT case_id, opened_at FROM referrals")}
    assert opened[told[1]["case_id"]] < opened[told[2]["case_id"]]
    assert await register(desk, "service") == []
