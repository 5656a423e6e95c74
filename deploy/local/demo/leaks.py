"""Canary search: is any identifying value of the manifest found outside the vault?

Looks in Kafka (keys, headers, values), every text and bytea column of every database, the logs, and the notices
that NGOs received. Values are compared without regard to case, as whole words, so that a short name inside a longer
word is not taken for a leak.
"""

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from deploy.local.demo import evidence
from shared.kit import database

WORD = re.compile(rb"[0-9a-z]+")
SHORTEST = 5
"""Shorter values ("Ani") meet words of a language by chance; the longer fields of the same row give the leak away."""


@dataclass(frozen=True, slots=True)
class Leak:
    place: str
    value: str

    def __str__(self) -> str:
        return f"{self.place}: {self.value}"


class Canaries:
    """The values to look for, arranged so that megabytes are searched in one pass."""

    def __init__(self, values: Iterable[str]) -> None:
        self._by_first: dict[bytes, list[tuple[list[bytes], str]]] = defaultdict(list)
        for value in values:
            words = WORD.findall(value.lower().encode())
            if len(value) >= SHORTEST and words:
                self._by_first[words[0]].append((words, value))

    def found_in(self, content: bytes) -> set[str]:
        words = WORD.findall(content.lower())
        found: set[str] = set()
        for n, word in enumerate(words):
            for canary, value in self._by_first.get(word, ()):
                if words[n : n + len(canary)] == canary:
                    found.add(value)
        return found


async def leaks(
    values: Iterable[str],
    *,
    databases: Mapping[str, str] | None = None,
    bootstrap: str | None = None,
    prefix: str = "",
    folders: Iterable[Path] = (),
) -> list[Leak]:
    """Search every given place; an empty list means that nothing was found.

    `databases`: name → URL of the owner; `bootstrap`: the broker whose topics with `prefix` are read from the
    beginning; `folders`: files below them are read whole (logs, notices kept by the receivers).
    """
    canaries = Canaries(values)
    found: set[Leak] = set()
    for folder in folders:
        for place, content in files(folder):
            found |= {Leak(place, value) for value in canaries.found_in(content)}
    if bootstrap:
        for place, content in await evidence.raw_records(bootstrap, prefix):
            found |= {Leak(place, value) for value in canaries.found_in(content)}
    for name, url in (databases or {}).items():
        async for place, content in columns(name, url):
            found |= {Leak(place, value) for value in canaries.found_in(content)}
    return sorted(found, key=str)


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path), path.read_bytes()


COLUMNS = """
SELECT table_schema, table_name, column_name, data_type
FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'
    AND data_type IN ('text', 'character varying', 'character', 'json', 'jsonb', 'bytea', 'ARRAY', 'date')
ORDER BY 1, 2, 3
"""


async def columns(name: str, url: str) -> AsyncIterator[tuple[str, bytes]]:
    """Every value of every column that could hold text, as bytes, column by column."""
    connection = await asyncpg.connect(url, server_settings=database.SERVICE_SCOPE)
    try:
        for schema, table, column, kind in await connection.fetch(COLUMNS):
            what = f'"{column}"' if kind == "bytea" else f"convert_to(\"{column}\"::text, 'UTF8')"
            rows = await connection.fetch(f'SELECT {what} FROM "{schema}"."{table}" WHERE "{column}" IS NOT NULL')  # noqa: S608
            yield f"{name}.{table}.{column}", b"\n".join(row[0] for row in rows)
    finally:
        await connection.close()
