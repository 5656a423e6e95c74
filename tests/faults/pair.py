"""Two services that have only the platform, played through deaths, poison and trouble, and what is wrong afterwards.

The speaker tells facts, a real relay carries them over a real Kafka, the hearer answers each with a fact of its own in
its journal: that is the effect. Where a process would be killed, `Killed` unwinds it; what is then done again is
done by a new one. `story` answers in words everything that was lost, doubled or out of order.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from shared.contracts.intake.voyages import VoyageAnnounced
from shared.kit import broker, database, ids, inbox, journal, relay, work
from shared.kit.heard import Heard
from shared.kit.inbox import Inbox
from shared.kit.relay import Relay
from shared.kit.work import Work
from tests.kit.conftest import OFFICER, Party, a_voyage
from tests.waiting import until

CASES = 8
FACTS = 3
BATCH = 5
DEATHS = (
    *("work.before_journal", "work.before_commit", "work.after_commit"),
    *("relay.before_send", "relay.after_send", "relay.after_delete"),
    *("work.before_commit", "inbox.after_effect", "work.after_commit", "inbox.before_offsets"),
)
"""In this order: while facts are told, while they are relayed, while they are heard."""


class Killed(BaseException):
    """The process is gone. No handler of exceptions may notice."""


@dataclass(slots=True)
class Fate:
    """Says at which crash points the process dies, one after the other."""

    deaths: list[str] = field(default_factory=lambda: list(DEATHS))

    def strike(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in (database, inbox, relay, work):
            monkeypatch.setattr(module, "crash_point", self.crash_point)

    def crash_point(self, name: str) -> None:
        if self.deaths and self.deaths[0] == name:
            self.deaths.pop(0)
            raise Killed(name)


@dataclass(slots=True)
class Pair:
    speaker: Party
    hearer: Party
    relays: int = 1
    fate: Fate = field(default_factory=Fate)
    promised: list[tuple[str, int]] = field(default_factory=list)
    """Case and number of each fact whose telling was acknowledged."""
    poison: set[tuple[str, int]] = field(default_factory=set)
    """Facts that the hearer cannot digest, yet."""
    trouble: list[Exception] = field(default_factory=list)
    """Transient trouble that the hearer still has ahead of it."""

    async def story(self) -> list[str]:
        """Tell, relay, hear, repair; answer what is wrong in the end."""
        cases = [ids.new_id() for _ in range(CASES)]
        for number in range(1, FACTS + 1):
            await self.tell(cases, number)
        await self.relay_all(beside=self._overtake)
        records = await self.records()
        sick = _sick(records, cases)
        self.poison = {(sick, 1)}
        self.trouble = [ConnectionResetError("the database is away") for _ in range(3)]
        await self.hear_all(records)
        wrong = [
            f"{row['reason']} record of a sound case is parked"
            for row in await self._parked()
            if row["case_id"] != sick
        ]
        self.poison.clear()
        await self.release_all()
        return [*wrong, *await self._judge(records)]

    async def tell(self, cases: list[str], number: int) -> None:
        """Tell one fact of each case; a client that got no answer looks whether it was taken before it repeats."""
        for case in cases:
            while (case, number) not in await self._told():
                try:
                    async with self.speaker.database.work(OFFICER, purpose="announce") as telling:
                        telling.emit(a_voyage(case, announced=number))
                except Killed:
                    continue
            self.promised.append((case, number))

    async def relay_all(self, beside: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Relay until nothing is left to be sent; a relay that dies is followed by another."""
        other = asyncio.create_task(beside())
        try:
            while not other.done() or await self._unsent():
                await self._relay_until_over(other)
        finally:
            other.cancel()
        await other

    async def _relay_until_over(self, other: "asyncio.Task[None]") -> None:
        """Run relays until all is sent, or one of them is dead."""
        alive = len(self.fate.deaths)
        relays = [
            asyncio.create_task(Relay(self.speaker.database, self.speaker.settings).run()) for _ in range(self.relays)
        ]

        async def is_over() -> bool:
            return len(self.fate.deaths) < alive or (other.done() and not await self._unsent())

        try:
            await until(is_over)
        finally:
            # The dead do not tidy up, so nobody waits for that.
            for task in relays:
                task.cancel()
            await asyncio.gather(*relays, return_exceptions=True)

    async def hear_all(self, records: Sequence[ConsumerRecord[Any, Any]]) -> None:
        """Hand all records over in batches; after a death begin again at the batch that was not through."""
        at = 0
        while at < len(records):
            with suppress(Killed):
                await self._inbox().receive(records[at : at + BATCH])
                at += BATCH

    async def release_all(self) -> None:
        """What a person does after the fix."""
        while parked := await self._parked():
            await self._inbox().release(str(parked[0]["parked_id"]))

    async def records(self) -> list[ConsumerRecord[Any, Any]]:
        """Everything in the speaker's topic, partition after partition."""
        topic = broker.topics_of("intake", self.speaker.settings.kafka_topic_prefix)[0]
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=self.speaker.settings.kafka_bootstrap_servers, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            ends = await consumer.end_offsets(list(consumer.assignment()))
            found: list[ConsumerRecord[Any, Any]] = []
            while any([await consumer.position(partition) < end for partition, end in ends.items()]):
                for batch in (await consumer.getmany(timeout_ms=500)).values():
                    found += batch
            return sorted(found, key=lambda record: (record.partition, record.offset))
        finally:
            await consumer.stop()

    def _inbox(self) -> Inbox:
        """The hearer as it is after a start."""
        started = Inbox(self.hearer.database)

        @started.hears(VoyageAnnounced)
        async def on_voyages_announced(work: Work, heard: list[Heard[VoyageAnnounced]]) -> None:
            if self.trouble:
                raise self.trouble.pop()
            if any((h.case_id, h.fact.announced) in self.poison for h in heard):
                raise ValueError("cannot digest this")
            for h in heard:
                work.emit(h.fact, cause=h)

        return started

    async def _overtake(self) -> None:
        """A slow writer takes its place in the journal first and commits last."""
        slow = ids.new_id()
        quick = ids.new_id()
        async with self.speaker.database.pool.acquire() as connection, connection.transaction():
            fact = a_voyage(slow, announced=1)
            bytes_ = journal.payload(OFFICER, "announce", None, fact)
            entry = journal.Entry(ids.new_id(), True, fact.type, slow, None, bytes_)
            await journal.append(connection, [entry], datetime.now(UTC))
            await self.tell([quick], 1)

            async def is_sent() -> bool:
                return not await self._unsent()

            await until(is_sent)
        self.promised.append((slow, 1))

    async def _told(self) -> set[tuple[str, int]]:
        return {(str(row["case_id"]), number_of(row["payload"])) for row in await self._journal(self.speaker)}

    async def _journal(self, party: Party) -> list[asyncpg.Record]:
        return await party.database.fetch(
            "SELECT event_id, type, case_id, case_seq, payload FROM journal ORDER BY position"
        )

    async def _unsent(self) -> list[asyncpg.Record]:
        return await self.speaker.database.fetch("SELECT position FROM outbox")

    async def _parked(self) -> list[dict[str, Any]]:
        rows = await self.hearer.database.fetch("SELECT parked_id, case_id, reason FROM waiting ORDER BY kafka_offset")
        return [{**row, "case_id": str(row["case_id"])} for row in rows]

    async def _judge(self, records: Sequence[ConsumerRecord[Any, Any]]) -> list[str]:
        told, effects = await self._journal(self.speaker), await self._journal(self.hearer)
        return [
            *_kept(self.promised, told),
            *_carried(told, records, may_repeat=self.relays == 1),
            *_had_effect(told, [row for row in effects if row["type"] == VoyageAnnounced.type]),
            *_dense(told),
            *_dense(effects),
        ]


def _sick(records: Sequence[ConsumerRecord[Any, Any]], cases: Sequence[str]) -> str:
    """A case whose first record stands with another case's in one batch, and not in the first: that meets trouble."""
    seen: set[str] = set()
    for at, record in enumerate(records):
        case = record.key.decode()
        batch = {other.key.decode() for other in records[at - at % BATCH :][:BATCH]}
        if case in cases and case not in seen and at >= BATCH and len(batch) > 1:
            return case
        seen.add(case)
    return cases[0]  # so little came through that it does not matter any more


def number_of(payload: bytes) -> int:
    return int(json.loads(payload)["data"]["announced"])


def _kept(promised: Sequence[tuple[str, int]], told: Sequence[asyncpg.Record]) -> list[str]:
    """What was acknowledged stands in the journal, once."""
    there = Counter((str(row["case_id"]), number_of(row["payload"])) for row in told)
    return [f"acknowledged fact {one} is there {there[one]} times" for one in promised if there[one] != 1]


def _carried(
    told: Sequence[asyncpg.Record], records: Sequence[ConsumerRecord[Any, Any]], *, may_repeat: bool
) -> list[str]:
    """Each journal row is in Kafka, for the first time in the order of its case; twice only when a relay died."""
    times = Counter(dict(record.headers)["ce_id"].decode() for record in records)
    wrong = [f"row {row['case_seq']} is not in Kafka" for row in told if not times[str(row["event_id"])]]
    if not may_repeat:
        wrong += [f"record {id_} was sent {n} times though no relay died" for id_, n in times.items() if n > 1]
    latest: Counter[str] = Counter()
    for record in records:
        case, sequence = record.key.decode(), int(dict(record.headers)["ce_sequence"])
        if sequence > latest[case] + 1:
            wrong.append(f"record {sequence} follows {latest[case]} of its case")
        latest[case] = max(latest[case], sequence)
    return wrong


def _had_effect(told: Sequence[asyncpg.Record], effects: Sequence[asyncpg.Record]) -> list[str]:
    """Each fact had one effect, in the order of its case."""
    times = Counter(json.loads(row["payload"])["caused_by"] for row in effects)
    wrong = [f"a fact had {times[id_]} effects" for id_ in (str(row["event_id"]) for row in told) if times[id_] != 1]
    by_case: dict[str, list[int]] = {}
    for row in effects:
        by_case.setdefault(str(row["case_id"]), []).append(number_of(row["payload"]))
    return [*wrong, *(f"effects came as {numbers}" for numbers in by_case.values() if numbers != sorted(numbers))]


def _dense(rows: Sequence[asyncpg.Record]) -> list[str]:
    """The rows of each case are numbered 1, 2, 3 …"""
    by_case: dict[str, list[int]] = {}
    for row in rows:
        by_case.setdefault(str(row["case_id"]), []).append(row["case_seq"])
    return [f"a case is numbered {n}" for n in by_case.values() if sorted(n) != list(range(1, len(n) + 1))]
