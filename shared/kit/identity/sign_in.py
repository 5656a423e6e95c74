"""Signing in and out: the authorization code flow with PKCE, and the end of a session.

What belongs to one attempt (state, nonce, verifier, where to go afterwards) waits in a cookie of the browser
that began it, so a code that was caught elsewhere is worth nothing there.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from shared.contracts import access
from shared.kit.actor import Actor
from shared.kit.identity import claims, sessions, tokens, used_answers
from shared.kit.identity.devices import device_of
from shared.kit.identity.gate import Identity
from shared.kit.identity.refusals import (
    BadToken,
    Barred,
    NotSignedIn,
    ProviderAway,
    Revoked,
    SignInFailed,
    SignInTooWeak,
)
from shared.kit.identity.trail import ANONYMOUS, person_stream, thing_of

ATTEMPT_LASTS = timedelta(minutes=10)
LONGEST_PATH = 1_000
LONGEST_SID = 200
MINUTES_FIELD = "menit"
MINUTES = re.compile(r"[1-9][0-9]?")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
LOCAL_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f-\U0010ffff]*")
NO_STORE = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One log-in under way."""

    state: str
    nonce: str
    verifier: str
    next: str
    minutes: str = ""
    """How old the sign-in may be that the person comes back with; empty where any will do."""
    acr: str = ""
    """How sure the provider was asked to be; empty where any way will do."""

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def cookie(self) -> str:
        return base64.urlsafe_b64encode(orjson.dumps(asdict(self))).rstrip(b"=").decode()


def local_path(path: str | None) -> str:
    """`path` when it leads to a page of this service and nowhere else, else the first page."""
    if path is not None and len(path) <= LONGEST_PATH and LOCAL_PATH.fullmatch(path):
        return path
    return "/"


def router(identity: Identity) -> APIRouter:
    """`GET /masuk?next=`, `GET /masuk/kembali`, `POST /keluar`."""

    async def begin(request: Request) -> Response:
        """Send the browser to the identity provider."""
        await identity.admission.admit_stranger(request)
        target = local_path(request.query_params.get("next"))
        if elsewhere := _other_name_of_this_machine(request, identity.public_url):
            asked = {"next": target} | ({MINUTES_FIELD: minutes} if (minutes := _minutes(request)) else {})
            return RedirectResponse(f"{elsewhere}/masuk?{urlencode(asked)}", 303, NO_STORE)
        return await ask(request, target, _minutes(request), identity.names.acr)

    async def ask(request: Request, target: str, minutes: str, acr: str) -> Response:
        """The way to the provider, with what it is asked for; what belongs to the attempt goes into the cookie."""
        attempt = Attempt(
            *(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48)), target, minutes, acr
        )
        asked = {
            "response_type": "code",
            "scope": "openid",
            "client_id": identity.client_id,
            "redirect_uri": _callback(identity),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
            "ui_locales": "en" if target.startswith("/en/") else "id",
        }
        if identity.cookies.left in request.cookies or attempt.minutes or _is_led_here(request):
            asked["prompt"] = "login"
        if attempt.minutes:
            asked["max_age"] = str(int(attempt.minutes) * 60)
        if acr:
            asked["acr_values"] = acr
        if hint := request.query_params.get("login_hint"):
            asked["login_hint"] = hint[:64]
        endpoints = await identity.issuer.endpoints()
        response = RedirectResponse(f"{endpoints.authorization}?{urlencode(asked)}", 303, NO_STORE)
        identity.cookies.put(response, identity.cookies.attempt, attempt.cookie(), ATTEMPT_LASTS)
        return response

    async def finish(request: Request) -> Response:
        """Come back from the identity provider: a new session, a refusal, or once more to it for a stronger sign-in."""
        await identity.admission.admit_stranger(request)
        try:
            attempt = _attempt(request.cookies.get(identity.cookies.attempt, ""))
            actor, provider_session = await _person(identity, attempt, request.query_params)
            session_id = await _begin_session(identity, actor, request, attempt, provider_session)
        except SignInTooWeak as weak:
            if weak.asked != attempt.acr:
                return await ask(request, attempt.next, attempt.minutes, weak.asked)
            await identity.refusals.record(ANONYMOUS, "bad_token", thing_of(request))
            raise
        except (SignInFailed, BadToken):
            await identity.refusals.record(ANONYMOUS, "bad_token", thing_of(request))
            raise SignInFailed from None
        response = RedirectResponse(attempt.next, 303, NO_STORE)
        identity.cookies.put(response, identity.cookies.session, session_id)
        identity.cookies.drop(response, identity.cookies.attempt)
        identity.cookies.drop(response, identity.cookies.left)
        return response

    async def leave(request: Request) -> Response:
        """End the session of this browser, and where the provider offers that, the one there."""
        try:
            actor = await identity.person_of(request)
        except NotSignedIn:
            return signed_out(identity)
        provider_session = await _end_session(identity, actor, request.cookies[identity.cookies.session])
        return signed_out(identity, await _end_at_provider(identity, provider_session))

    made = APIRouter(include_in_schema=False)
    made.add_api_route("/masuk", begin, methods=["GET"], response_model=None)
    made.add_api_route("/masuk/kembali", finish, methods=["GET"], response_model=None)
    made.add_api_route("/keluar", leave, methods=["POST"], response_model=None)
    return made


def signed_out(identity: Identity, leads_to: str = "/") -> Response:
    """To the first page, maybe by way of the provider, without a session."""
    response = RedirectResponse(leads_to, 303, NO_STORE | {"Clear-Site-Data": '"storage"'})
    identity.cookies.drop(response, identity.cookies.session)
    identity.cookies.put(response, identity.cookies.left, "1", sessions.LONGEST)
    return response


async def _person(identity: Identity, attempt: Attempt, answer: Mapping[str, str]) -> tuple[Actor, str | None]:
    """Redeem the code of the provider's answer: the person, and the provider's session (`sid`) if it names one.

    Raises `SignInFailed`, `SignInTooWeak`, `BadToken` or `ProviderAway`.
    """
    if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
        raise SignInFailed
    if answer.get("iss", identity.issuer.url) != identity.issuer.url or "code" not in answer:
        raise SignInFailed
    endpoints = await identity.issuer.endpoints()
    status, granted = await identity.issuer.post(
        endpoints.token,
        {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": _callback(identity),
            "code_verifier": attempt.verifier,
            "client_id": identity.client_id,
            "client_secret": identity.client_secret,
        },
    )
    if status != 200 or not isinstance(granted.get("id_token"), str):
        raise SignInFailed
    now = identity.database.clock.now()
    said = await tokens.verified(
        granted["id_token"], identity.issuer, kind="id", audience=identity.client_id, now=now.timestamp()
    )
    if not _is_of_this_attempt(said, attempt, identity.client_id):
        raise SignInFailed
    actor = claims.actor(said, kind="person", names=identity.names)
    if actor.kind != "person" or not _is_as_recent_as_asked(actor, attempt, now):
        raise SignInFailed
    sid = said.get("sid")
    # What counts from here on is when our session began.
    actor = replace(actor, issued_at=now)
    return actor, sid if isinstance(sid, str) and 0 < len(sid) <= LONGEST_SID else None


def _is_as_recent_as_asked(actor: Actor, attempt: Attempt, now: datetime) -> bool:
    """False when the provider did not make the person sign in again: coming back would only lead there once more."""
    if not attempt.minutes:
        return True
    oldest = now - timedelta(minutes=int(attempt.minutes), seconds=tokens.SKEW_S)
    return actor.authenticated_at is not None and actor.authenticated_at >= oldest


def _is_of_this_attempt(said: Mapping[str, Any], attempt: Attempt, client_id: str) -> bool:
    nonce, party = said.get("nonce"), said.get("azp")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), attempt.nonce.encode()):
        return False
    return party == client_id or (party is None and said["aud"] in (client_id, [client_id]))


async def _begin_session(
    identity: Identity, actor: Actor, request: Request, attempt: Attempt, provider_session: str | None
) -> str:
    """A new session with a new id; the one this browser had before ends with it.

    Raises `Barred`, or `SignInFailed` when the provider's answer to this attempt was used before.
    """
    try:
        await identity.revocations.check(actor)
    except Revoked:
        await identity.note_revoked(request, actor)
        raise Barred from None
    session_id, old_session_id = sessions.new_id(), request.cookies.get(identity.cookies.session)
    device = device_of(request.headers.get("user-agent", ""))
    async with identity.database.work(actor, purpose="sign_in") as work:
        await work.as_service()  # another person may have been signed in at this browser before
        if not await used_answers.use_once(
            work.connection, f"state {attempt.state}", work.now + ATTEMPT_LASTS, work.now
        ):
            raise SignInFailed
        if old_session_id:
            await sessions.remove_session(work.connection, old_session_id)
        await sessions.remove_ended(work.connection, work.now)
        await sessions.add_session(
            work.connection, session_id, actor, work.now, device=device, provider_session=provider_session
        )
        work.record(access.SignedIn(case_id=person_stream(actor.id), service=work.service))
    return session_id


async def _end_session(identity: Identity, actor: Actor, session_id: str) -> str | None:
    """End a session of ours; answers in which one of the provider it began."""
    async with identity.database.work(actor, purpose="sign_out") as work:
        await work.as_service()
        provider_session = await sessions.remove_session(work.connection, session_id)
        work.record(access.SignedOut(case_id=person_stream(actor.id), service=work.service))
    return provider_session


async def _end_at_provider(identity: Identity, provider_session: str | None) -> str:
    """Where the browser goes to sign out at the provider (RP-Initiated Logout 1.0), which sends it back to us.

    Just our first page when the provider offers no such thing, or is away: here the person is signed out in any case.
    """
    try:
        endpoints = await identity.issuer.endpoints()
    except ProviderAway:
        return "/"
    if endpoints.end_session is None or provider_session is None:
        return "/"
    asked = {
        "client_id": identity.client_id,
        "logout_hint": provider_session,
        "post_logout_redirect_uri": f"{identity.public_url}/",
    }
    return f"{endpoints.end_session}?{urlencode(asked)}"


def _attempt(cookie: str) -> Attempt:
    """The attempt in a cookie. Raises `SignInFailed` when there is none or somebody wrote another thing there."""
    try:
        said = orjson.loads(base64.urlsafe_b64decode(f"{cookie}==".encode()))
        parts = [said[name] for name in ("state", "nonce", "verifier", "next")]
        minutes, acr = said["minutes"], said.get("acr", "")
    except (ValueError, LookupError, TypeError):
        raise SignInFailed from None
    if not all(isinstance(part, str) and part for part in parts):
        raise SignInFailed
    if not isinstance(minutes, str) or not (minutes == "" or MINUTES.fullmatch(minutes)) or not isinstance(acr, str):
        raise SignInFailed
    state, nonce, verifier, target = parts
    return Attempt(state, nonce, verifier, local_path(target), minutes, acr)


def _minutes(request: Request) -> str:
    """How old the sign-in may be that is asked for; empty where any will do."""
    asked = request.query_params.get(MINUTES_FIELD, "")
    return asked if MINUTES.fullmatch(asked) else ""


def _callback(identity: Identity) -> str:
    return f"{identity.public_url}/masuk/kembali"


def _is_led_here(request: Request) -> bool:
    """True when the browser says that another site brought it here, without anything that the person pressed."""
    from_elsewhere = request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    return from_elsewhere and request.headers.get("sec-fetch-user") != "?1"


def _other_name_of_this_machine(request: Request, public_url: str) -> str | None:
    """The public address, when the browser came by another loopback name: there its cookies would be missing."""
    public, asked = urlsplit(public_url), request.url
    if public.hostname in LOOPBACK and asked.hostname in LOOPBACK and public.hostname != asked.hostname:
        return public_url
    return None
