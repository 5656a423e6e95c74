"""Signing keys of subscriptions: made, sealed for the database, opened to sign."""

import base64
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PREFIX = "whsec_"
KEY_BYTES = 32
"""Standard Webhooks asks for 24 to 64."""
VERSION = b"\x01"
NONCE_BYTES = 12


class SecretUnreadable(Exception):
    """A stored key opens with none of NOTIFY_SECRET_KEY and NOTIFY_SECRET_KEY_OLD, or the row was changed."""


def new_secret() -> str:
    """A new signing key in the form subscribers paste into their verifier."""
    return PREFIX + base64.b64encode(os.urandom(KEY_BYTES)).decode()


class Seal:
    """AES-256-GCM under one key; bound to the subscription, so that sealed keys cannot change places.

    `old` are keys that may still open, until everything is sealed under `key`.
    """

    def __init__(self, key: bytes, old: Sequence[bytes] = ()) -> None:
        if any(len(one) != 32 for one in (key, *old)):
            raise ValueError("NOTIFY_SECRET_KEY must hold 32 bytes")
        self._cipher = AESGCM(key)
        self._all = [self._cipher, *map(AESGCM, old)]

    def close(self, subscription_id: str, secret: str) -> bytes:
        """Seal a signing key."""
        nonce = os.urandom(NONCE_BYTES)
        return VERSION + nonce + self._cipher.encrypt(nonce, secret.encode(), subscription_id.encode())

    def open(self, subscription_id: str, sealed: bytes) -> str:
        """The signing key again. Raises `SecretUnreadable`."""
        for cipher in self._all:
            secret = _opened(cipher, subscription_id, sealed)
            if secret is not None:
                return secret
        raise SecretUnreadable(subscription_id)

    def is_current(self, subscription_id: str, sealed: bytes) -> bool:
        """True when this is sealed under the key that seals now."""
        return _opened(self._cipher, subscription_id, sealed) is not None

    def reseal(self, subscription_id: str, sealed: bytes) -> bytes:
        """The same signing key under the key that seals now. Raises `SecretUnreadable`."""
        return self.close(subscription_id, self.open(subscription_id, sealed))


def _opened(cipher: AESGCM, subscription_id: str, sealed: bytes) -> str | None:
    nonce, text = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        return cipher.decrypt(nonce, text, subscription_id.encode()).decode()
    except InvalidTag:
        return None
