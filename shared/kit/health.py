"""Is this process alive, is it ready, and how far behind is it? Counts only; nothing about people."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import asyncpg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.kit import telemetry
from shared.kit.database import Database

STALLED_AFTER_S = 60.0
FIGURES = (
    *("outbox_rows_unsent", "outbox_oldest_s", "records_behind", "records_parked"),
    *("pool_connections_used", "overdue"),
)
"""All are published; what this process cannot tell (no consumer or partitions, nothing that falls due) is absent."""

Count = Callable[[], Awaitable[float]]


class Health:
    """What is known about one process: its database, and its consumer if it has one."""

    def __init__(self, database: Database, overdue: Count | None = None) -> None:
        self._database = database
        self._overdue = overdue
        self._subscriber: Any = None
        self._figures: dict[str, float] = {}
        self._began = time.monotonic()

    def watch(self, subscriber: Any) -> None:
        """Watch this Kafka subscriber's consumer too."""
        self._subscriber = subscriber

    def routes(self) -> list[Route]:
        return [
            Route("/livez", self._livez),
            Route("/readyz", self._readyz),
            Route("/statusz", self._statusz),
        ]

    async def _livez(self, _: Request) -> Response:
        """Alive: the loop turns (we answer) and a started consumer polls. Kafka being away is no reason to die."""
        age = self._poll_age_s()
        alive = age is None or age < STALLED_AFTER_S
        return JSONResponse({"alive": alive, "poll_age_s": age}, 200 if alive else 503)

    async def _readyz(self, request: Request) -> Response:
        """Ready: the database answers. Kafka being away takes nobody out of service.

        With `?consumer=1` also: the consumer, if any, has partitions, so that what is said from now on is heard soon.
        """
        try:
            async with asyncio.timeout(2):
                await self._database.fetch("SELECT 1")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
            return JSONResponse({"ready": False, "waiting_for": "database"}, 503)
        if "consumer" in request.query_params and self._subscriber is not None and not self._assigned():
            return JSONResponse({"ready": False, "waiting_for": "kafka"}, 503)
        return JSONResponse({"ready": True})

    async def _statusz(self, _: Request) -> Response:
        return JSONResponse(await self.figures())

    async def figures(self) -> dict[str, float]:
        """Counts and ages: outbox rows and oldest age, records behind, parked, pool connections in use, overdue."""
        row = (
            await self._database.fetch(
                "SELECT (SELECT count(*) FROM outbox) AS rows,"
                " (SELECT extract(epoch FROM now() - occurred_at) FROM journal"
                "  WHERE position = (SELECT min(position) FROM outbox)) AS age,"
                " (SELECT count(*) FROM waiting) AS parked"
            )
        )[0]
        pool = self._database.pool
        self._figures = {
            "outbox_rows_unsent": float(row["rows"]),
            "outbox_oldest_s": max(0.0, float(row["age"] or 0)),
            "records_parked": float(row["parked"]),
            "pool_connections_used": float(pool.get_size() - pool.get_idle_size()),
        }
        if (behind := await self._behind()) is not None:
            self._figures["records_behind"] = float(behind)
        if self._overdue is not None:
            self._figures["overdue"] = await self._overdue()
        return self._figures

    def publish(self) -> None:
        """Offer the figures as metrics; `figures` refreshes them."""
        for name in FIGURES:
            telemetry.gauge(
                name, "s" if name.endswith("_s") else "1", name.replace("_", " "), partial(self._last, name)
            )

    def _last(self, name: str) -> float | None:
        return self._figures.get(name)

    def _consumer(self) -> Any:
        return None if self._subscriber is None else self._subscriber.consumer

    def _assigned(self) -> Any:
        consumer = self._consumer()
        return consumer is not None and consumer.assignment()

    def _poll_age_s(self) -> float | None:
        """Seconds since the consumer last asked for records; None without a consumer or partitions."""
        consumer = self._consumer()
        if consumer is None or not (assigned := consumer.assignment()):
            return None
        polled: float = max(consumer.last_poll_timestamp(partition) or 0 for partition in assigned)
        return max(0.0, time.time() - polled / 1000) if polled else time.monotonic() - self._began

    async def _behind(self) -> int | None:
        """None without partitions: a consumer that is shut out is not one that keeps up."""
        consumer = self._consumer()
        if consumer is None or not (assigned := consumer.assignment()):
            return None
        behind = 0
        for partition in assigned:
            end = consumer.highwater(partition)
            if end is not None:
                behind += max(0, end - await consumer.position(partition))
        return behind
