"""A list that was uploaded: look, mend in place, send what is ready; found again after a lost connection."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.datastructures import FormData, UploadFile

from services.intake import policy
from services.intake.actions import drafts, giving_back, roll_calls, sending, voyages
from services.intake.actions.drafts import Write
from services.intake.actions.giving_back import FileForm, RowsOf
from services.intake.actions.opening import open_file
from services.intake.domain import headings
from services.intake.domain.drafts import Draft, Header, Line, Standing, first_values, legible, list_digest
from services.intake.domain.grids import letter
from services.intake.domain.refusals.drafts import DraftChanged, DraftMoved, LineChanged
from services.intake.domain.refusals.manifests import ManifestUnusable
from services.intake.domain.refusals.voyages import VoyageUnknown
from services.intake.domain.sheets import HEADING_WITHIN
from services.intake.domain.voyages import Voyage
from services.intake.pages import labels
from services.intake.pages.listwords import ENCODINGS, MOST_BYTES, SEPARATORS, unusable_file
from services.intake.store import manifests as lists
from shared.contracts import codes
from shared.contracts.fact import Id
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.words import msg, msg_count
from shared.kit.work import Work

router = APIRouter()

Officer = Annotated[Actor, Depends(identity.require(*policy.PORT_ROLES))]
Shown = Literal["perbaiki", "ganda", "siap", "tercatat", "tidak", "kosong"]
STANDINGS: dict[Shown, tuple[Standing, ...]] = {
    "perbaiki": ("mend",),
    "ganda": ("twice",),
    "siap": ("ready",),
    "tercatat": ("known",),
    "tidak": ("absent",),
    "kosong": ("empty", "left_out"),
}
TABS: dict[Shown, str] = {
    "perbaiki": msg("To mend"),
    "ganda": msg("Possibly twice"),
    "siap": msg("Ready"),
    "tercatat": msg("Recorded"),
    "tidak": msg("Absent"),
    "kosong": msg("Left out or blank"),
}
RECORDED = msg_count("%(n)s person was recorded.", "%(n)s people were recorded.")
ROWS_PER_PAGE = 50
OVERVIEW = ("full_name", "sex", "birth_date", "birthplace_and_date", "age", "document_number", "nik", "origin_regency")
"""Fields whose columns are shown in a table of rows; the row's own form has all."""
PATIENCE_S = 2.0
"""So long a page waits for a list that is being sent; then it shows how far it is."""
MOST_NUMBERS = 40
UNDECIDED = "?"
"""Instead of a field, for one of two columns that claim the same."""
ROW_CELLS = " · "
ASKED: dict[headings.Asked, str] = {
    "heading": msg("No row was recognised as the one with the headings. Say which it is, or that there is none."),
    "doubled": msg("Two columns have headings that mean the same. Say what each of them is."),
    "full_name": msg("No column was recognised as the one with the names."),
    "sex": msg("No column was recognised as the one with the sex."),
    "birth_date": msg("No column was recognised as the one with birth dates or ages."),
}
"""What is said to somebody who has to say what the columns of a list are."""


@router.get("/draf")
async def drafts_page(request: Request, actor: Officer) -> Response:
    """The lists of the port that are not done with: where to go on, or where a colleague stopped."""
    database: Database = request.app.state.database
    found = await drafts.list_drafts(database, actor)
    named: dict[str, Voyage] = {}
    for voyage_id in {one.voyage_id for one in found}:
        try:
            named[voyage_id] = await voyages.find_voyage(database, actor, voyage_id)
        except VoyageUnknown:
            continue
    return web.page(request, "drafts.html", drafts=found, voyages=named, zone=_zone(actor))


@router.get("/draf/{draft_id}")
@web.reads_people
async def draft_page(
    request: Request,
    draft_id: Id,
    actor: Officer,
    tampil: Annotated[Shown | None, Query()] = None,
    setelah: Annotated[int, Query(ge=-1, le=10_000_000)] = -1,
    baris: Annotated[int | None, Query(ge=1, le=10_000_000)] = None,
) -> Response:
    """What is to be mended first; any row with all its cells by `baris`. Each reading is on the trail."""
    return await _draft_page(request, actor, draft_id, tampil=tampil, after=setelah, row=baris)


@router.get("/draf/{draft_id}/jalannya")
async def draft_progress(request: Request, draft_id: Id, actor: Officer) -> Response:
    """How far a list is that is being sent: counts alone."""
    database: Database = request.app.state.database
    draft = await drafts.find_draft(database, actor, draft_id)
    return web.fragment(request, "draft.html", "progress", **await _progress(database, actor, draft))


@router.post("/draf/{draft_id}/baris/{row}")
async def mend(request: Request, draft_id: Id, row: int, actor: Officer) -> Response:
    """Save cells of a row, or leave it out, and show what is to be mended next."""
    database: Database = request.app.state.database
    form = await request.form()
    cells, version, out = _cells(form), _number(form, "version"), {"1": True, "0": False}.get(_text(form, "out"))

    async def prepare() -> Write:
        return await drafts.prepare_cells(
            *(database, request.app.state.vault, actor, draft_id, row),
            version=version,
            cells=None if out is not None else cells,
            out=out,
        )

    shown = _text(form, "shown")
    back = f"/draf/{draft_id}?tampil={shown}" if shown in TABS else f"/draf/{draft_id}"
    try:
        return await _written(request, actor, prepare, back, said=msg("The row is saved."))
    except LineChanged as changed:
        return await _draft_page(request, actor, draft_id, row=row, changed=changed, status=409)


@router.post("/draf/{draft_id}/kolom")
async def map_columns(request: Request, draft_id: Id, actor: Officer) -> Response:
    """Say what columns mean, for this list and the sender's next ones."""
    form = await request.form()
    said = {int(name[1:]): str(value) for name, value in form.items() if name[:1] == "k" and name[1:].isdecimal()}
    columns = {column: field for column, field in said.items() if field != UNDECIDED}
    row = _number(form, "heading_row")

    async def prepare() -> Write:
        return await drafts.prepare_columns(
            *(request.app.state.database, request.app.state.vault, actor, draft_id),
            columns=columns,
            heading_row=row if row >= 0 else None,
            no_birth_dates=bool(_text(form, "no_birth_dates")),
        )

    try:
        return await _written(request, actor, prepare, f"/draf/{draft_id}", said=msg("The columns are read anew."))
    except ManifestUnusable as unusable:
        typed = {"columns": said, "heading_row": row, "no_birth_dates": bool(_text(form, "no_birth_dates"))}
        problem = _of_columns(request, unusable)
        return await _draft_page(request, actor, draft_id, errors=[problem], typed=typed, status=422)


@router.post("/draf/{draft_id}/berkas")
@web.body_limit(MOST_BYTES)
async def upload_again(request: Request, draft_id: Id, actor: Officer) -> Response:
    """Put a corrected file in the place of the one before, and say what is different."""
    database: Database = request.app.state.database
    form = await request.form()
    file = form.get("file")
    content = await file.read() if isinstance(file, UploadFile) else b""
    name = (file.filename or "") if isinstance(file, UploadFile) else ""

    async def prepare() -> Write:
        opened = await open_file(database, request.app.state.vault, actor, content, name=name)
        return await drafts.prepare_file(database, request.app.state.vault, actor, draft_id, opened)

    try:
        return await _written(request, actor, prepare, f"/draf/{draft_id}", said=msg("The corrected list is there."))
    except ManifestUnusable as unusable:
        problem = unusable_file(web.language_of(request), unusable)
        return await _draft_page(request, actor, draft_id, errors=[problem], status=422)


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
        return await _keyed(request, actor, prepare)
    except DraftChanged as changed:
        return await _draft_page(request, actor, draft_id, moved=changed, status=409)


@router.post("/draf/{draft_id}/buang")
async def discard(request: Request, draft_id: Id, actor: Officer) -> Response:
    """Destroy what the list says."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="manifest") as work:

        async def act() -> Response:
            draft = await drafts.discard_draft(work, draft_id)
            return web.redirect(request, f"/pelayaran/{draft.voyage_id}", said=msg("The list was discarded."))

        return await web.idempotent(request, work, await web.key_of(request), act)


@router.get("/draf/{draft_id}/unduh")
@web.reads_people
async def take_away(
    request: Request,
    draft_id: Id,
    actor: Officer,
    bentuk: Annotated[FileForm, Query()] = "xlsx",
    isi: Annotated[RowsOf, Query()] = "held",
) -> Response:
    """Rows as a file, to be mended there and uploaded again; on the trail first."""
    file = await giving_back.take_away(
        request.app.state.database,
        request.app.state.vault,
        actor,
        draft_id,
        form=bentuk,
        rows=isi,
        language=web.language_of(request),
    )
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return Response(file.content, media_type=file.media_type, headers=headers)


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
        write = await drafts.prepare_draft(database, vault, actor, voyage, opened)

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

    return await _keyed(request, actor, prepared)


async def _keyed(
    request: Request, actor: Actor, prepare: Callable[[], Awaitable[Callable[[Work], Awaitable[Response]]]]
) -> Response:
    vault = request.app.state.vault
    return await web.idempotent_after(
        request,
        request.app.state.database,
        actor,
        purpose="manifest",
        key=vault.kept_key(await web.key_of(request)),
        digest=vault.digest_of(await web.digest_of(request)),
        prepare=prepare,
        again=DraftMoved,
    )


async def _draft_page(
    request: Request,
    actor: Actor,
    draft_id: str,
    *,
    tampil: Shown | None = None,
    after: int = -1,
    row: int | None = None,
    changed: LineChanged | None = None,
    moved: DraftChanged | None = None,
    errors: list[web.FieldProblem] | None = None,
    typed: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    database: Database = request.app.state.database
    vault = request.app.state.vault
    draft = await drafts.find_draft(database, actor, draft_id)
    voyage = await voyages.find_voyage(database, actor, draft.voyage_id)
    if draft.asks and draft.is_under_way:
        return await _columns_page(request, actor, voyage, draft, errors or [], typed or {}, status)
    language = web.language_of(request)
    shown: Shown = tampil or _first(draft)
    sight = await drafts.read_draft(
        *(database, vault, actor, draft_id), standings=STANDINGS[shown], after=after, limit=ROWS_PER_PAGE, form="page"
    )
    one = await drafts.read_line(database, vault, actor, draft_id, row, form="page") if row is not None else None
    header = sight.header
    return web.page(
        request,
        "draft.html",
        status,
        voyage=voyage,
        port=codes.ports()[voyage.port],
        zone=labels.zone_of(voyage),
        header=header,
        roll=await roll_calls.count_called(database, vault, actor, draft_id),
        is_due=database.clock.now() >= voyage.due_from,
        shown=shown,
        tabs=[(TABS[name], name, _count(sight.draft, name)) for name in TABS],
        sight=sight,
        line=one,
        columns=_overview(header, language),
        cell=_cell,
        field_of={column: field for field, column in header.fields.items()},
        letter=letter,
        ignored=[
            legible(text).strip()
            for n, text in enumerate(header.heading)
            if text.strip() and n not in header.fields.values()
        ],
        hidden_rows=[n for n in header.hidden_rows if header.first_row <= n < header.first_row + sight.draft.lines],
        hidden_columns=[letter(n) for n in header.hidden_columns if "".join(header.heading[n : n + 1])],
        separator=SEPARATORS.get(header.separator),
        encoding=ENCODINGS.get(header.encoding),
        choices=[("", words.translate(language, msg("is not read"))), *_fields(language)],
        changed=changed and _conflict(changed, header),
        moved=moved,
        numbers=_numbers,
        errors=errors or [],
        **await _progress(database, actor, sight.draft),
    )


async def _columns_page(
    request: Request,
    actor: Actor,
    voyage: Voyage,
    draft: Draft,
    errors: list[web.FieldProblem],
    typed: dict[str, Any],
    status: int,
) -> Response:
    """What its columns are is asked first: each with its heading and its first values."""
    sight = await drafts.read_draft(
        *(request.app.state.database, request.app.state.vault, actor, draft.draft_id),
        standings=(*STANDINGS["perbaiki"], *STANDINGS["kosong"]),
        after=-1,
        limit=HEADING_WITHIN,
        form="page",
    )
    header = sight.header
    field_of = {column: field for field, column in header.fields.items()} | dict.fromkeys(header.undecided, UNDECIDED)
    chosen = typed.get("columns", {})
    language = web.language_of(request)
    choices = [("", words.translate(language, msg("is not read"))), *_fields(language)]
    undecided = (UNDECIDED, words.translate(language, msg("Choose what it is")))
    return web.page(
        request,
        "draft_columns.html",
        status,
        voyage=voyage,
        zone=labels.zone_of(voyage),
        draft=sight.draft,
        header=header,
        missing=[ASKED[one] for one in sight.draft.asks],
        columns=[
            (
                n,
                f"{letter(n)} {legible(heading).strip()}".strip(),
                first_values(sight.lines, n),
                [undecided, *choices] if n in header.undecided else choices,
                chosen.get(n, field_of.get(n, "")),
            )
            for n, heading in enumerate(header.heading)
        ],
        rows=[(line.number, ROW_CELLS.join(filter(None, map(str.strip, map(legible, line.cells))))[:80])
              for line in sight.lines if any(map(str.strip, line.cells))],
        typed=typed,
        errors=errors,
    )  # fmt: skip


async def _progress(database: Database, actor: Actor, draft: Draft) -> dict[str, Any]:
    """How many rows of a list that is being sent are recorded by now."""
    if draft.state != "sending":
        return {"draft": draft, "recorded": 0}
    async with database.work(actor, purpose="look") as work:
        taken = await lists.find_by_file(work, draft.voyage_id, list_digest(draft))
    return {"draft": draft, "recorded": taken.recorded if taken else 0}


def _first(draft: Draft) -> Shown:
    """What is to be done comes first."""
    for name in TABS:
        if _count(draft, name):
            return name
    return "siap"


def _count(draft: Draft, shown: Shown) -> int:
    return sum(int(getattr(draft, standing)) for standing in STANDINGS[shown])


def _overview(header: Header, language: words.Language) -> list[tuple[int, str]]:
    """Columns that a table of rows shows, with their headings."""
    named = dict(_fields(language))
    found = [
        (header.fields[field], legible(header.heading[header.fields[field]]).strip() or named[field])
        for field in OVERVIEW
        if field in header.fields
    ]
    return sorted(found)


def _cell(line: Line, column: int) -> str:
    return legible(line.cells[column]) if column < len(line.cells) else ""


def _numbers(rows: tuple[int, ...]) -> str:
    said = ", ".join(map(str, rows[:MOST_NUMBERS]))
    return f"{said}, …" if len(rows) > MOST_NUMBERS else said


def _fields(language: words.Language) -> list[tuple[str, str]]:
    return [
        (field, words.translate(language, labels.COLUMNS[field])) for field in headings.KNOWN if field != "held_row"
    ]


def _conflict(changed: LineChanged, header: Header) -> dict[str, Any]:
    """What somebody else has written meanwhile, beside what was sent, by heading."""
    return {
        "by": changed.by,
        "values": [
            (legible(header.heading[column]).strip(), legible(theirs), legible(changed.yours.get(column, "")))
            for column, theirs in changed.theirs.items()
        ],
        "yours": {column: legible(said) for column, said in changed.yours.items()},
    }


def _of_columns(request: Request, unusable: ManifestUnusable) -> web.FieldProblem:
    language = web.language_of(request)
    problem = unusable_file(language, unusable)
    remedy = words.translate(language, msg("Say which column it is. Where there is none, ask for a list that has it."))
    if unusable.code == "heading_unsaid":
        return web.FieldProblem("heading_row", problem.message, problem.remedy)
    return web.FieldProblem("k0", problem.message, remedy)


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


def _zone(actor: Actor) -> str:
    return codes.ports()[policy.own_port(actor)].zone
