"""Identifiers: UUID version 7, as text.

Time-ordered ids keep index pages warm (random ones cost five times the WAL at a million rows), and asyncpg
takes text for `uuid` without building objects.
"""

import re

import uuid_utils

CANONICAL = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def new_id() -> str:
    """A new UUID version 7 in canonical text form."""
    return str(uuid_utils.uuid7())


def is_id(text: str) -> bool:
    """True for a UUID as we write it, lower case with hyphens: in another spelling it would not be found again."""
    return CANONICAL.fullmatch(text) is not None


def partition_of(case_id: str, partitions: int) -> int:
    """The Kafka partition of a case: the low 32 bits of its id, modulo the number of partitions."""
    return int(case_id[-8:], 16) % partitions
