"""A ledger with a database of its own."""

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import asyncpg
import httpx2
import pytest
import pytest_asyncio
from starlette.types import ASGIApp, Receive, Scope, Send

from services.audit import actions
from services.audit.__main__ import build
from services.audit.settings import Settings
from shared.kit.actor import Actor
from shared.kit.database import Database, connect
from shared.kit.service import application
from tests.audit.ledger import ORIGIN, Ledger
from tests.conftest import DatabaseUrls


@pytest.fixture
def signer() -> actions.Signer:
    return actions.Signer(ORIGIN, b"k" * 32)


@pytest_asyncio.fixture
async def database(database_urls: DatabaseUrls) -> AsyncIterator[Database]:
    """The ledger's database, as the application's role."""
    database = await connect(database_urls("audit").application, service="audit")
    yield database
    await database.aclose()


@pytest_asyncio.fixture
async def superuser(database_urls: DatabaseUrls, postgres_server: object) -> AsyncIterator[asyncpg.Connection]:
    """Somebody who can do anything to the ledger's database, past every trigger."""
    name = database_urls("audit").application.rsplit("/", 1)[-1]
    connection = await asyncpg.connect(str(postgres_server.url), database=name)  # type: ignore[attr-defined]
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


@pytest.fixture
def ledger(database: Database, signer: actions.Signer) -> Ledger:
    return Ledger(database, signer)


class SignedIn:
    """Tells the application who asks by a header, as the gate would after checking a session or a token."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        role = dict(scope["headers"]).get(b"x-role", b"").decode()
        if role:
            scope.setdefault("state", {})["actor"] = Actor(f"the-{role}", "BPK", frozenset({role}))
        await self._app(scope, receive, send)


class Visitor:
    """A client of the whole application, in one role or in none."""

    def __init__(self, client: httpx2.AsyncClient, role: str) -> None:
        self._client = client
        self._role = role

    async def get(self, path: str, **query: object) -> httpx2.Response:
        accept = "text/html" if path.startswith(("/id/", "/en/")) else "application/json"
        return await self._client.get(path, params=query or None, headers={"x-role": self._role, "accept": accept})


@pytest_asyncio.fixture
async def visit(database: Database) -> AsyncIterator[Callable[[str], Visitor]]:
    """`visit("auditor")` is a client in that role; `visit("")` is a stranger."""
    settings = Settings(
        environment="development",
        database_url=database.url,
        roles="http",
        ledger_key=base64.urlsafe_b64encode(b"k" * 32).decode(),
        ledger_origin=ORIGIN,
        oidc_issuer="http://127.0.0.1:1",
    )
    async with AsyncExitStack() as stack:
        app = application(await build(settings, database, stack))
        transport = httpx2.ASGITransport(app=SignedIn(app))
        async with httpx2.AsyncClient(transport=transport, base_url="http://audit.test") as client:
            yield lambda role: Visitor(client, role)
