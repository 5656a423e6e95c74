"""Who signs out at the identity provider is signed out here, and who signs out here is signed out there."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import httpx2
import pytest
import pytest_asyncio
from joserfc.jwk import ECKey

from deploy.local import ports
from deploy.local.identity_provider.app import Provider
from shared.kit.identity import sessions, sign_in
from shared.kit.identity.back_channel import BACK_CHANNEL, EVENT
from tests.conftest import DatabaseUrls
from tests.kit.outside_issuer import OutsideIssuer, outside_issuer
from tests.kit.site import HOME, PROVIDER_SECRET, Site, a_site, begin, signed_in
from tests.kit.test_revocations import served

ADD_SESSION = """
INSERT INTO sessions
    (session_hash, actor_id, organisation, roles, signed_in_at, seen_at, expires_at, provider_session)
VALUES (decode(repeat($1::text, 32), 'hex'), $2, 'DINSOS-31', '{agency_worker}',
    $3::timestamptz, $3, $3 + interval '12 hours', $4)
"""
SIGNED_OUT = "access.signed_out.v1"


@pytest_asyncio.fixture
async def outside() -> AsyncIterator[OutsideIssuer]:
    async with outside_issuer() as issuer:
        yield issuer


@pytest_asyncio.fixture
async def trusting(database_urls: DatabaseUrls, outside: OutsideIssuer) -> AsyncIterator[Site]:
    """A site that trusts the outside issuer, with a session of each of two people in two sessions there."""
    async with a_site(database_urls("identity").application, outside.url) as site:
        for number, (person, sid) in enumerate([("ana", "s1"), ("ana", "s2"), ("budi", "s3")]):
            await site.database.fetch(ADD_SESSION, f"0{number}", person, site.clock.now(), sid)
        yield site


def log_out(outside: OutsideIssuer, **other: Any) -> dict[str, Any]:
    """Good claims of a logout token; a value of None leaves a claim out."""
    now = int(time.time())
    good = {
        "iss": outside.url,
        "aud": "svc-intake",
        "iat": now,
        "exp": now + 120,
        "jti": f"j{time.monotonic_ns()}",
        "sub": "ana",
        "sid": "s1",
        "events": {EVENT: {}},
    }
    return {name: value for name, value in (good | other).items() if value is not None}


def typed(outside: OutsideIssuer, claims: dict[str, Any], **options: Any) -> str:
    return outside.sign(claims, header={"typ": "logout+jwt"}, **options)


async def tell(site: Site, token: str) -> httpx2.Response:
    async with site.browser(accept="*/*") as provider:
        return await provider.post(BACK_CHANNEL, data={"logout_token": token})


async def left(site: Site) -> list[str]:
    rows = await site.database.fetch("SELECT provider_session FROM sessions ORDER BY 1")
    return [row["provider_session"] for row in rows]


async def at_the_provider(site: Site, outside: OutsideIssuer, client: aiohttp.ClientSession) -> None:
    assert (await tell(site, typed(outside, log_out(outside)))).status_code == 200


async def here(site: Site, outside: OutsideIssuer, client: aiohttp.ClientSession) -> None:
    said = {"csrf": sessions.csrf_token(SESSION)}
    async with client.post("/keluar", data=said, headers=WITH_SESSION, allow_redirects=False) as answer:
        assert answer.status == 303


async def by_time(site: Site, outside: OutsideIssuer, client: aiohttp.ClientSession) -> None:
    site.clock.advance(sessions.LONGEST)


SESSION = "s" * 43
WITH_SESSION = {"cookie": f"rujukan-intake={SESSION}"}


@pytest.mark.parametrize("end", [at_the_provider, here, by_time])
async def test_what_is_being_answered_ends_with_its_session(
    trusting: Site, outside: OutsideIssuer, end: Callable[..., Awaitable[None]]
) -> None:
    await trusting.database.fetch(
        "UPDATE sessions SET session_hash = sha256($1) WHERE provider_session = 's1'", SESSION.encode()
    )
    reading = asyncio.Event()
    last_byte = 0.0

    async def read(client: aiohttp.ClientSession) -> None:
        nonlocal last_byte
        async with client.get("/api/stream", headers=WITH_SESSION) as answer:
            async for _ in answer.content.iter_any():
                last_byte = time.monotonic()
                reading.set()

    async with served(trusting) as url, aiohttp.ClientSession(url) as client:
        stream = asyncio.create_task(read(client))
        await reading.wait()
        await end(trusting, outside, client)
        ended = time.monotonic()
        with pytest.raises(aiohttp.ClientError):
            await asyncio.wait_for(stream, 3)

    assert last_byte <= ended + 1


class TestLogOutToken:
    @pytest.mark.parametrize("typ", ["logout+jwt", "application/logout+jwt"])
    @pytest.mark.parametrize(
        ("named", "remaining"),
        [
            ({}, ["s2", "s3"]),
            ({"sub": None}, ["s2", "s3"]),
            ({"sid": None}, ["s3"]),
            ({"sub": "budi"}, ["s1", "s2", "s3"]),
            ({"sid": "s9"}, ["s1", "s2", "s3"]),
        ],
        ids=str,
    )
    async def test_ends_the_sessions_it_names(
        self, trusting: Site, outside: OutsideIssuer, typ: str, named: dict[str, Any], remaining: list[str]
    ) -> None:
        answer = await tell(trusting, outside.sign(log_out(outside, **named), header={"typ": typ}))

        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert await left(trusting) == remaining
        ended = [kind for kind, _ in await trusting.trail()]
        assert ended == ([SIGNED_OUT] if len(remaining) < 3 else [])

    async def test_is_taken_once(self, trusting: Site, outside: OutsideIssuer) -> None:
        token = outside.sign(log_out(outside), header={"typ": "logout+jwt"})
        first = await tell(trusting, token)
        again = await tell(trusting, token)
        same_id = log_out(outside, sid="s2", jti="once")
        await tell(trusting, outside.sign(same_id, header={"typ": "logout+jwt"}))
        reused = await tell(
            trusting, outside.sign(same_id | {"sid": "s3", "sub": "budi"}, header={"typ": "logout+jwt"})
        )

        assert (first.status_code, again.status_code, reused.status_code) == (200, 400, 400)
        assert await left(trusting) == ["s3"]

    @pytest.mark.parametrize(
        "forge",
        [
            lambda o: typed(o, log_out(o, nonce="n")),
            lambda o: typed(o, log_out(o, events=None)),
            lambda o: typed(o, log_out(o, events={})),
            lambda o: typed(o, log_out(o, events={EVENT: None})),
            lambda o: typed(o, log_out(o, events=[EVENT])),
            lambda o: typed(o, log_out(o, events=EVENT)),
            lambda o: typed(o, log_out(o, sub=None, sid=None)),
            lambda o: typed(o, log_out(o, sub=7)),
            lambda o: typed(o, log_out(o, sid=["s1"])),
            lambda o: typed(o, log_out(o, sid="")),
            lambda o: typed(o, log_out(o, jti=None)),
            lambda o: typed(o, log_out(o, iat=None)),
            lambda o: typed(o, log_out(o, exp=None)),
            lambda o: typed(o, log_out(o, iat=int(time.time()) + 3_600, exp=int(time.time()) + 3_700)),
            lambda o: typed(o, log_out(o, exp=int(time.time()) - 1)),
            lambda o: typed(o, log_out(o, exp=int(time.time()) + 86_400)),
            lambda o: typed(o, log_out(o, aud="svc-referral")),
            lambda o: typed(o, log_out(o, aud="intake")),
            lambda o: typed(o, log_out(o, iss="https://evil.example")),
            lambda o: typed(o, log_out(o), key=ECKey.generate_key("P-256")),
            lambda o: o.sign(log_out(o), header={"typ": "JWT"}),
            lambda o: o.sign(log_out(o), header={"typ": None}),
            lambda o: o.sign(log_out(o), header={"typ": "at+jwt"}),
            lambda o: o.sign(o.claims(aud="svc-intake"), header={"typ": "at+jwt"}),
            lambda _: "",
            lambda _: "a.b.c",
        ],
    )
    async def test_of_another_form_ends_nothing(
        self, trusting: Site, outside: OutsideIssuer, forge: Callable[[OutsideIssuer], str]
    ) -> None:
        token = forge(outside)
        answer = await tell(trusting, token)

        assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})
        assert len(await left(trusting)) == 3
        assert [said["data"]["reason"] for _, said in await trusting.trail()] == ["bad_token"]

    async def test_in_the_address_or_as_json_is_not_read(self, trusting: Site, outside: OutsideIssuer) -> None:
        token = outside.sign(log_out(outside), header={"typ": "logout+jwt"})
        async with trusting.browser(accept="*/*") as provider:
            in_address = await provider.post(f"{BACK_CHANNEL}?logout_token={token}")
            as_json = await provider.post(BACK_CHANNEL, json={"logout_token": token})
            asked = await provider.get(BACK_CHANNEL)

        assert {in_address.status_code, as_json.status_code, asked.status_code} <= {400, 405, 415}
        assert len(await left(trusting)) == 3


class TestSigningOutHere:
    async def test_leads_to_the_provider_which_signs_out_the_other_browsers_tabs(self, site: Site) -> None:
        async with site.browser() as browser:
            csrf = await signed_in(browser)
            left = await browser.post("/keluar", data={"csrf": csrf})

        address = urlsplit(left.headers["location"])
        asked = parse_qs(address.query)
        assert f"{address.scheme}://{address.netloc}{address.path}" == f"{site.identity.issuer.url}/end_session"
        assert (asked["client_id"], asked["post_logout_redirect_uri"]) == (["svc-intake"], [f"{HOME}/"])
        async with httpx2.AsyncClient() as outside:
            back = await outside.get(left.headers["location"])
        assert (back.status_code, back.headers["location"]) == (303, f"{HOME}/")

    async def test_does_while_the_provider_is_away(self, site: Site) -> None:
        async with site.browser() as browser:
            csrf = await signed_in(browser)
            site.identity.issuer._endpoints = None
            site.identity.issuer._discovery_url = "http://127.0.0.1:1/"
            left = await browser.post("/keluar", data={"csrf": csrf})

            assert (left.status_code, left.headers["location"]) == (303, "/")
            assert (await browser.get("/id/saya")).status_code == 303


class TestSigningOutAtTheProvider:
    async def test_ends_the_sessions_of_the_same_browser_at_the_services(self, site: Site) -> None:
        async with served(site) as url, site.browser() as browser, site.browser() as elsewhere:
            site.identity.public_url = url.replace("127.0.0.1", "localhost")
            await signed_in(browser)
            await signed_in(elsewhere)
            [sid, _] = [
                row["provider_session"]
                for row in await site.database.fetch("SELECT provider_session FROM sessions ORDER BY signed_in_at")
            ]
            async with httpx2.AsyncClient() as provider:
                await provider.get(f"{site.identity.issuer.url}/end_session", params={"logout_hint": sid})
            rows = await site.database.fetch("SELECT provider_session FROM sessions")

        assert len(rows) == 1
        assert rows[0]["provider_session"] != sid
        assert [kind for kind, _ in await site.trail()].count(SIGNED_OUT) == 1

    async def test_never_sends_a_browser_elsewhere(self) -> None:
        provider = Provider(issuer=f"http://127.0.0.1:{ports.free()}", secret=PROVIDER_SECRET)
        transport = httpx2.ASGITransport(app=provider.app())
        async with httpx2.AsyncClient(transport=transport, base_url=provider.issuer) as browser:
            for address in ("https://evil.example/", "http://localhost@evil.example/", "http://localhost:1/x", ""):
                answer = await browser.get("/end_session", params={"post_logout_redirect_uri": address})
                assert answer.status_code == 200


class TestAnswers:
    async def test_to_an_attempt_count_once_even_where_the_provider_takes_a_code_twice(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        redeem, seen = sign_in._person, []

        async def twice(*given: Any) -> Any:
            if not seen:
                seen.append(await redeem(*given))
            return seen[0]

        monkeypatch.setattr(sign_in, "_person", twice)
        async with site.browser() as browser:
            address = await begin(browser)
            kept = dict(browser.cookies)
            first = await browser.get(address)
            browser.cookies.clear()
            browser.cookies.update(kept)
            again = await browser.get(address, headers={"accept": "application/json"})

        assert (first.status_code, again.status_code) == (303, 400)
        assert len(await site.database.fetch("SELECT 1 FROM sessions")) == 1
