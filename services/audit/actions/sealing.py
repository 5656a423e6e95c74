"""From leaves to a signed checkpoint."""

import asyncio

from services.audit import store
from services.audit.actions.signing import Signer
from services.audit.domain import merkle, tiles
from services.audit.domain.checkpoints import Checkpoint
from services.audit.domain.refusals import LedgerBroken
from shared.kit.crash import crash_point
from shared.kit.work import Work

MOST_LEAVES = 16_384
"""Of one checkpoint; a backlog is sealed in several, so that nobody waits for all of it."""


async def seal(work: Work, signer: Signer) -> int:
    """Sign a checkpoint over the leaves that came since the last one; answers how many it added.

    Tiles and checkpoint commit together, so a crash anywhere leaves the old checkpoint valid and the next run
    does the same again. Raises `LedgerBroken` rather than sign over a tree that contradicts what was signed.
    """
    if not await store.lock_sealer(work):
        return 0
    last = next(iter(await store.list_last_checkpoints(work, 1)), None)
    size = last.size if last else 0
    fresh = await store.list_leaf_hashes(work, size, MOST_LEAVES)
    if last and not fresh:
        return 0
    crash_point("seal.before_tiles")
    edge = await store.find_tiles(work, tiles.edge(size))
    if last and _root(size, edge) != last.root:
        raise LedgerBroken(f"the tiles do not give the root that was signed for {size} leaves")
    changed = await asyncio.to_thread(tiles.extended, size, edge, fresh)
    new_size = size + len(fresh)
    checkpoint = Checkpoint(signer.origin, new_size, _root(new_size, edge | changed))
    if changed:
        await store.save_tiles(work, changed)
    crash_point("seal.after_tiles")
    await store.add_checkpoint(
        work,
        store.Sealed(new_size, checkpoint.root, signer.sign(checkpoint.text), signer.verifier_key, work.now),
    )
    crash_point("seal.before_commit")
    return len(fresh)


def _root(size: int, held: dict[tiles.Tile, bytes]) -> bytes:
    try:
        return merkle.range_hash((0, size), lambda node: tiles.hash_in(held, node))
    except tiles.NoSuchTile as error:
        raise LedgerBroken(f"the tiles do not reach to {size} leaves") from error
