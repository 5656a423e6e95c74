"""Putting persons' keys under the current key-encryption key, and telling when an old one may go."""

from collections.abc import Callable
from dataclasses import dataclass

from services.intake.store.vault import Damaged, Keyring, wrapped
from services.intake.store.vault.wrapped import Holder, WrappedKey
from shared.contracts.intake.identities import KeysRewrapped
from shared.kit.actor import system
from shared.kit.database import Database
from shared.kit.ids import new_id
from shared.kit.work import Work

BATCH = 1000
STREAM = "fff965c6-c886-5a88-a5ff-0619457eb90a"
"""The id under which facts about the vault's keys stand, where other facts have a case's."""
ACTOR = system("intake", "rewrap")
PURPOSE = "key_rotation"


@dataclass(frozen=True, slots=True)
class Rewrapping:
    """What became of a run. `left` are persons' keys that are still under old keys, `unknown` under none of ours.

    `damaged` are those among the left ones that cannot be opened any more.
    """

    rewrapped: int
    damaged: int
    left: int
    unknown: int

    @property
    def old_keys_may_go(self) -> bool:
        return not self.left and not self.unknown


async def rewrap_keys(database: Database, ring: Keyring, *, progress: Callable[[int], None]) -> Rewrapping:
    """Wrap all keys anew, of persons and drafts, that are not under the current one, while others seal, open and erase.

    Each batch is a transaction of its own: what was done before a kill stays done, and another run goes on.
    """
    run_id = new_id()
    rewrapped = damaged = 0
    for holder in wrapped.HOLDERS:
        after = wrapped.FIRST
        while True:
            async with database.work(ACTOR, purpose=PURPOSE) as work:
                batch = await wrapped.lock_under(work, ring.marks[1:], after=after, limit=BATCH, of=holder)
                if not batch:
                    break
                renewed = await _renew(work, ring, batch, holder)
                work.record(KeysRewrapped(case_id=STREAM, run_id=run_id, rewrapped=renewed))
            after = batch[-1].id
            rewrapped += renewed
            damaged += len(batch) - renewed
            progress(rewrapped)
    found = await wrapped.standing(database, ring.marks)
    async with database.work(ACTOR, purpose=PURPOSE) as work:
        work.record(KeysRewrapped(case_id=STREAM, run_id=run_id, rewrapped=0, left=found.old + found.unknown))
    return Rewrapping(rewrapped, damaged, found.old, found.unknown)


async def list_missing_keys(database: Database, ring: Keyring) -> list[str]:
    """Why nobody must seal and open with this ring: persons would be lost to it. Empty when it is whole."""
    found = await wrapped.standing(database, ring.marks)
    if not found.unknown:
        return []
    return [
        f"VAULT_KEK_OLD lacks a key: {found.unknown} persons' keys are wrapped by one that is neither there nor in"
        " VAULT_KEK, and could not be opened"
    ]


async def _renew(work: Work, ring: Keyring, batch: list[WrappedKey], holder: Holder) -> int:
    """Answers how many; what is damaged stays as it is."""
    renewed = []
    for id_, wrapped_key in batch:
        try:
            renewed.append(WrappedKey(id_, ring.rewrap(wrapped_key, holder.before + id_)))
        except Damaged:
            continue
    await wrapped.replace(work, renewed, of=holder)
    return len(renewed)
