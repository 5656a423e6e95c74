"""Sending a draft: what is ready is recorded, the rest is held back and stays; who is interrupted goes on."""

import asyncio
from dataclasses import dataclass
from functools import partial

from services.intake.actions import drafts as drafting
from services.intake.actions import manifests
from services.intake.actions.drafts import Opened
from services.intake.actions.voyages import find_voyage
from services.intake.domain import drafts
from services.intake.domain.drafts import Draft
from services.intake.domain.held import reference
from services.intake.domain.manifests import Reading, ToldAnew
from services.intake.domain.refusals.drafts import DraftChanged, DraftMoved, NothingToSend
from services.intake.domain.refusals.manifests import ManifestUnusable, VoyageNotDue
from services.intake.domain.roll_calls import Called, Roll
from services.intake.store import drafts as store
from services.intake.store import held, roll_calls
from services.intake.store.manifests import Manifest, Source
from services.intake.store.vault import Vault
from shared.contracts.intake.lists import DraftEnded
from shared.kit.actor import Actor
from shared.kit.database import Database


@dataclass(frozen=True, slots=True)
class Sent:
    """A draft after it was sent, and the list that it was taken in as."""

    draft: Draft
    manifest: Manifest


async def send_draft(database: Database, vault: Vault, actor: Actor, draft_id: str, *, version: int) -> Sent:
    """Record every row that is ready and hold back the others; a draft of which nothing is left ends.

    Whoever is killed or cut off sends it again: it goes on where it stopped, and records each row once. Raises
    `DraftChanged` when it is not what was looked at, `NothingToSend`, `VoyageNotDue`, `VoyageMoved`,
    `ManifestUnusable` while nobody has said what its columns are, and as `open_draft`.
    """
    opened = await drafting.open_draft(database, vault, actor, draft_id)
    draft = opened.draft
    if draft.version != version:
        raise DraftChanged(draft.changed_by, draft.changed_at)
    voyage = await find_voyage(database, actor, draft.voyage_id)
    if database.clock.now() < voyage.due_from:
        raise VoyageNotDue
    if draft.asks:
        raise ManifestUnusable("columns_unsaid")
    if draft.state == "open":
        if not draft.listed:
            raise NothingToSend
        async with database.work(actor, purpose="manifest") as work:
            if not await store.begin_sending(work, draft):
                raise DraftMoved
    sheet = drafts.sheet_of(opened.header, drafts.to_read(opened.lines))

    # Nobody is called any more from here on.
    async with database.work(actor, purpose="manifest") as work:
        roll = (await roll_calls.roll_of(work, draft)).without(await held.logged_for(work, draft))
    digest = drafts.list_digest(draft)
    anew = {line.number for line in opened.lines if line.recorded}

    async def read() -> Reading | ToldAnew | Called:
        read_now = await manifests.reading_of(voyage, sheet)
        reading = ToldAnew(read_now, anew) if anew else read_now
        if not roll.has_begun:
            return reading
        rows = [*reading]
        preview = await manifests.preview_rows(database, vault, voyage, sheet, rows)
        return Called(reading, {row.number for row in rows}, preview.known, roll, partial(reference, digest))

    source = Source(draft.draft_id, draft.upload)
    taken = await manifests.take_in_rows(database, vault, actor, voyage, digest, read, source)
    return Sent(await _finish(database, vault, actor, opened, taken, roll), taken)


async def _finish(database: Database, vault: Vault, actor: Actor, opened: Opened, taken: Manifest, roll: Roll) -> Draft:
    """Say of each row how it stands now; end what has nothing left. Who comes second finds it done."""
    draft = opened.draft
    judged = opened.lines
    if taken.rejected:
        voyage = await find_voyage(database, actor, draft.voyage_id)
        judged = await drafting.judge(database, vault, voyage, opened.header, opened.lines, roll.absent)
        counts = drafts.counted(judged)
    else:
        # Everybody is recorded, and the list ends: nothing of it has to be looked at again.
        counts = dict.fromkeys(drafts.STANDINGS, 0)
        counts |= {"known": draft.listed, "empty": draft.empty, "left_out": draft.left_out}
    blocks = store.sealed_blocks(opened.key, judged, opened.lines)
    header = store.sealed_header(opened.key, opened.header)
    async with database.work(actor, purpose="manifest") as work:
        done = await store.change(
            work, draft, blocks, counts=counts, header=header, in_all=store.blocks_in(len(judged)), was="sending"
        )
        if done and not any(counts[one] for one in ("ready", "mend", "twice")) and not roll.waits:
            await store.end(work, [draft.draft_id], "sent")
            work.record(DraftEnded(case_id=draft.voyage_id, draft_id=draft.draft_id, why="sent"))
        now = await store.find(work, draft.draft_id)
    assert now is not None
    return now


class Runs:
    """Drafts that are being sent by this process, each once, while people look on."""

    def __init__(self) -> None:
        self._tasks: dict[tuple[str, str, int], asyncio.Task[Sent]] = {}

    def send(
        self, database: Database, vault: Vault, actor: Actor, draft_id: str, *, version: int
    ) -> asyncio.Task[Sent]:
        """Send a draft as `send_draft`, or join whoever began it a moment ago."""
        run = (actor.id, draft_id, version)
        if run not in self._tasks:
            task = asyncio.create_task(send_draft(database, vault, actor, draft_id, version=version))
            self._tasks[run] = task
            task.add_done_callback(partial(self._ended, run))
        return self._tasks[run]

    async def aclose(self) -> None:
        """Let go of what is under way; who sends it again goes on."""
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, run: tuple[str, str, int], task: asyncio.Task[Sent]) -> None:
        self._tasks.pop(run, None)
        if not task.cancelled():
            task.exception()  # whoever waits has it; of who does not, the draft says that it is not sent yet
