"""The relay by itself: how fast an outbox drains, beside Kafka's own producer benchmark and aiokafka's `send`."""

import asyncio
import time
from typing import ClassVar

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.kit import broker as kit_broker
from shared.kit.database import connect
from shared.kit.ids import new_id
from shared.kit.relay import Relay
from shared.kit.settings import KitSettings
from tests.benchmarks import limits
from tests.benchmarks.harness import Extent, Result, paired
from tests.benchmarks.rig import Rig

EVENTS = 60_000
PAYLOAD = b'{"data":"' + b"x" * 600 + b'"}'


class Settings(KitSettings):
    service: ClassVar[str] = "intake"


async def measure(rig: Rig, extent: Extent) -> list[Result]:
    events = extent.of(EVENTS, step=5_000)
    urls, prefix = await rig.fresh()
    settings = Settings(
        environment="development",
        database_url=urls["intake"].application,
        kafka_bootstrap_servers=rig.broker.bootstrap,
        kafka_topic_prefix=prefix,
    )
    await kit_broker.make_topics(settings, ["intake"])
    topic = kit_broker.topics_of("intake", prefix)[0]

    async def ours() -> float:
        database = await connect(settings.database_url, service="intake")
        await _fill(settings.database_url, events)
        await rig.checkpoint()
        before = await _records(settings, topic)
        relay = Relay(database, settings)
        task = asyncio.create_task(relay.run())
        began = time.monotonic()
        try:
            while relay.sent < events:
                assert not task.done()
                await asyncio.sleep(0.005)
            rate = events / (time.monotonic() - began)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert not await database.fetch("SELECT 1 FROM outbox LIMIT 1")
        assert await _records(settings, topic) - before == events
        await database.aclose()
        return rate

    async def perf_test() -> float:
        return await limits.perf_test(rig.broker, topic, records=events * 2, size=700)

    async def warm_perf_test() -> float:
        return await limits.perf_test(rig.broker, topic, records=events * 2, size=700, warm=True)

    async def send() -> float:
        """The same records through `send`, pipelined by a thousand."""
        producer = kit_broker.producer(settings)
        await producer.start()
        try:
            headers = [("ce_id", b"x" * 36), ("ce_type", b"intake.arrival_recorded.v1"), ("ce_source", b"intake")] * 2
            began = time.monotonic()
            for _ in range(events // 1_000):
                keys = [new_id() for _ in range(1_000)]
                await asyncio.gather(
                    *[await producer.send(topic, PAYLOAD, key=k.encode(), headers=headers) for k in keys]
                )
            return events / (time.monotonic() - began)
        finally:
            await producer.stop()

    return [
        await paired("relay_vs_perf_test", "events/s", ours, perf_test, pairs=extent.pairs),
        await paired("relay_vs_warm_perf_test", "events/s", ours, warm_perf_test, pairs=max(1, extent.pairs // 2)),
        await paired("relay_vs_aiokafka_send", "events/s", ours, send, pairs=max(1, extent.pairs // 2)),
    ]


async def _records(settings: Settings, topic: str) -> int:
    """How many records a topic has."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, n) for n in range(settings.kafka_partitions)]
        ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
        return sum(ends.values())
    finally:
        await consumer.stop()


async def _fill(url: str, events: int) -> None:
    """Put rows into the journal with their pointers, as many works would have."""
    database = await connect(url, service="intake")
    try:
        for _ in range(0, events, 5_000):
            await database.fetch(
                "WITH j AS (INSERT INTO journal (event_id, shared, type, case_id, case_seq, occurred_at, payload)"
                " SELECT e, TRUE, 'intake.arrival_recorded.v1', c, 1, now(), $3"
                " FROM unnest($1::uuid[], $2::uuid[]) AS t (e, c) RETURNING position)"
                " INSERT INTO outbox (position) SELECT position FROM j",
                [new_id() for _ in range(5_000)],
                [new_id() for _ in range(5_000)],
                PAYLOAD,
            )
    finally:
        await database.aclose()
