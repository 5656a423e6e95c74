"""The one errand of referral: ask intake who the person of an accepted assignment is.

What comes back is handed on and forgotten: not stored, not cached, not logged. Never called inside a transaction.
"""

import asyncio
import time
from typing import Any

import aiohttp

from services.referral.domain.refusals import IdentityFollows, IdentityWithheld
from shared.kit import telemetry
from shared.kit.identity import ProviderAway, ServiceToken

TIMEOUT_S = 3.0
NOT_HEARD_YET = 409
PATIENCE_S = 2.0
"""How long we ask again while intake has not yet heard of the acceptance."""
FIRST_PAUSE_S = 0.1


class Disclosure:
    """Asks intake. `url` is intake's address, `http` a session that is closed by whoever made it."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._intake = url
        self._url = f"{url}/api/disclosures"

    async def answers(self) -> bool:
        """True when intake is there to be asked; nobody is read for that."""
        try:
            async with self._http.get(
                f"{self._intake}/livez", timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), allow_redirects=False
            ) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def disclose(
        self, token: ServiceToken, *, case_id: str, assignment_id: str, agency_id: str, reader: str
    ) -> dict[str, str]:
        """The fields that the need allows, for this reader. Raises `IdentityFollows` or `IdentityWithheld`."""
        asked = {
            "case_id": case_id,
            "assignment_id": assignment_id,
            "agency_id": agency_id,
            "reader": reader,
            "purpose": "service_delivery",
        }
        give_up_at, pause = time.monotonic() + PATIENCE_S, FIRST_PAUSE_S
        while True:
            status, answer = await self._ask(token, asked)
            if status == 200:
                return {str(name): str(value) for name, value in answer["fields"].items()}
            if status != NOT_HEARD_YET and status < 500:
                raise IdentityWithheld
            if status >= 500 or time.monotonic() + pause >= give_up_at:
                raise IdentityFollows
            await asyncio.sleep(pause)
            pause *= 2

    async def _ask(self, token: ServiceToken, asked: dict[str, str]) -> tuple[int, dict[str, Any]]:
        try:
            headers = await token.header("intake")
            trace = telemetry.traceparent()
            async with self._http.post(
                self._url,
                json=asked,
                headers=headers | ({"traceparent": trace} if trace else {}),
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
                allow_redirects=False,
            ) as answer:
                fields = await answer.json() if answer.status == 200 else {}
                return answer.status, fields
        except (aiohttp.ClientError, TimeoutError, ProviderAway, ValueError, KeyError) as error:
            raise IdentityFollows from error
