"""The webhook channel: one signed POST by the Standard Webhooks specification."""

import asyncio
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp
from aiohttp.abc import AbstractResolver
from standardwebhooks import Webhook

from services.notify.domain.deliveries import Answer, Claimed, Trouble, trouble_with
from services.notify.gateways.addresses import AddressRefused, Guard, Names
from services.notify.gateways.connections import BoundedConnector

CONNECT_S = 3.0
TOTAL_S = 10.0
GRACE_S = 1.0
LONGEST_ATTEMPT_S = TOTAL_S + GRACE_S
EXCERPT_S = 1.0
"""The status line decides; the rest of an answer is read this long and no longer."""
EXCERPT_BYTES = 4096
MOST_HEADERS = 100
USER_AGENT = "Rujukan-Webhook/1"


class WebhookChannel:
    """POSTs notices. Never follows a redirect, never uses a proxy, keeps no cookie, inflates nothing."""

    def __init__(
        self,
        *,
        open_secret: Callable[[str, bytes], str],
        private: frozenset[str] = frozenset(),
        resolver: Callable[[Guard], AbstractResolver] = Names,
        connect_s: float = CONNECT_S,
        total_s: float = TOTAL_S,
    ) -> None:
        self._open_secret = open_secret
        self._guard = Guard(private)
        self._resolver = resolver
        self._timeout = aiohttp.ClientTimeout(total=total_s, connect=connect_s, sock_connect=connect_s)
        self._total_s = total_s
        self._session: aiohttp.ClientSession | None = None
        self._names: AbstractResolver | None = None

    async def send(self, claimed: Claimed, *, now: datetime) -> Answer:
        """Send one notice once. Always answers; what went wrong is in the answer's `trouble`."""
        began = time.monotonic()
        headers = self._headers(claimed, now)

        def answer(
            status: int | None,
            trouble: Trouble | None,
            retry_after: timedelta | None = None,
            response: bytes = b"",
        ) -> Answer:
            return Answer(now, round((time.monotonic() - began) * 1000), status, trouble, retry_after, response)

        try:
            # The outer limit holds even where the client's own timers do not reach.
            async with asyncio.timeout(self._total_s + GRACE_S):
                async with self._opened().post(
                    claimed.url, data=claimed.body, headers=headers, allow_redirects=False
                ) as response:
                    retry_after = _retry_after(response.headers.get("Retry-After"), now)
                    excerpt = await _excerpt(response)
                    trouble = trouble_with(response.status, retry_after=retry_after is not None)
                    return answer(response.status, trouble, retry_after, excerpt)
        except (aiohttp.ClientError, OSError, ValueError, ssl.CertificateError) as error:
            return answer(None, _trouble(error))

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()
        if self._names is not None:
            await self._names.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._names = self._resolver(self._guard)
            self._session = aiohttp.ClientSession(
                connector=BoundedConnector(
                    limit=0,  # the courier bounds what is in flight, in all and per subscriber
                    socket_factory=self._guard.socket,
                    resolver=self._names,
                    ttl_dns_cache=10,
                ),
                timeout=self._timeout,
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                max_headers=MOST_HEADERS,
                read_bufsize=16 * 1024,
            )
        return self._session

    def _headers(self, claimed: Claimed, now: datetime) -> dict[str, str]:
        secret = self._open_secret(claimed.subscription_id, claimed.sealed_secret)
        headers = {
            "content-type": "application/json",
            "accept-encoding": "identity",
            "user-agent": USER_AGENT,
            "webhook-id": claimed.delivery_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(secret).sign(claimed.delivery_id, now, claimed.body.decode()),
        }
        if claimed.traceparent:
            headers["traceparent"] = claimed.traceparent
        return headers


async def _excerpt(response: aiohttp.ClientResponse) -> bytes:
    """At most 4 KiB of what came in a second; a longer or slower answer is cut and its connection closed."""
    read = bytearray()
    try:
        async with asyncio.timeout(EXCERPT_S):
            while len(read) < EXCERPT_BYTES:
                chunk = await response.content.read(EXCERPT_BYTES - len(read))
                if not chunk:
                    return bytes(read)
                read += chunk
    except (TimeoutError, aiohttp.ClientError, OSError):
        pass
    response.close()
    return bytes(read)


def _trouble(error: Exception) -> Trouble:
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError | ssl.CertificateError):
        return "tls"
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, AddressRefused):
        return "address_refused"
    return "connection"


def _retry_after(value: str | None, now: datetime) -> timedelta | None:
    """`Retry-After` as seconds or as a date; None when it is absent or says nothing usable."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return timedelta(seconds=min(int(value.strip()[:9]), 10**8))
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(until - now, timedelta(0))
