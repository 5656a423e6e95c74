"""A small key-management service that speaks as a transit engine does, for tests: it wraps under keys of its own."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from cryptography.fernet import Fernet, InvalidToken

TOKEN = "s.kms-token-of-the-tests"
Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


async def as_it_should(_: web.Request) -> None:
    """Answer as a KMS does."""


@dataclass
class KmsServer:
    """`asked` are the requests it has had; what `behave` answers goes before what a KMS would."""

    url: str = ""
    behave: Behaviour = as_it_should
    asked: list[str] = field(default_factory=list)
    keys: dict[str, Fernet] = field(default_factory=lambda: {"rujukan": Fernet(Fernet.generate_key())})

    def wrapped(self, key: bytes, name: str = "rujukan") -> str:
        return f"vault:v1:{self.keys[name].encrypt(key).decode()}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if (strange := await self.behave(request)) is not None:
            return strange
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"errors": ["permission denied"]}, status=403)
        key = self.keys.get(request.match_info["name"])
        if key is None:
            return web.json_response({"errors": []}, status=404)
        sent = await request.json()
        if request.match_info["verb"] == "encrypt":
            plaintext = base64.b64decode(sent["plaintext"])
            return web.json_response({"data": {"ciphertext": self.wrapped(plaintext, request.match_info["name"])}})
        try:
            opened = key.decrypt(sent["ciphertext"].removeprefix("vault:v1:"))
        except InvalidToken:
            return web.json_response({"errors": ["cipher: message authentication failed"]}, status=400)
        return web.json_response({"data": {"plaintext": base64.b64encode(opened).decode()}})


@asynccontextmanager
async def serving(port: int = 0) -> AsyncIterator[KmsServer]:
    server = KmsServer()
    app = web.Application()
    app.router.add_post("/v1/transit/{verb:encrypt|decrypt}/{name}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1/transit"
    try:
        yield server
    finally:
        await runner.cleanup()


async def slowly(_: web.Request) -> None:
    await asyncio.sleep(1)
