"""Rows that are held back: kept so that they are known again, settled when their person comes in a list or by hand."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

from services.intake.domain import held, manifests
from services.intake.domain.arrivals import Arrival
from services.intake.domain.held import Held, Line, Search, Who
from services.intake.domain.manifests import HeldRow, Row
from services.intake.domain.sheets import Sheet
from services.intake.store import held as store
from services.intake.store.vault import Vault
from shared.kit.work import Work

BREATH = 50


async def keep_held_rows(
    work: Work, vault: Vault, rows: Sequence[tuple[int, Who]], *, manifest_id: str, voyage_id: str
) -> None:
    """Keep that rows of a list are held back, by number and what they say of their person; again changes nothing."""
    if rows:
        new = [store.NewHeld(number, tuple(who), _mark(vault, who, tuple(who))) for number, who in rows]
        await store.add(work, manifest_id, new, voyage_id=voyage_id)


async def search_held_rows(
    vault: Vault, waiting: Sequence[Held], sheet: Sheet, rows: Sequence[Row], known_from: Mapping[int, str]
) -> Search:
    """Look for rows that earlier lists hold back among those of a list; `known_from` says which list had a row."""
    search = Search(waiting, partial(_mark, vault))
    if not waiting:
        return search
    lines = [Line(_who(row), manifests.reference_in(sheet, row), known_from.get(row.number, "")) for row in rows]
    # Those that name the row they correct come first, so that no likeness takes it from them.
    for n, line in enumerate(sorted(lines, key=lambda line: not line.settles), start=1):
        search.see(line)
        if n % BREATH == 0:
            await asyncio.sleep(0)
    return search


async def settle_logged(work: Work, vault: Vault, voyage_id: str, arrival: Arrival) -> None:
    """Hold back no longer who was logged by hand; the voyage's lists still have this person."""
    waiting = await store.list_open(work, voyage_id)
    search = Search(waiting, partial(_mark, vault))
    search.see(Line(held.who_arrived(arrival)))
    await store.settle(work, list(search.found), by=None)


def _who(row: Row) -> Who:
    if isinstance(row, HeldRow):
        return row.who
    assert row.arrival is not None
    return held.who_arrived(row.arrival)


def _mark(vault: Vault, who: Who, said: Sequence[str]) -> bytes:
    return vault.digest("held", *(f"{field}={who[field]}" for field in said))
