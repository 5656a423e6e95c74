"""Files that are uploaded into a draft: a list for the first time, and corrected in the place of the one before."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from services.intake.actions import coming_back, manifests
from services.intake.actions import drafts as drafting
from services.intake.actions.coming_back import HELD_ROW
from services.intake.actions.drafts import Write
from services.intake.actions.held import who_of
from services.intake.actions.opening import FileOpened, sender_digest
from services.intake.actions.voyages import find_voyage
from services.intake.domain import drafts, uploads
from services.intake.domain.drafts import Draft, Header, Line
from services.intake.domain.held import Who
from services.intake.domain.likely import likely_again
from services.intake.domain.refusals.drafts import DraftCarried, DraftOfThisFile
from services.intake.domain.refusals.manifests import ManifestUnusable
from services.intake.domain.uploads import Compared
from services.intake.domain.voyages import Voyage
from services.intake.store import drafts as store
from services.intake.store.vault import Vault
from services.intake.store.vault import drafting as keys
from shared.contracts.intake import lists as facts
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.ids import new_id
from shared.kit.work import Work


async def prepare_draft(database: Database, vault: Vault, actor: Actor, voyage: Voyage, file: FileOpened) -> Write:
    """Keep an uploaded list; the very same file again is the draft that it is. Raises `ManifestUnusable`.

    A file with held rows that came back mended goes into the draft that they are of.
    """
    digest = vault.digest_of(file.marks)
    async with database.work(actor, purpose="manifest") as work:
        known = await store.find_by_file(work, voyage.voyage_id, digest)
        others = await store.list_under_way(work, voyage_id=voyage.voyage_id)
    if known is not None:
        return drafting.as_it_is(known)
    came_from = coming_back.came_from(file, others)
    if came_from is not None:
        return await coming_back.prepare_back(database, vault, actor, came_from, file)
    header = drafts.header_of(file.sheet, sender=file.sender, filename=file.name)
    lines = await drafting.judge(database, vault, voyage, header, drafts.lines_of(file.sheet))
    draft_id = new_id()
    wrapped_key, key = keys.new_key(vault.ring, draft_id)
    draft = store.NewDraft(
        draft_id=draft_id,
        voyage_id=voyage.voyage_id,
        port=voyage.port,
        form=file.form,
        file_digest=digest,
        sender=sender_digest(vault, file.sender),
        counts=drafts.counted(lines),
        header=store.sealed_header(key, header),
        wrapped_key=wrapped_key,
        asks=header.asks,
    )
    blocks = store.sealed_blocks(key, lines)

    async def write(work: Work) -> Draft:
        await store.add(work, draft, blocks)
        kept = await store.find_by_file(work, voyage.voyage_id, digest)
        assert kept is not None
        if kept.draft_id == draft_id:
            work.record(facts.DraftKept(case_id=voyage.voyage_id, draft_id=draft_id, form=file.form, rows=len(lines)))
        return kept

    return write


async def prepare_file(
    database: Database,
    vault: Vault,
    actor: Actor,
    draft_id: str,
    file: FileOpened,
    *,
    version: int | None = None,
) -> Write:
    """Put a corrected file in the place of the one before: what is the same keeps what was mended in it.

    A file with rows that were taken away to be mended is no such file: they come back to where they stand. `version`:
    of the list that was looked at; the very same file again is there whatever was changed since.

    Raises `ManifestUnusable`, `DraftOfThisFile`, `DraftCarried`, `DraftChanged`, and as `open_draft`.
    """
    opened = await drafting.open_to_change(database, vault, actor, draft_id)
    if opened.draft.form == "carried":
        raise DraftCarried
    digest = vault.digest_of(file.marks)
    async with database.work(actor, purpose="manifest") as work:
        known = await store.find_by_file(work, opened.draft.voyage_id, digest)
        others = await store.list_under_way(work, voyage_id=opened.draft.voyage_id)
    came_from = coming_back.came_from(file, others)
    if came_from is not None and came_from.draft_id != draft_id:
        raise DraftOfThisFile
    if known is None or known.draft_id != draft_id:
        drafting.check_version(opened.draft, version)
    if came_from is not None or (HELD_ROW in file.sheet.fields and HELD_ROW not in opened.header.fields):
        return await coming_back.prepare_back(database, vault, actor, opened.draft, file)
    if known is not None:
        if known.draft_id != draft_id:
            raise DraftOfThisFile
        return drafting.as_it_is(known)
    if not any(map(str.strip, chain.from_iterable(file.sheet.records))):
        raise ManifestUnusable("empty")
    header = drafts.header_of(file.sheet, sender=file.sender or opened.header.sender, filename=file.name)
    header, lines = uploads.read_as(header, drafts.lines_of(file.sheet), opened.header)
    compared = await asyncio.to_thread(uploads.compared, opened.lines, opened.header, lines, header)
    voyage = await find_voyage(database, actor, opened.draft.voyage_id)
    compared = compared.with_changed(await _likely_again(voyage, opened.header, compared, header))
    lines, differences = await asyncio.to_thread(compared.merged)
    header = replace(header, differences=differences)
    return await drafting.prepare_change(
        database,
        vault,
        actor,
        opened,
        header,
        lines,
        "file",
        rows=differences.count,
        file_digest=digest,
        numbers=compared.numbers,
    )


async def _likely_again(voyage: Voyage, header_before: Header, compared: Compared, header: Header) -> dict[int, int]:
    """Which new rows are likely of who is recorded already by a row that is gone, and by which."""
    gone = [line for line in compared.left if line.standing == "known" or line.recorded]
    if not gone or not compared.rest or header.asks:
        return {}
    return likely_again(
        await _who_of(voyage, header_before, gone),
        await _who_of(voyage, header, compared.rest),
        numbers=compared.numbers,
        shift=header.first_row - header_before.first_row,
    )


async def _who_of(voyage: Voyage, header: Header, lines: Sequence[Line]) -> dict[int, Who]:
    """What some lines of a list say of their people, by the numbers of the lines."""
    records: list[Sequence[str]] = [()] * (max(line.number for line in lines) - header.first_row + 1)
    for line in lines:
        records[line.number - header.first_row] = line.cells
    return {row.number: who_of(row) for row in await manifests.read_rows(voyage, drafts.sheet_of(header, records))}
