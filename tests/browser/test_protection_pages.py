"""The pages of the officer for the protection of data in a real browser: readable by everybody, and on paper."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
import pytest_asyncio
from playwright.async_api import expect

from services.intake.__main__ import build
from services.intake.actions import consents, corrections, holds
from services.intake.actions.arrivals import Recorded, record_arrivals
from services.intake.actions.consents import Spoken
from services.intake.actions.disclosures import Ask, disclose_identity
from services.intake.actions.erasures import erase_person
from services.intake.domain.consents import Scope, Words
from shared.kit.clock import FixedClock
from shared.kit.database import Database, connect
from shared.kit.service import application
from shared.kit.short_codes import short_code
from shared.kit.work import Work
from tests.browser.conftest import Axe, Open, Serve, Sweep, in_each_language
from tests.browser.signed_in import SignedIn
from tests.conftest import DatabaseUrls
from tests.intake.factories import (
    DPO,
    REFERRAL,
    START,
    a_new_arrival,
    a_vault,
    an_accepted,
    an_arrival,
    the_settings,
)

REFERENCE = "PPID/2026/0113"


@dataclass
class Site:
    url: str
    kept: str
    erased: str
    correction: str
    consent: str
    refusal: str

    def pages(self, language: str) -> list[str]:
        """The addresses of all pages that can be opened."""
        person = f"data-pribadi/{self.kept}"
        paths = ["data-pribadi", person, f"data-pribadi/{self.erased}", "perbaikan", f"perbaikan/{self.correction}"]
        paths += [f"{person}/{form}" for form in ("salinan", "hapus", "penangguhan", "perbaikan")]
        paths += [f"{person}/persetujuan{form}" for form in ("", "/catat", "/dasar")]
        paths += [f"persetujuan/{self.consent}/cabut", f"persetujuan/{self.refusal}/pernyataan"]
        paths += ["penghapusan", "penangguhan", "masa-simpan"]
        return [f"{self.url}/{language}/{path}" for path in paths]


@pytest_asyncio.fixture(loop_scope="session")
async def site(serve: Serve, database_urls: DatabaseUrls) -> AsyncIterator[Site]:
    """Intake's application with one person who is kept, under a hold and to be corrected, and one who was erased."""
    database = await connect(database_urls("intake").application, service="intake", clock=FixedClock(START))
    async with AsyncExitStack() as stack:
        app = application(await build(the_settings(database), database, stack))
        app.add_middleware(SignedIn, actor=DPO)
        kept, erased = [await a_shown_person(database) for _ in range(2)]
        async with database.work(DPO, purpose="protect") as work:
            await holds.place_hold(work, kept, reason="court", reference="PN-JKT/112/2026")
            asked = await corrections.request_correction(
                work, a_vault(), kept, field="full_name", value="Emong bin Kawaja", reference=REFERENCE
            )
            consent, refusal = [await an_answer(work, kept, given=given) for given in (True, False)]
            await erase_person(work, a_vault(), erased, reason="request", reference=REFERENCE)
        yield Site(await serve(app), kept, erased, asked.correction_id, consent, refusal)
    await database.aclose()


async def an_answer(work: Work, case_id: str, *, given: bool) -> str:
    """The id of what was recorded: a yes to help by civil society, or a no to the state, which had been shown."""
    spoken = Spoken("self", "signed", "id", Words(statement="" if given else "Saya pulang sendiri"))
    scope = Scope("help", "civil_society" if given else "state")
    kept = await consents.record_consent(
        work, a_vault(), case_id, version=None, scope=scope, given=given, spoken=spoken
    )
    return kept.entry.entry_id


async def a_shown_person(database: Database) -> str:
    """The case of somebody whose identity an agency was shown."""
    vault = a_vault()
    [recorded] = await record_arrivals(database, [a_new_arrival(vault, arrival=an_arrival(flags=frozenset({"SICK"})))])
    assert isinstance(recorded, Recorded)
    assignment_id = await an_accepted(database, recorded.case_id)
    async with database.work(REFERRAL, purpose="read_identity") as work:
        await disclose_identity(work, vault, Ask(recorded.case_id, assignment_id, "DINKES-73.06", "wati"))
    return recorded.case_id


@in_each_language
async def test_no_page_has_findings(sweep: Sweep, site: Site, language: str) -> None:
    await sweep(site.pages(language))


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without a script"])
async def test_a_person_gets_everything_on_paper(see: Open, axe: Axe, site: Site, script: bool) -> None:
    sight = await see(f"{site.url}/id/data-pribadi", script=script)
    await sight.page.get_by_role("radio", name="Nomor dokumen").check()
    await sight.page.fill("#f-value", "XS 9000001")
    await sight.page.get_by_role("button", name="Cari").click()
    await sight.page.get_by_role("link", name="Buka").first.click()
    await sight.page.get_by_role("link", name="Serahkan data").click()
    await sight.page.fill("#f-reference", REFERENCE)
    await sight.page.get_by_role("button", name="Tampilkan semuanya").click()
    await sight.page.get_by_role("heading", name="Data Anda dan siapa yang melihatnya").wait_for()

    await expect(sight.page.get_by_text("Emong bin Kawaya")).to_have_count(1)
    await expect(sight.page.locator("tr.shown").get_by_text("DINKES-73.06")).to_have_count(1)
    assert "XS" not in sight.page.url
    assert sight.complaints == []
    if script:
        assert await axe(sight.page) == []
        await sight.page.emulate_media(media="print")
        await sight.page.set_viewport_size({"width": 672, "height": 986})  # A4 without its margins
        assert await sight.sideways_px() == 0


async def test_the_sheet_is_taken_away_when_the_session_has_ended(see: Open, axe: Axe, site: Site) -> None:
    sight = await see(f"{site.url}/id/data-pribadi/{site.kept}/salinan")
    await sight.page.clock.install()
    await sight.page.fill("#f-reference", REFERENCE)
    await sight.page.get_by_role("button", name="Tampilkan semuanya").click()
    await sight.page.get_by_text("Emong bin Kawaya").wait_for()
    await sight.page.clock.run_for("29:00")
    before = await sight.page.content()
    await sight.page.clock.run_for("01:10")

    assert "Emong bin Kawaya" in before
    assert "Emong bin Kawaya" not in await sight.page.content()
    await expect(sight.page.get_by_role("link", name="Masuk")).to_be_visible()
    assert await axe(sight.page) == []


async def test_an_erasure_asks_for_the_code_before_it_is_done(see: Open, axe: Axe, site: Site) -> None:
    sight = await see(f"{site.url}/id/data-pribadi/{site.erased}/hapus")
    await sight.page.get_by_text("Identitas orang ini sudah dihapus sebelumnya.").wait_for()
    await sight.page.goto(f"{site.url}/id/data-pribadi/{site.kept}/hapus")
    await sight.page.get_by_text("Orang ini masih dalam penangguhan hukum").wait_for()
    await sight.page.goto(f"{site.url}/id/data-pribadi/{site.kept}")
    await sight.page.get_by_role("button", name="Cabut penangguhan ini").click()
    await sight.page.get_by_role("link", name="Hapus identitas").click()
    indents = await sight.page.locator(".narrow > ul").evaluate_all(
        "lists => lists.map(list => parseFloat(getComputedStyle(list).paddingInlineStart))"
    )
    assert [indent >= 16 for indent in indents] == [True], "its bullets hang outside the margin"
    await sight.page.get_by_role("radio", name="Orangnya meminta").check()
    await sight.page.fill("#f-reference", REFERENCE)
    await sight.page.get_by_role("button", name="Hapus selamanya").click()
    await sight.page.get_by_role("heading", name="Ada 1 hal yang perlu diperbaiki").wait_for()
    assert await axe(sight.page) == []
    await sight.page.fill("#f-code", short_code(site.kept))

    await sight.page.get_by_role("button", name="Hapus selamanya").click()

    await sight.page.get_by_text("Identitas orang ini sudah dihapus.").first.wait_for()
    assert await axe(sight.page) == []
