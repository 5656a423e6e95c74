"""Calling the roll of a voyage on the quay: who is here, who is not and why; by several people at once."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace

from services.intake.actions import drafts as drafting
from services.intake.actions import endings, manifests
from services.intake.actions.arrivals import port_of
from services.intake.actions.carrying import Step, prepare_carrying, prepare_fetching
from services.intake.actions.drafts import Opened, Write
from services.intake.actions.held import who_of
from services.intake.actions.recording import landing_day, told_day
from services.intake.actions.voyages import find_voyage, report_voyage
from services.intake.domain import doubles, drafts, people, sheets
from services.intake.domain.doubles import Place
from services.intake.domain.drafts import Draft, Header, Line, Standing
from services.intake.domain.manifests import HeldRow, Row
from services.intake.domain.refusals.drafts import (
    DraftEnded,
    DraftMoved,
    DraftSending,
    DraftUnknown,
    LineRecorded,
    LineUnknown,
)
from services.intake.domain.refusals.roll_calls import (
    ColumnsUnsaid,
    ComesFromThere,
    DeathToRecord,
    NextVoyageUnknown,
    NotOnAList,
    RollMoved,
    RowCalled,
    RowTakenBack,
)
from services.intake.domain.refusals.voyages import VoyageUnknown
from services.intake.domain.roll_calls import Call, Mark, Reason, uncalled
from services.intake.domain.voyages import Counts, Voyage
from services.intake.store import arrivals, carried, held
from services.intake.store import drafts as drafts_store
from services.intake.store import roll_calls as store
from services.intake.store import voyages as voyages_store
from services.intake.store.vault import Vault
from services.intake.store.vault import drafting as keys
from shared.contracts.intake.lists import ListedAbsent, RollCalled
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.work import Work

MOST_NEXT = 200
TRIES = 30
"""So often a call is prepared again while others change how rows stand; each time one of them is through."""
CALLABLE: tuple[Standing, ...] = ("ready", "mend", "twice", "absent")
WITHOUT_DOUBT: tuple[Standing, ...] = ("ready", "mend")
"""Who can be called all at once; who may stand there twice is called one by one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody of a list. `case_id` is there for who is recorded; `call` is how the row was called last."""

    draft_id: str
    row: int
    name: str
    sex: str | None
    age_band: str | None
    standing: Standing
    call: Call | None = None
    case_id: str | None = None
    was_not_there: Reason | None = None
    """Why somebody was not there who had been recorded."""
    keys: frozenset[str] = frozenset()
    """What others may have as well who are the same person; it lives for one look at the roll."""
    may_be: tuple[Place, ...] = ()
    """Rows of other lists that may be this person."""
    upload: int = 1
    """Which upload of the list the row is of."""

    @property
    def mark(self) -> Mark:
        """How the person counts: who is recorded is here, unless that was an error."""
        if self.standing == "known":
            return "absent" if self.was_not_there else "here"
        return self.call.mark if self.call else "open"

    @property
    def reason(self) -> Reason | None:
        return self.was_not_there or (self.call.reason if self.call else None)

    @property
    def version(self) -> int:
        return (self.call or uncalled(self.row, self.upload)).version


@dataclass(frozen=True, slots=True)
class Sheet:
    """The roll of a voyage: everybody of its lists under way, and how many were recorded besides."""

    voyage: Voyage
    counts: Counts
    drafts: Sequence[Draft]
    entries: Sequence[Entry]

    @property
    def here(self) -> int:
        """Everybody who is recorded, and who was called as here."""
        return self.counts.arrived + sum(one.mark == "here" and one.standing != "known" for one in self.entries)

    @property
    def absent(self) -> int:
        return sum(one.mark == "absent" for one in self.entries)

    @property
    def left(self) -> int:
        return sum(one.mark == "open" for one in self.entries)

    @property
    def to_call(self) -> int:
        """Of those who are left, who may be called all at once."""
        return sum(one.mark == "open" and one.standing in WITHOUT_DOUBT for one in self.entries)

    @property
    def in_all(self) -> int:
        return self.here + self.absent + self.left


async def read_roll(database: Database, vault: Vault, actor: Actor, voyage_id: str, *, form: str) -> Sheet:
    """Everybody of the voyage's lists that are under way; on the trail before they are opened.

    A list of which nobody has said what its columns are is left out. Raises `NotAllowed`, `VoyageUnknown`.
    """
    report = await report_voyage(database, actor, voyage_id)
    entries: list[Entry] = []
    under_way = [one for one in await drafting.list_drafts(database, actor, voyage_id=voyage_id) if not one.asks]
    for draft in under_way:
        try:
            opened = await drafting.open_draft(database, vault, actor, draft.draft_id, form=form)
        except (DraftEnded, DraftUnknown):
            continue  # sent or discarded since
        entries += await _entries(database, vault, actor, report.voyage, opened)
    carried_over = {one.draft_id for one in under_way if one.form == "carried"}
    return Sheet(report.voyage, report.counts, under_way, _with_questions(entries, carried_over))


def _with_questions(entries: Sequence[Entry], carried_over: Set[str]) -> list[Entry]:
    """Who was carried over and is not recorded may stand on another list too, under other details."""
    keys = {Place(one.draft_id, one.row): one.keys for one in entries if one.standing != "known"}
    found = doubles.alike(keys, carried_over)
    return [replace(one, may_be=found.get(Place(one.draft_id, one.row), ())) for one in entries]


async def prepare_call(
    database: Database,
    vault: Vault,
    actor: Actor,
    draft_id: str,
    row: int,
    *,
    version: int,
    mark: Mark,
    reason: Reason | None = None,
    next_voyage_id: str | None = None,
) -> Write:
    """Call somebody of a list as here, or as absent and why, or take a call back (`open`).

    `version` is how the row was called when it was looked at. Calls of different rows do not get into each other's
    way; of the same row, who comes second and says something else gets `RowCalled`. Who was carried over comes back
    with whatever else is said. Raises `LineUnknown`, `LineRecorded`, `NextVoyageUnknown`, `ComesFromThere`,
    `StaysThere`, `RowTakenBack`, and as `open_draft`; what it answers raises `DraftMoved`.
    """
    port_of(actor)
    async with database.work(actor, purpose="manifest") as work:
        draft = await _open(work, draft_id)
        standing = await _standing(work, vault, draft, row)
        called = (await store.calls_of(work, draft, [row])).get(row)
        if next_voyage_id is not None or reason == "rolled_over":
            await _expect_next(work, draft.voyage_id, reason, next_voyage_id)
        is_logged = row in await held.logged_for(work, draft)
        taken_back = standing == "empty" and await carried.is_from_elsewhere(work, draft, row)
    last = called or replace(uncalled(row, draft.upload), by=draft.changed_by, at=draft.changed_at)
    call = Call(row, last.version + 1, mark, reason, next_voyage_id)
    if last.says(mark, reason, next_voyage_id) and (called or standing != "known"):
        return drafting.as_it_is(draft)
    if standing == "known" or is_logged:
        raise LineRecorded
    if last.version != version:
        raise RowCalled(last, call)
    if taken_back:
        raise RowTakenBack
    if standing not in CALLABLE:
        raise LineUnknown
    if "absent" in (mark, last.mark):
        return await _prepare_standing(database, vault, actor, draft_id, call, last)

    async def write(work: Work) -> Draft:
        now = await _held(work, draft_id)
        if now.upload != draft.upload or not await store.add(work, now, [call]):
            raise DraftMoved
        if now.version != draft.version and await _standing(work, vault, now, row) not in CALLABLE:
            raise DraftMoved  # this row is no more what it was: it was taken back to where it came from, say
        _tell(work, now, call, 1)
        return now

    return write


@dataclass(frozen=True, slots=True)
class Called:
    """Of a list: whether the roll of its voyage has begun, and how many that are ready are here."""

    has_begun: bool
    here: int


async def count_called(database: Database, vault: Vault, actor: Actor, draft_id: str) -> Called:
    """How far the roll of a list is. Raises `DraftUnknown`, `DraftEnded`."""
    async with database.work(actor, purpose="look") as work:
        draft = await drafts_store.find(work, draft_id)
        if draft is None:
            raise DraftUnknown
        roll = await store.roll_of(work, draft)
        if not roll.has_begun:
            return Called(False, 0)
        standings = await _standings(work, draft, await _first_row(work, vault, draft))
    return Called(True, sum(standing == "ready" and roll.is_here(row) for row, standing in standings))


async def call_the_rest(work: Work, vault: Vault, voyage_id: str, *, left: int) -> int:
    """Call as here everybody who is left on the lists of a voyage; answers how many.

    `left` is how many that was when it was looked at. Raises `NotAllowed`, `VoyageUnknown`, `RollMoved`.
    """
    port_of(work.actor)
    if await voyages_store.find(work, voyage_id) is None:
        raise VoyageUnknown
    called = 0
    for one in await drafts_store.list_under_way(work, voyage_id=voyage_id):
        if one.asks:
            continue
        draft = await _held(work, one.draft_id)
        first = await _first_row(work, vault, draft)
        calls = (await store.roll_of(work, draft)).calls
        logged = await held.logged_for(work, draft)
        rest = [
            Call(row, (calls.get(row) or uncalled(row, draft.upload)).version + 1, "here")
            for row, standing in await _standings(work, draft, first)
            if standing in WITHOUT_DOUBT and row not in logged and (row not in calls or calls[row].mark == "open")
        ]
        if not rest:
            continue
        if not await store.add(work, draft, rest):
            raise RollMoved
        called += len(rest)
        _tell(work, draft, rest[0], len(rest))
    if called != left:
        raise RollMoved
    return called


async def _prepare_standing(
    database: Database, vault: Vault, actor: Actor, draft_id: str, call: Call, last: Call
) -> Write:
    """Prepare a call by which the row stands otherwise: with the codes of who is absent, or without."""
    opened = await drafting.open_to_change(database, vault, actor, draft_id)
    place = call.row - opened.header.first_row
    lines, line = list(opened.lines), opened.lines[place]
    steps: list[Step] = []
    if line.is_moved:
        fetching = await prepare_fetching(database, vault, actor, last, line)
        lines[place] = line = fetching.line
        steps.append(fetching.step)
    if call.mark == "absent":
        voyage = await find_voyage(database, actor, opened.draft.voyage_id)
        row = (await _read(voyage, opened.header, lines)).get(call.row)
        if row is not None and await _cases(database, vault, voyage, [row]):
            raise LineRecorded  # by another list, since this one was judged
        sex, age_band, origin = _codes(voyage, row)
        call = replace(call, sex=sex, age_band=age_band, origin_regency=origin)
        if call.next_voyage_id is not None:
            there = await _next(database, actor, voyage.voyage_id, call.next_voyage_id)
            async with database.work(actor, purpose="manifest") as work:
                if await carried.came_from(work, opened.draft, call.row, there.voyage_id):
                    raise ComesFromThere
            carrying = await prepare_carrying(database, vault, actor, opened, line, here=voyage, there=there)
            steps.append(carrying.step)
            call = replace(call, next_draft_id=carrying.draft_id, next_row=carrying.row)
            lines[place] = drafts.moved(line, by=actor.id, at=database.clock.now())
    change = await drafting.prepare_change(
        *(database, vault, actor, opened, opened.header, lines, "called"), rows=1, calls=[call]
    )

    async def write(work: Work) -> Draft:
        draft = await change(work)
        _tell(work, draft, call, 1)
        for step in steps:
            await step(work)
        return draft

    return write


async def _open(work: Work, draft_id: str) -> Draft:
    """A draft whose roll can be called. Raises `DraftUnknown`, `DraftEnded`, `DraftSending`, `ColumnsUnsaid`."""
    return _callable(await drafts_store.find(work, draft_id))


async def _held(work: Work, draft_id: str) -> Draft:
    """The same, kept from being sent until this work ends."""
    return _callable(await drafts_store.hold(work, draft_id))


def _callable(draft: Draft | None) -> Draft:
    if draft is None:
        raise DraftUnknown
    if not draft.is_under_way:
        raise DraftEnded
    if draft.state == "sending":
        raise DraftSending
    _expect_read(draft)
    return draft


def _expect_read(draft: Draft) -> None:
    """Raises `ColumnsUnsaid`."""
    if draft.asks:
        raise ColumnsUnsaid


async def _first_row(work: Work, vault: Vault, draft: Draft) -> int:
    sealed = await drafts_store.find_sealed(work, draft.draft_id)
    assert sealed is not None
    if sealed.wrapped_key is None:
        raise DraftEnded
    key = keys.open_key(vault.ring, sealed.wrapped_key, draft.draft_id)
    return drafts_store.opened_header(key, sealed.header).first_row


async def _standing(work: Work, vault: Vault, draft: Draft, row: int) -> Standing:
    """How a row stands. Raises `LineUnknown`."""
    first = await _first_row(work, vault, draft)
    for number, standing in await _standings(work, draft, first):
        if number == row:
            return standing
    raise LineUnknown


async def _standings(work: Work, draft: Draft, first: int) -> list[tuple[int, Standing]]:
    letters = "".join(some for _, some in await drafts_store.standings_of(work, draft.draft_id))
    return [(number, drafts_store.MEANT[letter]) for number, letter in enumerate(letters, start=first)]


async def _expect_next(work: Work, voyage_id: str, reason: Reason | None, next_voyage_id: str | None) -> None:
    """Raises `NextVoyageUnknown` unless it is a later voyage that is still to come, or nobody knows which."""
    if next_voyage_id is None:
        return
    if reason != "rolled_over" or next_voyage_id not in {one.voyage_id for one in await list_next(work, voyage_id)}:
        raise NextVoyageUnknown


async def list_next(work: Work, voyage_id: str) -> list[Voyage]:
    """The voyages, at any port, that somebody may roll over to: announced, and still to come or late."""
    found = await voyages_store.find(work, voyage_id)
    if found is None:
        raise VoyageUnknown
    await work.as_service()  # ships and times of other ports: who rolls over there is theirs from then on
    return [one for one in await voyages_store.still_to_come(work, limit=MOST_NEXT) if one.voyage_id != voyage_id]


async def _next(database: Database, actor: Actor, voyage_id: str, next_voyage_id: str) -> Voyage:
    async with database.work(actor, purpose="manifest") as work:
        found = await list_next(work, voyage_id)
    there = next((one for one in found if one.voyage_id == next_voyage_id), None)
    if there is None:
        raise NextVoyageUnknown
    return there


def _tell(work: Work, draft: Draft, call: Call, rows: int) -> None:
    work.record(
        RollCalled(
            case_id=draft.voyage_id,
            draft_id=draft.draft_id,
            mark=call.mark,
            reason=call.reason,
            next_voyage_id=call.next_voyage_id,
            rows=rows,
        )
    )


async def read_entry(database: Database, vault: Vault, actor: Actor, draft_id: str, row: int, *, form: str) -> Entry:
    """Somebody of a list; on the trail first. Raises `LineUnknown`, `ColumnsUnsaid`, and as `open_draft`."""
    opened = await drafting.open_draft(database, vault, actor, draft_id)
    _expect_read(opened.draft)
    voyage = await find_voyage(database, actor, opened.draft.voyage_id)
    for one in await _entries(database, vault, actor, voyage, opened):
        if one.row == row:
            await drafting.note_reading(database, actor, draft_id, form=form, rows=1)
            return one
    raise LineUnknown


@dataclass(frozen=True, slots=True)
class Absent:
    """Who was recorded and was not there: the arrival's version from now on, and the voyage whose list had it."""

    case_id: str
    version: int
    voyage_id: str


async def record_absence(
    work: Work, case_id: str, *, version: int, reason: Reason, next_voyage_id: str | None
) -> Absent:
    """Somebody whom a list had recorded was not there: the arrival is entered in error, the person listed and absent.

    Raises `NotOnAList`, `DeathToRecord`, `NextVoyageUnknown`, and as `endings.enter_in_error`.
    """
    if reason == "died_on_the_way":
        raise DeathToRecord
    kept = await endings.enter_in_error(work, case_id, version=version, reason="never_arrived", duplicate_of=None)
    voyage_id = await expect_listed(work, case_id)
    await _expect_next(work, voyage_id, reason, next_voyage_id)
    await store.add_absent_arrival(work, case_id, voyage_id=voyage_id, reason=reason, next_voyage_id=next_voyage_id)
    work.record(ListedAbsent(case_id=case_id, voyage_id=voyage_id, reason=reason, next_voyage_id=next_voyage_id))
    return Absent(case_id, kept.version, voyage_id)


async def expect_listed(work: Work, case_id: str) -> str:
    """The voyage on whose list somebody was recorded. Raises `NotOnAList`."""
    voyage_id = await store.voyage_that_listed(work, case_id)
    if voyage_id is None:
        raise NotOnAList
    return voyage_id


async def _entries(database: Database, vault: Vault, actor: Actor, voyage: Voyage, opened: Opened) -> list[Entry]:
    async with database.work(actor, purpose="manifest") as work:
        roll = await store.roll_of(work, opened.draft)
        gone = await store.absent_recorded(work, voyage.voyage_id)
        logged = await held.logged_for(work, opened.draft)
    read = await _read(voyage, opened.header, opened.lines)
    cases = await _cases(database, vault, voyage, read.values())
    named = opened.header.fields.get("full_name")
    found = []
    for line in opened.lines:
        if line.standing in ("empty", "left_out"):
            continue
        row = read.get(line.number)
        call = roll.calls.get(line.number)
        sex, age_band, _ = _codes(voyage, row)
        if row is None and call is not None:  # what it said went to another voyage
            sex, age_band = call.sex, call.age_band
        is_logged = line.number in logged
        case_id = logged.get(line.number) or cases.get(line.number)
        standing: Standing = "known" if is_logged or (case_id and line.standing != "absent") else line.standing
        name = drafts.legible(row.name) if row else ""
        if not name and named is not None and named < len(line.cells):  # it is to be mended, and called all the same
            name = sheets.shown(line.cells[named].strip())
        found.append(
            Entry(
                *(opened.draft.draft_id, line.number, name, sex, age_band, standing, call, case_id),
                gone.get(case_id or ""),
                doubles.keys_of(who_of(row)) if row else frozenset(),
                upload=opened.draft.upload,
            )
        )
    return found


async def _read(voyage: Voyage, header: Header, lines: Sequence[Line]) -> dict[int, Row]:
    sheet = drafts.sheet_of(header, drafts.to_read(lines))
    return {row.number: row for row in await manifests.read_rows(voyage, sheet)}


async def _cases(database: Database, vault: Vault, voyage: Voyage, rows: Iterable[Row]) -> dict[int, str]:
    """The cases of the rows whose people are recorded."""
    asked = {row.number: (voyage.voyage_id, vault.digest(*row.person)) for row in rows if row.person}
    found = await arrivals.known(database, list(asked.values())) if asked else {}
    return {number: found[key].case_id for number, key in asked.items() if key in found}


def _codes(voyage: Voyage, row: Row | None) -> tuple[str | None, str | None, str | None]:
    """Sex, age band and origin, as far as a row says them."""
    if row is None:
        return None, None, None
    if isinstance(row, HeldRow):
        return row.who.get("sex"), None, row.who.get("origin_regency")
    assert row.arrival is not None
    band = people.age_band(row.arrival.birth, landing_day(voyage), told_day(voyage))
    return row.arrival.sex, band, row.arrival.origin_regency
