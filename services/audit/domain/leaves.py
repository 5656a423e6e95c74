"""A leaf: what happened, in codes, with a salted commitment to the payload, so that the payload can be redacted
and the tree still verifies.
"""

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any

from services.audit.domain import merkle

VERSION = 1
SALT_BYTES = 32

DEEPEST = 32
"""Levels of a payload; facts have four at most."""
SURROGATE = re.compile("[\ud800-\udfff]")

CANONICAL_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class NotCanonical(ValueError):
    """A record has an id or a time that cannot be hashed the same way by everybody."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One record of one service. `index` is its place in the tree; `salt` and `payload` are None once redacted."""

    index: int
    event_id: str
    source: str
    type: str
    case_id: str
    case_seq: int
    occurred_at: datetime
    commitment: bytes
    hash: bytes
    salt: bytes | None
    payload: bytes | None

    @property
    def data(self) -> bytes:
        """The bytes that are hashed into the tree."""
        return data(
            event_id=self.event_id,
            source=self.source,
            type_=self.type,
            case_id=self.case_id,
            case_seq=self.case_seq,
            occurred_at=self.occurred_at,
            commitment=self.commitment,
        )

    @property
    def opens(self) -> bool:
        """True when the payload, if it is still there, is the one that was committed to."""
        if self.salt is None or self.payload is None:
            return self.salt is self.payload
        return hmac.compare_digest(commitment(self.salt, self.payload), self.commitment)

    @property
    def intact(self) -> bool:
        """True when metadata, hash and payload belong together."""
        return self.opens and merkle.leaf_hash(self.data) == self.hash

    @property
    def told(self) -> dict[str, Any]:
        """The payload as it was sent (who, why, cause, `data`); empty when it is redacted or no plain JSON object."""
        try:
            told = json.loads(self.payload or b"{}")
        except (ValueError, RecursionError):
            return {}
        return told if isinstance(told, dict) and _is_plain(told) else {}

    @property
    def redacted(self) -> bool:
        return self.payload is None


def _is_plain(value: object, levels: int = DEEPEST) -> bool:
    """True for JSON that can be passed on: few levels, no half characters (surrogates), integers of 64 bits."""
    if isinstance(value, dict):
        return levels > 0 and all(_is_plain(one, levels - 1) for entry in value.items() for one in entry)
    if isinstance(value, list):
        return levels > 0 and all(_is_plain(one, levels - 1) for one in value)
    if isinstance(value, str):
        return value.isascii() or SURROGATE.search(value) is None
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def commitment(salt: bytes, payload: bytes) -> bytes:
    """What binds a leaf to its payload: SHA-256 over 32 random bytes and the payload as it was sent."""
    return hashlib.sha256(salt + payload).digest()


def data(
    *,
    event_id: str,
    source: str,
    type_: str,
    case_id: str,
    case_seq: int,
    occurred_at: datetime,
    commitment: bytes,
) -> bytes:
    """The leaf as canonical JSON: sorted keys, no spaces, ASCII, times in UTC to the microsecond.

    Raises `NotCanonical` when an id is not a lower-case UUID or the time has no zone.
    """
    if not CANONICAL_ID.fullmatch(event_id) or not CANONICAL_ID.fullmatch(case_id) or occurred_at.tzinfo is None:
        raise NotCanonical("id or time")
    time = occurred_at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00")
    # Written by hand because `json.dumps` takes four times as long, on every record of every service.
    return (
        f'{{"case":"{case_id}","commitment":"{commitment.hex()}","id":"{event_id}","seq":{case_seq:d},'
        f'"source":{_quoted(source)},"time":"{time}Z","type":{_quoted(type_)},"v":{VERSION}}}'
    ).encode()
