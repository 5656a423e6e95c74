"""What a list says that is not done with: its rows and columns looked at, mended, taken away."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.intake.actions import drafts, giving_back, mending
from services.intake.actions.drafts import Sight, Write
from services.intake.actions.giving_back import XLSX, FileForm, RowsOf
from services.intake.api.drafts import DraftOut, PortActor, Seen, draft_out, written
from services.intake.domain import headings
from services.intake.domain.drafts import (
    LONGEST_CELL,
    STANDINGS,
    WHOLE_ROW,
    Finding,
    Line,
    Standing,
    first_values,
    legible,
)
from services.intake.domain.grids import letter
from services.intake.domain.refusals.drafts import LineChanged
from services.intake.domain.sheets import MOST_COLUMNS
from shared.contracts.fact import Id, Identifying
from shared.kit import web, words
from shared.kit.database import Database
from shared.kit.words import msg

router = APIRouter(tags=["lists"])

Row = Annotated[int, Path(ge=1, le=10_000_000, description="Its number in the file")]
MOST_LINES = 500


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
    """What the last upload changed: rows that are the same, and the numbers of the others; `gone` of those before.

    `recorded`: rows that a file of mended rows changes, whose people are recorded: they stay as they are.
    """

    same: int
    new: list[int]
    changed: list[int]
    gone: list[int]
    recorded: list[int] = []


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
    version: Seen = None
    """The version of the list that was looked at: then the answer is 409 once somebody has changed it since."""


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
        return await mending.prepare_cells(
            *(database, vault, actor, draft_id, row), version=sent.version, cells=sent.cells, out=sent.left_out
        )

    try:
        return await written(request, actor, prepare)
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
        return await mending.prepare_columns(
            *(request.app.state.database, request.app.state.vault, actor, draft_id),
            columns=sent.columns,
            heading_row=sent.heading_row,
            no_birth_dates=sent.no_birth_dates,
            version=sent.version,
        )

    return await written(request, actor, prepare)


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
