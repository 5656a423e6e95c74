"""Uploading a name list: choose a file or paste rows. What comes after is the list's own page."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import UploadFile

from services.intake import policy
from services.intake.actions import drafts, spreadsheets, voyages
from services.intake.domain import headings
from services.intake.domain.drafts import LONGEST_SENDER
from services.intake.domain.refusals.manifests import ManifestUnusable
from services.intake.domain.voyages import Voyage
from services.intake.gateways import workbooks
from services.intake.pages import labels
from services.intake.pages.listwords import MOST_BYTES, unusable_file
from services.intake.pages.mending import keep_upload
from shared.contracts import codes
from shared.contracts.fact import Id
from shared.kit import identity, web
from shared.kit.actor import Actor
from shared.kit.database import Database

router = APIRouter()

Officer = Annotated[Actor, Depends(identity.require(*policy.PORT_ROLES))]


@router.get("/daftar/contoh.csv")
async def empty_list(request: Request, actor: Officer) -> Response:  # noqa: ARG001
    """An empty list with our headings, as Indonesian Excel opens it: semicolons and a byte order mark."""
    return _file(spreadsheets.as_csv([headings.TEMPLATE]), "text/csv; charset=utf-8", "daftar-kosong.csv")


@router.get("/daftar/contoh.xlsx")
async def empty_workbook(request: Request, actor: Officer) -> Response:  # noqa: ARG001
    """An empty list with our headings as a workbook in which every column is text: no number loses a digit in it."""
    return _file(workbooks.workbook([headings.TEMPLATE]), workbooks.XLSX, "daftar-kosong.xlsx")


@router.get("/pelayaran/{voyage_id}/daftar")
async def upload_page(request: Request, voyage_id: Id, actor: Officer) -> Response:
    """Choose a file, or paste a list; or go on with one that is not done with."""
    voyage = await voyages.find_voyage(request.app.state.database, actor, voyage_id)
    return await _upload_page(request, actor, voyage, {}, [])


@router.post("/pelayaran/{voyage_id}/daftar")
@web.body_limit(MOST_BYTES)
async def upload(request: Request, voyage_id: Id, actor: Officer) -> Response:
    """Keep the list, sealed, and go on to look at it."""
    database: Database = request.app.state.database
    voyage = await voyages.find_voyage(database, actor, voyage_id)
    form = await request.form()
    file, pasted = form.get("file"), form.get("pasted")
    content = await file.read() if isinstance(file, UploadFile) else b""
    name = (file.filename or "") if isinstance(file, UploadFile) and content.strip() else ""
    if not content.strip() and isinstance(pasted, str):
        content = pasted.encode("utf-8", "surrogatepass")
    try:
        return await keep_upload(request, actor, voyage, content, form=form, pasted=not name, name=name)
    except ManifestUnusable as unusable:
        typed = {one: str(form.get(one, "")) for one in ("pasted", "worksheet", "sender")}
        return await _upload_page(request, actor, voyage, typed, [unusable_file(web.language_of(request), unusable)])


async def _upload_page(
    request: Request, actor: Actor, voyage: Voyage, typed: dict[str, str], errors: list[web.FieldProblem]
) -> Response:
    return web.page(
        request,
        "upload.html",
        422 if errors else 200,
        voyage=voyage,
        port=codes.ports()[voyage.port],
        zone=labels.zone_of(voyage),
        under_way=await drafts.list_drafts(request.app.state.database, actor, voyage_id=voyage.voyage_id),
        typed=typed,
        longest_sender=LONGEST_SENDER,
        errors=errors,
    )


def _file(content: bytes, kind: str, name: str) -> Response:
    return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
