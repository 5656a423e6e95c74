"""Who may, as a table."""

import pytest

from services.notify import policy
from shared.kit.actor import Actor, system


@pytest.mark.parametrize(
    ("role", "subscribes", "looks", "scope"),
    [
        ("ngo_member", True, True, "SBMI"),
        ("ngo_system", True, True, "SBMI"),
        ("operator", False, True, None),
        ("agency_worker", False, False, "SBMI"),
        ("coordinator", False, False, "SBMI"),
        ("auditor", False, False, "SBMI"),
        ("port_officer", False, False, "SBMI"),
        ("data_protection_officer", False, False, "SBMI"),
    ],
)
def test_what_each_role_may(role: str, subscribes: bool, looks: bool, scope: str | None) -> None:
    actor = Actor("x", "SBMI", frozenset({role}))

    assert policy.may_subscribe(actor) is subscribes
    assert policy.may_look(actor) is looks
    assert policy.scope(actor) == scope


def test_a_partner_who_is_an_operator_too_sees_the_own_organisation_only() -> None:
    assert policy.scope(Actor("x", "SBMI", frozenset({"ngo_member", "operator"}))) == "SBMI"


def test_the_clock_works_for_all() -> None:
    assert policy.scope(system("notify", "clock")) is None


def test_answers_of_a_server_are_for_its_own_organisation() -> None:
    member = Actor("x", "SBMI", frozenset({"ngo_member"}))

    assert policy.may_read_answers(member, "SBMI")
    assert not policy.may_read_answers(member, "LBH")
    assert not policy.may_read_answers(Actor("x", "SBMI", frozenset({"operator"})), "SBMI")


@pytest.mark.parametrize(
    ("organisation", "region", "zone"),
    [
        ("NGO-SBMI", None, "Asia/Jakarta"),
        ("NGO-SBMI", "53", "Asia/Makassar"),
        ("NGO-SBMI", "91.01", "Asia/Jayapura"),
        ("NGO-2", "53", "Asia/Makassar"),
        ("rujukan", None, "Asia/Jakarta"),
    ],
)
def test_times_are_those_of_the_actors_office(organisation: str, region: str | None, zone: str) -> None:
    assert policy.zone(Actor("x", organisation, frozenset({"ngo_member"}), region=region)) == zone
