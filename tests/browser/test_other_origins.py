"""What a page of somebody else can do in the browser of one who is signed in: nothing."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import orjson
import pytest
import pytest_asyncio
from fastapi import FastAPI, Request
from playwright.async_api import Browser, Page
from starlette.responses import HTMLResponse, Response

from tests.browser.conftest import Serve
from tests.conftest import DatabaseUrls
from tests.kit.outside_issuer import outside_issuer
from tests.web import things
from tests.web.served import CHROMIUM, Served, served, session_of

STRANGE_PAGE = """<!doctype html><title>Hadiah</title>
<form id="accept" method="post" action="{ours}/id/rujukan/{assignment}/terima" target="sink">
  <input name="idempotency_key" value="k"><input name="csrf" value="guess"></form>
<form id="json" method="post" enctype="text/plain" action="{ours}/api/assignments/acceptances" target="sink">
  <input name='{{"items":[{{"assignment_id":"{assignment}"}}],"x":"' value='"}}'></form>
<form id="override" method="post" action="{ours}/id/rujukan/{assignment}?_method=POST" target="sink">
  <input name="_method" value="DELETE"></form>
<form id="leave" method="post" action="{ours}/keluar" target="sink"></form>
<iframe name="sink"></iframe>
<iframe id="frame" src="{ours}/id/rujukan/{assignment}"></iframe>
<embed src="{ours}/id/"><object data="{ours}/id/"></object>
<script src="{ours}/api/inbox"></script><img id="image" src="{ours}/static/icon.svg">
"""

ATTACK = """async ({ours, assignment}) => {
  const told = [];
  const accept = JSON.stringify({items: [{assignment_id: assignment}]});
  for (const id of ['accept', 'json', 'override', 'leave']) {
    document.getElementById(id).submit();
    await new Promise(done => setTimeout(done, 250));
  }
  for (const [what, options] of [
    ['simple', {method: 'POST', mode: 'no-cors', credentials: 'include', body: accept}],
    ['typed', {method: 'POST', credentials: 'include', body: accept,
      headers: {'Content-Type': 'application/json', 'Idempotency-Key': 'k', 'X-CSRF-Token': 'guess'}}],
    ['override', {method: 'POST', credentials: 'include', body: accept, headers: {'X-HTTP-Method-Override': 'PUT'}}],
  ]) {
    try { await fetch(`${ours}/api/assignments/acceptances`, options); told.push(`${what}: sent`); }
    catch (e) { told.push(`${what}: stopped`); }
  }
  for (const path of ['/api/inbox', '/id/', '/api/openapi.json']) {
    try { told.push(`read ${(await (await fetch(ours + path, {credentials: 'include'})).text()).length}`); }
    catch (e) { told.push('not read'); }
  }
  const other = window.open(`${ours}/id/`);
  const held = () => { try { return !other.closed && Boolean(other.document); } catch (e) { return false; } };
  for (let n = 0; n < 100 && held(); n++) await new Promise(done => setTimeout(done, 100));
  told.push(held() ? 'handle' : 'no handle');
  return told;
}"""


@dataclass
class Scene:
    """A worker who is signed in at one address, and somebody's page at another."""

    site: Served
    page: Page
    strange: str
    assignment: str

    @property
    def is_neighbour(self) -> bool:
        """Its requests come with the cookie."""
        return "127.0.0.1" in self.strange

    async def refusals(self) -> set[str]:
        """Why requests were refused, as it stands on the trail."""
        rows = await self.site.database.fetch("SELECT payload FROM journal WHERE type = 'access.access_denied.v1'")
        return {orjson.loads(row["payload"])["data"]["reason"] for row in rows}

    async def states(self) -> set[str]:
        return {row["state"] for row in await self.site.database.fetch("SELECT state FROM assignments")}


@pytest_asyncio.fixture(loop_scope="session", params=["localhost", "127.0.0.1"], ids=["another site", "a neighbour"])
async def scene(
    request: pytest.FixtureRequest, browser: Browser, serve: Serve, database_urls: DatabaseUrls
) -> AsyncIterator[Scene]:
    """By its port, a neighbour is another origin of the same site: it gets cookies sent, `SameSite` does not help."""
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(outside_issuer())
        site = await stack.enter_async_context(served("referral", database_urls, issuer))
        assignment = (await things.fill(site))["assignment_id"]
        strange = FastAPI()

        @strange.get("/")
        async def gift(_: Request) -> Response:
            return HTMLResponse(STRANGE_PAGE.format(ours=site.url, assignment=assignment))

        address = (await serve(strange)).replace("127.0.0.1", request.param)
        context = await browser.new_context()
        stack.push_async_callback(context.close)
        cookies, _ = await session_of(site, "worker", user_agent=CHROMIUM)
        await context.add_cookies(
            [
                {"name": name, "value": value, "url": site.url, "httpOnly": True, "sameSite": "Lax"}
                for name, value in cookies.items()
            ]
        )
        yield Scene(site, await context.new_page(), address, assignment)


async def test_it_changes_and_reads_nothing(scene: Scene) -> None:
    await scene.page.goto(f"{scene.site.url}/id/")
    before = await scene.states()
    assert await scene.page.title() == "Kotak masuk – Rujukan"
    await scene.page.goto(scene.strange)

    told = await scene.page.evaluate(ATTACK, {"ours": scene.site.url, "assignment": scene.assignment})

    assert told == [
        *("simple: stopped", "typed: stopped", "override: stopped"),
        *("not read", "not read", "not read"),
        "no handle",
    ]
    assert await scene.states() == before
    assert await scene.refusals() >= {True: {"csrf"}, False: set()}[scene.is_neighbour]
    await scene.page.goto(f"{scene.site.url}/id/")
    assert await scene.page.title() == "Kotak masuk – Rujukan", "still signed in"


async def test_it_frames_and_embeds_nothing(scene: Scene) -> None:
    await scene.page.goto(scene.strange)

    await scene.page.wait_for_load_state("networkidle")
    frames = scene.page.frames[1:]
    assert len(frames) >= 2
    assert not [shown for frame in frames if "Rujukan" in (shown := await frame.content())]
    assert await scene.page.locator("#image").evaluate("image => image.naturalWidth") == 0
