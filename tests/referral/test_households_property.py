"""Whatever the order, whoever declines: nobody of a household is apart without a task that says why."""

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest

from services.referral import clock
from services.referral.actions import households, passing, staying
from services.referral.actions.answering import Answer
from services.referral.domain.households import who_is_apart
from shared.contracts.referral.households import SaidOfSplit
from shared.kit.actor import system
from shared.kit.heard import Heard
from shared.kit.ids import new_id
from tests.referral.conftest import PEOPLE, Desk, turn
from tests.referral.factories import an_agency
from tests.referral.test_households import a_change, a_family, hear, land

PEOPLE_OF: tuple[Any, ...] = (
    ("SICK", {}), ("PREG", "NEED", {}), ("NEED", {"sex": "M"}), ("TIP", {}), ("GBV", "NEED", {}),
    ("CHILD", "NEED", {"age_band": "child"}), ("UAC", "NEED", {"age_band": "child"}),
    ("ELDER", {"age_band": "elderly"}),
    ("WAGE", {"origin": "33.74"}), ("NEED", {"origin": None}), ("MENTAL", {"origin": "53.71"}),
)  # fmt: skip
STEPS = 14


async def unexplained(desk: Desk) -> list[str]:
    """Who is apart without a task that is open or was decided, with its reason."""
    async with desk.database.work(system("referral", "test"), purpose="test") as work:
        ids = [str(row["household_id"]) for row in await work.connection.fetch("SELECT household_id FROM households")]
        loaded = await staying.list_standing(work, ids)
        rows = await work.connection.fetch(
            "SELECT case_id::text, reason FROM reunifications WHERE closed_at IS NULL OR closed_as = 'decided'"
        )
    said = {row["case_id"] for row in rows if row["reason"]}
    return [one.case_id for some in loaded.values() for one in who_is_apart(some)[1] if one.case_id not in said]


async def dangling(desk: Desk) -> int:
    """Open tasks of who is together with the household by now: none may be left."""
    async with desk.database.work(system("referral", "test"), purpose="test") as work:
        ids = [str(row["household_id"]) for row in await work.connection.fetch("SELECT household_id FROM households")]
        loaded = await staying.list_standing(work, ids)
        apart: set[str] = set()
        live: set[str] = set()
        for some in loaded.values():
            lead, found = who_is_apart(some)
            apart |= {one.case_id for one in found}
            if lead is not None and lead.agency_id is not None:
                live |= {one.case_id for one in some if one.agency_id is not None}
        rows = await work.connection.fetch("SELECT case_id::text FROM reunifications WHERE closed_at IS NULL")
    return sum(row["case_id"] in live - apart for row in rows)


async def step(desk: Desk, draw: random.Random, family: list[Heard[Any]], home: str) -> None:
    """One thing that somebody does, or that time does."""
    live = await desk.rows(
        "SELECT a.assignment_id::text, a.agency_id, a.state FROM assignments a WHERE a.ended_at IS NULL"
        " ORDER BY a.assignment_id"
    )
    match draw.choice(("decline", "decline", "accept", "fail", "transfer", "wait", "decide", "part")):
        case "wait":
            desk.clock.advance(timedelta(hours=draw.choice((1, 5, 30))))
            await desk.chase()
            await turn(clock.climb_apart(desk.database))
        case "decide":
            async with desk.database.work(PEOPLE["supervisor"], purpose="supervise") as work:
                found = await households.list_tasks(work, limit=10)
                await households.decide(work, [households.Deciding(one.task_id, "safety") for one in found[:1]])
        case "part" if draw.random() < 0.3:
            one = draw.choice(family)
            await hear(desk, a_change(one, home, "parted"))
            if draw.random() < 0.5:
                await hear(desk, a_change(one, home))
        case verb if live:
            row = draw.choice(live)
            answer = Answer(row["assignment_id"])
            if verb == "decline":
                await desk.answer(
                    "decline", row["agency_id"], Answer(row["assignment_id"], reason="no_capacity", side="AGENCY")
                )
            elif verb == "accept":
                await desk.answer("accept", row["agency_id"], answer)
            elif verb == "fail":
                await desk.answer("fail", row["agency_id"], Answer(row["assignment_id"], outcome="NO_CAPACITY"))
            elif verb == "transfer":
                to = f"{row['agency_id'].partition('-')[0]}-{draw.choice(('73', '33', '65', '73.08', '33.74'))}"
                said: SaidOfSplit = draw.choice(("safety", "persons_wish"))
                away = Answer(row["assignment_id"], agency_id=to, split=said)
                async with desk.database.work(an_agency(row["agency_id"]), purpose="transfer") as work:
                    await passing.transfer_assignments(work, [away], routing=desk.routing)


@pytest.mark.parametrize("seed", range(12))
async def test_nobody_is_apart_without_a_task_that_says_why(desk: Desk, seed: int) -> None:
    draw = random.Random(seed)
    home = new_id()
    family = a_family(*draw.sample(PEOPLE_OF, draw.randint(2, 4)), household_id=home)
    draw.shuffle(family)
    if draw.random() < 0.5:
        await asyncio.gather(*(land(desk, one) for one in family))
    else:
        for one in family:
            await land(desk, one)
            assert await unexplained(desk) == []
    assert await unexplained(desk) == []
    for n in range(STEPS):
        await step(desk, draw, family, home)
        assert await unexplained(desk) == [], f"seed {seed}, step {n}"
        assert await dangling(desk) == 0, f"seed {seed}, step {n}"


@pytest.mark.parametrize("seed", range(4))
async def test_nor_when_all_act_at_the_same_moment(desk: Desk, seed: int) -> None:
    draw = random.Random(seed)
    family = a_family(*draw.sample(PEOPLE_OF, 4))
    await asyncio.gather(*(land(desk, one) for one in family))
    for _ in range(4):
        live = await desk.rows("SELECT assignment_id::text, agency_id FROM assignments WHERE ended_at IS NULL")
        await asyncio.gather(
            *(
                desk.answer(
                    "decline", row["agency_id"], Answer(row["assignment_id"], reason="no_capacity", side="AGENCY")
                )
                for row in live
            )
        )
        assert await unexplained(desk) == []
        assert await dangling(desk) == 0
