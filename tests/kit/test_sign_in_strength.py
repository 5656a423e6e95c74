"""Who signed in with less than the service asks gets no session, and is told what to do."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import pytest_asyncio

from shared.kit.identity import claims
from shared.kit.identity.refusals import SignInTooWeak
from tests.conftest import DatabaseUrls
from tests.kit.outside_issuer import OutsideIssuer, outside_issuer
from tests.kit.site import Site, a_site, begin, signed_in

PERSON = {"sub": "ana", "org": "KP2MI", "roles": ["coordinator"], "auth_time": 1_790_000_000}
NAMES = claims.Names(acr="mfa")
STRICT = claims.Names(acr="mfa", acr_administration="managed-device")


def asked_for(answer: httpx2.Response) -> list[str]:
    """What the provider is asked for by this answer: the values of `acr_values`."""
    assert answer.status_code == 303
    return parse_qs(urlsplit(answer.headers["location"]).query).get("acr_values", [])


class TestClaims:
    @pytest.mark.parametrize("said", [{"acr": "mfa"}, {"acr": "1", "amr": ["pwd", "mfa"]}], ids=str)
    def test_that_say_it_let_a_person_in(self, said: dict[str, Any]) -> None:
        assert claims.actor(PERSON | said, kind="person", names=NAMES).id == "ana"

    @pytest.mark.parametrize(
        "said",
        [{}, {"acr": "1"}, {"acr": "MFA"}, {"acr": ["mfa"]}, {"amr": "mfa"}, {"amr": ["pwd"]}, {"amr": 1}],
        ids=str,
    )
    def test_that_say_less_do_not(self, said: dict[str, Any]) -> None:
        with pytest.raises(SignInTooWeak):
            claims.actor(PERSON | said, kind="person", names=NAMES)

    def test_of_a_person_behind_a_client_are_held_to_the_same(self) -> None:
        with pytest.raises(SignInTooWeak):
            claims.actor(PERSON | {"client_id": "svc-referral"}, kind="client", names=NAMES)

    def test_of_a_system_have_none_and_need_none(self) -> None:
        system = {"client_id": "DINSOS-73.06", "org": "DINSOS-73.06", "roles": ["agency_system"]}

        assert claims.actor(system, kind="client", names=STRICT).id == "DINSOS-73.06"

    def test_count_for_nothing_where_nothing_is_asked(self) -> None:
        assert claims.actor(PERSON, kind="person").id == "ana"

    @pytest.mark.parametrize("role", sorted(claims.ADMINISTRATION))
    def test_of_administrators_may_have_to_say_more(self, role: str) -> None:
        administrator = PERSON | {"roles": [role]}

        with pytest.raises(SignInTooWeak):
            claims.actor(administrator | {"acr": "mfa"}, kind="person", names=STRICT)
        assert claims.actor(administrator | {"acr": "managed-device"}, kind="person", names=STRICT).has(role)
        assert claims.actor(PERSON | {"acr": "mfa"}, kind="person", names=STRICT).id == "ana"


@pytest_asyncio.fixture
async def strict(database_urls: DatabaseUrls, issuer: str) -> AsyncIterator[Site]:
    """A site that asks everybody for what the provider gives, and administrators for more than it can."""
    url = database_urls("identity").application
    async with a_site(url, issuer, oidc_acr="mfa", oidc_acr_administration="managed-device") as site:
        yield site


@pytest_asyncio.fixture
async def outside() -> AsyncIterator[OutsideIssuer]:
    async with outside_issuer() as issuer:
        yield issuer


class TestSigningIn:
    async def test_asks_the_provider_for_it(self, strict: Site) -> None:
        async with strict.browser() as browser:
            asked = asked_for(await browser.get("/masuk?next=/id/saya"))
            await signed_in(browser)

        assert asked == ["mfa"]

    async def test_asks_once_more_for_what_the_role_takes_then_refuses_with_a_remedy(self, strict: Site) -> None:
        async with strict.browser() as browser:
            again = await browser.get(await begin(browser, "operator"))
            async with httpx2.AsyncClient() as outside:
                back = await outside.get(f"{again.headers['location']}&login_hint=operator")
            refused = await browser.get(back.headers["location"])
            then = await browser.get("/id/saya")

        assert asked_for(again) == ["managed-device"]
        assert (refused.status_code, refused.headers["content-type"]) == (403, "text/html; charset=utf-8")
        assert "faktor kedua" in refused.text
        assert then.headers["location"].startswith("/masuk?")
        assert [kind for kind, _ in await strict.trail()] == ["access.access_denied.v1"]

    async def test_is_what_a_dangerous_act_takes_when_the_strength_was_asked_for_since(
        self, database_urls: DatabaseUrls, issuer: str
    ) -> None:
        url = database_urls("identity").application
        async with a_site(url, issuer) as before, before.browser() as browser:
            await signed_in(browser)
            async with a_site(url, issuer, oidc_acr="hardware") as since, since.browser() as later:
                since.clock.advance(timedelta(minutes=6))
                later.cookies = browser.cookies
                led = await later.get("/id/bahaya")
                asked = await later.get(led.headers["location"])

        assert led.headers["location"].startswith("/masuk?")
        assert asked_for(asked) == ["hardware"]

    async def test_by_bearer_is_refused_too(self, database_urls: DatabaseUrls, outside: OutsideIssuer) -> None:
        url = database_urls("identity").application
        async with a_site(url, outside.url, oidc_acr="mfa") as site, site.browser(accept="application/json") as client:
            token = outside.sign(outside.claims(kind="person", sub="ana", acr="1"))
            refused = await client.get("/api/whoever", headers={"authorization": f"Bearer {token}"})
            token = outside.sign(outside.claims(kind="person", sub="ana", acr="mfa"))
            let_in = await client.get("/api/whoever", headers={"authorization": f"Bearer {token}"})

        assert (refused.status_code, refused.json()["code"]) == (403, "sign_in_too_weak")
        assert (let_in.status_code, let_in.text) == (200, "ana")
