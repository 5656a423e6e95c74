"""What lies in the four databases and the topics, read with plain SQL and a plain consumer, as values to compare.

Reads with the owner's role, past every service: the checker must not trust what it checks.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import aiokafka
import asyncpg


@dataclass(frozen=True, slots=True)
class JournalRow:
    event_id: str
    shared: bool
    type: str
    case_id: str
    case_seq: int
    occurred_at: datetime
    payload: bytes

    @property
    def data(self) -> dict[str, Any]:
        """The fact itself, without the envelope."""
        fact: dict[str, Any] = json.loads(self.payload)["data"]
        return fact

    @property
    def restricted(self) -> bool:
        """Is this a fact that no subscriber may be told?"""
        return bool(self.data.get("restricted", True))


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record; `topic` without the prefix."""

    topic: str
    event_id: str
    type: str
    key: str
    case_seq: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Arrival:
    case_id: str
    needs: tuple[str, ...]
    line: int | None
    """The line of the manifest under test that it came from; None when it came another way."""


@dataclass(frozen=True, slots=True)
class Referral:
    referral_id: str
    case_id: str
    need: str
    open: bool


@dataclass(frozen=True, slots=True)
class Assignment:
    assignment_id: str
    referral_id: str
    live: bool


@dataclass(frozen=True, slots=True)
class Subscription:
    """An empty filter lets everything pass."""

    subscription_id: str
    created_at: datetime
    changed_at: datetime
    ended: bool
    provinces: frozenset[str]
    needs: frozenset[str]
    events: frozenset[str]

    @property
    def sure_from(self) -> datetime:
        """From when on it is what it says now; what it was before its last change is not on record."""
        return self.created_at if self.changed_at == self.created_at else self.changed_at + A_MOMENT

    def wants(self, row: JournalRow) -> bool:
        """Is this fact of referral, which may be told, told to the subscriber as it is now?"""
        fact = row.data
        return (
            not self.ended
            and (not self.provinces or fact["province"] in self.provinces)
            and (not self.needs or fact["need"] in self.needs)
            and (not self.events or row.type in self.events)
        )


A_MOMENT = timedelta(seconds=5)
"""What is told while a change of a subscription commits may be heard before or after it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    delivery_id: str
    subscription_id: str
    event_id: str
    state: str


@dataclass(frozen=True, slots=True)
class Leaf:
    number: int
    source: str
    event_id: str


@dataclass(frozen=True, slots=True)
class Evidence:
    listed_lines: tuple[int, ...] = ()
    shown_lines: frozenset[int] = frozenset()
    """Rows that the preview said it would hold back."""
    held_back_lines: frozenset[int] = frozenset()
    """Rows that were held back, with a problem on record."""
    journals: Mapping[str, tuple[JournalRow, ...]] = field(default_factory=dict)
    outboxes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    parked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    told_meanwhile: frozenset[str] = frozenset()
    """Ids of journal rows that were written while we read: their traces may be anywhere already."""
    records: tuple[Record, ...] = ()
    arrivals: tuple[Arrival, ...] = ()
    referrals: tuple[Referral, ...] = ()
    referred: tuple[tuple[str, str], ...] = ()
    """(case, need): what intake has heard of referral."""
    assignments: tuple[Assignment, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    leaves: tuple[Leaf, ...] = ()

    def told(self, sender: str, type_: str) -> list[JournalRow]:
        """The rows of one type in one sender's journal, in order."""
        return [row for row in self.journals.get(sender, ()) if row.type == type_]


SERVICES = ("intake", "referral", "notify", "audit")
TOPICS = tuple(f"{service}.{kind}" for service in SERVICES for kind in ("events", "audit"))


async def messages(bootstrap: str, prefix: str) -> list[aiokafka.ConsumerRecord[bytes, bytes]]:
    """Every record of our eight topics from the beginning to what was their end when this began.

    Raises UnknownTopicOrPartitionError when the broker lacks one of them: nothing can be said about it then.
    """
    topics = [prefix + name for name in TOPICS]
    consumer = aiokafka.AIOKafkaConsumer(
        *topics, bootstrap_servers=bootstrap, group_id=None, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        partitions = [
            aiokafka.TopicPartition(topic, n) for topic in topics for n in consumer.partitions_for_topic(topic) or ()
        ]
        ends = {p: end for p, end in (await consumer.end_offsets(partitions)).items() if end}
        found: list[aiokafka.ConsumerRecord[bytes, bytes]] = []
        while behind := [p for p, end in ends.items() if await consumer.position(p) < end]:
            for batch in (await asyncio.wait_for(consumer.getmany(*behind, timeout_ms=1000), READ_LIMIT_S)).values():
                found += batch
        return found
    finally:
        await consumer.stop()


READ_LIMIT_S = 30.0


async def raw_records(bootstrap: str, prefix: str) -> list[tuple[str, bytes]]:
    """Every record as (topic, its key, value and headers in one)."""
    return [
        (m.topic, b"\n".join([m.key or b"", m.value or b"", *(k.encode() + b" " + (v or b"") for k, v in m.headers)]))
        for m in await messages(bootstrap, prefix)
    ]


async def records(bootstrap: str, prefix: str) -> tuple[Record, ...]:
    """The records as what they claim to be; one that does not even name its event has an empty id."""
    found = []
    for message in await messages(bootstrap, prefix):
        header = {name: (value or b"").decode("utf-8", "replace") for name, value in message.headers}
        found.append(
            Record(
                topic=message.topic.removeprefix(prefix),
                event_id=header.get("ce_id", ""),
                type=header.get("ce_type", ""),
                key=(message.key or b"").decode("utf-8", "replace"),
                case_seq=int(header.get("ce_sequence", "0")),
                value=message.value or b"",
            )
        )
    return tuple(found)


JOURNAL = """
SELECT event_id::text, shared, type, case_id::text, case_seq, occurred_at, payload FROM journal ORDER BY position
"""
EVENT_IDS = "SELECT event_id::text FROM journal"
OUTBOX = "SELECT position FROM outbox ORDER BY position"
PARKED = "SELECT parked_id::text FROM parked WHERE released_at IS NULL AND discarded_at IS NULL"

ARRIVALS = "SELECT case_id::text, needs, CASE WHEN manifest_id = $1 THEN manifest_row END FROM arrivals"
HELD_BACK = "SELECT DISTINCT row_number FROM manifest_problems WHERE manifest_id = $1"
REFERRED = "SELECT case_id::text, need FROM referred_needs"
SUBSCRIPTIONS = """
SELECT subscription_id::text, created_at, changed_at, ended_at IS NOT NULL, provinces, needs, events FROM subscriptions
"""
DELIVERIES = "SELECT delivery_id::text, subscription_id::text, event_id::text, status FROM deliveries WHERE NOT test"
REFERRALS = "SELECT referral_id::text, case_id::text, need, ended_at IS NULL FROM referrals"
ASSIGNMENTS = "SELECT assignment_id::text, referral_id::text, ended_at IS NULL FROM assignments"
LEAVES = "SELECT leaf_index, source, event_id::text FROM leaves ORDER BY leaf_index"


async def gather(
    databases: Mapping[str, asyncpg.Connection],
    bootstrap: str,
    *,
    manifest_id: str | None,
    listed: Iterable[int],
    shown: frozenset[int],
    prefix: str = "",
) -> Evidence:
    """Read everything, each database as it was at one moment.

    `databases`: a connection per service that may read every row; `manifest_id`: None for one that was not taken in;
    `listed`: the row numbers of this manifest; `shown`: those that the preview would not take.
    """
    async with AsyncExitStack() as moments:
        for connection in databases.values():
            await moments.enter_async_context(connection.transaction(isolation="repeatable_read", readonly=True))
        intake, referral, notify, audit = (databases[service] for service in SERVICES)
        journals = {s: tuple(JournalRow(*row) for row in await c.fetch(JOURNAL)) for s, c in databases.items()}
        seen = Evidence(
            listed_lines=tuple(listed),
            shown_lines=shown,
            held_back_lines=frozenset(row[0] for row in await intake.fetch(HELD_BACK, manifest_id)),
            journals=journals,
            outboxes={s: tuple(row[0] for row in await c.fetch(OUTBOX)) for s, c in databases.items()},
            parked={s: tuple(row[0] for row in await c.fetch(PARKED)) for s, c in databases.items()},
            arrivals=tuple(
                Arrival(case_id, tuple(needs), line)
                for case_id, needs, line in await intake.fetch(ARRIVALS, manifest_id)
            ),
            referred=tuple((case_id, need) for case_id, need in await intake.fetch(REFERRED)),
            referrals=tuple(Referral(*row) for row in await referral.fetch(REFERRALS)),
            assignments=tuple(Assignment(*row) for row in await referral.fetch(ASSIGNMENTS)),
            subscriptions=tuple(
                Subscription(
                    id_, created_at, changed_at, ended, frozenset(provinces), frozenset(needs), frozenset(events)
                )
                for id_, created_at, changed_at, ended, provinces, needs, events in await notify.fetch(SUBSCRIPTIONS)
            ),
            deliveries=tuple(Delivery(*row) for row in await notify.fetch(DELIVERIES)),
            leaves=tuple(Leaf(*row) for row in await audit.fetch(LEAVES)),
        )
    sent = await records(bootstrap, prefix)
    return replace(seen, records=sent, told_meanwhile=await _told_since(databases, journals))


async def _told_since(
    databases: Mapping[str, asyncpg.Connection], journals: Mapping[str, tuple[JournalRow, ...]]
) -> frozenset[str]:
    known = {row.event_id for rows in journals.values() for row in rows}
    now = {row[0] for connection in databases.values() for row in await connection.fetch(EVENT_IDS)}
    return frozenset(now - known)
