"""What pydantic found wrong, as field, message and remedy; never the value itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.kit import words
from shared.kit.web.problems import FieldProblem
from shared.kit.words import Language, msg

SENTENCES: dict[str, tuple[str, str]] = {
    "missing": (msg("This is missing."), msg("Add it.")),
    "extra_forbidden": (msg("This field is not known."), msg("Remove it or check its spelling.")),
    "json_invalid": (msg("This is not valid JSON."), msg("Check commas, quotes and brackets.")),
    "string_type": (msg("This is not text."), msg("Send it in quotes.")),
    "string_too_short": (msg("This is too short."), msg("Give at least %(min_length)s characters.")),
    "string_too_long": (msg("This is too long."), msg("Give at most %(max_length)s characters.")),
    "string_pattern_mismatch": (msg("This is not in the expected form."), msg("Expected form: %(pattern)s")),
    "too_short": (msg("There are too few entries."), msg("Give at least %(min_length)s.")),
    "too_long": (msg("There are too many entries."), msg("Give at most %(max_length)s at once.")),
    "greater_than_equal": (msg("This is too small."), msg("Give %(ge)s or more.")),
    "greater_than": (msg("This is too small."), msg("Give more than %(gt)s.")),
    "less_than_equal": (msg("This is too large."), msg("Give %(le)s or less.")),
    "less_than": (msg("This is too large."), msg("Give less than %(lt)s.")),
    "literal_error": (msg("This is not one of the choices."), msg("Choose one of: %(expected)s")),
    "enum": (msg("This is not one of the choices."), msg("Choose one of: %(expected)s")),
}
KINDS: tuple[tuple[str, str, str], ...] = (
    ("int", msg("This is not a whole number."), msg("Send digits only, for example 42.")),
    ("float", msg("This is not a number."), msg("Send a number, for example 4.5.")),
    ("bool", msg("This is neither true nor false."), msg("Send true or false.")),
    ("datetime", msg("This is not a time."), msg("Write it like 2026-08-05T14:05:00+08:00.")),
    ("timezone", msg("This time has no zone."), msg("Write it like 2026-08-05T14:05:00+08:00.")),
    ("date", msg("This is not a date."), msg("Write it like 2026-08-05.")),
    ("uuid", msg("This is not an identifier."), msg("Send it as it was given to you.")),
    ("list", msg("This is not a list."), msg("Put the entries in square brackets.")),
    ("url", msg("This is not a web address."), msg("Write it like https://example.org/notices.")),
    ("dict", msg("This is not an object."), msg("Put the fields in curly brackets.")),
    ("model", msg("This is not an object."), msg("Put the fields in curly brackets.")),
)
FALLBACK = (msg("This is not valid."), msg("Check it against the description of this field."))


def field_problems(language: Language, errors: Sequence[Mapping[str, Any]]) -> list[FieldProblem]:
    """Pydantic's errors in people's words. Texts of our own validators (`value_error`) are message ids."""
    return [_field_problem(language, error) for error in errors]


def pointer(location: Sequence[int | str]) -> str:
    """A JSON pointer (RFC 6901) from pydantic's location; the first part (body, query …) is left out."""
    parts = location[1:] if location and location[0] in ("body", "query", "path", "header") else location
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _field_problem(language: Language, error: Mapping[str, Any]) -> FieldProblem:
    kind: str = error["type"]
    context: dict[str, Any] = {**(error.get("ctx") or {})}
    if "expected" in context:  # pydantic says "'a', 'b' or 'c'", in English
        context["expected"] = str(context["expected"]).replace("' or '", "', '")
    if kind == "value_error" and "error" in context:
        message, remedy = str(context["error"]), ""
    else:
        message, remedy = SENTENCES.get(kind) or _by_kind(kind)
    return FieldProblem(
        field=pointer(error["loc"]),
        message=words.translate(language, message),
        remedy=words.translate(language, remedy) % context if remedy else "",
    )


def _by_kind(kind: str) -> tuple[str, str]:
    return next(((message, remedy) for start, message, remedy in KINDS if kind.startswith(start)), FALLBACK)
