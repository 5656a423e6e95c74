"""Bodies that are too large to be held in memory: on disk while they are read, sealed, and under no name."""

import errno
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import Request

from shared.kit.refusal import Refusal
from shared.kit.words import msg

CHUNK = 1 << 18
"""What is sealed at a time; what is not longer than this never leaves memory."""
KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16


class NoRoom(Refusal):
    """The disk is full; whoever sends the body again later may be luckier."""

    status = 503
    code = "no_room"
    title = msg("There is no room for this file at the moment")

    def __init__(self) -> None:
        super().__init__(
            msg("The disk of the server is full. Nothing of this file was recorded: send it again later."),
            headers={"Retry-After": "60"},
        )


class Spool:
    """Bytes that are written once, to the end, and then read from any place as often as one likes.

    The file has no name and its key is in memory alone: whatever is left on the disk can be read by nobody.
    """

    def __init__(self) -> None:
        with _room():
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by `close`
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
        """Raises `NoRoom`."""
        self.digest.update(part)
        self._tail += part
        while len(self._tail) > CHUNK:
            self._keep(self._key.encrypt(_nonce(self._chunks), bytes(self._tail[:CHUNK]), None))
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

    def _keep(self, sealed: bytes) -> None:
        """Write it whole: a disk that is nearly full takes a part of it first, and only then none."""
        left = memoryview(sealed)
        with _room():
            while left:
                left = left[self._file.write(left) :]

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
    """The body of a request, until the block ends. Raises `NoRoom`."""
    spool = Spool()
    try:
        async for part in request.stream():
            spool.write(part)
        yield spool
    finally:
        spool.close()


@contextmanager
def _room() -> Iterator[None]:
    """Raises `NoRoom` where there is none for what is written."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoRoom from None
        raise


def _nonce(chunk: int) -> bytes:
    """The key is of this file alone, and each of its chunks is sealed once."""
    return chunk.to_bytes(NONCE_BYTES, "big")
