"""From the claims of a verified token to an actor. Only codes get through: an id that could be a name is refused."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from shared.contracts.fact import Code
from shared.kit.actor import Actor
from shared.kit.identity.refusals import BadToken

ROLES = frozenset(
    {
        "port_officer",
        "agency_worker",
        "agency_supervisor",
        "ngo_member",
        "coordinator",
        "auditor",
        "data_protection_officer",
        "operator",
        "agency_system",
        "ngo_system",
        "port_system",
        "service",
    }
)
"""The roles a token can give. `system` is none of them: that is for what a service does by itself."""

REGION = re.compile(r"[0-9]{2}(?:\.[0-9]{2})?")

LAST_SECOND = 253_402_300_800
"""Where the years of four digits end, and with them what a time can be."""

_code = TypeAdapter[str](Code)


def actor(claims: Mapping[str, Any], *, kind: Literal["person", "client"]) -> Actor:
    """The actor of these claims; `kind` where they do not say it. Raises `BadToken` on a claim of a wrong form.

    A client goes by its client id (RFC 9068, 2.2): what its `sub` is, is the provider's affair. Claims that tell when
    somebody signed in are of that person, whichever client it was through. Roles that are none of ours (a provider
    adds its own) are left out.
    """
    roles = claims.get("roles", [])
    if not isinstance(roles, list):
        raise BadToken
    said = claims.get("kind", "person" if "auth_time" in claims else kind)
    if said not in ("person", "client"):
        raise BadToken
    region = claims.get("region")
    if region is not None and not (isinstance(region, str) and REGION.fullmatch(region)):
        raise BadToken
    names = ("client_id", "azp", "sub") if said == "client" else ("sub",)
    return Actor(
        id=_coded(next((claims[name] for name in names if name in claims), None)),
        organisation=_coded(claims.get("org")),
        roles=ROLES.intersection(role for role in roles if isinstance(role, str)),
        kind=said,
        port=None if claims.get("port") is None else _coded(claims["port"]),
        region=region,
        issued_at=_time(claims.get("iat")),
        authenticated_at=_time(claims.get("auth_time")),
    )


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
