"""The four services in one process, without Kafka: each hears what the one before it wrote, in full batches.

What it costs in statements and in write-ahead log does not depend on the machine, so it can be gated.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg
from aiokafka import ConsumerRecord

from deploy.local.postgres import Urls
from services.audit import consumers as audit
from services.intake.actions.arrivals import Submitted, seal_arrival
from services.intake.actions.manifests import read_manifest, take_in_manifest
from services.intake.actions.telling import Telling
from services.intake.actions.voyages import announce_voyage
from services.intake.domain.voyages import Voyage
from services.intake.store import arrivals
from services.intake.store.vault import Keyring, Vault
from services.notify import consumers as notify
from services.notify.actions.subscriptions import create_subscription
from services.notify.domain.subscriptions import EndpointRules, Filter
from services.referral import consumers as referral
from services.referral import rules
from services.referral.actions.routing import Routing
from shared.contracts import codes
from shared.kit.actor import Actor
from shared.kit.broker import BATCH
from shared.kit.clock import Clock
from shared.kit.database import Database, connect
from shared.kit.ids import new_id
from shared.kit.inbox import Inbox
from tests.benchmarks import people

PORT = Actor("port-NNK", "port-NNK", frozenset({"port_system"}), kind="client", port="NNK")
NGO = Actor("NGO-BENCH", "NGO-BENCH", frozenset({"ngo_system"}), kind="client")
KEK = bytes(range(32))
SERVICES = ("intake", "referral", "notify", "audit")


@dataclass(frozen=True, slots=True)
class Chain:
    """Four databases and what hears in them. `statements` counts round trips by service."""

    databases: dict[str, Database]
    inboxes: dict[str, Inbox]
    vault: Vault
    statements: Counter[str] = field(default_factory=Counter)
    heard: dict[tuple[str, str], int] = field(default_factory=dict)
    """Up to which position a service has heard another one's journal."""

    async def run(self, count: int, start: int = 0) -> dict[str, int]:
        """Take in a list of so many people and let everybody hear of it; answers records heard by service."""
        await self.take_in(count, start)
        return {
            "referral": await self.hear("referral", "intake"),
            "notify": await self.hear("notify", "referral"),
            "audit": await self.hear("audit", "intake", "referral", "notify"),
        }

    async def take_in(self, count: int, start: int = 0) -> None:
        """Take in a list of so many people at intake."""
        voyage = await self._voyage()
        manifest = people.manifest(count, start)
        taken = await take_in_manifest(self.databases["intake"], self.vault, PORT, voyage, manifest)
        assert taken.accepted == count, taken

    async def hear(self, service: str, *sources: str) -> int:
        """Let a service hear what these services have told since it last heard them; answers how many records."""
        records: list[ConsumerRecord[Any, Any]] = []
        for source in sources:
            with self._uncounted(source):
                told = await self.databases[source].fetch(
                    "SELECT position, event_id, shared, type, case_id, case_seq, occurred_at, payload FROM journal"
                    " WHERE position > $1 AND (shared OR $2) ORDER BY position",
                    self.heard.get((service, source), 0),
                    service == "audit",
                )
            records += [record_of(source, row) for row in told]
            if told:
                self.heard[service, source] = told[-1]["position"]
        for begin in range(0, len(records), BATCH):
            await self.inboxes[service].digest(records[begin : begin + BATCH])
        return len(records)

    async def wal_per_arrival(self, count: int, start: int) -> float:
        """Bytes of write-ahead log for all rows of an arrival at intake, in batches of a list.

        PostgreSQL counts them for this very statement, so nobody else on the server disturbs the figure.
        """
        voyage = await self._voyage()
        manifest_id = new_id()
        _, rows = await read_manifest(voyage, people.manifest(count, start))
        telling = Telling(PORT)
        sealed = [
            seal_arrival(
                self.vault,
                telling,
                Submitted(
                    arrival=row.arrival,
                    scope=voyage.voyage_id,
                    key=self.vault.digest(*row.person),
                    port=codes.ports()["NNK"],
                    channel="manifest",
                    arrived_at=voyage.expected_at,
                    voyage_id=voyage.voyage_id,
                    manifest_id=manifest_id,
                    manifest_row=row.number,
                ),
                datetime.now(UTC),
            )
            for row in rows
            if row.arrival is not None
        ]
        assert len(sealed) == count
        written = 0
        for start in range(0, len(sealed), BATCH):
            [plan] = await self.databases["intake"].fetch(
                f"EXPLAIN (ANALYZE, WAL, FORMAT JSON) {arrivals.ADD}",
                *zip(*sealed[start : start + BATCH], strict=True),
            )
            written += _logged(json.loads(plan[0])[0]["Plan"])
        return written / count

    async def _voyage(self) -> Voyage:
        with self._uncounted("intake"):
            async with self.databases["intake"].work(PORT, purpose="reception") as work:
                return await announce_voyage(
                    work,
                    modality="deportation",
                    vessel="KM Purnama",
                    announced=0,
                    expected_at=datetime.now(UTC),
                )

    @contextmanager
    def _uncounted(self, service: str) -> Iterator[None]:
        before = self.statements[service]
        yield
        self.statements[service] = before


@asynccontextmanager
async def chain(urls: Callable[[str], Urls], *, clock: Clock | None = None) -> AsyncIterator[Chain]:
    """The four services on these migrated databases, with one subscription to everything at notify."""
    async with AsyncExitStack() as stack:
        databases: dict[str, Database] = {}
        for service in SERVICES:
            # One connection in each pool, so that every round trip passes the counter.
            databases[service] = await connect(urls(service).application, service=service, max_size=1, clock=clock)
            await stack.enter_async_context(aclosing(databases[service]))
        inboxes = {service: Inbox(database) for service, database in databases.items()}
        referral.subscribe(inboxes["referral"], Routing(rules.load(rules.latest())))
        notify.subscribe(inboxes["notify"])
        audit.subscribe(inboxes["audit"])
        async with databases["notify"].work(NGO, purpose="subscribe") as work:
            await create_subscription(
                work,
                name="everything",
                url="https://ngo.example.org/notices",
                wants=Filter(frozenset(), frozenset(), frozenset()),
                secret="whsec_" + "A" * 32,
                seal=lambda _, secret: secret.encode(),
                rules=EndpointRules(http_allowed=False, ports=frozenset({443}), private=frozenset()),
            )
        made = Chain(databases, inboxes, Vault(Keyring(KEK), KEK))
        # What a connection asks once in its life (types of parameters) is asked before the counting begins.
        await made.run(people.block())
        for service, database in databases.items():
            for pool in (database.pool, database.asked):
                async with pool.acquire() as connection:
                    connection.add_query_logger(_counter(made.statements, service))
        yield made


def _counter(statements: Counter[str], service: str) -> Callable[[Any], None]:
    def count(_: Any) -> None:
        statements[service] += 1

    return count


def _logged(node: dict[str, Any]) -> int:
    """Bytes of log that the inserts of a plan wrote. A node's figure has those of the nodes it pulled rows from."""
    below = node.get("Plans", [])
    pulled = sum(child["WAL Bytes"] for child in below if child["Parent Relationship"] == "Outer")
    own = node["WAL Bytes"] - pulled if node["Node Type"] == "ModifyTable" else 0
    return own + sum(_logged(child) for child in below)


def record_of(source: str, row: asyncpg.Record) -> ConsumerRecord[Any, Any]:
    """A journal row as Kafka would bring it."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(row["event_id"]),
        "ce_source": source,
        "ce_type": row["type"],
        "ce_time": row["occurred_at"].isoformat(),
        "ce_sequence": str(row["case_seq"]),
    }
    return ConsumerRecord(
        topic=f"{source}.{'events' if row['shared'] else 'audit'}",
        partition=0,
        offset=row["position"],
        timestamp=0,
        timestamp_type=1,
        key=str(row["case_id"]).encode(),
        value=row["payload"],
        checksum=None,
        serialized_key_size=36,
        serialized_value_size=len(row["payload"]),
        headers=[(name, value.encode()) for name, value in headers.items()],
    )
