"""Time as an argument: what asks for the time, asks a `Clock`. And work that repeats."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

log = structlog.get_logger()


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands until it is told to advance (for tests and trial runs)."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, step: timedelta) -> None:
        self._now += step


async def every(seconds: float, do: Callable[[], Awaitable[int]], *, name: str) -> None:
    """Run `do` for ever: again at once while it returns how much it did, else after `seconds`.

    Trouble is logged and backed off from (up to 30 s); it never ends the loop.
    """
    pause = seconds
    while True:
        try:
            did = await do()
            pause = seconds
        except Exception as error:
            did = 0
            pause = min(30.0, max(pause * 2, 0.5))
            log.warning("repeated_work_failed", work=name, error=type(error).__name__, again_in_s=pause)
        if not did:
            await asyncio.sleep(pause * random.uniform(0.9, 1.1))  # noqa: S311 - jitter, not a secret
        else:
            await asyncio.sleep(0)
