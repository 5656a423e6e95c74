"""What the tests of intake share: its database and its vault."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import asyncpg
import httpx2
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from services.intake.__main__ import build
from services.intake.store.vault import Vault
from shared.kit.clock import FixedClock
from shared.kit.database import Database, connect
from shared.kit.ids import new_id
from shared.kit.service import application
from tests.conftest import DatabaseUrls
from tests.intake.factories import (
    COLLEAGUE,
    DPO,
    FAR_SUPERVISOR,
    NOTIFY,
    OFFICER,
    REFERRAL,
    START,
    STRANGER,
    SUPERVISOR,
    SYSTEM,
    WORKER,
    a_vault,
    the_settings,
)


@pytest.fixture
def vault() -> Vault:
    return a_vault()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
async def database(database_urls: DatabaseUrls, clock: FixedClock) -> AsyncIterator[Database]:
    database = await connect(database_urls("intake").application, service="intake", clock=clock)
    yield database
    await database.aclose()


@pytest.fixture
async def owner(database: Database, database_urls: DatabaseUrls) -> AsyncIterator[asyncpg.Connection]:
    """A connection with the owner's role, past what the application may."""
    connection = await asyncpg.connect(database_urls("intake").owner)
    yield connection
    await connection.close()


ACTORS = {"officer": OFFICER, "system": SYSTEM, "stranger": STRANGER, "referral": REFERRAL, "notify": NOTIFY,
          "worker": WORKER, "dpo": DPO, "colleague": COLLEAGUE, "supervisor": SUPERVISOR,
          "far": FAR_SUPERVISOR}  # fmt: skip


class SignedIn:
    """ASGI: whoever the header `x-actor` names has been let in by the gate."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            name = dict(scope["headers"]).get(b"x-actor", b"").decode()
            if name:
                scope.setdefault("state", {})["actor"] = ACTORS[name]
        await self.app(scope, receive, send)


class Browser:
    """A client for one actor: `await officer.get("/api/…")`; writes carry an idempotency key."""

    def __init__(self, client: httpx2.AsyncClient, actor: str) -> None:
        self._client = client
        self._actor = actor

    async def get(self, path: str, **query: object) -> httpx2.Response:
        return await self.send("GET", path, **({"params": query} if query else {}))

    async def post(self, path: str, *, key: str | None = None, **content: object) -> httpx2.Response:
        return await self.send("POST", path, key=key, **content)

    async def send(self, method: str, path: str, *, key: str | None = None, **content: object) -> httpx2.Response:
        accept = "application/json" if path.startswith("/api") else "text/html"
        headers = {"x-actor": self._actor, "accept": accept, "accept-language": "id"}
        if method != "GET":
            headers["idempotency-key"] = key or new_id()
        if "content" in content:
            kind = "text/csv" if "/manifest" in path else "application/json"
            headers["content-type"] = str(content.pop("kind", kind))
        return await self._client.request(method, path, headers=headers, **content)  # type: ignore[arg-type]


@pytest.fixture
async def site(database: Database) -> AsyncIterator[Callable[[str], Browser]]:
    """`site("officer")` is a client of the whole application for that actor."""
    async with AsyncExitStack() as stack:
        app = application(await build(the_settings(database), database, stack))
        transport = httpx2.ASGITransport(app=SignedIn(app))
        async with httpx2.AsyncClient(transport=transport, base_url="http://intake.test") as client:
            yield lambda actor: Browser(client, actor)
