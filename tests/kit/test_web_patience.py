"""Requests that drip in, that never end, that are too deep or too large: nobody else waits for them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI, Request
from pydantic import BaseModel

from deploy.local import ports
from shared.kit import web
from shared.kit.service import _Server
from shared.kit.web import patience

DRIPPING = 300


class Wanted(BaseModel):
    anything: object


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """A served application; who sends has a second for the head and another for the body."""
    monkeypatch.setattr(patience, "HEADERS_S", 1.0)
    monkeypatch.setattr(patience, "BODY_S", 1.0)
    app = FastAPI()
    web.install(app)

    @app.post("/api/things")
    async def post_thing(wanted: Wanted) -> int:
        return 1

    @app.post("/api/slow")
    async def slow(request: Request) -> int:
        await asyncio.sleep(2.5)
        return len(await request.body())

    port = ports.free()
    server = _Server(uvicorn.Config(app, port=port, http="httptools", lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield port
    server.should_exit = True
    await serving


HEAD = b"POST /api/things HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
STARTS = {
    "nothing": b"",
    "half a line": b"GET /api/th",
    "half a head": HEAD,
    "no body": HEAD + b"Content-Length: 100\r\n\r\n",
    "half a body": HEAD + b'Content-Length: 100\r\n\r\n{"anything": "',
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n40\r\n{",
}


async def ends_within(port: int, start: bytes, seconds: float, drip: bytes = b"") -> bool:
    """Is the connection cut, though we send a little more again and again?"""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(start)
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            if drip:
                writer.write(drip)
            try:
                async with asyncio.timeout(0.2):
                    if await reader.read(1_000) == b"":
                        return True
            except TimeoutError:
                continue
    except ConnectionError:
        return True
    finally:
        writer.close()
    return False


class TestDrippingRequest:
    @pytest.mark.parametrize("start", ["nothing", "half a line", "half a head", "no body", "half a body"])
    async def test_is_cut(self, port: int, start: str) -> None:
        assert await ends_within(port, STARTS[start], 6)

    async def test_is_cut_though_it_goes_on(self, port: int) -> None:
        assert await ends_within(port, STARTS["half a head"], 6, drip=b"X-A: b\r\n")
        assert await ends_within(port, STARTS["half a body"], 6, drip=b"x")

    async def test_has_time_for_what_it_declared(self, port: int) -> None:
        length = str(4 * patience.SLOWEST_BYTES_PER_S).encode()

        assert not await ends_within(port, HEAD + b"Content-Length: " + length + b"\r\n\r\n{", 3)

    async def test_is_not_one_that_we_are_slow_to_answer(self, port: int) -> None:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            answer = await client.post("/api/slow", json={})

        assert answer.json() == 2

    async def test_hinders_nobody_else(self, port: int) -> None:
        dripping = [
            asyncio.create_task(ends_within(port, STARTS["half a head"], 6, b"X-A: b\r\n")) for _ in range(DRIPPING)
        ]
        await asyncio.sleep(0.5)
        took = []
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            for _ in range(20):
                began = time.perf_counter()
                assert (await client.post("/api/things", json={"anything": 1})).status_code == 200
                took.append(time.perf_counter() - began)

        assert all(await asyncio.gather(*dripping))
        assert sorted(took)[10] < 0.5


MONSTERS: dict[str, Callable[[], bytes]] = {
    "deep lists": lambda: b'{"anything":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "deep objects": lambda: b'{"anything":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
    "never closed": lambda: b"[" * 900_000,
    "long number": lambda: b'{"anything":' + b"9" * 900_000 + b"}",
    "long exponent": lambda: b'{"anything":1e999999999}',
    "no number": lambda: b'{"anything":NaN}',
    "many keys": lambda: b'{"anything":{' + b",".join(b'"%d":1' % n for n in range(70_000)) + b"}}",
    "half a pair": lambda: b'{"anything":"\\ud800"}',
    "no text": lambda: b'{"anything":"\xff\xfe"}',
    "a null": lambda: b'{"anything":"\\u0000"}',
}


class TestMonster:
    @pytest.mark.parametrize("kind", MONSTERS)
    async def test_is_no_bug(self, port: int, kind: str) -> None:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            answer = await client.post(
                "/api/things", content=MONSTERS[kind](), headers={"Content-Type": "application/json"}
            )

        assert answer.status_code in (200, 400, 422)
