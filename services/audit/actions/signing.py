"""The ledger's key: signing and checking with Ed25519 in the form of signed notes."""

from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.audit.domain import checkpoints


class Signer:
    """Holds the private key; `origin` is the ledger's name and the name of its keys.

    `old` are keys that sign beside it, so that who still trusts only them can verify until they have the new one.
    """

    def __init__(self, origin: str, private_key: bytes, old: Sequence[bytes] = ()) -> None:
        self.origin = origin
        self._keys = [Ed25519PrivateKey.from_private_bytes(key) for key in (private_key, *old)]
        self._publics = [key.public_key().public_bytes_raw() for key in self._keys]

    @property
    def verifier_key(self) -> str:
        """The public key, for those who verify."""
        return self.verifier_keys[0]

    @property
    def verifier_keys(self) -> list[str]:
        """The public keys of all that sign, the current one first."""
        return [checkpoints.verifier_key(self.origin, public) for public in self._publics]

    def sign(self, text: str) -> str:
        """The text as a signed note, with one signature of each key."""
        signed = [(public, key.sign(text.encode())) for public, key in zip(self._publics, self._keys, strict=True)]
        others = [checkpoints.signature_line(self.origin, *one) for one in signed[1:]]
        return checkpoints.note(text, self.origin, *signed[0]) + "".join(others)


def is_signed_by(note: str, verifier_key: str) -> bool:
    """True when the note is a checkpoint of this key's ledger with a valid signature of it."""
    try:
        name, public = checkpoints.parse_key(verifier_key)
        checkpoint, signatures = checkpoints.parse_note(note)
    except checkpoints.MalformedNote:
        return False
    return checkpoint.origin == name and any(
        signer == name and hash_ == checkpoints.key_hash(name, public) and _verifies(public, signature, checkpoint.text)
        for signer, hash_, signature in signatures
    )


def _verifies(public: bytes, signature: bytes, text: str) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text.encode())
    except InvalidSignature:
        return False
    return True
