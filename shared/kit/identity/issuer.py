"""The identity provider as we see it: its discovery document, its keys, and the form posts to its endpoints."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import orjson
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from shared.kit.clock import Clock
from shared.kit.identity.refusals import ProviderAway

log = structlog.get_logger()

KEYS_GOOD_FOR = timedelta(hours=1)
PAUSE = timedelta(seconds=10)
"""Between two tries to read the keys: strangers with invented key ids must not make us call the provider."""
FIRST_PAUSE = timedelta(seconds=1)
ANSWER_LIMIT_BYTES = 256 * 1024
TIMEOUT = aiohttp.ClientTimeout(total=5)

ALGORITHMS: dict[tuple[str, str], frozenset[str]] = {
    ("EC", "P-256"): frozenset({"ES256"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA", "Ed25519"}),
}
"""Which algorithms a kind of key may verify. Nothing else is accepted from anybody."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The addresses in a discovery document that we use."""

    authorization: str
    token: str
    keys: str
    end_session: str | None = None
    """Where a browser is sent to sign out at the provider as well, if it offers that."""


@dataclass(frozen=True, slots=True)
class VerificationKey:
    key: ECKey | OKPKey
    algorithms: frozenset[str]


class Issuer:
    """One identity provider. Nothing is read before it is needed, so services start in any order.

    `discovery_url` is where its discovery document is read when that is not below `url`, the issuer its tokens
    name: a provider inside a cluster that people reach by another address.
    """

    def __init__(self, url: str, clock: Clock, discovery_url: str = "") -> None:
        self.url = url.rstrip("/")
        self._discovery_url = discovery_url or f"{self.url}/.well-known/openid-configuration"
        self._clock = clock
        self._reading = asyncio.Lock()
        self._endpoints: Endpoints | None = None
        self._keys: dict[str, VerificationKey] = {}
        self._read_at = self._tried_at = datetime.min.replace(tzinfo=UTC)
        self._session: aiohttp.ClientSession | None = None

    async def endpoints(self) -> Endpoints:
        """Where the provider is asked for what. Raises `ProviderAway`."""
        if self._endpoints is None:
            self._endpoints = await self._discover()
        return self._endpoints

    async def key(self, kid: str) -> VerificationKey | None:
        """The provider's key with this id, None when it has none. Raises `ProviderAway` when no key is known yet."""
        if kid not in self._keys or self._clock.now() - self._read_at > KEYS_GOOD_FOR:
            await self._refresh()
        return self._keys.get(kid)

    async def post(self, url: str, form: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """Post a form; answers status and JSON object. Raises `ProviderAway`."""
        return await self._ask("POST", url, form)

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _refresh(self) -> None:
        """Read discovery document and keys again, not more often than allowed; keep the old keys when that fails."""
        async with self._reading:
            now = self._clock.now()
            if now - self._tried_at >= (PAUSE if self._keys else FIRST_PAUSE):
                self._tried_at = now
                try:
                    self._endpoints = await self._discover()
                    self._keys = await self._fetch_keys(self._endpoints.keys)
                    self._read_at = now
                except ProviderAway:
                    log.warning("identity_provider_away", known_keys=len(self._keys))
            if not self._keys:
                raise ProviderAway

    async def _discover(self) -> Endpoints:
        status, document = await self._ask("GET", self._discovery_url)
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        addresses = [address for name in names if isinstance(address := document.get(name), str)]
        if status != 200 or document.get("issuer") != self.url or len(addresses) != len(names):
            log.warning("discovery_document_unusable", status=status)
            raise ProviderAway
        authorization, token, keys = addresses
        end_session = document.get("end_session_endpoint")
        return Endpoints(authorization, token, keys, end_session if isinstance(end_session, str) else None)

    async def _fetch_keys(self, url: str) -> dict[str, VerificationKey]:
        status, answer = await self._ask("GET", url)
        keys = answer.get("keys")
        if status != 200 or not isinstance(keys, list):
            raise ProviderAway
        return dict(filter(None, map(_usable, keys)))

    async def _ask(self, method: str, url: str, form: Mapping[str, str] | None = None) -> tuple[int, dict[str, Any]]:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        try:
            async with self._session.request(method, url, data=form, allow_redirects=False) as answer:
                body = bytearray()
                async for chunk in answer.content.iter_any():
                    body += chunk
                    if len(body) > ANSWER_LIMIT_BYTES:
                        raise ProviderAway
                document = orjson.loads(body)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            raise ProviderAway from None
        if not isinstance(document, dict):
            raise ProviderAway
        return answer.status, document


def _usable(jwk: object) -> tuple[str, VerificationKey] | None:
    """A key we verify with and its id; None for all other kinds."""
    if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig" or not isinstance(jwk.get("kid"), str):
        return None
    algorithms = ALGORITHMS.get((str(jwk.get("kty")), str(jwk.get("crv"))), frozenset())
    if jwk.get("alg") is not None:
        algorithms &= {str(jwk["alg"])}
    if not algorithms:
        return None
    public = {name: jwk[name] for name in ("kty", "crv", "x", "y") if name in jwk}
    try:
        key = ECKey.import_key(public) if jwk["kty"] == "EC" else OKPKey.import_key(public)
        key.public_key  # noqa: B018 - reads the point, which raises when it is none
    except (JoseError, ValueError):
        return None
    return jwk["kid"], VerificationKey(key, algorithms)
