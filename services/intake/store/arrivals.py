"""Arrivals: the one statement that records them, and what is read of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from asyncpg import UniqueViolationError

from shared.kit import journal
from shared.kit.work import Work


class NewArrival(NamedTuple):
    """One row for each of requests, arrivals, person_keys, journal and outbox, and one for each number of a paper.

    The order is that of `COLUMNS`.
    """

    scope: str
    key: bytes
    content: bytes
    case_id: str
    person_id: str
    voyage_id: str | None
    manifest_id: str | None
    manifest_row: int | None
    port: str
    origin_regency: str | None
    sex: str
    age_band: str
    needs: str
    """The codes with spaces between them: PostgreSQL has no `unnest` for lists of lists of unequal length."""
    onward_wish: str
    channel: str
    """As facts say it, or `triage` for one by one in a hurry: who it is has to be completed."""
    arrived_at: datetime
    occurred_at: datetime
    sealed: bytes
    wrapped_key: bytes
    nik_index: bytes | None
    document_index: bytes | None
    event_id: str
    type: str
    traceparent: str | None
    payload: bytes


COLUMNS = {
    "scope": "uuid", "key": "bytea", "content": "bytea", "case_id": "uuid", "person_id": "uuid", "voyage_id": "uuid",
    "manifest_id": "uuid", "manifest_row": "integer", "port": "text", "origin_regency": "text", "sex": "text",
    "age_band": "text", "needs": "text", "onward_wish": "text", "channel": "text", "arrived_at": "timestamptz",
    "occurred_at": "timestamptz", "sealed": "bytea", "wrapped_key": "bytea", "nik_index": "bytea",
    "document_index": "bytea", "event_id": "uuid", "type": "text", "traceparent": "text", "payload": "bytea",
}  # fmt: skip
ALIKE = (
    "scope", "voyage_id", "manifest_id", "port", "channel", "arrived_at", "occurred_at", "type", "traceparent",
)  # fmt: skip
"""What all rows of a list say alike: said once, it is neither written nor read once for each."""

CLAIM_AND_KEEP = """, claimed AS (
    INSERT INTO requests (scope, key, content, case_id, kept_on)
    SELECT scope, key, content, case_id, (occurred_at AT TIME ZONE 'UTC')::date FROM item ORDER BY scope, key
    ON CONFLICT DO NOTHING
    RETURNING case_id
), fresh AS MATERIALIZED (
    SELECT item.* FROM item JOIN claimed USING (case_id)
), kept AS (
    INSERT INTO arrivals (
        case_id, person_id, voyage_id, manifest_id, manifest_row, port, origin_regency, sex, age_band, needs,
        onward_wish, channel, unfinished, arrived_at, recorded_at, sealed
    )
    SELECT case_id, person_id, voyage_id, manifest_id, manifest_row, port, origin_regency, sex, age_band,
        string_to_array(needs, ' '), onward_wish, CASE channel WHEN 'triage' THEN 'single' ELSE channel END,
        channel = 'triage', arrived_at, occurred_at, sealed
    FROM fresh ORDER BY n
), keyed AS (
    INSERT INTO person_keys (person_id, wrapped_key) SELECT person_id, wrapped_key FROM fresh ORDER BY n
), findable AS (
    INSERT INTO blind_indexes (person_id, kind, digest)
    SELECT fresh.person_id, number.kind, number.digest
    FROM fresh CROSS JOIN LATERAL (VALUES ('nik', nik_index), ('document', document_index)) AS number (kind, digest)
    WHERE number.digest IS NOT NULL
)"""


def _statement(alike: Sequence[str] = ()) -> str:
    """What records arrivals. Its parameters are the columns: arrays, or one value for each that all have `alike`."""
    numbered = {name: f"${n}::{kind}" for n, (name, kind) in enumerate(COLUMNS.items(), start=1)}
    own = [name for name in COLUMNS if name not in alike]
    item = (
        f"SELECT t.*{''.join(f', {numbered[name]} AS {name}' for name in alike)}"  # noqa: S608 - constants
        f" FROM unnest({', '.join(f'{numbered[name]}[]' for name in own)})"
        f" WITH ORDINALITY AS t ({', '.join(own)}, n)"
    )
    return (
        f"WITH item AS MATERIALIZED ({item}){CLAIM_AND_KEEP}, {journal.FIRST_OF_FRESH}"  # noqa: S608 - constants
        " SELECT n::integer AS n FROM fresh"
    )


ADD = _statement()
ADD_ALIKE = _statement(ALIKE)


class IdTaken(Exception):
    """The id of one of these cases is another's already; none was recorded."""


class Fetches(Protocol):
    """The database, each statement in a transaction of its own; or the connection of a work."""

    async def fetch(self, statement: str, /, *arguments: Any) -> list[Any]: ...


async def add(database: Fetches, arrivals: Sequence[NewArrival]) -> set[int]:
    """Record arrivals whose key is new, each with its journal row and outbox pointer, in one statement.

    Answers the places (from 0) of those recorded; the others' keys were known. Raises `IdTaken`.
    """
    columns: list[Sequence[Any]] = [*zip(*arrivals, strict=True)]
    said = dict(zip(COLUMNS, columns, strict=True))
    statement = ADD
    if all(said[name].count(said[name][0]) == len(arrivals) for name in ALIKE):
        statement = ADD_ALIKE
        columns = [values[0] if name in ALIKE else values for name, values in said.items()]
    try:
        rows = await database.fetch(statement, *columns)
    except UniqueViolationError:
        raise IdTaken from None
    return {row["n"] - 1 for row in rows}


class Known(NamedTuple):
    content: bytes
    case_id: str
    manifest_id: str | None
    age_band: str
    needs: tuple[str, ...]


async def known(database: Fetches, keys: Sequence[tuple[str, bytes]]) -> dict[tuple[str, bytes], Known]:
    """What was recorded under these keys (scope, key).

    # unscoped: the scope of a key is the actor's own or a voyage that policy has let pass.
    """
    rows = await database.fetch(
        "SELECT r.scope, r.key, r.content, r.case_id, a.manifest_id, a.age_band, a.needs"
        " FROM unnest($1::uuid[], $2::bytea[]) AS asked (scope, key)"
        " JOIN requests r USING (scope, key) JOIN arrivals a USING (case_id)",
        [scope for scope, _ in keys],
        [key for _, key in keys],
    )
    return {
        (str(row["scope"]), bytes(row["key"])): Known(
            bytes(row["content"]),
            str(row["case_id"]),
            str(row["manifest_id"]) if row["manifest_id"] else None,
            row["age_band"],
            tuple(row["needs"]),
        )
        for row in rows
    }


async def has_any(database: Fetches, scope: str) -> bool:
    """True when something was recorded under a key of this scope.

    # unscoped: the scope is a voyage that policy has let pass.
    """
    [row] = await database.fetch("SELECT EXISTS (SELECT FROM requests WHERE scope = $1) AS found", scope)
    return bool(row["found"])


class SealedIdentity(NamedTuple):
    person_id: str
    sealed: bytes
    wrapped_key: bytes | None
    """None once the person was erased."""
    age_band: str
    voyage_id: str | None


async def find_sealed(work: Work, case_id: str) -> SealedIdentity | None:
    """The sealed identity of one case.

    # unscoped: asked for only after a disclosure grant was found for this very case.
    """
    row = await work.connection.fetchrow(
        "SELECT a.person_id, a.sealed, k.wrapped_key, a.age_band, a.voyage_id::text"
        " FROM arrivals a LEFT JOIN person_keys k USING (person_id) WHERE a.case_id = $1",
        case_id,
    )
    if row is None:
        return None
    return SealedIdentity(
        str(row["person_id"]),
        bytes(row["sealed"]),
        bytes(row["wrapped_key"]) if row["wrapped_key"] else None,
        row["age_band"],
        row["voyage_id"],
    )


class ToCount(NamedTuple):
    """What of an arrival is counted, the sealed part included. `wrapped_key` is None once the person was erased."""

    case_id: str
    person_id: str
    sex: str
    age_band: str
    origin_regency: str | None
    sealed: bytes
    wrapped_key: bytes | None


async def to_count(work: Work, voyage_id: str, *, after: str | None, limit: int) -> list[ToCount]:
    """Arrivals of a voyage that policy has let pass, in the order they were recorded, `limit` of them after a case."""
    rows = await work.connection.fetch(
        "SELECT a.case_id, a.person_id, a.sex, a.age_band, a.origin_regency, a.sealed, k.wrapped_key"
        " FROM arrivals a LEFT JOIN person_keys k USING (person_id)"
        " WHERE a.voyage_id = $1 AND a.port = $2 AND ($3::uuid IS NULL OR a.case_id > $3::uuid)"
        " AND a.ended_as IS DISTINCT FROM 'entered_in_error'"
        " ORDER BY a.case_id LIMIT $4",
        voyage_id,
        work.actor.port,
        after,
        limit,
    )
    return [ToCount(**{**row, "case_id": str(row["case_id"]), "person_id": str(row["person_id"])}) for row in rows]


class Unfinished(NamedTuple):
    """An arrival that was logged in a hurry, in codes; what is missing is told by what it has not."""

    case_id: str
    sex: str
    age_band: str
    origin_regency: str | None
    needs: tuple[str, ...]
    recorded_at: datetime
    voyage_id: str | None


async def list_unfinished(work: Work, *, after: str | None, limit: int) -> list[Unfinished]:
    """Arrivals of the actor's port of whom it is not complete who they are, in the order of their ids."""
    rows = await work.connection.fetch(
        "SELECT case_id, sex, age_band, origin_regency, needs, recorded_at, voyage_id FROM arrivals"
        " WHERE port = $1 AND unfinished AND ended_as IS NULL AND ($2::uuid IS NULL OR case_id > $2::uuid)"
        " ORDER BY case_id LIMIT $3",
        work.actor.port,
        after,
        limit,
    )
    return [
        Unfinished(
            **{
                **row,
                "case_id": str(row["case_id"]),
                "needs": tuple(row["needs"]),
                "voyage_id": str(row["voyage_id"]) if row["voyage_id"] else None,
            }
        )
        for row in rows
    ]


async def finish(work: Work, case_id: str) -> bool:
    """It is complete who this is; False where it was. # unscoped: the case is locked, and found in the actor's port"""
    done = await work.connection.execute(
        "UPDATE arrivals SET unfinished = FALSE WHERE case_id = $1 AND unfinished", case_id
    )
    return bool(done == "UPDATE 1")


async def ends_with(work: Work, tail: str, *, since: datetime, limit: int) -> list[str]:
    """Cases of the actor's port that landed since then and whose id ends with this."""
    rows = await work.connection.fetch(
        "SELECT a.case_id FROM voyages v JOIN arrivals a ON a.voyage_id = v.voyage_id"
        " WHERE v.port = $1 AND v.expected_at >= $3 AND a.port = $1 AND right(a.case_id::text, 10) = $2"
        " UNION ALL SELECT case_id FROM arrivals WHERE voyage_id IS NULL AND port = $1 AND arrived_at >= $3"
        " AND right(case_id::text, 10) = $2 LIMIT $4",
        work.actor.port,
        tail,
        since,
        limit,
    )
    return [str(row["case_id"]) for row in rows]


class Line(NamedTuple):
    """One arrival of a voyage as the quay may see it: no name."""

    case_id: str
    manifest_row: int | None
    sex: str
    age_band: str
    needs: tuple[str, ...]
    opened: tuple[str, ...]
    recorded_at: datetime
    ended_as: str | None
    """`entered_in_error` or `died`."""

    @property
    def referred(self) -> bool:
        """True when every need has become an open referral."""
        return set(self.needs) <= set(self.opened)


async def of_voyage(work: Work, voyage_id: str, *, after: str | None, limit: int) -> list[Line]:
    """Arrivals of a voyage of the actor's port, in the order they were recorded, `limit` of them after a case."""
    rows = await work.connection.fetch(
        "SELECT a.case_id, a.manifest_row, a.sex, a.age_band, a.needs, a.recorded_at, a.ended_as,"
        " ARRAY(SELECT r.need FROM referred_needs r WHERE r.case_id = a.case_id) AS opened"
        " FROM arrivals a WHERE a.voyage_id = $1 AND a.port = $2 AND ($3::uuid IS NULL OR a.case_id > $3::uuid)"
        " ORDER BY a.case_id LIMIT $4",
        voyage_id,
        work.actor.port,
        after,
        limit,
    )
    return [
        Line(
            str(row["case_id"]),
            row["manifest_row"],
            row["sex"],
            row["age_band"],
            tuple(row["needs"]),
            tuple(row["opened"]),
            row["recorded_at"],
            row["ended_as"],
        )
        for row in rows
    ]
