"""For the officer for the protection of data: find a person, see what is kept in codes, hand it out on paper."""

from typing import Any, cast

from fastapi import APIRouter, Request, Response

from services.intake.actions import records
from services.intake.actions.records import By, Export, Record
from services.intake.actions.screening import questionnaire
from services.intake.domain.refusals.identities import ReferenceUnfit
from services.intake.pages import consentwords, guarding, history, households, labels
from services.intake.pages.guarding import Acting, Protector
from services.intake.pages.screening import answered
from services.intake.store.persons import Case
from shared.contracts.fact import Id
from shared.kit import web, words
from shared.kit.database import Database
from shared.kit.words import Language, msg

router = APIRouter()

WAYS = {"nik": "NIK", "document": msg("Document number"), "case": msg("Number of the case")}


@router.get("/data-pribadi")
async def search_page(request: Request, _: Protector) -> Response:
    """The empty search."""
    return _search_page(request, "nik", None, [])


@router.post("/data-pribadi")
@web.reads_people
async def search(request: Request, actor: Protector) -> Response:
    """The cases of whoever came with exactly this number; the number is in no address."""
    form = await request.form()
    by, value = str(form.get("by", "")), str(form.get("value", "")).strip()
    language = web.language_of(request)
    if by not in WAYS or not value:
        message, remedy = msg("The number is missing."), msg("Type it as it stands on the paper.")
        problem = web.FieldProblem("value", words.translate(language, message), words.translate(language, remedy))
        return _search_page(request, by if by in WAYS else "nik", None, [problem])
    database: Database = request.app.state.database
    async with database.work(actor, purpose="protect") as work:
        found = await records.find_cases(work, request.app.state.vault, by=cast(By, by), value=value)
    return _search_page(request, by, found, [])


@router.get("/data-pribadi/{case_id}")
@web.reads_people
async def record_page(request: Request, case_id: Id, actor: Protector) -> Response:
    """What is kept of the person of a case, without the identity."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="protect") as work:
        record = await records.read_record(work, case_id)
        now = work.now
    return web.page(request, "person.html", now=now, **_described(request, record, case_id))


@router.get("/data-pribadi/{case_id}/salinan")
async def export_page(request: Request, case_id: Id, _: Acting) -> Response:
    """The form by which a person's data are handed out."""
    return _export_page(request, case_id, "", [])


@router.post("/data-pribadi/{case_id}/salinan")
@web.reads_people
async def export(request: Request, case_id: Id, actor: Acting) -> Response:
    """The person's data and who has seen them, to be printed; on the trail before the page leaves."""
    reference = guarding.reference_of(await request.form())
    database: Database = request.app.state.database
    try:
        async with database.work(actor, purpose="export") as work:
            made = await records.hand_out(work, request.app.state.vault, case_id, reference=reference, form="page")
            now = work.now
    except ReferenceUnfit:
        return _export_page(request, case_id, reference, [guarding.unfit_reference(request)])
    return web.page(request, "export.html", made_at=now, **_printed(web.language_of(request), made))


def _search_page(request: Request, by: str, found: list[Case] | None, errors: list[web.FieldProblem]) -> Response:
    language = web.language_of(request)
    return web.page(
        request,
        "person_search.html",
        422 if errors else 200,
        by=by,
        ways=labels.options(language, WAYS),
        found=found,
        case_code=labels.case_code,
        zone_of=guarding.zone_of,
        describe=lambda case: guarding.describe_case(language, case),
        errors=errors,
    )


def _described(request: Request, record: Record, case_id: str) -> dict[str, Any]:
    language = web.language_of(request)
    case = next(one for one in record.cases if one.case_id == case_id)
    zone = guarding.zone_of(case)
    return {
        "case": case,
        "zone": zone,
        "facts": guarding.describe_case(language, case),
        "receipt": record.receipt,
        "holds": record.holds,
        "standing": [hold for hold in record.holds if hold.stands],
        "corrections": record.corrections,
        "history": history.described(language, record.history.get(case_id, ()), zone),
        "steps": [guarding.describe_step(language, step, zone) for step in record.steps],
        "case_code": labels.case_code,
        "field_names": labels.IDENTITY_FIELDS,
        "decisions": labels.DECISIONS,
        "erasure_reasons": labels.ERASURE_REASONS,
        "hold_reasons": labels.HOLD_REASONS,
        "lift_reasons": labels.options(language, labels.LIFT_REASONS),
        "lift_names": labels.LIFT_REASONS,
        "confirmations": labels.CONFIRMATIONS,
    }


def _export_page(request: Request, case_id: str, reference: str, errors: list[web.FieldProblem]) -> Response:
    return web.page(
        request,
        "person_export.html",
        422 if errors else 200,
        case_id=case_id,
        case_code=labels.case_code,
        reference=reference,
        errors=errors,
    )


def _printed(language: Language, made: Export) -> dict[str, Any]:
    """The export in the words of the reader: each case with its fields, and what was done with them."""
    cases: list[dict[str, Any]] = []
    for case in made.record.cases:
        identity = made.identities.get(case.case_id)
        fields = [
            (
                words.translate(language, labels.IDENTITY_FIELDS[name]),
                labels.written(language, name, getattr(identity, name)),
            )
            for name in (records.filled(identity) if identity else ())
        ]
        zone = guarding.zone_of(case)
        steps = [guarding.describe_step(language, s, zone) for s in made.record.steps if s.case_id == case.case_id]
        corrected = history.described(language, made.record.history.get(case.case_id, ()), zone)
        facts = guarding.describe_case(language, case) + households.describe(language, made.record, case, zone)
        cases.append({"case": case, "fields": fields, "facts": facts, "history": corrected, "steps": steps})
        kept = [one for one in made.record.consents if one.entry.case_id == case.case_id]
        cases[-1]["screenings"] = [
            (
                words.moment(language, one.screening.screened_at, zone),
                answered(
                    language,
                    questionnaire(one.screening.questionnaire),
                    made.answers.get(one.screening.screening_id, {}),
                ),
            )
            for one in made.record.screenings
            if one.screening.case_id == case.case_id
        ]
        cases[-1]["consents"] = consentwords.described(language, kept, zone, made.words)
    return {"reference": made.reference, "cases": cases, "zone": guarding.ZONE, "case_code": labels.case_code}
