"""Logging people in a hurry, and completing afterwards who they are."""

from typing import Annotated, Any, cast, get_args

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.datastructures import FormData

from services.intake import policy
from services.intake.actions import arrival_corrections, completing, voyages
from services.intake.actions.arrival_corrections import ArrivalChanged, ChangedMeanwhile
from services.intake.actions.arrivals import Item, day_at, port_of
from services.intake.actions.completing import Incomplete
from services.intake.domain import cells
from services.intake.domain.arrivals import Arrival
from services.intake.domain.cells import BadCell
from services.intake.domain.completing import Group, guessed
from services.intake.domain.corrections import read_value
from services.intake.domain.people import Identity
from services.intake.domain.problems import CELL_PROBLEMS
from services.intake.domain.refusals.households import NobodyAnswers
from services.intake.domain.refusals.identities import AgeBandWouldChange, FieldFilled, NothingToComplete
from services.intake.pages import history, labels
from services.intake.pages.arrivals import (
    BY_AGE_ALONE,
    COMPANION,
    read_companion,
    read_relation,
    record_one,
    refuse_companion,
)
from shared.contracts import codes
from shared.contracts.codes import NeedCode, Sex
from shared.contracts.fact import Id
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.ids import is_id, new_id
from shared.kit.words import Language, msg

router = APIRouter()

Officer = Annotated[Actor, Depends(identity.require("port_officer"))]
Reader = Annotated[Actor, Depends(identity.require(*policy.PORT_ROLES))]

PER_PAGE = 50
TEXTS = ("full_name", "nik", "document_type", "document_number", "mother_name", "origin", "family_contact")
PARTS = ("birth_day", "birth_month", "birth_year")
DESCRIBED = ("relation", "proof")
ASKED = ("full_name", "sex", "group", *COMPANION)


@router.get("/pelayaran/{voyage_id}/cepat")
async def triage_page(request: Request, voyage_id: Id, actor: Officer) -> Response:
    """The shortest form there is: a name if there is one, the sex, how old somebody looks, what is needed now."""
    voyage = await voyages.find_voyage(request.app.state.database, actor, voyage_id)
    return _triage_page(request, voyage, {}, [])


@router.post("/pelayaran/{voyage_id}/cepat")
async def triage(request: Request, voyage_id: Id, actor: Officer) -> Response:
    """Record somebody in a hurry, go to the slip, and leave the rest as a task."""
    database: Database = request.app.state.database
    voyage = await voyages.find_voyage(database, actor, voyage_id)
    form = await request.form()
    typed = _typed_in_hurry(form)
    today = day_at(port_of(actor), database.clock.now())
    language = web.language_of(request)
    errors = []
    name = ""
    if typed["full_name"].strip():
        try:
            name = cells.name(typed["full_name"].strip())
        except BadCell as bad:
            errors.append(_bad(language, "full_name", bad))
    if typed["sex"] not in labels.SEXES:
        errors.append(_problem(language, "sex", msg("The sex is missing."), msg("Choose one.")))
    companion = read_companion(form)
    if companion is not None and (problem := await refuse_companion(request, actor, voyage_id, companion)):
        errors.append(problem)
    if errors:
        return _triage_page(request, voyage, typed, errors)
    birth = guessed(cast(Group, typed["group"]), today) if typed["group"] in get_args(Group) else None
    arrival = Arrival(
        Identity(name, birth=birth.text if birth else ""),
        cast(Sex, typed["sex"]),
        birth,
        flags=frozenset(cast(NeedCode, need) for need in typed["needs"] if need in codes.needs()),
    )
    case_id = typed["case_id"] if is_id(typed["case_id"]) else None
    item = Item(await web.key_of(request), arrival, voyage_id, None, case_id, unfinished=True)
    recorded = await record_one(request, actor, item, companion)
    return web.redirect(
        request, f"/kedatangan/{recorded.case_id}/slip?pelayaran={voyage_id}", said=msg("Saved. The rest can wait.")
    )


@router.get("/belum-lengkap")
async def unfinished_page(request: Request, actor: Reader, setelah: Annotated[Id | None, Query()] = None) -> Response:
    """Who was logged in a hurry at the port, and what is still missing of each; `setelah` pages on."""
    port = codes.ports()[policy.own_port(actor)]
    database: Database = request.app.state.database
    async with database.work(actor, purpose="look") as work:
        found = await completing.list_incomplete(work, after=setelah, limit=PER_PAGE + 1)
    language = web.language_of(request)
    return web.page(
        request,
        "unfinished.html",
        port=port,
        found=[(one.arrival, _tasks(one)) for one in found[:PER_PAGE]],
        next_after=found[PER_PAGE - 1].arrival.case_id if len(found) > PER_PAGE else "",
        case_code=labels.case_code,
        sexes=labels.SEXES,
        age_bands=labels.AGE_BANDS,
        need_names=labels.needs(language),
        may_complete=policy.may_correct_arrivals(actor),
    )


def _tasks(one: Incomplete) -> list[tuple[str, bool]]:
    """What makes an arrival whole, and whether it is there."""
    arrival, link = one.arrival, one.link
    tasks = [
        (msg("Who it is"), False),
        (msg("Age"), arrival.age_band != "unknown"),
        (msg("Origin"), arrival.origin_regency is not None),
        (msg("Needs"), bool(set(arrival.needs) - BY_AGE_ALONE - {"UAC"})),
    ]
    if link is None:
        return tasks
    return [*tasks, (msg("What the adult is to the child"), link.has_relation), (msg("What shows it"), link.has_proof)]


@router.get("/kedatangan/{case_id}/lengkapi")
async def complete_page(request: Request, case_id: Id, actor: Officer) -> Response:
    """The form of what is missing. It shows nothing of what is kept already."""
    async with request.app.state.database.work(actor, purpose="correct") as work:
        seen = await arrival_corrections.look(work, case_id)
    return await _complete_page(request, actor, case_id, {"version": str(seen.kept.version)}, [])


@router.post("/kedatangan/{case_id}/lengkapi")
async def complete(request: Request, case_id: Id, actor: Officer) -> Response:
    """Fill what is empty, and go back to the arrival."""
    form = await request.form()
    typed = {name: str(form.get(name, "")) for name in (*TEXTS, *PARTS, *DESCRIBED, "version")}
    language = web.language_of(request)
    said, origin, errors = _read(language, typed)
    relation, proof = read_relation(form)
    if errors:
        return await _complete_page(request, actor, case_id, typed, errors)
    vault = request.app.state.vault
    database: Database = request.app.state.database
    # Under a key: what is kept to know a repeated write must not tell the name that is in it.
    digest = vault.digest_of(await web.digest_of(request))
    version = int(typed["version"]) if typed["version"].isdecimal() and len(typed["version"]) < 10 else 0
    try:
        async with database.work(actor, purpose="correct") as work:

            async def act() -> Response:
                await completing.complete_identity(
                    *(work, vault, case_id, said), version=version, origin=origin, relation=relation, proof=proof
                )
                return web.redirect(request, f"/kedatangan/{case_id}", said=msg("Completed. Whoever helps is told."))

            return await web.idempotent(request, work, await web.key_of(request), act, digest=digest)
    except FieldFilled as filled:
        problem = _problem(language, filled.field, filled.detail)
        return await _complete_page(request, actor, case_id, typed, [problem], 409)
    except AgeBandWouldChange as refused:
        remedy = msg("Correct the age on the page of the case instead.")
        return await _complete_page(
            request, actor, case_id, typed, [_problem(language, "birth", refused.detail, remedy)]
        )
    except (NothingToComplete, NobodyAnswers) as refused:
        return await _complete_page(request, actor, case_id, typed, [_problem(language, "full_name", refused.detail)])
    except ChangedMeanwhile as changed:
        conflict = ArrivalChanged(language, changed, lambda kind, code: history.say(language, kind, code))
        problem = web.FieldProblem("full_name", conflict.detail)
        return await _complete_page(request, actor, case_id, typed, [problem], 409)


def _read(language: Language, typed: dict[str, str]) -> tuple[dict[str, str], str | None, list[web.FieldProblem]]:
    """What the form says, the origin apart, or what is wrong with it."""
    errors: list[web.FieldProblem] = []
    said: dict[str, str] = {}
    texts = {name: typed[name] for name in TEXTS if name != "origin"}
    texts["birth"] = " ".join(filter(None, (typed[part].strip() for part in PARTS)))
    for name, text in texts.items():
        if not text.strip():
            continue
        try:
            said[name] = read_value(name, text)
        except BadCell as bad:
            errors.append(_bad(language, name, bad))
    origin = None
    if typed["origin"].strip():
        try:
            origin = cells.regency(typed["origin"].strip())
        except BadCell as bad:
            errors.append(_bad(language, "origin", bad))
    return said, origin, errors


def _typed_in_hurry(form: FormData) -> dict[str, Any]:
    typed: dict[str, Any] = {name: str(form.get(name, "")) for name in (*ASKED, "case_id")}
    return typed | {"needs": [str(need) for need in form.getlist("needs")]}


def _bad(language: Language, field: str, bad: BadCell) -> web.FieldProblem:
    return _problem(language, field, *CELL_PROBLEMS[bad.code])


def _problem(language: Language, field: str, message: str, remedy: str = "") -> web.FieldProblem:
    return web.FieldProblem(field, words.translate(language, message), remedy and words.translate(language, remedy))


def _triage_page(request: Request, voyage: Any, typed: dict[str, Any], errors: list[web.FieldProblem]) -> Response:
    language = web.language_of(request)
    names = labels.needs(language)
    return web.page(
        request,
        "triage.html",
        422 if errors else 200,
        voyage=voyage,
        port=codes.ports()[voyage.port],
        typed=dict.fromkeys(ASKED, "") | {"needs": [], "case_id": new_id(), **typed},
        relations=labels.options(language, labels.RELATIONS),
        proofs=labels.options(language, labels.RELATION_PROOFS),
        errors=errors,
        sexes=labels.options(language, labels.SEXES),
        groups=labels.options(language, labels.LOOKS),
        need_chips=[(code, names[code]) for code in codes.needs() if code not in BY_AGE_ALONE | {"REMAINS"}],
    )


async def _complete_page(
    request: Request,
    actor: Actor,
    case_id: str,
    typed: dict[str, str],
    errors: list[web.FieldProblem],
    status: int = 422,
) -> Response:
    database: Database = request.app.state.database
    async with database.work(actor, purpose="look") as work:
        link = await completing.find_link(work, case_id)
    language = web.language_of(request)
    return web.page(
        request,
        "complete.html",
        status if errors else 200,
        case_id=case_id,
        case_code=labels.case_code,
        typed=dict.fromkeys((*TEXTS, *PARTS, *DESCRIBED, "version"), "") | typed,
        errors=errors,
        guardian=link,
        relations=labels.options(language, labels.RELATIONS),
        proofs=labels.options(language, labels.RELATION_PROOFS),
        document_types=labels.options(language, labels.DOCUMENT_TYPES),
        regencies=codes.regencies().values(),
    )
