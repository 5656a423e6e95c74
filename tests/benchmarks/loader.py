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

import uvloop

from tests.benchmarks.wire import Connection, request

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


async def _load(url: str, bodies: list[str], token: str, connections: int, seconds: int, run: str) -> int:
    """Each connection sends its next request as soon as it has the answer to the last."""
    sent = answered = refused = 0

    def send(connection: Connection) -> None:
        nonlocal sent
        body = bodies[sent % len(bodies)].encode()
        sent += 1
        connection.send(request(url, body, token, f"{run}-{sent}"), lambda status, _: took(connection, status))

    def took(connection: Connection, status: int) -> None:
        nonlocal answered, refused
        answered += status < 300
        refused += status >= 300
        send(connection)

    for connection in [await Connection.open(url) for _ in range(connections)]:
        send(connection)
    await asyncio.sleep(seconds)
    assert not refused, f"{refused} requests were refused"
    return answered


if __name__ == "__main__":
    print(uvloop.run(_load(*json.loads(Path(sys.argv[1]).read_text()))))
