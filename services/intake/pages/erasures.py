"""Erasing a person by a form that says what it does, and the erasures with what the agencies have confirmed."""

from typing import Annotated, Any, cast

from fastapi import APIRouter, Query, Request, Response

from services.intake.actions import erasures, records
from services.intake.actions.erasures import HeldByLaw
from services.intake.domain.erasures import Reason
from services.intake.domain.holds import Hold
from services.intake.domain.references import is_reference
from services.intake.pages import guarding, labels
from services.intake.pages.guarding import Acting, Protector
from shared.contracts.fact import Id
from shared.kit import web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.short_codes import is_code_of
from shared.kit.words import msg

router = APIRouter()

PER_PAGE = 50


@router.get("/data-pribadi/{case_id}/hapus")
async def erase_page(request: Request, case_id: Id, actor: Acting) -> Response:
    """What an erasure does, and the form for it."""
    return await _erase_page(request, actor, case_id, {}, [])


@router.post("/data-pribadi/{case_id}/hapus")
async def erase(request: Request, case_id: Id, actor: Acting) -> Response:
    """Erase the person for good and go to what is left."""
    await web.key_of(request)
    form = await request.form()
    typed = {"reason": str(form.get("reason", "")), "reference": guarding.reference_of(form)}
    problems = _problems(request, case_id, typed, str(form.get("code", "")))
    if problems:
        return await _erase_page(request, actor, case_id, typed, problems)
    database: Database = request.app.state.database
    async with database.work(actor, purpose="erase") as work:
        done = await erasures.erase_person(
            *(work, request.app.state.vault, case_id),
            reason=cast(Reason, typed["reason"]),
            reference=typed["reference"],
        )
    if isinstance(done, Hold):
        raise HeldByLaw(web.language_of(request), done)
    return web.redirect(request, f"/data-pribadi/{case_id}", said=msg("The person was erased."))


@router.get("/penghapusan")
async def erasures_page(request: Request, actor: Protector, setelah: Annotated[Id | None, Query()] = None) -> Response:
    """All erasures, the latest first; `setelah` pages on."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="protect") as work:
        found, next_ = await erasures.list_receipts(work, after=setelah, limit=PER_PAGE)
        now = work.now
    return web.page(
        request,
        "erasures.html",
        receipts=found,
        next_after=next_ or "",
        now=now,
        zone=guarding.ZONE,
        case_code=labels.case_code,
        reasons=labels.ERASURE_REASONS,
        rules=labels.RETENTION_RULES,
    )


def _problems(request: Request, case_id: str, typed: dict[str, Any], code: str) -> list[web.FieldProblem]:
    """What is wrong with the form, in the reader's words."""
    language = web.language_of(request)
    found = []

    def wrong(field: str, message: str, remedy: str) -> None:
        found.append(web.FieldProblem(field, words.translate(language, message), words.translate(language, remedy)))

    if typed["reason"] not in labels.ERASURE_REASONS:
        wrong("reason", msg("The reason is missing."), msg("Choose one."))
    if not is_reference(typed["reference"]):
        found.append(guarding.unfit_reference(request))
    if not is_code_of(code, case_id):
        wrong("code", msg("This is not the code of this case."), msg("Type the nine characters above, to be sure."))
    return found


async def _erase_page(
    request: Request, actor: Actor, case_id: str, typed: dict[str, str], errors: list[web.FieldProblem]
) -> Response:
    database: Database = request.app.state.database
    async with database.work(actor, purpose="protect") as work:
        record = await records.read_record(work, case_id)
    shown = sorted({step.facts["agency_id"] for step in record.steps if step.type == "intake.identity_disclosed.v1"})
    language = web.language_of(request)
    return web.page(
        request,
        "erase.html",
        422 if errors else 200,
        case_id=case_id,
        case_code=labels.case_code,
        shown=shown,
        is_held=any(hold.stands for hold in record.holds),
        is_erased=record.receipt is not None,
        typed={"reason": "", "reference": "", **typed},
        reasons=labels.options(language, labels.ERASURE_REASONS),
        errors=errors,
    )
