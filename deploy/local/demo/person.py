"""A person at a browser, as far as the demo needs one: signs in at the provider's page and reads."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from deploy.local.demo.client import PATIENCE_S, Refused


@dataclass(frozen=True, slots=True)
class Browser:
    """One signed-in session at one service."""

    http: aiohttp.ClientSession
    url: str

    async def get(self, path: str) -> str:
        """The body of a page or document. Raises Refused."""
        try:
            async with self.http.get(self.url + path) as answer:
                body = await answer.text()
        except (aiohttp.ClientError, TimeoutError) as trouble:
            raise Refused(0, f"GET {path}: no answer ({trouble})") from trouble
        if answer.status != 200:
            raise Refused(answer.status, f"GET {path}: {body[:300]}")
        return body


@asynccontextmanager
async def signed_in(url: str, person: str) -> AsyncIterator[Browser]:
    """Sign `person` in at the service at `url` (authorization code flow, with cookies). Raises Refused."""
    # Cookies of numeric addresses are kept only when asked for; the services have no other address here.
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar, timeout=aiohttp.ClientTimeout(total=PATIENCE_S)) as http:
        browser = Browser(http, url)
        await browser.get(f"/masuk?login_hint={person}&next=/livez")
        yield browser
