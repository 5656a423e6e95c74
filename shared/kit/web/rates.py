"""How often somebody may ask: a bucket of a minute's worth each, in the memory of this process.

With replicas each has buckets of its own, so somebody whose requests are spread over three may ask up to three times as
often. Buckets are for fairness and against programs in a loop; what must never happen is refused elsewhere.
"""

import ipaddress
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from starlette.requests import HTTPConnection

WINDOW_S = 60.0
MOST_KEPT = 20_000
"""Buckets kept; beyond that the one longest known is forgotten, and with it what was taken from it."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class Buckets:
    """One bucket per key. It holds what may be taken in a minute, all at once too, and fills up evenly."""

    def __init__(self, per_minute: int, *, ticks: Callable[[], float] = time.monotonic) -> None:
        """With `per_minute` 0 there is no limit."""
        self._cost_s = WINDOW_S / per_minute if per_minute else 0.0
        self._ticks = ticks
        self._full_at: dict[str, float] = {}

    def take(self, key: str) -> float:
        """Take one from the bucket; answers 0, or after how many seconds there will be one again."""
        if not self._cost_s:
            return 0.0
        now = self._ticks()
        full_at = self._full_at.get(key, 0.0)
        full_at = max(now, full_at) + self._cost_s
        if full_at > now + WINDOW_S:
            return full_at - now - WINDOW_S
        if len(self._full_at) >= MOST_KEPT and key not in self._full_at:
            del self._full_at[next(iter(self._full_at))]
        self._full_at[key] = full_at
        return 0.0


class Windows:
    """Counts per key from the first thing counted until a window is over."""

    def __init__(self, window_s: float, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._window_s = window_s
        self._ticks = ticks
        self._counts: dict[str, tuple[float, int]] = {}

    def count(self, key: str) -> int:
        """Which one this is of its window, from 1."""
        now = self._ticks()
        began, count = self._counts.pop(key, (now, 0))
        if now - began >= self._window_s:
            began, count = now, 0
        if len(self._counts) >= MOST_KEPT:
            del self._counts[next(iter(self._counts))]
        self._counts[key] = (began, count + 1)
        return count + 1


def reads_people(endpoint: Endpoint) -> Endpoint:
    """This endpoint shows who a person is or what became of one: it is metered apart. Stands above the function."""
    endpoint.__dict__["reads_people"] = True
    return endpoint


def is_reading_people(connection: HTTPConnection) -> bool:
    return getattr(connection.scope.get("endpoint"), "reads_people", False)


def networks(text: str) -> list[Network]:
    """Networks or addresses from a list with commas. Raises ValueError for anything else."""
    return [ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip()]


def address_of(connection: HTTPConnection, proxies: Sequence[Network]) -> str:
    """Where a request comes from, as far as it can be trusted; of IPv6 the network, which one household has.

    `X-Forwarded-For` counts only as far as our own proxies wrote it: from its end up to the first that is none of them.
    """
    asking = connection.client.host if connection.client else ""
    forwarded = connection.headers.get("x-forwarded-for", "").split(",") if _is_in(asking, proxies) else []
    for hop in reversed(forwarded):
        if _parsed(hop) is None:
            break
        asking = hop
        if not _is_in(hop, proxies):
            break
    address = _parsed(asking)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address or "unknown")


def _is_in(address: str, proxies: Sequence[Network]) -> bool:
    parsed = _parsed(address) if proxies else None
    return parsed is not None and any(parsed in network for network in proxies)


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip())
    except ValueError:
        return None
