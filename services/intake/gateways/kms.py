"""The key-management service (KMS) that has wrapped the keys intake is given; or none, when they come in the clear.

It is asked once, at the start: from then on the keys are in memory, and whether it answers is of no concern.
"""

import asyncio
import base64
from collections.abc import Sequence
from typing import Any, Protocol

import aiohttp
import orjson
import structlog

log = structlog.get_logger()

MOST_BYTES = 64 * 1024
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0


class KeyUnusable(Exception):
    """A key cannot be had, and waiting will not help. `setting` names what has to be mended, `why` never a key."""

    def __init__(self, setting: str, why: str) -> None:
        super().__init__(f"{setting} {why}")
        self.setting = setting


class KmsAway(Exception):
    """The KMS does not answer, or cannot at the moment. Ask again."""


class Kms(Protocol):
    """Wraps keys for safekeeping outside and unwraps them again."""

    async def wrap(self, key: bytes) -> str:
        """Raises `KeyUnusable` or `KmsAway`."""

    async def unwrap(self, given: str, *, setting: str) -> bytes:
        """The key that a setting has wrapped. Raises `KeyUnusable` or `KmsAway`."""


class InTheClear:
    """No KMS: keys are given as they are, in base64url."""

    async def wrap(self, key: bytes) -> str:
        return base64.urlsafe_b64encode(key).decode().rstrip("=")

    async def unwrap(self, given: str, *, setting: str) -> bytes:  # noqa: ARG002 - of the protocol
        return decoded(given)


class Transit:
    """A KMS that speaks like the transit engine of HashiCorp Vault and OpenBao: `POST <url>/decrypt/<name>`.

    Never follows a redirect, never uses a proxy, reads no more of an answer than a key takes.
    """

    def __init__(self, url: str, name: str, token: str, timeout_s: float) -> None:
        self._url = url.rstrip("/")
        self._name = name
        self._token = token
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def wrap(self, key: bytes) -> str:
        plaintext = base64.b64encode(key).decode()
        return await self._ask("encrypt", {"plaintext": plaintext}, "ciphertext", setting="KMS_KEY")

    async def unwrap(self, given: str, *, setting: str) -> bytes:
        plaintext = await self._ask("decrypt", {"ciphertext": given}, "plaintext", setting=setting)
        try:
            return base64.b64decode(plaintext, validate=True)
        except ValueError:
            raise KeyUnusable("KMS_URL", "does not answer like a KMS: what it unwrapped is not base64") from None

    async def _ask(self, verb: str, sent: dict[str, str], wanted: str, *, setting: str) -> str:
        headers = {"Authorization": f"Bearer {self._token}", "Accept-Encoding": "identity"}
        try:
            async with (
                aiohttp.ClientSession(
                    timeout=self._timeout,
                    trust_env=False,
                    cookie_jar=aiohttp.DummyCookieJar(),
                    auto_decompress=False,
                    headers=headers,
                ) as http,
                http.post(f"{self._url}/{verb}/{self._name}", json=sent, allow_redirects=False) as answer,
            ):
                self._accept(answer.status, setting)
                content = await _bounded(answer)
        except aiohttp.ClientSSLError:
            raise KeyUnusable("KMS_URL", "has a certificate that is not trusted here") from None
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, OSError, TimeoutError) as error:
            raise KmsAway(type(error).__name__) from None
        except (aiohttp.ClientError, ValueError):
            raise KeyUnusable("KMS_URL", "does not answer like a KMS") from None
        return _said(content, wanted)

    def _accept(self, status: int, setting: str) -> None:
        """Return when the KMS has done what was asked."""
        if status == 200:
            return
        if status == 429 or status >= 500:
            raise KmsAway(str(status))
        if 300 <= status < 400:
            raise KeyUnusable("KMS_URL", f"leads elsewhere (answer {status}); give the address that answers itself")
        if status in (401, 403):
            raise KeyUnusable("KMS_TOKEN", f"is not accepted, or may not use {self._name} (answer {status})")
        if status in (404, 405):
            raise KeyUnusable("KMS_URL", f"has no key {self._name} there, see KMS_KEY (answer {status})")
        raise KeyUnusable(setting, f"was not wrapped by {self._name} of this KMS (answer {status})")


async def unwrap_all(kms: Kms, given: Sequence[tuple[str, str]], *, bytes_wanted: int) -> list[bytes]:
    """The keys of (setting, what it has), in order; waits while the KMS is away. Raises `KeyUnusable`."""
    keys = []
    for setting, text in given:
        key = await _patiently(kms, text, setting)
        if problem := problem_of(key, bytes_wanted):
            raise KeyUnusable(setting, problem)
        keys.append(key)
    return keys


def decoded(text: str) -> bytes:
    """A key in base64url, or base64; nothing when it is neither."""
    text = text.translate(str.maketrans("+/", "-_")).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return b""


def problem_of(key: bytes, bytes_wanted: int) -> str | None:
    """Why something cannot be a key, None when it can."""
    if len(key) != bytes_wanted:
        return f"must be {bytes_wanted} bytes in base64url; make a key with `python -m services.intake new-key`"
    if len(set(key)) == 1:
        return "is a constant, not a key; make one with `python -m services.intake new-key`"
    return None


async def _patiently(kms: Kms, text: str, setting: str) -> bytes:
    pause = FIRST_PAUSE_S
    while True:
        try:
            return await kms.unwrap(text, setting=setting)
        except KmsAway as away:
            log.warning("kms_away", setting="KMS_URL", error=str(away), again_in_s=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    read = bytearray()
    while chunk := await answer.content.read(MOST_BYTES + 1 - len(read)):
        read += chunk
        if len(read) > MOST_BYTES:
            raise KeyUnusable("KMS_URL", f"does not answer like a KMS: more than {MOST_BYTES} bytes")
    return bytes(read)


def _said(content: bytes, wanted: str) -> str:
    """`{"data": {wanted: …}}`."""
    try:
        found: Any = orjson.loads(content)
        said = found["data"][wanted]
    except (ValueError, LookupError, TypeError):
        said = None
    if not isinstance(said, str) or not said:
        raise KeyUnusable("KMS_URL", f"does not answer like a KMS: its answer has no {wanted}")
    return said
