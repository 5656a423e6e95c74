"""Access tokens: what is let in, and a collection of forgeries that is not."""

import asyncio
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from shared.kit.actor import Actor
from shared.kit.clock import FixedClock
from shared.kit.identity import BadToken, ProviderAway, TokenVerifier, claims
from shared.kit.identity.issuer import Issuer
from shared.kit.identity.trail import Refusals
from tests.conftest import DatabaseUrls
from tests.kit.outside_issuer import OutsideIssuer, encoded, outside_issuer
from tests.kit.site import a_site

Forge = Callable[[OutsideIssuer], str]
NOW = int(time.time())


@pytest_asyncio.fixture
async def outside() -> AsyncIterator[OutsideIssuer]:
    async with outside_issuer() as issuer:
        yield issuer


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime.now(UTC))


@pytest_asyncio.fixture
async def verifier(outside: OutsideIssuer, clock: FixedClock) -> AsyncIterator[TokenVerifier]:
    issuer = Issuer(outside.url, clock)
    yield TokenVerifier(issuer, "intake", clock)
    await issuer.aclose()


def in_json(part: dict[str, object]) -> str:
    return encoded(json.dumps(part).encode()).decode()


def with_parts(token: str, header: str | None = None, payload: str | None = None, signature: str | None = None) -> str:
    parts = token.split(".")
    given = (header, payload, signature)
    return ".".join(own if other is None else other for own, other in zip(parts, given, strict=True))


class TestGenuineTokens:
    async def test_speak_for_the_client_they_name(self, outside: OutsideIssuer, verifier: TokenVerifier) -> None:
        actor = await verifier.verify(outside.sign(outside.claims()))

        assert actor == Actor(
            id="DINSOS-73.06",
            organisation="DINSOS-73.06",
            roles=frozenset({"agency_system"}),
            kind="client",
            region="73.06",
        )

    @pytest.mark.parametrize("name", ["EdDSA", "Ed25519"])
    async def test_may_be_signed_with_ed25519(self, outside: OutsideIssuer, verifier: TokenVerifier, name: str) -> None:
        key = outside.publish(OKPKey.generate_key("Ed25519"), "edwards", name)

        token = outside.sign(outside.claims(), key=key, header={"alg": name, "kid": "edwards"})

        assert (await verifier.verify(token)).id == "DINSOS-73.06"

    async def test_may_be_for_several_audiences(self, outside: OutsideIssuer, verifier: TokenVerifier) -> None:
        token = outside.sign(outside.claims(aud=["referral", "intake"]))

        assert (await verifier.verify(token)).id == "DINSOS-73.06"

    async def test_keep_only_roles_that_are_ours(self, outside: OutsideIssuer, verifier: TokenVerifier) -> None:
        token = outside.sign(outside.claims(roles=["system", "offline_access", "agency_system", 7]))

        assert (await verifier.verify(token)).roles == {"agency_system"}

    @pytest.mark.parametrize(
        "named",
        [
            {"client_id": "svc-referral", "azp": "svc-referral"},
            {"client_id": "svc-referral", "azp": "another"},
            {"azp": "svc-referral"},
        ],
    )
    async def test_of_a_client_name_it_by_client_id_where_the_subject_is_a_number_of_the_provider(
        self, outside: OutsideIssuer, verifier: TokenVerifier, named: dict[str, str]
    ) -> None:
        token = outside.sign(outside.claims(sub="0b9d1c0e-6a4e-4a55-9f0e-0c1b6a5b8f11", kind=None, **named))

        actor = await verifier.verify(token)

        assert (actor.id, actor.kind) == ("svc-referral", "client")

    @pytest.mark.parametrize("said", [{"kind": "person"}, {"kind": None, "auth_time": NOW}])
    async def test_of_a_person_never_speak_for_the_client_the_person_came_through(
        self, outside: OutsideIssuer, verifier: TokenVerifier, said: dict[str, object]
    ) -> None:
        through = {"client_id": "svc-referral", "azp": "svc-referral"}
        token = outside.sign(outside.claims(sub="dinsos.7306", roles=["agency_worker"], **through, **said))

        actor = await verifier.verify(token)

        assert (actor.id, actor.kind) == ("dinsos.7306", "person")


def sealed_with_public_key(outside: OutsideIssuer) -> str:
    token = outside.sign(outside.claims())
    header = in_json({"alg": "HS256", "kid": "main", "typ": "at+jwt"})
    message = f"{header}.{token.split('.')[1]}"
    mac = hmac.new(outside.main.as_pem(private=False), message.encode(), "sha256").digest()
    return f"{message}.{encoded(mac).decode()}"


def unsigned(outside: OutsideIssuer) -> str:
    header = in_json({"alg": "none", "kid": "main", "typ": "at+jwt"})
    return f"{header}.{in_json(outside.claims())}."


def none_in_capitals(outside: OutsideIssuer) -> str:
    header = in_json({"alg": "nOnE", "kid": "main", "typ": "at+jwt"})
    return with_parts(outside.sign(outside.claims()), header=header)


def signed_by_stranger(outside: OutsideIssuer) -> str:
    return outside.sign(outside.claims(), key=ECKey.generate_key("P-256"))


def with_stranger_key_inside(outside: OutsideIssuer) -> str:
    stranger = ECKey.generate_key("P-256")
    return outside.sign(outside.claims(), key=stranger, header={"jwk": stranger.as_dict(private=False)})


def with_good_key_inside(outside: OutsideIssuer) -> str:
    return outside.sign(outside.claims(), header={"jwk": outside.main.as_dict(private=False)})


def signed_with_published_rsa_key(outside: OutsideIssuer) -> str:
    key = outside.publish(RSAKey.generate_key(2048), "rsa", "RS256")
    return outside.sign(outside.claims(), key=key, header={"alg": "RS256", "kid": "rsa"})


def signed_with_published_shared_secret(outside: OutsideIssuer) -> str:
    secret = OctKey.generate_key(256)
    outside.keys.append({**secret.as_dict(private=True), "kid": "oct", "alg": "HS256", "use": "sig"})
    return outside.sign(outside.claims(), key=secret, header={"alg": "HS256", "kid": "oct"})


def signed_with_encryption_key(outside: OutsideIssuer) -> str:
    key = ECKey.generate_key("P-256")
    outside.keys.append({**key.as_dict(private=False), "kid": "enc", "use": "enc"})
    return outside.sign(outside.claims(), key=key, header={"kid": "enc"})


def signed_with_key_for_another_algorithm(outside: OutsideIssuer) -> str:
    key = ECKey.generate_key("P-256")
    outside.keys.append({**key.as_dict(private=False), "kid": "agreement", "alg": "ECDH-ES"})
    return outside.sign(outside.claims(), key=key, header={"kid": "agreement"})


def named_for_another_kind_of_key(outside: OutsideIssuer) -> str:
    outside.publish(OKPKey.generate_key("Ed25519"), "edwards", "Ed25519")
    return outside.sign(outside.claims(), header={"kid": "edwards"})


def with_header(**header: object) -> Forge:
    return lambda outside: outside.sign(outside.claims(), header=header)


def with_claims(**changed: object) -> Forge:
    return lambda outside: outside.sign(outside.claims(**changed))


def with_payload(payload: bytes) -> Forge:
    return lambda outside: outside.sign(payload)


def with_raw_expiry(number: str) -> Forge:
    def forge(outside: OutsideIssuer) -> str:
        return outside.sign(json.dumps(outside.claims(exp="EXP")).replace('"EXP"', number).encode())

    return forge


def with_signature(signature: str) -> Forge:
    return lambda outside: with_parts(outside.sign(outside.claims()), signature=signature)


def with_other_payload(outside: OutsideIssuer) -> str:
    return with_parts(outside.sign(outside.claims()), payload=in_json(outside.claims(sub="DINSOS-31")))


def with_payload_twice(outside: OutsideIssuer) -> str:
    said = json.dumps(outside.claims())
    return outside.sign((said[:-1] + ', "org": "DINSOS-31"}').encode())


def with_header_twice(outside: OutsideIssuer) -> str:
    header = b'{"alg": "none", "alg": "ES256", "kid": "main", "typ": "at+jwt"}'
    message = b".".join((encoded(header), encoded(json.dumps(outside.claims()).encode())))
    signature = jws.JWSRegistry.algorithms["ES256"].sign(message, outside.main)
    return b".".join((message, encoded(signature))).decode()


def with_loose_bits(outside: OutsideIssuer) -> str:
    """The same signature, written with other bits where base64url has none to spare."""
    token = outside.sign(outside.claims())
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


def literally(token: str) -> Forge:
    return lambda _: token


FORGERIES: dict[str, Forge] = {
    "unsigned": unsigned,
    "none_in_capitals": none_in_capitals,
    "hmac_with_the_public_key": sealed_with_public_key,
    "signed_by_stranger": signed_by_stranger,
    "stranger_key_inside": with_stranger_key_inside,
    "good_key_inside": with_good_key_inside,
    "rsa": signed_with_published_rsa_key,
    "published_shared_secret": signed_with_published_shared_secret,
    "encryption_key": signed_with_encryption_key,
    "key_for_another_algorithm": signed_with_key_for_another_algorithm,
    "another_kind_of_key": named_for_another_kind_of_key,
    "key_address": with_header(jku="https://evil.example/keys"),
    "certificate_address": with_header(x5u="https://evil.example/cert"),
    "certificate_inside": with_header(x5c=["MIIB"]),
    "critical_extension": with_header(crit=["exp"]),
    "unencoded_payload": with_header(b64=True),
    "nested": with_header(cty="JWT"),
    "no_key_id": with_header(kid=None),
    "key_id_no_string": with_header(kid=7),
    "unknown_key_id": with_header(kid="../../dev/null"),
    "no_type": with_header(typ=None),
    "type_of_an_id_token": with_header(typ="JWT"),
    "other_issuer": with_claims(iss="https://evil.example"),
    "issuer_with_slash": lambda outside: outside.sign(outside.claims(iss=outside.url + "/")),
    "no_issuer": with_claims(iss=None),
    "other_audience": with_claims(aud="referral"),
    "other_audiences": with_claims(aud=["referral", "notify"]),
    "audience_in_a_longer_word": with_claims(aud="intake2"),
    "no_audience": with_claims(aud=None),
    "audience_of_numbers": with_claims(aud=[1, "intake"]),
    "no_end": with_claims(exp=None),
    "ended": with_claims(exp=NOW - 5),
    "end_is_text": with_claims(exp="4102444800"),
    "end_is_true": with_claims(exp=True),
    "end_is_nan": with_raw_expiry("NaN"),
    "end_is_infinity": with_raw_expiry("Infinity"),
    "end_is_huge": with_raw_expiry("1e400"),
    "not_yet": with_claims(nbf=NOW + 86_400),
    "issued_tomorrow": with_claims(iat=NOW + 86_400),
    "never_issued": with_claims(iat=None),
    "nobody": with_claims(sub=None),
    "name_as_subject": with_claims(sub="Siti Aminah"),
    "address_as_subject": with_claims(sub="siti@example.id"),
    "subject_is_a_number": with_claims(sub=12),
    "name_as_client": with_claims(client_id="Siti Aminah"),
    "name_as_party": with_claims(azp="siti@example.id"),
    "client_is_a_number": with_claims(client_id=12),
    "no_organisation": with_claims(org=None),
    "roles_are_text": with_claims(roles="agency_system"),
    "claims_to_be_a_part_of_us": with_claims(kind="system"),
    "region_is_a_name": with_claims(region="Gowa"),
    "port_is_a_name": with_claims(port="Tunon Taka"),
    "list_for_claims": with_payload(b"[1]"),
    "text_for_claims": with_payload(b'"x"'),
    "no_json": with_payload(b"{"),
    "no_utf8": with_payload(b'{"sub": "\xff"}'),
    "other_payload": with_other_payload,
    "no_signature": with_signature(""),
    "signature_of_zeros": with_signature("A" * 86),
    "short_signature": with_signature("AAAA"),
    "long_signature": with_signature("A" * 90),
    "key_id_of_a_path": with_header(kid="../../../../../../dev/null"),
    "key_id_of_sql": with_header(kid="main' UNION SELECT 'x' --"),
    "key_id_of_a_command": with_header(kid="main|/bin/sh -c id"),
    "key_id_empty": with_header(kid=""),
    "key_id_huge": with_header(kid="k" * 4_000),
    "key_id_a_list": with_header(kid=["main"]),
    "certificate_sum": with_header(x5t="AAAA"),
    "issued_in_a_century": with_claims(iat=NOW + 3_153_600_000, exp=NOW + 3_153_600_300),
    "issued_is_text": with_claims(iat=str(NOW)),
    "not_yet_is_text": with_claims(nbf="soon"),
    "lives_a_day": with_claims(exp=NOW + 86_400),
    "no_scope": with_claims(scope=None),
    "other_scope": with_claims(scope="openid profile"),
    "scope_in_a_longer_word": with_claims(scope="rujukan2 xrujukan"),
    "scope_is_a_list": with_claims(scope=["rujukan"]),
    "no_id": with_claims(jti=None),
    "id_is_a_number": with_claims(jti=7),
    "name_twice_in_the_claims": with_payload_twice,
    "name_twice_in_the_header": with_header_twice,
    "padded": lambda outside: outside.sign(outside.claims()) + "=",
    "space_inside": lambda outside: outside.sign(outside.claims()).replace(".", ". ", 1),
    "line_inside": lambda outside: outside.sign(outside.claims()).replace(".", ".\n", 1),
    "standard_alphabet": with_signature("+/" * 43),
    "loose_bits_at_the_end": with_loose_bits,
    "nested_twice": lambda outside: outside.sign(outside.sign(outside.claims()).encode(), header={"cty": "JWT"}),
    "token_for_claims": lambda outside: outside.sign(outside.sign(outside.claims()).encode()),
    "deep": lambda outside: outside.sign(b'{"a":' + b"[" * 3_000 + b"]" * 3_000 + b"}"),
    "letters_beyond_ascii": lambda outside: outside.sign(outside.claims()).replace("e", "\u0435", 1),
    "empty": literally(""),
    "dots": literally(".."),
    "four_parts": lambda outside: outside.sign(outside.claims()) + ".AAAA",
    "encrypted": literally("e30.e30.e30.e30.e30"),
    "json_form": literally('{"payload":"e30","signatures":[]}'),
    "not_ascii": literally("é.é.é"),
    "very_long": lambda outside: outside.sign(outside.claims(more="x" * 9_000)),
}


class TestForgeries:
    @pytest.mark.parametrize("name", FORGERIES)
    async def test_are_refused(self, outside: OutsideIssuer, verifier: TokenVerifier, name: str) -> None:
        token = FORGERIES[name](outside)

        with pytest.raises(BadToken):
            await verifier.verify(token)

    async def test_with_one_letter_changed_are_refused(self, outside: OutsideIssuer, verifier: TokenVerifier) -> None:
        token = outside.sign(outside.claims())
        await verifier.verify(token)

        for position in range(len(token)):
            other = "A" if token[position] != "A" else "B"
            with pytest.raises(BadToken):
                await verifier.verify(token[:position] + other + token[position + 1 :])


class TestForgeriesAtTheDoor:
    async def test_are_refused_with_401_and_stand_on_the_trail_each(
        self, outside: OutsideIssuer, database_urls: DatabaseUrls
    ) -> None:
        async with a_site(database_urls("identity").application, outside.url) as site, site.browser() as browser:
            good = await browser.get(
                "/api/whoever", headers={"authorization": f"Bearer {outside.sign(outside.claims())}"}
            )
            assert good.text == "DINSOS-73.06"
            for name, forge in FORGERIES.items():
                site.identity.refusals = Refusals(site.database)  # else the journal is spared from the 31st a minute on
                before = len(await site.trail())
                header = b"Bearer " + forge(outside).encode().replace(b"\n", b" ")
                answer = await browser.get("/api/whoever", headers={b"authorization": header})  # type: ignore[dict-item]
                trail = await site.trail()

                assert (answer.status_code, answer.json()["code"]) == (401, "bad_token"), name
                assert [(said["actor"], said["data"]["reason"]) for _, said in trail[before:]] == [
                    ("anonymous", "bad_token")
                ], name


class TestReplays:
    async def test_of_an_access_token_are_its_use(self, outside: OutsideIssuer, verifier: TokenVerifier) -> None:
        token = outside.sign(outside.claims())

        assert [(await verifier.verify(token)).id for _ in range(3)] == ["DINSOS-73.06"] * 3

    async def test_of_its_id_in_another_token_are_refused(
        self, outside: OutsideIssuer, verifier: TokenVerifier
    ) -> None:
        first = outside.claims()
        await verifier.verify(outside.sign(first))

        with pytest.raises(BadToken):
            await verifier.verify(outside.sign(first | {"org": "DINSOS-31"}))
        with pytest.raises(BadToken):
            await verifier.verify(outside.sign(first))  # signed anew, so other bytes

    async def test_that_were_forged_do_not_shut_the_genuine_one_out(
        self, outside: OutsideIssuer, verifier: TokenVerifier
    ) -> None:
        good = outside.claims()
        with pytest.raises(BadToken):
            await verifier.verify(outside.sign(good, key=ECKey.generate_key("P-256")))

        assert (await verifier.verify(outside.sign(good))).id == "DINSOS-73.06"


class TestKeys:
    async def test_new_ones_are_found_at_once(
        self, outside: OutsideIssuer, verifier: TokenVerifier, clock: FixedClock
    ) -> None:
        await verifier.verify(outside.sign(outside.claims()))
        key = outside.publish(ECKey.generate_key("P-256"), "next", "ES256")
        clock.advance(timedelta(seconds=11))

        token = outside.sign(outside.claims(), key=key, header={"kid": "next"})

        assert (await verifier.verify(token)).id == "DINSOS-73.06"

    async def test_invented_ids_do_not_make_us_call_the_provider(
        self, outside: OutsideIssuer, verifier: TokenVerifier
    ) -> None:
        tokens = [outside.sign(outside.claims(), header={"kid": f"invented-{n}"}) for n in range(50)]

        answers = await asyncio.gather(*(verifier.verify(token) for token in tokens), return_exceptions=True)

        assert {type(answer) for answer in answers} == {BadToken}
        assert outside.asked == 1

    async def test_withdrawn_ones_are_forgotten_within_the_hour(
        self, outside: OutsideIssuer, verifier: TokenVerifier, clock: FixedClock
    ) -> None:
        await verifier.verify(outside.sign(outside.claims()))
        later = int(time.time()) + 7_200
        outside.keys.clear()
        outside.publish(ECKey.generate_key("P-256"), "next", "ES256")
        clock.advance(timedelta(minutes=61))

        with pytest.raises(BadToken):
            await verifier.verify(outside.sign(outside.claims(exp=later)))

    async def test_known_ones_do_while_the_provider_is_away(
        self, outside: OutsideIssuer, verifier: TokenVerifier, clock: FixedClock
    ) -> None:
        await verifier.verify(outside.sign(outside.claims()))
        outside.broken = True
        clock.advance(timedelta(hours=2))

        then = int(clock.now().timestamp())
        actor = await verifier.verify(outside.sign(outside.claims(iat=then, exp=then + 600)))

        assert actor.id == "DINSOS-73.06"

    async def test_may_be_read_at_another_address_than_people_use(
        self, outside: OutsideIssuer, clock: FixedClock
    ) -> None:
        inside, outside.url = outside.url, "https://login.example"
        issuer = Issuer(outside.url, clock, f"{inside}/.well-known/openid-configuration")

        actor = await TokenVerifier(issuer, "intake", clock).verify(outside.sign(outside.claims()))
        await issuer.aclose()

        assert actor.id == "DINSOS-73.06"

    async def test_none_known_and_provider_away_is_not_the_callers_fault(
        self, outside: OutsideIssuer, verifier: TokenVerifier
    ) -> None:
        outside.broken = True

        with pytest.raises(ProviderAway):
            await verifier.verify(outside.sign(outside.claims()))


class TestVerifiedTokens:
    async def test_end_when_they_say_so(
        self, outside: OutsideIssuer, verifier: TokenVerifier, clock: FixedClock
    ) -> None:
        token = outside.sign(outside.claims())
        await verifier.verify(token)
        clock.advance(timedelta(seconds=301))

        with pytest.raises(BadToken):
            await verifier.verify(token)

    async def test_cost_nothing_again(self, outside: OutsideIssuer, verifier: TokenVerifier) -> None:
        token = outside.sign(outside.claims())

        first = await verifier.verify(token)

        # The very same object: neither signature nor claims were looked at again.
        assert await verifier.verify(token) is first


CLAIMS = ["sub", "client_id", "azp", "auth_time", "org", "roles", "port", "region", "kind"]


class TestNames:
    THEIRS = claims.Names(
        id="preferred_username",
        organisation="https://login.example/org",
        roles="realm_access.roles",
        port="place.port",
        region="place.region",
        role_map={"petugas": "port_officer", "admin": "operator"},
    )
    SAID: ClassVar[dict[str, object]] = {
        "sub": "0b9d1c0e",
        "preferred_username": "petugas.nnk",
        "https://login.example/org": "BP3MI-65",
        "realm_access": {"roles": ["petugas", "auditor", "offline_access"]},
        "place": {"port": "NNK", "region": "65.03"},
    }

    def test_of_claims_and_roles_are_those_of_the_settings(self) -> None:
        actor = claims.actor(self.SAID, kind="person", names=self.THEIRS)

        assert actor == Actor("petugas.nnk", "BP3MI-65", frozenset({"port_officer"}), "person", "NNK", "65.03")

    @pytest.mark.parametrize(
        "other",
        [
            {"realm_access": {"roles": "petugas"}},
            {"place": {"port": "Tunon Taka"}},
            {"preferred_username": "Siti Aminah"},
            {"preferred_username": None},
            {"https://login.example/org": {"code": "BP3MI-65"}},
        ],
        ids=str,
    )
    def test_do_not_make_a_claim_of_a_wrong_form_a_good_one(self, other: dict[str, object]) -> None:
        with pytest.raises(BadToken):
            claims.actor(self.SAID | other, kind="person", names=self.THEIRS)

    def test_that_lead_nowhere_give_no_role(self) -> None:
        said = self.SAID | {"realm_access": ["petugas"]}

        assert claims.actor(said, kind="person", names=self.THEIRS).roles == frozenset()


class TestClaims:
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.dictionaries(st.sampled_from(CLAIMS), st.from_type(object)))
    def test_of_any_form_give_an_actor_of_codes_or_a_refusal(self, said: dict[str, object]) -> None:
        try:
            actor = claims.actor(said, kind="client")
        except BadToken:
            return

        assert actor.kind in ("person", "client")
        assert actor.roles <= claims.ROLES
        assert not {" ", "@"} & set(actor.id + actor.organisation + (actor.port or "") + (actor.region or ""))
