"""Voyages, their lists and their counts."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.intake import policy
from services.intake.actions import manifests, voyage_corrections, voyages
from services.intake.actions.arrivals import port_of
from services.intake.actions.manifests import Preview
from services.intake.actions.totals import Said, problem_of_part
from services.intake.actions.voyage_corrections import VoyageChanged, VoyageChangedMeanwhile
from services.intake.api.keyed import once
from services.intake.api.reconciliation import LetterIn, parts_of
from services.intake.domain import sheets
from services.intake.domain.problems import CELL_PROBLEMS, Problem
from services.intake.domain.refusals.manifests import ManifestUnusable
from services.intake.domain.refusals.totals import PartTwice, PartUnknown
from services.intake.domain.sheets import Choice
from services.intake.domain.voyage_corrections import Said as VoyageSaid
from services.intake.domain.voyages import FIRST_DAY, LAST_DAY, MOST_ANNOUNCED, Counts, Modality, Voyage
from services.intake.gateways.workbooks import XLSX
from services.intake.store import arrivals as arrivals_store
from services.intake.store import voyages as store
from services.intake.store.arrivals import Line
from services.intake.store.manifests import Manifest
from shared.contracts.codes import AgeBand, NeedCode, Sex, VoyageCorrectionReason, VoyageField
from shared.contracts.fact import AwareDatetime, Id, Identifying
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.web.idempotency import first_answer
from shared.kit.work import Work

router = APIRouter(tags=["voyages"])

PortActor = Annotated[Actor, Depends(identity.require(*policy.PORT_ROLES))]
MOST_VOYAGES = 200
MOST_LINES = 500
MOST_PROBLEMS = 1000


Vessel = Annotated[str, StringConstraints(strip_whitespace=True, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")]


class VoyageIn(BaseModel):
    """A voyage as a consular letter announces it. It lands at the port of the one who announces it."""

    model_config = ConfigDict(extra="forbid")

    modality: Modality
    vessel: Vessel = ""
    announced: Annotated[int, Field(ge=0, le=MOST_ANNOUNCED, strict=True)]
    expected_at: AwareDatetime
    """Within a year from now; late entry counts as announcing."""
    letter: LetterIn | None = None
    """What the letter says besides; more letters, and minutes of handovers, are kept with `totals`."""


class VoyageCorrectionIn(BaseModel):
    """What a voyage is from now on; what is left out stays as it is.

    `version` is that of the voyage as it was looked at. An `expected_at` that changes is within a year from now.
    """

    model_config = ConfigDict(extra="forbid")

    version: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]
    expected_at: AwareDatetime | None = None
    vessel: Vessel | None = None
    modality: Modality | None = None
    reason: VoyageCorrectionReason


class CountsOut(BaseModel):
    """`listed` + `unlisted` = `arrived` + `rejected` + `waiting` + `absent`.

    `listed`: people on the name lists; `unlisted`: arrived, but on none; `rejected`: listed rows that are still held
    back; `waiting`: rows of a list that is still being recorded; `absent`: listed, called on the quay and not there.
    """

    announced: int
    listed: int
    absent: int
    unlisted: int
    rejected: int
    waiting: int
    arrived: int
    referred: int


class VoyageFactsOut(BaseModel):
    """A voyage as it is now; it is corrected on this `version`."""

    voyage_id: str
    port: str
    modality: Modality
    vessel: str
    expected_at: datetime
    version: int


class VoyageOut(VoyageFactsOut):
    counts: CountsOut


class VoyageStepOut(BaseModel):
    """One correction: `version` is the voyage's after it; of each field what it said before and says now."""

    version: int
    changed: list[VoyageField]
    was_expected_at: datetime
    expected_at: datetime
    was_vessel: str
    vessel: str
    was_modality: Modality
    modality: Modality
    reason: VoyageCorrectionReason
    corrected_by: str
    corrected_at: datetime


class NeedOut(BaseModel):
    people: int
    referred: int


class VoyageReportOut(VoyageOut, CountsOut):
    """A voyage in full; the counts stand here too."""

    needs: dict[str, NeedOut]
    corrections: list[VoyageStepOut]


class LineOut(BaseModel):
    """One arrival of a voyage, in codes. `referred`: each of its needs has become an open referral."""

    case_id: str
    manifest_row: int | None
    sex: Sex
    age_band: AgeBand
    needs: list[NeedCode]
    referred_needs: list[NeedCode]
    referred: bool
    recorded_at: datetime


class LinesOut(BaseModel):
    """`next` is the `after` of the next page; None on the last."""

    items: list[LineOut]
    next: str | None


class ProblemOut(BaseModel):
    """`value` stands in previews only: what was held back is not kept."""

    row: int
    field: str
    column: str | None = None
    value: Annotated[str, Identifying()] | None = None
    code: str
    message: str
    remedy: str
    hint: Annotated[str, Identifying()] = ""
    letter: str | None = None
    """What a spreadsheet calls the column."""


class PreviewOut(BaseModel):
    """`problems` are the first 1,000 of `problems_total`.

    `separator` and `encoding` are blank for a workbook, `worksheet` is for a text; `other_worksheets` were not read.
    `hidden_rows` and `hidden_columns` (by letter) were hidden in the workbook, and are read like the others.
    """

    listed: int
    ready: int
    held: int
    known: int
    separator: str
    encoding: str
    ignored_columns: list[str]
    problems: list[ProblemOut]
    problems_total: int
    warnings: list[ProblemOut] = []
    """What holds nobody back and is to be looked at all the same, the first 1,000."""
    worksheet: str = ""
    other_worksheets: list[str] = []
    hidden_rows: list[int] = []
    hidden_columns: list[str] = []


class ManifestOut(BaseModel):
    """`listed` = `accepted` + `rejected` + `known`; `problems` are the first 1,000 of `problems_total`."""

    manifest_id: str
    voyage_id: str
    listed: int
    accepted: int
    rejected: int
    known: int
    problems: list[ProblemOut]
    problems_total: int


@router.post("/api/voyages", status_code=201, response_model=VoyageOut, openapi_extra=web.KEYED)
async def announce_voyage(request: Request, sent: VoyageIn, actor: PortActor) -> Response:
    """Announce a voyage. Needs the header Idempotency-Key."""
    letter = None
    if sent.letter is not None:
        said = sent.letter
        letter = Said("letter", sent.announced, said.number, said.dated, said.issued_by, parts=parts_of(said.parts))

    async def act(work: Work) -> Response:
        voyage = await voyages.announce_voyage(
            work,
            modality=sent.modality,
            vessel=sent.vessel,
            announced=sent.announced,
            expected_at=sent.expected_at,
            letter=letter,
        )
        return web.json_response(_voyage(voyage, Counts(voyage.announced)), 201)

    try:
        return await once(request, actor, act, purpose="reception")
    except (PartUnknown, PartTwice) as wrong:
        problem = problem_of_part(web.language_of(request), wrong)
        raise web.Invalid([web.FieldProblem("/letter/parts", *problem)]) from None


@router.get("/api/voyages", response_model=list[VoyageOut])
async def list_voyages(
    request: Request,
    actor: PortActor,
    day: Annotated[date | None, Query(ge=FIRST_DAY, le=LAST_DAY, description="In the port's zone")] = None,
) -> Response:
    """The voyages of a day at the actor's port, today's when no day is given."""
    database: Database = request.app.state.database
    port = port_of(actor)
    zone = ZoneInfo(port.zone)
    start = datetime.combine(day or database.clock.now().astimezone(zone).date(), time(), zone)
    async with database.work(actor, purpose="look") as work:
        found = await store.expected_between(work, start, start + timedelta(days=1), limit=MOST_VOYAGES)
    return web.json_response([_voyage(s.voyage, s.counts) for s in found])


@router.get("/api/voyages/{voyage_id}", response_model=VoyageReportOut)
async def show_voyage(request: Request, voyage_id: Id, actor: PortActor) -> Response:
    """One voyage with all its counts."""
    report = await voyages.report_voyage(request.app.state.database, actor, voyage_id)
    kinds = {need: {"people": people, "referred": report.opened.get(need, 0)} for need, people in report.needs.items()}
    counts = _counts(report.counts)
    steps = [{name: getattr(step, name) for name in VoyageStepOut.model_fields} for step in report.steps]
    return web.json_response({**_voyage(report.voyage, report.counts), **counts, "needs": kinds, "corrections": steps})


@router.post(
    "/api/voyages/{voyage_id}/correction",
    response_model=VoyageFactsOut,
    summary="Correct when a voyage is expected, its ship or flight, or its kind of return",
    openapi_extra=web.KEYED,
    responses={409: {"description": "Corrected meanwhile: the answer names both values, who was first and when"}},
)
async def correct_voyage(request: Request, voyage_id: Id, sent: VoyageCorrectionIn, actor: PortActor) -> Response:
    """Who was recorded before landed when it was said then; who is recorded from now on, at the new time."""
    said = VoyageSaid(sent.expected_at, sent.vessel, sent.modality)

    async def act(work: Work) -> Response:
        after = await voyage_corrections.correct_voyage(
            work, voyage_id, version=sent.version, said=said, reason=sent.reason
        )
        return web.json_response(_facts(after))

    try:
        return await once(request, actor, act, purpose="correct")
    except VoyageChangedMeanwhile as changed:
        raise VoyageChanged(web.language_of(request), changed, lambda _, value: str(value)) from None


@router.get("/api/voyages/{voyage_id}/arrivals", response_model=LinesOut)
async def list_arrivals(
    request: Request,
    voyage_id: Id,
    actor: PortActor,
    after: Annotated[Id | None, Query(description="The case after which to go on")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_LINES)] = 100,
) -> Response:
    """Who arrived on a voyage, in the order they were recorded: each case as it is referred, without a name."""
    database: Database = request.app.state.database
    voyage = await voyages.find_voyage(database, actor, voyage_id)
    async with database.work(actor, purpose="look") as work:
        found = await arrivals_store.of_voyage(work, voyage.voyage_id, after=after, limit=limit + 1)
    return web.json_response(
        {
            "items": [_line(line) for line in found[:limit]],
            "next": found[limit - 1].case_id if len(found) > limit else None,
        }
    )


@router.post(
    "/api/voyages/{voyage_id}/manifest",
    response_model=ManifestOut,
    responses={
        200: {"description": "With ?preview=1 a preview", "model": ManifestOut | PreviewOut},
        409: {"description": "The voyage is not due yet"},
    },
    openapi_extra=web.KEYED
    | {
        "requestBody": {
            "required": True,
            "content": {
                "text/csv": {"schema": {"type": "string"}},
                "text/tab-separated-values": {"schema": {"type": "string"}},
                XLSX: {"schema": {"type": "string", "format": "binary"}},
            },
        }
    },
)
@web.body_limit(sheets.MOST_STREAMED_BYTES)
@web.takes("text/csv", "text/tab-separated-values", XLSX)
async def send_manifest(
    request: Request,
    voyage_id: Id,
    actor: PortActor,
    preview: Annotated[bool, Query()] = False,
    worksheet: Annotated[str | None, Query(max_length=31, description="Which sheet, where several are lists")] = None,
) -> Response:
    """Take in a name list (CSV, tab separated, XLSX), or with `preview=1` only say what is wrong with it.

    Taking in needs the header Idempotency-Key, looking does not. Rows with a problem are held back, all others are
    recorded as arrived: from 12 hours before the voyage is expected, not earlier. A text may have 1,000,000 rows, a
    list that is only looked at 100,000.
    Whom an earlier list of the voyage recorded with another sex, birth or document is held back (`known_differently`),
    in lists of up to 20,000 rows; who has another name and neither NIK nor document is somebody new here, not in
    `drafts`. Once the roll of the voyage is called (409 `roll_begun`), a list goes through `drafts`.
    """
    database: Database = request.app.state.database
    vault = request.app.state.vault
    voyage = await voyages.find_voyage(database, actor, voyage_id)
    choice = Choice(worksheet=worksheet)
    async with web.spooled(request) as content:
        try:
            if preview:
                most = content.read(sheets.MOST_BYTES + 1)
                looked = await manifests.preview_manifest(database, vault, voyage, most, choice)
                return web.json_response(_preview(request, looked))
            key = request.app.state.vault.kept_key(await web.key_of(request))
            digest = await web.digest_of(request, content)
            async with database.work(actor, purpose="manifest") as work:
                stored = await first_answer(work, key, digest)
            if stored is not None:
                return stored.response()
            taken = await manifests.take_in_file(database, vault, actor, voyage, content, content.digest, choice)
        except ManifestUnusable as unusable:
            raise unusable_file(request, unusable) from None
    told = await manifest_answer(request, actor, taken)

    async def answer() -> Response:
        return web.json_response(told)

    async with database.work(actor, purpose="manifest") as work:
        return await web.idempotent(request, work, key, answer, digest=digest)


async def manifest_answer(request: Request, actor: Actor, taken: Manifest) -> dict[str, Any]:
    """A list that was taken in, with the first of what was wrong in it."""
    database: Database = request.app.state.database
    problems, in_all = await manifests.list_problems(database, actor, taken.manifest_id, limit=MOST_PROBLEMS)
    return _manifest(request, taken, problems, in_all)


def unusable_file(request: Request, unusable: ManifestUnusable) -> web.Invalid:
    """The refusal of a whole file in the reader's words."""
    language = web.language_of(request)
    message = words.translate(language, unusable.message, **unusable.details)
    return web.Invalid([web.FieldProblem("/", message, words.translate(language, unusable.remedy))])


def _preview(request: Request, preview: Preview) -> dict[str, Any]:
    problems = [problem for row in preview.rows for problem in row.problems]
    warnings = [problem for row in preview.rows for problem in row.warnings][:MOST_PROBLEMS]
    return {
        "listed": len(preview.rows),
        "ready": preview.ready,
        "held": preview.held,
        "known": len(preview.known),
        "separator": preview.sheet.separator,
        "encoding": preview.sheet.encoding,
        "ignored_columns": preview.sheet.ignored,
        "problems": [_problem(request, problem) for problem in problems[:MOST_PROBLEMS]],
        "problems_total": len(problems),
        "warnings": [_problem(request, problem) for problem in warnings],
        "worksheet": preview.sheet.worksheet,
        "other_worksheets": preview.sheet.others,
        "hidden_rows": sorted(preview.sheet.hidden_rows),
        "hidden_columns": preview.sheet.hidden_letters,
    }


def _problem(request: Request, problem: Problem) -> dict[str, Any]:
    language = web.language_of(request)
    return {
        "row": problem.row,
        "field": problem.field,
        "column": problem.column,
        "value": problem.value,
        "code": problem.code,
        "message": words.translate(language, problem.message),
        "remedy": words.translate(language, problem.remedy),
        "hint": problem.hint,
        "letter": problem.letter or None,
    }


def _manifest(request: Request, taken: Manifest, problems: list[tuple[int, str, str]], in_all: int) -> dict[str, Any]:
    language = web.language_of(request)
    return {
        "manifest_id": taken.manifest_id,
        "voyage_id": taken.voyage_id,
        "listed": taken.listed,
        "accepted": taken.accepted,
        "rejected": taken.rejected,
        "known": taken.known,
        "problems": [
            {
                "row": row,
                "field": field,
                "code": code,
                "message": words.translate(language, CELL_PROBLEMS[code][0]),
                "remedy": words.translate(language, CELL_PROBLEMS[code][1]),
            }
            for row, field, code in problems
        ],
        "problems_total": in_all,
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "case_id": line.case_id,
        "manifest_row": line.manifest_row,
        "sex": line.sex,
        "age_band": line.age_band,
        "needs": line.needs,
        "referred_needs": sorted(line.opened),
        "referred": line.referred,
        "recorded_at": line.recorded_at,
    }


def _voyage(voyage: Voyage, counts: Counts) -> dict[str, Any]:
    return {**_facts(voyage), "counts": _counts(counts)}


def _facts(voyage: Voyage) -> dict[str, Any]:
    return {name: getattr(voyage, name) for name in VoyageFactsOut.model_fields}


def _counts(counts: Counts) -> dict[str, int]:
    return {
        "announced": counts.announced,
        "listed": counts.listed,
        "unlisted": counts.unlisted,
        "rejected": counts.rejected,
        "waiting": counts.waiting,
        "absent": counts.absent,
        "arrived": counts.arrived,
        "referred": counts.referred,
    }
