"""Intake and the identity provider as referral meets them: a token, and an answer to who somebody is."""

from typing import Any

from aiohttp import web


class IntakeServer:
    """`answers` are given in turn, the last for ever: a status, or fields. `asked` keeps what was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[dict[str, Any]] = []
        self.tokens: list[str] = []
        self.answers: list[int | dict[str, str]] = [{"full_name": "Siti Aminah"}]
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def start(self) -> None:
        """Begin to answer, after a stop at the same address."""
        app = web.Application()
        app.router.add_get("/livez", self._livez)
        app.router.add_get("/.well-known/openid-configuration", self._discovery)
        app.router.add_post("/token", self._token)
        app.router.add_post("/api/disclosures", self._disclose)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _livez(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _discovery(self, _: web.Request) -> web.Response:
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
        return web.json_response({"issuer": self.url, **{key: f"{self.url}/{path}" for key, path in names.items()}})

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        return web.json_response({"access_token": "for-" + str(form["audience"]), "expires_in": 300})

    async def _disclose(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self.asked.append(asked)
        self.tokens.append(request.headers["Authorization"])
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, int):
            return web.json_response({"status": answer}, status=answer)
        return web.json_response({"case_id": asked["case_id"], "fields": answer})
