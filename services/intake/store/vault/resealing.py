"""Sealing again under a key that a person has already: corrections, what is proposed as one, and words of consent.

The key stays the person's one key, so that destroying it reaches these bytes too.
"""

import os
from collections.abc import Mapping
from dataclasses import asdict

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.intake.domain.consents import Words
from services.intake.domain.people import Identity
from services.intake.domain.screening import Answer
from services.intake.store.vault.ring import NONCE_BYTES, Damaged
from services.intake.store.vault.sealing import Vault, context, plain

PROPOSAL = "correction.1"
"""Names the form of a sealed proposal; part of the context, so that it passes for no identity."""
SCREENING = "screening.1"
"""As `PROPOSAL`, of what a person answered when it was screened."""
CONSENT = "consent.1"
"""As `PROPOSAL`, of who spoke and what was said when consent was asked for."""


def reseal(vault: Vault, identity: Identity, *, wrapped_key: bytes, person_id: str, case_id: str) -> bytes:
    """A corrected identity under the same key, for the same place. Raises `WrongKey` or `Damaged`."""
    return _seal(vault, plain(identity), wrapped_key, person_id, context(case_id))


def seal_proposal(vault: Vault, value: str, *, wrapped_key: bytes, person_id: str, correction_id: str) -> bytes:
    """What a field is to become, readable for this correction alone. Raises `WrongKey` or `Damaged`."""
    return _seal(vault, value.encode(), wrapped_key, person_id, f"{correction_id}:{PROPOSAL}".encode())


def open_proposal(vault: Vault, sealed: bytes, *, wrapped_key: bytes, person_id: str, correction_id: str) -> str:
    """What `seal_proposal` sealed. Raises `WrongKey` or `Damaged`."""
    return _open(vault, sealed, wrapped_key, person_id, f"{correction_id}:{PROPOSAL}".encode()).decode()


def seal_answers(
    vault: Vault, answers: Mapping[str, str], *, wrapped_key: bytes, person_id: str, screening_id: str
) -> bytes:
    """What somebody answered, readable for this screening alone. Raises `WrongKey` or `Damaged`."""
    place = f"{screening_id}:{SCREENING}".encode()
    return _seal(vault, orjson.dumps(dict(answers)), wrapped_key, person_id, place)


def open_answers(
    vault: Vault, sealed: bytes, *, wrapped_key: bytes, person_id: str, screening_id: str
) -> dict[str, Answer]:
    """What `seal_answers` sealed. Raises `WrongKey` or `Damaged`."""
    answers: dict[str, Answer] = orjson.loads(
        _open(vault, sealed, wrapped_key, person_id, f"{screening_id}:{SCREENING}".encode())
    )
    return answers


def seal_words(vault: Vault, words: Words, *, wrapped_key: bytes, person_id: str, entry_id: str) -> bytes:
    """Who spoke and what was said, readable for this entry alone; empty for nothing. Raises `WrongKey` or `Damaged`."""
    said = {name: text for name, text in asdict(words).items() if text}
    if not said:
        return b""
    return _seal(vault, orjson.dumps(said), wrapped_key, person_id, f"{entry_id}:{CONSENT}".encode())


def open_words(vault: Vault, sealed: bytes, *, wrapped_key: bytes, person_id: str, entry_id: str) -> Words:
    """What `seal_words` sealed. Raises `WrongKey` or `Damaged`."""
    if not sealed:
        return Words()
    return Words(**orjson.loads(_open(vault, sealed, wrapped_key, person_id, f"{entry_id}:{CONSENT}".encode())))


def _open(vault: Vault, sealed: bytes, wrapped_key: bytes, person_id: str, place: bytes) -> bytes:
    key = AESGCM(vault.ring.unwrap(wrapped_key, person_id))
    try:
        return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
    except InvalidTag:
        raise Damaged("what is sealed does not belong here, or was changed") from None


def _seal(vault: Vault, content: bytes, wrapped_key: bytes, person_id: str, place: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(vault.ring.unwrap(wrapped_key, person_id)).encrypt(nonce, content, place)
