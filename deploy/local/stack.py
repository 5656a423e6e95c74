"""The whole stack on one machine: broker, database, identity provider and the four services, as child processes.

    async with stack.running(Path(".rujukan")) as running:
        running.urls["intake"]           # http://127.0.0.1:8101

Everything it starts dies with this process, however that ends.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local import report
from deploy.local.supervisor import Child, Supervisor

SERVICES = ("intake", "referral", "notify", "audit")
PORTS = {"identity": 8100, "intake": 8101, "referral": 8102, "notify": 8103, "audit": 8104}


@dataclass(frozen=True, slots=True)
class Running:
    """A running stack. Keys of the mappings are service names, in `urls` also "identity"."""

    data: Path
    urls: Mapping[str, str]  # http://127.0.0.1:<port>, without a slash at the end
    databases: Mapping[str, str]  # postgresql://… of the application role
    owner_databases: Mapping[str, str]  # postgresql://… of the owner role
    bootstrap: str  # host:port[,host:port] of the broker
    broker: str  # the rung that was taken, in a few words, e.g. "Apache Kafka 4.3.1"
    postgres: str  # e.g. "PostgreSQL 15.18"
    environments: Mapping[str, Mapping[str, str]]  # per service: every variable we set for it
    secrets: Mapping[str, str]  # what <data>/secrets.json holds
    first_run: bool  # True when there was no data before
    supervisor: Supervisor

    async def start(self, child: Child) -> None:
        """Start one more child (an agency, a receiver): log in <data>/logs/<name>.log, dies with us."""
        await self.supervisor.start(child)

    async def stop(self, name: str) -> None:
        """Stop one child: SIGTERM, then SIGKILL."""
        await self.supervisor.stop(name)

    async def failed(self) -> None:
        """Return never, or raise `Trouble` once a child that cannot be restarted has ended."""
        await self.supervisor.failed()


@asynccontextmanager
async def running(
    data: Path,
    *,
    settings: Mapping[str, Mapping[str, str]] | None = None,
    durable: bool = True,
    say: report.Say = report.to_stderr,
) -> AsyncIterator[Running]:
    """Start everything, wait until each service says it is ready, stop everything at the end.

    `settings` are further environment variables per service, for instance
    `{"referral": {"ANSWER_LIMIT_MAX_S": "20"}, "notify": {"WEBHOOK_ALLOW_PRIVATE": "127.0.0.1:9001"}}`.
    `durable=False` lets PostgreSQL skip fsync (throw-away runs). Raises `report.Trouble` with the thing, the reason
    and the remedy.
    """
    raise NotImplementedError
    yield
