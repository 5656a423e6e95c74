"""Load on an HTTP endpoint: wrk (Debian's package) where it is installed, else a small loader of our own.

Both keep `connections` busy for `seconds` with prepared requests and count the answers. Ours costs the machine about
twice the CPU of wrk, so a ratio taken with it is lower; the output says which was used.
"""

import asyncio
import json
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

LUA = """
local bodies = {}
for line in io.lines("%s") do bodies[#bodies + 1] = line end
local n = 0
local thread = 0
function setup(t) thread = thread + 1; t:set("id", thread) end
function request()
  n = n + 1
  local at = (n - 1) %% #bodies + 1
  local key = string.format("%s-%%d-%%d", id, n)
  return wrk.format("POST", nil, {["Content-Type"] = "application/json", ["Authorization"] = "%s",
    ["Idempotency-Key"] = key}, bodies[at])
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What came back: answers with status 2xx (any other fails the run)."""

    answered: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.answered / self.seconds


async def post(url: str, bodies: list[bytes], token: str, *, connections: int, seconds: int, run: str) -> Load:
    """Post the bodies over and over for some seconds, each with an `Idempotency-Key` of its own, unique per `run`."""
    if shutil.which("wrk"):
        return await _wrk(url, bodies, token, connections, seconds, run)
    return await _own(url, bodies, token, connections, seconds, run)


async def _wrk(url: str, bodies: list[bytes], token: str, connections: int, seconds: int, run: str) -> Load:
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "bodies"
        lines.write_bytes(b"\n".join(bodies) + b"\n")
        script = Path(folder) / "post.lua"
        script.write_text(LUA % (lines, run, f"Bearer {token}"))
        process = await asyncio.create_subprocess_exec(
            *("wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "-s", str(script), url),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
    text = out.decode()
    assert process.returncode == 0, text
    assert "Non-2xx" not in text, text
    found = re.search(r"(\d+) requests in ([0-9.]+)(s|m)", text)
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", text)
    assert found, text
    assert rate, text
    return Load(int(found[1]), int(found[1]) / float(rate[1]))


async def _own(url: str, bodies: list[bytes], token: str, connections: int, seconds: int, run: str) -> Load:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as task:
        json.dump([url, [b.decode() for b in bodies], token, connections, seconds, run], task)
        task.flush()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.benchmarks.loader", task.name), stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
    assert process.returncode == 0
    return Load(int(out), float(seconds))


class _Connection(asyncio.Protocol):
    """One connection that sends the next request as soon as it has the answer to the last."""

    def __init__(self, requests: list[tuple[bytes, bytes]], run: str, number: int) -> None:
        self.answered = 0
        self.failed = 0
        self._requests = requests
        self._key = f"{run}-{number}-".encode()
        self._sent = 0
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        if length and len(rest) < int(length[1]):
            return
        self._buffer = b""
        self.answered += 1
        self.failed += not head.startswith(b"HTTP/1.1 2")
        self._send()

    def _send(self) -> None:
        before, after = self._requests[self._sent % len(self._requests)]
        self._sent += 1
        assert self._transport is not None
        self._transport.write(before + self._key + str(self._sent).encode() + after)


async def _load(url: str, bodies: list[str], token: str, connections: int, seconds: int, run: str) -> Load:
    parts = urlsplit(url)
    requests = [
        (
            f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {token}\r\nContent-Length: {len(body.encode())}\r\nIdempotency-Key: ".encode(),
            b"\r\n\r\n" + body.encode(),
        )
        for body in bodies
    ]
    loop = asyncio.get_running_loop()
    made = []
    for number in range(connections):
        _, protocol = await loop.create_connection(
            lambda number=number: _Connection(requests, run, number),  # type: ignore[misc]
            parts.hostname,
            parts.port,
        )
        made.append(protocol)
    await asyncio.sleep(seconds)
    assert not any(protocol.failed for protocol in made), "some requests were refused"
    return sum(protocol.answered for protocol in made)


if __name__ == "__main__":
    import uvloop

    print(uvloop.run(_load(*json.loads(Path(sys.argv[1]).read_text()))))
