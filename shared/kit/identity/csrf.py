"""Proof that a change asked for with a session's cookie comes from a page of ours."""

import hmac
from urllib.parse import urlsplit

from starlette.requests import Request

from shared.kit.identity import sessions
from shared.kit.identity.refusals import ForgedRequest
from shared.kit.web.forms import CSRF_FIELD, is_form

HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


async def check(request: Request, session_id: str, public_url: str) -> None:
    """Return when the request is safe or proven ours. Raises `ForgedRequest`.

    What another site's page wants as a part of itself is not safe either, because looking leaves traces: the trail
    says that this person looked. A link to us is. The token comes in the header `X-CSRF-Token` or in the form field
    `csrf`; besides, what the browser says of the page it comes from must fit.
    """
    if request.method in SAFE_METHODS:
        if not _for_a_page_of_ours(request):
            raise ForgedRequest
        return
    if not _from_our_origin(request, public_url):
        raise ForgedRequest
    token = request.headers.get(HEADER)
    if token is None and is_form(request):
        field = (await request.form()).get(CSRF_FIELD)
        token = field if isinstance(field, str) else None
    if token is None or not hmac.compare_digest(token.encode(), sessions.csrf_token(session_id).encode()):
        raise ForgedRequest


def _for_a_page_of_ours(request: Request) -> bool:
    """False when the browser says that a page of another origin frames, embeds or fetches this."""
    is_ours = request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
    return is_ours or request.headers.get("sec-fetch-dest") == "document"


def _from_our_origin(request: Request, public_url: str) -> bool:
    """False when the browser says that another site asks. Programs say nothing; for them the token must do."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    public, asking = urlsplit(public_url), urlsplit(origin)
    if (asking.scheme, asking.netloc) == (public.scheme, public.netloc):
        return True
    # A browser sends the cookie to the host that set it, so its own Host header is an origin of ours as well.
    return asking.scheme == request.url.scheme and asking.netloc == request.headers.get("host")
