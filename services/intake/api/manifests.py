"""A name list in one step: looked at, or taken in and nothing of it kept but what was recorded and held back."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from services.intake import policy
from services.intake.actions import manifests, voyages
from services.intake.actions.manifests import Preview
from services.intake.domain import sheets
from services.intake.domain.problems import CELL_PROBLEMS, Problem
from services.intake.domain.refusals.manifests import ManifestUnusable
from services.intake.domain.sheets import Choice
from services.intake.gateways.workbooks import XLSX
from services.intake.store.manifests import Manifest
from shared.contracts.fact import Id, Identifying
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.web.idempotency import first_answer

router = APIRouter(tags=["voyages"])

PortActor = Annotated[Actor, Depends(identity.require(*policy.PORT_ROLES))]
MOST_PROBLEMS = 1000


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
