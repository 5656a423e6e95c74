"""Referral's pages in a real browser: readable by everybody, at any size, with and without a script."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from playwright.async_api import expect
from starlette.types import ASGIApp, Receive, Scope, Send

from services.referral import gateways, rules
from services.referral.__main__ import build
from services.referral.actions import breaking
from services.referral.actions.answering import Answer
from services.referral.actions.breaking import Emergency
from services.referral.actions.routing import Routing
from services.referral.actions.supervising import Closing
from services.referral.domain.households import Reunification
from services.referral.pages import identities
from services.referral.settings import Settings
from services.referral.store import households, rulesets
from shared.kit.actor import system
from shared.kit.clock import FixedClock
from shared.kit.database import connect
from shared.kit.ids import new_id
from shared.kit.service import application
from tests.browser.conftest import Axe, Open, Serve, Sight, Sweep, in_each_language
from tests.browser.handing import record_minutes
from tests.conftest import DatabaseUrls
from tests.referral.conftest import PEOPLE, Desk
from tests.referral.factories import START, an_arrival, an_erasure
from tests.referral.intake_server import IntakeServer


class SignedIn:
    """ASGI: whoever `now` names has been let in by the gate."""

    now = "worker"

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            recently = replace(PEOPLE[SignedIn.now], authenticated_at=START + timedelta(hours=3))
            scope.setdefault("state", {})["actor"] = recently
        await self.app(scope, receive, send)


@dataclass
class Site:
    url: str
    desk: Desk
    new: str
    accepted: str
    waiting: str
    child: str
    closed: str
    glass: str
    intake: IntakeServer

    def at(self, path: str, *, actor: str = "worker", language: str = "id") -> str:
        """The address of a page, for this actor from now on."""
        SignedIn.now = actor
        ids = {name: getattr(self, name) for name in ("new", "accepted", "waiting", "child", "closed", "glass")}
        return f"{self.url}/{language}{path.format(**ids)}"


@pytest_asyncio.fixture(loop_scope="session")
async def site(serve: Serve, database_urls: DatabaseUrls) -> AsyncIterator[Site]:
    """Referral's application: new, accepted and declined referrals of one agency, a need nobody took, a closed one."""
    clock = FixedClock(START)
    database = await connect(database_urls("referral").application, service="referral", clock=clock)
    desk = Desk(database, clock, Routing(rules.load(rules.latest())))
    async with database.work(system("referral", "rules"), purpose="start") as work:
        await rulesets.enter_shipped(work, rules.latest(), rules.shipped(rules.latest()))
    await desk.open(an_arrival("ELDER"))
    closed = await desk.referral()
    await desk.close(Closing(closed, "PERSON_LEFT"))
    await desk.open(an_arrival("ELDER"))
    nobody = await desk.live()
    for agency_id in ("DINSOS-73.06", "DINSOS-73", "KEMENSOS"):
        await desk.answer("decline", agency_id, Answer(nobody, reason="outside_region"))
        nobody = (await desk.live()) if agency_id != "KEMENSOS" else nobody
    waiting = await desk.referral_of(nobody)
    await desk.open(an_arrival("NOFAM", age_band="child"))
    taken = await desk.live()
    await desk.answer("accept", "UPTDPPA-73.06", Answer(taken))
    await desk.open(an_arrival("PWD"))
    rows = await desk.rows("SELECT assignment_id FROM assignments WHERE state = 'sent'")
    accepted = str(rows[0]["assignment_id"])
    await desk.answer("accept", "DINSOS-73.06", Answer(accepted))
    clock.advance(timedelta(hours=3))
    await desk.open(an_arrival("ELDER", age_band="elderly"), an_arrival("ELDER"))
    [new, *_] = await desk.rows("SELECT assignment_id FROM assignments WHERE state = 'sent' ORDER BY 1")
    # One copy to erase in time, one that should have been.
    await desk.erase(
        an_erasure(new_id(), "DINSOS-73.06"), an_erasure(new_id(), "DINSOS-73.06", within=timedelta(hours=1))
    )
    apart = Reunification(
        *(new_id(), new_id(), new_id(), "BP3MI-11", "BP3MI-73", "73.06", "declined", START, "agency_supervisor"),
        due_at=START + timedelta(days=3),
    )
    async with database.work(system("referral", "test"), purpose="test") as work:
        await households.add_tasks(work, [apart, replace(apart, task_id=new_id(), case_id=new_id(), rung="national")])
    child = await desk.referral_of(taken)
    [case] = await desk.rows("SELECT case_id FROM referrals WHERE referral_id = $1", child)
    async with database.work(PEOPLE["coordinator"], purpose="break_glass") as work:
        emergency = Emergency(str(case["case_id"]), "help", "child_at_risk", "NOTA/7/2026", 4)
        glass = await breaking.break_glass(work, emergency)
    intake = IntakeServer()
    await intake.start()
    settings = Settings(
        environment="development",
        database_url=database.url,
        roles="http",
        intake_url=intake.url,
        oidc_issuer=intake.url,
        oidc_client_secret="secret",
    )
    async with AsyncExitStack() as stack:
        app = application(await build(settings, database, stack))
        stack.push_async_callback(app.state.identity.aclose)
        app.add_middleware(SignedIn)
        new_one = str(new["assignment_id"])
        yield Site(await serve(app), desk, new_one, accepted, waiting, child, closed, glass.glass_id, intake)
    await intake.stop()
    await database.aclose()


PAGES = (
    ("worker", "/"),
    ("worker", "/?tab=dikerjakan"),
    ("worker", "/?tab=selesai"),
    ("worker", "/rujukan/{new}"),
    ("worker", "/rujukan/{accepted}"),
    ("supervisor", "/eskalasi"),
    ("supervisor", "/eskalasi/ditutup"),
    ("supervisor", "/eskalasi/{waiting}/tutup"),
    ("supervisor", "/eskalasi/{child}/tutup"),
    ("supervisor", "/eskalasi/{closed}/buka"),
    ("supervisor", "/permintaan"),
    ("supervisor", "/kesenjangan"),
    ("supervisor", "/pengawasan"),
    ("supervisor", "/eskalasi/{waiting}/alasan"),
    ("supervisor", "/eskalasi/{waiting}/atur"),
    ("supervisor", "/eskalasi/{waiting}/penolakan"),
    ("supervisor", "/keluarga-terpisah"),
    ("worker", "/rujukan/{new}/penolakan"),
    ("worker", "/rujukan/{accepted}/berita-acara"),
    ("dpo", "/pengawasan"),
    ("coordinator", "/permintaan"),
    ("coordinator", "/kesenjangan"),
    ("coordinator", "/keluarga-terpisah"),
    ("coordinator", "/pengawasan"),
    ("coordinator", "/direktori"),
    ("coordinator", "/aturan"),
    ("coordinator", f"/aturan/{rules.latest()}"),
    ("coordinator", "/bagaimana-jika?go=1"),
    ("coordinator", "/angka"),
    ("coordinator", "/darurat"),
    ("coordinator", "/darurat/{glass}"),
)


@in_each_language
async def test_no_page_has_findings(sweep: Sweep, site: Site, language: str) -> None:
    addresses = (site.at(path, actor=actor, language=language) for actor, path in PAGES)
    await sweep(addresses)


async def decline_without_a_reason(sight: Sight) -> None:
    await sight.page.get_by_role("button", name="Tolak").click()
    await sight.page.get_by_text("Pilih alasannya.").first.wait_for()


async def test_a_forgotten_reason_is_found_by_everybody(see: Open, axe: Axe, site: Site) -> None:
    sight = await see(site.at(f"/rujukan/{site.new}"))

    await decline_without_a_reason(sight)

    assert await axe(sight.page) == []
    assert (await sight.page.title()).startswith("Galat:")


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
async def test_a_case_goes_from_the_inbox_to_the_handover(see: Open, site: Site, script: bool) -> None:
    sight = await see(site.at("/"), script=script)
    page = sight.page

    await page.locator("table a").first.click()
    await page.get_by_role("button", name="Terima").click()
    await page.get_by_text("Siti Aminah").wait_for()
    await page.get_by_role("button", name="Catat bahwa bantuan dimulai").click()
    await record_minutes(page, "BAST/7/2026", signed_at=START.astimezone(ZoneInfo("Asia/Makassar")))
    await page.get_by_role("radio", name="Diserahkan kepada keluarga").check()
    await page.fill("#f-handover_ref", "BAST/7/2026")
    await page.get_by_role("button", name="Selesaikan").click()

    await page.get_by_text("BAST/7/2026").wait_for()
    assert "Siti Aminah" not in await page.content()
    if script:
        assert sight.complaints == []


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
async def test_a_need_is_closed_with_a_reason_and_opened_again(see: Open, axe: Axe, site: Site, script: bool) -> None:
    sight = await see(site.at("/eskalasi", actor="supervisor"), script=script)
    page = sight.page

    await page.get_by_role("link", name="Tutup dengan alasan").first.click()
    await page.get_by_role("button", name="Tutup kebutuhan").click()
    await page.get_by_text("Pilih alasannya.").first.wait_for()
    if script:
        assert await axe(page) == []
    await page.get_by_role("radio", name="Orang meninggal dunia").check()
    await page.get_by_role("button", name="Tutup kebutuhan").click()
    await page.get_by_text("Kebutuhan ditutup.").wait_for()

    await page.get_by_role("link", name="Ditutup").click()
    await page.get_by_role("link", name="Buka kembali").first.click()
    await page.get_by_role("radio", name="Kebutuhan keliru ditutup").check()
    await page.get_by_role("button", name="Buka kembali").click()
    await page.get_by_text("Kebutuhan dibuka kembali").wait_for()


async def test_the_chosen_ones_are_accepted_at_once(see: Open, site: Site) -> None:
    sight = await see(site.at("/"), script=False)

    for box in await sight.page.get_by_role("checkbox").all():
        await box.check()
    await sight.page.get_by_role("button", name="Terima yang dipilih").click()

    await sight.page.get_by_text("2 rujukan diterima.").wait_for()


async def test_the_identity_comes_to_a_waiting_page_by_itself(
    see: Open, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identities, "EVERY_MS", 500)
    monkeypatch.setattr(gateways, "PATIENCE_S", 0.1)
    site.intake.answers = [409]

    sight = await see(site.at("/rujukan/{accepted}"))
    await sight.page.get_by_text("Identitas menyusul").wait_for()
    site.intake.answers = [{"full_name": "Siti Aminah"}]
    await sight.page.get_by_text("Siti Aminah").wait_for()

    await expect(sight.page.get_by_text("Identitas menyusul")).to_have_count(0)
    assert sight.complaints == []
