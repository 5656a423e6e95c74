"""A subscriber's server on loopback that behaves as its path says, well or badly, over plain sockets."""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`/ok`, `/status/503`, `/slow/2.5` and the bad manners below. Everything that came is in `received`."""

    received: list[Received] = field(default_factory=list)
    answers: dict[str, list[int]] = field(default_factory=dict)
    """Statuses that a path answers with first, before it answers 204."""
    retry_after: str = "120"
    most_at_once: int = 0
    bytes_out: int = 0
    _at_once: int = 0
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.place}"

    def at(self, path: str) -> list[Received]:
        return [one for one in self.received if one.path == path]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").split("\r\n")
                path = lines[0].split(" ")[1]
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:] if line)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.received.append(Received(path, headers, body))
                self._at_once += 1
                self.most_at_once = max(self.most_at_once, self._at_once)
                try:
                    await self._answer(path, writer)
                finally:
                    self._at_once -= 1
        self._open.discard(writer)
        writer.close()

    async def _answer(self, path: str, writer: asyncio.StreamWriter) -> None:
        kind, _, detail = path[1:].partition("/")
        if waiting := self.answers.get(path):
            await self._say(writer, waiting.pop(0))
        elif kind == "status":
            await self._say(writer, int(detail))
        elif kind == "script":
            writer.write(b"HTTP/1.1 400 X\r\nContent-Length: 25\r\n\r\n<script>alert(1)</script>")
            await writer.drain()
        elif kind == "slow":
            await asyncio.sleep(float(detail))
            await self._say(writer, 204)
        elif kind == "redirect":
            await self._say(writer, 302, "Location: http://169.254.169.254/latest/meta-data/\r\n")
        elif kind == "redirect-here":
            await self._say(writer, 307, f"Location: {self.url}/canary\r\n")
        elif kind == "big":
            await self._pour(writer, b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n", 10_000_000)
        elif kind == "endless":
            await self._pour(writer, b"HTTP/1.1 200 OK\r\n\r\n", 10**12)
        elif kind == "drip":
            await self._drip(writer, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        elif kind == "drip-head":
            await self._drip(writer, b"HTTP/1.1 200 OK\r\nX-")
        elif kind == "headers":
            many = "".join(f"X-{n}: {n}\r\n" for n in range(100_000))
            await self._pour(writer, f"HTTP/1.1 200 OK\r\n{many}Content-Length: 0\r\n\r\n".encode(), 0)
        elif kind == "header":
            await self._pour(writer, b"HTTP/1.1 200 OK\r\nX-Long: ", 10**12)
        elif kind == "interim":
            await self._pour(writer, b"", 10**12, b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
        elif kind == "extension":
            await self._pour(writer, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;", 10**12)
        elif kind == "trailers":
            head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
            await self._pour(writer, head, 10**12, b"X-More: 1\r\n" * 1000)
        elif kind == "nonsense":
            writer.write(b"\x00\xff\x00 hello\r\n\r\n")
            await writer.drain()
            raise ConnectionError
        elif kind == "silent":
            await asyncio.sleep(60)
        elif kind == "hang-up":
            raise ConnectionError
        elif kind == "gzip-bomb":
            await self._pour(writer, b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 30\r\n\r\n", 30)
        else:
            await self._say(writer, 204)

    async def _say(self, writer: asyncio.StreamWriter, status: int, headers: str = "") -> None:
        if status in (429, 503) and self.retry_after:
            headers += f"Retry-After: {self.retry_after}\r\n"
        body = "" if status == 204 else f"status {status}"
        length = "" if status == 204 else f"Content-Length: {len(body)}\r\n"
        writer.write(f"HTTP/1.1 {status} X\r\n{headers}{length}\r\n{body}".encode())
        await writer.drain()

    async def _pour(self, writer: asyncio.StreamWriter, head: bytes, size: int, content: bytes = b"x" * 65536) -> None:
        writer.write(head)
        while size > 0:
            chunk = content[:size]
            writer.write(chunk)
            await writer.drain()
            self.bytes_out += len(chunk)
            size -= len(chunk)
        await writer.drain()

    async def _drip(self, writer: asyncio.StreamWriter, head: bytes) -> None:
        writer.write(head)
        for _ in range(600):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.1)
