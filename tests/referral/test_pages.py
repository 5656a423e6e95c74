"""The pages, by plain forms: the inbox, a case, times and deadlines, the figures; in both languages."""

import html
import re
from datetime import timedelta
from pathlib import Path

import pytest

from services.referral.actions.answering import Answer
from services.referral.actions.supervising import Closing
from services.referral.pages import inbox
from shared.kit import catalogue
from shared.kit.actor import Actor
from shared.kit.ids import new_id
from tests.reading import said
from tests.referral.conftest import PEOPLE, Desk, Site
from tests.referral.factories import an_arrival
from tests.referral.forms import posted
from tests.referral.intake_server import IntakeServer

ROOT = Path(__file__).parents[2]


async def test_every_sentence_is_in_the_catalogue() -> None:
    assert catalogue.lacking(ROOT / "services/referral", ROOT / "shared/kit") == []


class TestInbox:
    async def test_says_so_when_everything_is_answered(self, site: Site) -> None:
        assert "Semua rujukan sudah dijawab" in said(await site("worker").get("/id/"))
        assert "Everything is answered" in said(await site("worker").get("/en/"))

    async def test_shows_codes_and_deadlines_and_no_name(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER", age_band="elderly"), an_arrival("NEED"))

        page = said(await site("worker").get("/id/"))

        assert "Lanjut usia" in page
        assert "Perempuan, 60 tahun atau lebih" in page
        assert "Pelabuhan Tunon Taka, Nunukan" in page
        assert "jatuh tempo 12.00 WITA" in page
        assert "untuk membuka" in page
        assert "Pemulangan" not in page  # another agency's

    async def test_tells_of_each_row_that_has_changed_since_the_page_was_made(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"), an_arrival("ELDER"))
        chosen = re.findall(r'name="chosen" value="([^"]+)"', (await site("worker").get("/id/")).text)
        opened = chosen[0].partition(".")[0]
        await desk.answer("acknowledge", "DINSOS-73.06", Answer(opened))

        page = await posted(site, "worker", "/id/terima", chosen=chosen)

        assert f"/id/rujukan/{opened}" in page.text
        assert "1 rujukan diterima." in said(page)
        assert "Kasus berubah sejak" in said(page)
        states = {str(row["assignment_id"]): row["state"] for row in await desk.rows("SELECT * FROM assignments")}
        assert [states[one.partition(".")[0]] for one in chosen] == ["acknowledged", "accepted"]

    async def test_accepts_the_chosen_ones(self, desk: Desk, site: Site) -> None:
        await desk.open(*(an_arrival("ELDER") for _ in range(3)))
        ids = [str(row["assignment_id"]) for row in await desk.rows("SELECT assignment_id FROM assignments ORDER BY 1")]

        done = await posted(site, "worker", "/id/terima", chosen=[*ids[:2], "nonsense"])

        assert done.status_code == 303
        assert [state for _, _, state in await desk.attempts()].count("accepted") == 2
        assert "2 rujukan diterima." in said(await site("worker").get(done.headers["location"]))

    async def test_has_a_tab_for_what_is_being_done_and_one_for_what_is_done(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))
        assignment_id = await desk.live()
        await posted(site, "worker", f"/id/rujukan/{assignment_id}/terima")

        assert "diterima" in said(await site("worker").get("/id/?tab=dikerjakan"))
        await posted(site, "worker", f"/id/rujukan/{assignment_id}/selesai", outcome="SERVICE_DELIVERED")
        assert "selesai" in said(await site("worker").get("/id/?tab=selesai"))

    @pytest.mark.parametrize("tab", ["baru", "selesai"])
    async def test_leads_on_to_what_does_not_fit_on_one_page(
        self, desk: Desk, site: Site, monkeypatch: pytest.MonkeyPatch, tab: str
    ) -> None:
        monkeypatch.setattr(inbox, "PAGE_ROWS", 2)
        await desk.open(*(an_arrival("ELDER") for _ in range(5)))
        ids = [str(row["assignment_id"]) for row in await desk.rows("SELECT assignment_id FROM assignments")]
        if tab == "selesai":
            await desk.answer("decline", "DINSOS-73.06", *(Answer(i, reason="no_capacity") for i in ids))

        seen, path = [], f"/id/?tab={tab}"
        while path:
            page = (await site("worker").get(path)).text
            seen += re.findall(r'href="/id/rujukan/([^"]+)"', page)
            path = html.unescape("".join(re.findall(r'rel="next" href="([^"]+)"', page)))

        assert sorted(seen) == sorted(ids)

    async def test_goes_back_to_the_first_page_when_nothing_is_left_further_on(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))

        answer = await site("worker").get(f"/id/?tab=baru&after=4000000000000000.{new_id()}")

        assert (answer.status_code, answer.headers["location"]) == (303, "/id/?tab=baru")

    async def test_sends_a_coordinator_to_the_figures(self, site: Site) -> None:
        answer = await site("coordinator").get("/id/")

        assert (answer.status_code, answer.headers["location"]) == (303, "/id/angka")


class TestCase:
    async def test_opens_by_looking_and_is_on_the_trail(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))

        page = await site("worker").get(f"/id/rujukan/{await desk.live()}")

        assert page.status_code == 200
        assert await desk.attempts() == [(1, "DINSOS-73.06", "acknowledged")]
        assert sorted((await desk.told())[-2:]) == ["assignment_acknowledged", "case_read"]

    async def test_explains_in_both_languages_why_it_came_here(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))
        path = f"/rujukan/{await desk.live()}"

        indonesian, english = [said(await site("worker").get(f"/{code}{path}")) for code in ("id", "en")]

        assert re.search(r"Dinas Sosial Provinsi Sulawesi Selatan provinsi asal \d+ km cadangan", indonesian)
        assert "Perlu persetujuan tercatat dari orang tersebut" in indonesian
        assert re.search(r"Dinas Sosial Provinsi Sulawesi Selatan home province \d+ km in reserve", english)
        assert "Needs the person's recorded consent" in english

    async def test_shows_who_it_is_after_acceptance_only(self, desk: Desk, site: Site, intake: IntakeServer) -> None:
        await desk.open(an_arrival("ELDER"))
        path = f"/id/rujukan/{await desk.live()}"

        assert "Siti Aminah" not in (await site("worker").get(path)).text
        assert intake.asked == []
        done = await posted(site, "worker", f"{path}/terima")
        page = await site("worker").get(done.headers["location"])

        assert "Siti Aminah" in said(page)
        assert page.headers["cache-control"] == "no-store"
        assert "Siti" not in str(page.url)

    async def test_covers_numbers_and_health_until_somebody_wants_to_see_them(
        self, desk: Desk, site: Site, intake: IntakeServer
    ) -> None:
        await desk.open(an_arrival("ELDER"))
        path = f"/en/rujukan/{await desk.live()}"
        await posted(site, "worker", f"{path}/terima")
        covered = {"nik": "6503991234567890", "family_contact": "+62 811 905 773", "health_note": "insulin"}
        intake.answers = [{"full_name": "Siti Aminah", **covered}]

        page = (await site("worker").get(path)).text

        shown = re.sub(r"(<details[^>]*><summary>.*?</summary>).*?</details>", r"\1", page, flags=re.DOTALL)
        assert all(value in page and value not in shown for value in covered.values())
        assert [f"Show what ends with {end}" in shown for end in ("890", "773", "lin")] == [True, True, False]
        assert "Siti Aminah" in shown

    async def test_says_birth_country_and_document_in_words(self, desk: Desk, site: Site, intake: IntakeServer) -> None:
        await desk.open(an_arrival("ELDER"))
        path = f"/id/rujukan/{await desk.live()}"
        await posted(site, "worker", f"{path}/terima")
        intake.answers = [{"birth": "2004-08-29", "document_type": "passport", "country_from": "MY"}]

        for page in (path, f"{path}/berita-acara/cetak", f"{path}/penolakan/cetak"):
            text = said(await site("worker").get(page))
            assert "29 Agt 2004" in text
            assert "Paspor" in text
            assert "2004-08-29" not in text
        assert "Malaysia" in said(await site("worker").get(path))

    async def test_says_that_the_identity_follows_when_intake_is_away(
        self, desk: Desk, site: Site, intake: IntakeServer
    ) -> None:
        await desk.open(an_arrival("ELDER"))
        path = f"/id/rujukan/{await desk.live()}"
        await intake.stop()

        await posted(site, "worker", f"{path}/terima")
        page = await site("worker").get(path)

        assert page.status_code == 200
        assert "Identitas menyusul" in said(page)

    async def test_wants_a_reason_to_decline(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))
        path = f"/id/rujukan/{await desk.live()}"

        page = await posted(site, "worker", f"{path}/tolak")

        assert page.status_code == 422
        assert "<title>Galat:" in page.text
        assert "Pilih alasannya." in said(page)

        done = await posted(site, "worker", f"{path}/tolak", reason="no_capacity")
        assert done.status_code == 303
        assert (await desk.attempts())[-1] == (2, "DINSOS-73", "sent")

    @pytest.mark.parametrize("version", ["9" * 5000, "-1", "1.0", "²"])
    async def test_refuses_a_version_that_is_none(self, desk: Desk, site: Site, version: str) -> None:
        await desk.open(an_arrival("ELDER"))

        answer = await posted(site, "worker", f"/id/rujukan/{await desk.live()}/terima", version=version)

        assert answer.status_code == 422
        assert await desk.attempts() == [(1, "DINSOS-73.06", "sent")]

    async def test_keeps_what_was_chosen_while_something_is_missing(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))

        page = await posted(site, "worker", f"/id/rujukan/{await desk.live()}/teruskan", why="wrong_service")

        assert page.status_code == 422
        assert 'value="wrong_service" checked' in page.text

    async def test_names_the_winner_to_whoever_comes_second(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))
        path = f"/id/rujukan/{await desk.live()}"
        await posted(site, "colleague", f"{path}/terima")

        page = await posted(site, "worker", f"{path}/terima")

        assert page.status_code == 409
        assert "dinsos.2 lebih dahulu: diterima, 23 Nov 2026 11.00 WITA." in said(page)

    async def test_records_the_whole_of_the_help(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))
        path = f"/id/rujukan/{await desk.live()}"
        await posted(site, "worker", f"{path}/terima")
        await posted(site, "worker", f"{path}/mulai")

        wrong = await posted(
            site, "worker", f"{path}/selesai", outcome="HANDED_TO_FAMILY", handover_ref="kepada Ibu Siti"
        )
        assert wrong.status_code == 422
        assert 'value="HANDED_TO_FAMILY" checked' in wrong.text
        assert 'value="kepada Ibu Siti"' in wrong.text
        early = await posted(site, "worker", f"{path}/selesai", outcome="HANDED_TO_FAMILY", handover_ref="BAST/7/2026")
        assert early.status_code == 409
        assert 'value="BAST/7/2026"' in early.text
        assert "Catat dahulu berita acara yang ditandatangani" in said(early)
        signed = {"number": "BAST/7/2026", "receiver": "family", "witness": "village", "place": "73.06"} | {
            "documents": "belongings",
            "condition": "well",
            "handed_at": "2026-11-23T10:30",
            "signed_at": "2026-11-23T10:45",
        }
        alone = await posted(site, "worker", f"{path}/berita-acara", **signed | {"witness": "police"})
        assert alone.status_code == 422
        assert "di hadapan saksi dari desa/kelurahan" in said(alone)
        blank = said(await posted(site, "worker", f"{path}/berita-acara"))
        for asked in ("Nomor berita acara: Nomor terdiri", "Diserahkan: Isi tanggal", "Keduanya menandatangani: Isi"):
            assert asked in blank
        recorded = await posted(site, "worker", f"{path}/berita-acara", **signed)
        assert recorded.status_code == 303
        done = await posted(site, "worker", f"{path}/selesai", outcome="HANDED_TO_FAMILY", handover_ref="BAST/7/2026")

        page = said(await site("worker").get(done.headers["location"]))
        assert "BAST/7/2026" in page
        assert "Diserahkan kepada keluarga" in page

    @pytest.mark.parametrize(
        ("path", "field", "code"), [("tolak", "reason", "no_capacity"), ("gagal", "failure", "DECEASED")]
    )
    async def test_says_that_nobody_is_named_to_an_agency_that_does_not_help(
        self, desk: Desk, site: Site, intake: IntakeServer, path: str, field: str, code: str
    ) -> None:
        await desk.open(an_arrival("ELDER"))
        case = f"/id/rujukan/{await desk.live()}"
        if path == "gagal":
            await posted(site, "worker", f"{case}/terima")

        await posted(site, "worker", f"{case}/{path}", **{field: code})
        page = said(await site("worker").get(case))

        assert "Rujukan ini sudah berakhir bagi instansi Anda. Nama dan dokumen tidak dibuka untuknya." in page
        assert intake.asked == []

    async def test_says_that_the_need_was_closed_while_the_agency_helped(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))
        path = f"/id/rujukan/{await desk.live()}"
        await posted(site, "worker", f"{path}/terima")
        await desk.close(Closing(await desk.referral(), "DECEASED"))

        page = said(await site("worker").get(path))
        late = await posted(site, "worker", f"{path}/mulai")

        assert "Kebutuhan ditutup 23 Nov 2026 11.00 WITA · penyelia" in page
        assert late.status_code == 409

    async def test_says_that_the_request_was_taken_back(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))
        path = f"/id/rujukan/{await desk.live()}"
        await desk.close(Closing(await desk.referral(), "DECEASED"))

        late = await posted(site, "worker", f"{path}/terima")

        assert late.status_code == 409
        assert "Ini sudah diakhiri pada" in said(late)

    async def test_is_not_there_for_a_stranger(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))

        answer = await site("DINKES-73.71").get(f"/id/rujukan/{await desk.live()}")

        assert answer.status_code == 404
        assert "Lanjut usia" not in answer.text


async def test_a_case_shows_the_limits_that_the_law_sets_with_the_article(desk: Desk, site: Site) -> None:
    await desk.open(an_arrival("TIP"))
    [row] = await desk.rows("SELECT assignment_id, agency_id FROM assignments")

    page = said(await site(row["agency_id"]).get(f"/id/rujukan/{row['assignment_id']}"))

    assert "UU 21/2007 Pasal 52-53" in page
    assert page.count("Batas undang-undang") == 2


class TestZones:
    @pytest.mark.parametrize(("home", "zone"), [("32.04", "WIB"), ("73.06", "WITA"), ("91.03", "WIT")])
    async def test_every_page_tells_the_time_of_the_readers_office(
        self, desk: Desk, site: Site, monkeypatch: pytest.MonkeyPatch, home: str, zone: str
    ) -> None:
        supervisor = Actor("penyelia", f"DINSOS-{home}", frozenset({"agency_supervisor", "coordinator"}), region=home)
        monkeypatch.setitem(PEOPLE, "somebody", supervisor)
        await desk.open(*(an_arrival("ELDER", origin=home) for _ in range(4)))
        ids = [str(row["assignment_id"]) for row in await desk.rows("SELECT assignment_id FROM assignments")]
        await desk.answer("accept", f"DINSOS-{home}", Answer(ids[1]))
        await desk.answer("decline", f"DINSOS-{home}", Answer(ids[2], reason="no_capacity"))
        await desk.answer("decline", f"DINSOS-{home}", Answer(ids[3], reason="person_refused"))
        await desk.close(Closing(await desk.referral_of(ids[2]), "DECEASED"), by="somebody")

        for path in ("/", "/?tab=dikerjakan", "/?tab=selesai", "/eskalasi", "/eskalasi/ditutup", "/angka"):
            page = await site("somebody").get(f"/id{path}")
            assert page.status_code == 200
            assert set(re.findall(r"\bWI(?:B|TA|T)\b", page.text.partition("<main")[2])) == {zone}, path
        for assignment_id in ids:
            # When somebody landed is told in the time of the port, which is Nunukan's.
            page = (await site("somebody").get(f"/id/rujukan/{assignment_id}")).text.replace("11.00 WITA", "", 1)
            assert set(re.findall(r"\bWI(?:B|TA|T)\b", page.partition("<main")[2])) == {zone}


class TestFigures:
    @pytest.mark.parametrize("language", ["id", "en"])
    async def test_are_counts_without_a_case(self, desk: Desk, site: Site, language: str) -> None:
        await desk.open(*(an_arrival("ELDER") for _ in range(16)))
        references = [str(row["case_id"])[-4:].upper() for row in await desk.rows("SELECT case_id FROM referrals")]

        page = await site("coordinator").get(f"/{language}/angka")

        assert page.status_code == 200
        under = "di bawah 15" if language == "id" else "under 15"
        assert f"Sulawesi Selatan 20 20 {under} {under} {under}" in said(page)
        assert "Dinas Sosial Kabupaten Gowa" in said(page)
        assert not any(f"-{reference}" in page.text for reference in references)

    async def test_are_not_for_agencies(self, site: Site) -> None:
        assert (await site("worker").get("/id/angka")).status_code == 403


class TestDeadlines:
    async def test_say_that_a_year_whose_holidays_are_not_decreed_may_hold_more_of_them(
        self, desk: Desk, site: Site
    ) -> None:
        desk.clock.advance(timedelta(days=36))
        await desk.open(an_arrival("NOFAM"))
        assignment_id = await desk.live()
        [row] = await desk.rows("SELECT referral_id::text FROM referrals")
        note, paths = (
            "hari libur 2027 ditetapkan",
            (f"/api/assignments/{assignment_id}", f"/id/rujukan/{assignment_id}"),
        )
        asked, at_first = [await site("worker").get(path) for path in paths]
        await desk.answer("accept", "DINSOS-73.06", Answer(assignment_id))

        helping, shown = [await site("worker").get(path) for path in paths]
        explained = await site("supervisor").get(f"/api/referrals/{row['referral_id']}/explanation")
        why = await site("supervisor").get(f"/id/eskalasi/{row['referral_id']}/alasan")

        assert (asked.json()["holidays_unknown_of"], note in said(at_first)) == (None, False)
        assert (helping.json()["holidays_unknown_of"], note in said(shown)) == (2027, True)
        assert (explained.json()["holidays_unknown_of"], note in said(why)) == (2027, True)

    async def test_of_which_the_agency_was_reminded_are_marked(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))
        assert "pengingat" not in said(await site("worker").get("/id/"))
        desk.clock.advance(timedelta(minutes=45))
        await desk.chase()

        assert "pengingat" in said(await site("worker").get("/id/"))
        assert "Diingatkan akan tenggat" in said(await site("DINSOS-73.06").get(f"/id/rujukan/{await desk.live()}"))
