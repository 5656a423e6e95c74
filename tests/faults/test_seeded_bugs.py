"""The checks find bugs: each of these is built in on purpose, and the story of the pair must say so.

A green suite means something only as long as every row of this table is red.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from itertools import count
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord

from shared.kit import inbox, journal, parking, relay
from shared.kit.actor import system
from shared.kit.database import SERVICE_SCOPE
from shared.kit.heard import Heard
from shared.kit.inbox import Inbox
from shared.kit.relay import Relay
from shared.kit.work import Work
from tests.faults.pair import Killed, Pair
from tests.kit.conftest import Party

Bug = Callable[[pytest.MonkeyPatch, Pair], None]
Pairs = list[tuple[Any, Heard[Any]]]


def marks_dropped(patch: pytest.MonkeyPatch, _: Pair) -> None:
    async def everything_is_new(self: Work, consumer: str, heard: Sequence[Heard[Any]]) -> list[Heard[Any]]:
        return list(heard)

    patch.setattr(Work, "first_sight_of", everything_is_new)


def marks_in_a_transaction_of_their_own(patch: pytest.MonkeyPatch, pair: Pair) -> None:
    in_the_same = Work.first_sight_of

    async def in_another(self: Work, consumer: str, heard: Sequence[Heard[Any]]) -> list[Heard[Any]]:
        async with pair.hearer.database.pool.acquire() as connection:
            other = Work(connection, self.actor, self.now, self.purpose, self.service)
            return await in_the_same(other, consumer, heard)

    patch.setattr(Work, "first_sight_of", in_another)


def journal_in_a_transaction_of_its_own(patch: pytest.MonkeyPatch, pair: Pair) -> None:
    in_the_same = journal.append

    async def in_another(connection: asyncpg.Connection, entries: Sequence[journal.Entry], at: object) -> None:
        database = pair.speaker.database if b'"announce"' in entries[0].payload else pair.hearer.database
        del connection
        async with database.pool.acquire() as other:
            await in_the_same(other, entries, at)

    patch.setattr(journal, "append", in_another)


def offsets_before_the_effect(patch: pytest.MonkeyPatch, _: Pair) -> None:
    async def receive(self: Inbox, records: Sequence[ConsumerRecord[Any, Any]]) -> None:
        with suppress(Killed):  # nobody comes back to what was committed
            await self.digest(records)

    patch.setattr(Inbox, "receive", receive)


def pointers_deleted_before_sending(patch: pytest.MonkeyPatch, pair: Pair) -> None:
    async def cycle(self: Relay, connection: asyncpg.Connection, producer: AIOKafkaProducer) -> int:
        rows = await connection.fetch(relay.READ, relay.BATCH)
        if rows:
            await connection.execute(
                "DELETE FROM outbox WHERE position = ANY($1::bigint[])", [row["position"] for row in rows]
            )
            pair.fate.crash_point("relay.before_send")
            await self._send(producer, rows)
        return len(rows)

    patch.setattr(Relay, "_cycle", cycle)


def relayed_from_the_last_seen(patch: pytest.MonkeyPatch, _: Pair) -> None:
    seen = 0

    async def cycle(self: Relay, connection: asyncpg.Connection, producer: AIOKafkaProducer) -> int:
        nonlocal seen
        rows = await connection.fetch("SELECT * FROM journal WHERE position > $1 ORDER BY position", seen)
        if rows:
            await self._send(producer, rows)
            seen = rows[-1]["position"]
        # Nothing waits for what such a relay does not look at.
        await connection.execute("DELETE FROM outbox")
        return len(rows)

    patch.setattr(Relay, "_cycle", cycle)


def relayed_without_the_lock(patch: pytest.MonkeyPatch, pair: Pair) -> None:
    async def hold(self: Relay, producer: AIOKafkaProducer) -> None:
        connection = await asyncpg.connect(pair.speaker.database.url, server_settings=SERVICE_SCOPE)
        try:
            while True:
                if not await self._cycle(connection, producer):
                    await asyncio.sleep(0.05)
        finally:
            connection.terminate()

    pair.relays = 2
    patch.setattr(Relay, "_hold", hold)


def relayed_latest_first(patch: pytest.MonkeyPatch, _: Pair) -> None:
    patch.setattr(relay, "READ", relay.READ.rstrip() + " DESC")


def partitions_by_turns(patch: pytest.MonkeyPatch, _: Pair) -> None:
    turn = count(10_000, -1)
    patch.setattr(relay, "partition_of", lambda _case, partitions: next(turn) % partitions)


def numbers_with_holes(patch: pytest.MonkeyPatch, _: Pair) -> None:
    patch.setattr(journal, "APPEND", journal.APPEND.replace("head.seq + row", "head.seq + 1 + row"))


def trouble_is_parked(patch: pytest.MonkeyPatch, _: Pair) -> None:
    patch.setattr(inbox, "TRANSIENT", ())


def poison_parks_its_whole_batch(patch: pytest.MonkeyPatch, _: Pair) -> None:
    async def settle(self: Inbox, pairs: Pairs) -> None:
        try:
            await self._through_trouble(lambda work: self._take(work, pairs))
        except Exception as error:
            for record, heard in pairs:
                await self._park_failed(record, heard, error)

    patch.setattr(Inbox, "_settle", settle)


def later_records_pass_a_parked_one(patch: pytest.MonkeyPatch, _: Pair) -> None:
    async def nobody(work: Work, consumer: str, case_ids: Iterable[str]) -> set[str]:
        return set()

    patch.setattr(parking, "cases_waiting", nobody)


def poison_is_thrown_away(patch: pytest.MonkeyPatch, _: Pair) -> None:
    async def nothing(*_: object, **__: object) -> None: ...

    patch.setattr(parking, "park", nothing)


def released_latest_first(patch: pytest.MonkeyPatch, _: Pair) -> None:
    in_order: Callable[..., Awaitable[list[asyncpg.Record]]] = parking.waiting_of_case

    async def reversed_(work: Work, consumer: str, case_id: str) -> list[asyncpg.Record]:
        return (await in_order(work, consumer, case_id))[::-1]

    patch.setattr(parking, "waiting_of_case", reversed_)


def released_without_effect(patch: pytest.MonkeyPatch, _: Pair) -> None:
    async def release(self: Inbox, parked_id: str) -> int:
        async with self._database.work(system("referral", "operator"), purpose="release") as work:
            await parking.mark_released(work, [parked_id])
        return 1

    patch.setattr(Inbox, "release", release)


BUGS: tuple[Bug, ...] = (
    marks_dropped,
    marks_in_a_transaction_of_their_own,
    journal_in_a_transaction_of_its_own,
    offsets_before_the_effect,
    pointers_deleted_before_sending,
    relayed_from_the_last_seen,
    relayed_without_the_lock,
    relayed_latest_first,
    partitions_by_turns,
    numbers_with_holes,
    trouble_is_parked,
    poison_parks_its_whole_batch,
    later_records_pass_a_parked_one,
    poison_is_thrown_away,
    released_latest_first,
    released_without_effect,
)


@pytest.fixture
def pair(speaker: Party, hearer: Party) -> Pair:
    return Pair(speaker, hearer)


async def test_dying_at_every_point_of_the_platform_leaves_nothing_wrong(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.fate.strike(monkeypatch)

    assert await pair.story() == []
    assert pair.fate.deaths == [], "these points were not passed"


async def test_two_relays_that_live_send_everything_once(pair: Pair) -> None:
    pair.relays = 2

    assert await pair.story() == []


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
async def test_a_bug_is_found(pair: Pair, monkeypatch: pytest.MonkeyPatch, bug: Bug) -> None:
    bug(monkeypatch, pair)
    if pair.relays == 1:
        pair.fate.strike(monkeypatch)

    async with asyncio.timeout(40):
        assert await pair.story() != []
