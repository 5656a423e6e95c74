"""The four applications as they are served, on real databases of their own and a socket, and who may ask them."""

import asyncio
import importlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import uvicorn
from fastapi import FastAPI

from deploy.local import ports
from shared.kit.actor import Actor, system
from shared.kit.clock import Clock
from shared.kit.database import Database, connect
from shared.kit.identity import sessions
from shared.kit.identity.devices import device_of
from shared.kit.service import application
from tests.conftest import DatabaseUrls
from tests.contracts import openapi
from tests.kit.outside_issuer import OutsideIssuer
from tests.referral.intake_server import IntakeServer

PEOPLE = {
    "officer": Actor("rina", "P4MI-NNK", frozenset({"port_officer"}), port="NNK"),
    "stranger": Actor("dedi", "P4MI-ETK", frozenset({"port_officer"}), port="ETK"),
    "port": Actor("port-NNK", "port-NNK", frozenset({"port_system"}), "client", port="NNK"),
    "referral": Actor("svc-referral", "rujukan", frozenset({"service"}), "client"),
    "protector": Actor("pdp", "KP2MI", frozenset({"data_protection_officer"})),
    "worker": Actor("wati", "DINSOS-73.06", frozenset({"agency_worker"}), region="73.06"),
    "colleague": Actor("beta", "DINSOS-73.71", frozenset({"agency_worker"}), region="73.71"),
    "agency": Actor("DINSOS-73.06", "DINSOS-73.06", frozenset({"agency_system"}), "client", region="73.06"),
    "supervisor": Actor("penyelia", "DINSOS-73.06", frozenset({"agency_supervisor"}), region="73.06"),
    "coordinator": Actor("koordinator", "KP2MI", frozenset({"coordinator"})),
    "ngo": Actor("sari", "SBMI", frozenset({"ngo_member"})),
    "rival": Actor("budi", "LBH", frozenset({"ngo_member"})),
    "ngo_system": Actor("sbmi-system", "SBMI", frozenset({"ngo_system"}), "client"),
    "auditor": Actor("auditor", "BPK", frozenset({"auditor"})),
}


@dataclass(frozen=True)
class Served:
    """One application at an address."""

    name: str
    url: str
    app: FastAPI
    database: Database
    issuer: OutsideIssuer
    things: dict[str, str] = field(default_factory=dict)
    """Ids of what is there, by the name they have in addresses."""

    def token(self, who: str | Actor) -> str:
        """An access token of this person or system for this service."""
        actor = PEOPLE[who] if isinstance(who, str) else who
        claims = self.issuer.claims(
            aud=self.name,
            sub=actor.id,
            org=actor.organisation,
            roles=sorted(actor.roles),
            port=actor.port,
            region=actor.region,
            kind=actor.kind,
            auth_time=int(time.time()) if actor.kind == "person" else None,
        )
        return self.issuer.sign(claims)

    def headers(self, who: str | Actor) -> dict[str, str]:
        """What one who is signed in so sends; nothing for nobody."""
        return {"Authorization": f"Bearer {self.token(who)}"} if who else {}


CHROMIUM = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome Safari/537.36"
"""How the browser of the tests describes itself: a session counts on the kind of device where it began."""


async def session_of(site: Served, who: str, *, user_agent: str = "") -> tuple[dict[str, str], str]:
    """A new session of this person on such a device: the cookie, and the token that its forms carry."""
    session_id = sessions.new_id()
    now = site.database.clock.now()
    async with site.database.work(system(site.name, "test"), purpose="sign_in") as work:
        await sessions.add_session(
            work.connection,
            session_id,
            replace(PEOPLE[who], authenticated_at=now),
            now,
            device=device_of(user_agent),
            provider_session=None,
        )
    return {site.app.state.identity.cookies.session: session_id}, sessions.csrf_token(session_id)


@asynccontextmanager
async def served(
    name: str, urls: DatabaseUrls, issuer: OutsideIssuer, *, clock: Clock | None = None, **other: Any
) -> AsyncIterator[Served]:
    """This service's application on a free loopback port. `other` are settings."""
    port = ports.free()
    address = f"http://127.0.0.1:{port}"
    build: Callable[..., Any] = importlib.import_module(f"services.{name}.__main__").build
    intake = IntakeServer()
    async with AsyncExitStack() as stack:
        await intake.start()
        stack.push_async_callback(intake.stop)
        settings = importlib.import_module(f"services.{name}.settings").Settings(
            **{
                "environment": "development",
                "database_url": urls(name).application,
                "roles": "http",
                "oidc_issuer": issuer.url,
                "public_url": address,
                "oidc_client_secret": "secret",
                **openapi.SETTINGS[name],
                **({"intake_url": intake.url} if name == "referral" else {}),
                **other,
            }
        )
        database = await connect(settings.database_url, service=name, max_size=4, clock=clock)
        stack.push_async_callback(database.aclose)
        app = application(await build(settings, database, stack))
        stack.push_async_callback(app.state.identity.aclose)
        server = uvicorn.Server(
            uvicorn.Config(app, port=port, http="httptools", lifespan="off", log_config=None, server_header=False)
        )
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        yield Served(name, address, app, database, issuer)
        server.should_exit = True
        await serving
