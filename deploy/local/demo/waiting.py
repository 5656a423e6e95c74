"""Waiting for conditions: what is still open is asked of the databases, and said when the time is up."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

import asyncpg

from deploy.local.demo.progress import Progress
from shared.kit.database import SERVICE_SCOPE

POLL_S = 0.25

Question = Callable[[], Awaitable[int]]


class TookTooLong(Exception):
    """The time was up; the text names everything that was still open."""


class Databases:
    """One reading connection per service, as the owner of its database."""

    def __init__(self, connections: dict[str, asyncpg.Connection]) -> None:
        self.connections = connections

    @classmethod
    async def open(cls, urls: dict[str, str]) -> "Databases":
        return cls({name: await asyncpg.connect(url, server_settings=SERVICE_SCOPE) for name, url in urls.items()})

    async def close(self) -> None:
        for connection in self.connections.values():
            await connection.close()

    async def count(self, service: str, statement: str, *arguments: object) -> int:
        counted: int = await self.connections[service].fetchval(statement, *arguments)
        return counted


UNANSWERED = "SELECT count(*) FROM assignments WHERE state IN ('proposed', 'sent', 'delivered', 'acknowledged')"
NEEDS = "SELECT coalesce(sum(cardinality(needs)), 0) FROM arrivals"
REFERRALS = "SELECT count(*) FROM referrals"
OUTBOX = "SELECT count(*) FROM outbox"
JOURNAL = "SELECT count(*) FROM journal"
LEAVES = "SELECT count(*) FROM leaves"
UNSENT = """
SELECT count(*) FROM deliveries d JOIN subscriptions s USING (subscription_id)
WHERE d.status IN ('queued', 'sending', 'retry_wait') AND s.status = 'active' AND subscription_id = $1
"""


def answered(databases: Databases) -> dict[str, Question]:
    """Every need is referred, and every agency that was asked has answered or was too late."""

    async def not_referred() -> int:
        return await databases.count("intake", NEEDS) - await databases.count("referral", REFERRALS)

    return {
        "needs not referred yet": not_referred,
        "assignments without an answer": lambda: databases.count("referral", UNANSWERED),
    }


def at_rest(databases: Databases, listening: str | None) -> dict[str, Question]:
    """Everything that was told has been heard; `listening` is the subscription whose receiver answers, if any does."""

    async def not_in_ledger() -> int:
        told = [await databases.count(service, JOURNAL) for service in databases.connections]
        return sum(told) - await databases.count("audit", LEAVES)

    unsent: dict[str, Question] = {
        f"unsent rows in {service}'s outbox": partial(databases.count, service, OUTBOX)
        for service in databases.connections
    }
    return {
        **unsent,
        "journal rows not in the ledger": not_in_ledger,
        "notices on their way": lambda: databases.count("notify", UNSENT, listening),
    }


async def until_none(questions: dict[str, Question], *, limit_s: float, progress: Progress) -> None:
    """Ask all questions again and again until each answer is 0. Raises TookTooLong with what was still open."""
    end = time.monotonic() + limit_s
    while True:
        still = {what: count for what, ask in questions.items() if (count := await ask()) > 0}
        if not still:
            return
        said = ", ".join(f"{count} {what}" for what, count in still.items())
        progress.more(said)
        if time.monotonic() > end:
            raise TookTooLong(f"after {limit_s:.0f} s there were still {said}")
        await asyncio.sleep(POLL_S)
