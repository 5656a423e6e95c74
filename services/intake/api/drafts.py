"""Lists that are kept until they are done with: uploaded, looked at, mended, sent in part, discarded."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.intake import policy
from services.intake.actions import drafts, giving_back, sending, voyages
from services.intake.actions.drafts import Sight, Write
from services.intake.actions.giving_back import XLSX, FileForm, RowsOf
from services.intake.actions.opening import FileOpened, open_file
from services.intake.api.voyages import ManifestOut, manifest_answer, unusable_file
from services.intake.domain import headings
from services.intake.domain.drafts import (
    LONGEST_CELL,
    LONGEST_SENDER,
    STANDINGS,
    WHOLE_ROW,
    Draft,
    Finding,
    Line,
    Standing,
    first_values,
    legible,
)
from services.intake.domain.grids import letter
from services.intake.domain.headings import Asked
from services.intake.domain.refusals.drafts import DraftChanged, DraftMoved, LineChanged
from services.intake.domain.refusals.manifests import ManifestUnusable
from services.intake.domain.retention import BY_CODE
from services.intake.domain.sheets import MOST_BYTES, MOST_COLUMNS
from shared.contracts.fact import Id, Identifying
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.words import msg
from shared.kit.work import Work

router = APIRouter(tags=["lists"])

PortActor = Annotated[Actor, Depends(identity.require(*policy.PORT_ROLES))]
Sender = Annotated[
    str,
    Query(max_length=LONGEST_SENDER, description="Who sends such lists: a mission, an organisation; never a person"),
]
Row = Annotated[int, Path(ge=1, le=10_000_000, description="Its number in the file")]
Version = Annotated[int, Field(ge=1, le=2**31 - 1, strict=True, examples=[4])]
KINDS = ("text/csv", "text/tab-separated-values", XLSX)
FILE = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string"}, "example": "Nama;L/P;Umur\nBala;L;30\n"},
            "text/tab-separated-values": {"schema": {"type": "string"}, "example": "Nama\tL/P\tUmur\nBala\tL\t30\n"},
            XLSX: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
MOST_LINES = 500


class CountsOut(BaseModel):
    """`lines` = `ready` + `mend` + `twice` + `known` + `empty` + `left_out` + `absent`.

    `mend`: a cell has to be mended; `twice`: possibly somebody who is there already; `known`: recorded;
    `absent`: called on the quay and not there.
    """

    lines: int = Field(examples=[300])
    ready: int = Field(examples=[297])
    mend: int = Field(examples=[2])
    twice: int = Field(examples=[1])
    known: int = Field(examples=[0])
    empty: int = Field(examples=[0])
    left_out: int = Field(examples=[0])
    absent: int = Field(examples=[0])


class DraftOut(BaseModel):
    """A list that was uploaded. Once `state` is `sent`, `discarded`, `expired` or `erased` its rows are gone."""

    draft_id: str
    voyage_id: str
    state: Literal["open", "sending", "sent", "discarded", "expired", "erased"]
    form: Literal["csv", "xlsx", "paste"]
    upload: int = Field(examples=[1])
    version: int = Field(examples=[4])
    counts: CountsOut
    owner: str = Field(examples=["rina"])
    created_at: datetime
    changed_by: str = Field(examples=["sari"])
    changed_at: datetime
    asks: list[Asked] = Field([], examples=[["birth_date"]])
    """What somebody has to say of its columns first (`/columns`): which row holds the headings, which of two columns it
    is, which column has that field. Until then no row is read, and all count as `mend`."""
    expires_at: datetime | None
    """When its rows go if nobody touches it before; null once they are gone."""


class ProblemOut(BaseModel):
    """What is wrong in a row: with a cell, or with the row where `column` is null."""

    field: str = Field(examples=["birth_date"])
    column: int | None = Field(examples=[3])
    code: str = Field(examples=["date_two_digit_year"])
    message: str
    remedy: str
    hint: Annotated[str, Identifying()] = Field("", examples=["5/8/1987"])


class EditOut(BaseModel):
    """One cell as it was and as somebody made it; null for a cell that was not there, or is no more."""

    column: int = Field(examples=[3])
    was: Annotated[str | None, Identifying()] = Field(examples=["5/8/87"])
    now: Annotated[str | None, Identifying()] = Field(examples=["5/8/1987"])
    by: str = Field(examples=["sari"])
    at: datetime


class LineOut(BaseModel):
    """A row as it stands now, cells as they are written. Whoever changes it says which `version` they saw."""

    row: int = Field(examples=[12])
    version: int = Field(examples=[0])
    standing: Standing
    cells: Annotated[list[str], Identifying()] = Field(examples=[["12", "Bala", "L", "5/8/87"]])
    problems: list[ProblemOut]
    warnings: list[ProblemOut]
    edits: list[EditOut]


class DifferencesOut(BaseModel):
    """What the last upload changed: rows that are the same, and the numbers of the others; `gone` of those before."""

    same: int
    new: list[int]
    changed: list[int]
    gone: list[int]


class ColumnOut(BaseModel):
    """A column of which somebody has to say what it is: what it is taken for by now (or null), and its first values."""

    column: int = Field(examples=[2])
    letter: str = Field(examples=["C"])
    heading: Annotated[str, Identifying()] = Field(examples=["Kel."])
    field: str | None = Field(examples=["sex"])
    values: Annotated[list[str], Identifying()] = Field(examples=[["L", "P", "L"]])


class SightOut(BaseModel):
    """Some rows of a draft. `next` is the `after` of the next page; null on the last."""

    draft: DraftOut
    heading: Annotated[list[str], Identifying()] = Field(examples=[["No", "Nama", "L/P", "Tgl Lahir"]])
    columns: dict[str, int] = Field(examples=[{"seq": 0, "full_name": 1, "sex": 2, "birth_date": 3}])
    encoding: str = Field(examples=["utf-8-sig"])
    separator: str = Field(examples=[";"])
    worksheet: Annotated[str, Identifying()]
    sender: Annotated[str, Identifying()]
    differences: DifferencesOut | None
    choose: list[ColumnOut] = []
    """All columns, while somebody has to say what they are: `draft.asks` says what is missing."""
    fields: list[str] = Field([], examples=[["full_name", "sex", "birth_date"]])
    """What a column may be, while that is asked."""
    items: list[LineOut]
    in_all: int
    next: int | None


class CellsIn(BaseModel):
    """What cells of a row are to say, by column (from 0); or that the row is left out, or taken in again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Annotated[int, Field(ge=0, le=2**31 - 1, strict=True, examples=[0])]
    cells: Annotated[
        dict[
            Annotated[int, Field(ge=0, lt=MOST_COLUMNS)],
            Annotated[str, StringConstraints(max_length=LONGEST_CELL)],
        ],
        Identifying(),
    ] = Field({}, examples=[{"3": "5/8/1987"}])
    left_out: bool | None = Field(None, examples=[None])


class ColumnsIn(BaseModel):
    """What columns (from 0) mean: the name of a field, or "" for a column that is not read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: dict[Annotated[int, Field(ge=0, lt=MOST_COLUMNS)], Annotated[str, StringConstraints(max_length=40)]] = (
        Field(examples=[{"4": "origin_village", "5": ""}])
    )
    no_birth_dates: Annotated[bool, Field(strict=True)] = False
    """The list has neither birth dates nor ages: all on it count as of unknown age, and are treated as children."""
    heading_row: Annotated[int, Field(ge=0, le=10_000_000, strict=True)] | None = Field(None, examples=[None])
    """Where `asks` has `heading`: the number of the row that holds the headings, 0 where none does."""


class SendIn(BaseModel):
    """The version that was looked at: what was changed since is not sent unseen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Version


class SentOut(BaseModel):
    """The draft after it was sent, and the list as which it was taken in."""

    draft: DraftOut
    manifest: ManifestOut


class RowConflictOut(BaseModel):
    """Somebody else has changed the row. `theirs` and `yours` are by column what stands and what was sent."""

    code: Literal["row_changed"]
    title: str
    detail: str
    by: str = Field(examples=["sari"])
    at: datetime
    version: int = Field(examples=[1])
    theirs: Annotated[dict[str, str], Identifying()] = Field(examples=[{"3": "5/8/1987"}])
    yours: Annotated[dict[str, str], Identifying()] = Field(examples=[{"3": "8/5/1987"}])


@router.post(
    "/api/voyages/{voyage_id}/drafts",
    status_code=201,
    response_model=DraftOut,
    summary="Upload a list to be looked at, mended and sent",
    openapi_extra=web.KEYED | FILE,
)
@web.body_limit(MOST_BYTES)
@web.takes(*KINDS)
async def upload(
    request: Request,
    voyage_id: Id,
    actor: PortActor,
    sender: Sender = "",
    worksheet: Annotated[str | None, Query(max_length=100)] = None,
    heading_row: Annotated[int | None, Query(ge=1, le=1000)] = None,
) -> Response:
    """Keep a list (CSV, a workbook, pasted rows) sealed until it is done with. Needs the header Idempotency-Key.

    The very same file again is the draft that it is. Nobody is recorded before it is sent.
    """
    database: Database = request.app.state.database
    voyage = await voyages.find_voyage(database, actor, voyage_id)

    async def prepare() -> Write:
        file = await _opened(request, actor, sender, worksheet, heading_row)
        return await drafts.prepare_draft(database, request.app.state.vault, actor, voyage, file)

    return await _written(request, actor, prepare, status=201)


@router.get("/api/drafts", response_model=list[DraftOut], summary="Lists of the port that are not done with")
async def list_drafts(
    request: Request,
    actor: PortActor,
    voyage_id: Annotated[Id | None, Query(description="Of this voyage alone")] = None,
) -> Response:
    """The latest touched first, in counts: where to go on after a lost connection, or where a colleague stopped."""
    found = await drafts.list_drafts(request.app.state.database, actor, voyage_id=voyage_id)
    return web.json_response([draft_out(one) for one in found])


@router.get("/api/drafts/{draft_id}", response_model=SightOut, summary="Rows of a list that is not done with")
@web.reads_people
async def show_draft(
    request: Request,
    draft_id: Id,
    actor: PortActor,
    standing: Annotated[list[Standing] | None, Query(description="Rows that stand so alone")] = None,
    after: Annotated[int, Query(ge=-1, le=10_000_000)] = -1,
    limit: Annotated[int, Query(ge=1, le=MOST_LINES)] = 100,
) -> Response:
    """Rows with what is wrong in each cell. The reading is on the trail before the answer leaves."""
    sight = await drafts.read_draft(
        request.app.state.database,
        request.app.state.vault,
        actor,
        draft_id,
        standings=standing or STANDINGS,
        after=after,
        limit=limit,
        form="json",
    )
    return web.json_response(_sight(request, sight))


@router.post(
    "/api/drafts/{draft_id}/rows/{row}",
    response_model=DraftOut,
    responses={409: {"description": "Somebody else has changed the row, or it is recorded", "model": RowConflictOut}},
    summary="Mend cells of a row, or leave it out",
    openapi_extra=web.KEYED,
)
async def mend_row(request: Request, draft_id: Id, row: Row, sent: CellsIn, actor: PortActor) -> Response:
    """Change cells of one row, or leave it out of what is sent. Needs the header Idempotency-Key.

    With another version than the row's the answer is 409 with both values, who changed it and when.
    """
    database: Database = request.app.state.database
    vault = request.app.state.vault

    async def prepare() -> Write:
        return await drafts.prepare_cells(
            *(database, vault, actor, draft_id, row), version=sent.version, cells=sent.cells, out=sent.left_out
        )

    try:
        return await _written(request, actor, prepare)
    except LineChanged as changed:
        await drafts.note_reading(database, actor, draft_id, form="json", rows=1)
        return _conflict(request, changed)


@router.post(
    "/api/drafts/{draft_id}/columns",
    response_model=DraftOut,
    summary="Say what columns mean",
    openapi_extra=web.KEYED,
)
async def map_columns(request: Request, draft_id: Id, sent: ColumnsIn, actor: PortActor) -> Response:
    """Say what columns mean, for this list and the sender's next ones. Needs the header Idempotency-Key.

    A list of which that is not known is kept all the same: `asks` says what is missing, and this answers it.
    """

    async def prepare() -> Write:
        return await drafts.prepare_columns(
            *(request.app.state.database, request.app.state.vault, actor, draft_id),
            columns=sent.columns,
            heading_row=sent.heading_row,
            no_birth_dates=sent.no_birth_dates,
        )

    return await _written(request, actor, prepare)


@router.post(
    "/api/drafts/{draft_id}/uploads",
    response_model=DraftOut,
    summary="Upload a corrected file in the place of the one before",
    openapi_extra=web.KEYED | FILE,
)
@web.body_limit(MOST_BYTES)
@web.takes(*KINDS)
async def upload_again(
    request: Request,
    draft_id: Id,
    actor: PortActor,
    worksheet: Annotated[str | None, Query(max_length=100)] = None,
    heading_row: Annotated[int | None, Query(ge=1, le=1000)] = None,
) -> Response:
    """What is the same keeps what was mended in it; what is new, changed or gone is said. Needs Idempotency-Key."""
    database: Database = request.app.state.database

    async def prepare() -> Write:
        file = await _opened(request, actor, "", worksheet, heading_row)
        return await drafts.prepare_file(database, request.app.state.vault, actor, draft_id, file)

    return await _written(request, actor, prepare)


@router.post(
    "/api/drafts/{draft_id}/sendings",
    response_model=SentOut,
    responses={409: {"description": "It was changed since, nothing is ready, or the voyage is not due"}},
    summary="Record what is ready, hold back the rest",
    openapi_extra=web.KEYED,
)
async def send(request: Request, draft_id: Id, sent: SendIn, actor: PortActor) -> Response:
    """Record every row that is ready; what is not stays here to be mended. Needs the header Idempotency-Key.

    Interrupted, it is sent again and goes on: each row is recorded once.
    """
    database: Database = request.app.state.database
    vault = request.app.state.vault

    async def prepare() -> Callable[[Work], Awaitable[Response]]:
        try:
            done = await sending.send_draft(database, vault, actor, draft_id, version=sent.version)
        except DraftChanged as changed:
            raise changed_since(request, changed) from None
        body = {"draft": draft_out(done.draft), "manifest": await manifest_answer(request, actor, done.manifest)}

        async def answer(_: Work) -> Response:
            return web.json_response(body)

        return answer

    return await _keyed(request, actor, prepare)


@router.post(
    "/api/drafts/{draft_id}/discard",
    response_model=DraftOut,
    summary="Discard a list",
    openapi_extra=web.KEYED,
)
async def discard(request: Request, draft_id: Id, actor: PortActor) -> Response:
    """Destroy what an uploaded list says. Who of it was recorded stays recorded. Needs the header Idempotency-Key."""
    database: Database = request.app.state.database
    key = request.app.state.vault.kept_key(await web.key_of(request))
    async with database.work(actor, purpose="manifest") as work:

        async def act() -> Response:
            return web.json_response(draft_out(await drafts.discard_draft(work, draft_id)))

        return await web.idempotent(request, work, key, act)


@router.get(
    "/api/drafts/{draft_id}/file",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}, XLSX: {}}}},
    summary="Take rows of a list away",
)
@web.reads_people
async def take_away(
    request: Request,
    draft_id: Id,
    actor: PortActor,
    form: Annotated[FileForm, Query()] = "csv",
    rows: Annotated[RowsOf, Query()] = "held",
) -> Response:
    """Rows as a file: those held back with their problems, to be mended and uploaded again; all; or all as uploaded.

    What a spreadsheet would run goes out as text. On the trail before the answer leaves.
    """
    file = await giving_back.take_away(
        request.app.state.database,
        request.app.state.vault,
        actor,
        draft_id,
        form=form,
        rows=rows,
        language=web.language_of(request),
    )
    return Response(
        file.content,
        media_type=file.media_type,
        headers={"Content-Disposition": f'attachment; filename="{file.name}"'},
    )


def draft_out(draft: Draft) -> dict[str, Any]:
    """A draft in codes and counts."""
    counts = {name: getattr(draft, name) for name in CountsOut.model_fields}
    rest = set(DraftOut.model_fields) - {"counts", "expires_at"}
    ends = draft.changed_at + BY_CODE["drafts"].after if draft.is_under_way else None
    return {**{name: getattr(draft, name) for name in sorted(rest)}, "counts": counts, "expires_at": ends}


def changed_since(request: Request, changed: DraftChanged) -> web.Invalid:
    """The refusal of what was not looked at, with who changed it and when."""
    told = msg("%(who)s changed this list at %(time)s. Look at it again, then send it.")
    language = web.language_of(request)
    time = words.moment(language, changed.at, "Asia/Jakarta")
    return ChangedSince([], words.translate(language, told, who=changed.by, time=time))


class ChangedSince(web.Invalid):
    """Somebody has changed the list since it was looked at."""

    status = 409
    code = "list_changed"
    title = msg("This list was changed meanwhile")


async def _opened(
    request: Request, actor: Actor, sender: str, worksheet: str | None, heading_row: int | None
) -> FileOpened:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return await open_file(
        request.app.state.database,
        request.app.state.vault,
        actor,
        await request.body(),
        pasted=kind == "text/tab-separated-values",
        sender=sender,
        worksheet=worksheet,
        heading_row=heading_row,
    )


async def _written(
    request: Request, actor: Actor, prepare: Callable[[], Awaitable[Write]], *, status: int = 200
) -> Response:
    async def prepared() -> Callable[[Work], Awaitable[Response]]:
        write = await prepare()

        async def answer(work: Work) -> Response:
            return web.json_response(draft_out(await write(work)), status)

        return answer

    return await _keyed(request, actor, prepared)


async def _keyed(
    request: Request, actor: Actor, prepare: Callable[[], Awaitable[Callable[[Work], Awaitable[Response]]]]
) -> Response:
    vault = request.app.state.vault
    try:
        return await web.idempotent_after(
            request,
            request.app.state.database,
            actor,
            purpose="manifest",
            key=vault.kept_key(await web.key_of(request)),
            # Under a key: what is kept to know a repeated write must not tell the names that are in it.
            digest=vault.digest_of(await web.digest_of(request)),
            prepare=prepare,
            again=DraftMoved,
        )
    except ManifestUnusable as unusable:
        raise unusable_file(request, unusable) from None


def _conflict(request: Request, changed: LineChanged) -> Response:
    language = web.language_of(request)
    body = {
        "code": "row_changed",
        "title": words.translate(language, msg("Somebody else has changed this row")),
        "detail": words.translate(language, str(changed)),
        "by": changed.by,
        "at": changed.at,
        "version": changed.version,
        "theirs": _by_column(changed.theirs),
        "yours": _by_column(changed.yours),
    }
    return web.json_response(body, 409)


def _by_column(cells: Mapping[int, str]) -> dict[str, str]:
    return {str(column): legible(said) for column, said in cells.items()}


def _sight(request: Request, sight: Sight) -> dict[str, Any]:
    header = sight.header
    return {
        "draft": draft_out(sight.draft),
        "heading": [*map(legible, header.heading)],
        "columns": dict(header.fields),
        "encoding": header.encoding,
        "separator": header.separator,
        "worksheet": header.worksheet,
        "sender": header.sender,
        "differences": header.differences,
        "choose": _choose(sight) if header.asks else [],
        "fields": sorted(headings.KNOWN) if header.asks else [],
        "items": [_line(request, line, header.fields) for line in sight.lines],
        "in_all": sight.in_all,
        "next": sight.after,
    }


def _choose(sight: Sight) -> list[dict[str, Any]]:
    field_of = {column: field for field, column in sight.header.fields.items()}
    return [
        {
            "column": n,
            "letter": letter(n),
            "heading": legible(heading),
            "field": field_of.get(n),
            "values": first_values(sight.lines, n),
        }
        for n, heading in enumerate(sight.header.heading)
    ]


def _line(request: Request, line: Line, fields: Mapping[str, int]) -> dict[str, Any]:
    return {
        "row": line.number,
        "version": line.version,
        "standing": line.standing,
        "cells": [*map(legible, line.cells)],
        "problems": [_problem(request, one, fields) for one in line.findings],
        "warnings": [_problem(request, one, fields) for one in line.warnings],
        "edits": [
            {**edit._asdict(), "was": edit.was and legible(edit.was), "now": edit.now and legible(edit.now)}
            for edit in line.edits
            if edit.column != WHOLE_ROW
        ],
    }


def _problem(request: Request, one: Finding, fields: Mapping[str, int]) -> dict[str, Any]:
    language = web.language_of(request)
    return {
        "field": one.field,
        "column": fields.get(one.field),
        "code": one.code,
        "message": words.translate(language, one.message),
        "remedy": words.translate(language, one.remedy),
        "hint": one.hint,
    }
