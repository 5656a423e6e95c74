"""Services as processes on the rig, as the local stack starts them, and clients that speak to them."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, ClassVar

import aiohttp
import asyncpg

from deploy.local import ports, stack
from deploy.local.identity_provider import client_secret
from shared.kit import broker
from shared.kit.identity import ServiceToken
from shared.kit.ids import new_id
from shared.kit.settings import KitSettings
from tests.benchmarks.rig import Rig

PORT_CLIENT = "port-NNK"
NGO_CLIENT = "NGO-BENCH"
SETTLE_S = 0.3
LONGEST_S = 300


class Settings(KitSettings):
    service: ClassVar[str] = "intake"


@dataclass(frozen=True, slots=True)
class Site:
    """Running services. `names` are those of the processes."""

    rig: Rig
    urls: Mapping[str, str]
    names: list[str]
    settings: Settings
    http: aiohttp.ClientSession
    tokens: dict[str, ServiceToken] = field(default_factory=dict, repr=False)

    async def token(self, client: str, audience: str) -> str:
        """A Bearer token of one of the provider's clients."""
        if client not in self.tokens:
            secret = client_secret(self.rig.secrets["PROVIDER_SECRET"], client)
            self.tokens[client] = ServiceToken(self.urls["identity"], client, secret)
        header = await self.tokens[client].header(audience)
        return header["Authorization"].removeprefix("Bearer ")

    async def ask(
        self, client: str, service: str, method: str, path: str, body: object = None, *, kind: str = "text/csv"
    ) -> Any:
        """One request by the public API: JSON, or bytes of this kind. Answers the JSON of the answer."""
        is_file = isinstance(body, bytes)
        headers = {
            "Authorization": f"Bearer {await self.token(client, service)}",
            "Content-Type": kind if is_file else "application/json",
            "Idempotency-Key": new_id(),
        }
        async with self.http.request(
            method,
            self.urls[service] + path,
            headers=headers,
            data=body if is_file else None if body is None else json.dumps(body),
            timeout=aiohttp.ClientTimeout(total=LONGEST_S),
        ) as answer:
            text = await answer.text()
            assert answer.status < 300, f"{method} {path}: {answer.status} {text[:500]}"
            return json.loads(text) if text else None

    async def database(self, service: str) -> asyncpg.Connection:
        """A look into a service's database from outside, by indexes however fresh the tables are."""
        url = self.rig.server.url(database=service)
        return await asyncpg.connect(url, server_settings={"enable_seqscan": "off"})

    def pid(self, name: str) -> int:
        return self.rig.children.pid(name)

    async def stop(self, name: str) -> None:
        """Stop one process for good."""
        self.names.remove(name)
        await self.rig.children.stop(name)

    @asynccontextmanager
    async def still(self) -> AsyncIterator[None]:
        """Hold all processes still, so that what is measured meanwhile has the machine to itself.

        For less than the ten seconds after which Kafka would take their partitions from them.
        """
        pids = [self.pid(name) for name in self.names]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
            await asyncio.sleep(SETTLE_S)


@asynccontextmanager
async def site(
    rig: Rig,
    processes: Mapping[str, str],
    settings: Mapping[str, Mapping[str, str]] | None = None,
    commands: Mapping[str, list[str]] | None = None,
) -> AsyncIterator[Site]:
    """Fresh databases and topics, the identity provider and these processes: name → service.

    Several processes of one service share its port. `settings` are further variables by name of the process,
    `commands` what is started in the place of the service itself.
    """
    databases, prefix = await rig.fresh()
    base = rig.foundations(databases)
    urls = {name: stack.local(ports.free()) for name in ("identity", *stack.SERVICES)}
    kit = Settings(
        environment="development",
        database_url=databases["intake"].application,
        kafka_bootstrap_servers=rig.broker.bootstrap,
        kafka_topic_prefix=prefix,
    )
    await broker.make_topics(kit, stack.SERVICES)
    identity = stack.identity_child(urls["identity"], rig.secrets)
    children = []
    for name, service in processes.items():
        own = (settings or {}).get(name, {})
        environment = {
            **stack.environment_of(service, urls, base),
            "KAFKA_TOPIC_PREFIX": prefix,
            "REUSE_PORT": "1",
            "PYTHONDONTWRITEBYTECODE": "",  # processes that begin by compiling all they import stay larger
            **own,
        }
        url = stack.local(int(own["PORT"])) if "PORT" in own else urls[service]
        child = replace(stack.service_child(service, url, environment), name=name, restart=False)
        children.append(replace(child, command=(commands or {}).get(name, child.command)))
    try:
        await rig.children.start_all([identity, *children])
        async with aiohttp.ClientSession() as http:
            running = Site(rig, urls, list(processes), kit, http)
            try:
                yield running
            finally:
                for token in running.tokens.values():
                    await token.aclose()
    finally:
        await asyncio.gather(*(rig.children.stop(name) for name in (*processes, "identity")))


async def announce(running: Site, announced: int) -> str:
    """A voyage to Nunukan that lands now; answers its id."""
    voyage = await running.ask(
        PORT_CLIENT,
        "intake",
        "POST",
        "/api/voyages",
        {
            "modality": "deportation",
            "vessel": "KM Purnama",
            "announced": announced,
            "expected_at": datetime.now(UTC).isoformat(),
        },
    )
    return str(voyage["voyage_id"])


async def take_in(running: Site, voyage_id: str, manifest: bytes) -> int:
    """Send a list; answers how many were taken in, which must be all."""
    taken = await running.ask(PORT_CLIENT, "intake", "POST", f"/api/voyages/{voyage_id}/manifest", manifest)
    assert taken["accepted"] == taken["listed"] == manifest.count(b"\n") - 1, {**taken, "problems": None}
    return int(taken["accepted"])
