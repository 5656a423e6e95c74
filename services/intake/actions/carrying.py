"""Carrying somebody of a list over to the list of a later voyage, and back: out of one place and into the other, in
one step."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Literal

import orjson

from services.intake.actions import drafts as drafting
from services.intake.actions import manifests
from services.intake.actions.drafts import Opened
from services.intake.domain import drafts
from services.intake.domain.drafts import Draft, Header, Line
from services.intake.domain.refusals.drafts import DraftMoved
from services.intake.domain.refusals.roll_calls import StaysThere
from services.intake.domain.roll_calls import Call
from services.intake.domain.voyages import Voyage
from services.intake.store import arrivals, carried, held, roll_calls, voyages
from services.intake.store import drafts as store
from services.intake.store.vault import Vault
from services.intake.store.vault import drafting as keys
from services.intake.store.vault.drafting import DraftKey
from shared.contracts import codes
from shared.contracts.intake.lists import DraftChanged, DraftEnded, DraftKept
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.ids import new_id
from shared.kit.work import Work

NOT_CALLED = Call(0, 0, "open")

Step = Callable[[Work], Awaitable[None]]
"""Belongs into the work that changes the row here: both happen or neither. Raises `DraftMoved` when somebody else was
faster."""


@dataclass(frozen=True, slots=True)
class Carrying:
    """The place in a list of the later voyage that a row is put into by `step`."""

    draft_id: str
    row: int
    step: Step


@dataclass(frozen=True, slots=True)
class Fetching:
    """A row here with what stood in the list of the later voyage, which `step` takes out of that."""

    line: Line
    step: Step


async def prepare_carrying(
    database: Database, vault: Vault, actor: Actor, opened: Opened, line: Line, *, here: Voyage, there: Voyage
) -> Carrying:
    """Prepare to put what a row says into the list of those who roll over `there`, sealed under that list's own key.

    Those of one list that go to one voyage are one list there.
    """
    header = _header(opened.header, here)
    digest = vault.digest_of(
        orjson.dumps([opened.draft.draft_id, [*map(drafts.legible, header.heading)], header.fields])
    )
    async with database.work(actor, purpose="manifest") as work:
        found = await carried.find_open(work, there.voyage_id, digest)
        blocks = [] if found is None else await store.blocks_of(work, found.draft.draft_id)
    if found is None:
        return await _into_new(database, vault, header, line, digest, there)
    assert found.wrapped_key is not None
    key = keys.open_key(vault.ring, found.wrapped_key, found.draft.draft_id)
    before = store.opened_lines(key, blocks)
    return await _behind(database, vault, found.draft, key, store.opened_header(key, found.header), before, line, there)


async def prepare_fetching(database: Database, vault: Vault, actor: Actor, call: Call, gone: Line) -> Fetching:
    """Prepare to bring back what a row had said before it was carried over by this call.

    Raises `StaysThere` once the person was called, recorded or held back there.
    """
    if call.next_draft_id is None or call.next_row is None:
        raise StaysThere("long_ago")
    async with database.work(actor, purpose="manifest") as work:
        found = await carried.find(work, call.next_draft_id)
        if found is None or found.wrapped_key is None:
            raise StaysThere("done")
        await _expect_uncalled(work, found.draft, call.next_row)
        if call.next_row in await held.logged_for(work, found.draft):
            raise StaysThere("recorded")
        blocks = await store.blocks_of(work, found.draft.draft_id)
    draft = found.draft
    key = keys.open_key(vault.ring, found.wrapped_key, draft.draft_id)
    header, before = store.opened_header(key, found.header), store.opened_lines(key, blocks)
    voyage = (await voyages.find_many(database, [draft.voyage_id], port=draft.port))[draft.voyage_id]
    place = call.next_row - header.first_row
    line, now = before[place], database.clock.now()
    if line.standing == "known" or line.is_erased or await _is_recorded(database, vault, voyage, header, line):
        raise StaysThere("recorded")
    lines = [*before]
    lines[place] = drafts.moved(line, by=actor.id, at=now)
    absent = {one.number for one in before if one.standing == "absent"}
    judged = await drafting.judge(database, vault, voyage, header, lines, absent)
    change = _changing(draft, key, header, before, judged, "brought_back")

    async def step(work: Work) -> None:
        await change(work)
        # Nobody calls there any more until this work ends: who was faster is seen now.
        if (await roll_calls.calls_of(work, draft, [line.number])).get(line.number, NOT_CALLED).mark != "open":
            raise DraftMoved
        if all(one.standing == "empty" for one in judged):
            await store.end(work, [draft.draft_id], "discarded")
            work.record(DraftEnded(case_id=voyage.voyage_id, draft_id=draft.draft_id, why="discarded"))

    return Fetching(drafts.back(gone, line, by=actor.id, at=now), step)


async def _expect_uncalled(work: Work, draft: Draft, row: int) -> None:
    """Raises `StaysThere`."""
    if draft.state == "sending":
        raise StaysThere("sending")
    if (await roll_calls.calls_of(work, draft, [row])).get(row, NOT_CALLED).mark != "open":
        raise StaysThere("called")
    if await carried.is_held_back(work, draft.draft_id, row):
        raise StaysThere("sent")


async def _is_recorded(database: Database, vault: Vault, voyage: Voyage, header: Header, line: Line) -> bool:
    """Whether this person was recorded with the voyage, by whatever list."""
    rows = await manifests.read_rows(voyage, drafts.sheet_of(header, [line.cells]))
    asked = [(voyage.voyage_id, vault.digest(*row.person)) for row in rows if row.person]
    return bool(asked and await arrivals.known(database, asked))


async def _into_new(
    database: Database, vault: Vault, header: Header, line: Line, digest: bytes, there: Voyage
) -> Carrying:
    lines = await drafting.judge(database, vault, there, header, [_moved_in(line, header.first_row)])
    draft_id = new_id()
    wrapped_key, key = keys.new_key(vault.ring, draft_id)
    draft = store.NewDraft(
        draft_id=draft_id,
        voyage_id=there.voyage_id,
        port=there.port,
        form="carried",
        file_digest=digest,
        sender=None,
        counts=drafts.counted(lines),
        header=store.sealed_header(key, header),
        wrapped_key=wrapped_key,
    )
    blocks = store.sealed_blocks(key, lines)

    async def step(work: Work) -> None:
        await store.add(work, draft, blocks)
        kept = await carried.find_open(work, there.voyage_id, digest)
        if kept is None or kept.draft.draft_id != draft_id:
            raise DraftMoved
        work.record(DraftKept(case_id=there.voyage_id, draft_id=draft_id, form="carried", rows=1))

    return Carrying(draft_id, header.first_row, step)


async def _behind(
    database: Database,
    vault: Vault,
    draft: Draft,
    key: DraftKey,
    header: Header,
    before: list[Line],
    line: Line,
    there: Voyage,
) -> Carrying:
    row = header.first_row + len(before)
    lines = [*before, _moved_in(line, row)]
    absent = {one.number for one in before if one.standing == "absent"}
    judged = await drafting.judge(database, vault, there, header, lines, absent)
    return Carrying(draft.draft_id, row, _changing(draft, key, header, before, judged, "carried"))


def _changing(
    draft: Draft,
    key: DraftKey,
    header: Header,
    before: list[Line],
    judged: list[Line],
    what: Literal["carried", "brought_back"],
) -> Step:
    blocks = store.sealed_blocks(key, judged, before)
    sealed, counts = store.sealed_header(key, header), drafts.counted(judged)

    async def step(work: Work) -> None:
        await work.as_service()  # the list is another voyage's, perhaps another port's, and takes in who comes to it
        if not await store.change(
            work, draft, blocks, counts=counts, header=sealed, in_all=store.blocks_in(len(judged))
        ):
            raise DraftMoved
        work.record(DraftChanged(case_id=draft.voyage_id, draft_id=draft.draft_id, change=what, rows=1))

    return step


def _moved_in(line: Line, number: int) -> Line:
    return Line(number, line.cells, edits=line.edits)


def _header(header: Header, here: Voyage) -> Header:
    """The heading of a list as that of the one there; it says which voyage its people were to come with."""
    came_from = ", ".join(filter(None, (here.vessel, codes.ports()[here.port].name)))
    return replace(
        header,
        first_row=2,
        sender=came_from[: drafts.LONGEST_SENDER],
        filename="",
        differences=None,
        worksheet="",
        others=(),
        hidden_rows=(),
        hidden_columns=(),
        above=(header.heading,),
    )
