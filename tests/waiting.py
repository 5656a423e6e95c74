"""Wait for a condition, with a limit; never for a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], Awaitable[object]] | Callable[[], object], *, within_s: float = 20.0) -> None:
    """Return once the condition is true; fail after `within_s` with its name."""
    end = time.monotonic() + within_s
    while True:
        met = condition()
        if isinstance(met, Awaitable):
            met = await met
        if met:
            return
        assert time.monotonic() < end, f"still not so after {within_s} s: {getattr(condition, '__name__', condition)}"
        await asyncio.sleep(0.02)
