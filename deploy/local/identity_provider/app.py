"""The provider's endpoints: discovery, keys, authorize, token, userinfo, end_session."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

import aiohttp
from jinja2 import Environment, FileSystemLoader
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from deploy.local.identity_provider import people
from deploy.local.identity_provider.signing import Signer

CODE_LIFETIME_S = 60
TOKEN_LIFETIME_S = 900
LOGOUT_LIFETIME_S = 120
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
CALLBACK = "/masuk/kembali"
BACK_CHANNEL = "/keluar/kabar"
BROWSER = "rujukan-penyedia"
"""The cookie by which a browser is known again, so that a person has one session in it for all services."""
SCOPE = "rujukan"
"""What systems' tokens are for; the services ask for it (OIDC_SCOPE)."""
CODES_LIMIT = 1_000
BODY_LIMIT = 16_384
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
NO_STORE = {"Cache-Control": "no-store"}
PAGE_HEADERS = NO_STORE | {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

templates = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code stands for until it is redeemed."""

    person: people.Person
    client_id: str
    redirect_uri: str
    nonce: str | None
    challenge: str
    ends_at: float
    sid: str


@dataclass(frozen=True, slots=True)
class Session:
    """A person in a browser, and the services that were told so: client id and callback."""

    sub: str
    told: dict[str, str]


class Provider:
    def __init__(self, *, issuer: str, secret: str) -> None:
        self.issuer = issuer.rstrip("/")
        self._secret = secret
        self._signer = Signer(secret, self.issuer)
        self._grants: dict[str, Grant] = {}
        self._sessions: dict[str, Session] = {}

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/token", self.token, methods=["POST"]),
                Route("/.well-known/openid-configuration", self.discovery),
                Route("/jwks", self.keys),
                Route("/authorize", self.authorize),
                Route("/end_session", self.end_session, methods=["GET", "POST"]),
                Route("/userinfo", self.userinfo, methods=["GET", "POST"]),
                Route("/livez", self.livez),
            ]
        )

    async def discovery(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "end_session_endpoint": f"{self.issuer}/end_session",
                "backchannel_logout_supported": True,
                "backchannel_logout_session_supported": True,
                "jwks_uri": f"{self.issuer}/jwks",
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code", "client_credentials"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
                "code_challenge_methods_supported": ["S256"],
                "scopes_supported": ["openid", SCOPE],
                "claims_supported": ["sub", "org", "roles", "port", "region", "kind", "sid", "auth_time"],
                "authorization_response_iss_parameter_supported": True,
                "ui_locales_supported": ["id", "en"],
            }
        )

    async def keys(self, _: Request) -> Response:
        return JSONResponse(self._signer.key_set())

    async def livez(self, _: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def authorize(self, request: Request) -> Response:
        """One link per person; with `login_hint` straight back with a code."""
        asked = request.query_params
        client_id, redirect_uri = asked.get("client_id", ""), asked.get("redirect_uri", "")
        if not people.SERVICE.fullmatch(client_id) or not _is_ours(redirect_uri, CALLBACK):
            # Never redirect to an address that is not known to be a service's.
            return PlainTextResponse("invalid_request: unknown client_id or redirect_uri\n", status_code=400)
        if asked.get("response_type") != "code" or "openid" not in asked.get("scope", "").split():
            return self._back(redirect_uri, asked.get("state"), error="invalid_request")
        if asked.get("code_challenge_method") != "S256" or len(asked.get("code_challenge", "")) != 43:
            return self._back(redirect_uri, asked.get("state"), error="invalid_request")
        if hint := asked.get("login_hint"):
            person = people.PEOPLE.get(hint)
            if person is None:
                return self._back(redirect_uri, asked.get("state"), error="access_denied")
            browser = request.cookies.get(BROWSER) or secrets.token_urlsafe(32)
            answer = self._back(redirect_uri, asked.get("state"), code=self._grant(person, request, browser))
            answer.set_cookie(BROWSER, browser, httponly=True, samesite="lax")
            return answer
        return self._page(request)

    async def token(self, request: Request) -> Response:
        form = dict(parse_qsl((await _body(request)).decode("utf-8", "replace")))
        client_id, secret = _credentials(request, form)
        expected = people.client_secret(self._secret, client_id)
        claims = people.client_claims(client_id)
        if claims is None or not hmac.compare_digest(expected.encode(), secret.encode()):
            return _token_error("invalid_client", 401)
        if form.get("grant_type") == "client_credentials":
            return self._client_token(claims, form.get("audience", ""))
        if form.get("grant_type") == "authorization_code":
            return self._person_tokens(client_id, form)
        return _token_error("unsupported_grant_type")

    async def end_session(self, request: Request) -> Response:
        """Sign out the session of the hint, tell its services, and send the browser back to the one it came from."""
        asked = dict(request.query_params)
        if request.method == "POST":
            asked = dict(parse_qsl((await _body(request)).decode("utf-8", "replace")))
        session = self._sessions.pop(asked.get("logout_hint", ""), None)
        if session is not None:
            await self._tell(asked["logout_hint"], session)
        back = asked.get("post_logout_redirect_uri", "")
        if not _is_ours(back, "/"):
            return PlainTextResponse("signed out\n", headers=NO_STORE)
        state = {"state": asked["state"]} if asked.get("state") else {}
        return RedirectResponse(f"{back}?{urlencode(state)}" if state else back, 303, NO_STORE)

    async def userinfo(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        claims = self._signer.read(token, audience=self.issuer, now=int(time.time()))
        if scheme.lower() != "bearer" or claims is None:
            return JSONResponse({"error": "invalid_token"}, 401, {"WWW-Authenticate": "Bearer"})
        return JSONResponse(people.PEOPLE[claims["sub"]].claims(), headers=NO_STORE)

    def _page(self, request: Request) -> Response:
        wanted = request.query_params.get("ui_locales") or request.headers.get("accept-language", "id")
        language = "en" if wanted.lower().startswith("en") else "id"
        asked = dict(request.query_params)
        body = templates.get_template("authorize.html").render(
            language=language,
            other="?" + urlencode(asked | {"ui_locales": "id" if language == "en" else "en"}),
            links=[(person, "?" + urlencode(asked | {"login_hint": person.sub})) for person in people.PEOPLE.values()],
        )
        return HTMLResponse(body, headers=PAGE_HEADERS)

    def _grant(self, person: people.Person, request: Request, browser: str) -> str:
        asked, now = request.query_params, time.monotonic()
        self._grants = {code: grant for code, grant in self._grants.items() if grant.ends_at > now}
        while len(self._grants) >= CODES_LIMIT:
            self._grants.pop(next(iter(self._grants)))
        code = secrets.token_urlsafe(32)
        self._grants[code] = Grant(
            person,
            asked["client_id"],
            asked["redirect_uri"],
            asked.get("nonce"),
            asked["code_challenge"],
            now + CODE_LIFETIME_S,
            self._sid(person, browser),
        )
        return code

    def _sid(self, person: people.Person, browser: str) -> str:
        """The session of a person in a browser, the same for all services."""
        return hmac.new(self._secret.encode(), f"{browser} {person.sub}".encode(), hashlib.sha256).hexdigest()[:32]

    def _note(self, grant: Grant) -> None:
        """Remember whom to tell when this session ends."""
        self._sessions.setdefault(grant.sid, Session(grant.person.sub, {})).told[grant.client_id] = grant.redirect_uri
        while len(self._sessions) > CODES_LIMIT:
            self._sessions.pop(next(iter(self._sessions)))

    async def _tell(self, sid: str, session: Session) -> None:
        """Back-channel log-out at each service; one that does not answer is left alone."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as client:

            async def post(client_id: str, callback: str) -> None:
                token = self._signer.sign(
                    {"sub": session.sub, "sid": sid, "jti": secrets.token_urlsafe(12), "events": {LOGOUT_EVENT: {}}},
                    audience=client_id,
                    now=int(time.time()),
                    lifetime_s=LOGOUT_LIFETIME_S,
                    typ="logout+jwt",
                )
                address = callback.removesuffix(CALLBACK) + BACK_CHANNEL
                async with client.post(address, data={"logout_token": token}, allow_redirects=False):
                    pass

            await asyncio.gather(
                *(post(client_id, callback) for client_id, callback in session.told.items()), return_exceptions=True
            )

    def _back(self, redirect_uri: str, state: str | None, **answer: str) -> Response:
        answer |= {"iss": self.issuer} | ({"state": state} if state else {})
        return RedirectResponse(f"{redirect_uri}?{urlencode(answer)}", 303, NO_STORE)

    def _client_token(self, claims: dict[str, Any], audience: str) -> Response:
        if not audience:
            return _token_error("invalid_target")
        token = self._signer.sign(
            claims
            | {"azp": claims["sub"], "client_id": claims["sub"], "scope": SCOPE, "jti": secrets.token_urlsafe(12)},
            audience=audience,
            now=int(time.time()),
            lifetime_s=TOKEN_LIFETIME_S,
            typ="at+jwt",
        )
        return JSONResponse(
            {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_LIFETIME_S, "scope": SCOPE},
            headers=NO_STORE,
        )

    def _person_tokens(self, client_id: str, form: dict[str, str]) -> Response:
        grant = self._grants.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            grant is None
            or grant.ends_at <= time.monotonic()
            or grant.client_id != client_id
            or grant.redirect_uri != form.get("redirect_uri")
            or not hmac.compare_digest(grant.challenge.encode(), challenge.rstrip(b"="))
        ):
            return _token_error("invalid_grant")
        self._note(grant)
        now, claims = int(time.time()), grant.person.claims() | {"azp": client_id, "sid": grant.sid}
        nonce = {"nonce": grant.nonce} if grant.nonce else {}
        return JSONResponse(
            {
                "access_token": self._signer.sign(
                    claims, audience=self.issuer, now=now, lifetime_s=TOKEN_LIFETIME_S, typ="at+jwt"
                ),
                "id_token": self._signer.sign(
                    claims | nonce | {"auth_time": now, "acr": people.ACR},
                    audience=client_id,
                    now=now,
                    lifetime_s=TOKEN_LIFETIME_S,
                    typ="JWT",
                ),
                "token_type": "Bearer",
                "expires_in": TOKEN_LIFETIME_S,
                "scope": "openid",
            },
            headers=NO_STORE,
        )


def _is_ours(address: str, path: str) -> bool:
    """True for this path of a service on this machine."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and parts.hostname in LOOPBACK
        and parts.username is None
        and parts.path == path
        and not parts.query
        and not parts.fragment
    )


def _credentials(request: Request, form: dict[str, str]) -> tuple[str, str]:
    """Client id and secret, from the form or from HTTP Basic; empty ones when there are none."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", "")[:64], form.get("client_secret", "")
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote_plus(client_id)[:64], unquote_plus(secret)


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            return b""
    return body


def _token_error(error: str, status: int = 400) -> Response:
    return JSONResponse({"error": error}, status, NO_STORE)
