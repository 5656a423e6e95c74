"""A PostgreSQL and a Kafka of the benchmarks' own, with durable settings, in a throw-away folder."""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from deploy.local import folder, kafka, ports, postgres, report, stack
from deploy.local.kafka import Broker
from deploy.local.postgres import Server, Urls
from deploy.local.stack import Foundations
from deploy.local.supervisor import Supervisor
from shared.kit.database import migrate, role_of

ROOT = Path(__file__).parents[2]


@dataclass(slots=True)
class Rig:
    """The servers, and fresh databases and topics on them for each measure."""

    server: Server
    broker: Broker
    children: Supervisor
    scratch: Path
    secrets: dict[str, str] = field(repr=False)
    taken: int = field(default=0)
    pgbench_clients: int | None = None
    """At how many clients pgbench was at its best here; None before it was tried."""

    async def fresh(self) -> tuple[dict[str, Urls], str]:
        """Migrated databases of the four services and a topic prefix, used by nobody before."""
        self.taken += 1
        connection = await asyncpg.connect(self.server.url())
        for service in stack.SERVICES:
            await connection.execute(f"DROP DATABASE IF EXISTS {service} WITH (FORCE)")
        await connection.close()
        urls = await postgres.provide(self.server, stack.SERVICES, self.secrets)
        for service in stack.SERVICES:
            own = ROOT / "services" / service / "migrations"
            await migrate(urls[service].owner, [own], application_role=role_of(urls[service].application))
        return urls, f"bench{os.getpid()}-{self.taken}."

    def foundations(self, databases: dict[str, Urls]) -> Foundations:
        """What the local stack needs to know to start services on these servers."""
        return Foundations(
            data=self.scratch,
            bootstrap=self.broker.bootstrap,
            broker=self.broker.name,
            idempotent=True,
            forgot=False,
            postgres=self.server.binaries.name,
            databases=databases,
            secrets=self.secrets,
            first_run=False,
            supervisor=self.children,
        )

    async def checkpoint(self) -> None:
        """Write out what the last measure left dirty, so that the next does not pay for it."""
        connection = await asyncpg.connect(self.server.url())
        await connection.execute("CHECKPOINT")
        await connection.close()


@asynccontextmanager
async def rig() -> AsyncIterator[Rig]:
    """Start both servers as a user's machine would run them (fsync on)."""
    with tempfile.TemporaryDirectory(prefix="rujukan-bench-") as name:
        scratch = Path(name)
        scratch.chmod(0o755)
        async with folder.locked(scratch, report.to_stderr):
            secrets = folder.keep_secrets(scratch, stack.SERVICES)
            children = Supervisor(scratch)
            try:
                broker = kafka.find(scratch / "kafka", os.environ, report.to_stderr)
                await kafka.prepare(broker, children.log("kafka-format"))
                await children.start(broker.child())
                server = await postgres.prepare(
                    scratch / "postgres",
                    children.log("initdb"),
                    port=ports.free(),
                    password=secrets["postgres"],
                    environment=os.environ,
                )
                await children.start(server.child())
                yield Rig(server, broker, children, scratch, secrets)
            finally:
                await children.stop_all((("kafka",), ("postgres",)))
