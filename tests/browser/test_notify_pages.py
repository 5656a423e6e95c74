"""The subscribers' pages in a real browser: readable by everybody, at any size, with and without a script."""

import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
import pytest_asyncio
from playwright.async_api import expect
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from services.notify.__main__ import build
from services.notify.actions.subscriptions import end_subscription
from services.notify.clock import Courier
from services.notify.settings import Settings
from shared.contracts.referral.assignments import AssignmentAccepted
from shared.kit.clock import FixedClock
from shared.kit.database import connect
from shared.kit.service import application
from tests.browser.conftest import SMALLEST, Axe, Open, Serve, Sight, Sweep, in_each_language
from tests.conftest import DatabaseUrls
from tests.notify.conftest import ACTORS, SEAL, START, a_channel
from tests.notify.factories import a_fact, a_subscription, hear
from tests.notify.receiver import Receiver


class SignedIn:
    """ASGI: whoever `now` names has been let in by the gate."""

    now = "ngo"

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope.setdefault("state", {})["actor"] = ACTORS[SignedIn.now]
        await self.app(scope, receive, send)


@dataclass
class Site:
    url: str
    receiver: Receiver
    subscriptions: dict[str, str]
    """By the path that the receiver is called at."""
    deliveries: dict[str, str]

    def at(self, path: str, *, actor: str = "ngo", language: str = "id") -> str:
        """The address of a page, for this actor from now on."""
        SignedIn.now = actor
        return f"{self.url}/{language}{path}"


@pytest_asyncio.fixture(loop_scope="session")
async def site(serve: Serve, database_urls: DatabaseUrls) -> AsyncIterator[Site]:
    """Notify's application: a server that takes notices, one that is down, one that refuses, one that is gone, and one
    that nobody wants told any more."""
    database = await connect(database_urls("notify").application, service="notify", clock=FixedClock(START))
    receiver = Receiver()
    await receiver.start()
    subscriptions = {
        path: await a_subscription(database, actor=ACTORS["ngo"], url=receiver.url + path, seal=SEAL, name=name)
        for path, name in {
            "/ok": "Posko Kupang",
            "/status/503": "Server malam",
            "/status/422": "Server lama",
            "/status/410": "Kantor yang sudah tutup",
            "/former": "Posko lama",
        }.items()
    }
    await hear(database, a_fact(), a_fact(AssignmentAccepted, need="WAGE"))
    async with a_channel(receiver) as channel:
        for trusted in (True, False):
            courier = Courier(database, {"webhook": channel}, trusted=trusted)
            await courier.turn()
            await courier.drain()
            await courier.aclose()
    async with database.work(ACTORS["ngo"], purpose="end") as work:
        await end_subscription(work, subscriptions["/former"])
    rows = await database.fetch(
        "SELECT DISTINCT ON (subscription_id) subscription_id::text, delivery_id::text FROM deliveries"
        " ORDER BY subscription_id, delivery_id"
    )
    first = {row["subscription_id"]: row["delivery_id"] for row in rows}
    settings = Settings(
        environment="development",
        database_url=database.url,
        roles="http",
        notify_secret_key=SecretStr(base64.urlsafe_b64encode(bytes(range(32))).decode()),
        webhook_allow_private=receiver.place,
        oidc_issuer="http://127.0.0.1:1",
    )
    async with AsyncExitStack() as stack:
        app = application(await build(settings, database, stack))
        app.add_middleware(SignedIn)
        deliveries = {path: first[id_] for path, id_ in subscriptions.items()}
        yield Site(await serve(app), receiver, subscriptions, deliveries)
    await receiver.stop()
    await database.aclose()


def pages(site: Site) -> list[tuple[str, str]]:
    """Every page as (actor, path), each in the states that look different."""
    each = [f"/langganan/{site.subscriptions[path]}" for path in ("/ok", "/status/503", "/status/410", "/former")]
    each += [f"/pengiriman/{site.deliveries[path]}" for path in ("/ok", "/status/503", "/status/422", "/former")]
    each += ["/", "/tugas", "/langganan/baru", f"/langganan/{site.subscriptions['/ok']}/ubah"]
    refused = f"/pengiriman/{site.deliveries['/status/422']}"
    watched = [("operator", path) for path in ("/", "/tugas", refused)]
    return [*(("ngo", path) for path in each), ("stranger", "/"), *watched]


@in_each_language
async def test_no_page_has_findings(sweep: Sweep, site: Site, language: str) -> None:
    addresses = (site.at(path, actor=actor, language=language) for actor, path in pages(site))
    await sweep(addresses)


async def subscribe(sight: Sight, address: str) -> str:
    """Fill in the form and see the secret."""
    page = sight.page
    await page.get_by_label("Nama").fill("Posko Makassar")
    await page.get_by_label("Alamat server Anda").fill(address)
    await page.get_by_role("button", name="Buat langganan").click()
    return await page.get_by_text("whsec_").first.inner_text()


async def test_the_secret_and_what_is_wrong_with_a_form_are_readable_by_everybody(
    see: Open, axe: Axe, site: Site
) -> None:
    sight = await see(site.at("/langganan/baru"), size=SMALLEST)

    await sight.page.get_by_role("button", name="Buat langganan").click()
    await expect(sight.page.locator(".error-summary")).to_be_focused()
    assert await axe(sight.page) == []
    sight.complaints.clear()  # the browser calls every 422 an error
    await subscribe(sight, f"{site.receiver.url}/ok")

    assert await axe(sight.page) == []
    assert await sight.sideways_px() == 0
    assert sight.complaints == []


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
async def test_a_subscription_is_made_tested_paused_and_ended(see: Open, site: Site, script: bool) -> None:
    sight = await see(site.at("/langganan/baru"), script=script)
    page = sight.page

    assert (await subscribe(sight, f"{site.receiver.url}/new")).startswith("whsec_")
    await page.get_by_role("button", name="Kirim uji coba").click()
    await page.get_by_text("Server Anda menerima uji coba.").first.wait_for()
    assert len(site.receiver.at("/new")) == 1
    await page.get_by_role("link", name="Posko Makassar").click()
    await page.get_by_role("button", name="Jeda").click()
    await page.get_by_role("button", name="Lanjutkan").click()
    await page.get_by_text("Akhiri langganan ini").click()
    await page.get_by_role("button", name="Akhiri langganan").click()

    await page.get_by_role("heading", level=1, name="Langganan").wait_for()
    await expect(page.locator("section.panel").get_by_text("Posko Makassar")).to_have_count(0)
    await page.get_by_role("link", name="Posko Makassar").click()
    await page.get_by_text("Tidak ada lagi yang dikirim; log pengiriman disimpan.").wait_for()
    await expect(page.get_by_role("button", name="Kirim uji coba")).to_have_count(0)
    if script:
        assert sight.complaints == []


async def test_a_task_is_closed_and_another_sent_again_without_a_script(see: Open, site: Site) -> None:
    sight = await see(site.at("/tugas"), script=False)
    page = sight.page

    open_tasks = await page.locator("section.panel").count()
    await page.get_by_role("button", name="Tutup tanpa mengirim").first.click()
    await page.get_by_role("heading", level=1, name="Tugas").wait_for()
    await expect(page.locator("section.panel")).to_have_count(open_tasks - 1)
    async with page.expect_navigation():
        await page.get_by_role("button", name="Kirim ulang").first.click()
    await page.goto(site.at("/tugas"))

    await expect(page.locator("section.panel")).to_have_count(open_tasks - 2)
