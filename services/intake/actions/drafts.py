"""Name lists that were uploaded and are not done with: kept sealed, looked at, changed, discarded.

What takes long is prepared outside the transaction; what `prepare_…` answers writes it, or raises `DraftMoved` when
somebody else was faster: then it is prepared again.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from services.intake.actions import manifests
from services.intake.actions.arrivals import port_of
from services.intake.actions.voyages import find_voyage
from services.intake.domain import drafts
from services.intake.domain.drafts import Before, Draft, Header, Line, Standing
from services.intake.domain.refusals.drafts import (
    DraftCarried,
    DraftChanged,
    DraftEnded,
    DraftMoved,
    DraftSending,
    DraftUnknown,
    LineUnknown,
)
from services.intake.domain.roll_calls import Call
from services.intake.domain.voyages import Voyage
from services.intake.store import drafts as store
from services.intake.store import roll_calls
from services.intake.store.arrivals import Fetches
from services.intake.store.vault import Vault, drafting
from services.intake.store.vault.drafting import DraftKey
from shared.contracts.intake import lists as facts
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.work import Work

Write = Callable[[Work], Awaitable[Draft]]
"""Writes what was prepared. Raises `DraftMoved`."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A draft with what it says."""

    draft: Draft
    header: Header
    lines: Sequence[Line]
    key: DraftKey


@dataclass(frozen=True, slots=True)
class Sight:
    """Some lines of a draft; `after` is the place after which to go on, None where there are no more."""

    draft: Draft
    header: Header
    lines: Sequence[Line]
    in_all: int
    after: int | None


async def list_drafts(database: Database, actor: Actor, *, voyage_id: str | None = None) -> list[Draft]:
    """The drafts of the actor's port that are not done with, in counts. Raises `NotAllowed`."""
    port_of(actor)
    async with database.work(actor, purpose="look") as work:
        return await store.list_under_way(work, voyage_id=voyage_id)


async def find_draft(database: Database, actor: Actor, draft_id: str) -> Draft:
    """A draft in codes and counts. Raises `NotAllowed` or `DraftUnknown`."""
    port_of(actor)
    async with database.work(actor, purpose="look") as work:
        draft = await store.find(work, draft_id)
    if draft is None:
        raise DraftUnknown
    return draft


async def read_draft(
    database: Database,
    vault: Vault,
    actor: Actor,
    draft_id: str,
    *,
    standings: Sequence[Standing],
    after: int,
    limit: int,
    form: str,
) -> Sight:
    """The lines that stand so, `limit` of them after a place; on the trail before they are opened.

    Raises `NotAllowed`, `DraftUnknown` or `DraftEnded`.
    """
    port_of(actor)
    wanted = {store.LETTERS[standing] for standing in standings}
    async with database.work(actor, purpose="manifest") as work:
        sealed = await _sealed(work, draft_id)
        places = [
            block * store.BLOCK + n
            for block, letters in await store.standings_of(work, draft_id)
            for n, letter in enumerate(letters)
            if letter in wanted
        ]
        chosen = [place for place in places if place > after][: limit + 1]
        more, chosen = len(chosen) > limit, chosen[:limit]
        numbers = sorted({place // store.BLOCK for place in chosen})
        blocks = await store.blocks_of(work, draft_id, numbers) if numbers else []
        if chosen:
            _note_reading(work, sealed.draft, form, len(chosen))
    assert sealed.wrapped_key is not None
    key = drafting.open_key(vault.ring, sealed.wrapped_key, draft_id)
    lines: dict[int, Line] = {}
    for block in blocks:
        opened = store.opened_lines(key, [block])
        lines.update((block.block * store.BLOCK + n, line) for n, line in enumerate(opened))
    header = store.opened_header(key, sealed.header)
    return Sight(
        sealed.draft, header, [lines[place] for place in chosen], len(places), chosen[-1] if more and chosen else None
    )


async def read_line(database: Database, vault: Vault, actor: Actor, draft_id: str, number: int, *, form: str) -> Line:
    """One row with all its cells; on the trail first. Raises `LineUnknown`, and as `open_draft`."""
    port_of(actor)
    async with database.work(actor, purpose="manifest") as work:
        sealed = await _sealed(work, draft_id)
        assert sealed.wrapped_key is not None
        key = drafting.open_key(vault.ring, sealed.wrapped_key, draft_id)
        place = number - store.opened_header(key, sealed.header).first_row
        blocks = await store.blocks_of(work, draft_id, [place // store.BLOCK])
        if place < 0 or not blocks or place % store.BLOCK >= len(blocks[0].standings):
            raise LineUnknown
        _note_reading(work, sealed.draft, form, 1)
    return store.opened_lines(key, blocks)[place % store.BLOCK]


async def open_draft(
    database: Database, vault: Vault, actor: Actor, draft_id: str, *, form: str | None = None
) -> Opened:
    """A draft with all its lines; with `form` on the trail first, as what they are handed out in.

    Raises `NotAllowed`, `DraftUnknown` or `DraftEnded`.
    """
    port_of(actor)
    async with database.work(actor, purpose="manifest") as work:
        sealed = await _sealed(work, draft_id)
        blocks = await store.blocks_of(work, draft_id)
        if form is not None:
            _note_reading(work, sealed.draft, form, sealed.draft.lines)
    assert sealed.wrapped_key is not None
    key = drafting.open_key(vault.ring, sealed.wrapped_key, draft_id)
    header = store.opened_header(key, sealed.header)
    return Opened(
        sealed.draft, header, await manifests.in_turn(lambda one: store.opened_lines(key, [one]), blocks), key
    )


async def note_reading(database: Database, actor: Actor, draft_id: str, *, form: str, rows: int) -> None:
    """Put on the trail that something of a draft is shown. Raises `DraftUnknown`."""
    async with database.work(actor, purpose="manifest") as work:
        draft = await store.find(work, draft_id)
        if draft is None:
            raise DraftUnknown
        _note_reading(work, draft, form, rows)


async def discard_draft(work: Work, draft_id: str, *, version: int | None = None) -> Draft:
    """Destroy what an uploaded list says; with a version, only what was looked at.

    Raises `NotAllowed`, `DraftUnknown`, `DraftEnded`, `DraftSending`, `DraftCarried` or `DraftChanged`.
    """
    port_of(work.actor)
    draft = await store.hold(work, draft_id, to_end_it=True)
    if draft is None:
        raise DraftUnknown
    if not draft.is_under_way:
        raise DraftEnded
    if draft.state == "sending":
        raise DraftSending
    if draft.form == "carried":
        raise DraftCarried
    check_version(draft, version)
    if await store.end(work, [draft_id], "discarded"):
        work.record(facts.DraftEnded(case_id=draft.voyage_id, draft_id=draft_id, why="discarded"))
    return draft


async def open_to_change(database: Database, vault: Vault, actor: Actor, draft_id: str) -> Opened:
    """A draft that can be changed, with all its lines. Raises `DraftSending`, and as `open_draft`."""
    opened = await open_draft(database, vault, actor, draft_id)
    if opened.draft.state == "sending":
        raise DraftSending
    return opened


async def prepare_change(
    database: Database,
    vault: Vault,
    actor: Actor,
    opened: Opened,
    header: Header,
    lines: list[Line],
    what: str,
    *,
    rows: int,
    file_digest: bytes | None = None,
    numbers: Mapping[int, int] | None = None,
    calls: Sequence[Call] = (),
) -> Write:
    """Prepare to write other lines of a draft; `what` names the change.

    `numbers`: in another file, which row of the one before a row is. `calls`: who is called with it.
    """
    voyage = await find_voyage(database, actor, opened.draft.voyage_id)
    async with database.work(actor, purpose="manifest") as work:
        roll = await roll_calls.roll_of(work, opened.draft)
    absent = roll.with_calls(calls).absent
    if numbers is not None:
        absent = frozenset(now for now, was in numbers.items() if was in absent)
    were = {line.number: line.number for line in lines} if numbers is None else numbers
    said = {were[line.number]: line.cells for line in lines if line.number in were}
    recorded = await _recorded_before(vault, voyage, opened, header, said)
    judged = await judge(database, vault, voyage, header, drafts.told_anew(recorded, lines, were), absent)
    blocks = store.sealed_blocks(opened.key, judged, opened.lines)
    sealed = store.sealed_header(opened.key, header)
    draft = opened.draft

    async def write(work: Work) -> Draft:
        done = await store.change(
            work,
            draft,
            blocks,
            counts=drafts.counted(judged),
            header=sealed,
            in_all=store.blocks_in(len(judged)),
            file_digest=file_digest,
            asks=header.asks,
        )
        if not done or (calls and not await roll_calls.add(work, draft, calls)):
            raise DraftMoved
        if numbers:
            known = {line.number for line in judged if line.standing == "known"}
            await roll_calls.take_over(work, draft, {now: was for now, was in numbers.items() if now not in known})
        if calls:
            return await _found(work, draft.draft_id)
        work.record(facts.DraftChanged(case_id=draft.voyage_id, draft_id=draft.draft_id, change=what, rows=rows))
        return await _found(work, draft.draft_id)

    return write


async def _recorded_before(
    vault: Vault, voyage: Voyage, opened: Opened, header: Header, now: Mapping[int, Sequence[str]]
) -> dict[int, Before]:
    """What the lines of a draft said whose people are recorded; `now` is what each says by now.

    Of those that say something else, or are read otherwise, it is kept who was recorded: an erasure has to find them.
    """
    known = [line for line in opened.lines if line.standing == "known"]
    is_read_alike = header.fields == opened.header.fields
    anew = {line.number for line in known if line.number in now} - {
        line.number for line in known if is_read_alike and now.get(line.number) == line.cells
    }
    persons: dict[int, bytes] = {}
    if anew:
        records = [line.cells if line.number in anew else () for line in opened.lines]
        rows = await manifests.read_rows(voyage, drafts.sheet_of(opened.header, records))
        persons = {row.number: vault.digest(*row.person) for row in rows}
    recorded = {
        line.number: Before(drafts.overview(opened.header, line), persons.get(line.number, b"")) for line in known
    }
    return recorded | {line.number: line.recorded for line in opened.lines if line.recorded}


async def judge(
    database: Fetches,
    vault: Vault,
    voyage: Voyage,
    header: Header,
    lines: Sequence[Line],
    absent: Collection[int] = (),
) -> list[Line]:
    """The same lines as they stand now that others may have been taken in, and some may be called as absent."""
    if header.asks:
        return drafts.unread(lines)
    sheet = drafts.sheet_of(header, drafts.to_read(lines))
    rows = await manifests.read_rows(voyage, sheet)
    preview = await manifests.preview_rows(database, vault, voyage, sheet, rows)
    return drafts.with_spoilt(drafts.judged(lines, preview.rows, preview.known, absent), header)


async def _found(work: Work, draft_id: str) -> Draft:
    found = await store.find(work, draft_id)
    assert found is not None
    return found


async def _sealed(work: Work, draft_id: str) -> store.Sealed:
    sealed = await store.find_sealed(work, draft_id)
    if sealed is None:
        raise DraftUnknown
    if sealed.wrapped_key is None:
        raise DraftEnded
    return sealed


def check_version(draft: Draft, version: int | None) -> None:
    if version is not None and draft.version != version:
        raise DraftChanged(draft.changed_by, draft.changed_at)


def as_it_is(draft: Draft) -> Write:
    async def write(work: Work) -> Draft:  # noqa: ARG001
        return draft

    return write


def _note_reading(work: Work, draft: Draft, form: str, rows: int) -> None:
    work.record(facts.DraftRead(case_id=draft.voyage_id, draft_id=draft.draft_id, form=form, rows=rows))
