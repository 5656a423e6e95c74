"""V6: what the realm we ship asks of people's log-in. What the services make of it stands in tests/kit."""

import json
import re
from pathlib import Path
from typing import Any

from deploy.keycloak import passwords
from tests.deploy import files

REALM: dict[str, Any] = files.realm()
PEOPLE: list[dict[str, Any]] = files.demo_people()
POLICY = dict(re.findall(r"(\w+)\(([^)]*)\)", REALM.get("passwordPolicy", "")))


class TestPasswords:
    def test_are_long(self) -> None:
        assert int(POLICY["length"]) >= 15

    def test_may_be_long_and_of_anything(self) -> None:
        assert "maxLength" not in POLICY  # Keycloak's own is 64
        assert not POLICY.keys() & {"digits", "lowerCase", "upperCase", "specialChars", "regexPattern"}

    def test_do_not_grow_old(self) -> None:
        assert not POLICY.keys() & {"forceExpiredPasswordChange", "maxAuthAge"}

    def test_are_not_the_name_of_who_has_them(self) -> None:
        assert {"notUsername", "notEmail"} <= POLICY.keys()

    def test_are_not_among_those_that_are_tried_first(self) -> None:
        """Keycloak reads the list from this folder and compares in small letters; it needs no short ones."""
        listed = passwords.FILE.read_text(encoding="utf-8").splitlines()
        [mounted] = [v for v in files.compose()["keycloak"]["volumes"] if "/password-blacklists/" in v]

        source, target, _ = mounted.split(":")
        assert (files.ROOT / source).resolve() == passwords.FILE
        assert target == f"/opt/keycloak/data/password-blacklists/{POLICY['passwordBlacklist']}"
        assert len(listed) >= 3000
        assert listed == passwords.guessed()
        assert all(word == word.lower() and int(POLICY["length"]) <= len(word) for word in listed)
        assert {"passwordpassword", "123456789012345", "qwertyuiopasdfg", "aaaaaaaaaaaaaaa"} <= set(listed)

    def test_are_not_words_of_the_work_here(self) -> None:
        listed = passwords.guessed()

        assert {"rujukan", "kp2mi", "bp3mi", "nunukan", "petugas"} <= set(passwords.OF_HERE)
        assert all(any(word in password for password in listed) for word in passwords.OF_HERE)
        assert {"rujukannunukan2026", "petugas rujukan", "rujukanrujukan123"} <= set(listed)

    def test_may_be_compared_with_a_list_of_breaches_too(self, tmp_path: Path) -> None:
        (tmp_path / "one.txt").write_text("Correct Horse Battery\nshort\n")
        (tmp_path / "two.txt").write_bytes(b"caf\xe9 caf\xe9 caf\xe9 caf\xe9\n" + b"x" * 65 + b"\n")

        merged = passwords.merged([tmp_path / "one.txt", tmp_path / "two.txt"])

        assert set(passwords.guessed()) < set(merged)
        assert "correct horse battery" in merged
        assert len(merged) == len(passwords.guessed()) + 2

    def test_are_not_guessed_fast_and_guessing_locks_nobody_out_for_good(self) -> None:
        assert REALM["bruteForceProtected"] is True
        assert not REALM.get("permanentLockout", False)


class TestPeople:
    def test_do_not_make_accounts_for_themselves(self) -> None:
        assert REALM["registrationAllowed"] is False

    def test_of_the_demonstration_are_nowhere_but_on_one_machine(self) -> None:
        """What a real realm begins with holds no person; the file of the demonstration is for docker-compose.yml."""
        assert all("serviceAccountClientId" in user and "credentials" not in user for user in REALM["users"])
        assert len(PEOPLE) >= 9
        named = [path.name for path in (files.ROOT / "deploy/k8s").rglob("*.yaml") if "demo-people" in path.read_text()]
        assert named == []

    def test_have_an_initial_password_that_nobody_knows_before(self) -> None:
        """It is made with the other secrets, and lasts until the first log-in."""
        assert {c["value"] for person in PEOPLE for c in person["credentials"]} == {"${INITIAL_PASSWORD}"}

    def test_have_neither_hints_nor_questions(self) -> None:
        assert profile().keys() == {*("username", "email", "firstName", "lastName", "org", "port", "region")}

    def test_are_told_by_mail_of_failed_log_ins_and_changed_passwords(self) -> None:
        """Keycloak's listener `email` tells of LOGIN_ERROR, UPDATE_PASSWORD, UPDATE_TOTP and REMOVE_TOTP."""
        assert "email" in REALM["eventsListeners"]
        assert all(person["email"] and person["emailVerified"] for person in PEOPLE)

    def test_cannot_change_under_which_name_or_address_they_are_known(self) -> None:
        """So nobody is to be told of it: an administrator does that, for somebody who asks."""
        assert [profile()[name]["permissions"]["edit"] for name in ("username", "email")] == [["admin"]] * 2
        assert not REALM.get("editUsernameAllowed", False)


class TestFactors:
    def test_are_two_for_everybody(self) -> None:
        """Each is a level of Keycloak's; where somebody has no second one yet, the form has it set up."""
        steps = {flow["alias"]: flow["authenticationExecutions"] for flow in REALM["authenticationFlows"]}
        [_, forms] = steps[REALM["browserFlow"]]
        asked = [steps[level["flowAlias"]] for level in steps[forms["flowAlias"]]]

        assert [[step["authenticator"] for step in level] for level in asked] == [
            ["conditional-level-of-authentication", "auth-username-password-form"],
            ["conditional-level-of-authentication", "auth-otp-form"],
        ]
        assert all(step["requirement"] == "REQUIRED" for level in asked for step in level)
        levels = {config["alias"]: config["config"]["loa-condition-level"] for config in REALM["authenticatorConfig"]}
        assert [levels[level[0]["authenticatorConfig"]] for level in asked] == ["1", "2"]
        for client in files.clients().values():
            if client["standardFlowEnabled"]:
                asked_of_client = [client["attributes"][kind] for kind in ("default.acr.values", "minimum.acr.value")]
                assert asked_of_client == ["mfa", "mfa"]

    def test_are_what_the_services_ask_for(self) -> None:
        levels = json.loads(REALM["attributes"]["acr.loa.map"])

        assert levels["mfa"] == 2
        for service in files.SERVICES:
            assert files.compose()[service]["environment"]["OIDC_ACR"] == "mfa"
            assert files.config_map(service)["OIDC_ACR"] == "mfa"

    def test_are_in_the_tokens(self) -> None:
        [scope] = [scope for scope in REALM["clientScopes"] if scope["name"] == "basic"]
        [mapper] = [one for one in scope["protocolMappers"] if one["protocolMapper"] == "oidc-acr-mapper"]

        assert mapper["config"]["id.token.claim"] == "true"

    def test_are_set_up_by_new_people_at_their_first_log_in(self) -> None:
        [action] = [one for one in REALM["requiredActions"] if one["alias"] == "CONFIGURE_TOTP"]

        assert (action["enabled"], action["defaultAction"]) == (True, True)
        assert all("CONFIGURE_TOTP" in person["requiredActions"] for person in PEOPLE)

    def test_are_never_a_mail(self) -> None:
        assert REALM["resetPasswordAllowed"] is False


def profile() -> dict[str, dict[str, Any]]:
    """What an account holds, by the names of its attributes."""
    [provider] = REALM["components"]["org.keycloak.userprofile.UserProfileProvider"]
    [config] = provider["config"]["kc.user.profile.config"]
    return {attribute["name"]: attribute for attribute in json.loads(config)["attributes"]}
