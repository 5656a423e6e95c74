"""What the tests of notify share: its database, people of two organisations, a receiver, a courier."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from services.notify.clock import Courier
from services.notify.domain.subscriptions import EndpointRules, Filter
from services.notify.gateways.secrets import Seal
from services.notify.gateways.webhook import WebhookChannel
from shared.kit.actor import Actor
from shared.kit.clock import FixedClock
from shared.kit.database import Database, connect
from tests.conftest import DatabaseUrls
from tests.notify import factories
from tests.notify.receiver import Receiver

SEAL = Seal(bytes(range(32)))
START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)

NGO = Actor(id="sari", organisation="SBMI", roles=frozenset({"ngo_member"}))
STRANGER = Actor(id="budi", organisation="LBH", roles=frozenset({"ngo_member"}))
OPERATOR = Actor(id="op", organisation="rujukan", roles=frozenset({"operator"}))

Carried = Callable[[], Awaitable[int]]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
async def database(database_urls: DatabaseUrls, clock: FixedClock) -> AsyncIterator[Database]:
    database = await connect(database_urls("notify").application, service="notify", clock=clock)
    yield database
    await database.aclose()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest.fixture
def rules(receiver: Receiver) -> EndpointRules:
    return EndpointRules(http_allowed=True, ports=frozenset({443}), private=frozenset({receiver.place}))


@pytest.fixture
def subscribe(database: Database, receiver: Receiver) -> Callable[..., Awaitable[str]]:
    """`await subscribe("/ok", provinces={"53"})` makes a subscription of the NGO; answers its id."""

    async def make(path: str = "/ok", *, actor: Actor = NGO, url: str | None = None, **wants: frozenset[str]) -> str:
        return await factories.a_subscription(
            database, actor=actor, url=url or f"{receiver.url}{path}", seal=SEAL, wants=Filter(**wants)
        )

    return make


@asynccontextmanager
async def a_channel(receiver: Receiver, **timeouts: float) -> AsyncIterator[WebhookChannel]:
    channel = WebhookChannel(open_secret=SEAL.open, private=frozenset({receiver.place}), **timeouts)
    try:
        yield channel
    finally:
        await channel.aclose()


@pytest.fixture
async def carried(database: Database, receiver: Receiver) -> AsyncIterator[Carried]:
    """`await carried()` carries everything that is due now; answers how many attempts were made."""
    async with a_channel(receiver, total_s=1.5, connect_s=0.5) as channel:
        couriers = [Courier(database, {"webhook": channel}, trusted=trusted) for trusted in (True, False)]

        async def carry() -> int:
            before = await database.pool.fetchval("SELECT count(*) FROM attempts")
            while True:
                at_start = await database.pool.fetchval("SELECT count(*) FROM attempts")
                for courier in couriers:
                    await courier.turn()
                    await courier.drain()
                now = await database.pool.fetchval("SELECT count(*) FROM attempts")
                if now == at_start:
                    return int(now - before)

        yield carry
        for courier in couriers:
            await courier.aclose()
