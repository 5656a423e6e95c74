"""The whole stack on a network that can be cut: a Kafka of its own and every database behind a proxy.

One rig serves all tests of this folder. Services are real processes; a test kills one at a named place, lets it
start again, and asks the demo's checker what the databases and topics say.
"""

import asyncio
import io
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from deploy.local import kafka, ports, stack, supervisor
from deploy.local.demo import evidence, waiting
from deploy.local.demo.client import Client
from deploy.local.demo.evidence import Evidence
from deploy.local.demo.progress import Progress
from deploy.local.identity_provider import client_secret
from deploy.local.postgres import Urls
from deploy.local.report import Trouble
from deploy.local.stack import SERVICES, Running
from deploy.local.supervisor import Child
from tests import forking
from tests.faults.collector import Collector
from tests.faults.group import expel
from tests.faults.proxy import Proxy
from tests.notify.receiver import Receiver

ANSWER_LIMIT_S = 2
"""How long an agency has for its answer: short, so that silence is chased while one looks on."""
DIES_WITHIN_S = 60.0
SETTLES_WITHIN_S = 60.0
ON_THEIR_WAY = "SELECT count(*) FROM deliveries WHERE status IN ('queued', 'sending', 'retry_wait')"


@dataclass(slots=True)
class Broker:
    """A real Kafka that tells everybody to come through the proxy."""

    broker: kafka.Broker
    proxy: Proxy
    logs: Path
    process: "subprocess.Popen[bytes] | None" = None

    async def start(self) -> None:
        child = self.broker.child()
        self.process = supervisor.spawn(child, self.logs / "kafka.log")
        await supervisor.wait_ready(child, self.process, self.logs / "kafka.log")

    async def kill(self) -> None:
        """Kill it as a power cut of its process would."""
        assert self.process is not None
        await supervisor.end(self.process, signal.SIGKILL, 5)

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.proxy.port}"


@dataclass(slots=True)
class Rig:
    """What the tests hold in their hands."""

    running: Running
    broker: Broker
    postgres: Mapping[str, Proxy]
    databases: waiting.Databases
    """Connections as owner, past the proxies."""
    owners: Mapping[str, str]
    http: aiohttp.ClientSession
    receiver: Receiver
    collector: Collector

    def client(self, client_id: str, service: str) -> Client:
        """One organisation's system, with a token of its own."""
        secret = client_secret(self.running.secrets["PROVIDER_SECRET"], client_id)
        urls = self.running.urls
        return Client(self.http, urls["identity"], client_id, secret, audience=service, url=urls[service])

    async def arm(self, service: str, crash_at: str) -> "subprocess.Popen[bytes]":
        """Start a service again so that it kills itself there; it may do so before it is ready."""
        await self.running.stop(service)
        child = self._child(service, CRASH_AT=crash_at)
        process = supervisor.spawn(child, self.running.supervisor.log(service))
        with suppress(Trouble):
            await supervisor.wait_ready(child, process, self.running.supervisor.log(service))
        return process

    async def mend(self, service: str, process: "subprocess.Popen[bytes]") -> int | None:
        """Wait until an armed service is dead, start it as usual, answer its exit code; None when it lives on.

        What time would do is done at once: the broker gives up the dead consumer, the courier's leases run out.
        """
        end = time.monotonic() + DIES_WITHIN_S
        while (code := process.poll()) is None and time.monotonic() < end:
            await asyncio.sleep(0.02)
        await supervisor.end(process, signal.SIGKILL, 5)
        await expel(self.running.bootstrap, service)
        if service == "notify":
            leases = "UPDATE deliveries SET lease_until = now() WHERE status = 'sending' AND lease_until > now()"
            await self.databases.connections["notify"].execute(leases)
        await self.running.start(self._child(service))
        return code

    def _child(self, service: str, **more: str) -> Child:
        """The service, started in a moment. A process that another has forked holds the port that it answers at."""
        environment = {**self.running.environments[service], **more}
        child = stack.service_child(service, self.running.urls[service], environment)
        ready = partial(self._answers, f"{self.running.urls[service]}/readyz?consumer=1")
        return replace(child, command=[*forking.python(), *child.command[2:]], ready=ready)

    async def _answers(self, url: str, _pid: int) -> bool:
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with self.http.get(url, timeout=aiohttp.ClientTimeout(total=3)) as answer:
                return answer.status == 200
        return False

    def pids(self) -> dict[str, int]:
        return {service: self.running.supervisor.pid(service) for service in SERVICES}

    async def settle(self) -> None:
        """Wait until everything told has been heard, everything asked was answered and every notice is out."""
        questions = {**waiting.answered(self.databases), **self._unheard()}
        await waiting.until_none(questions, limit_s=SETTLES_WITHIN_S, progress=Progress(io.StringIO()))

    def _unheard(self) -> dict[str, waiting.Question]:
        async def not_in_ledger() -> int:
            told = [await self.databases.count(service, "SELECT count(*) FROM journal") for service in SERVICES]
            return sum(told) - await self.databases.count("audit", "SELECT count(*) FROM leaves")

        return {
            "rows not in the ledger": not_in_ledger,
            "notices on their way": partial(self.databases.count, "notify", ON_THEIR_WAY),
            **{
                f"unsent rows of {s}": partial(self.databases.count, s, "SELECT count(*) FROM outbox") for s in SERVICES
            },
        }

    async def seen(self, manifest_id: str, listed: list[int], held_back: frozenset[int]) -> Evidence:
        """What lies in the databases and topics now."""
        return await evidence.gather(
            self.databases.connections, self.running.bootstrap, manifest_id=manifest_id, listed=listed, shown=held_back
        )


@asynccontextmanager
async def standing(folder: Path, urls: Mapping[str, Urls]) -> AsyncIterator[Rig]:
    """Start everything; `urls` are fresh, empty databases, one per service."""
    async with AsyncExitStack() as end:
        broker = await _broker(folder, end)
        postgres = {service: await _proxy(_port(urls[service].application), end) for service in SERVICES}
        receiver, collector = Receiver(), Collector()
        await receiver.start()
        end.push_async_callback(receiver.stop)
        await collector.start()
        end.push_async_callback(collector.stop)
        running = await end.enter_async_context(
            stack.running(
                folder / "stack",
                settings=lambda _: {
                    service: {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "200", **more}
                    for service, more in _more(receiver).items()
                },
                environment={
                    **os.environ,
                    # The usual ports are everybody's: another stack would take them while a service is dead.
                    **{f"PORT_{name.upper()}": str(ports.free()) for name in stack.PORTS},
                    "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
                    **{f"DATABASE_URL_{s.upper()}": _through(urls[s].application, postgres[s]) for s in SERVICES},
                    **{f"MIGRATION_DATABASE_URL_{s.upper()}": urls[s].owner for s in SERVICES},
                },
                say=lambda _: None,
            )
        )
        databases = await waiting.Databases.open({service: urls[service].owner for service in SERVICES})
        end.push_async_callback(databases.close)
        # None is kept: the server may end an idle connection just as a write goes out on it, which then has no answer.
        http = await end.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)))
        owners = {service: urls[service].owner for service in SERVICES}
        yield Rig(running, broker, postgres, databases, owners, http, receiver, collector)


def _more(receiver: Receiver) -> dict[str, dict[str, str]]:
    return {
        "intake": {},
        "referral": {"ANSWER_LIMIT_MAX_S": str(ANSWER_LIMIT_S)},
        "notify": {"WEBHOOK_ALLOW_PRIVATE": receiver.place},
        "audit": {},
    }


async def _broker(folder: Path, end: AsyncExitStack) -> Broker:
    found = await asyncio.to_thread(kafka.find, folder / "kafka", os.environ, lambda _: None)
    proxy = await _proxy(found.port, end)
    await kafka.prepare(found, folder / "logs" / "kafka-format.log")
    settings = found.folder / "server.properties"
    text = settings.read_text()
    told = f"advertised.listeners=PLAINTEXT://127.0.0.1:{found.port}"
    assert told in text
    settings.write_text(text.replace(told, f"advertised.listeners=PLAINTEXT://127.0.0.1:{proxy.port}"))
    broker = Broker(found, proxy, folder / "logs")
    await broker.start()
    end.push_async_callback(broker.kill)
    return broker


async def _proxy(port: int, end: AsyncExitStack) -> Proxy:
    proxy = Proxy(port)
    await proxy.start()
    end.push_async_callback(proxy.stop)
    return proxy


def _port(url: str) -> int:
    return urlsplit(url).port or 5432


def _through(url: str, proxy: Proxy) -> str:
    """The same database by way of the proxy."""
    return url.replace(f":{_port(url)}/", f":{proxy.port}/")
