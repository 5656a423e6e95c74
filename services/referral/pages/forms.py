"""What forms send, which may be anything."""

import re

from fastapi import Request
from starlette.datastructures import FormData

from shared.kit.web import FieldProblem, Invalid, language_of
from shared.kit.words import msg, translate

VERSION = re.compile(r"[0-9]{1,9}")


def text(form: FormData, name: str) -> str:
    """A field's text; empty when it is missing or a file."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


def version(request: Request, form: FormData) -> int | None:
    """The version that the page was made of; None when the form does not say. Raises `Invalid`."""
    said = text(form, "version")
    if said and not VERSION.fullmatch(said):
        problem = msg("The case changed since you opened this page. Look at it as it is now.")
        raise Invalid([FieldProblem("version", translate(language_of(request), problem))])
    return int(said) if said else None
