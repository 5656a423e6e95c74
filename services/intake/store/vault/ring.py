"""The ring of key-encryption keys: one that wraps, and those that may still open until nothing is left under them."""

import os
from collections.abc import Sequence
from hashlib import blake2b

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
MARK_BYTES = 4


class WrongKey(Exception):
    """A person's key was wrapped by a key-encryption key that is not on the ring."""


class Damaged(Exception):
    """Sealed bytes do not belong to this person or case, or were changed."""


class SameMark(ValueError):
    """A key-encryption key stands on the ring twice."""


class Keyring:
    """Wraps persons' keys under the current key-encryption key and opens them with whichever had wrapped them.

    Each wrapped key begins with a mark that names its key-encryption key and tells nothing about it.
    """

    def __init__(self, current: bytes, old: Sequence[bytes] = ()) -> None:
        keys = [current, *old]
        for key in keys:
            if len(key) != KEY_BYTES:
                raise ValueError(f"a key-encryption key has {len(key)} bytes instead of {KEY_BYTES}")
        self._by_mark = {mark_of(key): AESGCM(key) for key in keys}
        if len(self._by_mark) != len(keys):
            raise SameMark("two key-encryption keys have the same mark")
        self.mark = mark_of(current)
        self._wrap = self._by_mark[self.mark].encrypt

    @property
    def marks(self) -> list[bytes]:
        """Those of all keys, the current one first."""
        return list(self._by_mark)

    def wrap(self, key: bytes, nonce: bytes, person_id: str) -> bytes:
        """Wrap a person's key under the current key: 4 bytes of mark, 12 of nonce, 48 of wrapped key."""
        return self.mark + nonce + self._wrap(nonce, key, person_id.encode())

    def unwrap(self, wrapped: bytes, person_id: str) -> bytes:
        """Raises `WrongKey` or `Damaged`."""
        kek = self._by_mark.get(wrapped[:MARK_BYTES])
        if kek is None:
            raise WrongKey("this person's key was wrapped by a key that is neither in VAULT_KEK nor in VAULT_KEK_OLD")
        nonce, key = wrapped[MARK_BYTES : MARK_BYTES + NONCE_BYTES], wrapped[MARK_BYTES + NONCE_BYTES :]
        try:
            return kek.decrypt(nonce, key, person_id.encode())
        except InvalidTag:
            raise Damaged("this wrapped key does not belong to this person, or was changed") from None

    def rewrap(self, wrapped: bytes, person_id: str) -> bytes:
        """The same person's key under the current key. Raises `WrongKey` or `Damaged`."""
        return self.wrap(self.unwrap(wrapped, person_id), os.urandom(NONCE_BYTES), person_id)


def mark_of(kek: bytes) -> bytes:
    return blake2b(kek, digest_size=MARK_BYTES, person=b"rujukan kek name").digest()
