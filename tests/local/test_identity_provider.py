"""The development provider: whom it vouches for, to whom it answers, and where it refuses to run."""

import base64
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import KeySet

from deploy.local.identity_provider import client_secret, people
from deploy.local.identity_provider.app import Provider
from shared.kit.identity import claims

SECRET = "of these tests and nothing else"
ISSUER = "http://127.0.0.1:8100"
VERIFIER = "a" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
CALLBACK = "http://localhost:8101/masuk/kembali"
QUESTION = {
    "response_type": "code",
    "scope": "openid",
    "client_id": "svc-intake",
    "redirect_uri": CALLBACK,
    "state": "s",
    "nonce": "n",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


def asking(provider: Provider) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=provider.app()), base_url=ISSUER)


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[httpx2.AsyncClient]:
    async with asking(Provider(issuer=ISSUER, secret=SECRET)) as client:
        yield client


async def code_for(browser: httpx2.AsyncClient, person: str) -> str:
    answer = await browser.get("/authorize", params=QUESTION | {"login_hint": person})
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


async def redeem(browser: httpx2.AsyncClient, code: str, **other: str) -> httpx2.Response:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        "client_id": "svc-intake",
        "client_secret": client_secret(SECRET, other.get("client_id", "svc-intake")),
    }
    return await browser.post("/token", data=form | other)


async def client_token(browser: httpx2.AsyncClient, client_id: str, **other: str) -> httpx2.Response:
    form = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": client_secret(SECRET, client_id),
        "audience": "referral",
    }
    return await browser.post("/token", data=form | other)


async def said_in(browser: httpx2.AsyncClient, token: str) -> dict[str, Any]:
    keys = KeySet.import_key_set((await browser.get("/jwks")).json())
    return jwt.decode(token, keys, algorithms=["ES256"]).claims


class TestPeople:
    @pytest.mark.parametrize("person", people.PEOPLE)
    async def test_get_an_id_token_our_services_understand(self, browser: httpx2.AsyncClient, person: str) -> None:
        granted = (await redeem(browser, await code_for(browser, person))).json()
        said = await said_in(browser, granted["id_token"])
        actor = claims.actor(said, kind="person")

        assert (said["iss"], said["aud"], said["nonce"]) == (ISSUER, "svc-intake", "n")
        assert (actor.id, actor.roles, actor.kind) == (person, {people.PEOPLE[person].role}, "person")

    async def test_cover_every_role_a_person_can_have(self) -> None:
        systems = {"agency_system", "ngo_system", "port_system", "service"}

        assert {person.role for person in people.PEOPLE.values()} == claims.ROLES - systems

    async def test_can_be_asked_for_with_their_access_token(self, browser: httpx2.AsyncClient) -> None:
        granted = (await redeem(browser, await code_for(browser, "petugas.nnk"))).json()
        header = {"authorization": f"Bearer {granted['access_token']}"}

        assert (await browser.get("/userinfo", headers=header)).json()["port"] == "NNK"
        assert (await browser.get("/userinfo")).status_code == 401


class TestPage:
    @pytest.mark.parametrize(("locale", "heading"), [("id", "Masuk sebagai siapa?"), ("en", "Sign in as whom?")])
    async def test_offers_everybody_with_one_link_and_no_script(
        self, browser: httpx2.AsyncClient, locale: str, heading: str
    ) -> None:
        page = (await browser.get("/authorize", params=QUESTION | {"ui_locales": locale})).text

        assert f'lang="{locale}"' in page
        assert heading in page
        assert page.count("login_hint=") == len(people.PEOPLE)
        assert not re.search(r"<script|<form|https?:(?!%|/?/?localhost)|src=", page)

    async def test_quotes_what_it_is_given(self, browser: httpx2.AsyncClient) -> None:
        page = (await browser.get("/authorize", params=QUESTION | {"state": '"><script>alert(1)</script>'})).text

        assert "<script" not in page


class TestAuthorize:
    @pytest.mark.parametrize(
        "redirect",
        [
            "https://evil.example/masuk/kembali",
            "http://localhost.evil.example/masuk/kembali",
            "http://localhost@evil.example/masuk/kembali",
            "http://localhost:8101/other",
            "http://localhost:8101/masuk/kembali#x",
            "javascript://localhost/masuk/kembali",
            "http://[::1",
            "",
        ],
    )
    async def test_never_answers_to_another_address(self, browser: httpx2.AsyncClient, redirect: str) -> None:
        answer = await browser.get(
            "/authorize", params=QUESTION | {"redirect_uri": redirect, "login_hint": "petugas.nnk"}
        )

        assert answer.status_code == 400

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"code_challenge": ""}, "invalid_request"),
            ({"response_type": "token"}, "invalid_request"),
            ({"scope": "profile"}, "invalid_request"),
            ({"login_hint": "nobody"}, "access_denied"),
        ],
    )
    async def test_says_what_is_wrong(self, browser: httpx2.AsyncClient, change: dict[str, str], error: str) -> None:
        answer = await browser.get("/authorize", params=QUESTION | change)

        assert parse_qs(urlsplit(answer.headers["location"]).query) == {
            "error": [error],
            "iss": [ISSUER],
            "state": ["s"],
        }

    @pytest.mark.parametrize(
        "change",
        [{"code_verifier": "b" * 43}, {"code_verifier": ""}, {"redirect_uri": "x"}, {"client_id": "svc-audit"}],
        ids=str,
    )
    async def test_gives_a_code_to_the_one_who_asked_only(
        self, browser: httpx2.AsyncClient, change: dict[str, str]
    ) -> None:
        code = await code_for(browser, "petugas.nnk")

        assert (await redeem(browser, code, **change)).json() == {"error": "invalid_grant"}

    async def test_gives_a_code_that_works_once(self, browser: httpx2.AsyncClient) -> None:
        code = await code_for(browser, "petugas.nnk")
        await redeem(browser, code)

        assert (await redeem(browser, code)).json() == {"error": "invalid_grant"}


class TestClients:
    @pytest.mark.parametrize(
        ("client_id", "role", "more"),
        [
            ("DINSOS-73.06", "agency_system", {"region": "73.06"}),
            ("DINKES-73", "agency_system", {"region": "73"}),
            ("KEMENSOS", "agency_system", {}),
            ("KP2MI", "agency_system", {}),
            ("NGO-SBMI", "ngo_system", {}),
            ("NGO-MIGRANTCARE", "ngo_system", {}),
            ("port-NNK", "port_system", {"port": "NNK"}),
            ("port-TRK-S", "port_system", {"port": "TRK-S"}),
            ("ITJEN-KP2MI", "auditor", {}),
            ("svc-referral", "service", {"org": "rujukan"}),
        ],
    )
    async def test_are_what_their_id_says(
        self, browser: httpx2.AsyncClient, client_id: str, role: str, more: dict[str, str]
    ) -> None:
        said = await said_in(browser, (await client_token(browser, client_id)).json()["access_token"])

        expected = {"sub": client_id, "org": client_id, "roles": [role], "kind": "client", "aud": "referral"} | more
        assert {name: said[name] for name in expected} == expected
        assert claims.actor(said, kind="client").roles == {role}

    @pytest.mark.parametrize(
        "client_id", ["", "petugas.nnk", "dinsos-73", "svc-", "svc-Intake", "Siti Aminah", "port-nnk"]
    )
    async def test_with_a_meaningless_id_get_nothing(self, browser: httpx2.AsyncClient, client_id: str) -> None:
        answer = await client_token(browser, client_id)

        assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})

    @pytest.mark.parametrize("secret", ["", "wrong", "é", client_secret(SECRET, "DINSOS-73")])
    async def test_with_a_wrong_secret_get_nothing(self, browser: httpx2.AsyncClient, secret: str) -> None:
        answer = await client_token(browser, "DINSOS-73.06", client_secret=secret)

        assert answer.status_code == 401

    async def test_may_show_their_secret_by_http_basic(self, browser: httpx2.AsyncClient) -> None:
        answer = await browser.post(
            "/token",
            data={"grant_type": "client_credentials", "audience": "referral"},
            auth=("DINSOS-73.06", client_secret(SECRET, "DINSOS-73.06")),
        )

        assert answer.status_code == 200

    @pytest.mark.parametrize(
        ("change", "error"),
        [({"audience": ""}, "invalid_target"), ({"grant_type": "password"}, "unsupported_grant_type")],
    )
    async def test_must_ask_properly(self, browser: httpx2.AsyncClient, change: dict[str, str], error: str) -> None:
        assert (await client_token(browser, "KEMENSOS", **change)).json() == {"error": error}

    async def test_have_tokens_that_survive_a_restart(self, browser: httpx2.AsyncClient) -> None:
        token = (await client_token(browser, "KEMENSOS")).json()["access_token"]

        async with asking(Provider(issuer=ISSUER, secret=SECRET)) as restarted:
            assert (await said_in(restarted, token))["sub"] == "KEMENSOS"


class TestStart:
    @pytest.mark.parametrize(
        ("environment", "said"),
        [
            ({"ENVIRONMENT": "production"}, "ENVIRONMENT=production"),
            ({"HOST": "0.0.0.0"}, "HOST=0.0.0.0"),
            ({"PROVIDER_SECRET": ""}, "PROVIDER_SECRET is missing"),
            ({"PROVIDER_SECRET": "sixteen-missing"}, "PROVIDER_SECRET is missing or short"),
            ({"PORT": "http"}, "PORT is not"),
        ],
        ids=str,
    )
    def test_is_refused_where_it_would_be_unsafe(self, environment: dict[str, str], said: str) -> None:
        result = subprocess.run(
            [sys.executable, "-m", "deploy.local.identity_provider"],
            env={**os.environ, "PROVIDER_SECRET": SECRET, **environment},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

        assert result.returncode == 78
        assert said in result.stderr
        assert SECRET not in result.stderr
