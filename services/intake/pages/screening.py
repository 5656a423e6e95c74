"""Screening on a page: ask, see what the answers point to, decide."""

from collections.abc import Mapping
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.datastructures import FormData

from services.intake import policy, screening
from services.intake.actions import arrival_corrections
from services.intake.actions import screening as actions
from services.intake.actions.arrival_corrections import ArrivalChanged, ChangedMeanwhile, Seen
from services.intake.domain.problems import CELL_PROBLEMS
from services.intake.domain.refusals.screening import DecisionNeedsReason, LevelNotDecided
from services.intake.domain.screening import (
    ANSWERS,
    BY_OTHERS,
    POINTS_TO,
    Assessment,
    Circumstances,
    Interpreter,
    Questionnaire,
)
from services.intake.pages import history, labels
from services.intake.store import screenings as store
from shared.contracts import codes
from shared.contracts.codes import NeedCode, TraffickingDecision, TraffickingReason
from shared.contracts.fact import Id
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.words import Language, msg

router = APIRouter()

Officer = Annotated[Actor, Depends(identity.require("port_officer"))]

PER_PAGE = 50
TEXTS = ("version", "questionnaire", "decision", "reason", "place", "language", "interpreter", "alone")


@router.get("/kedatangan/{case_id}/penyaringan")
async def screening_page(request: Request, case_id: Id, actor: Officer) -> Response:
    """The questions, and what was found in earlier talks."""
    asked = screening.current()
    typed = {"questionnaire": asked.version, "needs": [], "answers": {}}
    return await _page(request, actor, case_id, asked, typed, None, [])


@router.post("/kedatangan/{case_id}/penyaringan")
async def screen(request: Request, case_id: Id, actor: Officer) -> Response:
    """First show what the answers point to; when the officer has decided, keep it."""
    form = await request.form()
    typed = _typed(form)
    language = web.language_of(request)
    asked = actions.questionnaire(typed["questionnaire"])
    answers = {name: said for name, said in typed["answers"].items() if name in asked.ids and said in ANSWERS}
    database: Database = request.app.state.database
    async with database.work(actor, purpose="screen") as work:
        found = await actions.try_answers(work, case_id, version=asked.version, answers=answers)
    if not form.get("decide"):
        typed |= {"needs": list(found.proposed), "decision": POINTS_TO[found.trafficking.level][0]}
        return await _page(request, actor, case_id, asked, typed, found, [])
    errors = _missing(language, typed)
    if errors:
        return await _page(request, actor, case_id, asked, typed, found, errors)
    vault = request.app.state.vault
    digest = vault.digest_of(await web.digest_of(request))
    version = int(typed["version"]) if typed["version"].isdecimal() and len(typed["version"]) < 10 else 0
    try:
        async with database.work(actor, purpose="screen") as work:

            async def act() -> Response:
                await actions.screen(
                    work,
                    vault,
                    case_id,
                    arrival_version=version,
                    version=asked.version,
                    answers=answers,
                    chosen=[cast(NeedCode, need) for need in typed["needs"] if need in codes.needs()],
                    decision=cast(TraffickingDecision, typed["decision"]),
                    reason=cast(TraffickingReason, typed["reason"]) if typed["reason"] else None,
                    circumstances=Circumstances(
                        typed["place"], typed["language"], cast(Interpreter, typed["interpreter"]), bool(typed["alone"])
                    ),
                )
                return web.redirect(
                    request, f"/kedatangan/{case_id}", said=msg("The screening is kept, and what is needed goes out.")
                )

            return await web.idempotent(request, work, await web.key_of(request), act, digest=digest)
    except (LevelNotDecided, DecisionNeedsReason) as refused:
        field = "decision" if isinstance(refused, LevelNotDecided) else "reason"
        problem = web.FieldProblem(field, words.translate(language, refused.detail))
        return await _page(request, actor, case_id, asked, typed, found, [problem])
    except ChangedMeanwhile as changed:
        conflict = ArrivalChanged(language, changed, lambda kind, code: history.say(language, kind, code))
        problem = web.FieldProblem("decision", conflict.detail)
        typed.pop("version")  # whoever reads what was corrected decides on the arrival as it is now
        return await _page(request, actor, case_id, asked, typed, found, [problem], status=409)


@router.get("/penyaringan")
async def further_page(request: Request, actor: Officer, setelah: Annotated[Id | None, Query()] = None) -> Response:
    """Who is to be assessed further, the earliest first; `setelah` pages on."""
    port = codes.ports()[policy.own_port(actor)]
    database: Database = request.app.state.database
    async with database.work(actor, purpose="look") as work:
        found = await store.list_further(work, after=setelah, limit=PER_PAGE + 1)
    return web.page(
        request,
        "screenings.html",
        port=port,
        found=found[:PER_PAGE],
        next_after=found[PER_PAGE - 1].screening_id if len(found) > PER_PAGE else "",
        case_code=labels.case_code,
    )


@router.get("/penyaringan/{screening_id}")
@web.reads_people
async def answers_page(request: Request, screening_id: Id, actor: Officer) -> Response:
    """One talk with what was answered; it is on the trail."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="screen") as work:
        read = await actions.read_answers(work, request.app.state.vault, screening_id)
    language = web.language_of(request)
    return web.page(
        request,
        "screening_answers.html",
        done=read.screening,
        zone=codes.ports()[policy.own_port(actor)].zone,
        case_code=labels.case_code,
        answered=answered(language, read.asked, read.answers),
        need_names=labels.needs(language),
        decisions=labels.TRAFFICKING_DECISIONS,
        reasons=labels.TRAFFICKING_REASONS,
        interpreters=labels.INTERPRETERS,
        **_why(language, read.asked, read.found),
    )


def _why(language: Language, asked: Questionnaire, found: Assessment) -> dict[str, Any]:
    """What the answers point to, in words, for `screening_found.html`."""
    names = labels.needs(language)
    text = {question.id: question.text[language] for question in asked.questions}
    return {
        "found": found,
        "because": [(names[need], [text[name] for name in shown]) for need, shown in found.because.items()],
        "shown": [text[name] for name in found.trafficking.shown],
        "elements": labels.ELEMENTS,
        "levels": labels.TRAFFICKING_LEVELS,
    }


def answered(language: Language, asked: Questionnaire, answers: Mapping[str, str]) -> list[tuple[str, str]]:
    """Each question that was answered, and how, in words and in the order they are asked."""
    return [
        (question.text[language], words.translate(language, labels.ANSWERS[answers[question.id]]))
        for question in asked.questions
        if question.id in answers
    ]


def _typed(form: FormData) -> dict[str, Any]:
    typed: dict[str, Any] = {name: " ".join(str(form.get(name, "")).split()) for name in TEXTS}
    typed["needs"] = [str(need) for need in form.getlist("needs")]
    typed["answers"] = {
        name.removeprefix("q_"): str(value) for name, value in form.multi_items() if name.startswith("q_") and value
    }
    return typed


def _missing(language: Language, typed: dict[str, Any]) -> list[web.FieldProblem]:
    errors = []

    def wrong(field: str, message: str, remedy: str) -> None:
        errors.append(web.FieldProblem(field, words.translate(language, message), words.translate(language, remedy)))

    if typed["decision"] not in labels.TRAFFICKING_DECISIONS:
        wrong("decision", msg("Nothing is decided on trafficking."), msg("Choose one."))
    if typed["reason"] and typed["reason"] not in labels.TRAFFICKING_REASONS:
        wrong("reason", msg("The reason is missing."), msg("Choose one."))
    for field, name, most in (("place", msg("Where you talked"), 80), ("language", msg("Language"), 40)):
        message, remedy = msg("This is missing."), msg("Write it in a few words, never a name.")
        if not typed[field].isprintable():
            message, remedy = CELL_PROBLEMS["odd_characters"]
        elif len(typed[field]) > most:
            message = msg("This is too long.")
        elif typed[field]:
            continue
        problem = f"{words.translate(language, name)}: {words.translate(language, message)}"
        errors.append(web.FieldProblem(field, problem, words.translate(language, remedy)))
    if typed["interpreter"] not in labels.INTERPRETERS:
        wrong("interpreter", msg("It is not said who translated."), msg("Choose one."))
    return errors


async def _page(
    request: Request,
    actor: Actor,
    case_id: str,
    asked: Questionnaire,
    typed: dict[str, Any],
    found: Assessment | None,
    errors: list[web.FieldProblem],
    *,
    status: int = 422,
) -> Response:
    async with request.app.state.database.work(actor, purpose="screen") as work:
        seen: Seen = await arrival_corrections.look(work, case_id)
        earlier = [one.screening for one in await store.of_case(work, case_id)]
    language = web.language_of(request)
    names = labels.needs(language)
    return web.page(
        request,
        "screening.html",
        status if errors else 200,
        case_id=case_id,
        case_code=labels.case_code,
        zone=codes.ports()[seen.kept.port].zone,
        typed={**dict.fromkeys(TEXTS, ""), "version": str(seen.kept.version)}
        | {name: value for name, value in typed.items() if value or name in ("needs", "answers")},
        errors=errors,
        groups=[
            (
                words.translate(language, labels.SCREENING_GROUPS[group]),
                group in asked.private,
                [(q.id, q.text[language]) for q in asked.questions if q.group == group],
            )
            for group in labels.SCREENING_GROUPS
        ],
        answers=labels.options(language, labels.ANSWERS),
        **({"found": None} if found is None else _why(language, asked, found)),
        had=[names[need] for need in seen.kept.needs],
        need_chips=[
            (code, names[code])
            for code in codes.needs()
            if code not in BY_OTHERS and code != "TIP" and code not in seen.kept.needs
        ],
        decisions=labels.options(language, labels.TRAFFICKING_DECISIONS),
        reasons=labels.options(language, labels.TRAFFICKING_REASONS),
        interpreters=labels.options(language, labels.INTERPRETERS),
        decided=labels.TRAFFICKING_DECISIONS,
        earlier=earlier,
    )
