"""Emptying the rows of who is erased in lists that are not done with. What others' rows say stays, under a new key."""

from collections.abc import Collection, Sequence

from services.intake.actions import manifests
from services.intake.actions.drafts import judge
from services.intake.domain import drafts
from services.intake.domain.doubles import Logged
from services.intake.domain.drafts import Header, Line
from services.intake.domain.held import Who, who_arrived, who_is
from services.intake.domain.manifests import rows_may_share
from services.intake.domain.people import Identity
from services.intake.domain.refusals.drafts import RowUndecided
from services.intake.domain.voyages import Voyage
from services.intake.store import arrivals, roll_calls
from services.intake.store import drafts as lists
from services.intake.store import emptied_rows as store
from services.intake.store.emptied_rows import Landed, OfVoyage
from services.intake.store.vault import Damaged, Sealed, Vault, WrongKey, drafting
from shared.contracts.intake.lists import DraftChanged, DraftEnded
from shared.kit.work import Work


async def empty_rows(work: Work, vault: Vault, case_ids: Sequence[str]) -> None:
    """Empty the rows of who these cases are, in every list of their voyages that is not done with.

    Theirs are the rows under which they were recorded, and those that say who was logged by hand by the same papers, or
    by the same name, birth, sex and origin, or by all that one of both says of the person.
    The key of such a list is destroyed: what was sealed under it opens nowhere any more, in a backup either. A list
    of which nobody is left ends. The cases are locked and not erased yet, and this work acts as the service. Raises
    `RowUndecided` for a row that is not recorded and not left out: it may be somebody else, of whom nothing else is
    kept.
    """
    keys = await store.keys_of(work, case_ids)
    people: dict[str, dict[str, Who]] = {}
    for landed in await store.list_landed(work, case_ids):
        identity = _identity(vault, landed)
        if identity is None:
            continue
        shared = rows_may_share(identity, landed.sex, landed.origin_regency)
        keys.setdefault(landed.voyage_id, set()).update(vault.digest(*one) for one in shared)
        if landed.is_logged:
            who = who_is(identity, landed.sex, landed.origin_regency)
            people.setdefault(landed.voyage_id, {})[landed.case_id] = who
    for one in await store.lock_lists(work, list(keys)):
        voyage_id = one.voyage.voyage_id
        await _empty(work, vault, one, keys[voyage_id], Logged(people.get(voyage_id, {})))


def _identity(vault: Vault, landed: Landed) -> Identity | None:
    """Who somebody is; None of one that does not open: who cannot be read by anybody is erased all the same."""
    sealed = Sealed(landed.wrapped_key, landed.sealed)
    try:
        return vault.open(sealed, person_id=landed.person_id, case_id=landed.case_id)
    except (Damaged, WrongKey):
        return None


async def _empty(work: Work, vault: Vault, one: OfVoyage, keys: Collection[bytes], people: Logged) -> None:
    draft, voyage = one.sealed.draft, one.voyage
    assert one.sealed.wrapped_key is not None
    key = drafting.open_key(vault.ring, one.sealed.wrapped_key, draft.draft_id)
    header = lists.opened_header(key, one.sealed.header)
    blocks = await lists.blocks_of(work, draft.draft_id)
    lines = await manifests.in_turn(lambda block: lists.opened_lines(key, [block]), blocks)
    theirs = await _rows_of(work, vault, voyage, header, lines, keys, people)
    if not theirs:
        return
    absent = (await roll_calls.roll_of(work, draft)).absent
    standing = await judge(work.connection, vault, voyage, header, lines, absent)
    if any(line.number in theirs and not line.is_out and line.standing != "known" for line in standing):
        raise RowUndecided
    left = [drafts.emptied(line, by=work.actor.id, at=work.now) if line.number in theirs else line for line in lines]
    if not any(line.is_moved or any(map(str.strip, line.cells)) for line in left):
        await lists.end(work, [draft.draft_id], "erased")
        work.record(DraftEnded(case_id=draft.voyage_id, draft_id=draft.draft_id, why="erased"))
        return
    judged = await judge(work.connection, vault, voyage, header, left, absent)
    wrapped_key, other_key = drafting.new_key(vault.ring, draft.draft_id)
    await store.reseal(
        work,
        draft,
        lists.sealed_blocks(other_key, judged),
        counts=drafts.counted(judged),
        header=lists.sealed_header(other_key, header),
        wrapped_key=wrapped_key,
    )
    work.record(DraftChanged(case_id=draft.voyage_id, draft_id=draft.draft_id, change="emptied", rows=len(theirs)))


async def _rows_of(
    work: Work,
    vault: Vault,
    voyage: Voyage,
    header: Header,
    lines: Sequence[Line],
    keys: Collection[bytes],
    people: Logged,
) -> set[int]:
    """Which rows say of their person what was recorded under these keys, or said so before; also those left out.

    So are those that no list has recorded and that are one of these people beyond doubt.
    """
    if header.asks:
        return set()
    rows = await manifests.read_rows(voyage, drafts.sheet_of(header, [line.cells for line in lines]))
    theirs = {row.number for row in rows if row.person and vault.digest(*row.person) in keys}
    said = {row.number: vault.digest(*row.person) for row in rows if row.arrival is not None}
    logged = [row.number for row in rows if row.arrival is not None and people.find(who_arrived(row.arrival))]
    recorded = await arrivals.known(work.connection, [(voyage.voyage_id, said[number]) for number in logged])
    theirs.update(number for number in logged if (voyage.voyage_id, said[number]) not in recorded)
    return theirs | {line.number for line in lines if line.recorded and line.recorded.person in keys}
