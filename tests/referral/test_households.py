"""Members of a household are referred together, by the strictest need; whoever comes to be apart is somebody's task."""

import asyncio
from itertools import permutations
from typing import Any

import orjson
import pytest

from services.referral.actions import households
from services.referral.actions.answering import Answer
from services.referral.domain.households import meet, region_of
from shared.contracts.intake import HouseholdChanged
from shared.kit.actor import system
from shared.kit.heard import Heard
from shared.kit.ids import new_id
from tests.referral.conftest import Desk
from tests.referral.factories import an_arrival, heard

HOME = "73.06"


def a_family(*people: tuple[Any, ...], household_id: str | None = None) -> list[Heard[Any]]:
    """Arrivals of one household: needs and what else is said of each."""
    home = household_id or new_id()
    return [an_arrival(*needs, **{"household_id": home, **said}) for *needs, said in people]


def a_change(arrival: Heard[Any], household_id: str, change: str = "joined", *members: str) -> Heard[Any]:
    reason = "said_by_family" if change == "joined" else "family_parted"
    return heard(
        HouseholdChanged(
            case_id=arrival.case_id, household_id=household_id, change=change, reason=reason, members=members
        )
    )


async def hear(desk: Desk, *changes: Heard[Any]) -> None:
    async with desk.database.work(system("referral", "consumer"), purpose="hear") as work:
        await households.hear_households(work, changes, routing=desk.routing)


async def asked(desk: Desk, arrival: Heard[Any]) -> dict[str, str]:
    """The agency that each need of a case is with."""
    rows = await desk.rows(
        "SELECT r.need, a.agency_id FROM referrals r JOIN assignments a USING (referral_id)"
        " WHERE r.case_id = $1 AND a.ended_at IS NULL",
        arrival.case_id,
    )
    return {row["need"]: row["agency_id"] for row in rows}


async def attempt_of(desk: Desk, arrival: Heard[Any], need: str) -> tuple[str, str]:
    """Assignment and agency of the live attempt at a need."""
    [row] = await desk.rows(
        "SELECT a.assignment_id::text, a.agency_id FROM referrals r JOIN assignments a USING (referral_id)"
        " WHERE r.case_id = $1 AND r.need = $2 AND a.ended_at IS NULL",
        arrival.case_id,
        need,
    )
    return row["assignment_id"], row["agency_id"]


async def tasks(desk: Desk) -> list[tuple[str, str, str | None]]:
    """Case, reason and end of each task, in order."""
    rows = await desk.rows("SELECT case_id::text, reason, closed_as FROM reunifications ORDER BY opened_at, task_id")
    return [(row["case_id"], row["reason"], row["closed_as"]) for row in rows]


async def told(desk: Desk, kind: str) -> list[dict[str, Any]]:
    rows = await desk.rows("SELECT payload FROM journal WHERE type = $1 ORDER BY position", f"referral.{kind}.v1")
    return [orjson.loads(row["payload"])["data"] for row in rows]


class TestRegions:
    @pytest.mark.parametrize(
        ("one", "other", "together"),
        [
            ("DINSOS-73.06", "BP3MI-73", True),
            ("DINSOS-73.06", "DINSOS-73.06", True),
            ("DINSOS-73.06", "DINSOS-73.08", False),
            ("DINSOS-73.06", "DINSOS-65.03", False),
            ("BP3MI-65", "BP3MI-73", False),
            ("KEMENSOS", "DINSOS-73.06", True),
            ("CSO-CHILD", "BP3MI-65", True),
        ],
    )
    def test_meet_where_one_lies_in_the_other(self, one: str, other: str, together: bool) -> None:
        assert meet(region_of(one), region_of(other)) is together


class TestTogether:
    async def test_all_go_where_the_strictest_need_is(self, desk: Desk) -> None:
        mother, child = a_family(("SICK", {}), ("CHILD", "NEED", {"age_band": "child"}))
        await desk.open(mother, child)

        assert await asked(desk, mother) == {"SICK": "DINKES-65.03"}
        assert await asked(desk, child) == {"CHILD": "UPTDPPA-65.03", "NEED": "BP3MI-65"}
        assert await tasks(desk) == []

    async def test_whoever_comes_from_elsewhere_goes_home_with_the_family(self, desk: Desk) -> None:
        mother, father = a_family(("PREG", {}), ("NEED", {"origin": "33.74", "sex": "M"}))
        await desk.open(mother, father)

        assert await asked(desk, mother) == {"PREG": "DINKES-73.06"}
        assert await asked(desk, father) == {"NEED": "BP3MI-73"}
        [row] = await desk.rows("SELECT regency, province FROM referrals WHERE case_id = $1", father.case_id)
        assert tuple(row) == ("73.06", "73")

    async def test_whoever_travels_alone_goes_as_before(self, desk: Desk) -> None:
        alone = an_arrival("NEED", "CHILD", age_band="child")
        [single] = a_family(("NEED", "CHILD", {"age_band": "child"}))
        await desk.open(alone, single)

        assert await asked(desk, alone) == await asked(desk, single) == {"CHILD": "UPTDPPA-73.06", "NEED": "BP3MI-73"}

    @pytest.mark.parametrize("order", list(permutations(range(3))))
    async def test_in_whatever_order_they_are_heard_of(self, desk: Desk, order: tuple[int, ...]) -> None:
        family = a_family(("SICK", "NEED", {}), ("CHILD", "NEED", {"age_band": "child"}), ("NEED", {"origin": "33.74"}))
        for n in order:
            await desk.open(family[n])

        assert [await asked(desk, one) for one in family] == [
            {"SICK": "DINKES-65.03", "NEED": "BP3MI-65"},
            {"CHILD": "UPTDPPA-65.03", "NEED": "BP3MI-65"},
            {"NEED": "BP3MI-65"},
        ]
        assert await tasks(desk) == []

    async def test_at_the_same_moment_too(self, desk: Desk) -> None:
        family = a_family(("SICK", {}), *((("CHILD", {"age_band": "child"}),) * 3))
        await asyncio.gather(*(desk.open(one) for one in family))

        assert [set((await asked(desk, one)).values()) for one in family[1:]] == [{"UPTDPPA-65.03"}] * 3
        assert await tasks(desk) == []

    async def test_the_same_office_is_asked_where_it_serves_both(self, desk: Desk) -> None:
        old, ill = a_family(("ELDER", {"age_band": "elderly"}), ("MENTAL", {}))
        await desk.open(old, ill)
        before = await asked(desk, ill)
        assert before == {"MENTAL": "DINKES-73.06"}
        other, pregnant = a_family(("PWD", {}), ("NOFAM", {}))
        await desk.open(other, pregnant)
        assert set((await asked(desk, other)).values()) == set((await asked(desk, pregnant)).values())

    async def test_linked_later_by_hand_they_are_brought_together(self, desk: Desk) -> None:
        mother, child = an_arrival("SICK"), an_arrival("CHILD", age_band="child")
        await desk.open(mother, child)
        assert await asked(desk, child) == {"CHILD": "UPTDPPA-73.06"}
        home = new_id()
        await hear(desk, a_change(mother, home), a_change(child, home, "joined", mother.case_id))

        assert await asked(desk, child) == {"CHILD": "UPTDPPA-65.03"}
        [recalled] = await told(desk, "assignment_recalled")
        assert (recalled["case_id"], recalled["reason"]) == (child.case_id, "NEW_FACTS")

    async def test_who_is_helped_already_stays_and_is_somebodys_task(self, desk: Desk) -> None:
        mother, child = an_arrival("SICK"), an_arrival("CHILD", age_band="child")
        await desk.open(mother, child)
        assignment_id, agency_id = await attempt_of(desk, child, "CHILD")
        await desk.answer("accept", agency_id, Answer(assignment_id))
        home = new_id()
        await hear(desk, a_change(mother, home), a_change(child, home))

        assert await asked(desk, child) == {"CHILD": "UPTDPPA-73.06"}
        assert await tasks(desk) == [(child.case_id, "helped_before", None)]
        await hear(desk, a_change(child, home, "parted"))
        assert await tasks(desk) == [(child.case_id, "helped_before", "parted")]
