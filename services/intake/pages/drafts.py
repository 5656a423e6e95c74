"""Lists that are not done with: where to go on, and what a list says; found again after a lost connection."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from services.intake import policy
from services.intake.actions import drafts, giving_back, roll_calls, voyages
from services.intake.actions.giving_back import FileForm, RowsOf
from services.intake.domain.drafts import OVERVIEW, Draft, Header, Line, Standing, legible, list_digest
from services.intake.domain.grids import letter
from services.intake.domain.refusals.drafts import DraftChanged, LineChanged
from services.intake.domain.refusals.voyages import VoyageUnknown
from services.intake.domain.voyages import Voyage
from services.intake.pages import labels
from services.intake.pages.draft_columns import field_choices, show_columns
from services.intake.pages.listwords import ENCODINGS, SEPARATORS
from services.intake.store import manifests as lists
from shared.contracts import codes
from shared.contracts.fact import Id
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.words import msg

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
ROWS_PER_PAGE = 50
MOST_NUMBERS = 40


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
    dari: Annotated[int | None, Query(ge=1, le=10_000_000)] = None,
) -> Response:
    """What is to be mended first; any row with all its cells by `baris`. Each reading is on the trail.

    `dari` is a row that has just been seen to: one goes on from there.
    """
    return await show_draft(request, actor, draft_id, tampil=tampil, after=setelah, row=baris, near=dari)


@router.get("/draf/{draft_id}/jalannya")
async def draft_progress(request: Request, draft_id: Id, actor: Officer) -> Response:
    """How far a list is that is being sent: counts alone."""
    database: Database = request.app.state.database
    draft = await drafts.find_draft(database, actor, draft_id)
    return web.fragment(request, "draft.html", "progress", **await _progress(database, actor, draft))


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


async def show_draft(
    request: Request,
    actor: Actor,
    draft_id: str,
    *,
    tampil: Shown | None = None,
    after: int = -1,
    row: int | None = None,
    near: int | None = None,
    changed: LineChanged | None = None,
    moved: DraftChanged | None = None,
    errors: list[web.FieldProblem] | None = None,
    typed: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    """The page of a list at `tampil`, or that asks what its columns are; with what somebody has just done in vain."""
    database: Database = request.app.state.database
    vault = request.app.state.vault
    draft = await drafts.find_draft(database, actor, draft_id)
    voyage = await voyages.find_voyage(database, actor, draft.voyage_id)
    if draft.asks and draft.is_under_way:
        return await show_columns(request, actor, voyage, draft, errors or [], typed or {}, status)
    language = web.language_of(request)
    shown: Shown = tampil or _first(draft)
    sight = await drafts.read_draft(
        *(database, vault, actor, draft_id), standings=STANDINGS[shown], after=after, limit=ROWS_PER_PAGE, form="page"
    )
    if near is not None and after >= 0 and not sight.lines:
        return await show_draft(request, actor, draft_id, tampil=shown, near=near)
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
        after=after,
        place=_nearest(sight.lines, near),
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
        choices=[("", words.translate(language, msg("is not read"))), *field_choices(language)],
        changed=changed and _conflict(changed, header),
        moved=moved,
        numbers=_numbers,
        errors=errors or [],
        **await _progress(database, actor, sight.draft),
    )


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
    """Columns that a table of rows shows, with their headings; the row's own form has all."""
    named = dict(field_choices(language))
    found = [
        (header.fields[field], legible(header.heading[header.fields[field]]).strip() or named[field])
        for field in OVERVIEW
        if field in header.fields
    ]
    return sorted(found)


def _nearest(lines: Sequence[Line], near: int | None) -> int | None:
    """The number of the line that is there or next, else of the last."""
    if near is None or not lines:
        return None
    return next((line.number for line in lines if line.number >= near), lines[-1].number)


def _cell(line: Line, column: int) -> str:
    return legible(line.cells[column]) if column < len(line.cells) else ""


def _numbers(rows: tuple[int, ...]) -> str:
    said = ", ".join(map(str, rows[:MOST_NUMBERS]))
    return f"{said}, …" if len(rows) > MOST_NUMBERS else said


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


def _zone(actor: Actor) -> str:
    return codes.ports()[policy.own_port(actor)].zone
