"""The ledger's key: signing and checking with Ed25519 in the form of signed notes."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.audit.domain import checkpoints


class Signer:
    """Holds the private key; `origin` is the ledger's name and the name of its key."""

    def __init__(self, origin: str, private_key: bytes) -> None:
        self.origin = origin
        self._key = Ed25519PrivateKey.from_private_bytes(private_key)
        self._public = self._key.public_key().public_bytes_raw()

    @property
    def verifier_key(self) -> str:
        """The public key, for those who verify."""
        return checkpoints.verifier_key(self.origin, self._public)

    def sign(self, text: str) -> str:
        """The text as a signed note."""
        return checkpoints.note(text, self.origin, self._public, self._key.sign(text.encode()))


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
