"""From a real Kafka to a subscriber's server and back to Kafka, by the service as it is started."""

import asyncio
import base64
import json
import os
import sys
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from services.notify.settings import Settings
from shared.contracts.fact import Fact, Told
from shared.contracts.referral import assignments
from shared.kit import broker
from shared.kit.clock import SystemClock
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.notify.conftest import NGO, SEAL
from tests.notify.factories import a_fact, a_subscription
from tests.notify.receiver import Receiver
from tests.waiting import until

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def a_record(fact: Fact, *, event_id: str | None = None, seq: int = 1, value: bytes | None = None) -> dict[str, Any]:
    """A record as referral's relay sends it."""
    told = Told[Any](actor="a", organisation="o", role="r", purpose="p", data=fact)
    headers = {
        "ce_specversion": "1.0",
        "ce_id": event_id or new_id(),
        "ce_source": "referral",
        "ce_type": fact.type,
        "ce_time": "2026-11-23T02:30:00+00:00",
        "ce_sequence": str(seq),
        "traceparent": TRACE,
    }
    return {
        "key": fact.case_id.encode(),
        "value": value if value is not None else told.model_dump_json().encode(),
        "headers": [(name, text.encode()) for name, text in headers.items()],
    }


async def test_facts_become_notices_once_and_broken_records_stop_nobody(
    database: Database, receiver: Receiver, kafka_server: str, topic_prefix: str
) -> None:
    database.clock = SystemClock()
    await a_subscription(database, actor=NGO, url=f"{receiver.url}/ok", seal=SEAL)
    environment = {
        "ENVIRONMENT": "development",
        "DATABASE_URL_NOTIFY": database.url,
        "NOTIFY_SECRET_KEY": base64.urlsafe_b64encode(bytes(range(32))).decode(),
        "WEBHOOK_ALLOW_PRIVATE": receiver.place,
        "KAFKA_BOOTSTRAP_SERVERS": kafka_server,
        "KAFKA_TOPIC_PREFIX": topic_prefix,
        "ROLES": "consumer,relay,clock",
        "PORT": "0",
    }
    settings = Settings(
        environment="development",
        database_url=database.url,
        kafka_bootstrap_servers=kafka_server,
        kafka_topic_prefix=topic_prefix,
        notify_secret_key=environment["NOTIFY_SECRET_KEY"],
    )
    await broker.make_topics(settings, ["intake", "referral", "notify", "audit"])
    opened, accepted = a_fact(), a_fact(assignments.AssignmentAccepted)
    hidden = a_fact(need="TIP", restricted=True)
    twice = new_id()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.notify", "serve", env={**os.environ, **environment}
    )
    try:
        async with AIOKafkaProducer(bootstrap_servers=kafka_server, acks="all") as producer:
            for record in (
                a_record(opened, event_id=twice),
                a_record(opened, event_id=twice),
                a_record(hidden),
                a_record(a_fact(), value=b"not json"),
                a_record(accepted),
            ):
                await producer.send_and_wait(f"{topic_prefix}referral.events", **record)

        async def told() -> bool:
            left = await database.pool.fetchval("SELECT count(*) FROM outbox")
            done = await database.pool.fetchval("SELECT count(*) FROM deliveries WHERE status = 'delivered'")
            return bool(done == 2 and left == 0)

        await until(told, within_s=60)
        await until(lambda: database.pool.fetchval("SELECT count(*) FROM parked"), within_s=30)
        said = await _said(kafka_server, f"{topic_prefix}notify.events", 3)
    finally:
        process.terminate()
        await process.wait()

    assert sorted(json.loads(one.body)["data"]["case_id"] for one in receiver.received) == sorted(
        [opened.case_id, accepted.case_id]
    )
    assert {one.headers["traceparent"][:35] for one in receiver.received} == {TRACE[:35]}
    assert sorted(said) == [
        "notify.notice_delivered.v1", "notify.notice_delivered.v1", "notify.subscription_created.v1",
    ]  # fmt: skip
    assert await database.pool.fetchval("SELECT sum(heard) FROM heard_counts") == 2


async def _said(bootstrap: str, topic: str, n: int) -> list[str]:
    """The types of the first `n` records of a topic."""
    async with AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        async with asyncio.timeout(20):
            return [dict((await consumer.getone()).headers)["ce_type"].decode() for _ in range(n)]
