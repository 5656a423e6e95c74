"""What is done with a list: uploaded, mended in place, its columns named, uploaded again, sent, discarded."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import FormData, UploadFile

from services.intake import policy
from services.intake.actions import drafts, mending, sending, uploading
from services.intake.actions.drafts import Write
from services.intake.actions.opening import open_file
from services.intake.domain.drafts import Draft
from services.intake.domain.refusals.drafts import DraftChanged, LineChanged
from services.intake.domain.refusals.manifests import ManifestUnusable
from services.intake.domain.voyages import Voyage
from services.intake.pages.draft_columns import UNDECIDED, problem_of_columns
from services.intake.pages.drafts import TABS, show_draft
from services.intake.pages.keyed import once_prepared
from services.intake.pages.listwords import MOST_BYTES, unusable_file
from shared.contracts.fact import Id
from shared.kit import identity, web
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.words import msg, msg_count
from shared.kit.work import Work

router = APIRouter()

Officer = Annotated[Actor, Depends(identity.require(*policy.PORT_ROLES))]
RECORDED = msg_count("%(n)s person was recorded.", "%(n)s people were recorded.")
PATIENCE_S = 2.0
"""So long a page waits for a list that is being sent; then it shows how far it is."""


@router.post("/draf/{draft_id}/baris/{row}")
async def mend(request: Request, draft_id: Id, row: int, actor: Officer) -> Response:
    """Save cells of a row, or leave it out, and show what is to be mended next."""
    database: Database = request.app.state.database
    form = await request.form()
    cells, version, out = _cells(form), _number(form, "version"), {"1": True, "0": False}.get(_text(form, "out"))

    async def prepare() -> Write:
        return await mending.prepare_cells(
            *(database, request.app.state.vault, actor, draft_id, row),
            version=version,
            cells=None if out is not None else cells,
            out=out,
        )

    shown, after = _text(form, "shown"), _number(form, "after")
    back = f"/draf/{draft_id}?dari={row}"
    if shown in TABS:
        back += f"&tampil={shown}&setelah={after}"
    try:
        return await _written(request, actor, prepare, back, said=msg("The row is saved."))
    except LineChanged as changed:
        return await show_draft(request, actor, draft_id, row=row, changed=changed, status=409)


@router.post("/draf/{draft_id}/kolom")
async def map_columns(request: Request, draft_id: Id, actor: Officer) -> Response:
    """Say what columns mean, for this list and the sender's next ones."""
    form = await request.form()
    said = {
        int(name[1:]): str(value)
        for name, value in form.items()
        if name[:1] == "k" and name[1:].isdecimal() and len(name) < 5
    }
    columns = {column: field for column, field in said.items() if field != UNDECIDED}
    row, version = _number(form, "heading_row"), _number(form, "version")

    async def prepare() -> Write:
        return await mending.prepare_columns(
            *(request.app.state.database, request.app.state.vault, actor, draft_id),
            columns=columns,
            heading_row=row if row >= 0 else None,
            no_birth_dates=bool(_text(form, "no_birth_dates")),
            version=version if version >= 0 else None,
        )

    try:
        return await _written(request, actor, prepare, f"/draf/{draft_id}", said=msg("The columns are read anew."))
    except DraftChanged as changed:
        return await show_draft(request, actor, draft_id, moved=changed, status=409)
    except ManifestUnusable as unusable:
        typed = {"columns": said, "heading_row": row, "no_birth_dates": bool(_text(form, "no_birth_dates"))}
        problem = problem_of_columns(request, unusable)
        return await show_draft(request, actor, draft_id, errors=[problem], typed=typed, status=422)


@router.post("/draf/{draft_id}/berkas")
@web.body_limit(MOST_BYTES)
async def upload_again(request: Request, draft_id: Id, actor: Officer) -> Response:
    """Put a corrected file in the place of the one before, and say what is different."""
    database: Database = request.app.state.database
    form = await request.form()
    file = form.get("file")
    content = await file.read() if isinstance(file, UploadFile) else b""
    name = (file.filename or "") if isinstance(file, UploadFile) else ""
    version = _number(form, "version")

    async def prepare() -> Write:
        opened = await open_file(database, request.app.state.vault, actor, content, name=name)
        return await uploading.prepare_file(
            *(database, request.app.state.vault, actor, draft_id, opened), version=version if version >= 0 else None
        )

    try:
        return await _written(request, actor, prepare, f"/draf/{draft_id}", said=msg("The corrected list is there."))
    except DraftChanged as changed:
        return await show_draft(request, actor, draft_id, moved=changed, status=409)
    except ManifestUnusable as unusable:
        problem = unusable_file(web.language_of(request), unusable)
        return await show_draft(request, actor, draft_id, errors=[problem], status=422)


@router.post("/draf/{draft_id}/kirim")
async def send(request: Request, draft_id: Id, actor: Officer) -> Response:
    """Record what is ready; a long list goes on by itself while the page shows how far it is."""
    database: Database = request.app.state.database
    version = _number(await request.form(), "version")
    runs: sending.Runs = request.app.state.sendings

    async def prepare() -> Callable[[Work], Awaitable[Response]]:
        task = runs.send(database, request.app.state.vault, actor, draft_id, version=version)
        await asyncio.wait({task}, timeout=PATIENCE_S)
        gone = web.redirect(request, f"/draf/{draft_id}")
        if task.done():
            sent = task.result()
            gone = web.redirect(
                request, f"/pelayaran/{sent.draft.voyage_id}", said=RECORDED, n=sent.manifest.accepted or 0
            )

        async def answer(_: Work) -> Response:
            return gone

        return answer

    try:
        return await once_prepared(request, actor, prepare)
    except DraftChanged as changed:
        return await show_draft(request, actor, draft_id, moved=changed, status=409)


@router.post("/draf/{draft_id}/buang")
async def discard(request: Request, draft_id: Id, actor: Officer) -> Response:
    """Destroy what the list says, unless somebody has changed it since."""
    database: Database = request.app.state.database
    version = _number(await request.form(), "version")
    try:
        async with database.work(actor, purpose="manifest") as work:

            async def act() -> Response:
                draft = await drafts.discard_draft(work, draft_id, version=version if version >= 0 else None)
                return web.redirect(request, f"/pelayaran/{draft.voyage_id}", said=msg("The list was discarded."))

            return await web.idempotent(request, work, await web.key_of(request), act)
    except DraftChanged as changed:
        return await show_draft(request, actor, draft_id, moved=changed, status=409)


async def keep_upload(
    request: Request, actor: Actor, voyage: Voyage, content: bytes, *, form: FormData, pasted: bool, name: str
) -> Response:
    """Keep an uploaded list and go on to look at it. Raises `ManifestUnusable`."""
    database: Database = request.app.state.database
    vault = request.app.state.vault
    kept: list[Draft] = []

    async def prepare() -> Write:
        opened = await open_file(
            *(database, vault, actor, content),
            pasted=pasted,
            name=name,
            sender=_text(form, "sender"),
            worksheet=_text(form, "worksheet") or None,
        )
        write = await uploading.prepare_draft(database, vault, actor, voyage, opened)

        async def and_know(work: Work) -> Draft:
            kept[:] = [await write(work)]
            return kept[0]

        return and_know

    return await _written(request, actor, prepare, lambda: f"/draf/{kept[0].draft_id}")


async def _written(
    request: Request,
    actor: Actor,
    prepare: Callable[[], Awaitable[Write]],
    back: str | Callable[[], str],
    *,
    said: str = "",
) -> Response:
    async def prepared() -> Callable[[Work], Awaitable[Response]]:
        write = await prepare()

        async def answer(work: Work) -> Response:
            await write(work)
            return web.redirect(request, back if isinstance(back, str) else back(), said=said)

        return answer

    return await once_prepared(request, actor, prepared)


def _cells(form: FormData) -> dict[int, str]:
    """What the form says of cells, by column."""
    found: dict[int, str] = {}
    for name, value in form.items():
        column = name.rpartition("_")[2]
        if name[:1] == "c" and column.isdecimal() and len(column) < 4 and isinstance(value, str):
            found[int(column)] = value.replace("\r\n", "\n")
    return found


def _text(form: Mapping[str, Any], name: str) -> str:
    value = form.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def _number(form: FormData, name: str) -> int:
    said = _text(form, name)
    return int(said) if said.isdecimal() and len(said) < 10 else -1
