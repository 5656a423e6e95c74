"""Signing keys of subscriptions: made, sealed for the database, opened to sign."""

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PREFIX = "whsec_"
KEY_BYTES = 32
"""Standard Webhooks asks for 24 to 64."""
VERSION = b"\x01"
NONCE_BYTES = 12


class SecretUnreadable(Exception):
    """A stored key does not open with NOTIFY_SECRET_KEY: the setting was changed or the row was tampered with."""


def new_secret() -> str:
    """A new signing key in the form subscribers paste into their verifier."""
    return PREFIX + base64.b64encode(os.urandom(KEY_BYTES)).decode()


class Seal:
    """AES-256-GCM under one key; bound to the subscription, so that sealed keys cannot change places."""

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise ValueError("NOTIFY_SECRET_KEY must hold 32 bytes")
        self._cipher = AESGCM(key)

    def close(self, subscription_id: str, secret: str) -> bytes:
        """Seal a signing key."""
        nonce = os.urandom(NONCE_BYTES)
        return VERSION + nonce + self._cipher.encrypt(nonce, secret.encode(), subscription_id.encode())

    def open(self, subscription_id: str, sealed: bytes) -> str:
        """The signing key again. Raises `SecretUnreadable`."""
        nonce, text = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, text, subscription_id.encode()).decode()
        except InvalidTag:
            raise SecretUnreadable(subscription_id) from None
