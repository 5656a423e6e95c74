"""Opening a name list, whatever it came as: a workbook, a text that was saved, a text that was pasted."""

import asyncio

from services.intake.domain import files, sheets
from services.intake.domain.grids import Grid
from services.intake.domain.sheets import NOTHING_CHOSEN, Choice, Sheet
from services.intake.domain.texts import File
from services.intake.gateways import workbooks

HEAD_BYTES = 1 << 10
"""By so many it is known what a file is."""


async def open_list(content: bytes, choice: Choice = NOTHING_CHOSEN) -> Sheet:
    """Find the list in a file. Raises `ManifestUnusable`: no row of it can be taken, or it is one of several."""
    return await asyncio.to_thread(_open, content, choice)


async def open_large(file: File, choice: Choice = NOTHING_CHOSEN) -> Sheet:
    """As `open_list`. Of a text no row is kept, whatever its size: it is read anew each time it is gone through."""
    return await asyncio.to_thread(_open_large, file, choice)


def grids_of(content: bytes) -> list[Grid]:
    """The tables of a file: its worksheets, or the text under each separator. Raises `ManifestUnusable`."""
    return workbooks.grids_of(content) if files.kind_of(content) == "workbook" else sheets.grids_of_text(content)


def _open(content: bytes, choice: Choice) -> Sheet:
    return sheets.sheet_of(sheets.find_list(grids_of(content), choice), most_rows=sheets.MOST_ROWS)


def _open_large(file: File, choice: Choice) -> Sheet:
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if files.is_text(head):
        files.refuse_other_kinds(head)
        return sheets.stream_sheet(file, choice)
    file.seek(0)
    return _open(file.read(files.MOST_BYTES + 1), choice)
