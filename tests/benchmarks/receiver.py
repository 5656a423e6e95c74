"""A subscriber's server that takes every notice at once and counts them; as cheap as can be."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

from tests.benchmarks.wire import LENGTH


@dataclass(frozen=True, slots=True)
class Receiver:
    port: int
    taken: Callable[[], int]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/notices"


class _Notices(asyncio.Protocol):
    def __init__(self, took: Callable[[], None]) -> None:
        self._took = took
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not separator or (length and len(body) < int(length[1])):
            return
        self._buffer = b""
        self._took()
        assert self._transport is not None
        self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Listen on a free port while the body runs."""
    taken = 0

    def took() -> None:
        nonlocal taken
        taken += 1

    server = await asyncio.get_running_loop().create_server(lambda: _Notices(took), "127.0.0.1", 0)
    try:
        yield Receiver(server.sockets[0].getsockname()[1], lambda: taken)
    finally:
        server.close()
