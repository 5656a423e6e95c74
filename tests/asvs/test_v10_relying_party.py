"""V10 and V9, as the one who relies on a provider: which ID tokens make a session, and where tokens never go."""

import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import pytest_asyncio
from aiohttp import web
from joserfc.jwk import ECKey

from shared.kit.clock import SystemClock
from shared.kit.identity import BadToken, ProviderAway, TokenVerifier
from shared.kit.identity.issuer import Issuer
from tests.conftest import DatabaseUrls
from tests.kit.outside_issuer import OutsideIssuer, encoded, outside_issuer
from tests.kit.site import Site, a_site

Tamper = Callable[["Provider", dict[str, Any]], str]
CLIENT = "svc-intake"


class Provider(OutsideIssuer):
    """A provider that grants whatever ID token a test makes of what was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.nonce = ""
        self.make: Tamper = genuine
        self.granted: list[str] = []

    def person(self, **changed: Any) -> dict[str, Any]:
        now = int(time.time())
        good: dict[str, Any] = {"aud": CLIENT, "azp": CLIENT, "sub": "petugas.nnk", "roles": ["port_officer"]}
        good |= {"kind": "person", "nonce": self.nonce, "auth_time": now}
        return self.claims(**{**good, **changed})

    def id_token(self, claims: dict[str, Any], **options: Any) -> str:
        return self.sign(claims, header={"typ": "JWT"} | options.pop("header", {}), **options)

    async def _token(self, _: web.Request) -> web.Response:
        tokens = {"id_token": self.make(self, self.person()), "access_token": self.sign(self.claims(aud=self.url))}
        self.granted += tokens.values()
        return web.json_response(tokens)


def genuine(provider: Provider, claims: dict[str, Any]) -> str:
    return provider.id_token(claims)


def saying(**changed: Any) -> Tamper:
    return lambda provider, _: provider.id_token(provider.person(**changed))


def unsigned(_: Provider, claims: dict[str, Any]) -> str:
    parts = [{"alg": "none", "kid": "main", "typ": "JWT"}, claims]
    return ".".join(encoded(json.dumps(part).encode()).decode() for part in parts) + "."


FORGERIES: dict[str, Tamper] = {
    "unsigned": unsigned,
    "signed by a stranger": lambda p, claims: p.id_token(claims, key=ECKey.generate_key("P-256")),
    "the type of an access token": lambda p, claims: p.sign(claims),
    "the type of a log-out token": lambda p, claims: p.id_token(claims, header={"typ": "logout+jwt"}),
    "for another client": saying(aud="svc-referral", azp="svc-referral"),
    "for another client too": saying(aud=[CLIENT, "svc-referral"], azp="svc-referral"),
    "for two without saying for whom": saying(aud=[CLIENT, "svc-referral"], azp=None),
    "for the service, as an access token is": saying(aud="intake", azp="intake"),
    "of another issuer": saying(iss="https://evil.example"),
    "ended": saying(exp=int(time.time()) - 60),
    "of another log-in": saying(nonce="another"),
    "of no log-in": saying(nonce=None),
    "of nobody": saying(sub=None),
    "of a name": saying(sub="Siti Aminah"),
    "of a system": saying(kind="client"),
    "no token": lambda *_: "",
}


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[Provider]:
    made = Provider()
    runner = web.AppRunner(made.app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    made.url = made.inside = f"http://{host}:{port}"
    yield made
    await runner.cleanup()


@pytest_asyncio.fixture
async def site(database_urls: DatabaseUrls, provider: Provider) -> AsyncIterator[Site]:
    async with a_site(database_urls("identity").application, provider.url) as site:
        yield site


async def come_back(browser: httpx2.AsyncClient, provider: Provider) -> httpx2.Response:
    """Begin to sign in and come back with a code that the provider will take."""
    sent = parse_qs(urlsplit((await browser.get("/masuk?next=/id/saya")).headers["location"]).query)
    [state], [provider.nonce] = sent["state"], sent["nonce"]
    return await browser.get("/masuk/kembali", params={"code": "good", "state": state})


class TestIdToken:
    async def test_of_this_log_in_makes_a_session(self, site: Site, provider: Provider) -> None:
        async with site.browser() as browser:
            await come_back(browser, provider)
            me = await browser.get("/id/saya")

        assert me.text.startswith("petugas.nnk ")

    @pytest.mark.parametrize("name", FORGERIES)
    async def test_of_any_other_kind_makes_none(self, site: Site, provider: Provider, name: str) -> None:
        provider.make = FORGERIES[name]

        async with site.browser() as browser:
            answer = await come_back(browser, provider)
            me = await browser.get("/id/saya")

        assert answer.status_code == 400
        assert me.status_code == 303
        assert await site.database.fetch("SELECT FROM sessions") == []

    async def test_opens_no_api(self, provider: Provider) -> None:
        verifier = TokenVerifier(Issuer(provider.url, SystemClock()), "intake", SystemClock())

        for claims in (provider.person(), provider.person(aud="intake")):
            with pytest.raises(BadToken):
                await verifier.verify(provider.id_token(claims))


class TestAsking:
    async def test_asks_for_nothing_that_is_not_needed(self, site: Site) -> None:
        async with site.browser() as browser:
            sent = parse_qs(urlsplit((await browser.get("/masuk")).headers["location"]).query)

        assert sent["scope"] == ["openid"]
        assert sent["response_type"] == ["code"]
        assert sent["code_challenge_method"] == ["S256"]
        assert "response_mode" not in sent

    async def test_asks_with_secrets_of_this_attempt_alone(self, site: Site) -> None:
        asked = []
        async with site.browser() as browser:
            for _ in range(3):
                sent = parse_qs(urlsplit((await browser.get("/masuk")).headers["location"]).query)
                asked += [sent[name][0] for name in ("state", "nonce", "code_challenge")]

        assert len(set(asked)) == 9
        assert all(len(value) == 43 for value in asked)


class TestTokens:
    async def test_stay_with_us(self, site: Site, provider: Provider) -> None:
        """Neither the browser nor the database is given a token of the provider."""
        async with site.browser() as browser:
            done = await come_back(browser, provider)
            me = await browser.get("/id/saya")

        kept = [dict(row) for row in await site.database.fetch("SELECT * FROM sessions")]
        told = str([done.headers.multi_items(), done.text, me.headers.multi_items(), me.text, kept, await site.trail()])
        assert len(provider.granted) == 2
        assert len(kept) == 1
        assert not [token for token in provider.granted if token in told or token.split(".")[2] in told]


class TestDiscovery:
    async def test_in_the_name_of_another_provider_is_refused(self) -> None:
        async with outside_issuer() as outside:
            inside, outside.url = outside.url, "https://evil.example"
            issuer = Issuer("https://login.example", SystemClock(), f"{inside}/.well-known/openid-configuration")
            with pytest.raises(ProviderAway):
                await issuer.endpoints()
            with pytest.raises(ProviderAway):
                await issuer.key("main")
            await issuer.aclose()
