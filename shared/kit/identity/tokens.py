"""Tokens of the identity provider: what makes one genuine, and whom a genuine access token speaks for.

Algorithms, type, issuer and audience are pinned here and never taken from the token. A header may hold `alg`,
`kid` and `typ`, nothing more: a key or an address of a key that comes inside a token is a forgery.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, JoseError, UnsupportedAlgorithmError
from joserfc.jwa import JWSAlgModel
from joserfc.jws import JWSRegistry

from shared.kit.actor import Actor
from shared.kit.clock import Clock
from shared.kit.identity import claims
from shared.kit.identity.issuer import Issuer
from shared.kit.identity.refusals import BadToken

Kind = Literal["access", "id"]

LONGEST_TOKEN = 8 * 1024
SKEW_S = 30
"""How far the provider's clock may run ahead of ours."""
HEADER = frozenset({"alg", "kid", "typ"})
TYPES: dict[Kind, frozenset[str]] = {
    "access": frozenset({"at+jwt", "application/at+jwt"}),
    "id": frozenset({"jwt", ""}),
}
CACHED_TOKENS = 10_000


class Pinned(JWSRegistry):
    """The three names of our two algorithms; EdDSA is what many providers still call Ed25519."""

    def get_alg(self, name: str) -> JWSAlgModel:
        if name not in ("ES256", "EdDSA", "Ed25519"):
            raise UnsupportedAlgorithmError(name)
        return self.algorithms[name]


PINNED = Pinned()


class TokenVerifier:
    """Verifies access tokens for one audience; a token that was verified is free until it ends."""

    def __init__(self, issuer: Issuer, audience: str, clock: Clock) -> None:
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[float, Actor]] = OrderedDict()

    async def verify(self, token: str) -> Actor:
        """The actor a Bearer token speaks for. Raises `BadToken`, or `ProviderAway` before any key was read."""
        digest = hashlib.sha256(token.encode()).digest()
        moment = self._clock.now()
        now = moment.timestamp()
        known = self._known.get(digest)
        if known is not None and known[0] > now:
            self._known.move_to_end(digest)
            return known[1]
        said = await verified(token, self._issuer, kind="access", audience=self._audience, now=now)
        actor = claims.actor(said, kind="client")
        # A provider whose clock runs ahead does not make a token younger than our first sight of it.
        actor = replace(actor, issued_at=min(actor.issued_at or moment, moment))
        self._known[digest] = (said["exp"], actor)
        if len(self._known) > CACHED_TOKENS:
            self._known.popitem(last=False)
        return actor


async def verified(token: str, issuer: Issuer, *, kind: Kind, audience: str, now: float) -> dict[str, Any]:
    """The claims of a genuine token of this kind for this audience; `now` in seconds since 1970.

    Raises `BadToken`, or `ProviderAway` before any key was read.
    """
    if len(token) > LONGEST_TOKEN:
        raise BadToken
    try:
        header = jws.extract_compact(token.encode("ascii"), registry=PINNED).headers()
    except (JoseError, ValueError):
        raise BadToken from None
    kid, algorithm = _pinned(header, TYPES[kind])
    known = await issuer.key(kid)
    if known is None or algorithm not in known.algorithms:
        raise BadToken
    try:
        said = jwt.decode(token, known.key, registry=PINNED).claims
        jwt.JWTClaimsRegistry(
            now=int(now),
            leeway=SKEW_S,
            iss={"essential": True, "value": issuer.url},
            sub={"essential": True},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            iat={"essential": True},
        ).validate(said)
    except ExpiredTokenError:
        raise BadToken(expired=True) from None
    except (JoseError, ValueError, OverflowError):
        raise BadToken from None
    if said["exp"] <= now:
        # The leeway is for tokens that are not valid yet; one that ended has ended.
        raise BadToken(expired=True)
    return said


def _pinned(header: Mapping[str, Any], types: frozenset[str]) -> tuple[str, str]:
    """Key id and algorithm of a header that has nothing else in it."""
    kid, algorithm, typ = header.get("kid"), header.get("alg"), header.get("typ", "")
    if not header.keys() <= HEADER or not (
        isinstance(kid, str) and isinstance(algorithm, str) and isinstance(typ, str) and typ.lower() in types
    ):
        raise BadToken
    return kid, algorithm
