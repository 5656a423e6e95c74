"""One service put together: its web application, its consumer, its relay and its clocks.

`services/<name>/__main__.py` says how to build a `Service` and hands that to `commands.command_line`; nothing is
wired anywhere else.
"""

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import structlog
import uvicorn
from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute

from shared.kit import broker, clock, identity, logs, row_security, telemetry, web
from shared.kit.database import Database, connect
from shared.kit.health import Health
from shared.kit.identity import revocations
from shared.kit.inbox import Inbox
from shared.kit.relay import Relay
from shared.kit.settings import KitSettings
from shared.kit.web.documents import PROBLEMS, describe
from shared.kit.web.patience import Patience
from shared.kit.web.problems import Refused
from shared.kit.words import msg

log = structlog.get_logger()

SERVICES = ("intake", "referral", "notify", "audit")


@dataclass(frozen=True, slots=True)
class Repeated:
    """Something that falls due: `do` claims what is due and answers how much it did."""

    name: str
    every_s: float
    do: Callable[[], Awaitable[int]]


@dataclass(kw_only=True)
class Service:
    """What one service consists of."""

    settings: KitSettings
    database: Database
    folder: Path
    """Where the service's templates, static files and catalogues lie."""
    inbox: Inbox
    gather_ms: int = 0
    """How long Kafka may keep records back to hand over many at once; 0 where somebody waits for the effect."""
    routers: Sequence[APIRouter] = ()
    hot_routes: Sequence[BaseRoute] = ()
    """Plain Starlette routes for endpoints that are too busy for a framework."""
    clocks: Sequence[Repeated] = ()
    overdue: Callable[[], Awaitable[float]] | None = None
    """How much of what falls due here is past its time: the metric `overdue`."""
    refusals: Mapping[type[Exception], Refused] = field(default_factory=dict)
    """Domain refusals: status, code, title (an English message id)."""
    navigation: Sequence[web.Nav | tuple[str, str]] = ()
    """Path (without language) and label (message id) of the links in the top bar; with `web.Nav` also who sees it."""
    unfit: Callable[[], Awaitable[Sequence[str]]] | None = None
    """Why it must not serve, a sentence each that names the setting; asked before it does, and by `check`."""
    state: Mapping[str, Any] = field(default_factory=dict)
    """What the edges find at `request.app.state`."""

    def __post_init__(self) -> None:
        revocations.subscribe(self.inbox)

    @property
    def name(self) -> str:
        return self.settings.service


Build = Callable[[Any, Database, AsyncExitStack], Awaitable[Service]]


def application(service: Service) -> FastAPI:
    """The web application of a service: health, identity, pages, API, errors, headers."""
    app = FastAPI(
        title=f"Rujukan {service.name}",
        version="1",
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        responses=PROBLEMS,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        swagger_ui_oauth2_redirect_url=None,
        # The framework's own spans hold addresses and queries, its log records the texts of errors: both may hold
        # names. Ours are made by web.tracing.
        telemetry={"tracing": False, "logs": False, "auto_configure": False},
    )
    app.state.settings = service.settings
    app.state.database = service.database
    app.state.identity = identity.Identity(service.settings, service.database)
    app.state.health = Health(service.database, service.overdue)
    for name, thing in service.state.items():
        setattr(app.state, name, thing)
    app.router.routes.extend(service.hot_routes)
    app.router.routes.extend(app.state.health.routes())
    identity.install(app)
    web.install(
        app,
        service=service.name,
        folder=service.folder,
        navigation=[*service.navigation, web.Nav("/pencabutan", msg("Access"), frozenset(identity.REVOKERS))],
        refusals=service.refusals,
        csrf_token=identity.csrf_token,
        note_denied=identity.note_denied,
        https=service.settings.public_url.startswith("https://"),
        form_target=_origin(service.settings.oidc_issuer),
        development=service.settings.environment == "development",
    )
    for router in service.routers:
        app.include_router(router)
    describe(app, service.refusals)
    return app


def _origin(url: str) -> str:
    """Scheme and host of an address; empty for none."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


async def serve(settings: KitSettings, build: Build) -> None:
    """Run the roles of the settings until SIGTERM or SIGINT, then stop without losing anything."""
    logs.start(settings.service, settings.log_level)
    telemetry.start(settings.service, settings.otel_exporter_otlp_endpoint)
    async with AsyncExitStack() as stack:
        database = await _connected(settings)
        stack.push_async_callback(database.aclose)
        service = await build(settings, database, stack)
        if service.unfit is not None and (findings := await service.unfit()):
            print(*(f"{service.name}: {finding}" for finding in findings), sep="\n", file=sys.stderr)
            raise SystemExit(78)
        app = application(service)
        # What the start has made lives as long as the process, and a batch makes thousands of things that hold no
        # cycles: a collector that looks at all of them again and again takes a tenth of the time.
        gc.freeze()
        gc.set_threshold(5_000, 10, 10)
        stack.push_async_callback(app.state.identity.aclose)
        roles = settings.role_set
        tasks: list[asyncio.Task[None]] = []
        if "consumer" in roles and (topics := heard_topics(service)):
            consuming = broker.consuming(settings)
            app.state.health.watch(
                broker.subscribe(
                    consuming,
                    topics,
                    group=f"{settings.kafka_topic_prefix}{service.name}",
                    handle=service.inbox.receive,
                    gather_ms=service.gather_ms,
                )
            )
            tasks.append(asyncio.create_task(broker.run(consuming), name="consumer"))
        if "relay" in roles:
            tasks.append(asyncio.create_task(Relay(database, settings).run(), name="relay"))
        if "clock" in roles:
            tasks += [
                asyncio.create_task(clock.every(r.every_s, r.do, name=r.name), name=r.name) for r in service.clocks
            ]
        if settings.otel_exporter_otlp_endpoint:
            app.state.health.publish()
            app.state.identity.admission.publish()
            tasks.append(asyncio.create_task(clock.every(5.0, _refreshed(app.state.health), name="figures")))
        server = asyncio.create_task(_listen(app, settings), name="http")
        done, _ = await asyncio.wait({server, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        server.cancel()
        await asyncio.gather(server, return_exceptions=True)
        for task in done:
            if not task.cancelled() and (error := task.exception()) is not None:
                log.error("part_failed", part=task.get_name(), error=type(error).__name__)
                raise error


def heard_topics(service: Service) -> list[str]:
    """The topics this service listens to, from what its handlers hear."""
    prefix = service.settings.kafka_topic_prefix
    if service.inbox.hears_all:
        return [topic for name in SERVICES for topic in broker.topics_of(name, prefix)]
    # What no service is named for (`access.…`) is said by all; what is said here has had its effect here.
    sources = {name for source in service.inbox.sources for name in ({source} if source in SERVICES else SERVICES)}
    return [broker.topics_of(name, prefix)[0] for name in sorted(sources - {service.name})]


async def _listen(app: FastAPI, settings: KitSettings) -> None:
    """Serve HTTP; a process without the http role still answers the health routes on its port."""
    sock = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if settings.reuse_port:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        sock.bind((settings.host, settings.port))
    except OSError as error:
        raise SystemExit(
            f"{settings.service}: port {settings.port} on {settings.host} cannot be used ({error.strerror});"
            " set PORT to a free one"
        ) from None
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        date_header=False,
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=64 * 1024,
    )
    server = _Server(config)
    for stop in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(stop, server.handle_exit, stop, None)
    await server.serve(sockets=[sock])


class _Server(uvicorn.Server):
    """uvicorn's own handling raises the signal again when it has stopped, which would end us before our clean-up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._patience = Patience()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        if counter % 10 == 0:
            self._patience.look_at(self.server_state.connections)
        return await super().on_tick(counter)


def _refreshed(health: Health) -> Callable[[], Awaitable[int]]:
    async def refresh() -> int:
        await health.figures()
        return 0

    return refresh


async def _connected(settings: KitSettings) -> Database:
    """Connect, waiting for a database that is still starting; a refusal of the server itself ends the process."""
    pause = 0.1
    while True:
        try:
            database = await connect(settings.database_url, service=settings.service, max_size=settings.pool_size)
            await database.fetch("SELECT 1 FROM journal LIMIT 1")
            findings = await row_security.findings(database)
        except (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError) as error:
            log.warning("database_away", error=type(error).__name__, again_in_s=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)
        except asyncpg.UndefinedTableError:
            raise SystemExit(
                f"{settings.service}: the database has no tables;"
                f" run `python -m services.{settings.service} migrate` first"
            ) from None
        else:
            if findings:
                print(*(f"{settings.service}: {finding}" for finding in findings), sep="\n", file=sys.stderr)
                raise SystemExit(78)
            return database
