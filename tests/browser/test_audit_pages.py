"""The auditor's pages in a real browser: readable by everybody, at any size, with and without a script."""

import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest_asyncio
from playwright.async_api import expect

from services.audit import actions
from services.audit.__main__ import build
from services.audit.settings import Settings
from shared.kit.database import connect
from shared.kit.ids import new_id
from shared.kit.service import application
from shared.verifier import rujukan_verify
from tests.audit import factories
from tests.audit.ledger import AUDITOR, ORIGIN, Ledger
from tests.browser.conftest import Open, Serve, Sweep, in_each_language
from tests.browser.signed_in import SignedIn
from tests.conftest import DatabaseUrls

CASE = factories.CASE


@dataclass
class Site:
    url: str
    ledger: Ledger


@pytest_asyncio.fixture(loop_scope="session")
async def site(serve: Serve, database_urls: DatabaseUrls) -> AsyncIterator[Site]:
    """Audit's application with one case that was referred, accepted, noticed, and has a hole."""
    database = await connect(database_urls("audit").application, service="audit")
    ledger = Ledger(database, actions.Signer(ORIGIN, b"k" * 32))
    arrival, opened = new_id(), new_id()
    referral = {"need": "SICK", "province": "73", "restricted": False, "referral_id": new_id()}
    await ledger.hear(*({"case_id": new_id()} for _ in range(300)))
    await ledger.seal()
    await ledger.hear(
        {
            "event_id": arrival,
            "payload": factories.a_payload(CASE, port="NNK", sex="F", age_band="elderly", needs=["SICK", "NEED"]),
        },
        {
            "event_id": opened,
            "source": "referral",
            "type_": "referral.referral_opened.v1",
            "payload": factories.a_payload(CASE, caused_by=arrival, by="system", port="NNK", **referral),
        },
        {
            "source": "referral",
            "type_": "referral.assignment_declined.v1",
            "case_seq": 3,
            "payload": factories.a_payload(CASE, caused_by=opened, reason="no_capacity", side="AGENCY", **referral),
        },
        {"source": "notify", "type_": "notify.notice_delivered.v1", "payload": factories.a_payload(CASE, status=204)},
    )
    await ledger.seal()
    settings = Settings(
        environment="development",
        database_url=database.url,
        roles="http",
        ledger_key=base64.urlsafe_b64encode(b"k" * 32).decode(),
        ledger_origin=ORIGIN,
        oidc_issuer="http://127.0.0.1:1",
    )
    async with AsyncExitStack() as stack:
        app = application(await build(settings, database, stack))
        app.add_middleware(SignedIn, actor=AUDITOR)
        yield Site(await serve(app), ledger)
    await database.aclose()


@in_each_language
async def test_no_page_has_findings(sweep: Sweep, site: Site, language: str) -> None:
    paths = ("/", "/?case=019ab000", f"/kasus/{CASE}", "/ledger", "/verifikasi")

    await sweep(f"{site.url}/{language}{path}" for path in paths)


async def test_a_case_is_found_read_and_its_proof_verified_without_a_script(
    see: Open, site: Site, tmp_path: Path
) -> None:
    sight = await see(f"{site.url}/id/", script=False, accept_downloads=True)

    await sight.page.fill("#f-case", CASE)
    await sight.page.get_by_role("button", name="Cari").click()
    await expect(sight.page.get_by_role("heading", level=1)).to_have_text("Jejak satu kasus")
    await expect(sight.page.get_by_text("Baris 2 dari Rujukan hilang.")).to_be_visible()
    await sight.page.get_by_text("Baris 1 dari Penerimaan, daun 300").click()
    await expect(sight.page.get_by_text('"port": "NNK"').first).to_be_visible()
    async with sight.page.expect_download() as download:
        await sight.page.get_by_role("link", name="Unduh bukti").click()
    bundle = tmp_path / "bundle.json"
    await (await download.value).save_as(bundle)

    # The hole is in the proof as well.
    assert rujukan_verify.main([str(bundle), "--key", site.ledger.signer.verifier_key]) == 1
