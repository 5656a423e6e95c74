"""A courier killed between any two steps loses nothing and sends nothing under another id."""

import asyncio
import base64
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from shared.kit.clock import SystemClock
from shared.kit.database import Database
from tests import forking
from tests.notify.conftest import NGO, SEAL
from tests.notify.factories import a_fact, a_subscription, hear
from tests.notify.receiver import Receiver


@asynccontextmanager
async def a_process(
    database: Database, receiver: Receiver, crash_at: str = ""
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m services.notify serve` with the clock role, and a place to die."""
    process = await asyncio.create_subprocess_exec(
        *forking.python(), "services.notify", "serve",
        env={
            **os.environ,
            "ENVIRONMENT": "development",
            "DATABASE_URL_NOTIFY": database.url,
            "NOTIFY_SECRET_KEY": base64.urlsafe_b64encode(bytes(range(32))).decode(),
            "WEBHOOK_ALLOW_PRIVATE": receiver.place,
            "ROLES": "clock",
            "PORT": "0",
            "CRASH_AT": crash_at,
        },
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize(
    ("crash_at", "sent_before"),
    [
        ("notify.after_claim", 0),
        ("notify.before_post", 0),
        ("notify.after_answer", 1),
        ("work.before_journal", 1),
        ("work.before_commit", 1),
        ("work.after_commit", 1),
    ],
)
async def test_a_killed_courier_is_followed_by_one_that_sends_the_same_id(
    database: Database, receiver: Receiver, crash_at: str, sent_before: int
) -> None:
    database.clock = SystemClock()
    await a_subscription(database, actor=NGO, url=f"{receiver.url}/ok", seal=SEAL)
    await hear(database, a_fact())

    async with a_process(database, receiver, crash_at) as process, asyncio.timeout(40):
        assert await process.wait() == -signal.SIGKILL
    assert len(receiver.received) == sent_before
    # The lease of the dead runs out.
    await database.pool.execute("UPDATE deliveries SET lease_until = now() WHERE status = 'sending'")
    async with a_process(database, receiver), asyncio.timeout(40):
        while await database.pool.fetchval("SELECT status FROM deliveries") != "delivered":
            await asyncio.sleep(0.05)

    delivery_id = await database.pool.fetchval("SELECT delivery_id::text FROM deliveries")
    assert {one.headers["webhook-id"] for one in receiver.received} == {delivery_id}
    assert len({one.body for one in receiver.received}) == 1
    assert await database.pool.fetchval("SELECT count(*) FROM attempts") == 1
    told = "SELECT count(*) FROM journal WHERE type = 'notify.notice_delivered.v1'"
    assert await database.pool.fetchval(told) == 1
