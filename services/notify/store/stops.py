"""Statements on `stops` and `laws`: of which cases organisations of which class must not be told any more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.contracts.codes import RecipientClass
from shared.kit.work import Work

STANDS = """(SELECT s.stopped AND NOT EXISTS (
        SELECT FROM laws l WHERE l.case_id = s.case_id AND l.recipient_class = s.recipient_class
            AND l.need IN ({need}, '*') AND NOT l.has_ended
    ) FROM stops s WHERE s.case_id = {case} AND s.recipient_class = {class_}
    AND s.need IN ({need}, '*') ORDER BY s.seq DESC LIMIT 1)"""
"""Whether what was said last of a case, to a class, for a need, stops it, and no law decides; NULL where nothing was
said.
"""


@dataclass(frozen=True, slots=True)
class Stop:
    """What a person said last; `need` is one, or `*` for all."""

    case_id: str
    recipient_class: RecipientClass
    need: str
    seq: int
    stopped: bool


@dataclass(frozen=True, slots=True)
class Law:
    """A law that decides without the person, or has ended; `need` is one, or `*` for all."""

    basis_id: str
    need: str
    case_id: str
    recipient_class: RecipientClass
    has_ended: bool


async def keep(work: Work, stops: Sequence[Stop]) -> None:
    """Write these down, unless something later is there already."""
    latest = {(one.case_id, one.recipient_class, one.need): one for one in sorted(stops, key=lambda one: one.seq)}
    await work.connection.execute(
        """
        INSERT INTO stops AS s (case_id, recipient_class, need, seq, stopped, since)
        SELECT n.*, $6 FROM unnest($1::uuid[], $2::text[], $3::text[], $4::integer[], $5::boolean[])
            AS n (case_id, recipient_class, need, seq, stopped)
        ON CONFLICT (case_id, recipient_class, need) DO UPDATE
            SET seq = excluded.seq, stopped = excluded.stopped, since = excluded.since
            WHERE s.seq < excluded.seq
        """,
        [one.case_id for one in latest.values()],
        [one.recipient_class for one in latest.values()],
        [one.need for one in latest.values()],
        [one.seq for one in latest.values()],
        [one.stopped for one in latest.values()],
        work.now,
    )


async def keep_laws(work: Work, laws: Sequence[Law]) -> None:
    """Write these down. What has ended stays so; what a person had stopped is stopped anew by it."""
    latest = {(one.basis_id, one.need): one for one in sorted(laws, key=lambda one: one.has_ended)}
    await work.connection.execute(
        """
        WITH kept AS (
            INSERT INTO laws AS l (basis_id, need, case_id, recipient_class, has_ended)
            SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::boolean[])
            ON CONFLICT (basis_id, need) DO UPDATE SET has_ended = TRUE WHERE excluded.has_ended
            RETURNING l.*
        )
        UPDATE stops s SET since = $6 FROM kept k
        WHERE k.has_ended AND s.stopped AND s.case_id = k.case_id AND s.recipient_class = k.recipient_class
            AND (k.need = '*' OR s.need IN (k.need, '*'))
        """,
        [one.basis_id for one in latest.values()],
        [one.need for one in latest.values()],
        [one.case_id for one in latest.values()],
        [one.recipient_class for one in latest.values()],
        [one.has_ended for one in latest.values()],
        work.now,
    )


async def list_stopped_since(work: Work, since: datetime) -> list[tuple[str, str, str]]:
    """Case, class and need (or `*`) of what was stopped since then, whatever else decides. # unscoped: the clock's"""
    rows = await work.connection.fetch(
        "SELECT case_id::text, recipient_class, need FROM stops WHERE stopped AND since >= $1", since
    )
    return [(row["case_id"], row["recipient_class"], row["need"]) for row in rows]


async def is_stopped(work: Work, case_id: str, recipient_class: RecipientClass, need: str) -> bool:
    """True when organisations of this class must not be told of the case. # unscoped: of a notice found as the own"""
    found = await work.connection.fetchval(
        f"SELECT {STANDS.format(case='$1', class_='$2', need='$3')}",
        case_id,
        recipient_class,
        need,
    )
    return found is True
