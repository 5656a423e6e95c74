"""A real Chromium for the tests in this folder, by Playwright's asynchronous interface.

All tests here share one event loop, because the browser lives on the loop that started it. Without Chromium they
are skipped and say so; without npm only the checks by axe are.
"""

import asyncio
import inspect
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, async_playwright

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

    async def unfold(self) -> None:
        """Open whatever is folded away."""
        await self.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")

    async def sideways_px(self) -> int:
        """How far the page scrolls sideways; 0 is good."""
        return int(
            await self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        )

    async def covered_focus(self) -> list[str]:
        """Tab through the page: what holds the focus while something else lies over its middle."""
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
  return wrong;
}"""


def chromium_path() -> str | None:
    """The Chromium to test with: of the environment (CHROMIUM), else the system's."""
    named = os.environ.get("CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


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


VIEWS = pytest.mark.parametrize(
    ("size", "theme", "language"),
    [
        (size, theme, language)
        for size, theme in ((SMALLEST, "light"), (PHONE, "dark"), (DESKTOP, "light"), (DESKTOP, "dark"))
        for language in ("id", "en")
    ],
    ids=[f"{view}-{language}" for view in ("smallest", "phone", "desktop", "dark") for language in ("id", "en")],
)
"""Each size in each language, light and dark."""


@pytest.fixture
def sweep(see: Open, axe: Axe) -> Sweep:
    """`await sweep(addresses, size=…, theme=…)` goes through pages in one window: nothing may be wrong with any.

    Each address is asked for just before it is opened, so it may sign somebody in.
    """

    async def go(addresses: Iterable[str], **window: Any) -> None:
        sight: Sight | None = None
        for address in addresses:
            if sight is None:
                sight = await see(address, **window)
            else:
                await sight.page.goto(address)
            await sight.unfold()
            assert await axe(sight.page) == [], address
            assert sight.complaints == [], address
            assert await sight.covered_focus() == [], address
            assert await sight.sideways_px() == 0, address
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
