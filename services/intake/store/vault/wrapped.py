"""Wrapped keys as rows, of persons and drafts: under which key-encryption key each is, and putting it under another."""

from collections.abc import Sequence
from typing import NamedTuple

from shared.kit.database import Database
from shared.kit.work import Work

FIRST = "00000000-0000-0000-0000-000000000000"
"""Before the id of anybody."""


class Holder(NamedTuple):
    """Whose keys: their table, its id, and what stands before that id in the context that a key is wrapped with."""

    table: str
    id: str
    before: str = ""


PERSONS = Holder("person_keys", "person_id")
DRAFTS = Holder("draft_keys", "draft_id", "draft:")
HOLDERS = (PERSONS, DRAFTS)


class WrappedKey(NamedTuple):
    id: str
    wrapped_key: bytes


class Standing(NamedTuple):
    """How many keys are under old keys of the ring, and how many under keys that it does not have."""

    old: int
    unknown: int


async def lock_under(
    work: Work, marks: Sequence[bytes], *, after: str, limit: int, of: Holder = PERSONS
) -> list[WrappedKey]:
    """Keys under these key-encryption keys, after an id, in the order of the ids. Locks their rows."""
    rows = await work.connection.fetch(
        f"SELECT {of.id} AS id, wrapped_key FROM {of.table}"  # noqa: S608 - constants
        f" WHERE {of.id} > $2 AND substring(wrapped_key FROM 1 FOR 4) = ANY($1::bytea[])"
        f" ORDER BY {of.id} LIMIT $3 FOR NO KEY UPDATE",
        marks,
        after,
        limit,
    )
    return [WrappedKey(str(row["id"]), bytes(row["wrapped_key"])) for row in rows]


async def replace(work: Work, keys: Sequence[WrappedKey], *, of: Holder = PERSONS) -> None:
    """Put other wrapped keys in the place of those that are there. Who has none gets none."""
    await work.connection.execute(
        f"UPDATE {of.table} k SET wrapped_key = n.wrapped_key"  # noqa: S608 - constants
        f" FROM unnest($1::uuid[], $2::bytea[]) AS n (id, wrapped_key) WHERE k.{of.id} = n.id",
        [key.id for key in keys],
        [key.wrapped_key for key in keys],
    )


async def standing(database: Database, marks: Sequence[bytes]) -> Standing:
    """Count what is not under the first of these keys; reads both tables once."""
    [row] = await database.fetch(
        "SELECT count(*) FILTER (WHERE mark = ANY($1::bytea[])) AS old,"
        " count(*) FILTER (WHERE mark <> ALL($1::bytea[])) AS unknown"
        " FROM (SELECT substring(wrapped_key FROM 1 FOR 4) AS mark FROM person_keys"
        " UNION ALL SELECT substring(wrapped_key FROM 1 FOR 4) FROM draft_keys) AS k WHERE mark <> $2",
        list(marks),
        marks[0],
    )
    return Standing(row["old"], row["unknown"])
