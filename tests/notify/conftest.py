"""What the tests of notify share: its database, people of two organisations, a receiver, a courier."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import httpx2
import pytest
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from services.notify.__main__ import build
from services.notify.clock import Courier
from services.notify.domain.subscriptions import EndpointRules, Filter
from services.notify.gateways.secrets import Seal
from services.notify.gateways.webhook import WebhookChannel
from services.notify.settings import Settings
from shared.kit.actor import Actor
from shared.kit.clock import FixedClock
from shared.kit.database import Database, connect
from shared.kit.ids import new_id
from shared.kit.service import application
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
    async with a_channel(receiver) as channel:
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


class SignedIn:
    """Tells the application who asks by a header, as the gate would after checking a session or a token."""

    def __init__(self, app: ASGIApp, actors: Mapping[str, Actor]) -> None:
        self._app = app
        self._actors = actors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = dict(scope["headers"]).get(b"x-actor", b"").decode()
        if name:
            scope.setdefault("state", {})["actor"] = self._actors[name]
        await self._app(scope, receive, send)


ACTORS = {
    "ngo": NGO,
    "east": Actor("mama", "SBMI", frozenset({"ngo_member"}), region="94.01"),
    "stranger": STRANGER,
    "operator": OPERATOR,
    "system": Actor("sbmi-system", "SBMI", frozenset({"ngo_system"}), "client"),
    "worker": Actor("w", "DINSOS-73", frozenset({"agency_worker"})),
}


class Browser:
    """A client for one actor: `await ngo.get("/api/…")`; writes carry an idempotency key."""

    def __init__(self, client: httpx2.AsyncClient, actor: str) -> None:
        self._client = client
        self._actor = actor

    async def get(self, path: str, **query: object) -> httpx2.Response:
        return await self.send("GET", path, **({"params": query} if query else {}))

    async def send(self, method: str, path: str, *, key: str | None = None, **content: object) -> httpx2.Response:
        accept = "application/json" if path.startswith("/api") else "text/html"
        headers = {"x-actor": self._actor, "accept": accept}
        if method != "GET":
            headers["idempotency-key"] = key or new_id()
        return await self._client.request(method, path, headers=headers, **content)  # type: ignore[arg-type]


@pytest.fixture
async def site(database: Database, receiver: Receiver) -> AsyncIterator[Callable[[str], Browser]]:
    """`site("ngo")` is a client of the whole application for that actor."""
    settings = Settings(
        environment="development",
        database_url=database.url,
        roles="http",
        notify_secret_key=SecretStr(base64.urlsafe_b64encode(bytes(range(32))).decode()),
        webhook_allow_private=receiver.place,
        oidc_issuer="http://127.0.0.1:1",
    )
    async with AsyncExitStack() as stack:
        app = application(await build(settings, database, stack))
        transport = httpx2.ASGITransport(app=SignedIn(app, ACTORS))
        async with httpx2.AsyncClient(transport=transport, base_url="http://notify.test") as client:
            yield lambda actor: Browser(client, actor)
