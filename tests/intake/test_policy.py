"""Who may what at a port, and who may ask for names."""

from dataclasses import replace

import pytest

from services.intake import policy
from shared.kit.actor import Actor
from tests.intake.factories import NOTIFY, OFFICER, REFERRAL, SYSTEM, WORKER


@pytest.mark.parametrize(
    ("actor", "may"),
    [
        (REFERRAL, True),
        (NOTIFY, False),
        (OFFICER, False),
        (WORKER, False),
        (SYSTEM, False),
        # A person is never a service, whatever the log-in's name and roles are.
        (replace(REFERRAL, kind="person"), False),
        (replace(REFERRAL, roles=frozenset({"agency_system"})), False),
    ],
    ids=lambda value: f"{value.kind} {value.id} {value.role}" if isinstance(value, Actor) else str(value),
)
def test_only_the_client_of_referral_may_ask_for_an_identity(actor: Actor, may: bool) -> None:
    assert policy.may_ask_disclosure(actor) is may
