"""Errors as people and programs read them: RFC 9457 problem+json for APIs, an HTML page for pages.

A refusal is an expected "no" with a status; a bug is a 500 with a trace id. Nothing here repeats what the
sender sent, so no name can leave by an error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import orjson
from fastapi import Request
from pydantic import BaseModel
from starlette.responses import RedirectResponse, Response

from shared.kit import words
from shared.kit.refusal import Refusal
from shared.kit.web.navigation import SIGN_IN, here, language_of
from shared.kit.words import Language, msg

PROBLEM_JSON = "application/problem+json"

Refused = tuple[int, str, str]
"""How a refusal of a domain answers: status, code, message id of the title."""

TITLES = {
    400: msg("The request could not be understood"),
    401: msg("Please sign in"),
    403: msg("You may not do this"),
    404: msg("This page does not exist"),
    405: msg("This address does not take that method"),
    409: msg("This does not fit the present state"),
    410: msg("This is gone for good"),
    413: msg("The content is too large"),
    415: msg("This kind of content is not taken here"),
    422: msg("Some entries need correction"),
    429: msg("Too many requests"),
    500: msg("Something went wrong on our side"),
    503: msg("The service is busy or being restarted"),
}
DETAILS = {
    401: msg(
        "Your session may have ended. Sign in again: what was saved is not lost, what was not sent is typed again."
    ),
    404: msg("Check the address, or start again from the first page."),
    413: msg("Send less at once: split a large file into several."),
    500: msg("Please try again. If it happens again, tell the support desk the number below."),
    503: msg("Nothing is lost. Please try again in a few seconds."),
}


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing wrong with one field, in the reader's words.

    `field` is the name of the form field, or in JSON answers a JSON pointer; `message` says what is wrong and
    `remedy` what to do.
    """

    field: str
    message: str
    remedy: str = ""


class Invalid(Refusal):
    """What was sent has fields that need correction. `errors` are in the reader's language already."""

    status = 422
    code = "invalid"
    title = TITLES[422]

    def __init__(self, errors: Sequence[FieldProblem], detail: str = "") -> None:
        super().__init__(detail)
        self.errors = list(errors)


@dataclass(frozen=True, slots=True)
class Problem:
    """An RFC 9457 problem. `errors` is our extension: field, message, remedy."""

    status: int
    code: str
    title: str
    detail: str
    trace_id: str
    errors: Sequence[FieldProblem] = ()

    def json(self) -> bytes:
        members: dict[str, Any] = {
            "type": f"urn:rujukan:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": f"urn:rujukan:trace:{self.trace_id}",
            "code": self.code,
        }
        if self.errors:
            members["errors"] = [asdict(error) for error in self.errors]
        return orjson.dumps(members)


def wants_page(request: Request) -> bool:
    """True for a browser that navigates; APIs and programs get problem+json."""
    if request.scope["path"].startswith("/api/"):
        return False
    return "text/html" in request.headers.get("accept", "")


def answer(request: Request, problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """The problem as the one who asked can read it; a browser that is not signed in is sent to sign in."""
    if not wants_page(request):
        return Response(problem.json(), problem.status, headers, media_type=PROBLEM_JSON)
    if problem.status == 401:
        back = here(request) if request.method in ("GET", "HEAD") else f"/{language_of(request)}/"
        return RedirectResponse(f"{SIGN_IN}?next={quote(back)}", status_code=303)
    response: Response = request.app.state.pages.render(
        request, "problem.html", status=problem.status, values={"problem": problem}
    )
    response.headers.update(headers or {})
    return response


def of_refusal(request: Request, refusal: Refusal) -> Problem:
    language = language_of(request)
    return Problem(
        status=refusal.status,
        code=refusal.code,
        title=words.translate(language, refusal.title),
        detail=_detail(language, refusal.status, refusal.detail),
        trace_id=trace_id(request),
        errors=refusal.errors if isinstance(refusal, Invalid) else (),
    )


def of_domain(request: Request, refused: Refused, exception: Exception) -> Problem:
    status, code, title = refused
    language = language_of(request)
    return Problem(
        status=status,
        code=code,
        title=words.translate(language, title),
        detail=_detail(language, status, str(exception)),
        trace_id=trace_id(request),
    )


def of_status(request: Request, status: int, detail: str = "") -> Problem:
    """A problem that only a status tells, as the framework raises them."""
    language = language_of(request)
    title = TITLES.get(status) or HTTPStatus(status).phrase
    return Problem(
        status=status,
        code=HTTPStatus(status).phrase.lower().replace(" ", "_"),
        title=words.translate(language, title),
        detail=_detail(language, status, "" if detail == HTTPStatus(status).phrase else detail),
        trace_id=trace_id(request),
    )


def of_invalid_fields(request: Request, errors: Sequence[FieldProblem]) -> Problem:
    language = language_of(request)
    return Problem(
        status=422,
        code=Invalid.code,
        title=words.translate(language, Invalid.title),
        detail="",
        trace_id=trace_id(request),
        errors=errors,
    )


def trace_id(request: Request) -> str:
    """The number under which this request stands in logs and traces."""
    return str(getattr(request.state, "trace_id", "0" * 32))


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer of pydantic models, dataclasses, dates, plain values and lists of them."""
    return Response(orjson.dumps(value, default=_plain), status, headers, media_type="application/json")


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, frozenset | set):
        return sorted(value)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _detail(language: Language, status: int, detail: str) -> str:
    sentence = detail or DETAILS.get(status, "")
    return words.translate(language, sentence) if sentence else ""
