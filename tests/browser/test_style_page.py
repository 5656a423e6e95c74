"""The style page shows every part; what holds here holds on all pages made of them."""

import gzip
import itertools

import pytest
import pytest_asyncio
from fastapi import FastAPI
from playwright.async_api import expect

from shared.kit import web
from shared.kit.web.assets import KIT_STATIC
from tests.browser.conftest import DESKTOP, PHONE, SMALLEST, Axe, Open, Serve, Sweep, in_each_language

SIZES = {"phone": PHONE, "desktop": DESKTOP}
STATES = {"fresh": "", "rejected": "?errors=1"}


@pytest_asyncio.fixture(loop_scope="session")
async def site(serve: Serve) -> str:
    app = FastAPI()
    web.install(
        app,
        service="intake",
        navigation=[("/gaya", "Style page"), ("/inbox", "Inbox"), ("/notices", "Notices")],
        development=True,
    )
    return await serve(app)


@in_each_language
async def test_has_no_accessibility_findings(sweep: Sweep, site: str, language: str) -> None:
    views = list(itertools.product(SIZES.values(), ["light", "dark"]))

    await sweep([f"{site}/{language}/gaya{state}" for state in STATES.values()], views)


async def test_has_no_findings_in_an_open_dialog(see: Open, axe: Axe, site: str) -> None:
    sight = await see(f"{site}/id/gaya")

    await sight.page.get_by_role("button", name="Tolak", exact=True).click()
    await sight.page.get_by_role("dialog").wait_for()

    assert await axe(sight.page) == []


async def test_opens_the_dialog_without_scripts(see: Open, site: str) -> None:
    sight = await see(f"{site}/id/gaya", script=False)

    await sight.page.get_by_role("button", name="Tolak", exact=True).click()

    await expect(sight.page.locator("#decline")).to_be_visible()


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("language", ["id", "en"])
async def test_does_not_scroll_sideways_at_320_px(see: Open, site: str, language: str, state: str) -> None:
    sight = await see(f"{site}/{language}/gaya{STATES[state]}", size=SMALLEST)

    assert await sight.sideways_px() == 0


@pytest.mark.parametrize("size", SIZES)
async def test_never_covers_what_has_the_focus(see: Open, site: str, size: str) -> None:
    sight = await see(f"{site}/id/gaya", size=SIZES[size])

    assert await sight.covered_focus() == []


async def test_gives_fingers_48_px(see: Open, site: str) -> None:
    sight = await see(f"{site}/id/gaya", size=PHONE, has_touch=True, is_mobile=True)

    small: list[str] = await sight.page.evaluate(
        """() => [...document.querySelectorAll(
               '.button, .field input:not(.check input), .field select, .check, .chip, .nav a, .tabs a')]
             .map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
             .filter(([_, box]) => box.height > 0 && box.height < 48).map(([html, box]) => `${box.height} ${html}`)"""
    )

    assert small == []


async def test_keeps_the_box_of_a_choice_beside_its_words(see: Open, site: str) -> None:
    sight = await see(f"{site}/id/gaya", size=SMALLEST)

    below: list[str] = await sight.page.evaluate(
        """() => [...document.querySelectorAll('form .chip span')].filter(e => {
             if (!e.getClientRects().length) return false;
             e.firstChild.data = 'Korban kekerasan yang belum dapat dipulangkan ke daerah asalnya';
             const words = document.createRange();
             words.selectNode(e.firstChild);
             return words.getBoundingClientRect().left - e.getBoundingClientRect().left < 32;
           }).map(e => e.textContent)"""
    )

    assert below == []
    assert await sight.sideways_px() == 0
    await sight.page.get_by_role("checkbox", name="60+").check()


async def test_puts_the_focus_on_the_error_summary(see: Open, site: str) -> None:
    sight = await see(f"{site}/id/gaya?errors=1")

    await expect(sight.page.locator(".error-summary")).to_be_focused()
    assert (await sight.page.title()).startswith("Galat: ")
    await sight.page.get_by_role("link", name="Isi nama lengkap.").click()
    await expect(sight.page.locator("[name=full_name]")).to_be_focused()


async def test_keeps_the_chosen_look(see: Open, site: str) -> None:
    sight = await see(f"{site}/en/gaya?errors=1")

    async with sight.page.expect_navigation():
        await sight.page.get_by_role("button", name="Dark").click()

    assert sight.page.url == f"{site}/en/gaya?errors=1"
    assert await sight.page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


async def test_switches_language_and_keeps_the_query(see: Open, site: str) -> None:
    sight = await see(f"{site}/id/gaya?errors=1")

    async with sight.page.expect_navigation():
        await sight.page.get_by_role("link", name="English").click()

    assert sight.page.url == f"{site}/en/gaya?errors=1"
    assert await sight.page.evaluate("document.documentElement.lang") == "en"


async def test_prints_each_row_once_on_white(see: Open, site: str) -> None:
    sight = await see(f"{site}/id/gaya", theme="dark")

    await sight.page.emulate_media(media="print")

    assert (
        await sight.page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    )
    await expect(sight.page.locator(".nav")).to_be_hidden()


def test_style_and_script_stay_within_budget() -> None:
    style, script = ((KIT_STATIC / name).read_bytes() for name in ("app.css", "app.js"))

    assert len(gzip.compress(style, 9)) <= 12_000
    assert len(gzip.compress(script, 9)) <= 4_000
