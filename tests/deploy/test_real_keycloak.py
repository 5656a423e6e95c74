"""The realm in a real Keycloak: people with two factors, log-outs, systems, and passwords that are refused.

Slow, and only where there is Java and RUJUKAN_KEYCLOAK names an unpacked distribution of Keycloak 26
(`org.keycloak:keycloak-quarkus-dist`).
"""

import asyncio
import hashlib
import hmac
import html
import json
import os
import re
import shutil
import struct
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import pytest_asyncio
import uvicorn

from deploy.local import ports
from shared.kit.identity import tokens
from tests.conftest import DatabaseUrls
from tests.deploy import files
from tests.kit.site import Site, a_site

DISTRIBUTION = os.environ.get("RUJUKAN_KEYCLOAK", "")
STARTS_WITHIN_S = 180
FIRST = "the-first-one-of-everybody"
CHOSEN = "sembilan kuda laut berlayar"
FORM = re.compile(r'<form[^>]*id="([^"]+)"[^>]*action="([^"]+)"|<form[^>]*action="([^"]+)"[^>]*id="([^"]+)"')
SECRET = re.compile(r'name="totpSecret"[^>]*value="([^"]+)"')
ADMIN = "an-administrator-of-this-test"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DISTRIBUTION or not shutil.which("java"), reason="RUJUKAN_KEYCLOAK names no Keycloak"),
    pytest.mark.timeout(600),
]


@dataclass
class Keycloak:
    """A running Keycloak with the realm; `intake` is the port where it looks for intake's back channel."""

    url: str
    intake: int

    @property
    def issuer(self) -> str:
        return f"{self.url}/realms/rujukan"

    async def token(self, **form: str) -> httpx2.Response:
        async with httpx2.AsyncClient(timeout=60) as client:
            return await client.post(f"{self.issuer}/protocol/openid-connect/token", data=form)

    async def administer(self, method: str, path: str) -> httpx2.Response:
        async with httpx2.AsyncClient(timeout=60) as client:
            form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": ADMIN}
            granted = await client.post(f"{self.url}/realms/master/protocol/openid-connect/token", data=form)
            bearer = {"Authorization": f"Bearer {granted.json()['access_token']}"}
            return await client.request(method, f"{self.url}/admin/realms/rujukan/{path}", headers=bearer)


@dataclass
class Person:
    """Somebody with a browser, who fills in what Keycloak asks. `seen` are the ids of its forms, in order."""

    login: str
    password: str = FIRST
    choices: list[str] = field(default_factory=lambda: [CHOSEN])
    secret: str = ""
    seen: list[str] = field(default_factory=list)

    async def come_back(self, browser: httpx2.AsyncClient, address: str) -> str:
        """Where Keycloak sends this browser in the end, having come to it by this address."""
        answer = await self._told(browser, "GET", address)
        while answer.status_code == 200:
            found = FORM.search(answer.text)
            assert found is not None, answer.text
            form, action = found[1] or found[4], html.unescape(found[2] or found[3])
            self.seen.append(form)
            answer = await self._told(browser, "POST", action, self._filled(form, answer.text))
        assert answer.status_code in (302, 303), answer.text
        return str(answer.headers["location"])

    async def _told(
        self, browser: httpx2.AsyncClient, method: str, address: str, form: dict[str, str] | None = None
    ) -> httpx2.Response:
        """The answer, after Keycloak has sent the browser about in its own house."""
        answer = await browser.request(method, address, data=form)
        for cookie in browser.cookies.jar:
            cookie.secure = False  # browsers keep such cookies for loopback, this client does not
        if answer.status_code in (302, 303) and "/realms/rujukan/" in answer.headers["location"]:
            return await self._told(browser, "GET", answer.headers["location"])
        return answer

    def _filled(self, form: str, page: str) -> dict[str, str]:
        if form == "kc-form-login":
            return {"username": self.login, "password": self.password}
        if form == "kc-passwd-update-form":
            self.password = self.choices.pop(0)
            return {"password-new": self.password, "password-confirm": self.password}
        if form == "kc-totp-settings-form":
            [self.secret] = SECRET.findall(page)
            return {"totp": one_time_code(self.secret), "totpSecret": self.secret, "userLabel": "telepon"}
        assert form == "kc-otp-login-form"
        # A code counts once: the next one is taken already half a minute early.
        return {"otp": one_time_code(self.secret, later_s=30)}


def one_time_code(secret: str, later_s: int = 0) -> str:
    """The code of RFC 6238 for now, six digits."""
    counter = struct.pack(">Q", int(time.time() + later_s) // 30)
    digest = hmac.new(secret.encode(), counter, hashlib.sha1).digest()
    [number] = struct.unpack_from(">I", digest, digest[-1] & 15)
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06}"


@pytest.fixture(scope="module")
def keycloak(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keycloak]:
    """Started as docker-compose.yml does, on loopback, from a copy without data."""
    home = tmp_path_factory.mktemp("keycloak") / "home"
    shutil.copytree(DISTRIBUTION, home, ignore=lambda folder, _: {"data"} if folder == DISTRIBUTION else set())
    port, intake = ports.free(), ports.free()
    url = f"http://127.0.0.1:{port}"
    for volume in files.compose()["keycloak"]["volumes"][1:]:
        source, target, _ = volume.split(":")
        placed = home / Path(target).relative_to("/opt/keycloak")
        placed.parent.mkdir(parents=True, exist_ok=True)
        placed.write_text(files.text_of(source).replace("http://intake:8080", f"http://127.0.0.1:{intake}"))
    told = {name: f"{name.lower()}-of-this-test" for name in files.VARIABLE.findall(str(files.compose()["keycloak"]))}
    log = (home / "log").open("w")
    process = subprocess.Popen(
        [home / "bin/kc.sh", "start-dev", "--import-realm", "--http-host=127.0.0.1", f"--http-port={port}"],
        env=os.environ
        | told
        | {"KC_BOOTSTRAP_ADMIN_USERNAME": "admin", "KC_BOOTSTRAP_ADMIN_PASSWORD": ADMIN, "INITIAL_PASSWORD": FIRST},
        stdout=log,
        stderr=log,
    )
    try:
        ends = time.monotonic() + STARTS_WITHIN_S
        while not answers(f"{url}/realms/rujukan"):
            started = process.poll() is None and time.monotonic() < ends
            assert started, (home / "log").read_text()[-4000:]
            time.sleep(0.5)
        yield Keycloak(url, intake)
    finally:
        process.terminate()
        process.wait(30)


def answers(url: str) -> bool:
    try:
        return bool(httpx2.get(url).status_code == 200)
    except httpx2.TransportError:
        return False


@pytest_asyncio.fixture
async def site(keycloak: Keycloak, database_urls: DatabaseUrls) -> AsyncIterator[Site]:
    """A site with intake's identity, which asks for what docker-compose.yml asks."""
    told = files.compose()["intake"]["environment"]
    url = database_urls("identity").application
    secret = "oidc_client_secret_intake-of-this-test"
    async with a_site(url, keycloak.issuer, oidc_client_secret=secret, oidc_acr=told["OIDC_ACR"]) as made:
        yield made


@asynccontextmanager
async def heard(site: Site, port: int) -> AsyncIterator[None]:
    """The site where Keycloak looks for intake's back channel."""
    server = uvicorn.Server(uvicorn.Config(site.app, port=port, log_level="critical", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield
    server.should_exit = True
    await serving


async def come_in(site: Site, browser: httpx2.AsyncClient, outside: httpx2.AsyncClient, person: Person) -> str:
    """Sign in at the site; its answer to who comes back."""
    to_provider = await browser.get("/masuk", params={"next": "/id/saya"})
    back = await person.come_back(outside, to_provider.headers["location"])
    done = await browser.get(back)
    assert done.status_code == 303, done.text
    return (await browser.get("/id/saya")).text


async def test_people_choose_a_password_and_a_second_factor_and_are_known_by_role_and_place(
    site: Site, keycloak: Keycloak
) -> None:
    officer = Person("petugas.nnk", choices=["rujukannunukan2026", "passwordpassword", CHOSEN])
    async with site.browser() as browser, httpx2.AsyncClient(timeout=60) as outside, heard(site, keycloak.intake):
        first = await come_in(site, browser, outside, officer)
        [session] = await site.database.fetch("SELECT * FROM sessions")
        officer.seen, seen = [], officer.seen
        let_in = await browser.get("/api/voyages/1/officers-only")
        # A dangerous act: Keycloak has to ask for both factors again.
        site.clock.advance(site.clock.now() - session["authenticated_at"])
        asked = await browser.get("/masuk", params={"next": "/id/bahaya", "menit": "5"})
        again = await browser.get(await officer.come_back(outside, asked.headers["location"]))
        [user] = (await keycloak.administer("GET", "users?username=petugas.nnk")).json()
        await keycloak.administer("POST", f"users/{user['id']}/logout")
        afterwards = await browser.get("/id/saya")

    # Two passwords were on the list, so the form came back for each.
    assert seen == ["kc-form-login", "kc-totp-settings-form", *["kc-passwd-update-form"] * 3]
    assert first.split()[0] == session["actor_id"] == user["id"]
    assert (session["organisation"], session["roles"], session["port"], session["region"]) == (
        *("BP3MI-65", ["port_officer"], "NNK", "65.03"),
    )
    assert let_in.status_code == 200
    assert officer.seen == ["kc-form-login", "kc-otp-login-form"]
    assert again.headers["location"] == "/id/bahaya"
    assert (afterwards.status_code, afterwards.headers["location"]) == (303, "/masuk?next=/id/saya")


async def test_who_asks_for_one_factor_gets_two_or_nothing(site: Site, keycloak: Keycloak) -> None:
    worker = Person("dinsos.7306")
    async with site.browser() as browser, httpx2.AsyncClient(timeout=60) as outside:
        asked = (await browser.get("/masuk")).headers["location"].replace("acr_values=mfa", "acr_values=password")
        answer = parse_qs(urlsplit(await worker.come_back(outside, asked)).query)

    assert "kc-totp-settings-form" in worker.seen
    assert "code" in answer


async def test_systems_get_tokens_for_one_service_and_no_person(keycloak: Keycloak, site: Site) -> None:
    granted = await keycloak.token(
        grant_type="client_credentials", client_id="DINSOS-73.06", client_secret="system_secret_agency-of-this-test"
    )
    token = granted.json()["access_token"]
    said = await tokens.verified(token, site.identity.issuer, kind="access", audience="referral", now=time.time())
    refused = await keycloak.token(
        grant_type="client_credentials", client_id="DINSOS-73.06", client_secret="another secret of theirs"
    )
    by_password = await keycloak.token(
        grant_type="password", client_id="svc-intake", username="dpo", password=FIRST, client_secret="wrong"
    )

    assert (said["azp"], said["org"], said["region"]) == ("DINSOS-73.06", "DINSOS-73.06", "73.06")
    assert "agency_system" in said["roles"]
    assert said["aud"] == "referral"
    assert said["exp"] - said["iat"] == 300
    assert "rujukan" in said["scope"].split()
    assert not {"name", "email", "preferred_username", "auth_time"} & said.keys(), json.dumps(said)
    assert (refused.status_code, by_password.status_code) == (401, 401)
