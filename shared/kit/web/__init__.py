"""HTTP for all services: problems, idempotency, pages, headers, limits. Knows no referral word.

`install(app, …)` gives a FastAPI application all of it; the other names are what routes use.
"""

from shared.kit.web.documents import KEYED
from shared.kit.web.forms import digest_of, key_of
from shared.kit.web.idempotency import KeyMissing, KeyReused, idempotent, idempotent_after
from shared.kit.web.installation import install
from shared.kit.web.limits import TooLarge, body_limit, takes
from shared.kit.web.navigation import language_of, page_router, path_in, redirect
from shared.kit.web.pages import Nav, fragment, page
from shared.kit.web.problems import FieldProblem, Invalid, json_response
from shared.kit.web.rates import reads_people
from shared.kit.web.spool import Spool, spooled

__all__ = [
    "KEYED",
    "FieldProblem",
    "Invalid",
    "KeyMissing",
    "KeyReused",
    "Nav",
    "Spool",
    "TooLarge",
    "body_limit",
    "digest_of",
    "fragment",
    "idempotent",
    "idempotent_after",
    "install",
    "json_response",
    "key_of",
    "language_of",
    "page",
    "page_router",
    "path_in",
    "reads_people",
    "redirect",
    "spooled",
    "takes",
]
