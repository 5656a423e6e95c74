"""A service with only identity and a few routes, the development provider it trusts, and browsers that visit it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

import asyncpg
import httpx2
from fastapi import Depends, FastAPI, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from deploy.local.identity_provider import client_secret
from shared.contracts import access
from shared.kit import identity, web
from shared.kit.actor import Actor
from shared.kit.clock import FixedClock
from shared.kit.database import SERVICE_SCOPE, Database, Wake
from shared.kit.identity import Identity
from shared.kit.settings import KitSettings

PROVIDER_SECRET = "of these tests and nothing else"
HOME = "http://localhost:8101"
PAGE = {"accept": "text/html"}
SECRET = "what only who may come in sees"


class IntakeSettings(KitSettings):
    service: ClassVar[str] = "intake"


@dataclass
class Site:
    """A service with one page, one form and one route for officers, and what it runs on."""

    app: FastAPI
    identity: Identity
    database: Database
    clock: FixedClock
    statements: list[str]
    in_flight: int = 0
    """How many requests to the slow routes and the stream have come in."""
    released: asyncio.Event = field(default_factory=asyncio.Event)
    """The slow routes go on after this."""

    def browser(self, base_url: str = HOME, **headers: str) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self.app), base_url=base_url, headers=PAGE | headers
        )

    async def trail(self) -> list[tuple[str, dict[str, Any]]]:
        """Type and payload of all that was journalled for audit alone, in order."""
        return await self._journalled(shared=False)

    async def told(self) -> list[tuple[str, dict[str, Any]]]:
        """Type and payload of all that was told to everybody, in order."""
        return await self._journalled(shared=True)

    async def _journalled(self, *, shared: bool) -> list[tuple[str, dict[str, Any]]]:
        rows = await self.database.fetch(
            "SELECT type, payload FROM journal WHERE shared = $1 ORDER BY position", shared
        )
        return [(row["type"], json.loads(row["payload"])) for row in rows]


@asynccontextmanager
async def a_site(url: str, issuer: str, public_url: str = HOME, **told: Any) -> AsyncIterator[Site]:
    """`told` are further settings."""
    statements: list[str] = []

    async def watch(connection: asyncpg.Connection) -> None:
        connection.add_query_logger(lambda said: statements.append(said.query))

    clock = FixedClock(datetime.now(UTC))
    own = await asyncpg.create_pool(url, min_size=1, max_size=4, init=watch, server_settings=SERVICE_SCOPE)
    asked = await asyncpg.create_pool(url, min_size=0, max_size=4)
    database = Database("intake", url, own, asked, clock, Wake())
    settings = IntakeSettings(
        environment="development",
        database_url=url,
        roles="http",
        public_url=public_url,
        oidc_issuer=issuer,
        **{"oidc_client_secret": client_secret(PROVIDER_SECRET, "svc-intake"), **told},
    )
    app = FastAPI()
    app.state.identity = Identity(settings, database)
    identity.install(app)
    web.install(app, csrf_token=identity.csrf_token)
    add_routes(app)
    site = Site(app, app.state.identity, database, clock, statements)
    site.released.set()
    app.state.site = site
    yield site
    await app.state.identity.aclose()
    await database.aclose()


def identity_database(app: FastAPI) -> Database:
    served: Identity = app.state.identity
    return served.database


def add_routes(app: FastAPI) -> None:
    @app.get("/id/saya")
    async def me(request: Request, actor: Annotated[Actor, Depends(identity.actor_of)]) -> Response:
        return PlainTextResponse(f"{actor.id} {identity.csrf_token(request)}")

    @app.get("/api/whoever")
    async def whoever(actor: Annotated[Actor | None, Depends(identity.optional_actor)]) -> Response:
        return PlainTextResponse("nobody" if actor is None else actor.id)

    @app.post("/id/catat")
    async def record(request: Request, actor: Annotated[Actor, Depends(identity.actor_of)]) -> Response:
        return PlainTextResponse(f"{actor.id} {(await request.form()).get('need')}")

    @app.get("/api/voyages/{voyage_id}/officers-only")
    async def officers(
        actor: Annotated[Actor, Depends(identity.require("port_officer", "port_system"))],
    ) -> Response:
        return PlainTextResponse(actor.id)

    @app.api_route("/id/bahaya", methods=["GET", "POST"])
    @app.api_route("/api/dangerous", methods=["GET"])
    async def dangerous(actor: Annotated[Actor, Depends(identity.require_recent(minutes=5))]) -> Response:
        return PlainTextResponse(actor.id)

    @app.get("/api/slow")
    async def slow(actor: Annotated[Actor, Depends(identity.actor_of)], s: float) -> Response:
        app.state.site.in_flight += 1
        await app.state.site.released.wait()
        await asyncio.sleep(s)
        return PlainTextResponse(f"{SECRET} {actor.id}")

    @app.get("/api/stream")
    async def stream(actor: Annotated[Actor, Depends(identity.actor_of)]) -> Response:
        app.state.site.in_flight += 1

        async def drops() -> AsyncIterator[bytes]:
            while True:
                yield f"{SECRET} {actor.id}\n".encode()
                await asyncio.sleep(0.02)

        return StreamingResponse(drops(), media_type="text/plain")

    @app.post("/api/slow-write")
    async def slow_write(request: Request, actor: Annotated[Actor, Depends(identity.actor_of)]) -> Response:
        async with identity_database(app).work(actor, purpose="test") as work:
            work.record(access.SignedOut(case_id=identity.person_stream(actor.id), service="intake"))
            app.state.site.in_flight += 1
            await app.state.site.released.wait()
        return PlainTextResponse("written")

    @app.get("/api/theirs/{case_id}")
    async def theirs(request: Request, actor: Annotated[Actor, Depends(identity.actor_of)]) -> None:
        await identity.deny(request, actor)


async def begin(browser: httpx2.AsyncClient, login: str = "petugas.nnk", target: str = "/id/saya") -> str:
    """Start to sign in; the address at which the provider, asked for this person, sends the browser back."""
    to_provider = await browser.get("/masuk", params={"next": target, "login_hint": login})
    assert to_provider.status_code == 303
    async with httpx2.AsyncClient() as outside:
        back = await outside.get(to_provider.headers["location"])
    assert back.status_code == 303
    return str(back.headers["location"])


async def provider_answer(browser: httpx2.AsyncClient, address: str) -> str:
    """Where the provider sends the browser that comes to it by this address of ours."""
    to_provider = await browser.get(address)
    async with httpx2.AsyncClient() as outside:
        return str((await outside.get(to_provider.headers["location"])).headers["location"])


async def signed_in(browser: httpx2.AsyncClient, login: str = "petugas.nnk") -> str:
    """Sign this browser in; the CSRF token of its session."""
    done = await browser.get(await begin(browser, login))
    assert (done.status_code, done.headers["location"]) == (303, "/id/saya")
    return (await browser.get("/id/saya")).text.split()[1]


def session_cookie(browser: httpx2.AsyncClient) -> str:
    return str(browser.cookies["rujukan-intake"])
