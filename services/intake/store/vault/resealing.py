"""Sealing again under a key that a person has already: corrections, and what is proposed as one.

The key stays the person's one key, so that destroying it reaches these bytes too.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.intake.domain.people import Identity
from services.intake.store.vault.ring import NONCE_BYTES, Damaged
from services.intake.store.vault.sealing import Vault, context, plain

PROPOSAL = "correction.1"
"""Names the form of a sealed proposal; part of the context, so that it passes for no identity."""


def reseal(vault: Vault, identity: Identity, *, wrapped_key: bytes, person_id: str, case_id: str) -> bytes:
    """A corrected identity under the same key, for the same place. Raises `WrongKey` or `Damaged`."""
    return _seal(vault, plain(identity), wrapped_key, person_id, context(case_id))


def seal_proposal(vault: Vault, value: str, *, wrapped_key: bytes, person_id: str, correction_id: str) -> bytes:
    """What a field is to become, readable for this correction alone. Raises `WrongKey` or `Damaged`."""
    return _seal(vault, value.encode(), wrapped_key, person_id, f"{correction_id}:{PROPOSAL}".encode())


def open_proposal(vault: Vault, sealed: bytes, *, wrapped_key: bytes, person_id: str, correction_id: str) -> str:
    """What `seal_proposal` sealed. Raises `WrongKey` or `Damaged`."""
    key = AESGCM(vault.ring.unwrap(wrapped_key, person_id))
    place = f"{correction_id}:{PROPOSAL}".encode()
    try:
        return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place).decode()
    except InvalidTag:
        raise Damaged("the sealed proposal does not belong to this correction, or was changed") from None


def _seal(vault: Vault, content: bytes, wrapped_key: bytes, person_id: str, place: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(vault.ring.unwrap(wrapped_key, person_id)).encrypt(nonce, content, place)
