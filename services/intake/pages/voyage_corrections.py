"""The form by which a voyage is corrected, on the version that it shows, with what was corrected before."""

from typing import Annotated, Any, cast
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request, Response

from services.intake import policy
from services.intake.actions import voyage_corrections, voyages
from services.intake.actions.voyage_corrections import VoyageChanged, VoyageChangedMeanwhile
from services.intake.domain.refusals import Refused
from services.intake.domain.refusals.arrival_corrections import NothingToCorrect
from services.intake.domain.refusals.voyages import ExpectedFarOff
from services.intake.domain.voyage_corrections import Said
from services.intake.domain.voyages import Report, Voyage
from services.intake.pages import labels
from services.intake.pages.voyages import read_ship, typed_ship
from shared.contracts import codes
from shared.contracts.codes import VoyageCorrectionReason
from shared.contracts.fact import Id
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.words import msg

router = APIRouter()

Officer = Annotated[Actor, Depends(identity.require(*policy.PORT_ROLES))]
FIELDS: dict[type[Refused], str] = {NothingToCorrect: "", ExpectedFarOff: "expected"}
"""Beside which field of the form a refusal stands; empty: above them all."""


@router.get("/pelayaran/{voyage_id}/perbaiki")
async def correction_page(request: Request, voyage_id: Id, actor: Officer) -> Response:
    """The voyage as it is, to be corrected."""
    return await _page(request, actor, voyage_id)


@router.post("/pelayaran/{voyage_id}/perbaiki")
async def correct(request: Request, voyage_id: Id, actor: Officer) -> Response:
    """Correct it, and go back to the voyage; whoever comes second sees both values and what was typed."""
    database: Database = request.app.state.database
    language = web.language_of(request)
    voyage = await voyages.find_voyage(database, actor, voyage_id)
    form = await request.form()
    typed = typed_ship(form) | {"reason": str(form.get("reason", ""))}
    errors: list[web.FieldProblem] = []
    vessel, modality, expected_at = read_ship(language, form, codes.ports()[voyage.port], errors)
    if typed["reason"] not in labels.VOYAGE_REASONS:
        problem = (words.translate(language, one) for one in (msg("The reason is missing."), msg("Choose one.")))
        errors.append(web.FieldProblem("reason", *problem))
    if errors:
        return await _page(request, actor, voyage_id, typed, errors, 422)
    shown = str(form.get("version", ""))
    version = int(shown) if shown.isdecimal() and len(shown) < 10 else 0
    try:
        async with database.work(actor, purpose="correct") as work:

            async def act() -> Response:
                await voyage_corrections.correct_voyage(
                    work,
                    voyage_id,
                    version=version,
                    said=Said(expected_at, vessel, modality),
                    reason=cast(VoyageCorrectionReason, typed["reason"]),
                )
                return web.redirect(request, f"/pelayaran/{voyage_id}", said=msg("The voyage is corrected."))

            return await web.idempotent(request, work, await web.key_of(request), act)
    except tuple(FIELDS) as refused:
        errors = [web.FieldProblem(FIELDS[type(refused)], words.translate(language, refused.detail))]
        return await _page(request, actor, voyage_id, typed, errors, 422)
    except VoyageChangedMeanwhile as changed:
        told = VoyageChanged(
            language, changed, lambda field, value: labels.voyage_value(language, voyage, field, value)
        )
        return await _page(request, actor, voyage_id, typed, [web.FieldProblem("", told.detail)], 409)


async def _page(
    request: Request,
    actor: Actor,
    voyage_id: str,
    typed: dict[str, Any] | None = None,
    errors: list[web.FieldProblem] | None = None,
    status: int = 200,
) -> Response:
    """The form as it was filled in, or as the voyage is, on the voyage as it is now."""
    language = web.language_of(request)
    report: Report = await voyages.report_voyage(request.app.state.database, actor, voyage_id)
    voyage = report.voyage
    zone = codes.ports()[voyage.port].zone
    return web.page(
        request,
        "correct_voyage.html",
        status,
        voyage=voyage,
        zone=zone,
        zone_name=words.ZONE_NAMES[zone],
        arrived=report.counts.arrived,
        history=labels.voyage_steps(language, voyage, report.steps),
        typed=_as_it_is(voyage, zone) if typed is None else typed,
        errors=errors or [],
        modalities=labels.options(language, labels.MODALITIES),
        reasons=labels.options(language, labels.VOYAGE_REASONS),
    )


def _as_it_is(voyage: Voyage, zone: str) -> dict[str, Any]:
    at = voyage.expected_at.astimezone(ZoneInfo(zone))
    return {
        "vessel": voyage.vessel,
        "modality": voyage.modality,
        "day": at.day,
        "month": at.month,
        "year": at.year,
        "time": f"{at:%H.%M}",
        "reason": "",
    }
