"""The style page `/gaya`: every part once, with invented contents, for those who build pages."""

from datetime import UTC, date, datetime, timedelta

from fastapi import Request
from markupsafe import Markup
from starlette.responses import Response

from shared.kit import words
from shared.kit.web.navigation import language_of
from shared.kit.web.pages import page
from shared.kit.web.problems import FieldProblem
from shared.kit.words import msg

MAKASSAR = "Asia/Makassar"
NOW = datetime(2026, 8, 5, 6, 5, tzinfo=UTC)
"""The style page has its own time, so that it looks the same whenever it is opened."""


async def style_page(request: Request) -> Response:
    """`/gaya`; with `?errors=1` as after a rejected form."""
    language = language_of(request)
    errors = []
    if request.query_params.get("errors"):
        errors = [
            FieldProblem(
                "full_name",
                words.translate(language, msg("Enter the full name.")),
                words.translate(language, msg("One word is enough.")),
            ),
            FieldProblem("birth", words.translate(language, msg("There is no 31 February."))),
            FieldProblem("needs", words.translate(language, msg("Choose at least one need."))),
        ]
    return page(
        request,
        "gaya.html",
        errors=errors,
        now=NOW,
        zone=MAKASSAR,
        today=date(2026, 8, 5),
        left=NOW + timedelta(hours=3, minutes=12),
        soon=NOW + timedelta(minutes=50),
        late=NOW - timedelta(minutes=40),
        arrow=Markup("&rarr;"),
    )
