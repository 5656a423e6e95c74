"""Mending a draft: what cells of a row say, that a row is left out, what columns mean."""

from collections.abc import Mapping

from services.intake.actions import drafts as drafting
from services.intake.actions.drafts import Write
from services.intake.actions.opening import heading_digests, sender_digest
from services.intake.domain import drafts, headings
from services.intake.domain.drafts import Draft, Line
from services.intake.domain.refusals.drafts import (
    ColumnUnknown,
    LineChanged,
    LineRecorded,
    LineUnknown,
)
from services.intake.domain.refusals.roll_calls import RowCarried
from services.intake.store import drafts as store
from services.intake.store.vault import Vault
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.work import Work


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
    opened = await drafting.open_to_change(database, vault, actor, draft_id)
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
    return await drafting.prepare_change(database, vault, actor, opened, opened.header, changed, what, rows=1)


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
    opened = await drafting.open_to_change(database, vault, actor, draft_id)
    drafting.check_version(opened.draft, version)
    header, lines = drafts.headed(opened.header, opened.lines, heading_row)
    heading = header.heading
    if any(not 0 <= n < len(heading) or (field and field not in headings.KNOWN) for n, field in columns.items()):
        raise ColumnUnknown
    header, told = drafts.told(header, columns, no_birth_dates=no_birth_dates)
    write = await drafting.prepare_change(database, vault, actor, opened, header, lines, "columns", rows=len(lines))
    sender = sender_digest(vault, header.sender)
    meant = {mark: told[n] for n, mark in enumerate(heading_digests(vault, heading)) if mark is not None}

    async def remember(work: Work) -> Draft:
        if sender is not None:
            await store.remember_columns(work, sender, meant)
        return await write(work)

    return remember


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
