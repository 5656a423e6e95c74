"""A checkpoint: what the tree was at one size, as the text that is signed (C2SP tlog-checkpoint, signed-note)."""

import base64
import hashlib
from dataclasses import dataclass

ED25519 = b"\x01"
"""The signature type of plain Ed25519 in signed notes."""

CASE_PROOF = "rujukan case proof v1"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tree at one size. `root` is 32 bytes."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The signed part: origin, size, root, each on a line."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class CaseProof:
    """What the ledger says when it hands out the proof of one case: these leaves, in this order, and no others.

    It is signed because an inclusion proof says nothing of what was left out at the end of a sender's rows.
    """

    origin: str
    case_id: str
    size: int
    leaves: tuple[tuple[bytes, bool], ...]
    """Each leaf's hash, and whether its payload is handed over."""

    @property
    def text(self) -> str:
        digest = hashlib.sha256(b"".join(hash_ + bytes([opened]) for hash_, opened in self.leaves))
        return (
            f"{CASE_PROOF}\n{self.origin}\n{self.case_id}\n{self.size}\n{len(self.leaves)}\n"
            f"{base64.b64encode(digest.digest()).decode()}\n"
        )


def key_hash(name: str, public_key: bytes) -> bytes:
    """The four bytes by which a signature line names its key."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public_key).digest()[:4]


def verifier_key(name: str, public_key: bytes) -> str:
    """The public key as people pass it on: `<name>+<hash>+<base64>`."""
    encoded = base64.b64encode(ED25519 + public_key).decode()
    return f"{name}+{key_hash(name, public_key).hex()}+{encoded}"


def note(text: str, name: str, public_key: bytes, signature: bytes) -> str:
    """The signed note: text, an empty line, one signature line."""
    return f"{text}\n{signature_line(name, public_key, signature)}"


def signature_line(name: str, public_key: bytes, signature: bytes) -> str:
    """One signature of a note, by name and hash of its key; a note may have more than one."""
    line = base64.b64encode(key_hash(name, public_key) + signature).decode()
    return f"— {name} {line}\n"


class MalformedNote(ValueError):
    """A text is not the signed note of a checkpoint, or the key does not have this form."""


def parse_key(key: str) -> tuple[str, bytes]:
    """Name and public key of a verifier key. Raises `MalformedNote`."""
    name, _, rest = key.strip().partition("+")
    hash_, _, encoded = rest.partition("+")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except ValueError:
        raw = b""
    if len(raw) != 33 or raw[:1] != ED25519 or key_hash(name, raw[1:]).hex() != hash_:
        raise MalformedNote("this is not a verifier key")
    return name, raw[1:]


def parse_note(text: str) -> tuple[Checkpoint, list[tuple[str, bytes, bytes]]]:
    """The checkpoint of a signed note and its signatures: name, key hash, signature. Raises `MalformedNote`."""
    body, found, lines = text.partition("\n\n")
    fields = body.split("\n")
    try:
        if not found or not text.endswith("\n") or not fields[1].isdecimal():
            raise MalformedNote("this is not a signed checkpoint")
        checkpoint = Checkpoint(fields[0], int(fields[1]), base64.b64decode(fields[2], validate=True))
        signatures = []
        for line in lines.splitlines():
            dash, name, encoded = line.split(" ")
            if dash != "—":
                raise MalformedNote("a signature line begins with a dash")
            raw = base64.b64decode(encoded, validate=True)
            signatures.append((name, raw[:4], raw[4:]))
    except (IndexError, ValueError) as error:
        raise MalformedNote("this is not a signed checkpoint") from error
    if checkpoint.text != body + "\n":
        raise MalformedNote("this is not a plain checkpoint")
    return checkpoint, signatures
