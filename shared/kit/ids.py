"""Identifiers: UUID version 7, as text.

Time-ordered ids keep index pages warm (random ones cost five times the WAL at a million rows), and asyncpg
takes text for `uuid` without building objects.
"""

import uuid_utils


def new_id() -> str:
    """A new UUID version 7 in canonical text form."""
    return str(uuid_utils.uuid7())


def partition_of(case_id: str, partitions: int) -> int:
    """The Kafka partition of a case: the low 32 bits of its id, modulo the number of partitions."""
    return int(case_id[-8:], 16) % partitions
