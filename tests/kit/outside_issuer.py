"""A small identity provider of the outside world: serves whatever keys a test puts there, signs whatever it is told."""

import base64
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

Key = ECKey | OKPKey | OctKey | RSAKey


class OutsideIssuer:
    """`keys` are published as they are; `asked` counts the times they were read."""

    def __init__(self) -> None:
        self.url = ""
        self.inside = ""  # where it really listens
        self.keys: list[dict[str, Any]] = []
        self.asked = 0
        self.broken = False
        self.main = self.publish(ECKey.generate_key("P-256"), "main", "ES256")

    def publish(self, key: Key, kid: str, alg: str) -> Key:
        """Add a key to the published set; returns it."""
        self.keys.append({**key.as_dict(private=False), "kid": kid, "alg": alg, "use": "sig"})
        return key

    def claims(self, **other: Any) -> dict[str, Any]:
        """Good claims of an agency's system for the audience `intake`; a value of None leaves a claim out."""
        now = int(time.time())
        good = {
            "iss": self.url,
            "aud": "intake",
            "sub": "DINSOS-73.06",
            "org": "DINSOS-73.06",
            "roles": ["agency_system"],
            "region": "73.06",
            "kind": "client",
            "scope": "rujukan",
            "jti": secrets.token_hex(8),
            "iat": now,
            "exp": now + 300,
        }
        return {name: value for name, value in (good | other).items() if value is not None}

    def sign(
        self, claims: dict[str, Any] | bytes, *, key: Key | None = None, header: dict[str, Any] | None = None
    ) -> str:
        """A signed token with exactly these claims; `header` overrides, None leaves a parameter out."""
        wanted = {"alg": "ES256", "kid": "main", "typ": "at+jwt"} | (header or {})
        payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
        head = json.dumps({name: value for name, value in wanted.items() if value is not None}).encode()
        message = b".".join((encoded(head), encoded(payload)))
        # The bare algorithm, because a forger is not held back by a library's checks.
        signature = jws.JWSRegistry.algorithms[str(wanted["alg"])].sign(message, key or self.main)
        return b".".join((message, encoded(signature))).decode()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/jwks", self._jwks)
        app.router.add_post("/token_endpoint", self._token)
        return app

    async def _discovery(self, _: web.Request) -> web.Response:
        if self.broken:
            return web.Response(status=502, text="<h1>Bad gateway</h1>")
        endpoints = ("authorization_endpoint", "token_endpoint")
        return web.json_response(
            {"issuer": self.url, "jwks_uri": f"{self.inside}/jwks"} | {name: f"{self.url}/{name}" for name in endpoints}
        )

    async def _token(self, _: web.Request) -> web.Response:
        return web.json_response({"access_token": self.sign(self.claims()), "expires_in": 300})

    async def _jwks(self, _: web.Request) -> web.Response:
        self.asked += 1
        return web.json_response({"keys": self.keys})


@asynccontextmanager
async def outside_issuer(issuer: OutsideIssuer | None = None) -> AsyncIterator[OutsideIssuer]:
    """A running issuer on a free loopback port."""
    issuer = issuer or OutsideIssuer()
    runner = web.AppRunner(issuer.app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    issuer.url = issuer.inside = f"http://{host}:{port}"
    try:
        yield issuer
    finally:
        await runner.cleanup()


def encoded(part: bytes) -> bytes:
    """base64url without padding."""
    return base64.urlsafe_b64encode(part).rstrip(b"=")
