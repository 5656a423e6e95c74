"""Taking rows of a draft away: what is held back with its problems, to be mended elsewhere and uploaded again."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from services.intake.actions import spreadsheets
from services.intake.actions.coming_back import HELD_ROW
from services.intake.actions.drafts import Opened, open_draft
from services.intake.domain import drafts, grids
from services.intake.domain.drafts import Line
from services.intake.domain.held import reference
from services.intake.gateways import workbooks
from services.intake.gateways.workbooks import XLSX
from services.intake.store.vault import Vault
from shared.kit import words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.words import Language

__all__ = ["XLSX", "File", "FileForm", "RowsOf", "take_away"]

FileForm = Literal["csv", "xlsx"]
RowsOf = Literal["held", "all", "source"]
"""Those held back; all as they stand now; all as they were uploaded."""


@dataclass(frozen=True, slots=True)
class File:
    name: str
    media_type: str
    content: bytes


async def take_away(
    database: Database,
    vault: Vault,
    actor: Actor,
    draft_id: str,
    *,
    form: FileForm,
    rows: RowsOf,
    language: Language,
) -> File:
    """Rows of a draft as a file; on the trail first. Raises as `open_draft`.

    The first column names each row, so that it is known again when it comes back.
    """
    opened = await open_draft(database, vault, actor, draft_id, form=form)
    lines = _lines(opened, rows, language)
    if form == "csv":
        return File(f"{_name(rows)}.csv", "text/csv; charset=utf-8", spreadsheets.as_csv(lines))
    return File(f"{_name(rows)}.xlsx", XLSX, await asyncio.to_thread(workbooks.workbook, lines))


def _name(rows: RowsOf) -> str:
    return {"held": "baris-tertahan", "all": "daftar", "source": "daftar-asli"}[rows]


def _lines(opened: Opened, rows: RowsOf, language: Language) -> list[Sequence[str]]:
    """Heading and rows. What an earlier such file had added is left out: a row is named anew in each list."""
    heading, fields = opened.header.heading, opened.header.fields
    if rows == "source":
        above = opened.header.above or ([heading] if any(heading) else [])
        return [[*map(grids.written, row)] for row in (*above, *(line.source for line in opened.lines))]
    ours = {fields[HELD_ROW]} if HELD_ROW in fields else set()
    if ours:
        ours |= {n for n, text in enumerate(heading) if spreadsheets.is_added(text) and n not in fields.values()}
    kept = [n for n in range(len(heading)) if n not in ours]
    mark = drafts.upload_mark(opened.draft)
    problems = [words.translate(language, spreadsheets.PROBLEMS)] if rows == "held" else []
    lines: list[Sequence[str]] = [[HELD_ROW, *(heading[n] for n in kept), *problems]]
    for line in opened.lines:
        if rows == "all" or line.standing in ("mend", "twice"):
            # Never more cells than the heading has: what is said of the row has a column of its own.
            cells = [_shown(line.cells[n]) if n < len(line.cells) else "" for n in kept]
            said = [_said(opened, line, language)] if problems else []
            lines.append([reference(mark, line.number), *cells, *said])
    return lines


def _shown(cell: str) -> str:
    """A cell as it is read: one that is merged with another, which is not in this file, says the same by itself."""
    return str(cell) if grids.kind_of(cell) == "merged" else cell


def _said(opened: Opened, line: Line, language: Language) -> str:
    said: list[str] = []
    for one in line.findings:
        column = opened.header.fields.get(one.field)
        sentences = words.translate(language, one.message), words.translate(language, one.remedy)
        said += (f"{opened.header.heading[column].strip()}:", *sentences) if column is not None else sentences
        if one.hint:
            said.append(one.hint)
    return " ".join(said)
