"""Wrapped keys as rows: under which key-encryption key they are, and putting them under another."""

from collections.abc import Sequence
from typing import NamedTuple

from shared.kit.database import Database
from shared.kit.work import Work

FIRST = "00000000-0000-0000-0000-000000000000"
"""Before the id of any person."""


class WrappedKey(NamedTuple):
    person_id: str
    wrapped_key: bytes


class Standing(NamedTuple):
    """How many persons' keys are under old keys of the ring, and how many under keys that it does not have."""

    old: int
    unknown: int


async def lock_under(work: Work, marks: Sequence[bytes], *, after: str, limit: int) -> list[WrappedKey]:
    """Persons' keys under these key-encryption keys, after a person, in the order of their ids. Locks their rows."""
    rows = await work.connection.fetch(
        "SELECT person_id, wrapped_key FROM person_keys"
        " WHERE person_id > $2 AND substring(wrapped_key FROM 1 FOR 4) = ANY($1::bytea[])"
        " ORDER BY person_id LIMIT $3 FOR NO KEY UPDATE",
        marks,
        after,
        limit,
    )
    return [WrappedKey(str(row["person_id"]), bytes(row["wrapped_key"])) for row in rows]


async def replace(work: Work, keys: Sequence[WrappedKey]) -> None:
    """Put other wrapped keys in the place of those that are there. Who has none gets none."""
    await work.connection.execute(
        "UPDATE person_keys k SET wrapped_key = n.wrapped_key"
        " FROM unnest($1::uuid[], $2::bytea[]) AS n (person_id, wrapped_key) WHERE k.person_id = n.person_id",
        [key.person_id for key in keys],
        [key.wrapped_key for key in keys],
    )


async def standing(database: Database, marks: Sequence[bytes]) -> Standing:
    """Count what is not under the first of these keys; reads the table once."""
    [row] = await database.fetch(
        "SELECT count(*) FILTER (WHERE mark = ANY($1::bytea[])) AS old,"
        " count(*) FILTER (WHERE mark <> ALL($1::bytea[])) AS unknown"
        " FROM (SELECT substring(wrapped_key FROM 1 FOR 4) AS mark FROM person_keys) AS k WHERE mark <> $2",
        list(marks),
        marks[0],
    )
    return Standing(row["old"], row["unknown"])
