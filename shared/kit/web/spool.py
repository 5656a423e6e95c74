"""Bodies that are too large to be held in memory: on disk while they are read, sealed, and under no name."""

import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import Request

CHUNK = 1 << 18
"""What is sealed at a time; what is not longer than this never leaves memory."""
KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16


class Spool:
    """Bytes that are written once, to the end, and then read from any place as often as one likes.

    The file has no name and its key is in memory alone: whatever is left on the disk can be read by nobody.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._key = AESGCM(os.urandom(KEY_BYTES))
        self._tail = bytearray()
        self._chunks = 0
        self._opened = -1, b""
        self._at = 0
        self.digest = hashlib.sha256()
        """Of all that was written."""

    def __len__(self) -> int:
        return self._chunks * CHUNK + len(self._tail)

    def write(self, part: bytes) -> None:
        self.digest.update(part)
        self._tail += part
        while len(self._tail) > CHUNK:
            self._file.write(self._key.encrypt(_nonce(self._chunks), bytes(self._tail[:CHUNK]), None))
            del self._tail[:CHUNK]
            self._chunks += 1

    def seek(self, at: int, /) -> int:
        self._at = at
        return at

    def read(self, size: int = -1, /) -> bytes:
        """The next `size` bytes, fewer only at the end; all that follow when it is negative."""
        end = len(self) if size < 0 else min(self._at + size, len(self))
        found = b"".join(self._pieces(end))
        self._at += len(found)
        return found

    def close(self) -> None:
        self._file.close()

    def _pieces(self, end: int) -> Iterator[bytes]:
        at = self._at
        while at < end:
            chunk, skipped = divmod(at, CHUNK)
            piece = self._chunk(chunk)[skipped : skipped + end - at]
            yield piece
            at += len(piece)

    def _chunk(self, chunk: int) -> bytes:
        if chunk == self._chunks:
            return bytes(self._tail)
        if self._opened[0] != chunk:
            self._file.seek(chunk * (CHUNK + TAG_BYTES))
            sealed = self._file.read(CHUNK + TAG_BYTES)
            self._opened = chunk, self._key.decrypt(_nonce(chunk), sealed, None)
        return self._opened[1]


@asynccontextmanager
async def spooled(request: Request) -> AsyncIterator[Spool]:
    """The body of a request, until the block ends."""
    spool = Spool()
    try:
        async for part in request.stream():
            spool.write(part)
        yield spool
    finally:
        spool.close()


def _nonce(chunk: int) -> bytes:
    """The key is of this file alone, and each of its chunks is sealed once."""
    return chunk.to_bytes(NONCE_BYTES, "big")
