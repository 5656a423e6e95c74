"""The provider's ES256 key and what it signs."""

import hashlib
import hmac
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySetSerialization

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Signer:
    """Signs with a key derived from the provider's secret, so that tokens survive a restart without a key file."""

    def __init__(self, provider_secret: str, issuer: str) -> None:
        seed = hmac.new(provider_secret.encode(), b"rujukan provider signing key", hashlib.sha512).digest()
        private = ec.derive_private_key(int.from_bytes(seed, "big") % (P256_ORDER - 1) + 1, ec.SECP256R1())
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.issuer = issuer
        self._key = ECKey.import_key(pem)
        self._kid = self._key.thumbprint()

    def key_set(self) -> KeySetSerialization:
        """The public half, as a JWK Set."""
        public = self._key.as_dict(private=False)
        return {"keys": [{**public, "kid": self._kid, "use": "sig", "alg": "ES256"}]}

    def sign(self, claims: dict[str, Any], *, audience: str, now: int, lifetime_s: int, typ: str) -> str:
        """A JWT with these claims, valid from `now` (seconds since 1970)."""
        header = {"alg": "ES256", "kid": self._kid, "typ": typ}
        body = {**claims, "iss": self.issuer, "aud": audience, "iat": now, "exp": now + lifetime_s}
        return jwt.encode(header, body, self._key, algorithms=["ES256"])

    def read(self, token: str, *, audience: str, now: int) -> dict[str, Any] | None:
        """The claims of a token of our own for this audience, None when it is not one or has ended."""
        try:
            claims = jwt.decode(token, self._key, algorithms=["ES256"]).claims
        except (JoseError, ValueError):
            return None
        return claims if claims.get("aud") == audience and claims.get("exp", 0) > now else None
