"""A PostgreSQL and a Kafka of the benchmarks' own, with durable settings, in a throw-away folder."""

import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from deploy.local import folder, kafka, ports, postgres, report, stack
from deploy.local.kafka import Broker
from deploy.local.postgres import Server, Urls
from deploy.local.supervisor import Child, Supervisor
from shared.kit.database import migrate, role_of

ROOT = Path(__file__).parents[2]


@dataclass(slots=True)
class Rig:
    """The servers, and fresh databases and topics on them for each measure."""

    server: Server
    broker: Broker
    children: Supervisor
    scratch: Path
    passwords: dict[str, str]
    taken: int = field(default=0)

    async def fresh(self) -> tuple[dict[str, Urls], str]:
        """Migrated databases of the four services and a topic prefix, used by nobody before."""
        self.taken += 1
        connection = await asyncpg.connect(self.server.url())
        for service in stack.SERVICES:
            await connection.execute(f"DROP DATABASE IF EXISTS {service} WITH (FORCE)")
        await connection.close()
        urls = await postgres.provide(self.server, stack.SERVICES, self.passwords)
        for service in stack.SERVICES:
            own = ROOT / "services" / service / "migrations"
            await migrate(urls[service].owner, [own], application_role=role_of(urls[service].application))
        return urls, f"bench{os.getpid()}-{self.taken}."

    async def spawn(self, name: str, *command: str, environment: dict[str, str]) -> None:
        """Start a process of the product; it dies with us."""
        await self.children.start(Child(name=name, command=[sys.executable, *command], environment=environment))


@asynccontextmanager
async def rig() -> AsyncIterator[Rig]:
    """Start both servers as a user's machine would run them (fsync on)."""
    with tempfile.TemporaryDirectory(prefix="rujukan-bench-") as name:
        scratch = Path(name)
        scratch.chmod(0o755)
        async with folder.locked(scratch, report.to_stderr):
            children = Supervisor(scratch)
            try:
                passwords = {
                    f"{service}_{kind}": folder.new_secret() for service in stack.SERVICES for kind in ("owner", "app")
                }
                broker = kafka.find(scratch / "kafka", os.environ, report.to_stderr)
                await kafka.prepare(broker, children.log("kafka-format"))
                await children.start(broker.child())
                server = await postgres.prepare(
                    scratch / "postgres",
                    children.log("initdb"),
                    port=ports.free(),
                    password=folder.new_secret(),
                    environment=os.environ,
                )
                await children.start(server.child())
                yield Rig(server, broker, children, scratch, passwords)
            finally:
                await children.stop_all((("kafka",), ("postgres",)))
