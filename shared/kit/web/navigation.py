"""Languages in URLs: `/id/…` and `/en/…`, the switch between them, redirects that keep them.

Pages carry their language in the path, so they can be bookmarked, cached and opened offline in that language.
"""

import zlib
from typing import cast
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.convertors import Convertor, register_url_convertor
from starlette.types import Scope

from shared.kit import words
from shared.kit.words import Language

SIGN_IN = "/masuk"
"""Where people sign in; takes `?next=` with a path to come back to."""
LONGEST_BACK = 1_000


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
    return f"/{language}/{quote(rest)}{_query(request)}"


def here(request: Request) -> str:
    """Path and query of this request, to come back to; the first page when they make too long an address."""
    address = quote(request.scope["path"]) + _query(request)
    return address if len(address) <= LONGEST_BACK else path_in(language_of(request), "/")


def _query(request: Request) -> str:
    """The query without what a page before wanted said here: that is said once."""
    raw = request.scope["query_string"].decode("latin-1")
    kept = "&".join(part for part in raw.split("&") if part and not part.startswith("said="))
    return f"?{kept}" if kept else ""


def redirect(request: Request, path: str, *, said: str = "", n: int | None = None) -> RedirectResponse:
    """After a form: go to a page in the same language (303) and say there what was done.

    `said` is a message id (`msg("Saved.")`), or with `n` one that counts (`msg_count("%(n)s row", "%(n)s rows")`).
    The address carries a short sum of the
    sentence, not its text, so that nobody can make our pages say what we did not write.
    """
    target = path_in(language_of(request), path)
    if said:
        target += ("&" if "?" in path else "?") + f"said={said_code(said)}" + (f".{n}" if n is not None else "")
    return RedirectResponse(target, status_code=303)


def said_code(sentence: str) -> str:
    """The short sum by which an address names a sentence."""
    return f"{zlib.crc32(sentence.encode()):08x}"


def said(request: Request) -> str:
    """What the page before wanted said here, in the page's language; empty when nothing or unknown."""
    code, _, n = request.query_params.get("said", "").partition(".")
    if not code:
        return ""
    sentence = next((known for known in words.sentences() if said_code(known) == code), None)
    if sentence is None:
        return ""
    language = language_of(request)
    if not n.isdecimal() or len(n) > 9:
        return words.translate(language, sentence)
    return words.translate_count(language, sentence, words.sentences()[sentence], int(n))


def template_of(scope: Scope) -> str:
    """The whole pattern of the route that answers (`/api/cases/{case_id}`), those of its routers included.

    Empty when none does, and never the address: what no route answers could hold anything.
    """
    # A route knows what it was declared with; what it is reached by, the router that includes it has put beside it.
    reached = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    return getattr(reached, "path", None) or ""
