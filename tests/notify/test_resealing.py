"""NOTIFY_SECRET_KEY is changed while notices are signed: every subscriber's key stays, and the old one may go."""

import asyncio
import base64
import json
import os
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable

import pytest

from services.notify.actions import resealing
from services.notify.gateways.secrets import Seal, SecretUnreadable
from services.notify.settings import Settings
from shared.kit.database import Database
from tests import forking
from tests.notify.conftest import SEAL

OLD, NEW = bytes(range(32)), bytes(range(64, 96))
AFTER = Seal(NEW, [OLD])
ALONE = Seal(NEW)

Subscribe = Callable[..., Awaitable[str]]


async def opened(database: Database, seal: Seal) -> dict[str, str]:
    """All signing keys, by subscription. Raises `SecretUnreadable` when one does not open."""
    rows = await database.fetch("SELECT subscription_id::text AS id, secret FROM subscriptions")
    return {row["id"]: seal.open(row["id"], bytes(row["secret"])) for row in rows}


async def on_the_trail(database: Database) -> list[tuple[int, int]]:
    """How many each step sealed anew and how many it could not open, in order."""
    rows = await database.fetch(
        "SELECT convert_from(payload, 'UTF8')::jsonb -> 'data' AS said FROM journal"
        " WHERE type = 'notify.secrets_resealed.v1' ORDER BY position"
    )
    said = [json.loads(row["said"]) for row in rows]
    return [(step["resealed"], step["unreadable"]) for step in said]


async def reseal(database: Database) -> tuple[int, dict[str, object]]:
    """Run the command with both keys; its exit code and what it printed."""
    told = {"ENVIRONMENT": "development", "ROLES": "http", "DATABASE_URL_NOTIFY": database.url}
    keys = {name: base64.urlsafe_b64encode(key).decode() for name, key in (("", NEW), ("_OLD", OLD))}
    process = await asyncio.create_subprocess_exec(
        *(*forking.python(), "services.notify", "reseal"),
        env=os.environ | {f"NOTIFY_SECRET_KEY{name}": key for name, key in keys.items()} | told,
        stdout=PIPE,
        stderr=PIPE,
    )
    printed, _ = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode or 0, json.loads(printed or b"{}")


class TestSeal:
    def test_opens_what_an_old_key_sealed_and_seals_with_the_new_one(self) -> None:
        before = SEAL.close("one", "whsec_x")
        after = AFTER.close("one", "whsec_x")

        assert (AFTER.open("one", before), AFTER.open("one", after)) == ("whsec_x", "whsec_x")
        assert (AFTER.is_current("one", before), AFTER.is_current("one", after)) == (False, True)
        with pytest.raises(SecretUnreadable):
            SEAL.open("one", after)

    def test_moves_a_key_for_its_subscription_only(self) -> None:
        before = SEAL.close("one", "whsec_x")

        assert ALONE.open("one", AFTER.reseal("one", before)) == "whsec_x"
        with pytest.raises(SecretUnreadable):
            AFTER.reseal("two", before)


class TestResealing:
    async def test_leaves_every_key_readable_without_the_old_one(
        self, database: Database, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(resealing, "BATCH", 2)
        for path in "abcde":
            await subscribe(f"/{path}")
        everybody = await opened(database, SEAL)

        done = await resealing.reseal_secrets(database, AFTER)
        again = await resealing.reseal_secrets(database, AFTER)

        assert (done, again) == (resealing.Resealing(5, 0), resealing.Resealing(0, 0))
        assert done.old_keys_may_go
        assert await opened(database, ALONE) == everybody
        assert await on_the_trail(database) == [(2, 0), (2, 0), (1, 0)]

    async def test_says_that_the_old_key_is_needed_while_one_does_not_open(
        self, database: Database, subscribe: Subscribe
    ) -> None:
        await subscribe("/a")

        done = await resealing.reseal_secrets(database, ALONE)

        assert done == resealing.Resealing(0, 1)
        assert not done.old_keys_may_go
        assert await on_the_trail(database) == [(0, 1)]
        assert await opened(database, SEAL)

    async def test_goes_on_where_it_was_cut_off(
        self, database: Database, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for path in "abc":
            await subscribe(f"/{path}")
        everybody = await opened(database, SEAL)
        renewed: list[str] = []

        class CutOff(Seal):
            def reseal(self, subscription_id: str, sealed: bytes) -> bytes:
                if renewed:
                    raise ConnectionError
                renewed.append(subscription_id)
                return super().reseal(subscription_id, sealed)

        monkeypatch.setattr(resealing, "BATCH", 1)
        with pytest.raises(ConnectionError):
            await resealing.reseal_secrets(database, CutOff(NEW, [OLD]))
        assert await opened(database, AFTER) == everybody
        status, printed = await reseal(database)

        assert (status, printed) == (0, {"resealed": 2, "unreadable": 0, "old_keys_may_go": True})
        assert await opened(database, ALONE) == everybody


def test_old_keys_are_given_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"environment": "development", "database_url": "postgresql://", "roles": "http"}
    keys = [base64.urlsafe_b64encode(key).decode() for key in (NEW, OLD)]

    settings = Settings(**given, notify_secret_key=keys[0], notify_secret_key_old=f"{keys[1]}, {keys[1]}")

    assert settings.old_secret_keys == [OLD, OLD]
    with pytest.raises(ValueError, match="by commas"):
        Settings(**given, notify_secret_key=keys[0], notify_secret_key_old="short")
