"""The whole stack on one machine: broker, database, identity provider and the four services, as child processes.

    async with stack.running(Path(".rujukan")) as running:
        running.urls["intake"]           # http://127.0.0.1:8101

Everything it starts dies with this process, however that ends.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import aiohttp
import asyncpg
from aiokafka.errors import KafkaError

import services
from deploy.local import folder, kafka, ports, postgres, report, supervisor, tansu
from deploy.local.identity_provider import ACR, client_secret
from deploy.local.postgres import Urls
from deploy.local.report import Trouble
from deploy.local.supervisor import Child, Ready, Supervisor
from shared.kit import broker, database
from shared.kit.settings import KitSettings

SERVICES = ("intake", "referral", "notify", "audit")
PORTS = {"identity": 8100, "intake": 8101, "referral": 8102, "notify": 8103, "audit": 8104}
ROOT = Path(services.__file__).parent
MIGRATION_REMEDY = "Restore the migration that was changed, or start with a new data folder."
STOP_ORDER = ((*SERVICES, "identity"), ("kafka",), ("postgres",))


@dataclass(frozen=True, slots=True)
class Running:
    """A running stack. Keys of the mappings are service names, in `urls` also "identity"."""

    data: Path
    urls: Mapping[str, str]  # http://127.0.0.1:<port>, without a slash at the end
    databases: Mapping[str, str]  # postgresql://… of the application role
    owner_databases: Mapping[str, str] = field(repr=False)  # postgresql://… of the owner role
    bootstrap: str  # host:port[,host:port] of the broker
    broker: str  # what the broker is, e.g. "Apache Kafka 4.3.1"
    postgres: str  # e.g. "PostgreSQL 15.18"
    environments: Mapping[str, Mapping[str, str]] = field(repr=False)  # per service: every variable we set for it
    secrets: Mapping[str, str] = field(repr=False)  # what <data>/secrets.json holds
    first_run: bool  # True when there was no data before
    supervisor: Supervisor

    async def start(self, child: Child) -> None:
        """Start one more child (an agency, a receiver): log in <data>/logs/<name>.log, dies with us."""
        await self.supervisor.start(child)

    async def stop(self, name: str) -> None:
        """Stop one child: SIGTERM, then SIGKILL."""
        await self.supervisor.stop(name)

    async def failed(self) -> None:
        """Raise `Trouble` once a child that cannot be restarted has ended; until then wait."""
        await self.supervisor.failed()


@dataclass(frozen=True, slots=True)
class Foundations:
    """A running broker and a running database server with a database per service."""

    data: Path
    bootstrap: str
    broker: str
    idempotent: bool  # whether the broker can drop a record that was sent twice
    forgot: bool  # whether the broker lost what it was told in earlier runs
    postgres: str
    databases: Mapping[str, Urls] = field(repr=False)
    secrets: Mapping[str, str] = field(repr=False)
    first_run: bool
    supervisor: Supervisor


Settings = Callable[[Path], Mapping[str, Mapping[str, str]]]


def nothing_more(_data: Path) -> dict[str, dict[str, str]]:
    """The settings of a stack whose services need no others than our own."""
    return {}


@asynccontextmanager
async def running(
    data: Path,
    *,
    settings: Settings = nothing_more,
    durable: bool = True,
    environment: Mapping[str, str] = os.environ,
    say: report.Say = report.to_stderr,
) -> AsyncIterator[Running]:
    """Start everything, wait until each service says it is ready, stop everything at the end.

    `settings` is asked, once the data folder is ours, for further environment variables per service, for instance
    `{"referral": {"ANSWER_LIMIT_MAX_S": "20"}, "notify": {"WEBHOOK_ALLOW_PRIVATE": "127.0.0.1:9001"}}`.
    `durable=False` lets PostgreSQL skip fsync (throw-away runs). `environment` decides on the rungs of the ladder
    (KAFKA_BOOTSTRAP_SERVERS, DATABASE_URL_…, PORT_…, RUJUKAN_…). Raises `report.Trouble` with the thing, the reason
    and the remedy.
    """
    async with AsyncExitStack() as held:
        desk = held.enter_context(ports.Desk())
        base = await held.enter_async_context(foundations(data, durable=durable, environment=environment, say=say))
        with folder.writing(base.data):
            more = settings(base.data)
        identity = local(desk.choose("identity", PORTS["identity"], environment, say))

        def told(service: str, urls: Mapping[str, str]) -> dict[str, str]:
            return {**environment_of(service, urls, base), **more.get(service, {})}

        say("Bringing the databases and topics to this version …")
        usual = {name: local(port) for name, port in PORTS.items()}
        await supervisor.together(
            base.supervisor.start(identity_child(identity, base.secrets)),
            *(_migrate(service, base) for service in SERVICES),
            _make_topics(told("intake", usual), base),
        )
        if base.forgot:
            say("The broker is empty; sending everything that the journals hold again.")
            await supervisor.together(*(tell_again(base.databases[service]) for service in SERVICES))
        # Only now, so that little time passes between the choice of a port and its use.
        chosen = {name: local(desk.choose(name, PORTS[name], environment, say)) for name in SERVICES}
        urls = {"identity": identity, **chosen}
        environments = {service: told(service, urls) for service in SERVICES}
        say("Starting intake, referral, notify and audit …")
        await base.supervisor.start_all([service_child(name, urls[name], environments[name]) for name in SERVICES])
        yield Running(
            data=base.data,
            urls=urls,
            databases={name: base.databases[name].application for name in SERVICES},
            owner_databases={name: base.databases[name].owner for name in SERVICES},
            bootstrap=base.bootstrap,
            broker=base.broker,
            postgres=base.postgres,
            environments=environments,
            secrets=base.secrets,
            first_run=base.first_run,
            supervisor=base.supervisor,
        )


@asynccontextmanager
async def foundations(
    data: Path,
    *,
    durable: bool = True,
    environment: Mapping[str, str] = os.environ,
    say: report.Say = report.to_stderr,
) -> AsyncIterator[Foundations]:
    """Start the broker and the database server alone, side by side; stop all children at the end."""
    data = data.resolve()
    async with folder.locked(data, say):
        folder.require_space(data)
        first_run = not (data / "secrets.json").exists()
        secrets = folder.keep_secrets(data, SERVICES)
        children = Supervisor(data, say)
        try:
            broker: _Broker
            database: _Database
            broker, database = await supervisor.together(
                _broker(data, children, environment, say),
                _database(data, children, secrets, durable, environment, say),
            )
            yield Foundations(
                data=data,
                bootstrap=broker.bootstrap,
                broker=broker.name,
                idempotent=broker.idempotent,
                forgot=broker.empty and not first_run,
                postgres=database.name,
                databases=database.urls,
                secrets=secrets,
                first_run=first_run,
                supervisor=children,
            )
        finally:
            await children.stop_all(STOP_ORDER)


@dataclass(frozen=True, slots=True)
class _Broker:
    name: str
    bootstrap: str
    idempotent: bool = True
    empty: bool = False  # it has none of the records that an earlier broker had


@dataclass(frozen=True, slots=True)
class _Database:
    name: str
    urls: Mapping[str, Urls]


async def _broker(data: Path, children: Supervisor, environment: Mapping[str, str], say: report.Say) -> _Broker:
    """The ladder: the one that is configured, Apache Kafka, the broker in a wheel."""
    wanted = environment.get("RUJUKAN_BROKER", "")
    if wanted not in ("", "kafka", "tansu"):
        raise Trouble("RUJUKAN_BROKER", f'"{wanted}" is no choice', "Set it to kafka or tansu, or unset it.")
    if bootstrap := environment.get("KAFKA_BOOTSTRAP_SERVERS"):
        say(f"Broker: {bootstrap}, as KAFKA_BOOTSTRAP_SERVERS says; it is not ours to start, stop or back up.")
        return _Broker(bootstrap, bootstrap)
    if wanted != "tansu":
        try:
            broker = await asyncio.to_thread(kafka.find, data / "kafka", environment, say)
        except Trouble as trouble:
            if wanted == "kafka" or (data / "kafka" / "data" / "meta.properties").exists():
                raise  # what is in there is not to be replaced by an empty memory
            say(f"Apache Kafka cannot be had: {trouble}")
        else:
            kafka.rung(broker, say)
            new = await kafka.prepare(broker, children.log("kafka-format"))
            await children.start(broker.child())
            return _Broker(broker.name, broker.bootstrap, empty=new)
    last = tansu.find()
    tansu.rung(last, say)
    await children.start(last.child())
    return _Broker(last.name, last.bootstrap, idempotent=False, empty=True)


async def _database(
    data: Path,
    children: Supervisor,
    secrets: Mapping[str, str],
    durable: bool,
    environment: Mapping[str, str],
    say: report.Say,
) -> _Database:
    """The ladder: the one that is configured, the system's PostgreSQL, the one in a wheel."""
    names = [f"{kind}_{name.upper()}" for name in SERVICES for kind in ("DATABASE_URL", "MIGRATION_DATABASE_URL")]
    if given := [name for name in names if environment.get(name)]:
        if missing := sorted(set(names) - set(given)):
            raise Trouble(
                "the database",
                f"{given[0]} is set, but {', '.join(missing)} is not",
                "Set the URL of the application role and of the owner role for all four services, or none of them.",
            )
        say("PostgreSQL: as DATABASE_URL_… say; it is not ours to start, stop or back up.")
        return _Database(
            "PostgreSQL (configured)",
            {
                name: Urls(
                    application=environment[f"DATABASE_URL_{name.upper()}"],
                    owner=environment[f"MIGRATION_DATABASE_URL_{name.upper()}"],
                )
                for name in SERVICES
            },
        )
    server = await postgres.prepare(
        data / "postgres",
        children.log("initdb"),
        port=ports.free(),
        password=secrets["postgres"],
        environment=environment,
        durable=durable,
    )
    postgres.rung(server, say)
    await children.start(server.child())
    return _Database(server.binaries.name, await postgres.provide(server, SERVICES, secrets))


def environment_of(service: str, urls: Mapping[str, str], base: Foundations) -> dict[str, str]:
    """What a service is told; nothing secret that is another's."""
    own = {
        "intake": {name: base.secrets[name] for name in ("VAULT_KEK", "VAULT_INDEX_KEY")},
        "referral": {"INTAKE_URL": urls["intake"]},
        "notify": {"NOTIFY_SECRET_KEY": base.secrets["NOTIFY_SECRET_KEY"]},
        "audit": {"LEDGER_KEY": base.secrets["LEDGER_KEY"], "LEDGER_ORIGIN": "rujukan.local/ledger"},
    }
    taken_away = {
        f"{kind}_{name.upper()}": "" for name in SERVICES for kind in ("DATABASE_URL", "MIGRATION_DATABASE_URL")
    }
    return {
        **taken_away,
        f"DATABASE_URL_{service.upper()}": base.databases[service].application,
        "ENVIRONMENT": "development",
        "HOST": "127.0.0.1",
        "KAFKA_BOOTSTRAP_SERVERS": base.bootstrap,
        "KAFKA_IDEMPOTENT": str(base.idempotent).lower(),
        "OIDC_CLIENT_ID": f"svc-{service}",
        "OIDC_CLIENT_SECRET": client_secret(base.secrets["PROVIDER_SECRET"], f"svc-{service}"),
        "OIDC_ISSUER": urls["identity"],
        "OIDC_ACR": ACR,
        "PORT": port_of(urls[service]),
        **{f"PUBLIC_URL_{name.upper()}": urls[name] for name in SERVICES},
        **own[service],
    }


def identity_child(url: str, secrets: Mapping[str, str]) -> Child:
    return Child(
        name="identity",
        command=[sys.executable, "-m", "deploy.local.identity_provider"],
        environment={
            "ENVIRONMENT": "development",
            "HOST": "127.0.0.1",
            "ISSUER": url,
            "PORT": port_of(url),
            "PROVIDER_SECRET": secrets["PROVIDER_SECRET"],
        },
        ready=answers(f"{url}/livez"),
        restart=True,
        stop_s=2,
    )


async def _migrate(service: str, base: Foundations) -> None:
    """What `python -m services.<service> migrate` does, here: starting four more interpreters takes seconds."""
    urls = base.databases[service]
    with told_of(service, f"MIGRATION_DATABASE_URL_{service.upper()}"):
        await database.migrate(
            urls.owner, [ROOT / service / "migrations"], application_role=database.role_of(urls.application)
        )
    with told_of(service, f"DATABASE_URL_{service.upper()}"):
        await (await asyncpg.connect(urls.application, timeout=10)).close()


@contextmanager
def told_of(service: str, variable: str) -> Iterator[None]:
    """Raise `Trouble` for what a database refuses; `variable` says how it is reached where it is not ours."""
    try:
        yield
    except (database.MigrationChanged, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise Trouble(f"the database of {service}", *reason_and_remedy(error, variable)) from error


SHUT = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InterfaceError,
)
AWAY = (asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError, OSError)


def reason_and_remedy(error: Exception, variable: str) -> tuple[str, str]:
    """Why a database cannot be used, and what can be done about it."""
    if isinstance(error, SHUT):
        return f"it does not let us in ({error})", f"Correct {variable} (role, password, name), or the rights there."
    if isinstance(error, AWAY):
        return f"it does not answer ({error})", f"See that its server runs where {variable} says."
    if isinstance(error, database.MigrationChanged):
        return f"it cannot be migrated ({error})", MIGRATION_REMEDY
    return f"it cannot be migrated ({error})", "Mend that and start again; a migration is applied whole or not at all."


async def _make_topics(environment: Mapping[str, str], base: Foundations) -> None:
    settings = Topics(
        environment="development",
        database_url="",
        kafka_bootstrap_servers=base.bootstrap,
        kafka_topic_prefix=environment.get("KAFKA_TOPIC_PREFIX", ""),
    )
    try:
        await broker.make_topics(settings, SERVICES)
    except KafkaError as error:
        raise Trouble("the broker", f"the topics cannot be made ({error})", "See its log, then start again.") from error


class Topics(KitSettings):
    """As much of a service's settings as topics need; partitions and replication come from the environment."""

    service: ClassVar[str] = "stack"


async def tell_again(urls: Urls) -> None:
    """Point the outbox at every row of the journal; whoever heard of it before drops it."""
    connection = await asyncpg.connect(urls.owner, timeout=10, server_settings=database.SERVICE_SCOPE)
    try:
        await connection.execute("INSERT INTO outbox (position) SELECT position FROM journal ON CONFLICT DO NOTHING")
    finally:
        await connection.close()


def service_child(service: str, url: str, environment: Mapping[str, str]) -> Child:
    """One service as a child process, for whoever starts it again with another environment."""
    return Child(
        name=service,
        command=[sys.executable, "-m", f"services.{service}", "serve"],
        environment=environment,
        ready=answers(f"{url}/readyz?consumer=1"),
        restart=True,
        stop_s=3.5,
    )


def answers(url: str) -> Ready:
    """A readiness probe: does the child itself answer at this address with 200?"""

    async def ready(pid: int) -> bool:
        if not ports.is_held_by(int(port_of(url)), pid):
            return False
        timeout = aiohttp.ClientTimeout(total=3)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    return ready


def local(port: int) -> str:
    """An address on this machine."""
    return f"http://127.0.0.1:{port}"


def port_of(url: str) -> str:
    """The port of one of our own addresses."""
    return url.split(":")[2].partition("/")[0]
