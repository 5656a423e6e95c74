"""Uploading a name list: choose, look, confirm. Between the steps the list travels with the form; nothing is kept."""

import base64
import binascii
import csv
import hashlib
import io
import zlib
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import FormData, UploadFile

from services.intake import policy
from services.intake.actions import manifests, voyages
from services.intake.actions.manifests import Preview
from services.intake.domain import headings
from services.intake.domain.held import reference
from services.intake.domain.manifests import Row
from services.intake.domain.refusals import ManifestUnusable
from services.intake.domain.sheets import NOTHING_CHOSEN, Choice
from services.intake.domain.voyages import Voyage
from services.intake.gateways import workbooks
from services.intake.pages import labels
from shared.contracts import codes
from shared.contracts.fact import Id
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.words import Language, msg, msg_count

router = APIRouter()

Officer = Annotated[Actor, Depends(identity.require(*policy.PORT_ROLES))]

MOST_BYTES = 4 << 20
MOST_PACKED = 1_000_000
"""Form fields hold a million characters; lists beyond that go through the API."""
ROWS_SHOWN = 500

SEPARATORS = {";": msg("semicolon"), ",": msg("comma"), "\t": msg("tab"), "|": msg("vertical bar")}

WHY_HELD = msg("Why held back")
ENCODINGS = {
    "utf-8-sig": "UTF-8",
    "cp1252": "Windows-1252",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
}


@router.get("/daftar/contoh.csv")
async def empty_list(request: Request, actor: Officer) -> Response:  # noqa: ARG001
    """An empty list with our headings, as Indonesian Excel opens it: semicolons and a byte order mark."""
    return _csv([list(headings.TEMPLATE)], "daftar-kosong.csv")


@router.get("/daftar/contoh.xlsx")
async def empty_workbook(request: Request, actor: Officer) -> Response:  # noqa: ARG001
    """An empty list with our headings as a workbook in which every column is text: no number loses a digit in it."""
    return Response(
        workbooks.workbook([headings.TEMPLATE]),
        media_type=workbooks.XLSX,
        headers={"Content-Disposition": 'attachment; filename="daftar-kosong.xlsx"'},
    )


@router.get("/pelayaran/{voyage_id}/daftar")
async def upload_page(request: Request, voyage_id: Id, actor: Officer) -> Response:
    """Choose a file, or paste a list."""
    voyage = await voyages.find_voyage(request.app.state.database, actor, voyage_id)
    return _upload_page(request, voyage, [])


@router.post("/pelayaran/{voyage_id}/daftar")
@web.body_limit(MOST_BYTES)
async def preview(request: Request, voyage_id: Id, actor: Officer) -> Response:
    """Show what would become of each row."""
    database: Database = request.app.state.database
    voyage = await voyages.find_voyage(database, actor, voyage_id)
    form = await request.form()
    file, pasted, choice = form.get("file"), form.get("pasted"), _choice(form)
    content = await file.read() if isinstance(file, UploadFile) else b""
    if not content.strip() and isinstance(pasted, str):
        content = pasted.encode("utf-8", "surrogatepass")
    try:
        looked = await manifests.preview_manifest(database, request.app.state.vault, voyage, content, choice)
        packed = pack(content)
    except ManifestUnusable as unusable:
        return _upload_page(request, voyage, [_unusable(web.language_of(request), unusable)], choice)
    held = [row for row in looked.rows if row.arrival is None]
    ready = [row for row in looked.rows if row.arrival is not None]
    return web.page(
        request,
        "preview.html",
        voyage=voyage,
        port=codes.ports()[voyage.port],
        zone=labels.zone_of(voyage),
        preview=looked,
        is_due=database.clock.now() >= voyage.due_from,
        held=held[:ROWS_SHOWN],
        ready=ready[:ROWS_SHOWN],
        ready_in_all=len(ready),
        held_in_all=len(held),
        separator=SEPARATORS.get(looked.sheet.separator),
        encoding=ENCODINGS.get(looked.sheet.encoding),
        hidden_rows=sorted(looked.sheet.hidden_rows & {row.number for row in looked.rows}),
        hidden_columns=looked.sheet.hidden_letters,
        packed=packed,
        worksheet=choice.worksheet or "",
        sexes=labels.SEXES,
        document_types=labels.DOCUMENT_TYPES,
        regencies=codes.regencies(),
        need_names=labels.needs(web.language_of(request)),
    )


@router.post("/pelayaran/{voyage_id}/daftar/kirim")
@web.body_limit(MOST_BYTES)
async def confirm(request: Request, voyage_id: Id, actor: Officer) -> Response:
    """Take the list in, then show the voyage, where the rows are being referred."""
    database: Database = request.app.state.database
    voyage = await voyages.find_voyage(database, actor, voyage_id)
    try:
        form = await request.form()
        content = unpack(str(form.get("content", "")))
        vault = request.app.state.vault
        taken = await manifests.take_in_manifest(database, vault, actor, voyage, content, _choice(form))
    except ManifestUnusable as unusable:
        return _upload_page(request, voyage, [_unusable(web.language_of(request), unusable)])
    return web.redirect(
        request,
        f"/pelayaran/{voyage_id}",
        said=msg_count("%(n)s person was recorded.", "%(n)s people were recorded."),
        n=taken.accepted or 0,
    )


@router.post("/pelayaran/{voyage_id}/daftar/tertahan.csv")
@web.body_limit(MOST_BYTES)
async def held_rows(request: Request, voyage_id: Id, actor: Officer) -> Response:
    """The rows that are held back, with what names each and why: to be corrected in this file and sent again."""
    database: Database = request.app.state.database
    voyage = await voyages.find_voyage(database, actor, voyage_id)
    language = web.language_of(request)
    try:
        form = await request.form()
        content = unpack(str(form.get("content", "")))
        looked = await manifests.preview_manifest(database, request.app.state.vault, voyage, content, _choice(form))
    except ManifestUnusable as unusable:
        return _upload_page(request, voyage, [_unusable(language, unusable)])
    return _csv(_held_lines(language, looked, hashlib.sha256(content).digest()), "baris-tertahan.csv")


def pack(content: bytes) -> str:
    """A file as text that a form field carries unharmed. Raises `ManifestUnusable` when that is too much."""
    packed = base64.urlsafe_b64encode(zlib.compress(content, 6)).decode()
    if len(packed) > MOST_PACKED:
        raise ManifestUnusable("too_large_for_form")
    return packed


def unpack(packed: str) -> bytes:
    """What `pack` packed. Raises `ManifestUnusable` for anything else."""
    try:
        opened = zlib.decompressobj()
        content = opened.decompress(base64.urlsafe_b64decode(packed), MOST_BYTES)
    except (binascii.Error, zlib.error, ValueError):
        raise ManifestUnusable("encoding") from None
    if opened.unconsumed_tail or not opened.eof:
        raise ManifestUnusable("too_large_for_form")
    return content


def _choice(form: FormData) -> Choice:
    """Which sheet of a workbook somebody named."""
    return Choice(worksheet=str(form.get("worksheet", "")).strip() or None)


def _upload_page(
    request: Request, voyage: Voyage, errors: list[web.FieldProblem], choice: Choice = NOTHING_CHOSEN
) -> Response:
    return web.page(
        request,
        "upload.html",
        422 if errors else 200,
        voyage=voyage,
        port=codes.ports()[voyage.port],
        zone=labels.zone_of(voyage),
        errors=errors,
        worksheet=choice.worksheet or "",
    )


ABOUT_THE_WORKSHEET = ("several_lists", "list_hidden", "worksheet_unknown")


def _unusable(language: Language, unusable: ManifestUnusable) -> web.FieldProblem:
    return web.FieldProblem(
        "worksheet" if unusable.code in ABOUT_THE_WORKSHEET else "file",
        words.translate(language, unusable.message, **unusable.details),
        words.translate(language, unusable.remedy),
    )


def _held_lines(language: Language, looked: Preview, file_digest: bytes) -> list[list[str]]:
    """Heading and held rows. What an earlier such file had added is left out: a row is named anew in each list."""
    sheet = looked.sheet
    added = {words.translate(one, WHY_HELD) for one in words.LANGUAGES}
    ours = [n for n, text in enumerate(sheet.heading) if n == sheet.fields.get("held_row") or text.strip() in added]
    lines = [["held_row", *_without(ours, sheet.heading), words.translate(language, WHY_HELD)]]
    for row in looked.rows:
        if row.arrival is None:
            record = sheet.records[row.number - sheet.first_row]
            named = reference(file_digest, row.number)
            lines.append([named, *map(_disarmed, _without(ours, record)), _said(language, row)])
    return lines


def _without(columns: Sequence[int], cells: Sequence[str]) -> list[str]:
    return [cell for n, cell in enumerate(cells) if n not in columns]


def _said(language: Language, row: Row) -> str:
    said: list[str] = []
    for problem in row.problems:
        sentences = words.translate(language, problem.message), words.translate(language, problem.remedy)
        said += (f"{problem.column}:", *sentences) if problem.column else sentences
    return " ".join(said)


def _disarmed(cell: str) -> str:
    """A cell that no spreadsheet will run."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t") and len(cell) > 1 else cell


def _csv(lines: Sequence[Sequence[str]], name: str) -> Response:
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows(lines)
    return Response(
        text.getvalue().encode("utf-8-sig"),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
