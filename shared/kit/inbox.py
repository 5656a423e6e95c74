"""Records in: batches from Kafka become effects in PostgreSQL, each exactly once, in order per case.

One transaction per batch marks the events as seen and has their effect; offsets are committed after. Transient
trouble waits and tries again. What cannot be digested is split off until it stands alone and is parked; later
records of its case park behind it, all other cases flow on.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog
from aiokafka import ConsumerRecord
from pydantic import ValidationError

from shared.contracts import access
from shared.contracts.fact import Fact, Told
from shared.kit import parking, telemetry
from shared.kit.actor import system
from shared.kit.broker import BATCH
from shared.kit.crash import crash_point
from shared.kit.database import TRANSIENT, Database
from shared.kit.heard import Heard
from shared.kit.ids import is_id
from shared.kit.work import Work

log = structlog.get_logger()

PACE_S = 0.010
"""After a batch that was not full the next begins no sooner: few fuller batches cost a fraction of many small ones."""
GIVE_BACK_AFTER_S = 60.0
"""Transient trouble longer than this gives the batch back to Kafka, well before the group would expel us."""


Handler = Callable[[Work, list[Heard[Any]]], Awaitable[None]]


class Unreadable(Exception):
    """A record lacks a header, has a payload that its contract does not allow, or the key of another case."""


class Inbox:
    """What one service hears. `consumers.py` registers its handlers; `digest` feeds them."""

    def __init__(self, database: Database, consumer: str | None = None) -> None:
        self._database = database
        self.consumer = consumer or database.service
        self._readers: dict[str, type[Told[Any]]] = {}
        self._handlers: dict[str, Handler] = {}
        self._everything: Handler | None = None

    @property
    def sources(self) -> set[str]:
        """The services whose facts are listened to by name."""
        return {type_.partition(".")[0] for type_ in self._handlers}

    @property
    def heard_types(self) -> dict[str, Handler]:
        """Which handler listens to which event type."""
        return dict(self._handlers)

    @property
    def hears_all(self) -> bool:
        return self._everything is not None

    def hears(self, *facts: type[Fact]) -> Callable[[Handler], Handler]:
        """Decorator: this handler gets each batch's facts of these types, in order per case."""

        def register(handler: Handler) -> Handler:
            for fact in facts:
                self._handlers[fact.type] = handler
                self._readers[fact.type] = Told[fact]  # type: ignore[valid-type]
            return handler

        return register

    def hears_everything(self, handler: Handler) -> Handler:
        """Decorator: this handler gets every record of every topic, undecoded (the ledger).

        It may get an event again and must know by itself what it has: no marks are kept for it, because a mark for
        each row of every service would cost as much as the row. The same holds for handlers beside it.
        """
        self._everything = handler
        return handler

    async def receive(self, records: Sequence[ConsumerRecord[Any, Any]]) -> None:
        """Digest one batch from Kafka. Raises only to have the batch again."""
        began = time.monotonic()
        await self.digest(records)
        crash_point("inbox.before_offsets")
        if len(records) < BATCH:
            await asyncio.sleep(max(0.0, began + PACE_S - time.monotonic()))

    async def digest(self, records: Sequence[ConsumerRecord[Any, Any]]) -> None:
        """Have the effect of these records, or park them, in order: what is parked holds up only what follows it."""
        readable: list[tuple[ConsumerRecord[Any, Any], Heard[Any]]] = []
        for record in records:
            try:
                heard = self._read(record)
            except Unreadable as error:
                await self._settle(readable)
                readable = []
                await self._park_unreadable(record, error)
                continue
            if heard is not None:
                readable.append((record, heard))
        await self._settle(readable)

    async def _settle(self, pairs: list[tuple[ConsumerRecord[Any, Any], Heard[Any]]]) -> None:
        if not pairs:
            return
        try:
            await self._through_trouble(lambda work: self._take(work, pairs))
        except TRANSIENT:
            raise
        except Exception as error:
            if len(pairs) == 1:
                await self._park_failed(*pairs[0], error)
                return
            middle = len(pairs) // 2
            await self._settle(pairs[:middle])
            await self._settle(pairs[middle:])

    async def _park_unreadable(self, record: ConsumerRecord[Any, Any], error: Exception) -> None:
        log.error("record_unreadable", topic=record.topic, partition=record.partition, offset=record.offset)
        case_id = _case_of(record)
        await self._through_trouble(
            lambda work: parking.park(work, self.consumer, record, "unreadable", error, case_id=case_id)
        )

    async def _park_failed(self, record: ConsumerRecord[Any, Any], heard: Heard[Any], error: Exception) -> None:
        log.error("record_parked", event_id=heard.event_id, case_id=heard.case_id, error=type(error).__name__)
        await self._through_trouble(
            lambda work: parking.park(
                work, self.consumer, record, "failed", error, case_id=heard.case_id, event_id=heard.event_id
            )
        )

    async def _take(self, work: Work, pairs: list[tuple[ConsumerRecord[Any, Any], Heard[Any]]]) -> None:
        """The effect of one batch in one transaction."""
        stuck = await parking.cases_waiting(work, self.consumer, {h.case_id for _, h in pairs})
        if stuck:
            # Who releases them holds these locks; what is released by now is waited for no more.
            await work.lock_cases(stuck)
            stuck = await parking.cases_waiting(work, self.consumer, stuck)
            for record, heard in pairs:
                if heard.case_id in stuck:
                    await parking.park(
                        work, self.consumer, record, "behind", None, case_id=heard.case_id, event_id=heard.event_id
                    )
            pairs = [(r, h) for r, h in pairs if h.case_id not in stuck]
        first = await self._first_sight(work, [h for _, h in pairs])
        if first:
            await self.handle(work, first)
            crash_point("inbox.after_effect")

    async def _first_sight(self, work: Work, heard: list[Heard[Any]]) -> list[Heard[Any]]:
        return heard if self._everything else await work.first_sight_of(self.consumer, heard)

    async def handle(self, work: Work, heard: list[Heard[Any]]) -> None:
        """Call the handlers for these events; those that are heard by name are seen for the first time."""
        traces, end = telemetry.continuing(f"{self.consumer}.hear", [h.traceparent for h in heard])
        try:
            if any(own != h.traceparent for own, h in zip(traces, heard, strict=True)):
                heard = [replace(h, traceparent=own) for own, h in zip(traces, heard, strict=True)]
            if self._everything is not None:
                await self._everything(work, heard)
                heard = [self._told(h) for h in heard if h.type in self._readers]
            for handler, wave in self._waves(heard):
                await handler(work, wave)
        finally:
            end()

    def _told(self, heard: Heard[Any]) -> Heard[Any]:
        """A record of a listener to everything, read for a handler that wants its type as well."""
        return replace(heard, told=self._readers[heard.type].model_validate_json(heard.payload))

    def _waves(self, heard: list[Heard[Any]]) -> list[tuple[Handler, list[Heard[Any]]]]:
        """Few large groups with one handler each, such that the events of a case stay in order."""
        waves: list[tuple[Handler, list[Heard[Any]]]] = []
        latest: dict[str, int] = {}
        for h in heard:
            handler = self._handlers[h.type]
            at = latest.get(h.case_id, 0)
            while at < len(waves) and waves[at][0] is not handler:
                at += 1
            if at == len(waves):
                waves.append((handler, []))
            waves[at][1].append(h)
            latest[h.case_id] = at
        return waves

    async def release(self, parked_id: str) -> int:
        """Have the effect of a parked record now, then of those of its case that wait behind it, in order.

        Answers how many were released. Each is a transaction of its own; the first that fails raises, and it and
        those behind it stay. Raises `parking.NotParked` when nothing with that id waits.
        """
        async with self._database.pool.acquire() as connection:
            row = await parking.find(connection, parked_id)
        if row is None or row["released_at"] or row["discarded_at"]:
            raise parking.NotParked(f"no record {parked_id} is waiting; see `parked list`")
        released = 0
        while True:
            async with self._database.work(system(self._database.service, "operator"), purpose="release") as work:
                if row["case_id"]:
                    await work.lock_cases([str(row["case_id"])])
                queue = await parking.waiting_of_case(work, self.consumer, row["case_id"]) if row["case_id"] else [row]
                if not queue or (row["case_id"] is None and released):
                    return released
                heard = self._read(parking.as_record(queue[0]))
                first = await self._first_sight(work, [heard] if heard else [])
                if first:
                    await self.handle(work, first)
                await parking.mark_released(work, [queue[0]["parked_id"]])
                released_id = str(queue[0]["parked_id"])
                case_id = str(queue[0]["case_id"] or released_id)
                work.record(access.RecordReleased(case_id=case_id, service=work.service, parked_id=released_id))
            released += 1

    async def _through_trouble(self, do: Callable[[Work], Awaitable[None]]) -> None:
        """Run in one Work, through transient trouble."""
        pause, began = 0.1, time.monotonic()
        while True:
            try:
                async with self._database.work(system(self._database.service, "consumer"), purpose="hear") as work:
                    await do(work)
                return
            except TRANSIENT as error:
                if time.monotonic() - began > GIVE_BACK_AFTER_S:
                    raise
                log.warning("database_away", error=type(error).__name__, again_in_s=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)

    def _read(self, record: ConsumerRecord[Any, Any]) -> Heard[Any] | None:
        """Read a record; None when nobody here listens to its type (or to a newer version of it)."""
        headers = dict(record.headers)
        try:
            type_ = headers["ce_type"].decode()
            if self._everything is None and type_ not in self._readers:
                return None
            value: bytes = record.value
            case_id = _id(record.key)
            told = None if self._everything else self._readers[type_].model_validate_json(value)
            if told is not None and told.data.case_id != case_id:
                raise Unreadable("the key is not the case that the payload is about")
            return Heard(
                event_id=_id(headers["ce_id"]),
                source=headers["ce_source"].decode(),
                type=type_,
                case_id=case_id,
                case_seq=int(headers["ce_sequence"]),
                occurred_at=datetime.fromisoformat(headers["ce_time"].decode()),
                traceparent=headers["traceparent"].decode() if "traceparent" in headers else None,
                shared=record.topic.endswith(".events"),
                payload=bytes(value),
                told=told,
            )
        except (KeyError, ValueError, AttributeError, TypeError, ValidationError) as error:
            raise Unreadable(_said(error)) from error


def _id(raw: bytes) -> str:
    text = raw.decode()
    if not is_id(text):
        raise ValueError("no canonical UUID")
    return text


def _case_of(record: ConsumerRecord[Any, Any]) -> str | None:
    """The case of a record that cannot be read, where at least its key can: then the case keeps its order."""
    key = (record.key or b"").decode("ascii", "replace")
    return key if is_id(key) else None


def _said(error: Exception) -> str:
    """What is wrong with a record, without its content."""
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['type']}" for e in error.errors()[:5])
    if isinstance(error, KeyError):
        return f"header {error.args[0]} is missing"
    return type(error).__name__
