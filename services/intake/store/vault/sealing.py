"""Sealing and opening identities, and the keyed digests by which what was sealed is recognised."""

import os
from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.intake.domain.lookups import KINDS, Kind, normalised
from services.intake.domain.people import IDENTITY_FIELDS, Identity
from services.intake.store.vault.ring import KEY_BYTES, NONCE_BYTES, Damaged, Keyring

FIELD_SET = "identity.1"
"""Names the set of sealed fields and the form they are sealed in; part of the context."""


class Sealed(NamedTuple):
    wrapped_key: bytes
    """As `Keyring.wrap` makes it."""
    sealed: bytes
    """12 bytes of nonce, then the sealed JSON of the fields that are not empty."""


class SealedPerson(NamedTuple):
    """A sealed identity and where it belongs: it opens nowhere else."""

    person_id: str
    case_id: str
    sealed: Sealed


class Vault:
    """Seals and opens identities. Its keys never leave memory.

    The index key is apart from those of the ring: these are changed from time to time, and digests have to stay.
    """

    def __init__(self, ring: Keyring, index_key: bytes) -> None:
        if len(index_key) != KEY_BYTES:
            raise ValueError(f"the index key has {len(index_key)} bytes instead of {KEY_BYTES}")
        self.ring = ring
        self._digest_key = blake2b(index_key, digest_size=KEY_BYTES, person=b"rujukan digests ").digest()
        self._blind_keys = {
            kind: blake2b(kind.encode(), key=index_key, digest_size=KEY_BYTES, person=b"rujukan lookups ").digest()
            for kind in KINDS
        }
        self._match_key = blake2b(index_key, digest_size=KEY_BYTES, person=b"rujukan matches ").digest()

    def seal(self, fields: bytes, *, person_id: str, case_id: str) -> Sealed:
        """Seal what `plain` made of an identity, under a new key for this person."""
        random = os.urandom(KEY_BYTES + 2 * NONCE_BYTES)
        key, wrap_nonce, nonce = random[:32], random[32:44], random[44:]
        wrapped = self.ring.wrap(key, wrap_nonce, person_id)
        return Sealed(wrapped, nonce + AESGCM(key).encrypt(nonce, fields, context(case_id)))

    def open(self, sealed: Sealed, *, person_id: str, case_id: str) -> Identity:
        """Open what `seal` sealed. Raises `WrongKey` or `Damaged`."""
        key = self.ring.unwrap(sealed.wrapped_key, person_id)
        try:
            fields = AESGCM(key).decrypt(sealed.sealed[:NONCE_BYTES], sealed.sealed[NONCE_BYTES:], context(case_id))
        except InvalidTag:
            raise Damaged("the sealed identity does not belong to this case, or was changed") from None
        return Identity(**orjson.loads(fields))

    def open_many(self, people: Iterable[SealedPerson]) -> list[Identity]:
        """Open many, in order; one that does not open fails them all. Raises `WrongKey` or `Damaged`."""
        return [self.open(one.sealed, person_id=one.person_id, case_id=one.case_id) for one in people]

    def digest(self, *parts: str) -> bytes:
        """A keyed digest (16 bytes) to recognise the same content again. Never an unkeyed one: names can be guessed."""
        return self.digest_of("\x1f".join(parts).encode())

    def digest_of(self, content: bytes) -> bytes:
        return blake2b(content, key=self._digest_key, digest_size=16).digest()

    def kept_key(self, key: str) -> str:
        """What is kept of an idempotency key, for which a system may take the number of somebody's paper."""
        return self.digest("key", key).hex()

    def match_key(self, shared: str) -> int:
        """What is kept of something that two records of one person may share (`matching.blocks`): 64 bits, signed.

        Short, since each person has a dozen; two that meet by chance are compared once in vain.
        """
        digest = blake2b(shared.encode(), key=self._match_key, digest_size=8).digest()
        return int.from_bytes(digest, "big", signed=True)

    def blind_index(self, kind: Kind, value: str) -> bytes | None:
        """What a person is found by who came with this number; None when it says nothing."""
        compared = normalised(kind, value)
        if not compared:
            return None
        return blake2b(compared.encode(), key=self._blind_keys[kind], digest_size=16).digest()


def plain(identity: Identity) -> bytes:
    """The fields that are not empty, as JSON in a fixed order."""
    return orjson.dumps({name: value for name, value in zip(IDENTITY_FIELDS, identity, strict=True) if value})


def context(case_id: str) -> bytes:
    return f"{case_id}:{FIELD_SET}".encode()
