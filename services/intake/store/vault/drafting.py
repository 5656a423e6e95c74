"""Sealing drafts: one random key for each, that ends with it. What is sealed opens in its own place alone."""

import os
import zlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.intake.store.vault.ring import KEY_BYTES, NONCE_BYTES, Damaged, Keyring
from services.intake.store.vault.wrapped import DRAFTS

FORM = "draft.1"
"""Names the form of what is sealed; part of the context."""


class DraftKey:
    """The key of one draft, in memory for as long as it is looked at."""

    def __init__(self, key: bytes, draft_id: str) -> None:
        self._key = AESGCM(key)
        self._draft_id = draft_id

    def seal(self, place: str, content: bytes) -> bytes:
        """12 bytes of nonce, then the sealed deflated content, for this place of this draft."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._key.encrypt(nonce, zlib.compress(content, 1), self._context(place))

    def open(self, place: str, sealed: bytes) -> bytes:
        """What `seal` sealed. Raises `Damaged`."""
        try:
            return zlib.decompress(self._key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._context(place)))
        except InvalidTag:
            raise Damaged("these sealed bytes do not belong to this place of this draft, or were changed") from None

    def _context(self, place: str) -> bytes:
        return f"{self._draft_id}:{place}:{FORM}".encode()


def new_key(ring: Keyring, draft_id: str) -> tuple[bytes, DraftKey]:
    """A new key for a draft: wrapped as a person's is, and open."""
    key = os.urandom(KEY_BYTES)
    return ring.wrap(key, os.urandom(NONCE_BYTES), owner(draft_id)), DraftKey(key, draft_id)


def open_key(ring: Keyring, wrapped_key: bytes, draft_id: str) -> DraftKey:
    """Raises `WrongKey` or `Damaged`."""
    return DraftKey(ring.unwrap(wrapped_key, owner(draft_id)), draft_id)


def owner(draft_id: str) -> str:
    """Whose a wrapped key is: a draft's passes for no person's."""
    return DRAFTS.before + draft_id
