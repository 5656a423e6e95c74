"""Arrivals at the times of a Poisson process, whatever the server does: how long each was in the making.

Run as a process of its own: `python -m tests.benchmarks.openloop task.json` prints a JSON line per request,
`[scheduled, answered, case id]` in seconds of the machine's monotonic clock. The time a request waits for a
connection counts, so a server that falls behind cannot hide it.
"""

import asyncio
import json
import random
import sys
import tempfile
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import uvloop

from tests.benchmarks.wire import Connection, request


@dataclass(frozen=True, slots=True)
class Arrived:
    scheduled: float
    answered: float
    case_id: str


async def arrive(
    url: str, bodies: list[bytes], token: str, *, rate: float, connections: int, run: str
) -> list[Arrived]:
    """Post each body once, `rate` a second on average; every answer must be 201."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as task:
        json.dump([url, [b.decode() for b in bodies], token, rate, connections, run], task)
        task.flush()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.benchmarks.openloop", task.name), stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
    assert process.returncode == 0
    return [Arrived(*json.loads(line)) for line in out.splitlines()]


async def _run(url: str, bodies: list[str], token: str, rate: float, connections: int, run: str) -> list[Arrived]:
    chance = random.Random(7)
    free = deque([await Connection.open(url) for _ in range(connections)])
    waiting: deque[tuple[float, bytes]] = deque()
    arrived: list[Arrived] = []
    everyone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def send(connection: Connection, scheduled: float, sent: bytes) -> None:
        def answered(status: int, body: bytes) -> None:
            if status != 201 and not everyone.done():
                everyone.set_exception(AssertionError((status, body[:300])))
                return
            arrived.append(Arrived(scheduled, time.monotonic(), json.loads(body)["case_id"]))
            if waiting:
                send(connection, *waiting.popleft())
            else:
                free.append(connection)
            if len(arrived) == len(bodies):
                everyone.set_result(None)

        connection.send(sent, answered)

    at = time.monotonic()
    for number, body in enumerate(bodies):
        at += chance.expovariate(rate)
        while (early := at - time.monotonic()) > 0:
            await asyncio.sleep(early)
        sent = request(url, body.encode(), token, f"{run}-{number}")
        if free:
            send(free.popleft(), at, sent)
        else:
            waiting.append((at, sent))
    await asyncio.wait_for(everyone, 60)
    return arrived


if __name__ == "__main__":
    for one in uvloop.run(_run(*json.loads(Path(sys.argv[1]).read_text()))):
        print(json.dumps([one.scheduled, one.answered, one.case_id]))
