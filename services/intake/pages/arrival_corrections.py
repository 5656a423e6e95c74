"""One arrival at its port: as it is, what was corrected of it, and the forms by which it is corrected."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import FormData

from services.intake import policy
from services.intake.actions import ages, deaths, endings, voyages
from services.intake.actions import arrival_corrections as actions
from services.intake.actions.ages import Told
from services.intake.actions.arrival_corrections import ArrivalChanged, ChangedMeanwhile, Seen
from services.intake.domain import cells, dates
from services.intake.domain.arrival_corrections import (
    OF_AGE,
    DeathPlace,
    DeathUndoneReason,
    Doubt,
    ErrorReason,
    Kept,
    Proposal,
)
from services.intake.domain.cells import BadCell
from services.intake.domain.needs import EVERYBODY
from services.intake.domain.problems import CELL_PROBLEMS
from services.intake.domain.refusals import Refused
from services.intake.domain.refusals.arrival_corrections import (
    AgeAlreadyProposed,
    AgeStaysSame,
    ArrivalInError,
    DeathNotPossible,
    DoubtedAlready,
    DuplicateUnfit,
    NeedFollowsAge,
    NotDead,
    NothingToCorrect,
    PersonHasDied,
    ProofMissing,
    ReasonMissing,
)
from services.intake.domain.refusals.identities import PersonErasedBefore
from services.intake.pages import history, labels
from shared.contracts import codes
from shared.contracts.codes import AgeProof, CorrectionReason, NeedCode, Sex, StrikeReason
from shared.contracts.fact import Id
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.ids import is_id
from shared.kit.words import Language, msg
from shared.kit.work import Work

router = APIRouter()

Officer = Annotated[Actor, Depends(identity.require("port_officer"))]
Reader = Annotated[Actor, Depends(identity.require(*policy.PORT_ROLES))]

What = Literal["umur", "jenis-kelamin", "asal", "kebutuhan", "keliru", "meninggal", "hidup"]
TITLES: Mapping[What, str] = {
    "umur": msg("Correct the age"),
    "jenis-kelamin": msg("Correct the sex"),
    "asal": msg("Correct the origin"),
    "kebutuhan": msg("Correct the needs"),
    "keliru": msg("Entered in error"),
    "meninggal": msg("The person has died"),
    "hidup": msg("The person lives"),
}
TEXTS = ("sex", "origin", "age", "reason", "strike_reason", "proof", "duplicate_of", "place", "version")
PARTS = ("birth_day", "birth_month", "birth_year", "died_day", "died_month", "died_year")
FIELDS: Mapping[type[Refused], str] = {
    NothingToCorrect: "",
    AgeStaysSame: "birth",
    ProofMissing: "proof",
    AgeAlreadyProposed: "",
    NeedFollowsAge: "add",
    ReasonMissing: "reason",
    DuplicateUnfit: "duplicate_of",
    DeathNotPossible: "died",
    NotDead: "",
    DoubtedAlready: "",
    ArrivalInError: "",
    PersonHasDied: "",
    PersonErasedBefore: "",
}
"""Beside which field of the form a refusal stands; empty: above them all."""
FIRST_FIELD: Mapping[What, str] = {
    "umur": "birth",
    "jenis-kelamin": "sex",
    "asal": "origin",
    "kebutuhan": "add",
    "keliru": "reason",
    "meninggal": "died",
    "hidup": "reason",
}


class Unreadable(Exception):
    """A field of the form that cannot be read: which, what is wrong and what to do."""

    def __init__(self, field: str, message: str, remedy: str = "") -> None:
        super().__init__(field)
        self.field = field
        self.message = message
        self.remedy = remedy


@router.get("/kedatangan/{case_id}")
async def arrival_page(request: Request, case_id: Id, actor: Reader) -> Response:
    """An arrival in codes, and the history of its corrections."""
    seen = await _look(request, actor, case_id)
    language = web.language_of(request)
    kept = seen.kept
    zone = codes.ports()[kept.port].zone
    database: Database = request.app.state.database
    voyage = await voyages.find_voyage(database, actor, seen.voyage_id) if seen.voyage_id else None
    return web.page(
        request,
        "arrival.html",
        kept=kept,
        voyage=voyage,
        zone=zone,
        case_code=labels.case_code,
        facts=_facts(language, kept),
        history=history.described(language, seen.steps, zone),
        proposal=seen.proposal,
        may_correct=policy.may_correct_arrivals(actor),
        titles=TITLES,
        open_to=_open_to(kept),
        age_bands=labels.AGE_BANDS,
    )


@router.get("/kedatangan/{case_id}/{apa}")
async def correction_page(request: Request, case_id: Id, apa: What, actor: Officer) -> Response:
    """The form of one kind of correction, on the version that it shows."""
    return _form_page(request, apa, await _look(request, actor, case_id), {}, [])


@router.post("/kedatangan/{case_id}/{apa}")
async def correct(request: Request, case_id: Id, apa: What, actor: Officer) -> Response:
    """Correct it, and go back to the arrival; whoever comes second sees both values and what was typed."""
    form = await request.form()
    typed = _typed(form)
    language = web.language_of(request)
    vault = request.app.state.vault
    database: Database = request.app.state.database
    # Under a key: what is kept to know a repeated write must not tell the birth that may be in it.
    digest = vault.digest_of(await web.digest_of(request))
    try:
        async with database.work(actor, purpose="correct") as work:

            async def act() -> Response:
                done = await READ[apa](work, request, case_id, typed)
                sentence = CORRECTED if isinstance(done, Kept) else ASKED
                return web.redirect(request, f"/kedatangan/{case_id}", said=sentence)

            return await web.idempotent(request, work, await web.key_of(request), act, digest=digest)
    except Unreadable as bad:
        problem = web.FieldProblem(
            bad.field, words.translate(language, bad.message), bad.remedy and words.translate(language, bad.remedy)
        )
        return await _again(request, actor, case_id, apa, typed, [problem], 422)
    except tuple(FIELDS) as refused:
        field = FIELDS[type(refused)] or FIRST_FIELD[apa]
        problem = web.FieldProblem(field, words.translate(language, refused.detail))
        return await _again(request, actor, case_id, apa, typed, [problem], 422)
    except ChangedMeanwhile as changed:
        conflict = ArrivalChanged(language, changed, lambda kind, code: history.say(language, kind, code))
        problem = web.FieldProblem(FIRST_FIELD[apa], conflict.detail)
        return await _again(request, actor, case_id, apa, typed, [problem], 409)


CORRECTED = msg("The correction is in force. Whoever helps is told.")
ASKED = msg("Asked for. Another person of the port, or its supervisor, has to confirm it.")


Read = Callable[[Work, Request, str, Mapping[str, Any]], Awaitable[Kept | Proposal | Doubt]]


async def _age(work: Work, request: Request, case_id: str, typed: Mapping[str, Any]) -> Kept | Proposal:
    birth, years = None, None
    text = " ".join(filter(None, (typed[f"birth_{part}"].strip() for part in ("day", "month", "year"))))
    try:
        if text:
            birth = dates.read_birth(text)
        elif typed["age"].strip():
            years = cells.age(typed["age"].strip())
        return await ages.correct_age(
            work,
            request.app.state.vault,
            case_id,
            version=_version(typed),
            told=Told(birth, years),
            reason=_reason(typed),
            proof=cast("AgeProof | None", typed["proof"] if typed["proof"] in history.PROOFS else None),
        )
    except (dates.BadDate, BadCell) as bad:
        raise Unreadable("birth" if text else "age", *CELL_PROBLEMS[bad.code]) from None


async def _sex(work: Work, _: Request, case_id: str, typed: Mapping[str, Any]) -> Kept:
    if typed["sex"] not in labels.SEXES:
        raise Unreadable("sex", msg("The sex is missing."), msg("Choose one."))
    to = cast(Sex, typed["sex"])
    return await actions.correct_sex(work, case_id, version=_version(typed), to=to, reason=_reason(typed))


async def _origin(work: Work, _: Request, case_id: str, typed: Mapping[str, Any]) -> Kept:
    text = typed["origin"].strip()
    try:
        to = cells.regency(text) if text else None
    except BadCell as bad:
        raise Unreadable("origin", *CELL_PROBLEMS[bad.code]) from None
    return await actions.correct_origin(work, case_id, version=_version(typed), to=to, reason=_reason(typed))


async def _needs(work: Work, _: Request, case_id: str, typed: Mapping[str, Any]) -> Kept:
    add, strike = ([cast(NeedCode, one) for one in typed[name] if one in codes.needs()] for name in ("add", "strike"))
    if strike and typed["strike_reason"] not in history.STRIKE_REASONS:
        raise Unreadable("strike_reason", ReasonMissing.detail)
    return await actions.correct_needs(
        work,
        case_id,
        version=_version(typed),
        add=add,
        strike=strike,
        reason=_reason(typed) if add else None,
        strike_reason=cast(StrikeReason, typed["strike_reason"]) if strike else None,
    )


async def _error(work: Work, _: Request, case_id: str, typed: Mapping[str, Any]) -> Kept:
    if typed["reason"] not in history.ERRORS:
        raise ReasonMissing
    duplicate_of = typed["duplicate_of"].strip().lower() or None
    if duplicate_of is not None and not is_id(duplicate_of):
        raise DuplicateUnfit
    reason = cast(ErrorReason, typed["reason"])
    return await endings.enter_in_error(
        work, case_id, version=_version(typed), reason=reason, duplicate_of=duplicate_of
    )


async def _death(work: Work, _: Request, case_id: str, typed: Mapping[str, Any]) -> Kept:
    if typed["place"] not in history.PLACES:
        raise Unreadable("place", msg("Choose where."))
    month = words.month_number(typed["died_month"])
    try:
        died_on = date(int(typed["died_year"]), month or 0, int(typed["died_day"]))
    except (ValueError, OverflowError):
        raise DeathNotPossible from None
    place = cast(DeathPlace, typed["place"])
    return await endings.note_death(work, case_id, version=_version(typed), died_on=died_on, place=place)


async def _alive(work: Work, _: Request, case_id: str, typed: Mapping[str, Any]) -> Doubt:
    if typed["reason"] not in history.DOUBTS:
        raise ReasonMissing
    reason = cast(DeathUndoneReason, typed["reason"])
    return await deaths.doubt(work, case_id, version=_version(typed), reason=reason)


READ: Mapping[What, Read] = {
    "umur": _age,
    "jenis-kelamin": _sex,
    "asal": _origin,
    "kebutuhan": _needs,
    "keliru": _error,
    "meninggal": _death,
    "hidup": _alive,
}


def _reason(typed: Mapping[str, Any]) -> CorrectionReason:
    if typed["reason"] not in history.REASONS:
        raise ReasonMissing
    return cast(CorrectionReason, typed["reason"])


def _version(typed: Mapping[str, Any]) -> int:
    """The version that the form showed; 0, which there is none of, for one that is no number."""
    return int(typed["version"]) if typed["version"].isdecimal() and len(typed["version"]) < 10 else 0


def _typed(form: FormData) -> dict[str, Any]:
    typed: dict[str, Any] = {name: str(form.get(name, ""))[:200] for name in (*TEXTS, *PARTS)}
    return typed | {name: [str(one) for one in form.getlist(name)] for name in ("add", "strike")}


async def _look(request: Request, actor: Actor, case_id: str) -> Seen:
    database: Database = request.app.state.database
    async with database.work(actor, purpose="look") as work:
        return await actions.look(work, case_id)


async def _again(
    request: Request,
    actor: Actor,
    case_id: str,
    what: What,
    typed: dict[str, Any],
    errors: list[web.FieldProblem],
    status: int,
) -> Response:
    """The form as it was filled in, on the arrival as it is now."""
    return _form_page(request, what, await _look(request, actor, case_id), typed, errors, status)


def _form_page(
    request: Request,
    what: What,
    seen: Seen,
    typed: dict[str, Any],
    errors: list[web.FieldProblem],
    status: int = 200,
) -> Response:
    language = web.language_of(request)
    kept = seen.kept
    names = labels.needs(language)
    by_hand = [code for code in codes.needs() if code not in OF_AGE and code != EVERYBODY]
    reasons = {"keliru": history.ERRORS, "hidup": history.DOUBTS}.get(what, history.REASONS)
    return web.page(
        request,
        "correct_arrival.html",
        status,
        what=what,
        title=TITLES[what],
        kept=kept,
        facts=_facts(language, kept),
        case_code=labels.case_code,
        typed=dict.fromkeys((*TEXTS, *PARTS), "") | {"add": [], "strike": []} | typed,
        errors=errors,
        sexes=labels.options(language, labels.SEXES),
        reasons=labels.options(language, reasons),
        strike_reasons=labels.options(language, history.STRIKE_REASONS),
        proofs=labels.options(language, history.PROOFS),
        places=labels.options(language, history.PLACES),
        regencies=codes.regencies().values(),
        addable=[(code, names[code]) for code in by_hand if code not in kept.needs],
        strikeable=[(code, names[code]) for code in by_hand if code in kept.needs],
    )


def _facts(language: Language, kept: Kept) -> list[tuple[str, str]]:
    """The arrival in words."""
    needs = labels.needs(language)
    port = codes.ports()[kept.port]

    def say(text: str) -> str:
        return words.translate(language, text)

    origin = kept.origin_regency
    return [
        (say(msg("Landed")), words.moment(language, kept.arrived_at, port.zone)),
        (say(msg("Sex")), say(labels.SEXES[kept.sex])),
        (say(msg("Age group")), say(labels.AGE_BANDS[kept.age_band])),
        (say(msg("Origin")), codes.regencies()[origin].name if origin else say(msg("not known"))),
        (say(msg("Needs")), ", ".join(needs[need] for need in kept.needs)),
    ]


def _open_to(kept: Kept) -> list[What]:
    """What can still be corrected of it."""
    if kept.ended_as == "entered_in_error":
        return []
    return ["asal", "keliru", "hidup"] if kept.ended_as == "died" else [one for one in TITLES if one != "hidup"]
