"""What forms send, which may be anything, and doing it once."""

import re
from collections.abc import Awaitable, Callable, Iterable

from fastapi import Request
from starlette.datastructures import FormData
from starlette.responses import Response

from services.referral.pages import labels
from shared.kit.actor import Actor
from shared.kit.web import FieldProblem, Invalid, idempotent, key_of, language_of, redirect
from shared.kit.words import msg, translate
from shared.kit.work import Work

VERSION = re.compile(r"[0-9]{1,9}")
CHOSEN = re.compile(rf"(?P<id>{labels.ID.pattern})(?:\.(?P<version>{VERSION.pattern}))?")


def text(form: FormData, name: str) -> str:
    """A field's text; empty when it is missing or a file."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


def typed(form: FormData, names: Iterable[str]) -> dict[str, str]:
    """What stands in these fields, to be shown again."""
    return {name: text(form, name) for name in names}


def version(request: Request, form: FormData) -> int | None:
    """The version that the page was made of; None when the form does not say. Raises `Invalid`."""
    said = text(form, "version")
    if said and not VERSION.fullmatch(said):
        problem = msg("The case changed since you opened this page. Look at it as it is now.")
        raise Invalid([FieldProblem("version", translate(language_of(request), problem))])
    return int(said) if said else None


def chosen(form: FormData) -> list[tuple[str, int | None]]:
    """The rows that were ticked, each an id with the version that the page was made of; what is none is left out."""
    found = [CHOSEN.fullmatch(value) for value in form.getlist("chosen") if isinstance(value, str)]
    said = {one["id"]: one["version"] for one in found if one is not None}
    return [(id_, int(version) if version else None) for id_, version in said.items()]


async def once(
    request: Request, actor: Actor, act: Callable[[Work], Awaitable[None]], *, purpose: str, path: str, said: str
) -> Response:
    """Act once for the key of a form, then show the page at `path`, which says what was done."""
    key = await key_of(request)
    async with request.app.state.database.work(actor, purpose=purpose) as work:

        async def answer() -> Response:
            await act(work)
            return redirect(request, path, said=said)

        return await idempotent(request, work, key, answer)
