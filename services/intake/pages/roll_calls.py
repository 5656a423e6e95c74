"""The roll on the quay: everybody in big rows, one press for who is here, a reason for who is not."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.datastructures import FormData

from services.intake import policy
from services.intake.actions import arrival_corrections, drafts, roll_calls, roll_files, voyages
from services.intake.actions.arrival_corrections import ArrivalChanged, ChangedMeanwhile
from services.intake.actions.giving_back import FileForm
from services.intake.actions.roll_calls import Entry
from services.intake.actions.roll_files import Told
from services.intake.domain.refusals.roll_calls import RollMoved, RowCalled
from services.intake.domain.roll_calls import INITIALS, OF_RECORDED, REASONS, Mark, Reason, begins_with
from services.intake.domain.voyages import Voyage
from services.intake.pages import history, labels
from services.intake.pages.keyed import once_prepared
from shared.contracts.fact import Id
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.words import Language, msg
from shared.kit.work import Work

router = APIRouter()

PortActor = Annotated[Actor, Depends(identity.require(*policy.PORT_ROLES))]
Officer = Annotated[Actor, Depends(identity.require("port_officer"))]
Shown = Literal["belum", "hadir", "tidak"]
MARKS: dict[Shown, Mark] = {"belum": "open", "hadir": "here", "tidak": "absent"}
TABS: dict[Shown, str] = {"belum": msg("Not called"), "hadir": msg("Here"), "tidak": msg("Absent")}
MARK_WORDS: dict[Mark, str] = {MARKS[shown]: TABS[shown] for shown in TABS}
FILE_HEADING = (
    msg("List"), msg("Row"), msg("Name"), msg("Sex"), msg("Age group"), msg("Called as"), msg("Why not here"),
    msg("Comes with this voyage"), msg("Called by"), msg("Called at"), msg("Case"),
)  # fmt: skip
ROWS_PER_PAGE = 50
CALLED = {"here": msg("Called as here."), "absent": msg("Called as absent."), "open": msg("The call was taken back.")}


@router.get("/pelayaran/{voyage_id}/absen")
@web.reads_people
async def roll_page(
    request: Request,
    voyage_id: Id,
    actor: PortActor,
    tampil: Annotated[Shown, Query()] = "belum",
    huruf: Annotated[str, Query(max_length=INITIALS)] = "",
    mulai: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> Response:
    """Who is left to be called, who is here, who is absent; on the trail before it is shown."""
    return await _roll_page(request, actor, voyage_id, shown=tampil, letters=huruf.strip(), start=mulai)


@router.get("/pelayaran/{voyage_id}/absen/unduh")
@web.reads_people
async def take_roll_away(
    request: Request, voyage_id: Id, actor: PortActor, bentuk: Annotated[FileForm, Query()] = "xlsx"
) -> Response:
    """The roll as a file, in the reader's words; on the trail first."""
    language = web.language_of(request)
    file = await roll_files.take_roll_away(
        *(request.app.state.database, request.app.state.vault, actor, voyage_id),
        form=bentuk,
        heading=[words.translate(language, head) for head in FILE_HEADING],
        tell=partial(_line, language),
    )
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return Response(file.content, media_type=file.media_type, headers=headers)


def _line(language: Language, voyage: Voyage, told: Told) -> list[str]:
    one, call = told.entry, told.entry.call
    return [
        labels.case_code(one.draft_id) if one.draft_id else "",
        str(one.row or ""),
        one.name,
        words.translate(language, labels.SEXES[one.sex]) if one.sex else "",
        words.translate(language, labels.AGE_BANDS[one.age_band]) if one.age_band else "",
        words.translate(language, MARK_WORDS[one.mark]),
        words.translate(language, labels.ABSENCES[one.reason]) if one.reason else "",
        labels.voyage_name(language, told.following) if told.following else "",
        call.by if call else "",
        words.moment(language, call.at, labels.zone_of(voyage)) if call and call.at else "",
        labels.case_code(one.case_id) if one.case_id else "",
    ]


@router.get("/pelayaran/{voyage_id}/absen/sisa")
async def rest_page(request: Request, voyage_id: Id, actor: PortActor) -> Response:
    """How many are left, before all of them are called as here."""
    return await _rest_page(request, actor, voyage_id)


@router.post("/pelayaran/{voyage_id}/absen/sisa")
async def call_rest(request: Request, voyage_id: Id, actor: PortActor) -> Response:
    """Call everybody who is left as here."""
    database: Database = request.app.state.database
    left = _number(await request.form(), "left")
    try:
        async with database.work(actor, purpose="manifest") as work:

            async def act() -> Response:
                await roll_calls.call_the_rest(work, request.app.state.vault, voyage_id, left=left)
                return web.redirect(request, f"/pelayaran/{voyage_id}/absen", said=CALLED["here"])

            return await web.idempotent(request, work, await web.key_of(request), act)
    except RollMoved as moved:
        return await _rest_page(request, actor, voyage_id, moved=moved)


@router.post("/draf/{draft_id}/absen/{row}")
async def call(request: Request, draft_id: Id, row: int, actor: PortActor) -> Response:
    """Call somebody as here, as absent with a reason, or take the call back."""
    form = await request.form()
    mark = str(form.get("mark", ""))
    reason, following = str(form.get("reason", "")) or None, str(form.get("next", "")) or None
    language = web.language_of(request)
    draft = await drafts.find_draft(request.app.state.database, actor, draft_id)
    if mark not in CALLED or (mark == "absent" and reason not in REASONS):
        return await _absence_page(request, actor, draft_id, row, errors=[_no_reason(language)], status=422)
    if mark != "absent" or reason != "rolled_over":
        following = None
    back = f"/pelayaran/{draft.voyage_id}/absen?tampil={_shown(form)}&huruf={_letters(form)}"

    async def prepare() -> Callable[[Work], Awaitable[Response]]:
        write = await roll_calls.prepare_call(
            *(request.app.state.database, request.app.state.vault, actor, draft_id, row),
            version=_number(form, "version"),
            mark=cast(Mark, mark),
            reason=cast(Reason, reason) if mark == "absent" else None,
            next_voyage_id=following,
        )

        async def answer(work: Work) -> Response:
            await write(work)
            return web.redirect(request, back, said=CALLED[mark])

        return answer

    try:
        return await once_prepared(request, actor, prepare, tries=roll_calls.TRIES)
    except RowCalled as called:
        return await _roll_page(request, actor, draft.voyage_id, shown="belum", called=called, status=409)


@router.get("/draf/{draft_id}/absen/{row}")
@web.reads_people
async def absence_page(request: Request, draft_id: Id, row: int, actor: PortActor) -> Response:
    """Why somebody of a list is not there."""
    return await _absence_page(request, actor, draft_id, row)


@router.get("/tidak-hadir/{case_id}")
async def recorded_page(request: Request, case_id: Id, actor: Officer) -> Response:
    """Why somebody who is recorded was not there."""
    return await _recorded_page(request, actor, case_id)


@router.post("/tidak-hadir/{case_id}")
async def not_there(request: Request, case_id: Id, actor: Officer) -> Response:
    """Enter an arrival in error whose person was not there."""
    form = await request.form()
    reason = str(form.get("reason", ""))
    language = web.language_of(request)
    if reason not in OF_RECORDED:
        return await _recorded_page(request, actor, case_id, errors=[_no_reason(language)], status=422)
    following = str(form.get("next", "")) or None
    database: Database = request.app.state.database
    try:
        async with database.work(actor, purpose="correct") as work:

            async def act() -> Response:
                absent = await roll_calls.record_absence(
                    *(work, case_id),
                    version=_number(form, "version"),
                    reason=reason,
                    next_voyage_id=following if reason == "rolled_over" else None,
                )
                return web.redirect(request, f"/pelayaran/{absent.voyage_id}/absen?tampil=tidak", said=CALLED["absent"])

            return await web.idempotent(request, work, await web.key_of(request), act)
    except ChangedMeanwhile as changed:
        conflict = ArrivalChanged(language, changed, lambda kind, code: history.say(language, kind, code))
        problem = web.FieldProblem("reason", conflict.detail)
        return await _recorded_page(request, actor, case_id, errors=[problem], status=409)


async def _roll_page(
    request: Request,
    actor: Actor,
    voyage_id: str,
    *,
    shown: Shown,
    letters: str = "",
    start: int = 0,
    called: RowCalled | None = None,
    status: int = 200,
) -> Response:
    database: Database = request.app.state.database
    sheet = await roll_calls.read_roll(database, request.app.state.vault, actor, voyage_id, form="page")
    language = web.language_of(request)
    wanted = [one for one in sheet.entries if one.mark == MARKS[shown] and begins_with(one.name, letters)]
    counts: dict[Shown, int] = {"belum": sheet.left, "hadir": sheet.here, "tidak": sheet.absent}
    link = f"/pelayaran/{voyage_id}/absen?tampil={shown}&huruf={letters}"
    return web.page(
        request,
        "roll_call.html",
        status,
        voyage=sheet.voyage,
        zone=labels.zone_of(sheet.voyage),
        sheet=sheet,
        entries=wanted[start : start + ROWS_PER_PAGE],
        recorded=sheet.counts.arrived - sum(one.standing == "known" and one.mark == "here" for one in sheet.entries),
        shown=shown,
        letters=letters,
        tabs=[(TABS[name], name, counts[name]) for name in TABS],
        next_page=f"{link}&mulai={start + ROWS_PER_PAGE}" if len(wanted) > start + ROWS_PER_PAGE else "",
        previous_page=f"{link}&mulai={max(0, start - ROWS_PER_PAGE)}" if start else "",
        called=called and _conflict(language, called),
        deaths=sum(one.reason == "died_on_the_way" for one in sheet.entries),
        waiting=sum(one.reason == "rolled_over" and one.mark == "absent" and _waits(one) for one in sheet.entries),
        sexes=labels.SEXES,
        age_bands=labels.AGE_BANDS,
        reasons=labels.ABSENCES,
        case_code=labels.case_code,
        may_correct=policy.may_correct_arrivals(actor),
    )


async def _rest_page(request: Request, actor: Actor, voyage_id: str, *, moved: RollMoved | None = None) -> Response:
    database: Database = request.app.state.database
    sheet = await roll_calls.read_roll(database, request.app.state.vault, actor, voyage_id, form="page")
    problem = [web.FieldProblem("left", words.translate(web.language_of(request), moved.detail))] if moved else []
    return web.page(
        request,
        "roll_rest.html",
        409 if moved else 200,
        voyage=sheet.voyage,
        zone=labels.zone_of(sheet.voyage),
        sheet=sheet,
        errors=problem,
    )


async def _absence_page(
    request: Request,
    actor: Actor,
    draft_id: str,
    row: int,
    *,
    errors: list[web.FieldProblem] | None = None,
    status: int = 200,
) -> Response:
    database: Database = request.app.state.database
    draft = await drafts.find_draft(database, actor, draft_id)
    voyage = await voyages.find_voyage(database, actor, draft.voyage_id)
    entry = await roll_calls.read_entry(database, request.app.state.vault, actor, draft_id, row, form="page")
    return await _reasons_page(
        *(request, actor, voyage),
        action=f"/draf/{draft_id}/absen/{row}",
        version=entry.version,
        name=entry.name or labels.case_code(draft_id),
        given=entry.reason or "",
        following=(entry.call and entry.call.next_voyage_id) or "",
        reasons=REASONS,
        errors=errors,
        status=status,
    )


async def _recorded_page(
    request: Request,
    actor: Actor,
    case_id: str,
    *,
    errors: list[web.FieldProblem] | None = None,
    status: int = 200,
) -> Response:
    database: Database = request.app.state.database
    async with database.work(actor, purpose="look") as work:
        kept = (await arrival_corrections.look(work, case_id)).kept
        voyage_id = await roll_calls.expect_listed(work, case_id)
    voyage = await voyages.find_voyage(database, actor, voyage_id)
    return await _reasons_page(
        *(request, actor, voyage),
        action=f"/tidak-hadir/{case_id}",
        version=kept.version,
        name=labels.case_code(case_id),
        given="",
        following="",
        reasons=OF_RECORDED,
        errors=errors,
        status=status,
        recorded=True,
    )


async def _reasons_page(
    request: Request,
    actor: Actor,
    voyage: Voyage,
    *,
    reasons: tuple[str, ...],
    errors: list[web.FieldProblem] | None,
    status: int,
    recorded: bool = False,
    **said: Any,
) -> Response:
    database: Database = request.app.state.database
    language = web.language_of(request)
    async with database.work(actor, purpose="look") as work:
        following = await roll_calls.list_next(work, voyage.voyage_id)
    return web.page(
        request,
        "absence.html",
        status,
        voyage=voyage,
        zone=labels.zone_of(voyage),
        options=[(code, words.translate(language, labels.ABSENCES[code])) for code in reasons],
        voyages=[(one.voyage_id, labels.voyage_name(language, one)) for one in following],
        errors=errors or [],
        recorded=recorded,
        **said,
    )


def _waits(entry: Entry) -> bool:
    return entry.call is not None and entry.call.waits


def _conflict(language: Language, called: RowCalled) -> dict[str, Any]:
    theirs = called.theirs
    reason = labels.ABSENCES.get(theirs.reason or "")
    return {
        "by": theirs.by or "–",
        "theirs": words.translate(language, reason or CALLED[theirs.mark]),
        "yours": words.translate(language, labels.ABSENCES.get(called.yours.reason or "") or CALLED[called.yours.mark]),
    }


def _no_reason(language: Language) -> web.FieldProblem:
    return web.FieldProblem(
        "reason",
        words.translate(language, msg("The reason is missing.")),
        words.translate(language, msg("Choose one.")),
    )


def _shown(form: FormData) -> str:
    said = str(form.get("shown", ""))
    return said if said in TABS else "belum"


def _letters(form: FormData) -> str:
    said = str(form.get("letters", ""))[:INITIALS]
    return said if said.isalnum() else ""


def _number(form: FormData, name: str) -> int:
    said = str(form.get(name, ""))
    return int(said) if said.isdecimal() and len(said) < 10 else -1
