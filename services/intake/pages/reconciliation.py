"""The counts of a voyage side by side: what was announced, handed over, counted, listed and recorded."""

import re
from datetime import date
from typing import Annotated, Any, NamedTuple, cast

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.datastructures import FormData

from services.intake import policy
from services.intake.actions import reconciliation, totals
from services.intake.actions.reconciliation import Moved
from services.intake.actions.totals import Said, problem_of_part
from services.intake.domain.problems import CELL_PROBLEMS
from services.intake.domain.reconciliation import PAIRS, Candidate, Pair, Reason, Reconciliation
from services.intake.domain.refusals.reconciliation import DifferenceMoved
from services.intake.domain.refusals.totals import PartTwice, PartUnknown, TotalsUnknown
from services.intake.domain.sheets import shown
from services.intake.domain.totals import (
    GROUPS,
    LONGEST,
    MOST_PARTS,
    OTHER,
    UNKNOWN,
    Dimension,
    Kind,
    Part,
    Totals,
    WithdrawReason,
)
from services.intake.domain.voyages import MOST_ANNOUNCED
from services.intake.pages import labels
from services.intake.store import differences as store
from shared.contracts import codes
from shared.contracts.fact import Id
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.ids import is_id
from shared.kit.words import Language, msg

router = APIRouter()

Officer = Annotated[Actor, Depends(identity.require(*policy.PORT_ROLES))]

PER_PAGE = 50
HEADS = re.compile(r"[0-9]{1,7}")
SIGNED = re.compile(r"[+-]?[0-9]{1,7}")
NUMBERED = re.compile(r"(.{1,80}?)[\s:;=\t]+([0-9]{1,3}(?:\.[0-9]{3})+|[0-9]{1,7})")
"""A line of a breakdown: words, then a number."""


@router.get("/pelayaran/{voyage_id}/angka")
async def reconciliation_page(request: Request, voyage_id: Id, actor: Officer) -> Response:
    """All counts, their differences, and what may be the reason."""
    return await _page(request, actor, voyage_id)


@router.post("/pelayaran/{voyage_id}/angka")
async def record(request: Request, voyage_id: Id, actor: Officer) -> Response:
    """Keep what a letter, minutes or a count says; a correction takes the place of what was kept before."""
    form = await request.form()
    language = web.language_of(request)
    said, errors = _read_totals(language, form)
    replaces = str(form.get("replaces", "")) or None
    if replaces is not None and not is_id(replaces):
        raise TotalsUnknown
    database: Database = request.app.state.database
    if said is not None:
        try:
            async with database.work(actor, purpose="reconcile") as work:

                async def act() -> Response:
                    await totals.record_totals(work, voyage_id, said, replaces=replaces)
                    return web.redirect(request, f"/pelayaran/{voyage_id}/angka", said=msg("The head count is kept."))

                return await web.idempotent(request, work, await web.key_of(request), act)
        except (PartUnknown, PartTwice) as wrong:
            errors = [web.FieldProblem("parts", *problem_of_part(language, wrong))]
    return await _page(request, actor, voyage_id, typed={**form, **typed_paper(form)}, errors=errors)


@router.post("/angka/{source_id}/cabut")
async def withdraw(request: Request, source_id: Id, actor: Officer) -> Response:
    """Let a head count count no more."""
    form = await request.form()
    reason: WithdrawReason = "replaced" if form.get("reason") == "replaced" else "entered_in_error"
    database: Database = request.app.state.database
    async with database.work(actor, purpose="reconcile") as work:

        async def act() -> Response:
            withdrawn = await totals.withdraw_totals(work, source_id, reason=reason)
            back = f"/pelayaran/{withdrawn.voyage_id}/angka"
            return web.redirect(request, back, said=msg("The head count counts no more."))

        return await web.idempotent(request, work, await web.key_of(request), act)


@router.post("/pelayaran/{voyage_id}/selisih")
async def say_difference(request: Request, voyage_id: Id, actor: Officer) -> Response:
    """Explain a part of a difference, or look after it until the reason is known."""
    form = await request.form()
    language = web.language_of(request)
    pair, heads, reason = str(form.get("pair", "")), str(form.get("heads", "")).strip(), str(form.get("reason", ""))
    errors = []
    if pair not in PAIRS:
        errors.append(_problem(language, "pair", msg("It is not said between which counts."), msg("Choose one.")))
    if not SIGNED.fullmatch(heads) or not int(heads) or abs(int(heads)) > MOST_ANNOUNCED:
        remedy = msg("Write how many, with a minus where they are missing.")
        errors.append(_problem(language, "heads", msg("This is no difference."), remedy))
    if reason and reason not in labels.DIFFERENCE_REASONS:
        errors.append(_problem(language, "reason", msg("The reason is missing."), msg("Choose one.")))
    if errors:
        return await _page(request, actor, voyage_id, typed={**form, **typed_paper(form)}, errors=errors)
    database: Database = request.app.state.database
    async with database.work(actor, purpose="reconcile") as work:

        async def act() -> Response:
            count = cast(Pair, pair), int(heads)
            if reason:
                await reconciliation.explain_difference(
                    work, voyage_id, pair=count[0], heads=count[1], reason=cast(Reason, reason)
                )
            else:
                await reconciliation.open_difference(work, voyage_id, pair=count[0], heads=count[1])
            return web.redirect(request, f"/pelayaran/{voyage_id}/angka", said=msg("The difference is kept."))

        return await web.idempotent(request, work, await web.key_of(request), act)


@router.post("/selisih/{difference_id}")
async def change_difference(request: Request, difference_id: Id, actor: Officer) -> Response:
    """Settle a difference, or take it over."""
    form = await request.form()
    reason, version = str(form.get("reason", "")), str(form.get("version", ""))
    seen = int(version) if HEADS.fullmatch(version) else 0
    database: Database = request.app.state.database
    try:
        async with database.work(actor, purpose="reconcile") as work:

            async def act() -> Response:
                if reason in labels.DIFFERENCE_REASONS:
                    changed = await reconciliation.settle_difference(
                        work, difference_id, version=seen, reason=cast(Reason, reason)
                    )
                    said = msg("The difference has its reason.")
                else:
                    changed = await reconciliation.take_difference(work, difference_id, version=seen)
                    said = msg("You look after this difference now.")
                return web.redirect(request, f"/pelayaran/{changed.voyage_id}/angka", said=said)

            return await web.idempotent(request, work, await web.key_of(request), act)
    except DifferenceMoved as moved:
        raise Moved(web.language_of(request), moved) from None


@router.get("/selisih")
async def differences_page(request: Request, actor: Officer, setelah: Annotated[Id | None, Query()] = None) -> Response:
    """Differences that are open at the port, the oldest first; `setelah` pages on."""
    database: Database = request.app.state.database
    port = codes.ports()[policy.own_port(actor)]
    async with database.work(actor, purpose="look") as work:
        found = list(await store.list_open(work, after=setelah, limit=PER_PAGE + 1))
    return web.page(
        request,
        "differences.html",
        port=port,
        found=found[:PER_PAGE],
        next_after=found[PER_PAGE - 1][0].difference_id if len(found) > PER_PAGE else "",
        pairs=labels.PAIRS,
    )


async def _page(
    request: Request,
    actor: Actor,
    voyage_id: str,
    *,
    typed: dict[str, Any] | None = None,
    errors: list[web.FieldProblem] | None = None,
) -> Response:
    state = request.app.state
    language = web.language_of(request)
    found = await reconciliation.reconcile_voyage(state.database, state.vault, actor, voyage_id)
    return web.page(
        request,
        "reconciliation.html",
        422 if errors else 200,
        voyage=found.voyage,
        port=codes.ports()[found.voyage.port],
        found=found,
        figures=_figures(language, found),
        sections=_sections(language, found),
        heading=_heading(language, found),
        rolled=_rolled(language, found),
        pairs=labels.PAIRS,
        pair_options=labels.options(language, labels.PAIRS),
        candidates=[_candidate(language, one) for one in found.candidates],
        reasons=labels.DIFFERENCE_REASONS,
        reason_options=labels.options(language, labels.DIFFERENCE_REASONS),
        kinds=labels.SOURCE_KINDS,
        kind_options=labels.options(language, labels.SOURCE_KINDS),
        standing=[(one.source_id, _source(language, one)) for one in found.sources if one.stands],
        withdrawals=labels.options(language, labels.WITHDRAWALS),
        withdrawn=labels.WITHDRAWALS,
        groups=labels.options(language, labels.GROUPS),
        typed=typed or {},
        errors=errors or [],
    )


def _figures(language: Language, found: Reconciliation) -> list[tuple[str, str]]:
    def number(value: int | None) -> str:
        return "–" if value is None else words.number(language, value)

    return [
        (words.translate(language, msg("Announced")), number(found.announced)),
        (words.translate(language, msg("Handed over abroad")), number(found.handed)),
        (words.translate(language, msg("Counted on the quay")), number(found.counted)),
        (words.translate(language, msg("Listed")), number(found.counts.listed)),
        (words.translate(language, msg("Arrived")), number(found.counts.arrived)),
    ]


def _heading(language: Language, found: Reconciliation) -> list[str]:
    """By letters, by minutes, counted, arrived, who of these came over, and by how many that differs."""
    came_over = [msg("Came over")] if found.came_over else []
    heads = [msg("Announced"), msg("Handed over"), msg("Counted"), msg("Arrived"), *came_over, msg("Difference")]
    return [words.translate(language, head) for head in heads]


def _rolled(language: Language, found: Reconciliation) -> list[tuple[str, list[list[str]]]]:
    """Who came over from earlier voyages, and who went over to later ones, voyage by voyage."""
    both = (
        (msg("Came over from earlier voyages"), found.came_over),
        (msg("Went over to later voyages"), found.went_over),
    )
    return [
        (
            words.translate(language, title),
            [
                [labels.voyage_name(language, one.voyage), *(words.number(language, n) for n in heads)]
                for one in rolled
                if (heads := (one.carried, one.listed, one.arrived))
            ],
        )
        for title, rolled in both
        if rolled
    ]


def _sections(language: Language, found: Reconciliation) -> list[tuple[str, list[list[str]]]]:
    """Tables of lines by dimension, each with the columns of `_heading` behind its value."""
    sections = []
    for dimension, title in labels.DIMENSIONS.items():
        rows = [
            [
                _value(language, dimension, line.value),
                *("–" if said is None else words.number(language, said) for said in (line.announced, line.handed)),
                "–" if line.counted is None else words.number(language, line.counted),
                words.number(language, line.arrived),
                *([words.number(language, line.came_over)] if found.came_over else []),
                "–" if line.differs is None else f"{line.differs:+d}" if line.differs else "0",
            ]
            for line in found.lines
            if line.dimension == dimension
        ]
        if rows:
            sections.append((words.translate(language, title), rows))
    return sections


def _value(language: Language, dimension: str, value: str) -> str:
    if value == UNKNOWN:
        return words.translate(language, msg("not known"))
    if dimension == "group":
        return words.translate(language, labels.GROUPS[value])
    if (dimension, value) == ("origin", OTHER):
        return words.translate(language, msg("other provinces"))
    if dimension == "origin":
        return codes.provinces()[value].name
    return value


def _source(language: Language, one: Totals) -> str:
    kind = words.translate(language, labels.SOURCE_KINDS[one.kind])
    return f"{' '.join(filter(None, (kind, one.number, one.depot)))}: {words.number(language, one.heads)}"


def _candidate(language: Language, one: Candidate) -> tuple[str, str]:
    about = labels.voyage_name(language, one.voyage) if one.voyage else one.about or "–"
    if one.code == "called_absent":
        about = words.translate(language, labels.ABSENCES[one.about])
    told = words.translate(language, labels.CANDIDATES[one.code], about=about)
    return f"{one.heads:+d}", told


class Paper(NamedTuple):
    """What a letter or minutes say of themselves, as far as it was typed."""

    number: str
    dated: date | None
    issued_by: str


def read_paper(language: Language, form: FormData) -> tuple[Paper, list[web.FieldProblem]]:
    """The paper of a form with `number`, `dated` and `issued_by`, and what is wrong with it."""
    errors: list[web.FieldProblem] = []
    dated, is_date = _date(form)
    if not is_date:
        errors.append(_problem(language, "dated", msg("This is not a day."), msg("For example 23 11 2026.")))
    paper = Paper(read_text(language, form, "number", errors), dated, read_text(language, form, "issued_by", errors))
    return paper, errors


def typed_paper(form: FormData) -> dict[str, Any]:
    """The same as it was typed, to be shown again."""
    typed: dict[str, Any] = {name: str(form.get(name, "")) for name in ("number", "issued_by")}
    return typed | {"dated": {part: str(form.get(f"dated_{part}", "")) for part in ("day", "month", "year")}}


def read_text(language: Language, form: FormData, name: str, errors: list[web.FieldProblem]) -> str:
    """A few words on one line; what is wrong with them is added to `errors`."""
    value = " ".join(str(form.get(name, "")).split())
    if len(value) > LONGEST:
        errors.append(_problem(language, name, msg("This is too long."), msg("Use at most 80 characters.")))
    elif not value.isprintable():
        errors.append(_problem(language, name, *CELL_PROBLEMS["odd_characters"]))
    return value


def _read_totals(language: Language, form: FormData) -> tuple[Said | None, list[web.FieldProblem]]:
    """What the form says of a paper or a count, or what is wrong with it."""
    paper, errors = read_paper(language, form)
    depot = read_text(language, form, "depot", errors)
    kind = str(form.get("kind", ""))
    if kind not in labels.SOURCE_KINDS:
        errors.append(_problem(language, "kind", msg("It is not said what it is."), msg("Choose one.")))
    heads = _heads(str(form.get("heads_said", "")))
    if heads is None:
        remedy = msg("Write a whole number, like 107.")
        errors.append(_problem(language, "heads_said", msg("This is not a head count."), remedy))
    parts: list[Part] = []
    for group in GROUPS:
        typed = str(form.get(f"group_{group}", "")).strip()
        count = _heads(typed)
        if typed and count is None:
            remedy = msg("Write a whole number, like 107.")
            named = words.translate(language, labels.GROUPS[group])
            problem = f"{named}: {words.translate(language, msg('This is not a head count.'))}"
            errors.append(web.FieldProblem(f"group_{group}", problem, words.translate(language, remedy)))
        elif count is not None and typed:
            parts.append(Part("group", group, count))
    for field, dimension in (("depots", "depot"), ("reasons", "reason")):
        found, bad = _breakdown(str(form.get(field, "")), cast(Dimension, dimension))
        parts += found
        if bad:
            said = msg("A number is missing in the line “%(line)s”.")
            remedy = msg("Write a name and a number on each line, like DTI Tawau 92.")
            errors.append(
                web.FieldProblem(
                    field, words.translate(language, said, line=shown(bad, LONGEST)), words.translate(language, remedy)
                )
            )
    if len(parts) > MOST_PARTS:
        errors.append(_problem(language, "depots", msg("These are too many lines."), msg("Keep at most 100.")))
    if errors or heads is None:
        return None, errors
    return Said(cast(Kind, kind), heads, *paper, depot=depot, parts=parts), []


def _heads(typed: str) -> int | None:
    digits = typed.strip().replace(".", "")
    return int(digits) if HEADS.fullmatch(digits) and int(digits) <= MOST_ANNOUNCED else None


def _date(form: FormData) -> tuple[date | None, bool]:
    """The day of the paper, and whether what was typed is one; nothing typed is none."""
    day, month, year = (str(form.get(f"dated_{part}", "")).strip() for part in ("day", "month", "year"))
    if not day and not month and not year:
        return None, True
    try:
        return date(int(year), words.month_number(month) or 0, int(day)), True
    except (ValueError, OverflowError):
        return None, False


def _breakdown(typed: str, dimension: Dimension) -> tuple[list[Part], str]:
    """The parts of lines like `DTI Tawau 92`, and the first line that is none."""
    parts: list[Part] = []
    for line in filter(None, (" ".join(line.split()) for line in typed.splitlines())):
        found = NUMBERED.fullmatch(line)
        heads = _heads(found[2]) if found else None
        if found is None or heads is None:
            return parts, line
        parts.append(Part(dimension, found[1].strip(" :;="), heads))
    return parts, ""


def _problem(language: Language, field: str, message: str, remedy: str) -> web.FieldProblem:
    return web.FieldProblem(field, words.translate(language, message), words.translate(language, remedy))
