"""What is with whom, and what nobody serves: before the supervisor of a region, and the coordinator of the country."""

from datetime import timedelta

import pytest

from services.referral.actions import keeping
from services.referral.actions.answering import Answer
from services.referral.domain import figures
from services.referral.pages import watching
from services.referral.store import requests
from shared.kit.actor import system
from tests.reading import said
from tests.referral.conftest import PEOPLE, Desk, Site
from tests.referral.factories import START, an_arrival

ELDERS = ("DINSOS-73.06", "DINSOS-73.71", "DINSOS-73", "DINSOS-65.03", "DINSOS-65", "KEMENSOS")


class TestRequests:
    async def test_are_those_of_the_region_the_soonest_due_first(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("NOFAM"), an_arrival("ELDER"), an_arrival("ELDER", origin="32.04"))
        await desk.open(an_arrival("ELDER", origin="73.71"))

        province = (await site("supervisor").get("/api/requests")).json()["items"]
        gowa = (await site("gowa").get("/api/requests")).json()["items"]

        assert [(one["need"], one["agency_id"], one["clock"]) for one in province] == [
            ("ELDER", "DINSOS-73.06", "acknowledge"),
            ("ELDER", "DINSOS-73.71", "acknowledge"),
            ("NOFAM", "DINSOS-73.06", "acknowledge"),
        ]
        assert [(one["need"], one["regency"]) for one in gowa] == [("ELDER", "73.06"), ("NOFAM", "73.06")]

    async def test_leave_out_what_is_restricted_and_what_has_ended(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER", age_band="child"), an_arrival("TIP"), an_arrival("ELDER"))
        [row] = await desk.rows(
            "SELECT assignment_id::text AS id FROM assignments JOIN referrals USING (referral_id) WHERE NOT restricted"
        )
        await desk.answer("decline", "DINSOS-73.06", Answer(row["id"], reason="person_refused"))

        for path in ("/api/requests", "/api/requests?need=TIP", "/api/requests?need=ELDER&regency=73.06"):
            assert (await site("supervisor").get(path)).json()["items"] == []
        assert "Tidak ada permintaan seperti ini" in said(await site("supervisor").get("/id/permintaan"))

    async def test_that_are_restricted_and_late_are_told_in_one_line_without_what_they_are(
        self, desk: Desk, site: Site
    ) -> None:
        await desk.open(an_arrival("TIP"), an_arrival("ELDER", age_band="child"), an_arrival("TIP", origin="32.04"))
        assert (await site("gowa").get("/api/requests")).json()["restricted_overdue"] is None
        for row in await desk.rows("SELECT assignment_id::text AS id, agency_id FROM assignments"):
            await desk.answer("accept", row["agency_id"], Answer(row["id"]))
        desk.clock.advance(timedelta(days=40))
        await desk.chase()
        [late] = await desk.rows(
            "SELECT count(*) AS total, min(due_at) AS since FROM assignments a JOIN referrals r USING (referral_id)"
            " WHERE r.regency = '73.06' AND a.due_at IS NOT NULL"
        )

        told = {
            who: (await site(who).get(f"/api/requests?need={need}")).json()["restricted_overdue"]
            for who, need in (("gowa", "TIP"), ("supervisor", "WAGE"), ("makassar", "TIP"), ("coordinator", "TIP"))
        }
        page = said(await site("gowa").get("/id/permintaan"))

        assert late["total"] == 2
        exact = {"total": 2, "since": late["since"].isoformat()}
        # Three of the country are too few to be told.
        assert told == {"gowa": exact, "supervisor": exact, "makassar": None, "coordinator": None}
        assert "Permintaan terbatas yang terlambat: 2" in page
        assert "TPPO" not in page
        waiting = (await site("gowa").get("/api/tasks")).json()["items"]
        assert len([one for one in waiting if one["restricted"]]) == late["total"]

    async def test_are_found_by_need_state_and_regency_page_after_page(self, desk: Desk, site: Site) -> None:
        await desk.open(
            *(an_arrival("ELDER") for _ in range(3)), an_arrival("NOFAM"), an_arrival("ELDER", origin="73.71")
        )
        first = (await site("supervisor").get("/api/requests?limit=2")).json()
        rest = (await site("supervisor").get(f"/api/requests?after={first['next']}")).json()
        await desk.answer("accept", "DINSOS-73.06", Answer(first["items"][0]["assignment_id"]))

        found = {
            query: len((await site("supervisor").get(f"/api/requests?{query}")).json()["items"])
            for query in ("need=NOFAM", "state=accepted", "regency=73.71", "need=NOFAM&state=accepted")
        }

        assert len({one["assignment_id"] for one in (*first["items"], *rest["items"])}) == 5
        assert found == {"need=NOFAM": 1, "state=accepted": 1, "regency=73.71": 1, "need=NOFAM&state=accepted": 0}
        page = said(await site("supervisor").get("/id/permintaan?need=NOFAM&state=sent&regency=nonsense"))
        assert ("untuk membuka" in page, page.count("Kabupaten Gowa")) == (
            True,
            3,
        )  # in the choice, as the place and in the agency's name

    @pytest.mark.parametrize("path", ["/id/permintaan", "/id/kesenjangan"])
    async def test_are_for_who_answers_for_a_region_or_the_country(self, site: Site, path: str) -> None:
        answers = [await site(who).get(path) for who in ("worker", "dpo", "unplaced", "coordinator")]

        assert [answer.status_code for answer in answers] == [403, 403, 403, 200]

    async def test_are_those_of_the_country_before_a_coordinator_with_why(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"), an_arrival("ELDER", origin="32.04"), an_arrival("TIP"))

        found = (await site("coordinator").get("/api/requests")).json()["items"]
        west_java = (await site("coordinator").get("/api/requests?regency=32.04")).json()["items"]
        pages = [await site("coordinator").get(f"/id/eskalasi/{one['referral_id']}/alasan") for one in found]

        assert sorted(one["regency"] for one in found) == ["32.04", "73.06"]
        assert [one["regency"] for one in west_java] == ["32.04"]
        assert "Kabupaten Bandung" in said(await site("coordinator").get("/id/permintaan?regency=32.04"))
        assert all("Persetujuan untuk meneruskan kasus" in said(page) for page in pages)

    async def test_show_a_coordinator_of_a_restricted_need_only_that_it_is_there(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("TIP"))
        id_ = await desk.referral()

        why = (await site("coordinator").get(f"/api/referrals/{id_}/explanation")).json()
        page = said(await site("coordinator").get(f"/id/eskalasi/{id_}/alasan"))

        assert (why["restricted"], why["explanation"]) == (True, None)
        assert "Persetujuan untuk meneruskan kasus" not in page

    async def test_go_on_on_a_further_page(self, desk: Desk, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(watching, "PAGE_ROWS", 2)
        await desk.open(*(an_arrival("ELDER") for _ in range(3)))

        page = await site("supervisor").get("/id/permintaan")

        assert page.text.count("/alasan") == 2
        assert "after=" in page.text


class TestGaps:
    async def suspend(self, desk: Desk, *others: str) -> None:
        async with desk.database.work(system("referral", "test"), purpose="test") as work:
            for agency_id in (*ELDERS, *others):
                await keeping.suspend_agency(work, agency_id)
        desk.clock.advance(timedelta(seconds=2))

    async def test_are_counted_by_place_need_and_reason_the_oldest_first(self, desk: Desk, site: Site) -> None:
        await self.suspend(desk)
        await desk.open(an_arrival("ELDER", origin="73.71"))
        desk.clock.advance(timedelta(hours=1))
        await desk.open(an_arrival("ELDER"), an_arrival("ELDER"), an_arrival("ELDER", age_band="child"))

        page = said(await site("supervisor").get("/id/kesenjangan"))

        assert page.index("Kota Makassar") < page.index("Kabupaten Gowa")
        assert "Lanjut usia Kabupaten Gowa 2" in page
        assert "tidak menerima rujukan" in page
        assert page.count("terbatas") == 1
        assert "Kota Makassar" not in said(await site("gowa").get("/id/kesenjangan")).partition("Kesenjangan")[2]

    async def test_are_those_of_the_country_before_a_coordinator(self, desk: Desk, site: Site) -> None:
        await self.suspend(desk, "DINSOS-32.04", "DINSOS-32")
        await desk.open(an_arrival("ELDER"), an_arrival("ELDER", origin="32.04"), an_arrival("ELDER", age_band="child"))

        page = said(await site("coordinator").get("/id/kesenjangan"))
        gaps = (await site("coordinator").get("/api/gaps/open")).json()["items"]
        own = (await site("gowa").get("/api/gaps/open")).json()["items"]

        assert "Lanjut usia Jawa Barat Kabupaten Bandung 1" in page
        assert sorted((gap["need"] or "", gap["regency"] or "", gap["total"]) for gap in gaps) == [
            ("ELDER", "32.04", 1),
            ("ELDER", "73.06", 1),
        ]  # one restricted need of the country is too few to be told
        assert [gap["regency"] for gap in own if gap["need"]] == ["73.06"]

    def test_of_restricted_needs_are_told_to_a_coordinator_in_tens_or_not_at_all(self) -> None:
        """And since when to the day, after all others: the moment is that of one need."""
        own = {"need": "ELDER", "total": 1, "since": START}
        few, many = ({"need": None, "total": total, "since": START} for total in (24, 27))
        day = START.replace(hour=0, minute=0, second=0, microsecond=0)

        assert figures.published_register([few, own]) == [own]
        assert figures.published_register([many, own]) == [own, {"need": None, "total": 30, "since": day}]

    async def test_are_those_of_the_region_by_the_statement_itself(self, desk: Desk) -> None:
        await self.suspend(desk)
        await desk.open(an_arrival("ELDER"))

        found = []
        for who in ("gowa", "makassar"):
            async with desk.database.work(PEOPLE[who], purpose="look") as work:
                await work.as_service()
                found.append(len(await requests.list_gaps(work)))

        assert found == [1, 0]
