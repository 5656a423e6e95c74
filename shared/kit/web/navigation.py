"""Languages in URLs: `/id/…` and `/en/…`, the switch between them, redirects that keep them.

Pages carry their language in the path, so they can be bookmarked, cached and opened offline in that language.
"""

import zlib
from typing import cast
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.convertors import Convertor, register_url_convertor

from shared.kit import words
from shared.kit.words import Language

SIGN_IN = "/masuk"
"""Where people sign in; takes `?next=` with a path to come back to."""


class LanguageConvertor(Convertor[str]):
    regex = "|".join(words.LANGUAGES)

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("language", LanguageConvertor())


def page_router() -> APIRouter:
    """A router for pages: each route gets the prefix `/id` or `/en` and stays out of the OpenAPI document."""
    return APIRouter(prefix="/{language:language}", include_in_schema=False, default_response_class=HTMLResponse)


def language_of(request: Request) -> Language:
    """The language of the path, else the one the browser prefers, else Indonesian."""
    first = request.scope["path"][1:].partition("/")[0]
    if first in words.LANGUAGES:
        return cast(Language, first)
    return words.preferred(request.headers.get("accept-language", ""))


def path_in(language: Language, path: str) -> str:
    """The path of a page in a language: `path_in("id", "/voyages")` is `/id/voyages`."""
    return f"/{language}{path}"


def switched(request: Request, language: Language) -> str:
    """This same page, path and query, in another language."""
    path: str = request.scope["path"]
    first, _, rest = path[1:].partition("/")
    if first not in words.LANGUAGES:
        return path_in(language, "/")
    query = request.scope["query_string"].decode("latin-1")
    return f"/{language}/{quote(rest)}" + (f"?{query}" if query else "")


def here(request: Request) -> str:
    """Path and query of this request, to come back to."""
    query = request.scope["query_string"].decode("latin-1")
    return quote(request.scope["path"]) + (f"?{query}" if query else "")


def redirect(request: Request, path: str, *, said: str = "", n: int | None = None) -> RedirectResponse:
    """After a form: go to a page in the same language (303) and say there what was done.

    `said` is a message id of the catalogues; `n` fills its `%(n)s`. The address carries a short sum of the
    sentence, not its text, so that nobody can make our pages say what we did not write.
    """
    target = path_in(language_of(request), path)
    if said:
        target += ("&" if "?" in path else "?") + urlencode(
            {"said": said_code(said)} | ({"n": n} if n is not None else {})
        )
    return RedirectResponse(target, status_code=303)


def said_code(sentence: str) -> str:
    """The short sum by which an address names a sentence."""
    return f"{zlib.crc32(sentence.encode()):08x}"


def said(request: Request) -> str:
    """What the page before wanted said here, in the page's language; empty when nothing or unknown."""
    code = request.query_params.get("said")
    if not code:
        return ""
    sentence = next((known for known in words.sentences() if said_code(known) == code), None)
    if sentence is None:
        return ""
    language = language_of(request)
    n = request.query_params.get("n", "")
    if "%(n)s" not in sentence:
        return words.translate(language, sentence)
    return words.translate(language, sentence, n=words.number(language, int(n)) if n.isdecimal() else "0")
