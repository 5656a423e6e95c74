"""Rows that are held back: kept so that they are known again, settled when their person comes in a list or by hand."""

import asyncio
from collections.abc import Container, Iterable, Mapping, Sequence
from functools import partial

import structlog

from services.intake.domain import held
from services.intake.domain.arrivals import Arrival
from services.intake.domain.doubles import Logged
from services.intake.domain.held import Held, Line, Search, Who
from services.intake.domain.likely import Corrected
from services.intake.domain.manifests import HeldRow, Row
from services.intake.store import held as store
from services.intake.store import manifests
from services.intake.store.arrivals import Fetches
from services.intake.store.vault import Damaged, Sealed, Vault, WrongKey
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.work import Work

log = structlog.get_logger()

BREATH = 50
AT_ONCE = 500
MOST_CORRECTED = 20_000
"""So many people are compared with the rows of a list: what is in memory is bounded, whatever the voyage."""


class Holding:
    """Keeps that rows of a list are held back, some at a time, and where it hurt; again changes nothing."""

    def __init__(self, database: Database, vault: Vault, actor: Actor, *, manifest_id: str, voyage_id: str) -> None:
        self._database = database
        self._vault = vault
        self._actor = actor
        self._manifest_id = manifest_id
        self._voyage_id = voyage_id
        self._rows: list[store.NewHeld] = []
        self._problems: list[tuple[int, str, str]] = []
        self.count = 0

    async def hold(self, number: int, who: Who, problems: Iterable[tuple[str, str]]) -> None:
        """Hold back the row with this number: what it says of its person, field and code of each problem."""
        self._rows.append(store.NewHeld(number, tuple(who), _mark(self._vault, who, tuple(who))))
        self._problems += [(number, field, code) for field, code in problems]
        self.count += 1
        if len(self._rows) >= AT_ONCE:
            await self.flush()

    async def flush(self) -> None:
        if self._rows:
            async with self._database.work(self._actor, purpose="manifest") as work:
                await self.write(work)

    async def write(self, work: Work) -> None:
        """Write what waits. The list counts its rejected rows with them, so that its counts add up at any time."""
        rows, self._rows = self._rows, []
        problems, self._problems = self._problems, []
        if rows:
            await manifests.add_problems(work, self._manifest_id, problems)
            await store.add(work, self._manifest_id, rows, voyage_id=self._voyage_id)
            await manifests.count_rejected(work, self._manifest_id)


async def search_held_rows(
    vault: Vault, waiting: Sequence[Held], rows: Iterable[Row], known_from: Mapping[int, str]
) -> Search:
    """Look for rows that earlier lists hold back among those of a list; `known_from` says which list had a row."""
    search = Search(waiting, partial(_mark, vault))
    if not waiting:
        return search
    # Those that name the row they correct come first, so that no likeness takes it from them.
    for naming in (True, False):
        for n, row in enumerate(rows, start=1):
            if bool(row.settles) == naming:
                search.see(Line(who_of(row), row.settles, known_from.get(row.number, "")))
            if n % BREATH == 0:
                await asyncio.sleep(0)
    return search


async def settle_recorded(
    database: Database, vault: Vault, actor: Actor, recorded: Iterable[tuple[str | None, Arrival, str]]
) -> None:
    """The same of whoever was recorded one by one, each with voyage and case, also when it is asked again: whoever was
    cut off after a person was recorded sends that again."""
    some = [(voyage_id, arrival, case_id) for voyage_id, arrival, case_id in recorded if voyage_id is not None]
    waiting = await store.holding(database, {voyage_id for voyage_id, *_ in some}) if some else set()
    for voyage_id, arrival, case_id in some:
        if voyage_id in waiting:
            async with database.work(actor, purpose="reception") as work:
                await settle_logged(work, vault, voyage_id, held.who_arrived(arrival), case_id)


async def settle_logged(work: Work, vault: Vault, voyage_id: str, who: Who, case_id: str) -> None:
    """Hold back no longer who was logged by hand; the voyage's lists still have this person."""
    waiting = await store.list_open(work, voyage_id)
    search = Search(waiting, partial(_mark, vault))
    search.see(Line(who))
    await store.settle(work, list(search.found), logged_as=case_id)


async def find_logged(database: Fetches, vault: Vault, voyage_id: str) -> Logged:
    """Who was logged one by one for a voyage: opened and compared in memory, and shown to nobody.

    One that does not open is left out, and is said to be so: nobody's list waits for it.
    """
    return Logged(await _landed(database, vault, voyage_id))


async def find_corrected(database: Fetches, vault: Vault, voyage_id: str, *, there: Container[str]) -> Corrected:
    """The same of whom lists recorded, but for the cases that are `there`; nobody where these are too many."""
    people = await _landed(database, vault, voyage_id, but_for=there)
    return Corrected(people.values() if len(people) <= MOST_CORRECTED else ())


async def _landed(
    database: Fetches, vault: Vault, voyage_id: str, *, but_for: Container[str] | None = None
) -> dict[str, Who]:
    """Who landed, logged one by one; with `but_for` by lists, without these, and of too many only some."""
    people: dict[str, Who] = {}
    after: str | None = None
    by_list = but_for is not None
    while len(people) <= MOST_CORRECTED or not by_list:
        found = await store.list_one_by_one(database, voyage_id, after=after, limit=AT_ONCE, by_list=by_list)
        if not found:
            break
        for one in found:
            if but_for is not None and one.case_id in but_for:
                continue
            try:
                sealed = Sealed(one.wrapped_key, one.sealed)
                identity = vault.open(sealed, person_id=one.person_id, case_id=one.case_id)
            except (Damaged, WrongKey) as error:
                log.error("logged_not_known_again", case_id=one.case_id, error=type(error).__name__)
                continue
            people[one.case_id] = held.who_is(identity, one.sex, one.origin_regency)
        after = found[-1].case_id
        await asyncio.sleep(0)
    return people


def who_of(row: Row) -> Who:
    """What a row says of its person, also one that is held back."""
    if isinstance(row, HeldRow):
        return row.who
    assert row.arrival is not None
    return held.who_arrived(row.arrival)


def _mark(vault: Vault, who: Who, said: Sequence[str]) -> bytes:
    return vault.digest("held", *(f"{field}={who[field]}" for field in said))
