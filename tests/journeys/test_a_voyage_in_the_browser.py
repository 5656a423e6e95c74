"""One voyage through the whole system in a real browser: port, agency, subscriber, auditor, each as they sign in.

The services run as processes, signed in to by the development provider; nothing is set up behind their backs.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from deploy.local import stack
from deploy.local.identity_provider import client_secret
from shared.kit.identity import ServiceToken
from shared.kit.ids import new_id
from shared.verifier import rujukan_verify
from tests.browser.conftest import Open, Sight
from tests.browser.handing import record_minutes
from tests.conftest import Background
from tests.intake.factories import a_list, a_row
from tests.notify.receiver import Receiver
from tests.waiting import until

NAME = "Shakila binti Balangga"
OTHER_NAME = "Danuja bin Emong"

LIST = a_list(
    a_row(1, name=NAME, sex="F", born="1950-01-01", regency="73.06"),
    a_row(2, name=OTHER_NAME, born="1949-02-18", regency="73.06"),
    a_row(3, regency="73.06"),
    a_row(4, sex="Q", born="31-02-1987"),
)
"""Two older people of Gowa, one adult, and a row with two bad cells."""

CHANGED = 14  # bytes into the first payload of a bundle


@dataclass
class Running:
    """The stack with people to sign in as, and agencies' own systems."""

    stack: stack.Running
    receiver: Receiver
    see: Open
    folder: Path

    async def sign_in(self, service: str, person: str) -> Sight:
        """The first page of a service, as this person sees it after signing in."""
        sight = await self.see(f"{self.stack.urls[service]}/id/", accept_downloads=True)
        await sight.page.get_by_text(person, exact=True).click()
        await sight.page.wait_for_url(f"{self.stack.urls[service]}/id/")
        sight.complaints.clear()  # the provider is another origin, and wears no icon
        return sight

    async def ask(self, client: str, path: str) -> dict[str, Any]:
        """What referral's API answers an agency's own system."""
        token = ServiceToken(
            self.stack.urls["identity"], client, client_secret(self.stack.secrets["PROVIDER_SECRET"], client)
        )
        try:
            headers = await token.header("referral")
        finally:
            await token.aclose()
        async with (
            aiohttp.ClientSession() as session,
            session.get(self.stack.urls["referral"] + path, headers=headers) as answer,
        ):
            answer.raise_for_status()
            said: dict[str, Any] = await answer.json()
            return said


@pytest_asyncio.fixture(loop_scope="session")
async def rujukan(running: stack.Running, background: Background, see: Open, tmp_path: Path) -> AsyncIterator[Running]:
    """The stack, where notify may call a receiver on this machine."""

    def there(work: Coroutine[Any, Any, None]) -> asyncio.Future[None]:
        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, background.loop))

    receiver = Receiver()
    await receiver.start()
    told = {**running.environments["notify"], "WEBHOOK_ALLOW_PRIVATE": receiver.place}
    await there(running.stop("notify"))
    await there(running.start(stack.service_child("notify", running.urls["notify"], told)))
    yield Running(running, receiver, see, tmp_path)
    await receiver.stop()


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.timeout(240)
async def test_one_voyage_from_the_list_to_the_proof(rujukan: Running) -> None:
    subscriber = await subscribe_and_test(rujukan)
    port = await announce_upload_and_confirm(rujukan)
    worker = await rujukan.sign_in("referral", "dinsos.7306")
    first, second = await own_inbox(worker)
    stranger = await rujukan.sign_in("referral", "bp3mi.73")
    await sees_nothing_of(stranger, first)
    case_id = (await rujukan.ask("DINSOS-73.06", f"/api/assignments/{first}"))["case_id"]
    await accept_and_hand_over(worker, first)
    await decline_and_see_it_elsewhere(rujukan, worker, second)
    await notices_have_come(rujukan, subscriber, case_id)
    auditor = await rujukan.sign_in("audit", "auditor")
    await read_the_trail(auditor, case_id)
    await verify_offline(rujukan, auditor)

    for sight in (subscriber, port, worker, auditor):
        assert sight.complaints == []


async def subscribe_and_test(rujukan: Running) -> Sight:
    """The NGO subscribes to South Sulawesi, sends a test and sees the attempt."""
    sight = await rujukan.sign_in("notify", "lsm")
    page = sight.page
    await page.get_by_role("link", name="Langganan baru").first.click()
    await page.get_by_label("Nama").fill("Posko Makassar")
    await page.get_by_label("Alamat server Anda").fill(f"{rujukan.receiver.url}/ok")
    await page.get_by_text("Provinsi (semua)").click()
    await page.locator("label", has=page.locator("input[name=provinces][value='73']")).click()
    await page.get_by_role("button", name="Buat langganan").click()
    assert (await page.get_by_text("whsec_").first.inner_text()).startswith("whsec_")
    await page.get_by_role("button", name="Kirim uji coba").click()
    await page.get_by_text("Server Anda menerima uji coba.").first.wait_for()
    await expect(page.get_by_role("heading", name="Percobaan 1")).to_be_visible()
    await expect(page.get_by_text("HTTP 204")).to_be_visible()
    assert len(rujukan.receiver.at("/ok")) == 1
    return sight


async def announce_upload_and_confirm(rujukan: Running) -> Sight:
    """The officer announces a voyage, looks at the list, sends what is ready and watches it being referred."""
    sight = await rujukan.sign_in("intake", "petugas.nnk")
    page = sight.page
    await page.get_by_role("link", name="Umumkan pelayaran").first.click()
    await page.fill("#f-vessel", "KM Purnama")
    await page.fill("#f-announced", "4")
    await page.fill("#f-time", "00.30")
    await page.get_by_role("button", name="Umumkan").click()
    await page.get_by_role("link", name="Unggah daftar").click()
    await page.set_input_files("#f-file", {"name": "daftar.csv", "mimeType": "text/csv", "buffer": LIST})
    await page.get_by_role("button", name="Periksa daftar").click()
    problems = page.locator("section", has_text="Orang4").first.locator(".problem")
    await expect(problems).to_have_count(2)
    await expect(page.locator("input[value='31-02-1987']")).to_be_visible()
    await page.get_by_role("button", name="Kirim 3 siap, tahan 1").click()
    await page.get_by_text("Semua sudah dirujuk.").first.wait_for()
    assert NAME not in await page.content()
    await page.goto(f"{rujukan.stack.urls['intake']}/id/")
    await expect(page.get_by_role("link", name="KM Purnama")).to_be_visible()
    return sight


async def inbox(page: Page) -> list[str]:
    """The ids of what stands in an agency's inbox, in its order."""
    return re.findall(r'href="/id/rujukan/([0-9a-f-]{36})"', await page.content())


async def own_inbox(sight: Sight) -> list[str]:
    """Both older people's needs, and nothing that went to others."""
    await until(lambda: reloaded_with(sight.page, 2))
    found = await inbox(sight.page)
    assert len(found) == 2
    await expect(sight.page.locator("tbody tr", has_text="Lanjut usia")).to_have_count(2)
    return found


async def reloaded_with(page: Page, rows: int) -> bool:
    await page.reload()
    return len(await inbox(page)) >= rows


async def sees_nothing_of(stranger: Sight, assignment_id: str) -> None:
    """Another agency has its own inbox, and for this case the very answer it gets for one that does not exist."""
    page = stranger.page
    await until(lambda: reloaded_with(page, 3))
    assert assignment_id not in await inbox(page)
    said = []
    for id_ in (assignment_id, new_id()):
        answer = await page.goto(f"{origin(page)}/id/rujukan/{id_}")
        assert answer is not None
        body = await page.content()
        said.append((answer.status, re.sub(r"[0-9a-f]{32}", "", body.replace(id_, ""))))
    assert said[0][0] == 404
    assert without_tokens(said[0][1]) == without_tokens(said[1][1])


def origin(page: Page) -> str:
    parts = urlsplit(page.url)
    return f"{parts.scheme}://{parts.netloc}"


def without_tokens(body: str) -> str:
    """The page without what is new on every page: the keys of its forms."""
    return re.sub(r'name="(idempotency_key|csrf)" value="[^"]*"', "", body)


async def accept_and_hand_over(sight: Sight, assignment_id: str) -> None:
    """No name before, the name after; then the outcome with the number of the minutes, and no name again."""
    page = sight.page
    await page.goto(f"{origin(page)}/id/rujukan/{assignment_id}")
    body = await page.content()
    assert NAME not in body
    assert OTHER_NAME not in body
    await page.get_by_role("button", name="Terima").click()
    await page.get_by_role("heading", name="Identitas").wait_for()

    async def one_is_named() -> bool:
        """At once, or after a reload where intake has yet to hear of the acceptance."""
        body = await page.content()
        if NAME not in body and OTHER_NAME not in body:
            await page.reload()
            return False
        return (NAME in body) != (OTHER_NAME in body)

    await until(one_is_named)
    await page.get_by_role("button", name="Catat bahwa bantuan dimulai").click()
    await record_minutes(page, "BAST/7/2026", signed_at=datetime.now(ZoneInfo("Asia/Makassar")))
    await page.get_by_role("radio", name="Diserahkan kepada keluarga").check()
    await page.fill("#f-handover_ref", "BAST/7/2026")
    await page.get_by_role("button", name="Selesaikan").click()
    await page.get_by_text("BAST/7/2026").wait_for()
    body = await page.content()
    assert NAME not in body
    assert OTHER_NAME not in body


async def decline_and_see_it_elsewhere(rujukan: Running, sight: Sight, assignment_id: str) -> None:
    """With a coded reason; the province's office is asked next."""
    page = sight.page
    case = await rujukan.ask("DINSOS-73.06", f"/api/assignments/{assignment_id}")
    await page.goto(f"{origin(page)}/id/rujukan/{assignment_id}")
    await page.locator("label", has=page.locator("input[name=reason][value=no_capacity]")).click()
    await page.get_by_role("button", name="Tolak").click()
    await page.get_by_text("ditolak").first.wait_for()

    async def asked_elsewhere() -> bool:
        items = (await rujukan.ask("DINSOS-73", "/api/inbox"))["items"]
        return any(item["case_id"] == case["case_id"] for item in items)

    await until(asked_elsewhere)


async def notices_have_come(rujukan: Running, sight: Sight, case_id: str) -> None:
    """The NGO's server was told of the case by its code, and its page shows the attempt."""
    await until(lambda: any(case_id.encode() in one.body for one in rujukan.receiver.at("/ok")[1:]))
    for one in rujukan.receiver.received:
        assert NAME.encode() not in one.body
        assert OTHER_NAME.encode() not in one.body
    page = sight.page
    await page.get_by_role("link", name="Posko Makassar").first.click()
    await page.get_by_role("table").get_by_role("link", name="Diterima instansi").first.click()
    await expect(page.get_by_role("heading", name="Percobaan 1")).to_be_visible()


async def read_the_trail(sight: Sight, case_id: str) -> None:
    """Found by its id: what all four services did, the reading of the name and this reading included."""
    page = sight.page
    await page.fill("#f-case", case_id)
    await page.get_by_role("button", name="Cari").click()
    await page.wait_for_url(f"**/kasus/{case_id}")
    expected = (
        "intake.arrival_recorded.v1",
        "referral.assignment_accepted.v1",
        "intake.identity_disclosed.v1",
        "referral.assignment_completed.v1",
        "notify.notice_delivered.v1",
        "audit.trail_read.v1",
    )

    async def all_there() -> bool:
        await page.reload()
        body = await page.content()
        return all(type_ in body for type_ in expected)

    await until(all_there)
    body = await page.content()
    assert "dinsos.7306" in body
    assert NAME not in body
    assert OTHER_NAME not in body
    await expect(page.get_by_text("Tidak ada yang hilang")).to_be_visible()


async def verify_offline(rujukan: Running, sight: Sight) -> None:
    """The downloaded proof holds; with one byte changed it does not."""
    page = sight.page
    key = await (await sight.context.request.get(f"{origin(page)}/verifier-key")).text()
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Unduh bukti").click()
    bundle = rujukan.folder / "bundle.json"
    await (await download.value).save_as(bundle)
    assert rujukan_verify.main([str(bundle), "--key", key.strip()]) == 0

    content = bytearray(bundle.read_bytes())
    content[content.index(b'"payload"') + CHANGED] ^= 1
    bundle.write_bytes(content)
    assert rujukan_verify.main([str(bundle), "--key", key.strip()]) == 1
