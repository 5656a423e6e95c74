"""The slip with a case's code, and finding a case by it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.intake import policy
from services.intake.actions import slips
from services.intake.actions.slips import NotACode
from services.intake.pages import labels
from shared.contracts.fact import Id
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.words import msg

router = APIRouter()

Officer = Annotated[Actor, Depends(identity.require("port_officer"))]
Reader = Annotated[Actor, Depends(identity.require(*policy.PORT_ROLES))]

LONGEST_CODE = 40


@router.get("/kedatangan/{case_id}/slip")
@web.reads_people
async def slip_page(
    request: Request, case_id: Id, actor: Officer, pelayaran: Annotated[Id | None, Query()] = None
) -> Response:
    """For paper, in both languages: code, name, port. What the person needs does not stand on it.

    `pelayaran` is the voyage of which the next person is logged in a hurry.
    """
    database: Database = request.app.state.database
    async with database.work(actor, purpose="reception") as work:
        slip = await slips.print_slip(work, request.app.state.vault, case_id)
    return web.page(request, "slip.html", slip=slip, voyage_id=pelayaran, translate=words.translate)


@router.get("/cari")
async def search_page(
    request: Request, actor: Reader, kode: Annotated[str, Query(max_length=LONGEST_CODE)] = ""
) -> Response:
    """Go to the case that a slip leads to; `kode` is what stands on it."""
    language = web.language_of(request)
    errors: list[web.FieldProblem] = []
    found: list[str] = []
    if kode.strip():
        try:
            async with request.app.state.database.work(actor, purpose="look") as work:
                found = await slips.find_by_code(work, kode)
            if not found:
                message, remedy = msg("No case of your port has this code."), msg("Check it with the person.")
                errors.append(_problem(language, message, remedy))
        except NotACode:
            message = msg("This is not the code of a slip: a sign is missing or was copied wrongly.")
            errors.append(_problem(language, message, msg("It has nine signs, like 21A0-MH32-B.")))
    if len(found) == 1:
        return web.redirect(request, f"/kedatangan/{found[0]}")
    return web.page(
        request,
        "find_case.html",
        422 if errors else 200,
        typed=kode,
        found=found,
        case_code=labels.case_code,
        errors=errors,
    )


def _problem(language: words.Language, message: str, remedy: str) -> web.FieldProblem:
    return web.FieldProblem("kode", words.translate(language, message), words.translate(language, remedy))
