"""Legal holds: placed on a person's page, listed while they stand, lifted where they are seen."""

from typing import Annotated, cast

from fastapi import APIRouter, Query, Request, Response

from services.intake.actions import holds
from services.intake.domain.holds import LiftReason, Reason
from services.intake.domain.refusals.identities import ReferenceUnfit
from services.intake.pages import guarding, labels
from services.intake.pages.guarding import Acting, Protector
from shared.contracts.fact import Id
from shared.kit import web, words
from shared.kit.database import Database
from shared.kit.words import msg

router = APIRouter()

PER_PAGE = 50


@router.get("/data-pribadi/{case_id}/penangguhan")
async def hold_page(request: Request, case_id: Id, _: Protector) -> Response:
    """The empty form."""
    return _hold_page(request, case_id, "", "", [])


@router.post("/data-pribadi/{case_id}/penangguhan")
async def place(request: Request, case_id: Id, actor: Protector) -> Response:
    """Place a hold and go back to the person."""
    form = await request.form()
    reason, reference = str(form.get("reason", "")), guarding.reference_of(form)
    if reason not in labels.HOLD_REASONS:
        say = web.language_of(request)
        missing = web.FieldProblem(
            "reason", words.translate(say, msg("The reason is missing.")), words.translate(say, msg("Choose one."))
        )
        return _hold_page(request, case_id, reason, reference, [missing])
    database: Database = request.app.state.database
    try:
        async with database.work(actor, purpose="protect") as work:

            async def act() -> Response:
                await holds.place_hold(work, case_id, reason=cast(Reason, reason), reference=reference)
                return web.redirect(request, f"/data-pribadi/{case_id}", said=msg("The hold stands."))

            return await web.idempotent(request, work, await web.key_of(request), act)
    except ReferenceUnfit:
        return _hold_page(request, case_id, reason, reference, [guarding.unfit_reference(request)])


@router.post("/penangguhan/{hold_id}/cabut")
async def lift(request: Request, hold_id: Id, actor: Acting) -> Response:
    """Lift a hold and go back to the person."""
    reason = str((await request.form()).get("reason", ""))
    if reason not in labels.LIFT_REASONS:
        reason = "hold_ended"
    database: Database = request.app.state.database
    async with database.work(actor, purpose="protect") as work:

        async def act() -> Response:
            hold = await holds.lift_hold(work, hold_id, reason=cast(LiftReason, reason))
            return web.redirect(request, f"/data-pribadi/{hold.case_id}", said=msg("The hold was lifted."))

        return await web.idempotent(request, work, await web.key_of(request), act)


@router.get("/penangguhan")
async def holds_page(request: Request, actor: Protector, setelah: Annotated[Id | None, Query()] = None) -> Response:
    """Holds that stand, in the order they were placed; `setelah` pages on."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="protect") as work:
        found, next_ = await holds.list_holds(work, after=setelah, limit=PER_PAGE)
    return web.page(
        request,
        "holds.html",
        holds=found,
        next_after=next_ or "",
        zone=guarding.ZONE,
        case_code=labels.case_code,
        reasons=labels.HOLD_REASONS,
    )


def _hold_page(request: Request, case_id: str, reason: str, reference: str, errors: list[web.FieldProblem]) -> Response:
    return web.page(
        request,
        "hold.html",
        422 if errors else 200,
        case_id=case_id,
        case_code=labels.case_code,
        reason=reason,
        reference=reference,
        reasons=labels.options(web.language_of(request), labels.HOLD_REASONS),
        errors=errors,
    )
