"""The relay: from the outbox to Kafka, in journal order per case, at least once.

Of several processes one relays: the one that holds an advisory lock. A cycle reads the oldest pointers, sends their
journal rows in one batch per partition, waits for all acknowledgements and deletes the pointers. A crash in between
sends again; the receivers' inboxes absorb that. Measured shapes and the traps avoided here (planner, paging, pacing,
shards): docs/adr/0004-relay.md.
"""

import asyncio
import time
from typing import Any

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.kit import broker
from shared.kit.crash import crash_point
from shared.kit.database import KEEPALIVE, SERVICE_SCOPE, Database
from shared.kit.ids import partition_of
from shared.kit.settings import KitSettings

log = structlog.get_logger()

RELAY_LOCK = 7_202
BATCH = 2_000
PACE_S = 0.008
"""A cycle that sent something starts no sooner after its predecessor: fuller batches, lower tail latency."""
IDLE_POLL_S = 0.25

READ = """
SELECT position, event_id, shared, type, case_id, case_seq, occurred_at, traceparent, payload
FROM journal
WHERE position = ANY (ARRAY(SELECT o.position FROM outbox o ORDER BY o.position LIMIT $1))
ORDER BY position
"""
# The limit stands inside the array: a join with a limit is planned as a merge over the whole journal.


class Relay:
    """Relays one service's outbox; run one in every process that has the role, the others stand by."""

    def __init__(self, database: Database, settings: KitSettings) -> None:
        self._database = database
        self._settings = settings
        self._events, self._audit = broker.topics_of(database.service, settings.kafka_topic_prefix)
        self._source = database.service.encode()
        self.sent = 0

    async def run(self) -> None:
        """Relay until cancelled; a broker that is away is waited for, with a new producer after each failure."""
        pause = 0.2
        while True:
            producer = broker.producer(self._settings)
            try:
                await producer.start()
                pause = 0.2
                await self._relay(producer)
            except KafkaError as error:
                log.warning("kafka_away", part="relay", error=type(error).__name__, again_in_s=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
            finally:
                await _stop(producer)

    async def _relay(self, producer: AIOKafkaProducer) -> None:
        """Relay whenever this process holds the lock; wait out a database that is away."""
        while True:
            try:
                await self._hold(producer)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
                log.warning("database_away", part="relay", error=type(error).__name__)
                await asyncio.sleep(1.0)

    async def _hold(self, producer: AIOKafkaProducer) -> None:
        connection = await asyncpg.connect(
            self._database.url,
            timeout=10,
            command_timeout=30,
            server_settings={
                **KEEPALIVE,
                **SERVICE_SCOPE,
                "application_name": f"rujukan-{self._database.service}-relay",
                # A near-empty outbox would otherwise get a generic plan that scans it with the whole array.
                "enable_seqscan": "off",
                # A pointer whose deletion is lost in a crash is only sent again.
                "synchronous_commit": "off",
            },
        )
        try:
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", RELAY_LOCK):
                await asyncio.sleep(1.0)
            while True:
                began, since = time.monotonic(), self._database.written.times
                if await self._cycle(connection, producer):
                    await asyncio.sleep(max(0.0, began + PACE_S - time.monotonic()))
                else:
                    await self._database.written.wait(IDLE_POLL_S, since=since)
        finally:
            # Ends the session and with it the lock, whatever state the connection is in.
            connection.terminate()

    async def _cycle(self, connection: asyncpg.Connection, producer: AIOKafkaProducer) -> int:
        rows = await connection.fetch(READ, BATCH)
        if not rows:
            return 0
        crash_point("relay.before_send")
        await self._send(producer, rows)
        crash_point("relay.after_send")
        await connection.execute("DELETE FROM outbox WHERE position = ANY($1::bigint[])", [r["position"] for r in rows])
        crash_point("relay.after_delete")
        self.sent += len(rows)
        return len(rows)

    async def _send(self, producer: AIOKafkaProducer, rows: list[asyncpg.Record]) -> None:
        """Send the rows, per partition in their order, and wait until all are acknowledged."""
        counts = {}
        for topic in (self._events, self._audit):
            await producer.client._wait_on_metadata(topic)
            counts[topic] = len(await producer.partitions_for(topic))
        open_batches: dict[tuple[str, int], BatchBuilder] = {}

        async def close(at: tuple[str, int]) -> Any:
            batch = open_batches.pop(at)
            batch.close()
            return await producer.send_batch(batch, at[0], partition=at[1])

        for row in rows:
            topic = self._events if row["shared"] else self._audit
            case_id = str(row["case_id"])
            at = (topic, partition_of(case_id, counts[topic]))
            headers = self._headers(row)
            batch = open_batches.get(at)
            if batch is None:
                batch = open_batches[at] = producer.create_batch()
            if batch.append(timestamp=None, key=case_id.encode(), value=row["payload"], headers=headers) is None:
                # Were it lost alone, what follows in its partition would overtake it.
                await (await close(at))
                batch = open_batches[at] = producer.create_batch()
                batch.append(timestamp=None, key=case_id.encode(), value=row["payload"], headers=headers)
        await asyncio.gather(*[await close(at) for at in list(open_batches)])

    def _headers(self, row: asyncpg.Record) -> list[tuple[str, bytes]]:
        """CloudEvents 1.0, Kafka binary mode; few, because each costs a microsecond at both ends."""
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", str(row["event_id"]).encode()),
            ("ce_source", self._source),
            ("ce_type", row["type"].encode()),
            ("ce_time", row["occurred_at"].isoformat().encode()),
            ("ce_sequence", b"%d" % row["case_seq"]),
        ]
        if row["traceparent"]:
            headers.append(("traceparent", row["traceparent"].encode()))
        return headers


async def _stop(producer: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(10):
            await producer.stop()
    except (KafkaError, TimeoutError) as error:
        log.warning("producer_left_behind", error=type(error).__name__)
