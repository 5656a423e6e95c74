"""The gate every request passes: who is this, and may they?"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NoReturn

from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection, Request
from starlette.types import Scope

from shared.contracts import access
from shared.kit.actor import Actor
from shared.kit.database import TRANSIENT, Database
from shared.kit.identity import claims, csrf, sessions
from shared.kit.identity.admission import Admission
from shared.kit.identity.cookies import Cookies
from shared.kit.identity.devices import device_of
from shared.kit.identity.issuer import Issuer
from shared.kit.identity.refusals import (
    BadToken,
    Denied,
    ForgedRequest,
    NotSignedIn,
    RevocationsUnknown,
    Revoked,
    SignInNotRecent,
    SignInTooWeak,
)
from shared.kit.identity.revocations import Revocations
from shared.kit.identity.service_token import ServiceToken
from shared.kit.identity.tokens import TokenVerifier
from shared.kit.identity.trail import ANONYMOUS, Reason, Refusals, person_stream, thing_of
from shared.kit.settings import KitSettings
from shared.kit.work import Work

SESSION_FRESH_S = 0.5
"""How long an answer goes on before it is seen whether its session is still there."""


class Identity:
    """Identity of one service; it is found at `request.app.state.identity`."""

    def __init__(self, settings: KitSettings, database: Database) -> None:
        service = database.service
        self.database = database
        self.public_url = settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"
        self.client_id = settings.oidc_client_id or f"svc-{service}"
        self.client_secret = settings.oidc_client_secret
        self.issuer = Issuer(settings.oidc_issuer, database.clock, settings.oidc_discovery_url)
        self.names = claims.Names(
            id=settings.oidc_claim_id,
            organisation=settings.oidc_claim_organisation,
            roles=settings.oidc_claim_roles,
            port=settings.oidc_claim_port,
            region=settings.oidc_claim_region,
            role_map=settings.role_map,
            acr=settings.oidc_acr,
            acr_administration=settings.oidc_acr_administration,
        )
        self.verifier = TokenVerifier(
            *(self.issuer, service, database.clock),
            names=self.names,
            scope=settings.oidc_scope,
            life_max_s=settings.oidc_token_life_max_s,
        )
        self.service_token = ServiceToken(self.issuer, self.client_id, self.client_secret)
        self.cookies = Cookies(service, https=self.public_url.startswith("https://"))
        self.refusals = Refusals(database)
        self.admission = Admission(settings, database, self.refusals)
        self.revocations = Revocations(database)
        database.allowed = self.revocations.check

    async def actor_of(self, request: Request) -> Actor:
        """Who asks, by Bearer token or else by session; also found at `request.state.actor` from then on.

        Raises `BadToken`, `NotSignedIn`, `ForgedRequest` (a change by session without its CSRF token), `Revoked`,
        `RevocationsUnknown`, `TooMany` or `ProviderAway`.
        """
        known: Actor | None = getattr(request.state, "actor", None)
        if known is not None:
            return known
        for name, value in request.scope["headers"]:
            if name == b"authorization":
                actor = await self._bearer(request, value)
                break
        else:
            actor = await self.person_of(request)
        try:
            await self.revocations.check(actor)
        except Revoked:
            await self.note_revoked(request, actor)
            raise
        await self.admission.admit(request, actor)
        request.state.actor = actor
        return actor

    async def person_of(self, request: Request) -> Actor:
        """The person of the request's session. Raises `NotSignedIn` or `ForgedRequest`."""
        session_id = self.session_id(request)
        if session_id is None:
            raise NotSignedIn
        device = device_of(request.headers.get("user-agent", ""))
        person = await sessions.find_actor(self.database, session_id, self.database.clock.now(), device=device)
        if person is None:
            raise NotSignedIn
        request.state.session_seen_at = time.monotonic()
        try:
            await csrf.check(request, session_id, self.public_url)
        except ForgedRequest:
            await self.refusals.record(person, "csrf", thing_of(request))
            raise
        return person

    async def check_again(self, connection: HTTPConnection, actor: Actor) -> None:
        """Return when what is being answered may go on: nothing was revoked, and the person has not signed out.

        Raises `Revoked`, `NotSignedIn` or `RevocationsUnknown`.
        """
        await self.revocations.check(actor)
        seen_at: float | None = getattr(connection.state, "session_seen_at", None)
        if seen_at is None or time.monotonic() - seen_at < SESSION_FRESH_S:
            return
        session_id = self.session_id(connection)
        try:
            live = session_id and await sessions.is_live(self.database, session_id, self.database.clock.now())
        except TRANSIENT:
            raise RevocationsUnknown from None
        if not live:
            raise NotSignedIn
        connection.state.session_seen_at = time.monotonic()

    async def deny(self, request: Request, actor: Actor, reason: Reason, detail: str = "") -> NoReturn:
        """Put the refusal on the trail, then raise `Denied`. `detail` is a message id."""
        await self.refusals.record(actor, reason, thing_of(request))
        raise Denied(detail)

    async def note_denied(self, request: Request) -> None:
        """Put on the trail that who asks was refused what is not theirs, or not there."""
        actor: Actor | None = getattr(request.state, "actor", None)
        if actor is not None:
            await self.refusals.record(actor, "not_yours", thing_of(request))

    async def note_revoked(self, request: Request, actor: Actor) -> None:
        """Put on the trail that somebody asked whose access was taken away."""
        # As one who does not come from outside: else this, too, would be refused.
        await self.refusals.record(replace(actor, issued_at=None), "revoked", thing_of(request))

    def session_id(self, connection: HTTPConnection) -> str | None:
        session_id = connection.cookies.get(self.cookies.session)
        return session_id if session_id is not None and sessions.is_id(session_id) else None

    async def aclose(self) -> None:
        await self.issuer.aclose()
        await self.revocations.aclose()

    async def _bearer(self, request: Request, authorization: bytes) -> Actor:
        scheme, _, token = authorization.partition(b" ")
        given = token.strip().decode("latin-1") if scheme.lower() == b"bearer" else ""
        try:
            return await self.verifier.verify(given)
        except (BadToken, SignInTooWeak):
            await self.refusals.record(ANONYMOUS, "bad_token", thing_of(request))
            raise


def of(request: Request) -> Identity:
    """The identity of the service that handles this request."""
    return of_scope(request.scope)


def of_scope(scope: Scope) -> Identity:
    identity: Identity = scope["app"].state.identity
    return identity


async def actor_of(request: Request) -> Actor:
    """Dependency, or called directly by a plain route: who asks. Raises as `Identity.actor_of`."""
    return await of(request).actor_of(request)


async def optional_actor(request: Request) -> Actor | None:
    """Dependency: who asks, None when nobody is signed in. A token that is given must still be good."""
    try:
        return await actor_of(request)
    except NotSignedIn:
        return None


def require(*roles: str) -> Callable[[Request], Awaitable[Actor]]:
    """A dependency that answers the actor when it has one of these roles, else refuses, on the trail."""
    return _Required(roles)


def require_recent(*roles: str, minutes: int = 5) -> Callable[[Request], Awaitable[Actor]]:
    """For dangerous acts: as `require` (any role when none is named), and a person must have signed in just now.

    On an API route:

        @router.post("/erasures", openapi_extra=web.KEYED)
        async def post_erasure(
            actor: Annotated[Actor, Depends(identity.require_recent("data_protection_officer"))], ...

    A person whose sign-in is older gets 401 `sign_in_not_recent`. Systems with client credentials are not asked: their
    tokens are short-lived by themselves.

    On a page, depend on it twice: where the form is shown, so that the person signs in again before typing, and where
    it is posted. A browser is sent to the identity provider (`prompt=login`, `max_age`) and comes back to the address
    of the form, with its query, so put there what has to be seen again (never what identifies anybody):

        Breaker = Annotated[Actor, Depends(identity.require_recent("coordinator", minutes=10))]

        @router.get("/kasus/{case_id}/buka-paksa")
        async def glass_page(request: Request, case_id: CaseId, actor: Breaker) -> Response: ...

        @router.post("/kasus/{case_id}/buka-paksa")
        async def post_glass(request: Request, case_id: CaseId, actor: Breaker) -> Response: ...

    In the middle of a handler, where only some acts are dangerous: `identity.check_recent(actor, now, minutes=5)`.
    """
    return _Required(roles, minutes)


def check_recent(actor: Actor, now: datetime, *, minutes: int = 5) -> None:
    """Return when this is a system, or a person who signed in within these minutes. Raises `SignInNotRecent`."""
    if actor.kind != "person":
        return
    if actor.authenticated_at is None or now - actor.authenticated_at > timedelta(minutes=minutes):
        raise SignInNotRecent(minutes)


class _Required(SecurityBase):
    """A security scheme, so that the OpenAPI document says of each route that it needs a token."""

    model = HTTPBearer(
        bearerFormat="JWT",
        description="An access token of the identity provider for this service: client credentials, `audience` the"
        " service's name. People's browsers have a session instead.",
    )
    scheme_name = "token"

    def __init__(self, roles: tuple[str, ...], minutes: int | None = None) -> None:
        self.roles = roles
        self.minutes = minutes

    async def __call__(self, request: Request) -> Actor:
        actor = await actor_of(request)
        if (self.roles or self.minutes is None) and not actor.has(*self.roles):
            await of(request).deny(request, actor, "role")
        if self.minutes is not None:
            check_recent(actor, of(request).database.clock.now(), minutes=self.minutes)
        return actor


async def deny(request: Request, actor: Actor, reason: Reason = "not_yours", detail: str = "") -> NoReturn:
    """Put on the trail that this actor may not do this, then raise `Denied`."""
    await of(request).deny(request, actor, reason, detail)


async def note_denied(request: Request) -> None:
    """Put on the trail that who asks was refused what is not theirs, or not there; called before the refusal leaves."""
    await of(request).note_denied(request)


def record_denied(request: Request, work: Work) -> None:
    """The same, told with a work that did something about others of a list."""
    work.record(
        access.AccessDenied(
            case_id=person_stream(work.actor.id), service=work.service, reason="not_yours", thing=thing_of(request)
        )
    )


def csrf_token(request: Request) -> str:
    """The token for the hidden field `csrf` of this session's forms; empty when there is no session."""
    session_id = of(request).session_id(request)
    return "" if session_id is None else sessions.csrf_token(session_id)
