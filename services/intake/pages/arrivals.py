"""Logging one person by a short form; the voyage gives port and time, the focus is back on the name after each."""

from datetime import date
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.datastructures import FormData

from services.intake import policy
from services.intake.actions import voyages
from services.intake.actions.accompanied import find_adult, record_accompanied
from services.intake.actions.arrivals import Desk, Item, Recorded, day_at, port_of
from services.intake.actions.held import settle_recorded
from services.intake.domain import cells, dates, people
from services.intake.domain.arrivals import Arrival, OnwardWish
from services.intake.domain.cells import BadCell
from services.intake.domain.companions import UNFIT
from services.intake.domain.households import ALONE, CHILDREN, NO_PROOF, NOT_STATED, Companion
from services.intake.domain.people import Birth, Identity
from services.intake.domain.problems import CELL_PROBLEMS
from services.intake.domain.voyages import Voyage
from services.intake.pages import labels
from services.intake.store import voyages as store
from shared.contracts import codes
from shared.contracts.codes import NeedCode, Sex
from shared.contracts.fact import Id
from shared.contracts.intake.households import Relation, RelationProof
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.words import Language, msg

router = APIRouter()

Officer = Annotated[Actor, Depends(identity.require(*policy.PORT_ROLES))]

BY_AGE_ALONE = frozenset({"NEED", "CHILD", "ELDER"})
"""Needs that follow by themselves; the form does not ask for them."""
TEXTS = (
    "full_name",
    "age",
    "document_type",
    "document_number",
    "nik",
    "mother_name",
    "origin",
    "family_contact",
    "health_note",
)
COMPANION = ("companion", "relation", "proof")
PARTS = ("birth_day", "birth_month", "birth_year")


@router.get("/pelayaran/{voyage_id}/catat")
async def log_page(
    request: Request, voyage_id: Id, actor: Officer, bersama: Annotated[Id | None, Query()] = None
) -> Response:
    """The empty form; for a child who is with `bersama`, the case of an adult."""
    voyage = await voyages.find_voyage(request.app.state.database, actor, voyage_id)
    typed = {"companion": labels.case_code(bersama)} if bersama else {}
    return await _form_page(request, actor, voyage, typed, [])


@router.post("/pelayaran/{voyage_id}/catat")
async def log_person(request: Request, voyage_id: Id, actor: Officer) -> Response:
    """Record one person and offer the form for the next."""
    database: Database = request.app.state.database
    voyage = await voyages.find_voyage(database, actor, voyage_id)
    form = await request.form()
    today = day_at(port_of(actor), database.clock.now())
    arrival, errors = read_person(web.language_of(request), form, today)
    if arrival is None:
        return await _form_page(request, actor, voyage, _typed(form), errors)
    companion = read_companion(form)
    if companion is not None and (problem := await refuse_companion(request, actor, voyage_id, companion)):
        return await _form_page(request, actor, voyage, _typed(form), [problem])
    item = Item(await web.key_of(request), arrival, voyage_id, None)
    recorded = await record_one(request, actor, item, companion)
    on = f"?bersama={recorded.case_id}" if form.get("next") == "child" else ""
    is_alone = recorded.age_band in CHILDREN and ALONE in recorded.needs
    said = msg("Saved. The child counts as unaccompanied. Next person.") if is_alone else msg("Saved. Next person.")
    return web.redirect(request, f"/pelayaran/{voyage_id}/catat{on}", said=said)


async def record_one(request: Request, actor: Actor, item: Item, companion: Companion | None) -> Recorded:
    """Record somebody, with who is said to answer for a child. Raises as `Desk.record`."""
    state = request.app.state
    desk: Desk = state.desk
    if companion is not None:
        recorded = await record_accompanied(state.database, state.vault, desk, actor, item, companion, "single")
    else:
        recorded = await desk.record(
            actor,
            item.arrival,
            key=item.key,
            voyage_id=item.voyage_id,
            arrived_at=item.arrived_at,
            case_id=item.case_id,
            unfinished=item.unfinished,
        )
    await settle_recorded(state.database, state.vault, actor, [(item.voyage_id, item.arrival, recorded.case_id)])
    return recorded


def read_companion(form: FormData) -> Companion | None:
    """Who is said to answer for a child."""
    adult = str(form.get("companion", "")).strip()
    return Companion(adult, *read_relation(form)) if adult else None


def read_relation(form: FormData) -> tuple[Relation, RelationProof]:
    """What the adult is to the child, and what shows that."""
    relation, proof = str(form.get("relation", "")), str(form.get("proof", ""))
    return (
        cast(Relation, relation) if relation in labels.RELATIONS else NOT_STATED,
        cast(RelationProof, proof) if proof in labels.RELATION_PROOFS else NO_PROOF,
    )


async def refuse_companion(
    request: Request, actor: Actor, voyage_id: str, companion: Companion
) -> web.FieldProblem | None:
    """What is wrong with a code under which there is no adult who can be that of a child of the voyage."""
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await find_adult(work, companion, voyage_id=voyage_id, landed_at=work.now)
    return _missing(web.language_of(request), "companion", *UNFIT[found]) if isinstance(found, str) else None


def read_person(language: Language, form: FormData, today: date) -> tuple[Arrival | None, list[web.FieldProblem]]:
    """The person a form describes, or what is wrong with it in the reader's words."""
    typed = _typed(form)
    errors: list[web.FieldProblem] = []

    def wrong(field: str, code: str) -> None:
        message, remedy = CELL_PROBLEMS[code]
        errors.append(web.FieldProblem(field, words.translate(language, message), words.translate(language, remedy)))

    def said(field: str, read: Any) -> Any:
        text = typed[field].strip()
        if not text:
            return None
        try:
            return read(text)
        except BadCell as bad:
            wrong(field, bad.code)
            return None

    name = said("full_name", cells.name)
    if not typed["full_name"].strip():
        remedy = msg("Write it, or “tidak diketahui” when nobody knows it.")
        errors.append(_missing(language, "full_name", msg("The name is missing."), remedy))
    if typed["sex"] not in labels.SEXES:
        errors.append(_missing(language, "sex", msg("The sex is missing."), msg("Choose one.")))
    birth = _birth(typed, today, wrong, said("age", cells.age))
    nik = said("nik", cells.nik)
    number = said("document_number", cells.document_number)
    origin = said("origin", cells.regency)
    mother = said("mother_name", cells.name)
    contact = said("family_contact", cells.text)
    note = said("health_note", cells.text)
    kind = typed["document_type"] if typed["document_type"] in labels.DOCUMENT_TYPES else ""
    flags = frozenset(cast(NeedCode, need) for need in typed["needs"] if need in codes.needs())
    if errors:
        return None, errors
    identity_ = Identity(
        name,
        birth=birth.text if birth else "",
        mother_name=mother or "",
        nik=nik or "",
        document_type=kind,
        document_number=number or "",
        family_contact=contact or "",
        health_note=note or "",
    )
    wish = typed["onward_wish"] if typed["onward_wish"] in labels.WISHES else "unknown"
    return Arrival(
        identity_,
        cast(Sex, typed["sex"]),
        birth,
        origin,
        flags,
        onward_wish=cast(OnwardWish, wish),
    ), []


def _birth(typed: dict[str, Any], today: date, wrong: Any, age: int | None) -> Birth | None:
    """The birth from day, month and year, from month and year, from the year alone, or from the age."""
    day, month, year = (typed[part].strip() for part in PARTS)
    if not day and not month and not year:
        return None if age is None else people.aged(age, today)
    try:
        birth = dates.read_birth(" ".join(filter(None, (day, month, year))))
        cells.in_life(birth, today, age)
    except (dates.BadDate, BadCell) as bad:
        wrong("age" if bad.code == "age_differs" else "birth", bad.code)
        return None
    return birth


def _missing(language: Language, field: str, message: str, remedy: str) -> web.FieldProblem:
    return web.FieldProblem(field, words.translate(language, message), words.translate(language, remedy))


def _typed(form: FormData) -> dict[str, Any]:
    """What was typed, to be shown again when something is wrong."""
    typed: dict[str, Any] = {
        name: str(form.get(name, "")) for name in (*TEXTS, *PARTS, *COMPANION, "sex", "onward_wish")
    }
    typed["needs"] = [str(need) for need in form.getlist("needs")]
    return typed


async def _form_page(
    request: Request, actor: Actor, voyage: Voyage, typed: dict[str, Any], errors: list[web.FieldProblem]
) -> Response:
    async with request.app.state.database.work(actor, purpose="look") as work:
        sighting = await store.sighted(work, voyage.voyage_id)
    assert sighting is not None
    language = web.language_of(request)
    names = labels.needs(language)
    return web.page(
        request,
        "log_one.html",
        422 if errors else 200,
        voyage=voyage,
        counts=sighting.counts,
        port=codes.ports()[voyage.port],
        typed=dict.fromkeys((*TEXTS, *PARTS, *COMPANION, "sex", "onward_wish"), "") | {"needs": []} | typed,
        relations=labels.options(language, labels.RELATIONS),
        proofs=labels.options(language, labels.RELATION_PROOFS),
        errors=errors,
        sexes=labels.options(language, labels.SEXES),
        document_types=labels.options(language, labels.DOCUMENT_TYPES),
        wishes=labels.options(language, labels.WISHES),
        need_chips=[(code, names[code]) for code in codes.needs() if code not in BY_AGE_ALONE],
        regencies=codes.regencies().values(),
    )
