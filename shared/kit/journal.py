"""The journal: how a fact becomes a row, and the row a pointer in the outbox.

The payload is written once, as the bytes that Kafka carries and audit hashes: an envelope that says who, why and
what caused it, around the fact. Numbers per case are dense, so that an omission can be seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import asyncpg
import orjson

from shared.contracts.fact import Fact
from shared.kit.actor import Actor


@dataclass(frozen=True, slots=True)
class Entry:
    """One row to be written."""

    event_id: str
    shared: bool
    type: str
    case_id: str
    traceparent: str | None
    payload: bytes


APPEND = """
WITH entry AS MATERIALIZED (
    SELECT * FROM unnest($1::uuid[], $2::boolean[], $3::text[], $4::uuid[], $5::text[], $6::bytea[])
        WITH ORDINALITY AS t (event_id, shared, type, case_id, traceparent, payload, n)
), head AS (
    SELECT c.case_id, coalesce((SELECT max(j.case_seq) FROM journal j WHERE j.case_id = c.case_id), 0) AS seq
    FROM (SELECT DISTINCT case_id FROM entry) c
), journalled AS (
    INSERT INTO journal (event_id, shared, type, case_id, case_seq, occurred_at, traceparent, payload)
    SELECT e.event_id, e.shared, e.type, e.case_id,
        head.seq + row_number() OVER (PARTITION BY e.case_id ORDER BY e.n), $7, e.traceparent, e.payload
    FROM entry e JOIN head USING (case_id)
    ORDER BY e.n
    RETURNING position
)
INSERT INTO outbox (position) SELECT position FROM journalled
"""

FIRST_OF_FRESH = """
journalled AS (
    INSERT INTO journal (event_id, shared, type, case_id, case_seq, occurred_at, traceparent, payload)
    SELECT event_id, TRUE, type, case_id, 1, occurred_at, traceparent, payload FROM fresh ORDER BY n
    RETURNING position
), pointed AS (
    INSERT INTO outbox (position) SELECT position FROM journalled
)
"""
"""CTEs for a hot path that writes state, journal and outbox in one statement.

They follow a CTE `fresh` with columns `event_id, type, case_id, occurred_at, traceparent, payload, n` that holds
only *new* cases (each fact is the first of its case).
"""


@lru_cache(maxsize=1024)
def _envelope(actor_id: str, organisation: str, role: str, purpose: str) -> bytes:
    head = {"actor": actor_id, "organisation": organisation, "role": role, "purpose": purpose}
    return orjson.dumps(head)[:-1]


def payload(actor: Actor, purpose: str, caused_by: str | None, fact: Fact) -> bytes:
    """The bytes of a record: `{"actor", "organisation", "role", "purpose", "caused_by", "data"}`."""
    cause = b',"caused_by":null,"data":' if caused_by is None else b',"caused_by":"%b","data":' % caused_by.encode()
    envelope = _envelope(actor.id, actor.organisation, actor.role, purpose)
    return b"".join((envelope, cause, fact.__pydantic_serializer__.to_json(fact), b"}"))


async def append(connection: asyncpg.Connection, entries: Sequence[Entry], occurred_at: object) -> None:
    """Write the entries and their outbox pointers in one statement; the caller holds the locks of the cases."""
    await connection.execute(
        APPEND,
        [e.event_id for e in entries],
        [e.shared for e in entries],
        [e.type for e in entries],
        [e.case_id for e in entries],
        [e.traceparent for e in entries],
        [e.payload for e in entries],
        occurred_at,
    )
