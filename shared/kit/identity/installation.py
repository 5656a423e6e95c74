"""`install`: gives a web application its pages of signing in, and the way of a browser back through them."""

from urllib.parse import quote, urlencode, urlsplit

from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse, Response

from shared.kit.identity import back_channel, own_devices, revoking, sign_in
from shared.kit.identity.in_flight import InFlight
from shared.kit.identity.refusals import SignInNotRecent
from shared.kit.web import problems
from shared.kit.web.navigation import SIGN_IN, here, language_of


def install(app: FastAPI) -> None:
    """Add the routes of identity; `app.state.identity` is there, and `web.install` comes after this, around it."""
    app.include_router(sign_in.router(app.state.identity))
    app.include_router(back_channel.router(app.state.identity))
    for router in (own_devices.router(), revoking.router(), revoking.api_router()):
        app.include_router(router)
    app.add_exception_handler(SignInNotRecent, _sign_in_again)
    app.add_middleware(InFlight)


async def _sign_in_again(request: Request, refusal: Exception) -> Response:
    """A browser goes to the identity provider and comes back to the form; a program is told what is missing."""
    assert isinstance(refusal, SignInNotRecent)
    if not problems.wants_page(request):
        return problems.answer(request, problems.of_refusal(request, refusal), refusal.headers)
    asked = {"next": _form_of(request), sign_in.MINUTES_FIELD: str(refusal.minutes)}
    return RedirectResponse(f"{SIGN_IN}?{urlencode(asked)}", status_code=303)


def _form_of(request: Request) -> str:
    """Where the form is that was asked for, or from which this was posted; else the first page."""
    if request.method in ("GET", "HEAD"):
        return here(request)
    came_from = urlsplit(request.headers.get("referer", ""))
    if came_from.netloc == request.headers.get("host") and came_from.path:
        return sign_in.local_path(came_from.path + (f"?{came_from.query}" if came_from.query else ""))
    return quote(f"/{language_of(request)}/")
