"""Tokens of the identity provider: what makes one genuine, and whom a genuine access token speaks for.

Algorithms, type, issuer and audience are pinned here and never taken from the token. A header may hold `alg`,
`kid` and `typ`, nothing more: a key or an address of a key that comes inside a token is a forgery.
"""

import base64
import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from joserfc import jws, jwt
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwa import JWSAlgModel
from joserfc.jws import JWSRegistry

from shared.kit.actor import Actor
from shared.kit.clock import Clock
from shared.kit.identity import claims
from shared.kit.identity.issuer import Issuer
from shared.kit.identity.refusals import BadToken

Kind = Literal["access", "id", "logout"]

LONGEST_TOKEN = 8 * 1024
SKEW_S = 30
"""How far the provider's clock may run ahead of ours."""
HEADER = frozenset({"alg", "kid", "typ"})
TYPES: dict[Kind, frozenset[str]] = {
    "access": frozenset({"at+jwt", "application/at+jwt"}),
    "id": frozenset({"jwt", ""}),
    "logout": frozenset({"logout+jwt", "application/logout+jwt"}),
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
    """Verifies access tokens for one audience; a token that was verified is free until it ends.

    An access token is made to be used many times. What is refused as a replay is another token with a `jti` that this
    process has seen: a provider gives each its own.
    """

    def __init__(
        self,
        issuer: Issuer,
        audience: str,
        clock: Clock,
        *,
        names: claims.Names = claims.OURS,
        scope: str = "rujukan",
        life_max_s: int = 900,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._names = names
        self._scope = scope
        self._life_max_s = life_max_s
        self._known: OrderedDict[bytes, tuple[float, Actor]] = OrderedDict()
        self._ids: OrderedDict[str, bytes] = OrderedDict()

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
        self._is_for_us(said)
        actor = claims.actor(said, kind="client", names=self._names)
        self._is_no_replay(said, digest)
        # A provider whose clock runs ahead does not make a token younger than our first sight of it.
        actor = replace(actor, issued_at=min(actor.issued_at or moment, moment))
        self._known[digest] = (said["exp"], actor)
        if len(self._known) > CACHED_TOKENS:
            self._known.popitem(last=False)
        return actor

    def _is_for_us(self, said: Mapping[str, Any]) -> None:
        """Raise `BadToken` for a token that lives too long or was not given for what we are asked."""
        scope = said.get("scope", "")
        if not isinstance(scope, str) or (self._scope and self._scope not in scope.split(" ")):
            raise BadToken
        if said["exp"] - said["iat"] > self._life_max_s:
            raise BadToken

    def _is_no_replay(self, said: Mapping[str, Any], digest: bytes) -> None:
        """Raise `BadToken` when another token had this id."""
        id_ = said.get("jti")
        if not isinstance(id_, str) or not id_:
            raise BadToken
        if self._ids.setdefault(id_, digest) != digest:
            raise BadToken
        if len(self._ids) > CACHED_TOKENS:
            self._ids.popitem(last=False)


async def verified(token: str, issuer: Issuer, *, kind: Kind, audience: str, now: float) -> dict[str, Any]:
    """The claims of a genuine token of this kind for this audience; `now` in seconds since 1970.

    Raises `BadToken`, or `ProviderAway` before any key was read.
    """
    if len(token) > LONGEST_TOKEN:
        raise BadToken
    try:
        _strictly_read(token)
        header = jws.extract_compact(token.encode("ascii"), registry=PINNED).headers()
    except (JoseError, ValueError, RecursionError):
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
            sub={"essential": kind != "logout"},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            iat={"essential": True},
        ).validate(said)
    except (JoseError, ValueError, OverflowError):
        raise BadToken from None
    if said["exp"] <= now:
        # The leeway is for tokens that are not valid yet; one that ended has ended.
        raise BadToken
    return said


def _strictly_read(token: str) -> None:
    """Raise ValueError for what two readers could take for two different tokens.

    That is base64url that is written in another way than ours (padding, white space, loose bits at the end), and JSON
    in which a name stands twice.
    """
    parts = token.split(".")
    for part in parts:
        if base64.urlsafe_b64encode(_decoded(part)).rstrip(b"=") != part.encode():
            raise ValueError
    for part in parts[:2]:
        json.loads(_decoded(part), object_pairs_hook=_once)


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError
    return read


def _pinned(header: Mapping[str, Any], types: frozenset[str]) -> tuple[str, str]:
    """Key id and algorithm of a header that has nothing else in it."""
    kid, algorithm, typ = header.get("kid"), header.get("alg"), header.get("typ", "")
    if not header.keys() <= HEADER or not (
        isinstance(kid, str) and isinstance(algorithm, str) and isinstance(typ, str) and typ.lower() in types
    ):
        raise BadToken
    return kid, algorithm
