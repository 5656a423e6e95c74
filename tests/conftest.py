"""A real PostgreSQL and a real Kafka for the tests: those of the environment, else started once per session.

RUJUKAN_TEST_POSTGRES is the URL of a superuser, RUJUKAN_TEST_KAFKA the bootstrap address of a broker.
"""

import asyncio
import hashlib
import os
import secrets
import shutil
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from fastapi import routing
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket

from deploy.local import folder, kafka, ports, postgres, supervisor
from deploy.local.postgres import Urls
from shared.kit import database
from shared.kit.web import pages
from shared.kit.words import Language
from tests import soaking, spreading
from tests.spreading import pytest_xdist_auto_num_workers, pytest_xdist_make_scheduler

__all__ = ["pytest_xdist_auto_num_workers", "pytest_xdist_make_scheduler"]

T = TypeVar("T")
DatabaseUrls = Callable[[str], Urls]
SERVICES = Path(__file__).parents[1] / "services"
FAULTS = Path(__file__).parent / "faults"
MEMORY, ROOM = Path("/dev/shm"), 4 * 2**30
ROLES_LOCK = 7_201


soaking.load_profile()


def pytest_configure(config: pytest.Config) -> None:
    ports.QUIET_RANGE = spreading.ports_of_this_process()
    config.addinivalue_line("markers", "fault: something is killed or cut off; `make soak` runs it too")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name == "test_crashes.py" or item.path.is_relative_to(FAULTS):
            item.add_marker(pytest.mark.fault)
    spreading.first_things_first(items)


class Background:
    """An event loop in a thread of its own, so that fixtures work the same for tests with and without a loop."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="fixtures", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run this on the loop and wait for what it returns."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


class PostgresServer:
    """A server with one template per service, migrated once, and a fresh copy of it for whoever asks."""

    def __init__(self, url: str, background: Background) -> None:
        self.url = url  # of a superuser
        self._background = background
        self._admin: asyncpg.Connection | None = None
        self._templates: dict[str, str] = {}

    def fresh(self, service: str) -> tuple[str, Urls]:
        """The name of a new database with the service's tables, and how to reach it."""
        return self._background.run(self._fresh(service))

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self._background.run(self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))

    def close(self) -> None:
        if self._admin is not None:
            self._background.run(self._admin.close())

    async def _fresh(self, service: str) -> tuple[str, Urls]:
        if service not in self._templates:
            self._templates[service] = await self._template(service)
        name = f"rujukan_test_{service}_{secrets.token_hex(6)}"
        # A copy of the files costs half of what a copy through the log does, of which nobody here asks anything.
        await self._execute(
            f"CREATE DATABASE {name} TEMPLATE {self._templates[service]} OWNER {owner_role(service)} STRATEGY FILE_COPY"
        )
        return name, self._urls(service, name)

    async def _template(self, service: str) -> str:
        folders = [SERVICES / service / "migrations"]
        text = "".join(migration.name + migration.text for migration in database.migrations(folders))
        template = f"rujukan_template_{service}_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        await self._execute(f"SELECT pg_advisory_lock({ROLES_LOCK})")
        try:
            await self._make_roles(service)
            if not await self._known(template):
                draft = f"{template}_{secrets.token_hex(3)}"
                await self._execute(f"CREATE DATABASE {draft} OWNER {owner_role(service)}")
                try:
                    urls = self._urls(service, draft)
                    await database.migrate(urls.owner, folders, application_role=application_role(service))
                    await self._execute(f"ALTER DATABASE {draft} RENAME TO {template}")
                except BaseException:
                    await self._execute(f"DROP DATABASE {draft} WITH (FORCE)")
                    raise
        finally:
            await self._execute(f"SELECT pg_advisory_unlock({ROLES_LOCK})")
        return template

    async def _make_roles(self, service: str) -> None:
        for role in (owner_role(service), application_role(service)):
            await self._execute(
                f"DO $$ BEGIN IF to_regrole('{role}') IS NULL THEN"
                f" CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD 'test'; END IF; END $$"
            )

    async def _known(self, name: str) -> bool:
        admin = await self._connected()
        return bool(await admin.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", name))

    async def _execute(self, statement: str) -> None:
        await (await self._connected()).execute(statement)

    async def _connected(self) -> asyncpg.Connection:
        if self._admin is None:
            self._admin = await asyncpg.connect(self.url)
        return self._admin

    def _urls(self, service: str, name: str) -> Urls:
        parts = urlsplit(self.url)
        place = f"{parts.hostname}:{parts.port or 5432}/{name}"
        return Urls(
            application=f"postgresql://{application_role(service)}:test@{place}",
            # The owner is under the policies like everybody; in tests it looks as the service itself.
            owner=f"postgresql://{owner_role(service)}:test@{place}?{urlencode(database.SERVICE_SCOPE)}",
        )


def owner_role(service: str) -> str:
    """The role that owns a service's tables in tests."""
    return f"rujukan_test_{service}_owner"


def application_role(service: str) -> str:
    """The role that a service uses in tests."""
    return f"rujukan_test_{service}_app"


class Compiled(BytecodeCache):
    """Templates as Python code, kept in memory."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        self._kept[bucket.key, bucket.checksum] = bucket.code


@pytest.fixture(scope="session", autouse=True)
def compiled_templates() -> Iterator[None]:
    """Each template is compiled once per language; compiling them for every test took a third of all time."""
    compiled: defaultdict[Language, Compiled] = defaultdict(Compiled)
    make = pages._environment
    with pytest.MonkeyPatch.context() as patch:

        def environment(language: Language, *other: Any) -> Environment:
            patch.setattr(pages, "Environment", partial(Environment, bytecode_cache=compiled[language]))
            return make(language, *other)

        patch.setattr(pages, "_environment", environment)
        yield


@pytest.fixture(scope="session", autouse=True)
def prepared_routes() -> Iterator[None]:
    """Each route is prepared once; an application of its own for every test prepared all of them every time."""
    make = routing._EffectiveRouteContext.from_api_route

    def prepared(*, original_route: routing.APIRoute, include_context: Any) -> Any:
        context = include_context
        key = (
            *(id(context.included_router), context.prefix, *context.tags, *map(id, context.dependencies)),
            *(id(context.default_response_class), context.deprecated, context.include_in_schema),
            *(context.max_body_size, *sorted(context.responses, key=str)),
        )
        known = vars(original_route).setdefault("_prepared", {})
        if key not in known:
            known[key] = make(original_route=original_route, include_context=context), context
        return known[key][0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(routing._EffectiveRouteContext, "from_api_route", prepared)
        yield


@pytest.fixture(scope="session")
def background() -> Iterator[Background]:
    """The loop that fixtures use, so that they can be asked from within a test's own loop."""
    background = Background()
    yield background
    background.close()


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A folder for the session's servers; short, and every account may enter it.

    In memory where there is plenty: nothing here has to outlive the session, and a database per test is many files.
    """
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM
    with tempfile.TemporaryDirectory(prefix="rujukan-test-", dir=MEMORY if roomy else None) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def postgres_server(background: Background, scratch: Path) -> Iterator[PostgresServer]:
    """The PostgreSQL of this session."""
    if url := os.environ.get("RUJUKAN_TEST_POSTGRES"):
        server = PostgresServer(url, background)
        yield server
        server.close()
        return
    logs = scratch / "logs"
    own = background.run(
        postgres.prepare(
            *(scratch / "postgres", logs / "initdb.log"),
            port=ports.free(),
            password=folder.new_secret(),
            environment=os.environ,
            durable=False,
        )
    )
    child = own.child()
    process = supervisor.spawn(child, logs / "postgres.log")
    try:
        background.run(supervisor.wait_ready(child, process, logs / "postgres.log"))
        server = PostgresServer(own.url(), background)
        yield server
        server.close()
    finally:
        background.run(supervisor.end(process, child.stop_signal, child.stop_s))


@pytest.fixture(scope="session")
def kafka_server(background: Background, scratch: Path) -> Iterator[str]:
    """The bootstrap address of the session's Kafka."""
    if bootstrap := os.environ.get("RUJUKAN_TEST_KAFKA"):
        yield bootstrap
        return
    broker = kafka.find(scratch / "kafka", os.environ, print)
    logs = scratch / "logs"
    background.run(kafka.prepare(broker, logs / "kafka-format.log"))
    child = broker.child()
    process = supervisor.spawn(child, logs / "kafka.log")
    try:
        background.run(supervisor.wait_ready(child, process, logs / "kafka.log"))
        yield broker.bootstrap
    finally:
        background.run(supervisor.end(process, child.stop_signal, child.stop_s))


@pytest.fixture
def database_urls(postgres_server: PostgresServer) -> Iterator[DatabaseUrls]:
    """`database_urls("intake")` is a fresh, migrated database of that service, the same within one test.

    `.application` and `.owner` are its URLs. A name that is no service has the kit's tables only.
    """
    made: dict[str, tuple[str, Urls]] = {}

    def urls(service: str) -> Urls:
        if service not in made:
            made[service] = postgres_server.fresh(service)
        return made[service][1]

    yield urls
    for name, _ in made.values():
        postgres_server.drop(name)


@pytest.fixture(scope="session")
def topic_prefixes(background: Background) -> Iterator[Callable[[], str]]:
    """Makes prefixes for topics; on a Kafka that stays, what was made with them is deleted when the session ends."""
    session = f"t{secrets.token_hex(3)}"
    made = 0

    def prefix() -> str:
        nonlocal made
        made += 1
        return f"{session}-{made}."

    yield prefix
    if made and (bootstrap := os.environ.get("RUJUKAN_TEST_KAFKA")):
        background.run(delete_topics(bootstrap, f"{session}-"))


@pytest.fixture
def topic_prefix(topic_prefixes: Callable[[], str]) -> str:
    """A prefix for this test's topics that no other test uses (KAFKA_TOPIC_PREFIX)."""
    return topic_prefixes()


async def delete_topics(bootstrap: str, prefix: str) -> None:
    """Delete the topics that begin with this prefix."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        if names := [name for name in await admin.list_topics() if name.startswith(prefix)]:
            await admin.delete_topics(names)
    finally:
        await admin.close()
