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


@dataclass(frozen=True, slots=True)
class Member:
    """A need of somebody in a household, as it was decided."""

    household_id: str
    case_id: str
    need: str
    age_band: str
    regency: str
    body: bytes


async def list_members(
    work: Work, *, since: datetime | None = None, until: datetime | None = None, port: str | None = None
) -> list[list[Member]]:
    """The needs of each household of whom several landed as in `list_past`. # unscoped: counts, for what-if"""
    rows = await work.connection.fetch(
        "SELECT h.household_id, r.case_id, r.need, r.age_band, r.regency, r.explanation"
        " FROM households h JOIN referrals r USING (case_id)"
        " WHERE ($1::timestamptz IS NULL OR arrived_at >= $1) AND ($2::timestamptz IS NULL OR arrived_at < $2)"
        " AND ($3::text IS NULL OR port = $3) ORDER BY h.household_id",
        since,
        until,
        port,
    )
    bodies = dict(
        await work.connection.fetch(
            "SELECT digest, body FROM explanations WHERE digest = ANY($1::bytea[])",
            sorted({bytes(row["explanation"]) for row in rows}),
        )
    )
    households: dict[str, list[Member]] = {}
    for row in rows:
        ids = str(row["household_id"]), str(row["case_id"])
        member = Member(*ids, row["need"], row["age_band"], row["regency"], bytes(bodies[row["explanation"]]))
        households.setdefault(member.household_id, []).append(member)
    return [some for some in households.values() if len({one.case_id for one in some}) > 1]


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
