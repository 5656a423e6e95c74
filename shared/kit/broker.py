"""Kafka: topics, the consuming broker and the producer, with the settings that lose nothing.

FastStream and aiokafka lose messages by default (acknowledge first, `latest`, acks=1, a header that is not UTF-8
drops the record). Every broker and producer of this project is made here; tests/architecture asserts it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from shared.kit.settings import KitSettings

log = structlog.get_logger()

Records = Sequence[ConsumerRecord[Any, Any]]

BATCH = 500
"""Most records in one transaction. Bounded by the server's lock table as well (one advisory lock per case)."""

METADATA_MAX_AGE_MS = 5_000
"""How long a consumer may miss a topic that was made after it subscribed."""

IDLE_POLL_MS = 10
"""FastStream sleeps this long after an empty poll of the same length, so it bounds the latency at rest."""

COMMIT_EVERY_S = 0.2
COMMIT_TIMEOUT_S = 10.0
LONG_POLL_MS = 500
"""How long Kafka holds a fetch open while there is nothing."""
GATHERED_BYTES = 256 * 1024
"""What ends the gathering early: some 400 records, so that a backlog is read at full speed."""


def topics_of(service: str, prefix: str = "") -> tuple[str, str]:
    """The topic of facts for all and the topic that only audit listens to."""
    return f"{prefix}{service}.events", f"{prefix}{service}.audit"


def sanitised(record: ConsumerRecord[Any, Any]) -> ConsumerRecord[Any, Any]:
    """The record with every header readable; FastStream drops a record with a null or non-UTF-8 header."""
    if all(value is not None and value.isascii() for _, value in record.headers):
        return record
    headers = tuple((key, (value or b"").decode("utf-8", "replace").encode()) for key, value in record.headers)
    return replace(record, headers=headers)


async def parse(message: Any, original: Callable[[Any], Awaitable[Any]]) -> Any:
    """Parser for every subscriber: sanitise first, then do as FastStream does."""
    return await original(tuple(map(sanitised, message)) if isinstance(message, tuple) else sanitised(message))


async def undecoded(message: Any) -> Any:
    """Decoder for every subscriber: hand over the message as it is; the inbox reads record by record."""
    return message


def consuming(settings: KitSettings) -> KafkaBroker:
    """A broker for subscribers only; what we send goes through the relay's producer."""
    return KafkaBroker(
        settings.kafka_bootstrap_servers.split(","),
        client_id=f"rujukan-{settings.service}",
        consumer_only=True,
        ack_policy=AckPolicy.MANUAL,
        allow_auto_create_topics=False,
        acks="all",
        enable_idempotence=True,
        metadata_max_age_ms=METADATA_MAX_AGE_MS,
        graceful_timeout=15.0,
        parser=parse,
        decoder=undecoded,
        apply_types=False,
        logger=None,
    )


def subscribe(
    broker: KafkaBroker,
    topics: Sequence[str],
    *,
    group: str,
    handle: Callable[[Records], Awaitable[None]],
    gather_ms: int = 0,
) -> Any:
    """One batch subscriber to these topics; `handle` gets the records, and the same ones again when it raises.

    Kafka keeps records back for `gather_ms` to answer one fetch with many; 0 asks for each as soon as it is there.
    """
    progress = Progress()

    async def take(message: KafkaMessage) -> None:
        try:
            await handle(message.raw_message)
        except Exception:
            await message.nack()
            raise
        progress.made(message)

    subscriber = broker.subscriber(
        *topics,
        group_id=group,
        batch=True,
        max_records=BATCH,
        batch_timeout_ms=IDLE_POLL_MS,
        fetch_min_bytes=GATHERED_BYTES if gather_ms else 1,
        fetch_max_wait_ms=gather_ms or LONG_POLL_MS,
        auto_offset_reset="earliest",
        session_timeout_ms=10_000,
        heartbeat_interval_ms=2_000,
        max_poll_interval_ms=300_000,
        ack_policy=AckPolicy.MANUAL,
        no_reply=True,
    )
    subscriber(take)
    return subscriber


class Progress:
    """Commits how far a consumer has come a few times a second; a commit for each batch costs more than the batch.

    Only offsets of records that were handled are named, so what is being handled is never passed over. A commit that
    fails or never comes means that records come again, which the inbox absorbs.
    """

    def __init__(self) -> None:
        self._made: dict[TopicPartition, int] = {}
        self._committing: asyncio.Task[None] | None = None

    def made(self, message: KafkaMessage) -> None:
        """These records were handled."""
        for record in message.raw_message:
            self._made[TopicPartition(record.topic, record.partition)] = record.offset + 1
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit(message.consumer))

    async def _commit(self, consumer: Any) -> None:
        await asyncio.sleep(COMMIT_EVERY_S)
        made, self._made = self._made, {}
        with suppress(KafkaError, TimeoutError):
            await asyncio.wait_for(consumer.commit(made), COMMIT_TIMEOUT_S)


def producer(settings: KitSettings) -> AIOKafkaProducer:
    """The relay's producer: acks=all, idempotent, no waiting to fill a batch (the relay makes the batches)."""
    return AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap_servers.split(","),
        client_id=f"rujukan-{settings.service}-relay",
        acks="all",
        enable_idempotence=settings.kafka_idempotent,
        linger_ms=0,
        max_batch_size=256 * 1024,
        max_request_size=1024 * 1024,
        request_timeout_ms=10_000,
        metadata_max_age_ms=METADATA_MAX_AGE_MS,
    )


async def make_topics(settings: KitSettings, services: Sequence[str]) -> list[str]:
    """Make the topics of these services that are not there; answers those that were made.

    Explicit partitions and replication, no data loss for availability, the broker's clock for timestamps (a
    client with a wrong clock must not have its records refused), kept for ever: the journals can refill them.
    """
    admin = AIOKafkaAdminClient(
        bootstrap_servers=settings.kafka_bootstrap_servers.split(","), request_timeout_ms=10_000
    )
    await admin.start()
    try:
        names = [topic for service in services for topic in topics_of(service, settings.kafka_topic_prefix)]
        missing = sorted(set(names) - set(await admin.list_topics()))
        if not missing:
            return []
        answer = await admin.create_topics(
            [
                NewTopic(
                    name,
                    settings.kafka_partitions,
                    settings.kafka_replication,
                    topic_configs={
                        "min.insync.replicas": str(settings.kafka_min_insync_replicas),
                        "message.timestamp.type": "LogAppendTime",
                        "unclean.leader.election.enable": "false",
                        "retention.ms": "-1",
                    },
                )
                for name in missing
            ]
        )
        for name, code, *_ in answer.topic_errors:
            if code not in (0, TopicAlreadyExistsError.errno):
                raise for_code(code)(f"topic {name} could not be made")
        return missing
    finally:
        await admin.close()


async def run(broker: KafkaBroker) -> None:
    """Keep the broker consuming: start it, again and again with back-off while Kafka is away, until cancelled."""
    pause = 0.2
    while True:
        try:
            await broker.start()
            break
        except Exception as error:
            log.warning("kafka_away", error=type(error).__name__, again_in_s=pause)
            await broker.stop()
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)
    log.info("consuming")
    try:
        await asyncio.Event().wait()
    finally:
        await broker.stop()
