"""The vault: identifying fields are sealed before they reach a table, one random key per person.

AES-256-GCM throughout. The person's key is wrapped by the key-encryption key with the person as context; the fields
are sealed by the person's key with case and field set as context, so that neither can be moved to another row.
Destroying the row in `person_keys` erases the person from tables and backups alike.
"""

import os
from collections.abc import Iterable
from hashlib import blake2b
from operator import attrgetter
from typing import NamedTuple

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.intake.domain.lookups import KINDS, Kind, normalised
from services.intake.domain.people import IDENTITY_FIELDS, Identity

KEY_BYTES = 32
NONCE_BYTES = 12
MARK_BYTES = 4
FIELD_SET = "identity.1"
"""Names the set of sealed fields and the form they are sealed in; part of the context."""

_values = attrgetter(*IDENTITY_FIELDS)


class WrongKey(Exception):
    """A key was wrapped by another key-encryption key than VAULT_KEK."""


class Damaged(Exception):
    """Sealed bytes do not belong to this case, or were changed."""


class Sealed(NamedTuple):
    wrapped_key: bytes
    """4 bytes that name the key-encryption key, 12 of nonce, 48 of wrapped key."""
    sealed: bytes
    """12 bytes of nonce, then the sealed JSON of the fields that are not empty."""


class Vault:
    """Seals and opens identities under one key-encryption key, which never leaves memory."""

    def __init__(self, kek: bytes) -> None:
        if len(kek) != KEY_BYTES:
            raise ValueError(f"the key-encryption key has {len(kek)} bytes instead of {KEY_BYTES}")
        self._kek = AESGCM(kek)
        self._mark = blake2b(kek, digest_size=MARK_BYTES, person=b"rujukan kek name").digest()
        self._digest_key = blake2b(kek, digest_size=KEY_BYTES, person=b"rujukan digests ").digest()
        self._blind_keys = {
            kind: blake2b(kind.encode(), key=kek, digest_size=KEY_BYTES, person=b"rujukan lookups ").digest()
            for kind in KINDS
        }

    def seal(self, fields: bytes, *, person_id: str, case_id: str) -> Sealed:
        """Seal what `plain` made of an identity, under a new key for this person."""
        random = os.urandom(KEY_BYTES + 2 * NONCE_BYTES)
        key, wrap_nonce, nonce = random[:32], random[32:44], random[44:]
        wrapped = self._mark + wrap_nonce + self._kek.encrypt(wrap_nonce, key, person_id.encode())
        return Sealed(wrapped, nonce + AESGCM(key).encrypt(nonce, fields, context(case_id)))

    def open(self, sealed: Sealed, *, person_id: str, case_id: str) -> Identity:
        """Open what `seal` sealed. Raises `WrongKey` or `Damaged`."""
        mark, rest = sealed.wrapped_key[:MARK_BYTES], sealed.wrapped_key[MARK_BYTES:]
        if mark != self._mark:
            raise WrongKey("this person's key was wrapped by another key-encryption key than VAULT_KEK")
        try:
            key = self._kek.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], person_id.encode())
            fields = AESGCM(key).decrypt(sealed.sealed[:NONCE_BYTES], sealed.sealed[NONCE_BYTES:], context(case_id))
        except InvalidTag:
            raise Damaged("the sealed identity does not belong to this case, or was changed") from None
        return Identity(**orjson.loads(fields))

    def digest(self, *parts: str) -> bytes:
        """A keyed digest (16 bytes) to recognise the same content again. Never an unkeyed one: names can be guessed."""
        return self.digest_of("\x1f".join(parts).encode())

    def digest_of(self, content: bytes) -> bytes:
        return blake2b(content, key=self._digest_key, digest_size=16).digest()

    def blind_index(self, kind: Kind, value: str) -> bytes | None:
        """What a person is found by who came with this number; None when it says nothing."""
        compared = normalised(kind, value)
        if not compared:
            return None
        return blake2b(compared.encode(), key=self._blind_keys[kind], digest_size=16).digest()


def plain(identity: Identity) -> bytes:
    """The fields that are not empty, as JSON in a fixed order."""
    return orjson.dumps({name: value for name, value in _pairs(identity) if value})


def context(case_id: str) -> bytes:
    return f"{case_id}:{FIELD_SET}".encode()


def _pairs(identity: Identity) -> Iterable[tuple[str, str]]:
    return zip(IDENTITY_FIELDS, _values(identity), strict=True)
