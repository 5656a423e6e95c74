"""The few routes every service has: the first page's language, static files, the look, the style page."""

from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from shared.kit.web import gaya, navigation
from shared.kit.web.assets import Assets
from shared.kit.web.pages import THEME_COOKIE, THEMES

YEAR_S = 31_536_000


def add(app: FastAPI, assets: Assets, *, development: bool) -> None:
    app.router.routes.append(Route("/static/{name:path}", assets.respond, methods=["GET"]))
    app.router.routes.append(Route("/", first_page, methods=["GET"]))
    app.router.routes.append(Route("/{language:language}", first_page, methods=["GET"]))
    app.router.routes.append(Route("/{language:language}/tampilan", choose_theme, methods=["POST"]))
    if development:
        app.router.routes.append(Route("/{language:language}/gaya", gaya.style_page, methods=["GET"]))


async def first_page(request: Request) -> Response:
    """`/` and `/id`: on to the first page, in the language of the path or else the one the browser prefers."""
    return RedirectResponse(
        navigation.path_in(navigation.language_of(request), "/"),
        status_code=303,
        headers={"Vary": "Accept-Language"},
    )


async def choose_theme(request: Request) -> Response:
    """Light, dark or as the device says; kept in a cookie. It changes nothing but looks, so it needs no token."""
    form = await request.form()
    chosen, back = form.get("theme"), form.get("back")
    response = RedirectResponse(_own_path(back, request), status_code=303)
    if chosen in THEMES:
        response.set_cookie(THEME_COOKIE, str(chosen), max_age=YEAR_S, httponly=True, samesite="lax", path="/")
    return response


def _own_path(back: object, request: Request) -> str:
    """Where to go back to: a path of ours, never another host."""
    home = navigation.path_in(navigation.language_of(request), "/")
    if not isinstance(back, str) or not back.startswith("/") or back.startswith(("//", "/\\")):
        return home
    parts = urlsplit(back)
    return back if not parts.netloc and not parts.scheme else home
