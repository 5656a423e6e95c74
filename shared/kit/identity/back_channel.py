"""The identity provider says that somebody has signed out there (OpenID Connect Back-Channel Logout 1.0)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from shared.contracts import access
from shared.kit.actor import system
from shared.kit.identity import sessions, tokens, used_answers
from shared.kit.identity.gate import Identity
from shared.kit.identity.refusals import BadToken
from shared.kit.identity.trail import ANONYMOUS, person_stream, thing_of
from shared.kit.web.forms import is_form
from shared.kit.web.limits import body_limit

BACK_CHANNEL = "/keluar/kabar"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
LONGEST_ID = 255
LIFE_MAX_S = 600
"""A log-out is delivered within seconds; a token that is good for longer is not made for this."""


def router(identity: Identity) -> APIRouter:
    """`POST /keluar/kabar`, for the identity provider."""

    @body_limit(16_384)
    async def hear(request: Request) -> Response:
        """End the sessions that a logout token names."""
        try:
            said = await _verified(identity, request)
            await _end_sessions(identity, said)
        except BadToken:
            await identity.refusals.record(ANONYMOUS, "bad_token", thing_of(request))
            return Response(b'{"error":"invalid_request"}', 400, media_type="application/json")
        return Response(status_code=200)

    made = APIRouter(include_in_schema=False)
    made.add_api_route(BACK_CHANNEL, hear, methods=["POST"], response_model=None)
    return made


async def _verified(identity: Identity, request: Request) -> dict[str, Any]:
    """The claims of the request's logout token. Raises `BadToken` or `ProviderAway`."""
    token = (await request.form()).get("logout_token") if is_form(request) else None
    if not isinstance(token, str):
        raise BadToken
    now = identity.database.clock.now().timestamp()
    said = await tokens.verified(token, identity.issuer, kind="logout", audience=identity.client_id, now=now)
    if not _is_a_log_out(said):
        raise BadToken
    return said


def _is_a_log_out(said: Mapping[str, Any]) -> bool:
    """What sets a logout token apart from every other token of the same provider (2.4, 2.6)."""
    events = said.get("events")
    return (
        isinstance(events, dict)
        and isinstance(events.get(EVENT), dict)
        and "nonce" not in said
        and _is_text(said.get("jti"))
        and ("sub" in said or "sid" in said)
        and all(_is_text(said[name]) for name in ("sub", "sid") if name in said)
        and said["exp"] - said["iat"] <= LIFE_MAX_S
    )


def _is_text(claim: object) -> bool:
    return isinstance(claim, str) and 0 < len(claim) <= LONGEST_ID


async def _end_sessions(identity: Identity, said: Mapping[str, Any]) -> None:
    """Raise `BadToken` when this token was used before."""
    async with identity.database.work(system(identity.database.service, "back_channel"), purpose="sign_out") as work:
        ends_at = datetime.fromtimestamp(said["exp"], UTC)
        if not await used_answers.use_once(work.connection, f"logout {said['jti']}", ends_at, work.now):
            raise BadToken
        sid, sub = said.get("sid"), said.get("sub")
        if sid is not None and identity.names.id != "sub":
            sub = None  # people go by another claim here; the provider's session says enough
        people = await sessions.remove_provider_sessions(work.connection, sid, sub)
        for actor_id in people:
            work.record(access.SignedOut(case_id=person_stream(actor_id), service=work.service))
