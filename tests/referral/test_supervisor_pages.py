"""The supervisor's pages, by plain forms: what nobody answered, what to do about it, what was closed."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest

from services.referral.actions import keeping
from services.referral.actions.answering import Answer
from services.referral.actions.supervising import Closing
from services.referral.pages import supervision
from shared.kit.actor import system
from tests.reading import hidden, said
from tests.referral.conftest import Desk, Site
from tests.referral.factories import an_arrival
from tests.referral.forms import posted


class TestSupervisor:
    async def exhausted(self, desk: Desk, **person: Any) -> None:
        await desk.open(an_arrival("ELDER", **person))
        for _ in range(3):
            desk.clock.advance(timedelta(hours=20))
            await desk.chase()

    async def test_sees_what_nobody_answered_and_asks_again(self, desk: Desk, site: Site) -> None:
        await self.exhausted(desk)
        page = await site("supervisor").get("/id/eskalasi")
        assert "Tidak ada lagi yang dapat diminta" in said(page)
        assert "Lanjut usia" in said(page)
        [path] = re.findall(r'action="(/id/eskalasi/[^"]+/minta)"', page.text)

        await posted(site, "supervisor", path, agency="DINSOS-73")

        assert (await desk.attempts())[-1] == (4, "DINSOS-73", "sent")
        assert "Tidak ada yang menunggu Anda" in said(await site("supervisor").get("/id/eskalasi"))

    async def test_does_not_see_the_need_of_a_child(self, desk: Desk, site: Site) -> None:
        await self.exhausted(desk, age_band="child")

        page = said(await site("supervisor").get("/id/eskalasi"))

        assert "Kebutuhan terbatas" in page
        assert "Lanjut usia" not in page
        assert "Dinas Sosial" not in page

    async def test_has_a_child_that_nobody_serves_once_on_the_list_and_nobody_to_ask(
        self, desk: Desk, site: Site
    ) -> None:
        async with desk.database.work(system("referral", "test"), purpose="test") as work:
            for agency_id in ("BP3MI-73", "DISNAKER-73.06", "DISNAKER-73", "KP2MI"):
                await keeping.suspend_agency(work, agency_id)
        await desk.open(an_arrival("NEED", age_band="child"))

        page = await site("supervisor").get("/id/eskalasi")

        assert len(re.findall(r"<h2>[0-9A-Z]{4}-[0-9A-Z]{4}-", page.text)) == 1
        assert "Tidak ada yang melayani ini di sana" in said(page)
        assert "Minta lagi" not in said(page)

    async def test_sees_nothing_of_another_province(self, desk: Desk, site: Site) -> None:
        await self.exhausted(desk, origin="53.01")
        [row] = await desk.rows("SELECT referral_id FROM referrals")

        assert "Tidak ada yang menunggu Anda" in said(await site("supervisor").get("/id/eskalasi"))
        answer = await posted(site, "supervisor", f"/id/eskalasi/{row['referral_id']}/minta")
        assert answer.status_code == 404

    async def test_of_a_regency_acts_for_that_regency_alone(self, desk: Desk, site: Site) -> None:
        await self.exhausted(desk)
        page = await site("gowa").get("/id/eskalasi")
        assert "Kabupaten Gowa" in said(page)
        [path] = re.findall(r'action="(/id/eskalasi/[^"]+/minta)"', page.text)

        assert "Tidak ada yang menunggu Anda" in said(await site("makassar").get("/id/eskalasi"))
        assert (await posted(site, "makassar", path)).status_code == 404
        assert (await posted(site, "gowa", path)).status_code == 303

        assert (await desk.attempts())[-1] == (4, "DINSOS-73.06", "sent")

    async def test_without_a_region_oversees_nothing(self, desk: Desk, site: Site) -> None:
        await self.exhausted(desk)
        [row] = await desk.rows("SELECT referral_id FROM referrals")

        answers = [
            await site("unplaced").get("/id/eskalasi"),
            await posted(site, "unplaced", f"/id/eskalasi/{row['referral_id']}/minta"),
        ]

        assert [answer.status_code for answer in answers] == [403, 403]

    async def test_closes_a_need_with_a_reason_and_opens_it_again(self, desk: Desk, site: Site) -> None:
        await self.exhausted(desk)
        [closing] = re.findall(
            r'href="(/id/eskalasi/[^"]+/tutup)"', (await site("supervisor").get("/id/eskalasi")).text
        )
        form = await site("supervisor").get(closing)

        done = await posted(site, "supervisor", closing, reason="DECEASED", version=hidden(form, "version"))
        assert "Kebutuhan ditutup." in said(await site("supervisor").get(done.headers["location"]))

        closed = await site("supervisor").get("/id/eskalasi/ditutup")
        assert "Orang meninggal dunia" in said(closed)
        [reopening] = re.findall(r'href="(/id/eskalasi/[^"]+/buka)"', closed.text)
        form = await site("supervisor").get(reopening)
        done = await posted(
            site,
            "supervisor",
            reopening,
            reason="CLOSED_IN_ERROR",
            agency="DINSOS-73",
            version=hidden(form, "version"),
        )
        assert done.status_code == 303
        assert (await desk.attempts())[-1] == (4, "DINSOS-73", "sent")

    async def test_wants_a_reason_to_close_and_to_open_again(self, desk: Desk, site: Site) -> None:
        await self.exhausted(desk)
        path = f"/id/eskalasi/{await desk.referral()}"

        answers = [await posted(site, "supervisor", f"{path}/{verb}") for verb in ("tutup", "buka")]

        assert [answer.status_code for answer in answers] == [422, 422]
        assert all("Pilih alasannya." in said(answer) for answer in answers)

    async def test_answers_by_name_for_closing_a_childs_need(self, desk: Desk, site: Site) -> None:
        await self.exhausted(desk, age_band="child")
        path = f"/id/eskalasi/{await desk.referral()}/tutup"

        refused = await posted(site, "supervisor", path, reason="PERSON_LEFT")
        assert refused.status_code == 422
        assert "Nyatakan bahwa Anda bertanggung jawab" in said(refused)
        assert "Lanjut usia" not in said(refused)
        done = await posted(site, "supervisor", path, reason="PERSON_LEFT", personally="1")

        assert done.status_code == 303
        [row] = await desk.rows("SELECT state, closed_by FROM referrals")
        assert tuple(row) == ("unfulfilled", "penyelia.73")

    async def test_does_not_close_what_somebody_has_taken_since(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))
        path = f"/id/eskalasi/{await desk.referral()}/tutup"
        seen = hidden(await site("supervisor").get(path), "version")
        await desk.answer("accept", "DINSOS-73.06", Answer(await desk.live()))

        answer = await posted(site, "supervisor", path, reason="PERSON_LEFT", version=seen)

        assert answer.status_code == 409
        assert await desk.attempts() == [(1, "DINSOS-73.06", "accepted")]

    async def test_sees_what_can_be_closed_only_at_home(self, desk: Desk, site: Site) -> None:
        await self.exhausted(desk)
        path = f"/id/eskalasi/{await desk.referral()}"

        for verb, reason in (("tutup", "DECEASED"), ("buka", "NEED_REMAINS")):
            assert (await site("makassar").get(f"{path}/{verb}")).status_code == 404
            assert (await posted(site, "makassar", f"{path}/{verb}", reason=reason)).status_code == 404
            assert (await posted(site, "worker", f"{path}/{verb}", reason=reason)).status_code == 403

    async def test_offers_no_reason_by_which_a_gap_would_be_dropped(self, desk: Desk, site: Site) -> None:
        async with desk.database.work(system("referral", "test"), purpose="test") as work:
            for agency_id in ("BP3MI-73", "DISNAKER-73.06", "DISNAKER-73", "KP2MI"):
                await keeping.suspend_agency(work, agency_id)
        await desk.open(an_arrival("NEED"))

        form = await site("supervisor").get(f"/id/eskalasi/{await desk.referral()}/tutup")

        assert 'value="DECEASED"' in form.text
        assert 'value="NO_CAPACITY"' not in form.text

    @pytest.mark.parametrize("path", ["/id/eskalasi", "/id/eskalasi/ditutup"])
    async def test_is_led_on_to_what_does_not_fit_on_one_page(
        self, desk: Desk, site: Site, monkeypatch: pytest.MonkeyPatch, path: str
    ) -> None:
        monkeypatch.setattr(supervision, "PAGE_TASKS", 2)
        await desk.open(*(an_arrival("ELDER") for _ in range(5)))
        ids = [str(row["assignment_id"]) for row in await desk.rows("SELECT assignment_id FROM assignments")]
        await desk.answer("decline", "DINSOS-73.06", *(Answer(i, reason="person_refused") for i in ids))
        referrals = [str(row["referral_id"]) for row in await desk.rows("SELECT referral_id FROM referrals")]
        if path.endswith("ditutup"):
            await desk.close(*(Closing(i, "PERSON_REFUSED") for i in referrals))

        seen: list[str] = []
        while path:
            page = (await site("supervisor").get(path)).text
            seen += re.findall(r'href="/id/eskalasi/([0-9a-f-]+)/(?:tutup|buka)"', page)
            path = html.unescape("".join(re.findall(r'rel="next" href="([^"]+)"', page)))

        assert sorted(seen) == sorted(referrals)

    async def test_takes_a_need_which_then_is_among_the_own(self, desk: Desk, site: Site) -> None:
        await self.exhausted(desk)

        answer = await site("supervisor").send("POST", f"/id/eskalasi/{await desk.referral()}/ambil")

        assert answer.headers["location"].startswith("/id/eskalasi/saya")
        assert "Diambil oleh penyelia.73" in said(await site("supervisor").get("/id/eskalasi/saya"))
        assert "penyelia.73" not in said(await site("gowa").get("/id/eskalasi/saya"))

    async def test_is_the_only_one_who_sees_the_list(self, site: Site) -> None:
        assert (await site("worker").get("/id/eskalasi")).status_code == 403
        assert (await site("coordinator").get("/id/eskalasi/ditutup")).status_code == 403
