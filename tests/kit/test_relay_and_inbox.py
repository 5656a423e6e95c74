"""From the journal through a real Kafka into another database: everything once, in order per case."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import LeaderNotAvailableError

from shared.contracts.intake.voyages import VoyageAnnounced
from shared.kit import broker, ids, parking
from shared.kit.actor import system
from shared.kit.clock import FixedClock
from shared.kit.database import Wake
from shared.kit.heard import Heard
from shared.kit.inbox import Inbox
from shared.kit.relay import Relay
from shared.kit.work import Work
from tests.kit.conftest import OFFICER, Party, a_voyage
from tests.waiting import until

OPERATOR = system("hearer", "operator")


@asynccontextmanager
async def relaying(party: Party, relays: int = 1) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(Relay(party.database, party.settings).run()) for _ in range(relays)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def hearing(party: Party, inbox: Inbox) -> AsyncIterator[None]:
    consuming = broker.consuming(party.settings)
    prefix = party.settings.kafka_topic_prefix
    broker.subscribe(consuming, [f"{prefix}intake.events"], group=f"{prefix}referral", handle=inbox.receive)
    task = asyncio.create_task(broker.run(consuming))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Ear:
    """Collects what a hearer hears; fails on the cases it was told to fail on."""

    def __init__(self, party: Party) -> None:
        self.inbox = Inbox(party.database)
        self.heard: list[tuple[str, int]] = []
        self.poison: set[str] = set()
        self.before: Callable[[], Awaitable[None]] | None = None

        @self.inbox.hears(VoyageAnnounced)
        async def on_voyages_announced(work: Work, heard: list[Heard[Any]]) -> None:
            if self.before:
                await self.before()
            if any(h.case_id in self.poison for h in heard):
                raise ValueError("cannot digest this")
            self.heard += [(h.case_id, h.case_seq) for h in heard]


async def tell(party: Party, cases: list[str], times: int = 1) -> None:
    for _ in range(times):
        async with party.database.work(OFFICER, purpose="announce") as work:
            await work.lock_cases(cases)
            for case in cases:
                work.emit(a_voyage(case))


async def outbox_is_empty(party: Party) -> bool:
    return not await party.database.fetch("SELECT 1 FROM outbox LIMIT 1")


async def sent(party: Party) -> list[Any]:
    """Every record on the speaker's topic, in the order of each partition."""
    topic = f"{party.settings.kafka_topic_prefix}intake.events"
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=party.settings.kafka_bootstrap_servers, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        ends = await consumer.end_offsets(list(consumer.assignment()))
        records: list[Any] = []
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                records += batch
        return records
    finally:
        await consumer.stop()


async def test_each_fact_is_heard_once_and_in_order_per_case(speaker: Party, hearer: Party) -> None:
    ear = Ear(hearer)
    cases = [ids.new_id() for _ in range(200)]

    async with relaying(speaker), hearing(hearer, ear.inbox):
        await tell(speaker, cases, times=5)
        await until(lambda: len(ear.heard) >= 1000)

    assert len(ear.heard) == 1000
    for case in cases:
        assert [seq for c, seq in ear.heard if c == case] == [1, 2, 3, 4, 5]


async def test_two_relays_never_reorder_a_case(speaker: Party) -> None:
    cases = [ids.new_id() for _ in range(50)]

    async with relaying(speaker, relays=3):
        await asyncio.gather(*(tell(speaker, cases, times=4) for _ in range(4)))
        await until(lambda: outbox_is_empty(speaker))

    order: dict[str, list[int]] = {}
    for record in await sent(speaker):
        order.setdefault(record.key.decode(), []).append(int(dict(record.headers)["ce_sequence"]))
    assert set(order) == set(cases)
    assert all(sequence == list(range(1, 17)) for sequence in order.values())


async def test_nothing_of_a_case_overtakes_what_kafka_did_not_take(
    speaker: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_batch, batches = AIOKafkaProducer.send_batch, 0

    async def refusing_the_first(producer: Any, batch: Any, topic: str, *, partition: int) -> Any:
        nonlocal batches
        batches += 1
        if batches > 1:
            return await send_batch(producer, batch, topic, partition=partition)
        acknowledgement = asyncio.get_running_loop().create_future()
        acknowledgement.set_exception(LeaderNotAvailableError())
        return acknowledgement

    monkeypatch.setattr(AIOKafkaProducer, "send_batch", refusing_the_first)
    case = ids.new_id()
    async with speaker.database.work(OFFICER, purpose="announce") as work:
        for _ in range(1000):  # more than one batch of Kafka
            work.emit(a_voyage(case))

    async with relaying(speaker):
        await until(lambda: outbox_is_empty(speaker))

    numbers = [int(dict(record.headers)["ce_sequence"]) for record in await sent(speaker)]
    assert list(dict.fromkeys(numbers)) == list(range(1, 1001))


async def test_what_is_written_while_one_looks_is_not_slept_past() -> None:
    wake = Wake()
    since = wake.times
    wake.set()  # between the look that found nothing and the wait

    async with asyncio.timeout(5):
        await wake.wait(60, since=since)


async def test_a_record_is_a_cloud_event_in_binary_mode_keyed_by_its_case(speaker: Party) -> None:
    case = ids.new_id()

    async with relaying(speaker):
        await tell(speaker, [case])
        await until(lambda: outbox_is_empty(speaker))

    (record,) = await sent(speaker)
    (row,) = await speaker.database.fetch("SELECT event_id, occurred_at, payload FROM journal")
    assert record.key.decode() == case
    assert record.value == row["payload"]
    assert dict(record.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": str(row["event_id"]).encode(),
        "ce_source": b"intake",
        "ce_type": b"intake.voyage_announced.v1",
        "ce_time": row["occurred_at"].isoformat().encode(),
        "ce_sequence": b"1",
    }


async def test_the_same_event_twice_has_one_effect(speaker: Party, hearer: Party) -> None:
    ear = Ear(hearer)
    async with relaying(speaker):
        await tell(speaker, [ids.new_id() for _ in range(30)])
        await until(lambda: outbox_is_empty(speaker))
    records = await sent(speaker)

    await ear.inbox.digest(records + records[:10])
    await ear.inbox.digest(records)

    assert len(ear.heard) == 30


async def test_a_poisonous_record_is_parked_with_those_behind_it_while_others_flow(
    speaker: Party, hearer: Party
) -> None:
    ear = Ear(hearer)
    cases = [ids.new_id() for _ in range(40)]
    ear.poison = {cases[17]}

    async with relaying(speaker), hearing(hearer, ear.inbox):
        await tell(speaker, cases, times=3)
        await until(lambda: len(ear.heard) >= 39 * 3)

        async def all_parked() -> bool:
            return len(await hearer.database.fetch("SELECT 1 FROM waiting")) == 3

        await until(all_parked)

    waiting = await hearer.database.fetch("SELECT parked_id, reason, error FROM waiting ORDER BY kafka_offset")
    assert [row["reason"] for row in waiting] == ["failed", "behind", "behind"]
    assert "cannot digest" not in waiting[0]["error"], "an error's text may quote what the record carried"

    ear.poison = set()
    assert await ear.inbox.release(str(waiting[0]["parked_id"])) == 3
    assert [seq for c, seq in ear.heard if c == cases[17]] == [1, 2, 3]
    told = await hearer.database.fetch("SELECT type FROM journal WHERE case_id = $1", cases[17])
    assert [row["type"] for row in told] == ["access.record_released.v1"] * 3
    with pytest.raises(parking.NotParked):
        await ear.inbox.release(ids.new_id())


async def test_a_record_without_headers_or_with_a_broken_payload_is_parked(speaker: Party, hearer: Party) -> None:
    ear = Ear(hearer)
    good = ids.new_id()
    topic = f"{speaker.settings.kafka_topic_prefix}intake.events"
    producer = broker.producer(speaker.settings)
    await producer.start()
    try:
        headers = [("ce_type", b"intake.voyage_announced.v1"), ("ce_id", ids.new_id().encode())]
        await producer.send_and_wait(topic, b"{}", key=b"x", headers=[("ce_type", b"\xe9")])
        await producer.send_and_wait(topic, b"not json", key=b"x", headers=headers)
        await producer.send_and_wait(topic, None, key=b"x", headers=[("other", None), *headers])
    finally:
        await producer.stop()

    async with relaying(speaker), hearing(hearer, ear.inbox):
        await tell(speaker, [good])
        await until(lambda: bool(ear.heard))

        async def parked() -> bool:
            return len(await hearer.database.fetch("SELECT 1 FROM waiting")) >= 2

        await until(parked)

    assert {r["reason"] for r in await hearer.database.fetch("SELECT reason FROM waiting")} == {"unreadable"}
    assert ear.heard == [(good, 1)]


@pytest.mark.parametrize(
    "spoilt",
    [
        {"key": b"x"},
        {"key": b"01A218AF-F2DF-77D7-8F29-FBC44F75411E"},
        {"ce_id": b"x"},
        {"ce_id": b"01A218AF-F2DF-77D7-8F29-FBC44F75411E"},
        {"ce_id": b"01a218aff2df77d78f29fbc44f75411e"},
        {"ce_id": b"\x00"},
        {"key": b"\x00"},
    ],
    ids=repr,
)
async def test_a_record_without_a_proper_id_is_parked_alone(
    speaker: Party, hearer: Party, spoilt: dict[str, bytes]
) -> None:
    ear = Ear(hearer)
    async with relaying(speaker):
        await tell(speaker, [ids.new_id(), ids.new_id()])
        await until(lambda: outbox_is_empty(speaker))
    bad, good = await sent(speaker)
    headers = tuple((name, spoilt.get(name, value)) for name, value in bad.headers)
    bad = replace(bad, key=spoilt.get("key", bad.key), headers=headers)

    async with asyncio.timeout(10):
        await ear.inbox.digest([bad, good])

    assert ear.heard == [(good.key.decode(), 1)]
    assert [row["reason"] for row in await hearer.database.fetch("SELECT reason FROM waiting")] == ["unreadable"]


async def test_a_record_under_the_key_of_another_case_is_parked(speaker: Party, hearer: Party) -> None:
    ear = Ear(hearer)
    async with relaying(speaker):
        await tell(speaker, [ids.new_id()])
        await until(lambda: outbox_is_empty(speaker))
    (record,) = await sent(speaker)

    await ear.inbox.digest([replace(record, key=ids.new_id().encode())])

    assert ear.heard == []
    [parked] = await hearer.database.fetch("SELECT reason, error FROM waiting")
    assert parked["reason"] == "unreadable"
    assert "key is not the case" in parked["error"]


async def test_what_follows_an_unreadable_record_of_its_case_waits_behind_it(speaker: Party, hearer: Party) -> None:
    ear = Ear(hearer)
    case = ids.new_id()
    async with relaying(speaker):
        await tell(speaker, [case], times=2)
        await until(lambda: outbox_is_empty(speaker))
    first, second = await sent(speaker)

    await ear.inbox.digest([replace(first, value=b"not json"), second])

    assert ear.heard == []
    rows = await hearer.database.fetch("SELECT reason FROM waiting ORDER BY kafka_offset")
    assert [row["reason"] for row in rows] == ["unreadable", "behind"]


async def test_what_came_before_an_unreadable_record_of_its_case_does_not_wait_for_it(
    speaker: Party, hearer: Party
) -> None:
    ear = Ear(hearer)
    case = ids.new_id()
    async with relaying(speaker):
        await tell(speaker, [case], times=4)
        await until(lambda: outbox_is_empty(speaker))
    first, second, third, fourth = await sent(speaker)

    await ear.inbox.digest([first, replace(second, value=b"not json"), third, replace(fourth, value=b"nor this")])

    assert ear.heard == [(case, 1)]
    rows = await hearer.database.fetch("SELECT reason FROM waiting ORDER BY place")
    assert [row["reason"] for row in rows] == ["unreadable", "behind", "unreadable"]


async def test_is_released_in_the_order_it_came_in_whatever_the_clocks_said(speaker: Party, hearer: Party) -> None:
    ear = Ear(hearer)
    case = ids.new_id()
    async with relaying(speaker):
        await tell(speaker, [case], times=2)
        await until(lambda: outbox_is_empty(speaker))
    first, second = await sent(speaker)
    ear.poison = {case}
    await ear.inbox.digest([first])
    behind = replace(hearer.database, clock=FixedClock(datetime.now(UTC) - timedelta(seconds=5)))
    await Ear(Party(hearer.settings, behind)).inbox.digest([second])
    [parked, _] = await hearer.database.fetch("SELECT parked_id FROM waiting ORDER BY kafka_offset")

    ear.poison = set()
    await ear.inbox.release(str(parked["parked_id"]))

    assert ear.heard == [(case, 1), (case, 2)]


async def test_a_record_of_topics_that_were_made_anew_is_parked_where_another_had_been(
    speaker: Party, hearer: Party
) -> None:
    ear = Ear(hearer)
    async with relaying(speaker):
        await tell(speaker, [ids.new_id(), ids.new_id()])
        await until(lambda: outbox_is_empty(speaker))
    before, after = await sent(speaker)
    ear.poison = {before.key.decode(), after.key.decode()}
    await ear.inbox.digest([before])
    [parked] = await hearer.database.fetch("SELECT parked_id FROM waiting")
    async with hearer.database.work(OPERATOR, purpose="discard") as work:
        await parking.discard(work, str(parked["parked_id"]), "sent by a test bench")

    same_place = replace(after, partition=before.partition, offset=before.offset)
    await ear.inbox.digest([same_place])
    await ear.inbox.digest([same_place])

    assert [str(row["case_id"]) for row in await hearer.database.fetch("SELECT case_id FROM waiting")] == [
        after.key.decode()
    ]


async def test_what_was_released_or_given_up_is_not_released_again(speaker: Party, hearer: Party) -> None:
    ear = Ear(hearer)
    async with relaying(speaker):
        await tell(speaker, [ids.new_id()])
        await until(lambda: outbox_is_empty(speaker))
    (record,) = await sent(speaker)
    await ear.inbox.digest([replace(record, key=b"x")])
    [parked] = await hearer.database.fetch("SELECT parked_id FROM waiting")
    async with hearer.database.work(OPERATOR, purpose="discard") as work:
        await parking.discard(work, str(parked["parked_id"]), "sent by a test bench")

    with pytest.raises(parking.NotParked):
        await ear.inbox.release(str(parked["parked_id"]))


async def test_a_record_is_given_up_once_with_a_reason_and_on_the_trail(speaker: Party, hearer: Party) -> None:
    ear = Ear(hearer)
    async with relaying(speaker):
        await tell(speaker, [ids.new_id()])
        await until(lambda: outbox_is_empty(speaker))
    (record,) = await sent(speaker)
    ear.poison = {record.key.decode()}
    await ear.inbox.digest([record])
    [parked] = await hearer.database.fetch("SELECT parked_id FROM waiting")

    async with hearer.database.work(OPERATOR, purpose="discard") as work:
        await parking.discard(work, str(parked["parked_id"]), "sent by a test bench")

    [row] = await hearer.database.fetch("SELECT discard_reason FROM parked")
    [told] = await hearer.database.fetch("SELECT type, case_id FROM journal")
    assert row["discard_reason"] == "sent by a test bench"
    assert (told["type"], str(told["case_id"])) == ("access.record_discarded.v1", record.key.decode())
    with pytest.raises(parking.NotParked):
        async with hearer.database.work(OPERATOR, purpose="discard") as work:
            await parking.discard(work, str(parked["parked_id"]), "again")


async def test_a_handler_that_fails_leaves_neither_effect_nor_mark(speaker: Party, hearer: Party) -> None:
    ear = Ear(hearer)
    async with relaying(speaker):
        await tell(speaker, [ids.new_id()])
        await until(lambda: outbox_is_empty(speaker))
    (record,) = await sent(speaker)
    ear.poison = {record.key.decode()}

    await ear.inbox.digest([record])

    assert await hearer.database.fetch("SELECT 1 FROM inbox") == []
    assert len(await hearer.database.fetch("SELECT 1 FROM waiting")) == 1


async def test_offsets_are_committed_only_after_the_effect(speaker: Party, hearer: Party) -> None:
    ear = Ear(hearer)
    seen_while_handling: list[int | None] = []
    group = f"{hearer.settings.kafka_topic_prefix}referral"
    case = ids.new_id()

    async def committed() -> int | None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=hearer.settings.kafka_bootstrap_servers, group_id=group, enable_auto_commit=False
        )
        await consumer.start()
        try:
            topic = f"{speaker.settings.kafka_topic_prefix}intake.events"
            await consumer._client._wait_on_metadata(topic)
            offset: int | None = await consumer.committed(TopicPartition(topic, ids.partition_of(case, 12)))
            return offset
        finally:
            await consumer.stop()

    async def look() -> None:
        seen_while_handling.append(await committed())

    ear.before = look
    async with relaying(speaker), hearing(hearer, ear.inbox):
        await tell(speaker, [case])
        await until(lambda: bool(ear.heard))

        async def is_committed() -> bool:
            return await committed() == 1

        await until(is_committed)

    assert seen_while_handling == [None]


async def test_a_batch_whose_handler_raises_comes_again(speaker: Party) -> None:
    consuming = broker.consuming(speaker.settings)
    prefix = speaker.settings.kafka_topic_prefix
    cases = [ids.new_id() for _ in range(20)]
    handed: Counter[str] = Counter()
    handled: set[str] = set()

    async def handle(records: broker.Records) -> None:
        found = {record.key.decode() for record in records}
        handed.update(found)
        if any(handed[case] == 1 for case in found):
            raise ConnectionResetError
        handled.update(found)

    broker.subscribe(consuming, [f"{prefix}intake.events"], group=f"{prefix}again", handle=handle)
    async with relaying(speaker):
        await tell(speaker, cases)
        await until(lambda: outbox_is_empty(speaker))
    task = asyncio.create_task(broker.run(consuming))
    try:
        await until(lambda: handled == set(cases))
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert all(handed[case] >= 2 for case in cases)


async def test_intake_goes_on_accepting_while_kafka_is_away(speaker: Party) -> None:
    away = speaker.settings.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:1"})
    cases = [ids.new_id() for _ in range(5)]

    async with relaying(Party(away, speaker.database)):
        await tell(speaker, cases)
        assert not await outbox_is_empty(speaker)

    async with relaying(speaker):
        await until(lambda: outbox_is_empty(speaker))
    assert {r.key.decode() for r in await sent(speaker)} == set(cases)
