"""The roll of a voyage as a file: every listed row, how it was called, why, by whom and when."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from services.intake.actions import spreadsheets
from services.intake.actions.giving_back import XLSX, File, FileForm
from services.intake.actions.roll_calls import Entry, read_roll
from services.intake.domain.voyages import Voyage
from services.intake.gateways import workbooks
from services.intake.store import listed, voyages
from services.intake.store.vault import Vault
from shared.kit.actor import Actor
from shared.kit.database import Database

NAME = "absen"


@dataclass(frozen=True, slots=True)
class Told:
    """A row of the file. `following`: the voyage that the person is to come with, where it is known."""

    entry: Entry
    following: Voyage | None


Tell = Callable[[Voyage, Told], Sequence[str]]
"""The cells of a row, in the words of whom it is for."""


async def take_roll_away(
    database: Database,
    vault: Vault,
    actor: Actor,
    voyage_id: str,
    *,
    form: FileForm,
    heading: Sequence[str],
    tell: Tell,
) -> File:
    """The roll of a voyage as a file; on the trail first. Raises as `read_roll`.

    Names stand in it of lists under way alone. Who is recorded by a list that is done with stands there by case, and
    who was absent of it by codes: the list took its words along.
    """
    sheet = await read_roll(database, vault, actor, voyage_id, form=form)
    async with database.work(actor, purpose="manifest") as work:
        rows = await listed.without_words(work, voyage_id)
        entries = [*_as_called(sheet.entries, rows), *_others(rows, sheet.entries)]
        asked = {one.call.next_voyage_id for one in entries if one.call and one.call.next_voyage_id}
        following = await voyages.find_any(work, asked)
    told = [Told(one, following.get((one.call and one.call.next_voyage_id) or "")) for one in entries]
    lines = [heading, *(tell(sheet.voyage, one) for one in told)]
    if form == "csv":
        return File(f"{NAME}.csv", "text/csv; charset=utf-8", spreadsheets.as_csv(lines))
    return File(f"{NAME}.xlsx", XLSX, await asyncio.to_thread(workbooks.workbook, lines))


def _as_called(entries: Sequence[Entry], rows: Sequence[listed.Listed]) -> list[Entry]:
    """The same, and how they were called whom an earlier upload of their list has recorded."""
    before = {(one.draft_id, one.case_id): one.call for one in rows}
    return [replace(one, call=one.call or before.get((one.draft_id, one.case_id))) for one in entries]


def _others(rows: Sequence[listed.Listed], entries: Sequence[Entry]) -> list[Entry]:
    """Those who do not stand on a list under way."""
    cases = {one.case_id for one in entries if one.case_id}
    return [
        Entry(
            *(one.draft_id, one.row, "", one.sex, one.age_band, "known" if one.case_id else "absent"),
            *(one.call, one.case_id, one.was_not_there),
        )
        for one in rows
        if one.case_id not in cases
    ]
