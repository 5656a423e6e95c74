"""Rows that were taken away to be mended and come back in a file: each to the draft and the row that it is of."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.intake.actions import drafts as drafting
from services.intake.actions import spreadsheets
from services.intake.actions.drafts import Opened, Write
from services.intake.actions.opening import FileOpened
from services.intake.domain import drafts, uploads
from services.intake.domain.drafts import Differences, Draft, Line
from services.intake.domain.held import reference
from services.intake.store.vault import Vault
from shared.kit.actor import Actor
from shared.kit.database import Database

HELD_ROW = "held_row"
"""The field that names a row in a file in which it was taken away."""


def came_from(file: FileOpened, under_way: Sequence[Draft]) -> Draft | None:
    """The draft whose rows these are, where they name it as the file does in which they were taken away."""
    column = file.sheet.fields.get(HELD_ROW)
    if column is None:
        return None
    marks = {row[column].strip().partition("-")[2] for row in file.sheet.records if column < len(row)}
    return next((draft for draft in under_way if drafts.upload_marks(draft) & marks), None)


async def prepare_back(database: Database, vault: Vault, actor: Actor, draft: Draft, file: FileOpened) -> Write:
    """Put rows that were taken away to be mended back into their draft; those that are new go to its end.

    Who is recorded meanwhile stays as recorded, and it is said that the file has it otherwise.
    """
    opened = await drafting.open_to_change(database, vault, actor, draft.draft_id)
    lines, now, width = list(opened.lines), database.clock.now(), len(opened.header.heading)
    new: list[int] = []
    mended: list[int] = []
    recorded: list[int] = []
    places = _places_of(opened, file)
    for n, cells in places:
        if n is None:
            new.append(opened.header.first_row + len(lines))
            since = lines[-1].since if lines else 0
            lines.append(Line(new[-1], _as_a_row(cells, width), since=since))
        elif lines[n].is_moved or lines[n].is_erased:
            continue
        elif changed := drafts.came_back(lines[n], _as_given(lines[n], cells)):
            if lines[n].standing == "known":
                recorded.append(lines[n].number)
                continue
            mended.append(lines[n].number)
            lines[n] = drafts.mended(lines[n], changed, width=width, by=actor.id, at=now)
    told = Differences(
        len(places) - len(new) - len(mended) - len(recorded), *map(tuple, (new, mended, (), sorted(recorded)))
    )
    was = opened.header.differences
    if not told.count and (not told.recorded or (was and was.recorded == told.recorded)):
        return drafting.as_it_is(draft)
    header = replace(opened.header, differences=told)
    return await drafting.prepare_change(database, vault, actor, opened, header, lines, "file", rows=told.count)


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
