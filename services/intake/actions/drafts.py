"""Name lists that were uploaded and are not done with: kept sealed, looked at, mended, discarded.

What takes long is prepared outside the transaction; what `prepare_…` answers writes it, or raises `DraftMoved` when
somebody else was faster: then it is prepared again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from services.intake.actions import manifests, spreadsheets
from services.intake.actions.arrivals import port_of
from services.intake.actions.opening import FileOpened, heading_digests, sender_digest
from services.intake.actions.voyages import find_voyage
from services.intake.domain import drafts, headings, uploads
from services.intake.domain.drafts import Draft, Header, Line, Standing
from services.intake.domain.held import reference
from services.intake.domain.refusals.drafts import (
    ColumnUnknown,
    DraftCarried,
    DraftChanged,
    DraftEnded,
    DraftMoved,
    DraftOfThisFile,
    DraftSending,
    DraftUnknown,
    LineChanged,
    LineRecorded,
    LineUnknown,
)
from services.intake.domain.refusals.manifests import ManifestUnusable
from services.intake.domain.refusals.roll_calls import RowCarried
from services.intake.domain.roll_calls import Call
from services.intake.domain.voyages import Voyage
from services.intake.store import drafts as store
from services.intake.store import roll_calls
from services.intake.store.arrivals import Fetches
from services.intake.store.vault import Vault, drafting
from services.intake.store.vault.drafting import DraftKey
from shared.contracts.intake import lists as facts
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.ids import new_id
from shared.kit.work import Work

HELD_ROW = "held_row"
"""The field that names a row in a file in which it was taken away."""
Write = Callable[[Work], Awaitable[Draft]]
"""Writes what was prepared. Raises `DraftMoved`."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A draft with what it says."""

    draft: Draft
    header: Header
    lines: Sequence[Line]
    key: DraftKey


@dataclass(frozen=True, slots=True)
class Sight:
    """Some lines of a draft; `after` is the place after which to go on, None where there are no more."""

    draft: Draft
    header: Header
    lines: Sequence[Line]
    in_all: int
    after: int | None


async def prepare_draft(database: Database, vault: Vault, actor: Actor, voyage: Voyage, file: FileOpened) -> Write:
    """Keep an uploaded list; the very same file again is the draft that it is. Raises `ManifestUnusable`.

    A file with held rows that came back mended goes into the draft that they are of.
    """
    digest = vault.digest_of(file.marks)
    async with database.work(actor, purpose="manifest") as work:
        known = await store.find_by_file(work, voyage.voyage_id, digest)
        others = await store.list_under_way(work, voyage_id=voyage.voyage_id)
    if known is not None:
        return _as_it_is(known)
    came_from = _came_from(file, others)
    if came_from is not None:
        return await _prepare_back(database, vault, actor, came_from, file)
    header = drafts.header_of(file.sheet, sender=file.sender, filename=file.name)
    lines = await judge(database, vault, voyage, header, drafts.lines_of(file.sheet))
    draft_id = new_id()
    wrapped_key, key = drafting.new_key(vault.ring, draft_id)
    draft = store.NewDraft(
        draft_id=draft_id,
        voyage_id=voyage.voyage_id,
        port=voyage.port,
        form=file.form,
        file_digest=digest,
        sender=sender_digest(vault, file.sender),
        counts=drafts.counted(lines),
        header=store.sealed_header(key, header),
        wrapped_key=wrapped_key,
        asks=header.asks,
    )
    blocks = store.sealed_blocks(key, lines)

    async def write(work: Work) -> Draft:
        await store.add(work, draft, blocks)
        kept = await store.find_by_file(work, voyage.voyage_id, digest)
        assert kept is not None
        if kept.draft_id == draft_id:
            work.record(facts.DraftKept(case_id=voyage.voyage_id, draft_id=draft_id, form=file.form, rows=len(lines)))
        return kept

    return write


async def list_drafts(database: Database, actor: Actor, *, voyage_id: str | None = None) -> list[Draft]:
    """The drafts of the actor's port that are not done with, in counts. Raises `NotAllowed`."""
    port_of(actor)
    async with database.work(actor, purpose="look") as work:
        return await store.list_under_way(work, voyage_id=voyage_id)


async def find_draft(database: Database, actor: Actor, draft_id: str) -> Draft:
    """A draft in codes and counts. Raises `NotAllowed` or `DraftUnknown`."""
    port_of(actor)
    async with database.work(actor, purpose="look") as work:
        draft = await store.find(work, draft_id)
    if draft is None:
        raise DraftUnknown
    return draft


async def read_draft(
    database: Database,
    vault: Vault,
    actor: Actor,
    draft_id: str,
    *,
    standings: Sequence[Standing],
    after: int,
    limit: int,
    form: str,
) -> Sight:
    """The lines that stand so, `limit` of them after a place; on the trail before they are opened.

    Raises `NotAllowed`, `DraftUnknown` or `DraftEnded`.
    """
    port_of(actor)
    wanted = {store.LETTERS[standing] for standing in standings}
    async with database.work(actor, purpose="manifest") as work:
        sealed = await _sealed(work, draft_id)
        places = [
            block * store.BLOCK + n
            for block, letters in await store.standings_of(work, draft_id)
            for n, letter in enumerate(letters)
            if letter in wanted
        ]
        chosen = [place for place in places if place > after][: limit + 1]
        more, chosen = len(chosen) > limit, chosen[:limit]
        numbers = sorted({place // store.BLOCK for place in chosen})
        blocks = await store.blocks_of(work, draft_id, numbers) if numbers else []
        if chosen:
            _note_reading(work, sealed.draft, form, len(chosen))
    assert sealed.wrapped_key is not None
    key = drafting.open_key(vault.ring, sealed.wrapped_key, draft_id)
    lines: dict[int, Line] = {}
    for block in blocks:
        opened = store.opened_lines(key, [block])
        lines.update((block.block * store.BLOCK + n, line) for n, line in enumerate(opened))
    header = store.opened_header(key, sealed.header)
    return Sight(
        sealed.draft, header, [lines[place] for place in chosen], len(places), chosen[-1] if more and chosen else None
    )


async def read_line(database: Database, vault: Vault, actor: Actor, draft_id: str, number: int, *, form: str) -> Line:
    """One row with all its cells; on the trail first. Raises `LineUnknown`, and as `open_draft`."""
    port_of(actor)
    async with database.work(actor, purpose="manifest") as work:
        sealed = await _sealed(work, draft_id)
        assert sealed.wrapped_key is not None
        key = drafting.open_key(vault.ring, sealed.wrapped_key, draft_id)
        place = number - store.opened_header(key, sealed.header).first_row
        blocks = await store.blocks_of(work, draft_id, [place // store.BLOCK])
        if place < 0 or not blocks or place % store.BLOCK >= len(blocks[0].standings):
            raise LineUnknown
        _note_reading(work, sealed.draft, form, 1)
    return store.opened_lines(key, blocks)[place % store.BLOCK]


async def open_draft(
    database: Database, vault: Vault, actor: Actor, draft_id: str, *, form: str | None = None
) -> Opened:
    """A draft with all its lines; with `form` on the trail first, as what they are handed out in.

    Raises `NotAllowed`, `DraftUnknown` or `DraftEnded`.
    """
    port_of(actor)
    async with database.work(actor, purpose="manifest") as work:
        sealed = await _sealed(work, draft_id)
        blocks = await store.blocks_of(work, draft_id)
        if form is not None:
            _note_reading(work, sealed.draft, form, sealed.draft.lines)
    assert sealed.wrapped_key is not None
    key = drafting.open_key(vault.ring, sealed.wrapped_key, draft_id)
    header = store.opened_header(key, sealed.header)
    return Opened(
        sealed.draft, header, await manifests.in_turn(lambda one: store.opened_lines(key, [one]), blocks), key
    )


async def prepare_cells(
    database: Database,
    vault: Vault,
    actor: Actor,
    draft_id: str,
    number: int,
    *,
    version: int,
    cells: Mapping[int, str] | None = None,
    out: bool | None = None,
) -> Write:
    """Mend cells of a row (column → what it is to say), or leave it out or take it in again.

    Raises `LineUnknown`, `LineRecorded`, `LineChanged`, `ColumnUnknown`, and as `open_draft`.
    """
    opened = await open_to_change(database, vault, actor, draft_id)
    place = number - opened.header.first_row
    if not 0 <= place < len(opened.lines):
        raise LineUnknown
    line = opened.lines[place]
    _check_line(opened.draft, line, version, cells or {})
    width = len(opened.header.heading)
    wide = max(width, len(line.cells))
    if any(not 0 <= column < wide or len(said) > drafts.LONGEST_CELL for column, said in (cells or {}).items()):
        raise ColumnUnknown
    now = database.clock.now()
    mended = drafts.mended(line, cells, width=width, by=actor.id, at=now) if cells else line
    if out is not None and out != line.is_out:
        mended = drafts.left_out(mended, out, by=actor.id, at=now)
    changed = list(opened.lines)
    changed[place] = mended
    what = "cells" if out is None else ("left_out" if out else "taken_in")
    return await prepare_change(database, vault, actor, opened, opened.header, changed, what, rows=1)


async def prepare_columns(
    database: Database,
    vault: Vault,
    actor: Actor,
    draft_id: str,
    *,
    columns: Mapping[int, str],
    heading_row: int | None = None,
    no_birth_dates: bool = False,
    version: int | None = None,
) -> Write:
    """Say what columns mean (column → field, "" for none), and remember it of the sender.

    `heading_row`: where nobody knows it, the number of the row that holds the headings, 0 where none does.
    `no_birth_dates`: the list has neither birth dates nor ages. `version`: of the list that was looked at.
    Raises `ColumnUnknown`, `ManifestUnusable` when a field would be missing or claimed twice, `DraftChanged`, and as
    `open_draft`.
    """
    opened = await open_to_change(database, vault, actor, draft_id)
    _check_version(opened.draft, version)
    header, lines = drafts.headed(opened.header, opened.lines, heading_row)
    heading = header.heading
    if any(not 0 <= n < len(heading) or (field and field not in headings.KNOWN) for n, field in columns.items()):
        raise ColumnUnknown
    header, told = drafts.told(header, columns, no_birth_dates=no_birth_dates)
    write = await prepare_change(database, vault, actor, opened, header, lines, "columns", rows=len(lines))
    sender = sender_digest(vault, header.sender)
    meant = {mark: told[n] for n, mark in enumerate(heading_digests(vault, heading)) if mark is not None}

    async def remember(work: Work) -> Draft:
        if sender is not None:
            await store.remember_columns(work, sender, meant)
        return await write(work)

    return remember


async def prepare_file(database: Database, vault: Vault, actor: Actor, draft_id: str, file: FileOpened) -> Write:
    """Put a corrected file in the place of the one before: what is the same keeps what was mended in it.

    A file with rows that were taken away to be mended is no such file: they come back to where they stand.

    Raises `ManifestUnusable`, `DraftOfThisFile`, `DraftCarried`, and as `open_draft`.
    """
    opened = await open_to_change(database, vault, actor, draft_id)
    if opened.draft.form == "carried":
        raise DraftCarried
    digest = vault.digest_of(file.marks)
    async with database.work(actor, purpose="manifest") as work:
        known = await store.find_by_file(work, opened.draft.voyage_id, digest)
        others = await store.list_under_way(work, voyage_id=opened.draft.voyage_id)
    came_from = _came_from(file, others)
    if came_from is not None and came_from.draft_id != draft_id:
        raise DraftOfThisFile
    if came_from is not None or (HELD_ROW in file.sheet.fields and HELD_ROW not in opened.header.fields):
        return await _prepare_back(database, vault, actor, opened.draft, file)
    if known is not None:
        if known.draft_id != draft_id:
            raise DraftOfThisFile
        return _as_it_is(known)
    if not any(map(str.strip, chain.from_iterable(file.sheet.records))):
        raise ManifestUnusable("empty")
    header = drafts.header_of(file.sheet, sender=file.sender or opened.header.sender, filename=file.name)
    header, lines = uploads.read_as(header, drafts.lines_of(file.sheet), opened.header)
    lines, differences, numbers = await asyncio.to_thread(uploads.compared, opened.lines, opened.header, lines, header)
    header = replace(header, differences=differences)
    return await prepare_change(
        database,
        vault,
        actor,
        opened,
        header,
        lines,
        "file",
        rows=differences.count,
        file_digest=digest,
        numbers=numbers,
    )


async def discard_draft(work: Work, draft_id: str, *, version: int | None = None) -> Draft:
    """Destroy what an uploaded list says; with a version, only what was looked at.

    Raises `NotAllowed`, `DraftUnknown`, `DraftEnded`, `DraftSending`, `DraftCarried` or `DraftChanged`.
    """
    port_of(work.actor)
    draft = await store.hold(work, draft_id, to_end_it=True)
    if draft is None:
        raise DraftUnknown
    if not draft.is_under_way:
        raise DraftEnded
    if draft.state == "sending":
        raise DraftSending
    if draft.form == "carried":
        raise DraftCarried
    _check_version(draft, version)
    if await store.end(work, [draft_id], "discarded"):
        work.record(facts.DraftEnded(case_id=draft.voyage_id, draft_id=draft_id, why="discarded"))
    return draft


def _came_from(file: FileOpened, under_way: Sequence[Draft]) -> Draft | None:
    """The draft whose rows these are, where they name it as the file does in which they were taken away."""
    column = file.sheet.fields.get(HELD_ROW)
    if column is None:
        return None
    marks = {row[column].strip().partition("-")[2] for row in file.sheet.records if column < len(row)}
    return next((draft for draft in under_way if drafts.upload_marks(draft) & marks), None)


async def _prepare_back(database: Database, vault: Vault, actor: Actor, draft: Draft, file: FileOpened) -> Write:
    """Put rows that were taken away to be mended back into their draft; those that are new go to its end."""
    opened = await open_to_change(database, vault, actor, draft.draft_id)
    lines, now, touched = list(opened.lines), database.clock.now(), 0
    width = len(opened.header.heading)
    for n, cells in _places_of(opened, file):
        if n is None:
            since = lines[-1].since if lines else 0
            lines.append(Line(opened.header.first_row + len(lines), _as_a_row(cells, width), since=since))
        elif lines[n].standing == "known" or lines[n].is_moved or lines[n].is_erased:
            continue
        else:
            changed = drafts.came_back(lines[n], _as_given(lines[n], cells))
            if not changed:
                continue
            lines[n] = drafts.mended(lines[n], changed, width=width, by=actor.id, at=now)
        touched += 1
    if not touched:
        return _as_it_is(draft)
    return await prepare_change(database, vault, actor, opened, opened.header, lines, "file", rows=touched)


def _places_of(opened: Opened, file: FileOpened) -> list[tuple[int | None, dict[int, str]]]:
    """Which line each row that came back is of, with its cells by our columns; None for one that is new.

    A row is of the line that it names, the first of those that name it: whoever copies a row and types over it adds
    somebody. Of an earlier file a row is named by a number that is another's now, and is known by what it says.
    """
    draft, header = opened.draft, opened.header
    named, columns = file.sheet.fields[HELD_ROW], spreadsheets.places(header.heading, file.sheet.heading)
    current, before = drafts.upload_mark(draft), drafts.upload_marks(draft) - {drafts.upload_mark(draft).hex()}
    by_reference = {reference(current, line.number): n for n, line in enumerate(opened.lines)}
    found: list[tuple[int | None, dict[int, str]]] = []
    unknown: list[Line] = []
    of_before: set[int] = set()
    for row in file.sheet.records:
        cells = {columns[n]: said for n, said in enumerate(row) if n in columns}
        if not any(map(str.strip, cells.values())):
            continue
        name = row[named].strip() if named < len(row) else ""
        place = by_reference.pop(name, None)
        if place is None:
            unknown.append(Line(len(found), _as_a_row(cells, len(header.heading))))
            of_before |= {len(found)} if name.partition("-")[2] in before else set()
        found.append((place, cells))
    taken = {place for place, _ in found}
    free = [line for n, line in enumerate(opened.lines) if n not in taken]
    again = uploads.known_again(free, unknown, header, of_before=of_before)
    return [(again[n] - header.first_row if n in again else place, cells) for n, (place, cells) in enumerate(found)]


def _as_a_row(cells: Mapping[int, str], width: int) -> tuple[str, ...]:
    return tuple(spreadsheets.rearmed(cells.get(column, "")) for column in range(width))


def _as_given(line: Line, cells: Mapping[int, str]) -> dict[int, str]:
    """The cells without the apostrophe that was set before them when they went out; a workbook needs none."""
    return {
        column: said if said in drafts.said_in(line, column) else spreadsheets.rearmed(said)
        for column, said in cells.items()
    }


async def note_reading(database: Database, actor: Actor, draft_id: str, *, form: str, rows: int) -> None:
    """Put on the trail that something of a draft is shown. Raises `DraftUnknown`."""
    async with database.work(actor, purpose="manifest") as work:
        draft = await store.find(work, draft_id)
        if draft is None:
            raise DraftUnknown
        _note_reading(work, draft, form, rows)


def _check_version(draft: Draft, version: int | None) -> None:
    if version is not None and draft.version != version:
        raise DraftChanged(draft.changed_by, draft.changed_at)


def _check_line(draft: Draft, line: Line, version: int, cells: Mapping[int, str]) -> None:
    if line.standing == "known":
        raise LineRecorded
    if line.is_moved:
        raise RowCarried
    if line.version != version:
        theirs = {column: line.cells[column] if column < len(line.cells) else "" for column in cells}
        # A row that came with another file was changed by whoever changed the list.
        by, at = draft.changed_by, draft.changed_at.isoformat()
        if line.edits and version >= line.since:
            by, at = line.edits[-1].by, line.edits[-1].at
        raise LineChanged(by, at, line.version, theirs, cells)


async def open_to_change(database: Database, vault: Vault, actor: Actor, draft_id: str) -> Opened:
    """A draft that can be changed, with all its lines. Raises `DraftSending`, and as `open_draft`."""
    opened = await open_draft(database, vault, actor, draft_id)
    if opened.draft.state == "sending":
        raise DraftSending
    return opened


async def prepare_change(
    database: Database,
    vault: Vault,
    actor: Actor,
    opened: Opened,
    header: Header,
    lines: list[Line],
    what: str,
    *,
    rows: int,
    file_digest: bytes | None = None,
    numbers: Mapping[int, int] | None = None,
    calls: Sequence[Call] = (),
) -> Write:
    """Prepare to write other lines of a draft; `what` names the change.

    `numbers`: in another file, which row of the one before a row is. `calls`: who is called with it.
    """
    voyage = await find_voyage(database, actor, opened.draft.voyage_id)
    async with database.work(actor, purpose="manifest") as work:
        roll = await roll_calls.roll_of(work, opened.draft)
    absent = roll.with_calls(calls).absent
    if numbers is not None:
        absent = frozenset(now for now, was in numbers.items() if was in absent)
    judged = await judge(database, vault, voyage, header, drafts.told_anew(opened.lines, lines, numbers), absent)
    blocks = store.sealed_blocks(opened.key, judged, opened.lines)
    sealed = store.sealed_header(opened.key, header)
    draft = opened.draft

    async def write(work: Work) -> Draft:
        done = await store.change(
            work,
            draft,
            blocks,
            counts=drafts.counted(judged),
            header=sealed,
            in_all=store.blocks_in(len(judged)),
            file_digest=file_digest,
            asks=header.asks,
        )
        if not done or (calls and not await roll_calls.add(work, draft, calls)):
            raise DraftMoved
        if numbers:
            known = {line.number for line in judged if line.standing == "known"}
            await roll_calls.take_over(work, draft, {now: was for now, was in numbers.items() if now not in known})
        if calls:
            return await _found(work, draft.draft_id)
        work.record(facts.DraftChanged(case_id=draft.voyage_id, draft_id=draft.draft_id, change=what, rows=rows))
        return await _found(work, draft.draft_id)

    return write


async def _found(work: Work, draft_id: str) -> Draft:
    found = await store.find(work, draft_id)
    assert found is not None
    return found


async def judge(
    database: Fetches,
    vault: Vault,
    voyage: Voyage,
    header: Header,
    lines: Sequence[Line],
    absent: Collection[int] = (),
) -> list[Line]:
    """The same lines as they stand now that others may have been taken in, and some may be called as absent."""
    if header.asks:
        return drafts.unread(lines)
    sheet = drafts.sheet_of(header, drafts.to_read(lines))
    rows = await manifests.read_rows(voyage, sheet)
    preview = await manifests.preview_rows(database, vault, voyage, sheet, rows)
    return drafts.judged(lines, preview.rows, preview.known, absent)


async def _sealed(work: Work, draft_id: str) -> store.Sealed:
    sealed = await store.find_sealed(work, draft_id)
    if sealed is None:
        raise DraftUnknown
    if sealed.wrapped_key is None:
        raise DraftEnded
    return sealed


def _note_reading(work: Work, draft: Draft, form: str, rows: int) -> None:
    work.record(facts.DraftRead(case_id=draft.voyage_id, draft_id=draft.draft_id, form=form, rows=rows))


def _as_it_is(draft: Draft) -> Write:
    async def write(work: Work) -> Draft:  # noqa: ARG001
        return draft

    return write
