"""What becomes of arrivals in the databases of those who hear of them, seen from outside while it happens."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import asyncpg

from shared.contracts import codes
from shared.kit.ids import new_id
from tests.benchmarks.site import LONGEST_S, Site

POLL_S = 0.004
CHILDREN = frozenset({"child", "unknown"})
RESTRICTED = frozenset(code for code, need in codes.needs().items() if need.restricted)

ASSIGNMENTS = (
    "SELECT position::text AS id, case_id::text FROM journal WHERE position > $1::text::bigint"
    " AND type IN ('referral.assignment_sent.v1', 'referral.gap_opened.v1') ORDER BY position"
)
"""The journal's rows, because they are committed with the assignments and cheaper to look for."""
DELIVERIES = (
    "SELECT delivery_id::text AS id, case_id::text FROM deliveries WHERE delivery_id > $1::text::uuid"
    " ORDER BY delivery_id"
)
CASES = "count(DISTINCT {0}), md5(string_agg(DISTINCT {0}::text, ',' ORDER BY {0}::text))"


@dataclass(slots=True)
class Seen:
    """Rows as they appeared: how many, and when a case was seen first (seconds of the monotonic clock)."""

    rows: int = 0
    first: dict[str, float] = field(default_factory=dict)
    last_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Expected:
    """What should become of arrivals, by the rules of the product and not by what the services say."""

    arrivals: int
    referrals: int
    deliveries: int
    cases_delivered: int


@dataclass(frozen=True, slots=True)
class Looks:
    """A connection into each database, and two more for what is followed."""

    running: Site
    into: dict[str, asyncpg.Connection]
    assignments: asyncpg.Connection
    deliveries: asyncpg.Connection
    told_of_each: int = 2
    """Facts about a need that the subscriber asked for: opened; sent, or that nobody is there."""

    async def expected(self, since: str) -> Expected:
        """What the arrivals recorded since an id should come to.

        Each need is a referral; each need that is no secret is told. Everything about a child is a secret.
        """
        rows = await self.into["intake"].fetch(
            "SELECT needs, age_band, count(*) AS people FROM arrivals WHERE case_id > $1 GROUP BY needs, age_band",
            since,
        )
        told = [
            (r["people"], [n for n in r["needs"] if n not in RESTRICTED]) for r in rows if r["age_band"] not in CHILDREN
        ]
        return Expected(
            arrivals=sum(row["people"] for row in rows),
            referrals=sum(row["people"] * len(row["needs"]) for row in rows),
            deliveries=self.told_of_each * sum(count * len(needs) for count, needs in told),
            cases_delivered=sum(count for count, needs in told if needs),
        )

    async def settled(self, since: str) -> Expected:
        """As `expected`, once intake has recorded what was still on its way when the loader stopped."""
        expected = await self.expected(since)
        while True:
            await asyncio.sleep(0.5)
            now = await self.expected(since)
            if now == expected:
                return now
            expected = now

    async def last_position(self) -> str:
        """Where referral's journal ends now."""
        return str(await self.into["referral"].fetchval("SELECT coalesce(max(position), 0) FROM journal"))

    async def follow(self, connection: asyncpg.Connection, rows: str, since: str, seen: Seen) -> None:
        """See rows after one appear until cancelled. They grow in the order of commits: one consumer writes them."""
        while True:
            found = await connection.fetch(rows, since)
            now = time.monotonic()
            for row in found:
                seen.first.setdefault(row["case_id"], now)
            if found:
                seen.rows += len(found)
                seen.last_at = now
                since = found[-1]["id"]
            await asyncio.sleep(POLL_S)

    async def check(self, since: str) -> Expected:
        """That everything arrived everywhere exactly once. The answer is what was expected, and found."""
        expected = await self.expected(since)
        arrived = await self.into["intake"].fetchrow(
            f"SELECT {CASES.format('case_id')} FROM arrivals WHERE case_id > $1", since
        )
        adults = await self.into["intake"].fetchrow(
            f"SELECT {CASES.format('case_id')} FROM arrivals WHERE case_id > $1 AND age_band <> ALL($2)",
            *(since, sorted(CHILDREN)),
        )
        referred = await self.into["referral"].fetchrow(
            f"SELECT {CASES.format('case_id')}, count(*) AS all, count(DISTINCT (case_id, need)) AS needs"
            " FROM referrals WHERE case_id > $1",
            since,
        )
        told = await self.into["notify"].fetchrow(
            f"SELECT {CASES.format('case_id')}, count(*) AS all, count(DISTINCT event_id) AS events"
            " FROM deliveries WHERE case_id > $1 AND NOT test",
            since,
        )
        assert arrived["count"] == expected.arrivals
        assert referred["md5"] == arrived["md5"], "cases were lost on the way to referral"
        assert referred["all"] == referred["needs"] == expected.referrals, (dict(referred), expected)
        assert told["md5"] == adults["md5"], "cases were lost on the way to notify, or should not have got there"
        assert told["all"] == told["events"] == expected.deliveries, (dict(told), expected)
        return expected

    async def quiet(self) -> None:
        """Wait until nothing is on its way any more: outboxes empty, ledger complete, notices at rest."""
        ledger = "audit" in self.running.names
        until = time.monotonic() + LONGEST_S
        while time.monotonic() < until:
            waiting = [await look.fetchval("SELECT count(*) FROM outbox") for look in self.into.values()]
            if not any(waiting) and (not ledger or await self._missing() == 0) and await self._waiting() == 0:
                return
            await asyncio.sleep(0.2)
        raise AssertionError("the services do not come to rest")

    async def _missing(self) -> int:
        told: list[int] = [await look.fetchval("SELECT count(*) FROM journal") for look in self.into.values()]
        return sum(told) - int(await self.into["audit"].fetchval("SELECT count(*) FROM leaves"))

    async def _waiting(self) -> int:
        found: int = await self.into["notify"].fetchval(
            "SELECT count(*) FROM deliveries d JOIN subscriptions s USING (subscription_id)"
            " WHERE s.status = 'active' AND d.ended_at IS NULL"
        )
        return found


@asynccontextmanager
async def looking(running: Site) -> AsyncIterator[Looks]:
    """Connections into all four databases."""
    async with AsyncExitStack() as stack:

        async def look(service: str) -> asyncpg.Connection:
            connection = await running.database(service)
            stack.push_async_callback(connection.close)
            return connection

        into = {service: await look(service) for service in ("intake", "referral", "notify", "audit")}
        yield Looks(running, into, await look("referral"), await look("notify"))


def mark() -> str:
    """An id below all that are given from now on (they are ordered by time)."""
    return new_id()
