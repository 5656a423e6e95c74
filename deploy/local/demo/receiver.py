"""An NGO's system: subscribes, then takes signed notices, checks each signature and answers 200.

Started as `python -m deploy.local.demo.receiver <script.json>`; `GET /counts` says what came.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import aiohttp
import standardwebhooks
from aiohttp import web

from deploy.local.demo import ngo
from deploy.local.demo.client import Client


class Receiver:
    """Counts what came: `received` good requests, `distinct` ids among them, `refused` bad signatures.

    Each distinct notice becomes one JSON line of the file `kept`, which a restart reads again.
    """

    def __init__(self, kept: Path) -> None:
        self.kept = kept
        self.ids: set[str] = set()
        self.received = 0
        self.refused = 0
        self.lock: standardwebhooks.Webhook | None = None
        if kept.exists():
            self.ids = {json.loads(line)["id"] for line in kept.read_text(encoding="utf-8").splitlines()}

    def use(self, secret: str) -> None:
        self.lock = standardwebhooks.Webhook(secret)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 20)
        app.router.add_post("/notices", self.take)
        app.router.add_get("/readyz", self.ready)
        app.router.add_get("/counts", self.tell)
        return app

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.lock is None:
            return web.Response(status=503)  # subscribed this instant: the secret is on its way to us
        try:
            self.lock.verify(body, dict(request.headers), json_parse=False)
        except (standardwebhooks.WebhookVerificationError, ValueError):
            self.refused += 1
            return web.Response(status=401)
        self.received += 1
        notice_id = request.headers["webhook-id"]
        if notice_id not in self.ids:
            self.ids.add(notice_id)
            line = {"id": notice_id, "headers": dict(request.headers), "body": body.decode()}
            self.kept.touch(mode=0o600)
            with self.kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        return web.Response(status=200)

    async def ready(self, _request: web.Request) -> web.Response:
        return web.Response(status=503 if self.lock is None else 200)

    async def tell(self, _request: web.Request) -> web.Response:
        return web.json_response(self.counts())

    def counts(self) -> dict[str, int]:
        return {"received": self.received, "distinct": len(self.ids), "refused": self.refused}


async def play(script: dict[str, Any]) -> None:
    """Serve, subscribe (once: a restart remembers), and receive until ended."""
    receiver = Receiver(Path(script["kept"]))
    runner = web.AppRunner(receiver.app(), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", script["port"]).start()
        async with aiohttp.ClientSession() as http:
            wish = ngo.Wish(url=f"http://127.0.0.1:{script['port']}/notices", **script["wish"])
            subscription = await ngo.subscribe(Client(http, **script["client"]), wish, Path(script["known"]))
        receiver.use(subscription.secret)
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(play(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
