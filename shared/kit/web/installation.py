"""`install`: gives a FastAPI application the whole of this package."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from shared.kit import database, words
from shared.kit.refusal import Refusal
from shared.kit.web import problems, routes, validation
from shared.kit.web.assets import Assets
from shared.kit.web.headers import Headers
from shared.kit.web.limits import BodyLimit
from shared.kit.web.navigation import language_of
from shared.kit.web.pages import Nav, Pages
from shared.kit.web.tracing import Tracing
from shared.kit.web.transport import HttpsForPrograms
from shared.kit.words import msg

UNREACHABLE = (*(kind for kind in database.TRANSIENT if kind is not OSError), ConnectionError)
"""Trouble of a neighbour that goes away by itself: answered with 503 and Retry-After."""

DENIALS = frozenset({403, 404})
"""Answers of the domain that say: not yours, or not there, which are told alike."""

SERVICE_TITLES = {
    "intake": msg("Ports"),
    "referral": msg("Agencies"),
    "notify": msg("Notices"),
    "audit": msg("Audit trail"),
}


def install(
    app: FastAPI,
    *,
    service: str = "",
    folder: Path | None = None,
    navigation: Sequence[Nav | tuple[str, str]] = (),
    refusals: Mapping[type[Exception], problems.Refused] | None = None,
    csrf_token: Callable[[Request], str] = lambda _: "",
    note_denied: Callable[[Request], Awaitable[None]] | None = None,
    https: bool = False,
    form_target: str = "",
    development: bool = False,
) -> None:
    """Errors, headers, limits, static files and pages for a service.

    `service` is its name, `folder` its package: `templates/`, `static/` and `locale/` there are used where they
    exist. `navigation` are the links in the top bar: path without language, message id, and with `Nav` the roles
    that see it. `refusals` says how exceptions of the domain answer: status, code, message id of the title.
    `csrf_token` gives the token that forms carry. `note_denied` is told before anybody is refused what the domain says
    is not there or not theirs. `https` adds Strict-Transport-Security and refuses programs that
    a proxy says came without. `form_target` is another origin that a form of ours may end at (the identity provider,
    at signing out). `development` reads templates again when they change and offers `/id/gaya`.
    """
    own = {name: [folder / name] if folder and (folder / name).is_dir() else [] for name in
           ("templates", "static", "locale")}  # fmt: skip
    for catalogues in own["locale"]:
        words.load(catalogues)
    assets = Assets(own["static"])
    app.state.pages = Pages(
        title=SERVICE_TITLES.get(service, service),
        templates=own["templates"],
        assets=assets,
        nav=[link if isinstance(link, Nav) else Nav(*link) for link in navigation],
        csrf_token=csrf_token,
        reload=development,
    )
    _install_errors(app, refusals or {}, note_denied)
    routes.add(app, assets, development=development)
    # The framework would mend a slash by a redirect to whatever host the caller says we are.
    app.router.redirect_slashes = False
    app.add_middleware(BodyLimit)
    if https:
        app.add_middleware(HttpsForPrograms)
    app.add_middleware(Headers, on_bug=_bug, https=https, form_target=form_target)
    app.add_middleware(Tracing)


def _install_errors(
    app: FastAPI,
    refusals: Mapping[type[Exception], problems.Refused],
    note_denied: Callable[[Request], Awaitable[None]] | None,
) -> None:
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    for kind in UNREACHABLE:
        app.add_exception_handler(kind, _unreachable)
    for kind, refused in refusals.items():
        app.add_exception_handler(kind, _domain(refused, note_denied if refused[0] in DENIALS else None))


async def _refusal(request: Request, exception: Exception) -> Response:
    assert isinstance(exception, Refusal)
    return problems.answer(request, problems.of_refusal(request, exception), exception.headers)


async def _http(request: Request, exception: Exception) -> Response:
    assert isinstance(exception, HTTPException)
    problem = problems.of_status(request, exception.status_code, exception.detail)
    return problems.answer(request, problem, exception.headers)


async def _invalid(request: Request, exception: Exception) -> Response:
    assert isinstance(exception, RequestValidationError)
    if any(error["loc"][0] == "path" for error in exception.errors()):
        return problems.answer(request, problems.of_status(request, 404))
    errors = validation.field_problems(language_of(request), exception.errors())
    return problems.answer(request, problems.of_invalid_fields(request, errors))


async def _unreachable(request: Request, _: Exception) -> Response:
    return problems.answer(request, problems.of_status(request, 503), {"Retry-After": "2"})


def _domain(
    refused: problems.Refused, note: Callable[[Request], Awaitable[None]] | None
) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(request: Request, exception: Exception) -> Response:
        if note is not None:
            try:
                await note(request)
            except UNREACHABLE as trouble:
                return await _unreachable(request, trouble)
        return problems.answer(request, problems.of_domain(request, refused, exception))

    return handle


def _bug(request: Request) -> Response:
    """The 500, told by number only. Rendered without the database, which may be what is broken."""
    return problems.answer(request, problems.of_status(request, 500))
