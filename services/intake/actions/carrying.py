"""Carrying somebody of a list over to the list of a later voyage: out of one place and into the other, in one step."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import orjson

from services.intake.actions import drafts as drafting
from services.intake.actions.drafts import Opened
from services.intake.domain import drafts
from services.intake.domain.drafts import Draft, Header, Line
from services.intake.domain.refusals.drafts import DraftMoved
from services.intake.domain.voyages import Voyage
from services.intake.store import drafts as store
from services.intake.store.vault import Vault
from services.intake.store.vault import drafting as keys
from services.intake.store.vault.drafting import DraftKey
from shared.contracts import codes
from shared.contracts.intake import DraftChanged, DraftKept
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.ids import new_id
from shared.kit.work import Work

Place = Callable[[Work], Awaitable[None]]


async def prepare_carrying(
    database: Database, vault: Vault, actor: Actor, opened: Opened, line: Line, *, here: Voyage, there: Voyage
) -> Place:
    """Prepare to put what a row says into the list of those who roll over `there`, sealed under that list's own key.

    Those of one list that go to one voyage are one list there. What it answers belongs into the work that empties the
    row here: both happen or neither. Raises `DraftMoved` there when somebody else was faster.
    """
    header = _header(opened.header, here)
    digest = vault.digest_of(
        orjson.dumps([opened.draft.draft_id, [*map(drafts.legible, header.heading)], header.fields])
    )
    async with database.work(actor, purpose="manifest") as work:
        found = await store.find_carried(work, there.voyage_id, digest)
        blocks = [] if found is None else await store.blocks_of(work, found.draft.draft_id)
    if found is None:
        return await _into_new(database, vault, header, line, digest, there)
    assert found.wrapped_key is not None
    key = keys.open_key(vault.ring, found.wrapped_key, found.draft.draft_id)
    before = store.opened_lines(key, blocks)
    return await _behind(database, vault, found.draft, key, store.opened_header(key, found.header), before, line, there)


async def _into_new(
    database: Database, vault: Vault, header: Header, line: Line, digest: bytes, there: Voyage
) -> Place:
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

    async def place(work: Work) -> None:
        await store.add(work, draft, blocks)
        kept = await store.find_carried(work, there.voyage_id, digest)
        if kept is None or kept.draft.draft_id != draft_id:
            raise DraftMoved
        work.record(DraftKept(case_id=there.voyage_id, draft_id=draft_id, form="carried", rows=1))

    return place


async def _behind(
    database: Database,
    vault: Vault,
    draft: Draft,
    key: DraftKey,
    header: Header,
    before: list[Line],
    line: Line,
    there: Voyage,
) -> Place:
    lines = [*before, _moved_in(line, header.first_row + len(before))]
    absent = {one.number for one in before if one.standing == "absent"}
    judged = await drafting.judge(database, vault, there, header, lines, absent)
    blocks = store.sealed_blocks(key, judged, before)
    sealed = store.sealed_header(key, header)

    async def place(work: Work) -> None:
        await work.as_service()  # the list is another voyage's, perhaps another port's, and takes in who comes to it
        counts = drafts.counted(judged)
        if not await store.change(
            work, draft, blocks, counts=counts, header=sealed, in_all=store.blocks_in(len(judged))
        ):
            raise DraftMoved
        work.record(DraftChanged(case_id=there.voyage_id, draft_id=draft.draft_id, change="carried", rows=1))

    return place


def _moved_in(line: Line, number: int) -> Line:
    return Line(number, line.cells)


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
    )
