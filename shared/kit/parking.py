"""The parking lot: records a consumer could not digest, kept with everything needed to try again.

A person lists them, looks, and releases (after a fix) or discards them (with a reason, on the trail).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import asyncpg
import orjson
from aiokafka import ConsumerRecord

from shared.contracts import access
from shared.kit.ids import new_id
from shared.kit.work import Work


async def cases_waiting(work: Work, consumer: str, case_ids: Iterable[str]) -> set[str]:
    """Those of these cases that have a parked record waiting for a person."""
    rows = await work.connection.fetch(
        "SELECT DISTINCT case_id FROM waiting WHERE consumer = $1 AND case_id = ANY($2::uuid[])",
        consumer,
        list(case_ids),
    )
    return {str(row["case_id"]) for row in rows}


class NotParked(Exception):
    """There is no such record waiting for a person."""


async def park(
    work: Work,
    consumer: str,
    record: ConsumerRecord[Any, Any],
    reason: str,
    error: Exception | None,
    *,
    case_id: str | None = None,
    event_id: str | None = None,
) -> None:
    """Keep a record aside: reason `unreadable`, `failed` or `behind` (a parked record of the same case)."""
    await work.connection.execute(
        "INSERT INTO parked (parked_id, consumer, topic, kafka_partition, kafka_offset, key, headers, value, case_id,"
        " event_id, reason, error, parked_at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13)"
        " ON CONFLICT DO NOTHING",
        new_id(),
        consumer,
        record.topic,
        record.partition,
        record.offset,
        record.key,
        _as_json(record.headers),
        record.value,
        case_id,
        event_id,
        reason,
        _described(error),
        work.now,
    )


def _as_json(headers: Iterable[tuple[str, bytes | None]]) -> str:
    """Headers as PostgreSQL takes them: what is no text is marked, and NUL, which its jsonb cannot hold."""
    readable = [[key, (value or b"").decode("utf-8", "replace")] for key, value in headers]
    return orjson.dumps([[part.replace("\0", "\N{SYMBOL FOR NULL}") for part in pair] for pair in readable]).decode()


def _described(error: Exception | None) -> str:
    """The kind of error and where it arose; never its text, which may quote what the record carried."""
    if error is None:
        return ""
    trace, place = error.__traceback__, ""
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f"{code.co_filename.rsplit('/', 2)[-2]}/{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}"
        trace = trace.tb_next
    constraint = getattr(error, "constraint_name", None)
    detail = str(error) if type(error).__name__ == "Unreadable" else (constraint or "")
    return f"{type(error).__name__} {detail} {place}".replace("  ", " ").strip()[:500]


async def find(connection: asyncpg.Connection, parked_id: str) -> asyncpg.Record | None:
    """One parked record with its bytes, or None."""
    return await connection.fetchrow("SELECT * FROM parked WHERE parked_id = $1", parked_id)


async def waiting_of_case(work: Work, consumer: str, case_id: str) -> list[asyncpg.Record]:
    """The waiting records of one case in the order in which they came."""
    rows: list[asyncpg.Record] = await work.connection.fetch(
        "SELECT * FROM waiting WHERE consumer = $1 AND case_id = $2 ORDER BY place FOR UPDATE",
        consumer,
        case_id,
    )
    return rows


async def mark_released(work: Work, parked_ids: list[str]) -> None:
    await work.connection.execute(
        "UPDATE parked SET released_at = $2 WHERE parked_id = ANY($1::uuid[])", parked_ids, work.now
    )


async def discard(work: Work, parked_id: str, reason: str) -> None:
    """Give a record up for good, on the trail. Raises `NotParked` when nothing with that id waits."""
    row = await work.connection.fetchrow(
        "UPDATE waiting SET discarded_at = $2, discard_reason = $3 WHERE parked_id = $1 RETURNING case_id",
        parked_id,
        work.now,
        reason,
    )
    if row is None:
        raise NotParked(f"no parked record {parked_id} is waiting; see `parked list`")
    case_id = str(row["case_id"] or parked_id)
    work.record(access.RecordDiscarded(case_id=case_id, service=work.service, parked_id=parked_id))


def as_record(row: asyncpg.Record) -> ConsumerRecord[Any, Any]:
    """The parked row as the Kafka record it was."""
    parked_at: datetime = row["parked_at"]
    headers = tuple((key, value.encode()) for key, value in orjson.loads(row["headers"]))
    return ConsumerRecord(
        topic=row["topic"],
        partition=row["kafka_partition"],
        offset=row["kafka_offset"],
        timestamp=int(parked_at.timestamp() * 1000),
        timestamp_type=1,
        key=row["key"],
        value=row["value"],
        checksum=None,
        serialized_key_size=len(row["key"] or b""),
        serialized_value_size=len(row["value"] or b""),
        headers=headers,
    )


def described(row: asyncpg.Record) -> str:
    """One parked record as a JSON line: place, reason, error, size; never its content."""
    shown = {
        name: row[name]
        for name in (
            "parked_id",
            "consumer",
            "topic",
            "kafka_partition",
            "kafka_offset",
            "case_id",
            "event_id",
            "reason",
            "error",
            "parked_at",
        )
    }
    return orjson.dumps({**shown, "bytes": len(row["value"] or b"")}, default=str).decode()
