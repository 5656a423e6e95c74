"""From the claims of a verified token to an actor. Only codes get through: an id that could be a name is refused."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from shared.contracts.fact import Code
from shared.kit.actor import ROLES as ROLES
from shared.kit.actor import Actor
from shared.kit.identity.refusals import BadToken, SignInTooWeak

REGION = re.compile(r"[0-9]{2}(?:\.[0-9]{2})?")

LAST_SECOND = 253_402_300_800
"""Where the years of four digits end, and with them what a time can be."""

_code = TypeAdapter[str](Code)


@dataclass(frozen=True, slots=True)
class Names:
    """What a provider calls the claims we read (each a claim or a path into one by dots) and our roles.

    Without `role_map` roles are called as we call them; with it no others count.
    """

    id: str = "sub"
    organisation: str = "org"
    roles: str = "roles"
    port: str = "port"
    region: str = "region"
    role_map: Mapping[str, str] = field(default_factory=dict)
    """Theirs to ours."""
    acr: str = ""
    """How surely people must have signed in; empty where any way will do."""
    acr_administration: str = ""
    """The same for `ADMINISTRATION`; empty where it is as for others."""


OURS = Names()
ADMINISTRATION = frozenset({"operator", "data_protection_officer"})
"""Who takes access away, erases, and sees to what is stuck."""


def actor(claims: Mapping[str, Any], *, kind: Literal["person", "client"], names: Names = OURS) -> Actor:
    """The actor of these claims; `kind` where they do not say it.

    Raises `BadToken` on a claim of a wrong form, `SignInTooWeak` for a person who signed in with less than is asked.

    A client goes by its client id (RFC 9068, 2.2): what its `sub` is, is the provider's affair. Claims that tell when
    somebody signed in are of that person, whichever client it was through. Roles that are none of ours (a provider
    adds its own) are left out.
    """
    roles = _found(claims, names.roles)
    roles = [] if roles is None else roles
    if not isinstance(roles, list):
        raise BadToken
    said = claims.get("kind", "person" if "auth_time" in claims else kind)
    if said not in ("person", "client"):
        raise BadToken
    region, port = _found(claims, names.region), _found(claims, names.port)
    if region is not None and not (isinstance(region, str) and REGION.fullmatch(region)):
        raise BadToken
    by = ("client_id", "azp", "sub") if said == "client" else (names.id,)
    given = {role for role in roles if isinstance(role, str)}
    if names.role_map:
        given = {ours for theirs, ours in names.role_map.items() if theirs in given}
    ours = ROLES.intersection(given)
    if said == "person":
        _is_as_sure_as_asked(claims, names, ours)
    return Actor(
        id=_coded(next((found for name in by if (found := _found(claims, name)) is not None), None)),
        organisation=_coded(_found(claims, names.organisation)),
        roles=ours,
        kind=said,
        port=None if port is None else _coded(port),
        region=region,
        issued_at=_time(claims.get("iat")),
        authenticated_at=_time(claims.get("auth_time")),
    )


def _is_as_sure_as_asked(claims: Mapping[str, Any], names: Names, roles: frozenset[str]) -> None:
    """Raises `SignInTooWeak` unless the provider vouches for what is asked of somebody with these roles."""
    own = names.acr_administration if not roles.isdisjoint(ADMINISTRATION) else ""
    asked = own or names.acr
    ways = claims.get("amr")
    if asked and asked != claims.get("acr") and asked not in (ways if isinstance(ways, list) else ()):
        raise SignInTooWeak(asked)


def _found(claims: Mapping[str, Any], name: str) -> object:
    """The claim of this name, else what lies at it as a path; None when there is nothing."""
    if name in claims:
        return claims[name]
    found: object = claims
    for step in name.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(step)
    return found


def _time(claim: object) -> datetime | None:
    """A time in seconds since 1970, None for what is none."""
    if isinstance(claim, bool) or not isinstance(claim, int | float) or not 0 <= claim < LAST_SECOND:
        return None
    return datetime.fromtimestamp(claim, UTC)


def _coded(claim: object) -> str:
    try:
        return _code.validate_python(claim, strict=True)
    except ValidationError:
        raise BadToken from None
