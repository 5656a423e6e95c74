"""Name lists: looked at as often as one likes, then taken in once, in batches that can be interrupted anywhere."""

import asyncio
import hashlib
import io
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from services.intake.actions import lists
from services.intake.actions.arrivals import is_known_person, port_of
from services.intake.actions.held import MOST_CORRECTED, Holding, find_corrected, find_logged, search_held_rows
from services.intake.actions.recording import BATCH, BREATH, Recording, landing_day, submission_of, told_day
from services.intake.domain import manifests
from services.intake.domain.held import Search, Who, who_arrived
from services.intake.domain.likely import Corrected
from services.intake.domain.manifests import Reading, Row, ToldAnew
from services.intake.domain.parties import in_parties
from services.intake.domain.problems import Problem
from services.intake.domain.refusals.manifests import RollBegun, VoyageNotDue
from services.intake.domain.refusals.voyages import VoyageMoved
from services.intake.domain.roll_calls import Called
from services.intake.domain.sheets import NOTHING_CHOSEN, Choice, Sheet
from services.intake.domain.texts import File
from services.intake.domain.voyages import Voyage
from services.intake.store import arrivals, roll_calls, voyages
from services.intake.store import held as held_rows
from services.intake.store import manifests as store
from services.intake.store.arrivals import Fetches
from services.intake.store.vault import Vault
from shared.contracts.intake.lists import ManifestConfirmed
from shared.kit.actor import Actor
from shared.kit.crash import crash_point
from shared.kit.database import Database
from shared.kit.ids import new_id
from shared.kit.work import Work

NOBODY = Corrected()
T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Preview:
    """A list as it would be taken in now, row by row; `known` are the numbers of rows taken in before."""

    sheet: Sheet
    rows: Sequence[Row]
    known: frozenset[int]

    @property
    def ready(self) -> int:
        return len(self.rows) - self.held - len(self.known)

    @property
    def held(self) -> int:
        return sum(row.arrival is None for row in self.rows)


async def preview_manifest(
    database: Database, vault: Vault, voyage: Voyage, content: bytes, choice: Choice = NOTHING_CHOSEN
) -> Preview:
    """Read a list and say what would become of each row; nothing is kept. Raises `ManifestUnusable`."""
    sheet, rows = await read_manifest(voyage, content, choice)
    return await preview_rows(database, vault, voyage, sheet, rows)


async def preview_rows(database: Fetches, vault: Vault, voyage: Voyage, sheet: Sheet, rows: Sequence[Row]) -> Preview:
    """Say what would become of each row of a list that was read, now that others may have been taken in or logged."""
    known: set[int] = set()
    wrong: dict[int, str] = {}
    there: set[str] = set()
    new: dict[int, Who] = {}
    logged = await find_logged(database, vault, voyage.voyage_id)
    for batch in _batches([row for row in rows if row.arrival is not None]):
        sent = {row.number: submission_of(vault, voyage, row, voyage.expected_at) for row in batch}
        found = await arrivals.known(database, [(s.scope, s.key) for s in sent.values()])
        for number, submitted in sent.items():
            before = found.get((submitted.scope, submitted.key))
            if before is not None:
                there.add(before.case_id)
                if is_known_person(vault, submitted, before):
                    known.add(number)
                else:
                    wrong[number] = "known_differently"
            elif case_id := logged.find(who := who_arrived(submitted.arrival)):
                logged.take(case_id)
                known.add(number)
            elif logged.may_be(who):
                wrong[number] = "logged_maybe"
            else:
                new[number] = who
    if new and len(rows) <= MOST_CORRECTED:
        corrected = await find_corrected(database, vault, voyage.voyage_id, there=there)
        wrong |= dict.fromkeys((number for number, who in new.items() if corrected.may_be(who)), "known_differently")
    rows = [_held_for(sheet, row, wrong[row.number]) if row.number in wrong else row for row in rows]
    return Preview(sheet, rows, frozenset(known))


async def take_in_manifest(
    database: Database,
    vault: Vault,
    actor: Actor,
    voyage: Voyage,
    content: bytes,
    choice: Choice = NOTHING_CHOSEN,
) -> store.Manifest:
    """Record every row that is ready, hold back the others, tell `ManifestConfirmed`.

    Raises `VoyageNotDue` while its ship is at sea, `VoyageMoved` when it was corrected meanwhile, `RollBegun` once
    somebody was called, and `ManifestUnusable`.
    The same file again answers the same counts and records nothing. After an interruption, sending the file again
    goes on where it stopped: each row is recorded once, whichever batch it was in.
    """
    file = io.BytesIO(content)
    return await take_in_file(database, vault, actor, voyage, file, hashlib.sha256(content), choice)


async def take_in_file(
    database: Database,
    vault: Vault,
    actor: Actor,
    voyage: Voyage,
    file: File,
    hashed: "hashlib._Hash",
    choice: Choice = NOTHING_CHOSEN,
) -> store.Manifest:
    """As `take_in_manifest`, of a file of any size; `hashed` is the SHA-256 of it."""
    # A workbook may hold several lists: each of its sheets that somebody chose is a list of its own.
    digest = hashed.copy()
    digest.update((choice.worksheet or "").encode("utf-8", "surrogatepass"))
    async with database.work(actor, purpose="look") as work:
        known = await store.find_by_file(work, voyage.voyage_id, digest.digest())
        if known is None and await roll_calls.has_begun(work, voyage.voyage_id):
            raise RollBegun

    async def read() -> Reading:
        return await reading_of(voyage, await lists.open_large(file, choice))

    return await take_in_rows(database, vault, actor, voyage, digest.digest(), read)


async def take_in_rows(
    database: Database,
    vault: Vault,
    actor: Actor,
    voyage: Voyage,
    digest: bytes,
    read: Callable[[], Awaitable[Reading | ToldAnew | Called]],
    source: store.Source | None = None,
) -> store.Manifest:
    """Take in what `read` reads, as `take_in_manifest`; `digest` stands for the list, which is taken in once.

    The rows are recorded batch by batch while they are read, so that of many none has to be kept.
    """
    before = await _find_by_file(database, actor, voyage, digest)
    if before is not None and before.finished_at is not None:
        return before
    now = database.clock.now()
    if now < voyage.due_from:
        raise VoyageNotDue
    rows = await read()
    voyage_id = voyage.voyage_id
    async with database.work(actor, purpose="manifest") as work:
        # Ages were read for the day of the voyage as it was seen, and stay so from this list on.
        if not await voyages.is_as_seen(work, voyage):
            raise VoyageMoved
        manifest_id = await store.begin(
            work, manifest_id=new_id(), voyage_id=voyage_id, file_digest=digest, listed=rows.listed, source=source
        )
        waiting = await held_rows.list_open(work, voyage_id, before=manifest_id)
    crash_point("manifest.after_begin")
    is_first = not await arrivals.has_any(database, voyage_id)
    holding = Holding(database, vault, actor, manifest_id=manifest_id, voyage_id=voyage_id)
    arrived_at = min(now, voyage.expected_at)
    logged = await find_logged(database, vault, voyage_id)
    corrected = NOBODY if is_first else await _find_corrected(database, vault, voyage, rows)
    recording = Recording(
        *(database, vault, actor, voyage, manifest_id, arrived_at, holding, logged, corrected),
        is_first=is_first,
        asked=bool(waiting),
    )
    await recording.run(rows)
    search = await search_held_rows(vault, waiting, rows, recording.known)
    crash_point("manifest.after_rows")
    async with database.work(actor, purpose="manifest") as work:
        await holding.write(work)
        finished = await store.finish(work, manifest_id, rejected=holding.count)
        if finished is not None:
            await _take_the_place(work, search, recording.repeated, manifest_id=manifest_id, voyage_id=voyage_id)
            await work.lock_cases(recording.settled.values())
            await held_rows.settle_as_logged(work, manifest_id, recording.settled)
            if source is not None:
                await held_rows.settle_logged_again(work, manifest_id)
            work.emit(_confirmed(finished))
    crash_point("manifest.after_finish")
    done = finished or await _find_by_file(database, actor, voyage, digest)
    assert done is not None
    return done


async def list_problems(
    database: Database, actor: Actor, manifest_id: str, *, limit: int
) -> tuple[list[tuple[int, str, str]], int]:
    """Row number, field and code of what was wrong with the rows of a list that were held back; and how many."""
    port_of(actor)
    async with database.work(actor, purpose="look") as work:
        return await store.problems_of(work, manifest_id, limit=limit)


async def read_manifest(voyage: Voyage, content: bytes, choice: Choice = NOTHING_CHOSEN) -> tuple[Sheet, list[Row]]:
    """Read all rows of a list, letting others run in between. Raises `ManifestUnusable`."""
    sheet = await lists.open_list(content, choice)
    return sheet, await read_rows(voyage, sheet)


async def read_rows(voyage: Voyage, sheet: Sheet) -> list[Row]:
    """Read the rows of a sheet, letting others run in between."""
    reading = await reading_of(voyage, sheet)
    rows: list[Row] = []
    for n, party in enumerate(in_parties(reading, reading.named.values()), start=1):
        rows += party
        if n % BREATH == 0:
            await asyncio.sleep(0)
    return sorted(rows, key=lambda row: row.number)


async def reading_of(voyage: Voyage, sheet: Sheet) -> Reading:
    """The rows of a sheet, to be gone through.

    Ages are taken as of the day that they are told for: the same list says the same, whenever it is sent.
    """
    return await asyncio.to_thread(manifests.read, sheet, on=landing_day(voyage), told_on=told_day(voyage))


async def in_turn(open_one: Callable[[T], list[S]], things: Sequence[T]) -> list[S]:
    """What each thing opens to, one after another, letting others run in between."""
    found: list[S] = []
    for thing in things:
        found += open_one(thing)
        await asyncio.sleep(0)
    return found


async def _find_corrected(database: Fetches, vault: Vault, voyage: Voyage, rows: Iterable[Row]) -> Corrected:
    """Who of the voyage's lists stands on this one by no row as they were recorded. Of a list that is longer than any
    ship's nobody is looked for.
    """
    there: set[str] = set()
    batch: list[Row] = []
    for n, row in enumerate(chain(rows, (None,)), start=1):
        if n > MOST_CORRECTED:
            return NOBODY
        if row is not None and row.arrival is not None:
            batch.append(row)
        if batch and (row is None or len(batch) == BATCH):
            sent = [submission_of(vault, voyage, one, voyage.expected_at) for one in batch]
            known = await arrivals.known(database, [(one.scope, one.key) for one in sent])
            there.update(one.case_id for one in known.values())
            batch = []
    return await find_corrected(database, vault, voyage.voyage_id, there=there)


async def _find_by_file(database: Database, actor: Actor, voyage: Voyage, digest: bytes) -> store.Manifest | None:
    async with database.work(actor, purpose="look") as work:
        return await store.find_by_file(work, voyage.voyage_id, digest)


async def _take_the_place(
    work: Work, search: Search, recorded: Counter[str], *, manifest_id: str, voyage_id: str
) -> None:
    """Settle held rows that stand in this list, and whole earlier lists of which it is a later version."""
    repeated = [
        store.Repeated(earlier, recorded[earlier], search.likely[earlier])
        for earlier in sorted(recorded.keys() | search.likely.keys())
    ]
    if not repeated:
        return
    replaced = await store.supersede(work, repeated, by=manifest_id, voyage_id=voyage_id)
    await held_rows.settle(work, list(search.found), by=manifest_id)
    await held_rows.settle_lists(work, replaced, by=manifest_id)


def _held_for(sheet: Sheet, row: Row, code: str) -> Row:
    heading = sheet.heading[sheet.fields["full_name"]].strip()
    problem = Problem(row.number, "full_name", heading, row.name, code)
    return Row(row.number, row.name, None, (problem,))


def _confirmed(manifest: store.Manifest) -> ManifestConfirmed:
    return ManifestConfirmed(
        case_id=manifest.voyage_id,
        manifest_id=manifest.manifest_id,
        listed=manifest.listed,
        accepted=manifest.accepted or 0,
        rejected=manifest.rejected,
        known=manifest.known or 0,
    )


def _batches(things: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(things), BATCH):
        yield things[start : start + BATCH]
