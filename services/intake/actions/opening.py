"""From an uploaded file or pasted rows to a sheet, with what is remembered of the sender's headings."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from services.intake.actions import lists
from services.intake.actions.spreadsheets import is_added
from services.intake.domain import files, headings, sheets
from services.intake.domain.drafts import Form
from services.intake.domain.grids import Grid
from services.intake.domain.sheets import Choice, Sheet
from services.intake.store import drafts as store
from services.intake.store.vault import Vault
from shared.kit.actor import Actor
from shared.kit.database import Database


@dataclass(frozen=True, slots=True)
class FileOpened:
    """A file as it came, and the list in it. `sender` is who sends such lists: a mission, an organisation, or ""."""

    content: bytes
    form: Form
    sheet: Sheet
    name: str = ""
    sender: str = ""

    @property
    def marks(self) -> bytes:
        """What makes it this list and no other: the file, and which of its sheets was read."""
        return self.content + self.sheet.worksheet.encode("utf-8", "surrogatepass")


async def open_file(
    database: Database,
    vault: Vault,
    actor: Actor,
    content: bytes,
    *,
    pasted: bool = False,
    name: str = "",
    sender: str = "",
    worksheet: str | None = None,
    heading_row: int | None = None,
) -> FileOpened:
    """The list in a file, read as somebody of the port once said of this sender; what is not known of its columns is
    asked for. Raises `ManifestUnusable`.
    """
    kind = files.kind_of(content)
    grids = await asyncio.to_thread(lists.grids_of, content)
    remembered = await _remembered(database, vault, actor, sender, grids)
    choice = Choice(worksheet=worksheet, heading_row=heading_row, remembered=remembered, asks=True)
    found = sheets.find_list(grids, choice)
    heading = found[0].heading
    if "held_row" in found[0].matched.fields and is_added(heading[-1]):
        # A file that we gave away to be mended: its last column says what is wrong, not why somebody came back.
        found = sheets.find_list(grids, replace(choice, columns={len(heading) - 1: headings.UNUSED}))
    sheet = await asyncio.to_thread(sheets.sheet_of, found, most_rows=sheets.MOST_ROWS, asks=True)
    form: Form = "xlsx" if kind == "workbook" else "paste" if pasted else "csv"
    return FileOpened(content, form, sheet, name, sender)


def sender_digest(vault: Vault, sender: str) -> bytes | None:
    """A sender as it is remembered: keyed, whatever the case and the spaces. None where nobody is named."""
    said = " ".join(sender.casefold().split())
    return vault.digest("sender", said) if said else None


def heading_digests(vault: Vault, heading: Sequence[str]) -> list[bytes | None]:
    """Under which each column is remembered; None for one without a heading beside others that have one."""
    return [vault.digest("heading", key) if key else None for key in headings.keys_of(heading)]


async def _remembered(
    database: Database, vault: Vault, actor: Actor, sender: str, grids: Iterable[Grid]
) -> Mapping[str, str]:
    """What is remembered of headings that stand in this very file: what is kept are digests alone."""
    digest = sender_digest(vault, sender)
    if digest is None:
        return {}
    async with database.work(actor, purpose="manifest") as work:
        known = await store.columns_of(work, digest)
    if not known:
        return {}
    keys = {
        key
        for grid in grids
        for _, heading in sheets.possible_headings(_top(grid))
        for one in (heading[: sheets.MOST_COLUMNS], ("",) * min(len(heading), sheets.MOST_COLUMNS))
        for key in headings.keys_of(one)
    }
    return {key: known[mark] for key in keys if (mark := vault.digest("heading", key)) in known}


def _top(grid: Grid) -> list[Sequence[str]]:
    return list(islice(grid.rows, sheets.HEADING_WITHIN + 1))
