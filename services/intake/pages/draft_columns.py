"""What the columns of a list are is asked first: each with its heading and its first values."""

from typing import Any

from fastapi import Request, Response

from services.intake.actions import drafts
from services.intake.domain import headings
from services.intake.domain.drafts import Draft, first_values, legible
from services.intake.domain.grids import letter
from services.intake.domain.refusals.manifests import ManifestUnusable
from services.intake.domain.sheets import HEADING_WITHIN
from services.intake.domain.voyages import Voyage
from services.intake.pages import labels
from services.intake.pages.listwords import unusable_file
from shared.kit import web, words
from shared.kit.actor import Actor
from shared.kit.words import msg

UNDECIDED = "?"
"""Instead of a field, for one of two columns that claim the same."""
ROW_CELLS = " · "
ASKED: dict[headings.Asked, str] = {
    "heading": msg("No row was recognised as the one with the headings. Say which it is, or that there is none."),
    "doubled": msg("Two columns have headings that mean the same. Say what each of them is."),
    "full_name": msg("No column was recognised as the one with the names."),
    "sex": msg("No column was recognised as the one with the sex."),
    "birth_date": msg("No column was recognised as the one with birth dates or ages."),
}
"""What is said to somebody who has to say what the columns of a list are."""


async def show_columns(
    request: Request,
    actor: Actor,
    voyage: Voyage,
    draft: Draft,
    errors: list[web.FieldProblem],
    typed: dict[str, Any],
    status: int,
) -> Response:
    """Ask what each column is, and which row holds the headings, before anything else is shown of the list."""
    sight = await drafts.read_draft(
        *(request.app.state.database, request.app.state.vault, actor, draft.draft_id),
        standings=("mend", "empty", "left_out"),
        after=-1,
        limit=HEADING_WITHIN,
        form="page",
    )
    header = sight.header
    field_of = {column: field for field, column in header.fields.items()} | dict.fromkeys(header.undecided, UNDECIDED)
    chosen = typed.get("columns", {})
    language = web.language_of(request)
    choices = [("", words.translate(language, msg("is not read"))), *field_choices(language)]
    undecided = (UNDECIDED, words.translate(language, msg("Choose what it is")))
    return web.page(
        request,
        "draft_columns.html",
        status,
        voyage=voyage,
        zone=labels.zone_of(voyage),
        draft=sight.draft,
        header=header,
        missing=[ASKED[one] for one in sight.draft.asks],
        columns=[
            (
                n,
                f"{letter(n)} {legible(heading).strip()}".strip(),
                first_values(sight.lines, n),
                [undecided, *choices] if n in header.undecided else choices,
                chosen.get(n, field_of.get(n, "")),
            )
            for n, heading in enumerate(header.heading)
        ],
        rows=[(line.number, ROW_CELLS.join(filter(None, map(str.strip, map(legible, line.cells))))[:80])
              for line in sight.lines if any(map(str.strip, line.cells))],
        typed=typed,
        errors=errors,
    )  # fmt: skip


def field_choices(language: words.Language) -> list[tuple[str, str]]:
    """What a column may be."""
    return [
        (field, words.translate(language, labels.COLUMNS[field])) for field in headings.KNOWN if field != "held_row"
    ]


def problem_of_columns(request: Request, unusable: ManifestUnusable) -> web.FieldProblem:
    """What nobody has said yet of the columns, at the field where it can be said."""
    language = web.language_of(request)
    problem = unusable_file(language, unusable)
    remedy = words.translate(language, msg("Say which column it is. Where there is none, ask for a list that has it."))
    if unusable.code == "heading_unsaid":
        return web.FieldProblem("heading_row", problem.message, problem.remedy)
    return web.FieldProblem("k0", problem.message, remedy)
