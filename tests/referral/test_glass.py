"""Breaking the glass: one case, to read, for a time, on the trail; and somebody else who judges it."""

import re
from datetime import timedelta
from typing import Any

import asyncpg
import httpx2
import pytest

from shared.kit.short_codes import short_code
from tests.reading import said
from tests.referral.conftest import Desk, Site
from tests.referral.factories import a_consent, an_arrival
from tests.referral.forms import posted
from tests.referral.intake_server import IntakeServer
from tests.referral.test_consumers import hear

REASON = {"matter": "help", "reason": "danger_to_life", "reference": "NOTA/7/2026", "hours": "1"}


async def a_case(desk: Desk, *needs: str, **other: Any) -> str:
    """Somebody from Gowa with these needs; answers the case's number."""
    arrival = an_arrival(*needs, **other)
    await desk.open(arrival)
    return short_code(arrival.case_id)


async def break_glass(site: Site, actor: str, number: str, **other: str) -> httpx2.Response:
    return await posted(site, actor, "/id/darurat", number=number, **(REASON | other))


async def broken(site: Site, actor: str, number: str, **other: str) -> str:
    """The address of the case that was opened."""
    done = await break_glass(site, actor, number, **other)
    assert done.status_code == 303, said(done)
    return str(done.headers["location"])


async def judge(site: Site, actor: str, path: str, decision: str = "justified") -> int:
    return (await posted(site, actor, f"{path}/tinjauan", decision=decision)).status_code


class TestBreaking:
    async def test_shows_the_coded_case_with_need_and_attempts_and_not_who_it_is(
        self, desk: Desk, site: Site, intake: IntakeServer
    ) -> None:
        number = await a_case(desk, "TIP")

        path = await broken(site, "coordinator", number)
        page = said(await site("coordinator").get(path))

        assert "Korban terindikasi TPPO" in page
        assert "UPTD PPA Kabupaten Gowa" in page
        assert "Terbuka sampai 23 Nov 2026 11.00" in page
        assert "<form" not in (await site("coordinator").get(path)).text.partition("<main")[2].partition("</main")[0]
        assert intake.asked == []

    async def test_shows_what_the_person_said_of_handing_the_case_on(self, desk: Desk, site: Site) -> None:
        arrival = an_arrival("TIP")
        await hear(desk, arrival)
        path = await broken(site, "coordinator", short_code(arrival.case_id))
        before = said(await site("coordinator").get(path))
        await hear(desk, a_consent(arrival.case_id))
        after = said(await site("coordinator").get(path))

        assert "Instansi negara belum ditanyakan" in before
        assert "persetujuan diberikan" not in before
        assert "persetujuan diberikan, 23 Nov 2026" in after

    async def test_is_on_the_trail_with_each_look_and_on_no_topic_of_events(self, desk: Desk, site: Site) -> None:
        path = await broken(site, "coordinator", await a_case(desk, "TIP"))
        before = len(await desk.told())

        await site("coordinator").get(path)
        await site("coordinator").get(path)

        assert (await desk.told())[before - 1 :] == ["glass_broken", *["glass_looked_through"] * 2]
        assert not await desk.rows("SELECT FROM journal WHERE shared AND type LIKE '%glass%'")

    async def test_ends_by_itself(self, desk: Desk, site: Site) -> None:
        path = await broken(site, "coordinator", await a_case(desk, "TIP"), hours="4")

        desk.clock.advance(timedelta(hours=4))
        over = await site("coordinator").get(path)

        assert over.status_code == 410
        assert "TPPO" not in over.text

    async def test_opens_to_nobody_else(self, desk: Desk, site: Site) -> None:
        path = await broken(site, "coordinator", await a_case(desk, "TIP"))

        answers = {who: (await site(who).get(path)).status_code for who in ("supervisor", "worker", "dpo", "auditor")}

        assert answers == {"supervisor": 404, "worker": 403, "dpo": 403, "auditor": 403}

    @pytest.mark.parametrize("language", ["id", "en"])
    async def test_begins_with_a_form_that_knows_the_case_it_was_reached_from(
        self, desk: Desk, site: Site, language: str
    ) -> None:
        number = await a_case(desk, "TIP")
        path = await broken(site, "supervisor", number)

        page = await site("supervisor").get(f"/{language}/darurat?kasus={number}")
        forged = await site("supervisor").get(f"/{language}/darurat?kasus=Siti")

        assert f'value="{number}"' in page.text
        assert path.rpartition("/")[2] in page.text
        assert "Siti" not in said(forged)

    async def test_twice_is_one_opening(self, desk: Desk, site: Site) -> None:
        number = await a_case(desk, "TIP")

        assert await broken(site, "coordinator", number) == await broken(site, "coordinator", number, hours="4")

    async def test_leaves_police_matters_apart_from_protection(self, desk: Desk, site: Site) -> None:
        number = await a_case(desk, "TIP", "DRUG")

        helped = said(await site("coordinator").get(await broken(site, "coordinator", number)))
        custody = said(await site("coordinator").get(await broken(site, "coordinator", number, matter="custody")))

        assert ("TPPO" in helped, "narkotika" in helped.replace("Urusan kepolisian dan narkotika", "")) == (True, False)
        assert ("TPPO" in custody, "Penyalahguna narkotika" in custody) == (False, True)

    @pytest.mark.parametrize("who", ["worker", "dpo", "auditor", "ngo", "operator"])
    async def test_is_not_for(self, site: Site, who: str) -> None:
        assert (await break_glass(site, who, "0000-0000-0")).status_code == 403

    async def test_is_for_people_who_have_just_signed_in(self, desk: Desk, site: Site) -> None:
        number = await a_case(desk, "TIP")

        answer = await break_glass(site, "coordinator, long ago", number)

        assert "/darurat/" not in answer.headers.get("location", "")
        assert not await desk.rows("SELECT FROM glasses")

    async def test_of_another_region_or_by_a_system_or_of_none_looks_the_same(self, desk: Desk, site: Site) -> None:
        number = await a_case(desk, "TIP")
        asked = [("makassar", number), ("robot", number), ("unplaced", number), ("makassar", "ZZZZ-ZZZZ-F")]

        answers = [await break_glass(site, actor, typed) for actor, typed in asked]

        assert {answer.status_code for answer in answers} == {422}
        pages = {"".join(re.findall(r'<p class="problem".*?</p>', answer.text, re.DOTALL)) for answer in answers}
        assert len(pages) == 1
        denied = await desk.rows("SELECT FROM journal WHERE type = 'access.access_denied.v1'")
        assert len(denied) == len(asked)

    @pytest.mark.parametrize("field", ["number", "matter", "reason", "reference", "hours"])
    async def test_needs_every_answer(self, desk: Desk, site: Site, field: str) -> None:
        number = await a_case(desk, "TIP")

        answer = await posted(site, "coordinator", "/id/darurat", **({"number": number} | REASON | {field: "a name"}))

        assert answer.status_code == 422
        assert not await desk.rows("SELECT FROM glasses")

    async def test_the_database_itself_refuses_more_than_four_hours(self, desk: Desk, site: Site) -> None:
        await broken(site, "coordinator", await a_case(desk, "TIP"))

        with pytest.raises(asyncpg.CheckViolationError):
            await desk.rows("UPDATE glasses SET expires_at = expires_at + interval '4 hours'")


class TestReview:
    async def test_is_before_a_second_person_at_once_who_closes_it_by_judging(self, desk: Desk, site: Site) -> None:
        number = await a_case(desk, "TIP")
        path = await broken(site, "coordinator", number)

        waiting = said(await site("supervisor").get("/id/pengawasan"))
        status = await judge(site, "supervisor", path, "not_justified")

        assert (number in waiting, "koordinator" in waiting, "NOTA/7/2026" in waiting) == (True, True, True)
        assert "TPPO" not in waiting
        assert status == 303
        assert number not in said(await site("supervisor").get("/id/pengawasan"))
        [row] = await desk.rows("SELECT reviewed_by, decision FROM glasses")
        assert tuple(row) == ("penyelia.73", "not_justified")
        assert (await desk.told())[-1] == "glass_reviewed"
        assert await judge(site, "supervisor", path) == 404

    async def test_is_never_the_own(self, desk: Desk, site: Site) -> None:
        number = await a_case(desk, "TIP")
        path = await broken(site, "supervisor", number)

        assert number not in said(await site("supervisor").get("/id/pengawasan"))
        assert await judge(site, "supervisor", path) == 404
        # A supervisor's own deed in the own region is not for a colleague at the next desk either.
        assert await judge(site, "gowa", path) == 404
        assert number in said(await site("dpo").get("/id/pengawasan"))
        assert await judge(site, "dpo", path) == 303

    async def test_the_database_itself_refuses_to_be_judged_by_who_broke_it(self, desk: Desk, site: Site) -> None:
        await broken(site, "coordinator", await a_case(desk, "TIP"))

        with pytest.raises(asyncpg.CheckViolationError):
            await desk.rows("UPDATE glasses SET reviewed_by = broken_by, reviewed_at = now(), decision = 'justified'")

    async def test_is_not_for_other_regions_or_agencies_nor_systems(self, desk: Desk, site: Site) -> None:
        path = await broken(site, "coordinator", await a_case(desk, "TIP"))

        statuses = [await judge(site, who, path) for who in ("makassar", "worker", "coordinator", "robot", "dpo")]

        assert statuses == [404, 403, 403, 404, 404]

    async def test_that_does_not_come_escalates_to_the_protection_officer_and_is_counted(
        self, desk: Desk, site: Site
    ) -> None:
        path = await broken(site, "coordinator", await a_case(desk, "TIP"))
        assert await desk.remind() == 0
        desk.clock.advance(timedelta(hours=24))

        told = [await desk.remind(), await desk.remind()]
        page = said(await site("dpo").get("/id/pengawasan"))

        assert told == [1, 0]
        assert "glass_review_overdue" in await desk.told()
        assert "1 pembukaan tidak dinilai pada waktunya" in page
        assert (await site("service").get("/api/figures")).json()["totals"]["reviews_overdue"] == 1
        assert await judge(site, "dpo", path) == 303
        assert "tidak dinilai" not in said(await site("dpo").get("/id/pengawasan"))

    async def test_takes_a_decision(self, desk: Desk, site: Site) -> None:
        path = await broken(site, "coordinator", await a_case(desk, "TIP"))

        await judge(site, "supervisor", path, "whatever")

        assert await desk.rows("SELECT FROM glasses WHERE reviewed_at IS NULL")
