"""The port's pages in a real browser: readable by everybody, at any size, with and without a script."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from services.intake.__main__ import build
from services.intake.actions.arrival_corrections import correct_sex
from services.intake.pages.matchwords import DECISIONS, SAID, UNDO_REASONS
from shared.contracts.referral.referrals import ReferralOpened
from shared.kit.clock import FixedClock
from shared.kit.database import Database, connect
from shared.kit.ids import new_id
from shared.kit.service import application
from shared.kit.words import Language, translate
from tests.browser.conftest import DESKTOP, PHONE, SMALLEST, Axe, Open, Serve, Sight, Sweep, in_each_language
from tests.browser.signed_in import SignedIn
from tests.conftest import DatabaseUrls
from tests.intake.factories import (
    OFFICER,
    a_draft,
    a_list,
    a_referral_fact,
    a_row,
    a_vault,
    a_voyage,
    hear,
    the_settings,
)
from tests.intake.test_comparing import AGAIN, BEFORE, compared, landed

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)

LIST = a_list(
    *(a_row(n) for n in range(1, 12)),
    a_row(12, name="Shakila binti Balangga", sex="P", born="1950-01-01", flags="SICK;WAGE"),
    a_row(13, name="Danuja", born="2012-02-18"),
    a_row(14, name="Moch. Rudi", sex="Q", born="5-8-87", nik="6,504E+15"),
    a_row(15, name="", regency="Bogor"),
)


DRAFT = ("", "?tampil=siap", "?baris=15")
"""The pages of an uploaded list."""


@dataclass
class Site:
    url: str
    database: Database
    voyage_id: str

    def at(self, path: str = "", language: str = "id") -> str:
        """The address of a page of the voyage."""
        return f"{self.url}/{language}/pelayaran/{self.voyage_id}{path}"


@pytest_asyncio.fixture(loop_scope="session")
async def site(serve: Serve, database_urls: DatabaseUrls) -> AsyncIterator[Site]:
    """Intake's application with one voyage that 15 were announced for."""
    database = await connect(database_urls("intake").application, service="intake", clock=FixedClock(NOW))
    async with AsyncExitStack() as stack:
        app = application(await build(the_settings(database), database, stack))
        app.add_middleware(SignedIn, actor=OFFICER)
        voyage = await a_voyage(database, announced=16)
        yield Site(await serve(app), database, voyage.voyage_id)
    await database.aclose()


async def choose(sight: Sight, content: bytes = LIST) -> None:
    """Choose the list and go on to look at it."""
    await sight.page.set_input_files("#f-file", {"name": "daftar.csv", "mimeType": "text/csv", "buffer": content})
    async with sight.page.expect_navigation():
        await sight.page.get_by_role("button", name="Periksa daftar").click()


async def send(sight: Sight) -> None:
    await sight.page.get_by_role("button", name="Kirim 13 siap, tahan 2").click()


async def refer_everybody(database: Database) -> None:
    opened = {"port": "NNK", "regency": "73.06", "rules_version": "1", "explanation": "0" * 64}
    for row in await database.pool.fetch("SELECT case_id::text, needs FROM arrivals"):
        facts = [a_referral_fact(ReferralOpened, row["case_id"], need=need, **opened) for need in row["needs"]]
        await hear(database, *facts)


@in_each_language
async def test_no_page_has_findings(sweep: Sweep, site: Site, language: str) -> None:
    addresses = [f"{site.url}/{language}/", f"{site.url}/{language}/pelayaran/baru"]
    addresses += [site.at(path, language) for path in ("", "/daftar", "/catat")]
    draft = await a_draft(site.database, site.voyage_id, LIST)
    addresses += [f"{site.url}/{language}/draf", *(f"{site.url}/{language}/draf/{draft}{more}" for more in DRAFT)]

    await sweep(addresses)


@pytest.mark.parametrize("size", [SMALLEST, DESKTOP], ids=["smallest", "desktop"])
async def test_a_list_goes_from_file_to_referred(see: Open, axe: Axe, site: Site, size: Any) -> None:
    sight = await see(site.at("/daftar"), size=size)

    await choose(sight)
    assert await axe(sight.page) == []
    assert await sight.sideways_px() == 0
    await send(sight)
    await sight.page.get_by_text("13 orang tercatat.").wait_for()
    assert await axe(sight.page) == []
    assert await sight.sideways_px() == 0
    await refer_everybody(site.database)
    await sight.page.get_by_text("Semua sudah dirujuk.").first.wait_for()
    await expect(sight.page.locator("[data-refresh]")).to_have_count(0)
    assert sight.complaints == []


@pytest.mark.parametrize("size", [SMALLEST, DESKTOP], ids=["smallest", "desktop"])
async def test_a_list_of_another_voyage_is_taken_back_but_for_whom_somebody_worked_on(
    see: Open, axe: Axe, site: Site, size: Any
) -> None:
    sight = await see(site.at("/daftar"), size=size)
    page = sight.page
    await choose(sight)
    await send(sight)
    await page.get_by_text("13 orang tercatat.").wait_for()
    worked_on = await site.database.pool.fetchval("SELECT case_id::text FROM arrivals ORDER BY case_id LIMIT 1")
    async with site.database.work(OFFICER, purpose="correct") as work:
        await correct_sex(work, worked_on, version=1, to="X", reason="recorded_wrongly")

    await page.get_by_role("link", name="Daftar ini milik pelayaran lain").click()
    await expect(page.get_by_role("button", name="Tarik 12 orang")).to_be_visible()
    assert await axe(page) == []
    assert await sight.sideways_px() == 0
    await page.get_by_role("button", name="Tarik 12 orang").click()
    await page.get_by_text("12 orang ditarik.").first.wait_for()
    await expect(page.get_by_role("button", name="Tarik")).to_have_count(0)
    await expect(page.get_by_text("Diperbaiki, atau perbaikan diminta").first).to_be_visible()
    assert await axe(page) == []
    assert await sight.sideways_px() == 0
    assert sight.complaints == []


@pytest.mark.parametrize("size", [SMALLEST, DESKTOP], ids=["smallest", "desktop"])
async def test_a_list_of_a_ship_at_sea_is_looked_at_only(see: Open, axe: Axe, site: Site, size: Any) -> None:
    at_sea = await a_voyage(site.database, expected_at=NOW + timedelta(days=2))
    sight = await see(f"{site.url}/id/pelayaran/{at_sea.voyage_id}/daftar", size=size)

    await choose(sight)
    await sight.page.get_by_text("Daftar dapat dikirim mulai").wait_for()
    await expect(sight.page.get_by_role("button", name="Kirim")).to_have_count(0)
    assert await axe(sight.page) == []
    assert await sight.sideways_px() == 0


@pytest.mark.parametrize("size", [SMALLEST, DESKTOP], ids=["smallest", "desktop"])
async def test_a_list_is_mended_in_its_place_by_keyboard(see: Open, axe: Axe, site: Site, size: Any) -> None:
    sight = await see(site.at("/daftar"), size=size)
    await choose(sight, a_list(a_row(1), a_row(2, sex="Q", born="31-02-1987"), a_row(3, name=""), a_row(4, sex="Q")))
    page = sight.page

    await page.locator("#f-c3_2").focus()
    await page.keyboard.press("ControlOrMeta+a")
    await page.keyboard.type("L")
    await page.keyboard.press("Tab")
    await page.keyboard.press("ControlOrMeta+a")
    await page.keyboard.type("28-02-1987")
    await page.keyboard.press("Enter")
    await page.get_by_text("Baris tersimpan.").wait_for()
    await expect(
        page.get_by_role("heading", name="Baris 4").locator("xpath=ancestor::section").locator("input:focus")
    ).to_be_in_viewport()
    await page.get_by_role("button", name="Lewati baris 5").click()
    await expect(
        page.get_by_role("heading", name="Baris 4").locator("xpath=ancestor::section").locator("input:focus")
    ).to_be_in_viewport()
    assert await axe(page) == []
    assert await sight.sideways_px() == 0
    await page.get_by_role("link", name="Semua sel baris 4").click()
    await page.get_by_role("heading", name="Baris 4").first.wait_for()
    assert await axe(page) == []
    assert await sight.sideways_px() == 0
    await page.get_by_role("button", name="Lewati baris 4").first.click()
    await page.get_by_text("Baris tersimpan.").wait_for()
    await page.get_by_role("button", name="Kirim semua 2").click()
    await page.get_by_text("2 orang tercatat.").wait_for()
    await page.goto(f"{site.url}/id/draf")
    await page.get_by_text("Semua daftar sudah selesai").wait_for()
    assert await axe(page) == []
    assert sight.complaints == []


@pytest.mark.parametrize("size", [SMALLEST, DESKTOP], ids=["smallest", "desktop"])
async def test_the_roll_of_a_list_is_called_and_only_who_is_here_is_sent(
    see: Open, axe: Axe, site: Site, size: Any
) -> None:
    draft = await a_draft(site.database, site.voyage_id, a_list(*(a_row(n) for n in range(1, 5))))
    sight = await see(site.at("/absen"), size=size)
    page = sight.page
    assert await axe(page) == []
    assert await sight.sideways_px() == 0

    await page.evaluate("document.body.dataset.same = 'yes'")
    await page.get_by_role("button", name="Hadir Orang1").click()
    await page.get_by_text("1/4").wait_for()
    assert await page.evaluate("document.body.dataset.same") == "yes"
    await expect(page.get_by_role("button", name="Hadir Orang2")).to_be_focused()
    assert await axe(page) == []
    await page.get_by_role("link", name="Tidak hadir Orang2").click()
    await page.get_by_role("radio", name="Sakit di luar negeri").wait_for(state="attached")
    assert await axe(page) == []
    assert await sight.sideways_px() == 0
    await page.get_by_role("radio", name="Sakit di luar negeri").check()
    await page.get_by_role("button", name="Tidak hadir").click()
    await page.get_by_role("link", name="Semua yang tersisa hadir").click()
    await page.get_by_role("button", name="Ke-2 orang hadir").wait_for()
    assert await axe(page) == []
    await page.get_by_role("button", name="Ke-2 orang hadir").click()
    await page.get_by_text("3/4").wait_for()
    await page.goto(f"{site.url}/id/draf/{draft}")
    assert await axe(page) == []
    await page.get_by_role("button", name="Kirim 3 yang hadir").click()
    await page.get_by_text("3 orang tercatat.").wait_for()
    assert sight.complaints == []


async def test_the_roll_is_called_without_a_script(see: Open, site: Site) -> None:
    await a_draft(site.database, site.voyage_id, a_list(a_row(1), a_row(2)))
    sight = await see(site.at("/absen"), script=False)

    await sight.page.get_by_role("button", name="Hadir Orang1").click()
    await sight.page.get_by_text("1/2").wait_for()


@pytest.mark.parametrize("size", [SMALLEST, DESKTOP], ids=["smallest", "desktop"])
async def test_who_is_on_no_list_stands_beside_who_is(see: Open, axe: Axe, site: Site, size: Any) -> None:
    sight = await see(site.at("/daftar"), size=size)
    await choose(sight)
    await send(sight)
    await sight.page.get_by_text("13 orang tercatat.").wait_for()
    await sight.page.goto(site.at("/catat"))
    await sight.page.fill("#f-full_name", "Bala")
    await sight.page.get_by_role("radio", name="Laki-laki").check()
    await sight.page.get_by_role("button", name="Simpan & berikutnya").click()
    await sight.page.get_by_text("Tersimpan. Anak dihitung tanpa pendamping. Orang berikutnya.").wait_for()

    await sight.page.goto(site.at())
    figures = " ".join((await sight.page.locator(".figures").first.inner_text()).split())
    assert "Di daftar 15" in figures
    assert "Tiba 14" in figures
    assert "Tidak ada di daftar 1" in figures
    assert await axe(sight.page) == []
    assert await sight.sideways_px() == 0


async def test_without_a_script_everything_works(see: Open, site: Site) -> None:
    sight = await see(site.at("/daftar"), script=False)

    await choose(sight)
    await send(sight)
    await sight.page.get_by_text("13 orang tercatat.").wait_for()
    await sight.page.goto(site.at("/catat"))
    await sight.page.fill("#f-full_name", "Bala")
    await sight.page.get_by_role("radio", name="Laki-laki").check()
    await sight.page.get_by_role("button", name="Simpan & berikutnya").click()
    await sight.page.get_by_text("Tersimpan. Anak dihitung tanpa pendamping. Orang berikutnya.").wait_for()


async def test_one_person_is_logged_by_keyboard_and_the_focus_is_back_on_the_name(see: Open, site: Site) -> None:
    sight = await see(site.at("/catat"))
    keys = sight.page.keyboard

    await expect(sight.page.locator("[name=full_name]")).to_be_focused()
    await keys.type("Bala")
    await keys.press("Tab")
    await keys.press("Space")
    await keys.press("Enter")
    await sight.page.get_by_text("Tersimpan. Anak dihitung tanpa pendamping. Orang berikutnya.").wait_for()

    await expect(sight.page.locator("[name=full_name]")).to_be_focused()
    assert await site.database.pool.fetchval("SELECT count(*) FROM arrivals") == 1


async def test_the_ways_on_take_three_lines_of_a_phone(see: Open, site: Site) -> None:
    sight = await see(site.at(), size=PHONE)
    ways = await sight.page.locator(".nav").bounding_box()

    await expect(sight.page.locator(".nav a")).to_have_count(6)
    assert ways is not None
    assert ways["height"] <= 3 * 48 + 1
    assert await sight.sideways_px() == 0


async def test_a_slip_is_printed_by_a_press(see: Open, axe: Axe, site: Site) -> None:
    sight = await see(site.at("/cepat"), size=PHONE)
    page = sight.page
    await page.add_init_script("window.print = () => document.body.append('called')")
    await page.get_by_label("Nama, bila diketahui").fill("Emong")
    await page.get_by_role("radio", name="Perempuan").check()
    await page.get_by_role("button", name="Simpan").click()
    await expect(page.get_by_role("status")).to_contain_text("Tersimpan.")
    assert await axe(page) == []

    await page.get_by_role("button", name="Cetak").click()

    await expect(page.get_by_text("called")).to_be_visible()
    await page.emulate_media(media="print")
    await expect(page.get_by_role("button")).to_have_count(0)


async def test_a_rejected_form_puts_the_focus_on_what_is_wrong(see: Open, axe: Axe, site: Site) -> None:
    sight = await see(site.at("/catat"))
    await sight.page.get_by_role("button", name="Simpan & berikutnya").click()

    await expect(sight.page.locator(".error-summary")).to_be_focused()
    assert await axe(sight.page) == []


@pytest.mark.parametrize(
    ("size", "language", "script"), [(SMALLEST, "id", True), (DESKTOP, "en", True), (PHONE, "id", False)]
)
async def test_who_may_have_come_before_is_compared_decided_on_and_taken_apart_again(
    see: Open, axe: Axe, site: Site, size: Any, language: Language, script: bool
) -> None:
    """Two people side by side: later, different, taken back, the same, taken back; each page is looked at by axe."""
    await landed(site.database, a_vault(), {**BEFORE, "mother_name": "Halija"}, port="ETK")
    await landed(site.database, a_vault(), {**AGAIN, "mother_name": "Halijah", "birthplace": "Gowa"})
    await compared(site.database, a_vault())
    sight = await see(f"{site.url}/{language}/kecocokan", size=size, script=script)
    page = sight.page

    async def is_fine() -> None:
        if script:
            assert await axe(page) == []
            assert await sight.sideways_px() == 0
            assert await sight.covered_focus() == []

    async def press(button: str, said: str) -> None:
        await page.get_by_role("button", name=translate(language, button), exact=True).click()
        await page.get_by_text(translate(language, SAID[said])).wait_for()
        await is_fine()

    await is_fine()
    await page.get_by_role("link", name=translate(language, "Compare")).click()
    for seen in ("Moch. Soekarno Djafar", "MUHAMMAD SUKARNO JAFAR", "Halija", "Halijah", "…0001", "…0002"):
        await page.get_by_text(seen, exact=True).first.wait_for()
    await is_fine()
    await press(DECISIONS["later"], "later")
    for decision, reason in (("different", "new_proof"), ("same", "decided_in_error")):
        await press(DECISIONS[decision], decision)
        await page.get_by_role("combobox").select_option(label=translate(language, UNDO_REASONS[reason]))
        await press("Take the decision back", "undone")
        await page.get_by_text(translate(language, UNDO_REASONS[reason])).first.wait_for()
    await page.goto(f"{site.url}/{language}/kecocokan")
    await page.get_by_role("link", name=translate(language, "Compare")).wait_for()
    assert sight.complaints == []


UNHEADED = b"Bala;L;30\nSiti;P;31\n"
DOUBLED = b"Nama;Nama;Kel.;Umur\nAminah;Bala;L;30\n"
WIDE = {"width": 1100, "height": 900}
WIDTHS = (WIDE, {"width": 768, "height": 1024}, {"width": 412, "height": 915}, SMALLEST)


async def a_family(sight: Sight, site: Site) -> tuple[str, str]:
    """An adult and a child who is with it, logged in a hurry one after the other; and counts that do not agree."""

    async def post(path: str, **said: Any) -> dict[str, Any]:
        headers = {"Idempotency-Key": new_id()}
        answer = await sight.context.request.post(f"{site.url}{path}", data=said, headers=headers)
        assert answer.ok, await answer.text()
        return dict(await answer.json())

    said = {"voyage_id": site.voyage_id, "sex": "F", "unfinished": True}
    adult = (await post("/api/arrivals", **said, looks="adult"))["case_id"]
    child = (await post("/api/arrivals", **said, looks="child", companion={"adult": adult}))["case_id"]
    minutes = {"kind": "minutes", "heads": 9, "number": "BA/1", "depot": "DTI Tawau"}
    await post(f"/api/voyages/{site.voyage_id}/totals", **minutes)
    await post(f"/api/voyages/{site.voyage_id}/differences", pair="announced_arrived", heads=-5)
    return adult, child


@pytest.mark.parametrize(("size", "language"), [(SMALLEST, "id"), (WIDE, "en")], ids=["smallest", "wide"])
async def test_pages_of_counts_people_and_columns_have_no_findings(
    see: Open, axe: Axe, site: Site, size: Any, language: str
) -> None:
    sight = await see(site.at("", language), size=size)
    adult, child = await a_family(sight, site)
    lists = [await a_draft(site.database, site.voyage_id, content) for content in (UNHEADED, DOUBLED)]
    found: list[str] = []
    for path in (
        *(f"pelayaran/{site.voyage_id}/{page}" for page in ("angka", "perbaiki", "cepat", f"catat?bersama={adult}")),
        *("selisih", "belum-lengkap", "penyaringan", "wali", "usulan-umur", "cari"),
        *(f"kedatangan/{child}{page}" for page in ("", "/lengkapi", "/penyaringan", "/umur", "/kebutuhan")),
        *(f"keluarga/{child}", f"data-pribadi/{child}/persetujuan", f"data-pribadi/{child}/persetujuan/catat"),
        *(f"data-pribadi/{child}/persetujuan/dasar", f"data-pribadi/{child}/perbaikan"),
        *(f"draf/{draft}" for draft in lists),
    ):
        await sight.page.set_viewport_size(size)
        answer = await sight.page.goto(f"{site.url}/{language}/{path}")
        if answer is None or answer.status != 200:
            found.append(f"{path}: {answer and answer.status}")
            continue
        await sight.unfold()
        found += [f"{path}: {one}" for one in await axe(sight.page)]
        for other in WIDTHS:
            await sight.page.set_viewport_size(other)
            found += [f"{path} at {other['width']}: {wide}" for wide in await sight.page.evaluate(TOO_WIDE)]
    assert found == [], "\n".join(found)
    assert sight.complaints == []


TOO_WIDE = """() => {
  const wide = [];
  const page = document.documentElement;
  if (page.scrollWidth > page.clientWidth) wide.push(`${page.scrollWidth - page.clientWidth} px of the page`);
  for (const table of document.querySelectorAll('.panel table')) {
    const over = table.getBoundingClientRect().right - table.closest('.panel').getBoundingClientRect().right;
    if (over > 0) wide.push(`${over} px of ${table.caption?.innerText}`);
  }
  return wide;
}"""
"""What is wider than the page, or than the panel that it is in."""
