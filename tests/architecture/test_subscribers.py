"""Every broker, subscriber and producer is made in one place, with the settings that lose nothing."""

import re
from pathlib import Path
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from faststream import AckPolicy

from shared.kit import broker
from tests.kit.conftest import SpeakerSettings

ROOT = Path(__file__).parents[2]
MAKERS = re.compile(r"\b(KafkaBroker|KafkaRouter|AIOKafkaProducer|AIOKafkaConsumer)\(|\.subscriber\(|\.publisher\(")


async def handle(_: Any) -> None:
    """Digests nothing."""


@pytest.fixture
def subscriber() -> Any:
    settings = SpeakerSettings(environment="development", database_url="", kafka_bootstrap_servers="kafka:9092")
    consuming = broker.consuming(settings)
    broker.subscribe(consuming, ["a.events", "b.events"], group="a", handle=handle)
    (made,) = consuming.subscribers
    return made


def test_nothing_else_makes_brokers_subscribers_or_producers() -> None:
    makers = [
        str(file.relative_to(ROOT))
        for folder in ("services", "shared")
        for file in (ROOT / folder).rglob("*.py")
        if MAKERS.search(file.read_text(encoding="utf-8"))
    ]

    assert makers == ["shared/kit/broker.py"]


def test_a_subscriber_is_at_least_once(subscriber: Any) -> None:
    assert subscriber.ack_policy is AckPolicy.MANUAL
    assert subscriber._connection_args["enable_auto_commit"] is False


def test_a_subscriber_begins_at_the_beginning_and_remembers_in_a_group(subscriber: Any) -> None:
    assert subscriber._connection_args["auto_offset_reset"] == "earliest"
    assert subscriber.group_id == "a"


def test_a_subscriber_takes_batches_that_a_transaction_can_hold(subscriber: Any) -> None:
    assert subscriber.max_records == broker.BATCH <= 500
    assert subscriber.batch_timeout_ms <= 20, "FastStream sleeps this long after an empty poll"


def test_a_subscriber_learns_of_new_topics_soon_and_makes_none(subscriber: Any) -> None:
    config = subscriber._outer_config

    assert config.allow_auto_create_topics is False
    assert config.builder.keywords["metadata_max_age_ms"] <= 5_000


async def test_the_producer_waits_for_all_replicas_and_is_idempotent() -> None:
    settings = SpeakerSettings(environment="development", database_url="", kafka_bootstrap_servers="127.0.0.1:1")
    producer = broker.producer(settings)

    assert producer._sender._acks == -1
    assert producer._txn_manager is not None
    await producer.stop()


@pytest.mark.parametrize("value", [None, b"\xe9", b"plain", "é".encode()])
def test_a_record_with_any_header_can_be_read(value: bytes | None) -> None:
    record: ConsumerRecord[Any, Any] = ConsumerRecord("t", 0, 0, 0, 0, b"k", b"v", None, 1, 1, (("h", value),))

    ((_, clean),) = broker.sanitised(record).headers

    clean.decode()
