"""As little HTTP as a loader needs: prepared requests on connections that stay open."""

import asyncio
import re
from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

Answered = Callable[[int, bytes], None]
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Connection(asyncio.Protocol):
    """One connection with at most one request on its way."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answered: Answered | None = None
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def open(cls, url: str) -> "Connection":
        parts = urlsplit(url)
        _, made = await asyncio.get_running_loop().create_connection(cls, parts.hostname or "", parts.port or 80)
        return made

    def send(self, request: bytes, answered: Answered) -> None:
        """Send a request; `answered` is called with status and body."""
        assert self._transport is not None
        self._answered = answered
        self._transport.write(request)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        length = LENGTH.search(head)
        if length and len(rest) < int(length[1]):
            return
        self._buffer = b""
        assert self._answered is not None
        self._answered(int(head[9:12]), rest)


def request(url: str, body: bytes, token: str, key: str) -> bytes:
    """A POST of JSON with a Bearer token and an Idempotency-Key."""
    parts = urlsplit(url)
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\nIdempotency-Key: {key}\r\n\r\n"
    )
    return head.encode() + body
