"""One organisation's connection to one service: its own token, JSON in and out. Knows the public API, nothing else."""

import asyncio
import hashlib
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import aiohttp

PATIENCE_S = 20.0
"""How long a request is repeated while the service is away or asks to come back later."""


class Refused(Exception):
    """The service said no (or did not answer in PATIENCE_S): its problem document, or what stands for one."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"{status} {said}")
        self.status = status


@dataclass(slots=True)
class Client:
    """Speaks as `client_id` to the service `audience` at `url`."""

    http: aiohttp.ClientSession
    issuer: str
    client_id: str
    secret: str
    audience: str
    url: str
    _token: str = field(default="", init=False)
    _good_until: float = field(default=0.0, init=False)

    async def get(self, path: str, **query: str) -> Any:
        return await self.ask("GET", path, params=query)

    async def post(self, path: str, body: Any, **query: str) -> Any:
        """Post `body`: JSON, or bytes sent as CSV.

        The idempotency key is derived from the content: the same post twice, even by another run, is one.
        """
        is_file = isinstance(body, bytes)
        content = body if is_file else json.dumps(body, sort_keys=True).encode()
        key = hashlib.sha256(f"{self.client_id} {path} {query} ".encode() + content).hexdigest()
        headers = {"Idempotency-Key": key, "Content-Type": "text/csv" if is_file else "application/json"}
        return await self.ask("POST", path, params=query, data=content, headers=headers)

    async def put(self, path: str, body: Any) -> Any:
        """Put `body`. A key of its own each time: the same change may be wanted again after another one."""
        return await self.ask("PUT", path, json=body, headers={"Idempotency-Key": secrets.token_hex(16)})

    async def ask(self, method: str, path: str, *, headers: dict[str, str] | None = None, **kwargs: Any) -> Any:
        """One request, repeated while the service is away. Returns the JSON of the answer (None when empty).

        Raises Refused for every answer from 400 on that waiting cannot mend.
        """
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                token = await self._bearer()
                async with self.http.request(
                    method,
                    self.url + path,
                    headers={"Accept-Language": "en", **(headers or {}), "Authorization": f"Bearer {token}"},
                    timeout=aiohttp.ClientTimeout(total=PATIENCE_S),
                    **kwargs,
                ) as answer:
                    if answer.status < 400:
                        return await answer.json(content_type=None) if answer.status != 204 else None
                    if answer.status not in (429, 502, 503, 504) or time.monotonic() > end:
                        raise Refused(answer.status, f"{method} {path}: {said_by(await answer.text())}")
            except (aiohttp.ClientConnectionError, TimeoutError) as trouble:
                if time.monotonic() > end:
                    raise Refused(0, f"{method} {path}: no answer ({trouble})") from trouble
            await asyncio.sleep(0.2)

    async def _bearer(self) -> str:
        if time.monotonic() < self._good_until:
            return self._token
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.secret,
            "audience": self.audience,
        }
        async with self.http.post(
            f"{self.issuer}/token", data=form, timeout=aiohttp.ClientTimeout(total=PATIENCE_S)
        ) as answer:
            if answer.status != 200:
                raise Refused(answer.status, f"no token for {self.client_id}: {(await answer.text())[:300]}")
            granted = await answer.json(content_type=None)
        self._token = granted["access_token"]
        self._good_until = time.monotonic() + float(granted.get("expires_in", 60)) * 0.8
        return self._token


def said_by(body: str) -> str:
    """The sentences of a problem document (RFC 9457), or the beginning of whatever else it is."""
    try:
        problem = json.loads(body)
    except ValueError:
        return body[:300]
    if not isinstance(problem, dict):
        return body[:300]
    cells = [f"{e.get('message', '')} {e.get('remedy', '')}".strip() for e in problem.get("errors", [])[:5]]
    return " ".join(str(part) for part in (problem.get("title"), problem.get("detail"), *cells) if part)


def segment(text: str) -> str:
    """`text` as one segment of a path."""
    return quote(text, safe="")
