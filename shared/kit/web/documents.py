"""What an OpenAPI document says of each route besides its own words: how it may refuse, which key it needs.

`describe` adds the refusals, to all routes by one rule. A route whose action asks `key_of` has `openapi_extra=KEYED`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI

from shared.kit.web.forms import LONGEST_KEY
from shared.kit.web.problems import PROBLEM_JSON, TITLES, Refused

TEXT = {"type": "string"}

PROBLEM = {
    "title": "Problem",
    "description": "RFC 9457. `code` is stable, `title` and `detail` are in the reader's language.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": TEXT,
        "instance": {"type": "string", "format": "uri"},
        "code": TEXT,
        "errors": {
            "type": "array",
            "description": "What is wrong with which field (a JSON pointer), and what to do.",
            "items": {
                "type": "object",
                "required": ["field", "message", "remedy"],
                "properties": {"field": TEXT, "message": TEXT, "remedy": TEXT},
            },
        },
    },
}

PROBLEMS: dict[int | str, dict[str, Any]] = {"default": {"description": "Refused, or failed"}}
"""Given to the whole application, so that the framework documents no refusals of its own; `describe` replaces it."""

OF_ALL = frozenset({500, 503})
OF_A_TOKEN = frozenset({401, 403, 429})
OF_A_PATH = frozenset({404})
OF_ENTRIES = frozenset({422})
OF_A_WRITE = frozenset({400, 413, 415, 422})

HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"schema": TEXT}},
    429: {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}},
    503: {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}},
}

KEYED: dict[str, Any] = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "description": "Of your own making, new for each write; repeated with the same content it has no second"
            " effect and gets the first answer.",
            "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
        }
    ]
}


def describe(app: FastAPI, refusals: Mapping[type[Exception], Refused]) -> None:
    """Have the application's document say with which statuses each operation may refuse, and how a refusal looks."""
    of_domain = frozenset(status for status, _, _ in refusals.values())
    written = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = written()
            document.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
            for methods in document["paths"].values():
                for method, operation in methods.items():
                    _describe(operation, _statuses(method, operation) | of_domain)
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]


def _statuses(method: str, operation: Mapping[str, Any]) -> frozenset[int]:
    """The refusals that can meet an operation of this kind, whatever it does."""
    places = {parameter["in"] for parameter in operation.get("parameters", ())}
    statuses = OF_ALL
    if "security" in operation:
        statuses |= OF_A_TOKEN
    if "path" in places:
        statuses |= OF_A_PATH
    if "query" in places:
        statuses |= OF_ENTRIES
    return statuses if method == "get" else statuses | OF_A_WRITE


def _describe(operation: dict[str, Any], statuses: Iterable[int]) -> None:
    answers: dict[str, Any] = operation["responses"]
    answers.pop("default", None)
    for status in sorted(statuses):
        answer = answers.setdefault(str(status), {"description": TITLES.get(status, "Refused")})
        answer["content"] = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        if status in HEADERS:
            answer["headers"] = HEADERS[status]
