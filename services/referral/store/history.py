"""Decisions of the past: how many needs each stored decision stands for, and the entries it was made on."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from shared.kit.work import Work

STEP = 2_000


@dataclass(frozen=True, slots=True)
class Past:
    """One decision with how many needs were decided by it."""

    body: bytes
    restricted: bool
    needs: int


async def list_past(
    work: Work, *, since: datetime | None = None, until: datetime | None = None, port: str | None = None
) -> list[Past]:
    """The decisions on who landed in [since, until), at one port or at all. # unscoped: counts, for what-if"""
    rows = await work.connection.fetch(
        "SELECT e.body, r.restricted, r.needs FROM (SELECT explanation, restricted, count(*) AS needs FROM referrals"
        "  WHERE ($1::timestamptz IS NULL OR arrived_at >= $1) AND ($2::timestamptz IS NULL OR arrived_at < $2)"
        "  AND ($3::text IS NULL OR port = $3) GROUP BY explanation, restricted) r"
        " JOIN explanations e ON e.digest = r.explanation ORDER BY e.digest, r.restricted",
        since,
        until,
        port,
    )
    return [Past(bytes(row["body"]), row["restricted"], row["needs"]) for row in rows]


async def count_explanations(work: Work) -> int:
    """How many different decisions are stored. # unscoped: a number only"""
    found: int = await work.connection.fetchval("SELECT count(*) FROM explanations")
    return found


async def all_explanations(work: Work) -> AsyncIterator[list[bytes]]:
    """Every stored decision, some at a time. # unscoped: they hold no person, only codes of needs and regions"""
    last = b""
    while True:
        rows = await work.connection.fetch(
            "SELECT digest, body FROM explanations WHERE digest > $1 ORDER BY digest LIMIT $2", last, STEP
        )
        if not rows:
            return
        yield [bytes(row["body"]) for row in rows]
        last = bytes(rows[-1]["digest"])
