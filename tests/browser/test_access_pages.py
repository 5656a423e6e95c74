"""What people do about access in a browser: end a device of their own, take access away from somebody."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Axe
from tests.conftest import DatabaseUrls
from tests.kit.outside_issuer import outside_issuer
from tests.waiting import until
from tests.web.served import CHROMIUM, Served, served, session_of


@pytest_asyncio.fixture(loop_scope="session")
async def site(database_urls: DatabaseUrls) -> AsyncIterator[Served]:
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(outside_issuer())
        yield await stack.enter_async_context(served("referral", database_urls, issuer))


async def come_in(context: BrowserContext, site: Served, who: str) -> Page:
    """A page in this browser, where this person is signed in now."""
    cookies, _ = await session_of(site, who, user_agent=CHROMIUM)
    await context.add_cookies([{"name": name, "value": value, "url": site.url} for name, value in cookies.items()])
    return await context.new_page()


async def is_out(context: BrowserContext, site: Served) -> bool:
    """Whether this browser is sent to sign in when it asks for a page."""
    answer = await context.request.get(f"{site.url}/id/", max_redirects=0, headers={"Accept": "text/html"})
    return answer.status in (302, 303) and "/masuk" in answer.headers["location"]


async def test_a_person_ends_another_device_and_stays_here(browser: Browser, axe: Axe, site: Served) -> None:
    here, there = await browser.new_context(locale="id-ID"), await browser.new_context()
    page = await come_in(here, site, "worker")
    await come_in(there, site, "worker")
    await page.goto(f"{site.url}/id/perangkat")
    await expect(page.locator("main section")).to_have_count(2)
    assert await axe(page) == []

    await page.locator("form[action$='/akhir'] button").click()

    await page.get_by_text("Perangkat itu sudah dikeluarkan.").wait_for()
    await expect(page.locator("main section")).to_have_count(1)
    assert [await is_out(context, site) for context in (here, there)] == [False, True]
    await here.close()
    await there.close()


async def test_who_is_revoked_is_out_within_a_second(browser: Browser, axe: Axe, site: Served) -> None:
    here, there = await browser.new_context(locale="id-ID"), await browser.new_context()
    page = await come_in(here, site, "protector")
    await come_in(there, site, "worker")
    assert not await is_out(there, site)
    await page.goto(f"{site.url}/id/pencabutan")
    assert await axe(page) == []
    await page.locator("[name=scope][value=person]").check(force=True)
    await page.fill("#f-code", "wati")
    await page.locator("[name=kind][value=bar]").check(force=True)
    await page.locator("[name=why]").select_option("misuse")

    await page.locator("form[action$='/pencabutan'] button").click()

    await page.get_by_role("heading", name="wati").wait_for()

    async def out() -> bool:
        return await is_out(there, site)

    await until(out, within_s=1)
    await here.close()
    await there.close()
