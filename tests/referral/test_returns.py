"""Whoever helps learns that somebody had returned before, and how often; which cases these were nobody learns."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.referral.consumers import subscribe
from shared.contracts.intake.arrivals import ArrivalEnteredInError, ArrivalRecorded
from shared.contracts.intake.matches import ReturnMatched, ReturnUnmatched
from shared.kit.actor import system
from shared.kit.heard import Heard
from shared.kit.ids import new_id
from shared.kit.inbox import Inbox
from shared.kit.short_codes import short_code
from tests.reading import said
from tests.referral.conftest import Desk, Site
from tests.referral.factories import START, an_arrival, an_erasure, heard
from tests.referral.test_consumers import hear
from tests.referral.test_glass import broken
from tests.referral.test_recipients import AGENCY, assignment
from tests.waiting import until

WAITING = (
    "SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()"
    " WHERE NOT l.granted"
)


def matched(later: str, earlier: str, match_id: str = "") -> Heard[ReturnMatched]:
    return heard(ReturnMatched(case_id=later, match_id=match_id or new_id(), earlier_case_id=earlier))


def unmatched(match: Heard[ReturnMatched]) -> Heard[ReturnUnmatched]:
    """The same decision, taken back."""
    return heard(ReturnUnmatched(**match.fact.model_dump(), reason="decided_in_error"))


def in_error(case_id: str) -> Heard[ArrivalEnteredInError]:
    """An arrival that was none."""
    fact = ArrivalEnteredInError(
        case_id=case_id, version=2, port="NNK", port_regency="65.03", origin_regency="73.06", sex="F",
        age_band="adult", needs=(), onward_wish="go_home", arrived_at=START, reason="never_arrived", duplicate_of=None,
    )  # fmt: skip
    return heard(fact)


@pytest.fixture
async def landings(desk: Desk) -> list[str]:
    """Three landings of one person, whom the social office in Gowa is asked to help at the last: case ids in order."""
    before = [new_id(), new_id()]
    arrival: Heard[ArrivalRecorded] = an_arrival("ELDER")
    await desk.open(arrival)
    return [*before, arrival.case_id]


async def known(desk: Desk, site: Site) -> int:
    """How many earlier landings the agency is told of."""
    count: int = (await site(AGENCY).get(f"/api/assignments/{await assignment(desk)}")).json()["earlier_landings"]
    return count


class TestReturned:
    async def test_before_is_told_to_the_agency_with_how_often_and_no_case(
        self, desk: Desk, site: Site, landings: list[str]
    ) -> None:
        one, two, three = landings
        assert await known(desk, site) == 0
        await hear(desk, matched(three, two), matched(two, one))

        case = await site(AGENCY).get(f"/api/assignments/{await assignment(desk)}")
        page = await site("worker").get(f"/id/rujukan/{await assignment(desk)}")
        english = await site("worker").get(f"/en/rujukan/{await assignment(desk)}")
        assert case.json()["earlier_landings"] == 2
        assert "2 kedatangan sebelumnya" in said(page)
        assert "pernah dipulangkan" in said(page)
        assert "2 earlier landings" in said(english)
        for told in (case.text, page.text):
            assert [word for word in (one, two, short_code(one), short_code(two)) if word in told] == []

    async def test_before_is_told_to_who_opens_the_case_in_an_emergency_and_to_who_oversees_it(
        self, desk: Desk, site: Site, landings: list[str]
    ) -> None:
        await hear(desk, matched(landings[2], landings[0]))
        [need] = await desk.rows("SELECT referral_id FROM referrals")

        assert "1 kedatangan sebelumnya" in said(
            await site("coordinator").get(await broken(site, "coordinator", short_code(landings[2])))
        )
        assert "1 kedatangan sebelumnya" in said(await site("gowa").get(f"/id/eskalasi/{need['referral_id']}/alasan"))

    async def test_is_counted_up_to_the_landing_that_is_looked_at(
        self, desk: Desk, site: Site, landings: list[str]
    ) -> None:
        later = new_id()
        await hear(desk, matched(landings[2], landings[0]), matched(later, landings[2]), matched(later, landings[0]))

        assert await known(desk, site) == 1

    async def test_is_counted_by_when_they_landed_whatever_the_clock_said_of_the_tablet_that_made_the_id(
        self, desk: Desk, site: Site
    ) -> None:
        later, earlier = new_id(), new_id()
        await desk.open(an_arrival("NEED", case_id=earlier, arrived_at=START - timedelta(days=90)))
        await desk.open(an_arrival("ELDER", case_id=later))

        await hear(desk, matched(later, earlier))

        [row] = await desk.rows(
            "SELECT a.assignment_id::text AS id FROM assignments a JOIN referrals r USING (referral_id)"
            " WHERE r.case_id = $1",
            later,
        )
        told = await site(AGENCY).get(f"/api/assignments/{row['id']}")
        assert told.json()["earlier_landings"] == 1

    async def test_is_nobody_else(self, desk: Desk, site: Site, landings: list[str]) -> None:
        await hear(desk, matched(landings[1], landings[0]))

        assert await known(desk, site) == 0

    async def test_is_taken_back_with_the_decision_and_comes_with_the_next(
        self, desk: Desk, site: Site, landings: list[str]
    ) -> None:
        match = matched(landings[2], landings[0])
        counts = []
        for one in (match, unmatched(match), matched(landings[2], landings[0], match.fact.match_id)):
            await hear(desk, one)
            counts.append(await known(desk, site))

        assert counts == [1, 0, 1]

    async def test_counts_what_was_said_last_of_one_batch(self, desk: Desk, site: Site, landings: list[str]) -> None:
        match = matched(landings[2], landings[0])
        await hear(desk, match, unmatched(match))

        assert await known(desk, site) == 0

    @pytest.mark.parametrize("heard_first", [True, False])
    async def test_leaves_out_a_landing_that_was_none(
        self, desk: Desk, site: Site, landings: list[str], heard_first: bool
    ) -> None:
        one, two, three = landings
        facts: list[Heard[Any]] = [matched(three, two), matched(two, one), in_error(two)]
        for fact in reversed(facts) if heard_first else facts:
            await hear(desk, fact)

        assert await known(desk, site) == 1, "who was one person stays so: the first landing counts"

    @pytest.mark.parametrize("erased_first", [True, False])
    async def test_is_forgotten_with_the_person(
        self, desk: Desk, site: Site, landings: list[str], erased_first: bool
    ) -> None:
        facts: list[Heard[Any]] = [matched(landings[2], landings[0]), an_erasure(landings[0])]
        for fact in reversed(facts) if erased_first else facts:
            await hear(desk, fact)

        assert await known(desk, site) == 0
        assert await desk.rows("SELECT FROM earlier_landings") == []

    async def test_is_forgotten_when_both_are_heard_at_once(self, desk: Desk, landings: list[str]) -> None:
        inbox = Inbox(desk.database)
        subscribe(inbox, desk.routing)
        async with desk.database.work(system("referral", "consumer"), purpose="hear") as work:
            await inbox.handle(work, [an_erasure(landings[0])])
            meanwhile = asyncio.create_task(hear(desk, matched(landings[2], landings[0])))

            async def is_heard_or_waits() -> bool:
                return meanwhile.done() or bool(await desk.rows(WAITING))

            await until(is_heard_or_waits)
        await meanwhile

        assert await desk.rows("SELECT FROM earlier_landings") == []
