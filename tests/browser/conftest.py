"""A real Chromium for the tests in this folder, by Playwright's asynchronous interface.

A press does not wait for the page it leads to: what a page shows is told by `expect`, which looks until it is so.

All tests here share one event loop, because the browser lives on the loop that started it. Without Chromium they
are skipped and say so; without npm only the checks by axe are.
"""

import asyncio
import inspect
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, async_playwright, expect

from deploy.local import ports
from tests.browser import axe_core

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 390, "height": 844}
SMALLEST = {"width": 320, "height": 640}
DESKTOP = {"width": 1280, "height": 900}
VIEWS = ((SMALLEST, "light"), (PHONE, "dark"), (DESKTOP, "light"), (DESKTOP, "dark"))
"""Each size, light and dark."""

expect.set_options(timeout=30_000)

T = TypeVar("T")
Open = Callable[..., Awaitable["Sight"]]
Axe = Callable[[Page], Awaitable[list[str]]]
Serve = Callable[[FastAPI], Awaitable[str]]
Sweep = Callable[..., Awaitable[None]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        function = getattr(item, "function", None)
        if item.path.is_relative_to(here) and inspect.iscoroutinefunction(function):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@dataclass
class Sight:
    """A page as a person sees it, with all that went wrong while it was shown."""

    page: Page
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)
    """Console errors (the Content-Security-Policy speaks there), script errors, failed requests."""

    async def look(self, size: Any, theme: Any) -> None:
        """See the page as it stands at this size and in this light, where no colour fades into another."""
        await self.page.set_viewport_size(size)
        await self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")

    async def unfold(self) -> None:
        """Open whatever is folded away."""
        await self.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")

    async def sideways_px(self) -> int:
        """How far the page scrolls sideways; 0 is good."""
        return int(
            await self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        )

    async def covered_focus(self) -> list[str]:
        """Tab through the page and let go: what holds the focus while something else lies over its middle."""
        covered: list[str] = await self.page.evaluate(FOCUSABLE_COVERED)
        return covered


FOCUSABLE_COVERED = """() => {
  const wrong = [];
  for (const e of document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')) {
    e.focus();
    if (document.activeElement !== e) continue;
    e.scrollIntoView({block: 'nearest'});
    const b = e.getBoundingClientRect();
    if (!b.width || !b.height) continue;
    const at = document.elementFromPoint(b.x + b.width / 2, b.y + b.height / 2);
    if (!at || !(e === at || e.contains(at) || at.contains(e) || e.closest('label')?.contains(at))) {
      wrong.push(e.outerHTML.slice(0, 120));
    }
  }
  document.activeElement.blur();
  scrollTo(0, 0);
  return wrong;
}"""


def chromium_path() -> str | None:
    """The Chromium to test with: of the environment (CHROMIUM), else the system's, rather one that has no windows."""
    installed = map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"))
    return os.environ.get("CHROMIUM") or next(filter(None, installed), None)


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The Chromium of this session."""
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium on this machine (install it, or name it in CHROMIUM)")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def see(browser: Browser) -> AsyncIterator[Open]:
    """`await see(url, size=DESKTOP, theme="light", script=True)` opens a page in a context of its own."""
    async with AsyncExitStack() as contexts:

        async def opened(
            url: str, *, size: Any = DESKTOP, theme: Any = "light", script: bool = True, **options: Any
        ) -> Sight:
            context = await browser.new_context(
                viewport=size, color_scheme=theme, java_script_enabled=script, locale="id-ID", **options
            )
            contexts.push_async_callback(context.close)
            sight = Sight(await context.new_page(), context)
            listen(sight, url)
            await sight.page.goto(url)
            return sight

        yield opened


@pytest.fixture(scope="session")
def axe_source() -> str:
    try:
        return axe_core.source()
    except axe_core.NotToBeHad as reason:
        pytest.skip(f"accessibility not checked: {reason}")


@pytest.fixture
def axe(axe_source: str) -> Axe:
    """`await axe(page)` answers what axe-core finds there; empty is good."""

    async def check(page: Page) -> list[str]:
        return await axe_core.findings(page, axe_source)

    return check


def in_each_language(test: T) -> T:
    """The test is run with each `language`, and has time for many pages."""
    languages: T = pytest.mark.parametrize("language", ["id", "en"])(test)
    return pytest.mark.timeout(300)(languages)


@pytest.fixture
def sweep(see: Open, axe: Axe) -> Sweep:
    """`await sweep(addresses)` goes through pages in one window, in each view: nothing may be wrong with any.

    Each address is asked for just before it is opened, so it may sign somebody in. Half of the pages are opened on
    the smallest screen and grow, half on the largest and shrink: axe is slow where it has not looked before.
    """

    async def go(addresses: Iterable[str], views: Sequence[tuple[Any, Any]] = VIEWS) -> None:
        sight: Sight | None = None
        for address, there in zip(addresses, cycle([views, views[::-1]]), strict=False):
            if sight is None:
                sight = await see(address, size=views[0][0], theme=views[0][1])
            else:
                await sight.page.goto(address)
            await sight.unfold()
            for size, theme in there:
                await sight.look(size, theme)
                seen = f"{address} {size['width']} {theme}"
                assert await axe(sight.page) == [], seen
                assert await sight.covered_focus() == [], seen
                assert await sight.sideways_px() == 0, seen
            assert sight.complaints == [], address
        assert sight is not None, "there were no pages"

    return go


@pytest_asyncio.fixture(loop_scope="session")
async def serve() -> AsyncIterator[Serve]:
    """`await serve(app)` answers the address at which the application is served until the test ends."""
    async with AsyncExitStack() as running:

        async def served(app: FastAPI) -> str:
            port = ports.free()
            server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", lifespan="off"))
            task = asyncio.create_task(server.serve())
            while not server.started:
                await asyncio.sleep(0.01)

            async def stop() -> None:
                server.should_exit = True
                await task

            running.push_async_callback(stop)
            return f"http://127.0.0.1:{port}"

        yield served


def listen(sight: Sight, url: str) -> None:
    """Write down whatever the browser complains about, and any request that leaves the origin."""
    origin = urlsplit(url).netloc

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            sight.complaints.append(f"console: {message.text}")

    def on_request(request: Request) -> None:
        target = urlsplit(request.url)
        if target.scheme in ("http", "https") and target.netloc != origin:
            sight.complaints.append(f"left the origin: {request.url}")

    def on_failure(request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # so it ends when the page is left before all of it came
            sight.complaints.append(f"failed: {request.url}")

    sight.page.on("console", on_console)
    sight.page.on("pageerror", lambda error: sight.complaints.append(f"script: {error}"))
    sight.page.on("requestfailed", on_failure)
    sight.page.on("request", on_request)
