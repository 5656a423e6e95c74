"""How long a connection may take to say what it wants. A request that drips in would else hold its socket for ever.

Nothing is done per request: once a second all connections are looked at, and those that are over their time are cut.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakKeyDictionary

HEADERS_S = 15.0
BODY_S = 60.0
"""A small body's time; a large one has as much more as it needs at the slowest speed that is taken for honest."""
SLOWEST_BYTES_PER_S = 8_192
UNDECLARED_BYTES = 2 << 20
"""What a body without a length is given time for."""


class Patience:
    """Knows since when each connection has been sending the same head or body."""

    def __init__(self, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._sending: WeakKeyDictionary[Any, tuple[object, float]] = WeakKeyDictionary()

    def look_at(self, connections: Iterable[Any]) -> int:
        """Cut the connections (uvicorn's, of httptools) that are over their time; answers how many."""
        now, cut = self._ticks(), 0
        for connection in list(connections):
            what, allowed_s = _sent(connection)
            if what is None:
                self._sending.pop(connection, None)
                continue
            known, since = self._sending.get(connection, (None, now))
            if known != what:
                self._sending[connection] = (what, now)
            elif now - since > allowed_s:
                connection.transport.abort()
                cut += 1
        return cut


def _sent(connection: Any) -> tuple[object, float]:
    """What the other side has to send, None when it is not its turn, and how long that may take."""
    cycle = connection.cycle
    if cycle is None or cycle.response_complete:
        # Between two requests uvicorn has a clock of its own.
        waits = connection.timeout_keep_alive_task is None
        return (("head", id(cycle)) if waits else None), HEADERS_S
    if not cycle.more_body or connection.flow.read_paused:
        return None, 0.0
    return ("body", id(cycle)), BODY_S + _length(cycle.scope["headers"]) / SLOWEST_BYTES_PER_S


def _length(headers: Iterable[tuple[bytes, bytes]]) -> int:
    said = next((value for name, value in headers if name == b"content-length"), b"")
    return min(int(said), 64 << 20) if said.isdigit() and len(said) < 12 else UNDECLARED_BYTES
