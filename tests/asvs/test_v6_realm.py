"""V6: what the realm we ship asks of people's passwords. The rest of their log-in is the provider's affair."""

import json
import re
from pathlib import Path
from typing import Any

REALM: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "deploy/keycloak/realm.json").read_text(encoding="utf-8")
)
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

    def test_are_not_guessed_fast_and_guessing_locks_nobody_out_for_good(self) -> None:
        assert REALM["bruteForceProtected"] is True
        assert not REALM.get("permanentLockout", False)


class TestPeople:
    def test_do_not_make_accounts_for_themselves(self) -> None:
        assert REALM["registrationAllowed"] is False

    def test_have_an_initial_password_that_nobody_knows_before(self) -> None:
        """It is made with the other secrets, and lasts until the first log-in."""
        assert {c["value"] for person in REALM["users"] for c in person.get("credentials", [])} == {
            "${INITIAL_PASSWORD}"
        }

    def test_have_neither_hints_nor_questions(self) -> None:
        attributes = json.loads(
            REALM["components"]["org.keycloak.userprofile.UserProfileProvider"][0]["config"]["kc.user.profile.config"][
                0
            ]
        )
        assert {a["name"] for a in attributes["attributes"]} == {
            *("username", "email", "firstName", "lastName", "org", "port", "region")
        }

    def test_are_told_by_mail_of_failed_log_ins_and_changed_passwords(self) -> None:
        """Keycloak's listener `email` tells of LOGIN_ERROR, UPDATE_PASSWORD, UPDATE_TOTP and REMOVE_TOTP."""
        assert "email" in REALM["eventsListeners"]
        assert all(person["email"] and person["emailVerified"] for person in REALM["users"] if "credentials" in person)
