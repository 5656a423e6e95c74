"""Tokens with which a service speaks to another one: client credentials, kept until shortly before they end."""

import asyncio
import time
from collections import defaultdict

from shared.kit.clock import SystemClock
from shared.kit.identity.issuer import Issuer
from shared.kit.identity.refusals import ProviderAway

RENEW_BEFORE_S = 30


class ServiceToken:
    """The Bearer tokens of one client, one per audience. `issuer` is an `Issuer` or the address of one."""

    def __init__(self, issuer: Issuer | str, client_id: str, client_secret: str) -> None:
        self._issuer = Issuer(issuer, SystemClock()) if isinstance(issuer, str) else issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._held: dict[str, tuple[float, str]] = {}
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def header(self, audience: str) -> dict[str, str]:
        """The Authorization header for a request to `audience`. Raises `ProviderAway`, also when it refuses us."""
        async with self._asking[audience]:
            renew_at, token = self._held.get(audience, (0.0, ""))
            if time.monotonic() >= renew_at:
                token = await self._ask(audience)
        return {"Authorization": f"Bearer {token}"}

    async def aclose(self) -> None:
        await self._issuer.aclose()

    async def _ask(self, audience: str) -> str:
        asked_at = time.monotonic()
        endpoints = await self._issuer.endpoints()
        status, answer = await self._issuer.post(
            endpoints.token,
            {
                "grant_type": "client_credentials",
                "client_id": self._client_id,
                "client_secret": self._client_secret,
                "audience": audience,
            },
        )
        token, lifetime_s = answer.get("access_token"), answer.get("expires_in", 60)
        if status != 200 or not isinstance(token, str) or not isinstance(lifetime_s, int | float):
            raise ProviderAway
        self._held[audience] = (asked_at + max(lifetime_s - RENEW_BEFORE_S, lifetime_s / 2), token)
        return token
