"""The realm gives tokens that the services understand, and no more than each client needs."""

import json
from typing import Any

import pytest

from services.audit import policy as audit
from services.intake import policy as intake
from services.notify import policy as notify
from services.referral import policy as referral
from shared.kit.actor import Actor
from shared.kit.identity import claims
from shared.kit.identity.back_channel import BACK_CHANNEL
from shared.kit.settings import KitSettings
from tests.deploy import files
from tests.deploy.files import SERVICES, clients, compose, realm

NUMBER = "0b9d1c0e-6a4e-4a55-9f0e-0c1b6a5b8f11"
"""What Keycloak puts into `sub`: its own number of the person or of the client's account."""
SYSTEMS = {
    "svc-referral": Actor("svc-referral", "rujukan", frozenset({"service"}), "client"),
    "port-NNK": Actor("port-NNK", "port-NNK", frozenset({"port_system"}), "client", port="NNK"),
    "DINSOS-73.06": Actor("DINSOS-73.06", "DINSOS-73.06", frozenset({"agency_system"}), "client", region="73.06"),
    "NGO-SBMI": Actor("NGO-SBMI", "NGO-SBMI", frozenset({"ngo_system"}), "client"),
    "ITJEN-KP2MI": Actor("ITJEN-KP2MI", "ITJEN-KP2MI", frozenset({"auditor"}), "client"),
}
"""Who the services take each client for that asks by itself."""
PEOPLE = files.demo_people()


def token_of(client: dict[str, Any], user: dict[str, Any]) -> dict[str, Any]:
    """The claims that the client's mappers make of a user in an access token."""
    said: dict[str, Any] = {"sub": NUMBER, "azp": client["clientId"]}
    audiences = []
    for mapper in client["protocolMappers"]:
        told = mapper["config"]
        if told["access.token.claim"] != "true":
            continue
        if mapper["protocolMapper"] == "oidc-audience-mapper":
            audiences.append(told["included.custom.audience"])
        elif mapper["protocolMapper"] == "oidc-usermodel-realm-role-mapper":
            said[told["claim.name"]] = [*user["realmRoles"], "default-roles-rujukan"]
        elif (values := user["attributes"].get(told["user.attribute"])) is not None:
            [said[told["claim.name"]]] = values
    return said | ({"aud": audiences} if audiences else {})


def account_of(client_id: str) -> dict[str, Any]:
    """The user whose attributes and roles a client has that asks by itself."""
    [account] = [user for user in realm()["users"] if user.get("serviceAccountClientId") == client_id]
    assert account["username"] == f"service-account-{client_id.lower()}"
    return account


class TestClients:
    def test_are_the_services_and_the_systems(self) -> None:
        assert set(clients()) == {*(f"svc-{service}" for service in SERVICES), *SYSTEMS}
        assert {id_ for id_, client in clients().items() if client.get("serviceAccountsEnabled")} == set(SYSTEMS)

    @pytest.mark.parametrize("client_id", sorted(clients()))
    def test_get_tokens_of_the_pinned_type_and_algorithm_and_without_names(self, client_id: str) -> None:
        client = clients()[client_id]

        assert client["attributes"]["access.token.signed.response.alg"] == "ES256"
        assert client["attributes"]["access.token.header.type.rfc9068"] == "true"
        # The scopes `profile` and `email` would put people's names into tokens.
        assert (client["defaultClientScopes"], client["optionalClientScopes"]) == (["basic", "rujukan"], [])
        if client["standardFlowEnabled"]:
            assert client["attributes"]["id.token.signed.response.alg"] == "ES256"
            assert client["attributes"]["pkce.code.challenge.method"] == "S256"

    @pytest.mark.parametrize("service", SERVICES)
    def test_of_services_are_told_of_a_log_out_where_the_service_listens(self, service: str) -> None:
        client = clients()[f"svc-{service}"]

        assert client["attributes"]["backchannel.logout.url"] == f"http://{service}:8080{BACK_CHANNEL}"
        assert client["attributes"]["backchannel.logout.session.required"] == "true"
        [callback] = client["redirectUris"]
        assert client["attributes"]["post.logout.redirect.uris"] == callback.removesuffix("masuk/kembali")

    def test_have_a_secret_of_their_own_that_keycloak_is_given(self) -> None:
        secrets = [client["secret"] for client in clients().values()]

        assert len(set(secrets)) == len(secrets)
        given = compose()["keycloak"]["environment"]
        for secret in [*secrets, "${INITIAL_PASSWORD}"]:
            [name] = files.VARIABLE.findall(secret)
            assert given[name].startswith(f"${{{name}:?")

    @pytest.mark.parametrize("client_id", SYSTEMS)
    def test_that_ask_by_themselves_are_who_the_services_take_them_for(self, client_id: str) -> None:
        said = token_of(clients()[client_id], account_of(client_id))

        assert claims.actor(said, kind="client") == SYSTEMS[client_id]

    @pytest.mark.parametrize(
        ("client_id", "audience", "roles"),
        [
            ("svc-referral", "intake", ("service",)),
            ("port-NNK", "intake", intake.PORT_ROLES),
            ("DINSOS-73.06", "referral", referral.WORKERS),
            ("NGO-SBMI", "notify", notify.SUBSCRIBERS),
            ("ITJEN-KP2MI", "audit", audit.READERS),
        ],
    )
    def test_that_ask_by_themselves_are_heard_where_their_role_counts_and_nowhere_else(
        self, client_id: str, audience: str, roles: tuple[str, ...]
    ) -> None:
        assert token_of(clients()[client_id], account_of(client_id))["aud"] == [audience]
        assert SYSTEMS[client_id].has(*roles)

    def test_only_that_of_referral_may_ask_for_identities(self) -> None:
        assert {id_ for id_, actor in SYSTEMS.items() if intake.may_ask_disclosure(actor)} == {"svc-referral"}
        assert compose()["referral"]["environment"]["OIDC_CLIENT_ID"] == intake.DISCLOSURE_CLIENT
        assert files.config_map("referral")["OIDC_CLIENT_ID"] == intake.DISCLOSURE_CLIENT


class TestPeople:
    @pytest.mark.parametrize("user", PEOPLE, ids=lambda user: user["username"])
    @pytest.mark.parametrize("service", SERVICES)
    def test_are_known_by_role_organisation_and_place(self, user: dict[str, Any], service: str) -> None:
        actor = claims.actor(token_of(clients()[f"svc-{service}"], user), kind="person")

        assert (actor.id, actor.kind) == (NUMBER, "person")
        assert actor.roles == set(user["realmRoles"]) <= claims.ROLES
        assert actor.port is not None or "port_officer" not in actor.roles
        assert actor.region is not None or not actor.has("agency_worker", "agency_supervisor")

    def test_have_every_role_that_a_person_can_have(self) -> None:
        defined = {role["name"] for role in realm()["roles"]["realm"]}

        assert defined == claims.ROLES
        assert {role for user in PEOPLE for role in user["realmRoles"]} == {
            role for role in defined if role != "service" and not role.endswith("_system")
        }

    def test_choose_their_own_password_at_the_first_log_in(self) -> None:
        for user in PEOPLE:
            assert user["credentials"] == [{"type": "password", "value": "${INITIAL_PASSWORD}", "temporary": True}]
            assert user["requiredActions"] == ["UPDATE_PASSWORD", "CONFIGURE_TOTP"]

    def test_cannot_move_themselves_to_another_organisation_port_or_region(self) -> None:
        [provider] = realm()["components"]["org.keycloak.userprofile.UserProfileProvider"]
        [config] = provider["config"]["kc.user.profile.config"]
        profile = json.loads(config)

        editors = {a["name"]: a["permissions"]["edit"] for a in profile["attributes"]}
        assert [editors[name] for name in ("org", "port", "region")] == [["admin"]] * 3
        assert "unmanagedAttributePolicy" not in profile


def test_tokens_live_as_long_and_are_for_what_the_services_ask() -> None:
    asked = KitSettings.model_fields
    scopes = {scope["name"]: scope for scope in realm()["clientScopes"]}

    assert realm()["accessTokenLifespan"] <= asked["oidc_token_life_max_s"].default
    assert scopes[asked["oidc_scope"].default]["attributes"]["include.in.token.scope"] == "true"
    # A list of scopes replaces Keycloak's own, so the one that says who and when has to be in it.
    assert {m["config"].get("claim.name", m["name"]) for m in scopes["basic"]["protocolMappers"]} == {
        "sub",
        "acr",
        "auth_time",
    }


def test_keys_are_of_the_algorithm_from_the_first_token_on() -> None:
    [key] = [k for k in realm()["components"]["org.keycloak.keys.KeyProvider"] if "ecdsa" in k["providerId"]]

    assert key["config"]["ecdsaEllipticCurveKey"] == ["P-256"]
    assert realm()["defaultSignatureAlgorithm"] == "ES256"


def test_mail_arrives_at_mailpit() -> None:
    mail = realm()["smtpServer"]

    assert mail["host"] in compose()
    assert (mail["host"], mail["port"]) == ("mailpit", "1025")
