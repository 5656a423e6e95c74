"""Opening a name list, whatever it came as: a workbook, a text that was saved, a text that was pasted."""

import asyncio

from services.intake.domain import files, sheets
from services.intake.domain.grids import Grid
from services.intake.domain.sheets import NOTHING_CHOSEN, Choice, Sheet
from services.intake.domain.texts import File
from services.intake.gateways import workbooks

SHORT_BYTES = 8 << 20
"""Of a text that is no longer the cells are kept: to read it again and again takes its time."""


async def open_list(content: bytes, choice: Choice = NOTHING_CHOSEN) -> Sheet:
    """Find the list in a file. Raises `ManifestUnusable`: no row of it can be taken, or it is one of several."""
    return await asyncio.to_thread(_open, content, choice)


async def open_large(file: File, choice: Choice = NOTHING_CHOSEN) -> Sheet:
    """As `open_list`. Of a long text no row is kept: it is read anew each time it is gone through."""
    return await asyncio.to_thread(_open_large, file, choice)


def grids_of(content: bytes) -> list[Grid]:
    """The tables of a file: its worksheets, or the text under each separator. Raises `ManifestUnusable`."""
    return workbooks.grids_of(content) if files.kind_of(content) == "workbook" else sheets.grids_of_text(content)


def _open(content: bytes, choice: Choice) -> Sheet:
    return sheets.sheet_of(sheets.find_list(grids_of(content), choice), most_rows=sheets.MOST_ROWS)


def _open_large(file: File, choice: Choice) -> Sheet:
    file.seek(0)
    head = file.read(SHORT_BYTES + 1)
    if not files.is_text(head):
        return _open(head + file.read(files.MOST_BYTES), choice)
    files.refuse_other_kinds(head)
    if len(head) > SHORT_BYTES:
        return sheets.stream_sheet(file, choice)
    return sheets.sheet_of(sheets.find_list(sheets.grids_of_text(head), choice), most_rows=sheets.MOST_STREAMED_ROWS)
