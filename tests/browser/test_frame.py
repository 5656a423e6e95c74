"""The frame around every page: who is signed in, what was said, parts that follow what happens."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI, Request
from playwright.async_api import expect
from starlette.responses import RedirectResponse, Response

from shared.kit import web
from shared.kit.actor import Actor
from tests.browser.conftest import DESKTOP, PHONE, SMALLEST, Axe, Open, Serve

TEMPLATE = """{% extends "shell.html" %}
{% block title %}KM Bukit Raya{% endblock %}
{% block main %}
<h1>KM Bukit Raya</h1>
{% block progress %}
{% if done < 3 %}
{% call parts.live(url("/progress"), every=500) %}{{ parts.progress(done, 3, "Referred") }}{% endcall %}
{% else %}<div data-say="All rows are referred.">{{ parts.progress(done, 3, "Referred") }}</div>{% endif %}
{% endblock %}
<form method="post" action="{{ url("/voyages") }}">
  {{ hidden_fields() }}{{ parts.field("ship", "Ship") }}{{ parts.button("Save") }}
</form>
<form method="post" action="{{ url("/voyages") }}" id="roll" data-part>
  {{ hidden_fields() }}{{ parts.button("Here") }}
</form>
{% endblock %}
"""
DEVICES = """{% extends "shell.html" %}
{% block title %}My devices{% endblock %}
{% block main %}<h1>My devices</h1>{% endblock %}
"""


class Seen:
    """What reached the server."""

    def __init__(self) -> None:
        self.done = 0
        self.posts: list[str] = []
        self.ships: list[str] = []
        self.person: str | None = "a"
        """Who is signed in."""


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest_asyncio.fixture(loop_scope="session")
async def site(serve: Serve, tmp_path: Path, seen: Seen) -> str:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "voyage.html").write_text(TEMPLATE)
    (tmp_path / "templates" / "mine.html").write_text(DEVICES)
    app = FastAPI()
    web.install(
        app,
        service="intake",
        folder=tmp_path,
        navigation=[("/voyages", "Inbox"), ("/needs", "Needs"), ("/audit", "Audit trail"), ("/notices", "Notices")],
    )
    pages = web.page_router()

    @pages.get("/voyages")
    async def voyage(request: Request) -> Response:
        request.state.actor = Actor("a", "BP3MI-NUSA-TENGGARA-TIMUR", frozenset({"data_protection_officer"}))
        return web.page(request, "voyage.html", done=seen.done)

    @pages.get("/perangkat")
    async def devices(request: Request) -> Response:
        if seen.person is None:
            return RedirectResponse("/masuk", 303)
        request.state.actor = Actor(seen.person, "BP3MI-NUSA-TENGGARA-TIMUR", frozenset({"data_protection_officer"}))
        return web.page(request, "mine.html")

    @pages.get("/progress")
    async def progress(request: Request) -> Response:
        seen.done += 1
        return web.fragment(request, "voyage.html", "progress", done=seen.done)

    @pages.post("/voyages")
    async def post(request: Request) -> Response:
        seen.posts.append(await web.key_of(request))
        seen.ships.append(str((await request.form()).get("ship", "")))
        await asyncio.sleep(0.3)
        return web.redirect(request, "/voyages", said="Copied")

    app.include_router(pages)
    return await serve(app)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_has_no_findings_when_somebody_is_signed_in(
    see: Open, axe: Axe, site: str, size: Any, theme: Any
) -> None:
    sight = await see(f"{site}/id/voyages", size=size, theme=theme)

    assert await axe(sight.page) == []
    assert sight.complaints == []


async def test_fits_the_smallest_screen(see: Open, site: str) -> None:
    sight = await see(f"{site}/id/voyages", size=SMALLEST)

    assert await sight.sideways_px() == 0


async def test_follows_progress_and_says_when_it_is_done(see: Open, site: str, seen: Seen) -> None:
    sight = await see(f"{site}/en/voyages")

    await sight.page.get_by_role("status").get_by_text("All rows are referred.").wait_for()

    await expect(sight.page.get_by_text("3 / 3").first).to_be_visible()
    assert seen.done == 3
    await asyncio.sleep(0.8)
    assert seen.done == 3
    assert sight.complaints == []


async def test_offers_to_refresh_without_scripts(see: Open, site: str) -> None:
    sight = await see(f"{site}/en/voyages", script=False)

    await expect(sight.page.get_by_role("link", name="Refresh this page")).to_be_visible()


async def test_sends_a_form_once_and_says_so_once(see: Open, site: str, seen: Seen) -> None:
    sight = await see(f"{site}/id/voyages")

    await sight.page.get_by_role("button", name="Save").dblclick()
    await sight.page.get_by_role("status").get_by_text("Tersalin").wait_for()

    assert len(seen.posts) == 1
    assert sight.page.url == f"{site}/id/voyages"
    await sight.page.reload()
    await expect(sight.page.get_by_text("Tersalin")).to_have_count(0)


async def test_sends_the_same_key_again_without_scripts(see: Open, site: str, seen: Seen) -> None:
    sight = await see(f"{site}/id/voyages", script=False)

    await sight.page.get_by_role("button", name="Save").dblclick()
    await sight.page.get_by_text("Tersalin").wait_for()

    assert len(set(seen.posts)) == 1


async def test_is_a_page_when_something_is_not_there(see: Open, axe: Axe, site: str) -> None:
    sight = await see(f"{site}/id/nothing")

    assert await axe(sight.page) == []
    assert await sight.page.title() == "Halaman ini tidak ada – Rujukan"


async def test_takes_away_what_it_shows_when_the_session_has_ended(see: Open, axe: Axe, site: str, seen: Seen) -> None:
    seen.done = 3
    sight = await see(f"{site}/en/voyages")
    await sight.page.clock.install()
    await sight.page.reload()

    await sight.page.clock.run_for("29:00")
    await expect(sight.page.get_by_role("heading", name="KM Bukit Raya")).to_be_visible()
    await sight.page.context.set_offline(True)
    await sight.page.clock.run_for("01:10")

    assert "Bukit Raya" not in await sight.page.content()
    await expect(sight.page.get_by_role("link", name="Sign in")).to_be_visible()
    assert await axe(sight.page) == []


async def test_takes_away_what_it_shows_when_somebody_signs_out_on_another_page(
    see: Open, site: str, seen: Seen
) -> None:
    seen.done = 3
    sight = await see(f"{site}/en/voyages")
    other = await sight.page.context.new_page()
    await other.goto(f"{site}/en/voyages")

    await other.get_by_role("button", name="Sign out").click()

    await sight.page.get_by_role("link", name="Sign in").wait_for()
    assert "Bukit Raya" not in await sight.page.content()


async def test_stays_while_another_page_is_used(see: Open, site: str, seen: Seen) -> None:
    seen.done = 3
    sight = await see(f"{site}/en/voyages")
    await sight.page.clock.install()
    await sight.page.reload()
    await sight.page.clock.run_for("20:00")

    other = await sight.page.context.new_page()
    await other.goto(f"{site}/en/voyages")
    await other.close()
    await sight.page.clock.run_for("20:00")

    await expect(sight.page.get_by_role("heading", name="KM Bukit Raya")).to_be_visible()


@pytest.mark.parametrize("button", ["Save", "Here"])
async def test_sends_nothing_without_signal_and_keeps_what_was_typed(
    see: Open, axe: Axe, site: str, seen: Seen, button: str
) -> None:
    seen.done = 3
    sight = await see(f"{site}/en/voyages", size=PHONE)
    await sight.page.get_by_label("Ship").fill("KM Purnama")

    await sight.page.context.set_offline(True)
    await sight.page.get_by_role("button", name=button).click()
    await expect(sight.page.get_by_role("alert")).to_contain_text("Not sent: no signal")
    assert await axe(sight.page) == []
    before = await sight.page.locator(".held").element_handle()
    await sight.page.get_by_role("button", name=button).click()
    await before.wait_for_element_state("hidden")
    await expect(sight.page.get_by_role("alert")).to_have_count(1)
    assert seen.posts == []

    await sight.page.context.set_offline(False)
    await sight.page.get_by_role("button", name="Save").click()
    await sight.page.get_by_role("status").get_by_text("Copied").wait_for()
    assert seen.ships == ["KM Purnama"]


@pytest.mark.parametrize(
    ("person", "words"), [(None, "Not sent: your session has ended"), ("b", "Not sent: somebody else is signed in")]
)
async def test_keeps_what_was_typed_until_who_typed_it_is_signed_in_again(
    see: Open, axe: Axe, site: str, seen: Seen, person: str | None, words: str
) -> None:
    seen.done = 3
    sight = await see(f"{site}/en/voyages", size=PHONE)
    await sight.page.clock.install()
    await sight.page.reload()
    await sight.page.get_by_label("Ship").fill("KM Purnama")
    await sight.page.clock.fast_forward("02:00")

    seen.person = person
    await sight.page.get_by_role("button", name="Save").click()
    await expect(sight.page.get_by_role("alert")).to_contain_text(words)
    assert await axe(sight.page) == []
    assert seen.posts == []

    seen.person = "a"
    await sight.page.get_by_role("button", name="Save").click()
    await sight.page.get_by_role("status").get_by_text("Copied").wait_for()
    assert seen.ships == ["KM Purnama"]


async def test_stays_while_somebody_types(see: Open, site: str, seen: Seen) -> None:
    seen.done = 3
    sight = await see(f"{site}/en/voyages")
    await sight.page.clock.install()
    await sight.page.reload()

    for _ in range(2):
        await sight.page.clock.run_for("20:00")
        async with sight.page.expect_response(f"{site}/en/perangkat"):
            await sight.page.get_by_label("Ship").press_sequentially("KM")
    await sight.page.clock.run_for("20:00")

    await expect(sight.page.get_by_label("Ship")).to_have_value("KMKM")


async def test_asks_the_server_whatever_the_browser_says_of_the_network(see: Open, site: str, seen: Seen) -> None:
    seen.done = 3
    sight = await see(f"{site}/en/voyages")
    await sight.page.add_init_script("Object.defineProperty(navigator, 'onLine', {get: () => false})")
    await sight.page.reload()
    await sight.page.get_by_label("Ship").fill("KM Purnama")
    await sight.page.evaluate("dispatchEvent(new Event('offline'))")

    await sight.page.get_by_role("button", name="Save").click()

    await sight.page.get_by_role("status").get_by_text("Copied").wait_for()
    assert seen.ships == ["KM Purnama"]


async def test_goes_though_somebody_else_uses_another_page(see: Open, site: str, seen: Seen) -> None:
    seen.done = 3
    sight = await see(f"{site}/en/voyages")
    await sight.page.clock.install()
    await sight.page.reload()
    await sight.page.clock.run_for("20:00")

    seen.person = "b"
    other = await sight.page.context.new_page()
    await other.goto(f"{site}/en/perangkat")
    await sight.page.clock.run_for("11:00")

    await expect(sight.page.get_by_role("heading", name="Please sign in")).to_be_visible()


async def test_goes_though_something_lies_on_a_key(see: Open, site: str, seen: Seen) -> None:
    seen.done = 3
    sight = await see(f"{site}/en/voyages")
    await sight.page.clock.install()
    await sight.page.reload()
    await sight.page.get_by_label("Ship").focus()
    await sight.page.keyboard.down("k")

    for _ in range(2):
        await sight.page.clock.run_for("16:00")
        await sight.page.keyboard.down("k")

    await expect(sight.page.get_by_role("heading", name="Please sign in")).to_be_visible()


async def test_goes_though_a_part_follows_what_happens(see: Open, site: str, seen: Seen) -> None:
    seen.done = -1_000
    sight = await see(f"{site}/en/voyages")
    await sight.page.clock.install()
    await sight.page.reload()

    async with sight.page.expect_response(f"{site}/en/progress"):
        await sight.page.clock.fast_forward("16:00")
    async with sight.page.expect_response(f"{site}/en/progress"):
        await sight.page.clock.run_for("00:10")
    await sight.page.clock.fast_forward("15:00")

    await expect(sight.page.get_by_role("heading", name="Please sign in")).to_be_visible()
