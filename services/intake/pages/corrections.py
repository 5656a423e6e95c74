"""Corrections: asked for at the port or by the officer for data, who decides with both values in view."""

from functools import partial
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request, Response

from services.intake import policy
from services.intake.actions import corrections
from services.intake.domain.cells import BadCell
from services.intake.domain.corrections import RejectReason
from services.intake.domain.problems import CELL_PROBLEMS
from services.intake.domain.refusals.identities import (
    AgeBandWouldChange,
    FieldUnknown,
    IdentityChanged,
    ReferenceUnfit,
)
from services.intake.pages import guarding, labels
from services.intake.pages.guarding import Acting, Protector
from shared.contracts.fact import Id
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.words import msg

router = APIRouter()

Requester = Annotated[Actor, Depends(identity.require(policy.PROTECTION_ROLE, "port_officer"))]

MOST = 200


@router.get("/data-pribadi/{case_id}/perbaikan")
async def request_page(request: Request, case_id: Id, _: Requester) -> Response:
    """The empty form; it shows nothing of the person."""
    return _request_page(request, case_id, {}, [])


@router.post("/data-pribadi/{case_id}/perbaikan")
async def ask(request: Request, case_id: Id, actor: Requester) -> Response:
    """Ask for a correction."""
    form = await request.form()
    typed = {"field": str(form.get("field", "")), "value": str(form.get("value", ""))}
    typed["reference"] = guarding.reference_of(form)
    database: Database = request.app.state.database
    vault = request.app.state.vault
    # Under a key: what is kept to know a repeated write must not tell the name that is in it.
    digest = vault.digest_of(await web.digest_of(request))
    try:
        async with database.work(actor, purpose="correct") as work:

            async def act() -> Response:
                await corrections.request_correction(work, vault, case_id, **typed)
                back = f"/data-pribadi/{case_id}" if policy.may_protect(actor) else f"/data-pribadi/{case_id}/perbaikan"
                return web.redirect(request, back, said=msg("The correction was asked for. It is decided in 72 hours."))

            return await web.idempotent(request, work, await web.key_of(request), act, digest=digest)
    except BadCell as bad:
        return _request_page(request, case_id, typed, [_problem(request, "value", *CELL_PROBLEMS[bad.code])])
    except AgeBandWouldChange as refused:
        return _request_page(request, case_id, typed, [_problem(request, "value", refused.detail)])
    except FieldUnknown as refused:
        return _request_page(request, case_id, typed, [_problem(request, "field", refused.detail)])
    except ReferenceUnfit:
        return _request_page(request, case_id, typed, [guarding.unfit_reference(request)])


@router.get("/perbaikan")
async def corrections_page(request: Request, actor: Protector) -> Response:
    """What is to be decided, the longest due first."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="correct") as work:
        found = await corrections.list_undecided(work, limit=MOST)
        now = work.now
    return web.page(
        request,
        "corrections.html",
        corrections=found,
        overdue=sum(one.decide_by < now for one in found),
        now=now,
        zone=guarding.ZONE,
        case_code=labels.case_code,
        field_names=labels.IDENTITY_FIELDS,
    )


@router.get("/perbaikan/{correction_id}")
@web.reads_people
async def correction_page(request: Request, correction_id: Id, actor: Acting) -> Response:
    """One correction: what the field says, what it is to say, and the decision."""
    return await _correction_page(request, actor, correction_id)


async def _correction_page(request: Request, actor: Actor, correction_id: str, *, conflict: str = "") -> Response:
    database: Database = request.app.state.database
    async with database.work(actor, purpose="correct") as work:
        looked = await corrections.read_proposal(work, request.app.state.vault, correction_id)
        now = work.now
    return web.page(
        request,
        "correction.html",
        409 if conflict else 200,
        looked=looked,
        written=partial(labels.written, web.language_of(request), looked.correction.field),
        conflict=conflict,
        correction=looked.correction,
        now=now,
        zone=guarding.ZONE,
        case_code=labels.case_code,
        field_names=labels.IDENTITY_FIELDS,
        reasons=labels.options(web.language_of(request), labels.REJECT_REASONS),
    )


@router.post("/perbaikan/{correction_id}")
@web.reads_people
async def decide(request: Request, correction_id: Id, actor: Acting) -> Response:
    """Accept, or reject with a reason."""
    form = await request.form()
    reason, seen = str(form.get("reason", "")), str(form.get("seen", ""))
    database: Database = request.app.state.database
    try:
        async with database.work(actor, purpose="correct") as work:

            async def act() -> Response:
                if form.get("decision") == "accepted":
                    await corrections.accept_correction(work, request.app.state.vault, correction_id, seen=seen)
                    return web.redirect(request, "/perbaikan", said=msg("The correction was accepted."))
                chosen = reason if reason in labels.REJECT_REASONS else "no_proof"
                await corrections.reject_correction(work, correction_id, reason=cast(RejectReason, chosen))
                return web.redirect(request, "/perbaikan", said=msg("The correction was rejected."))

            return await web.idempotent(request, work, await web.key_of(request), act)
    except IdentityChanged as changed:
        return await _correction_page(request, actor, correction_id, conflict=changed.detail)


def _problem(request: Request, field: str, message: str, remedy: str = "") -> web.FieldProblem:
    language = web.language_of(request)
    return web.FieldProblem(field, words.translate(language, message), remedy and words.translate(language, remedy))


def _request_page(request: Request, case_id: str, typed: dict[str, str], errors: list[web.FieldProblem]) -> Response:
    return web.page(
        request,
        "correct.html",
        422 if errors else 200,
        case_id=case_id,
        case_code=labels.case_code,
        typed={"field": "", "value": "", "reference": "", **typed},
        fields=labels.options(web.language_of(request), labels.IDENTITY_FIELDS),
        errors=errors,
    )
