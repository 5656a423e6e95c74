"""Is the ledger what was signed? Quickly for a page, and wholly for the command line."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.audit import store
from services.audit.actions.publishing import last_checkpoint
from services.audit.actions.signing import Signer, is_signed_by
from services.audit.domain import checkpoints, merkle, tiles
from services.audit.domain.leaves import Leaf
from shared.kit.words import msg
from shared.kit.work import Work

WHOLE_UP_TO = 1 << 16
"""Trees of up to so many leaves are recomputed from all tiles for each question (50 ms), larger ones from level 1."""

CHUNK = 8_192
MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Ledger:
    """The state of the ledger. `lag_s` is the age of the oldest leaf that no checkpoint covers."""

    leaves: int
    sealed: store.Sealed
    waiting: int
    lag_s: float
    verified: bool
    complaint: str | None
    lowest_level: int


async def describe_ledger(work: Work, signer: Signer) -> Ledger:
    """How far the ledger is and whether its tiles give what was signed. Raises `NothingSealed`."""
    last = await last_checkpoint(work)
    lowest = 0 if last.size <= WHOLE_UP_TO else 1
    held = await store.list_tiles_from(work, lowest) | await store.find_tiles(work, tiles.edge(last.size))
    head = await store.find_head(work, last.size)
    complaint = await asyncio.to_thread(_complaint, last, held, lowest, signer)
    lag_s = max(0.0, (work.now - head.waiting_since).total_seconds()) if head.waiting_since else 0.0
    return Ledger(head.leaves, last, max(0, head.leaves - last.size), lag_s, complaint is None, complaint, lowest)


def _complaint(last: store.Sealed, held: dict[tiles.Tile, bytes], lowest: int, signer: Signer) -> str | None:
    """What is wrong with the newest checkpoint or its tiles, as a message id; None when nothing is."""
    if not any(is_signed_by(last.note, key) for key in signer.verifier_keys):
        return msg("The newest checkpoint is not signed with this ledger's key.")
    checkpoint, _ = checkpoints.parse_note(last.note)
    if (checkpoint.size, checkpoint.root) != (last.size, last.root):
        return msg("The newest checkpoint is not the one that was signed.")
    try:
        wrong = tiles.first_difference(last.size, held, lowest=lowest)
        root = merkle.range_hash((0, last.size), lambda node: tiles.hash_in(held, node))
    except tiles.NoSuchTile:
        return msg("Tiles are missing.")
    if wrong is not None:
        return msg("A tile is not what the tiles below it give.")
    return None if root == last.root else msg("The tiles do not give the root that was signed.")


@dataclass(slots=True)
class Verification:
    """What a whole verification found. `problems` is cut at 100 sentences."""

    leaves: int = 0
    checkpoints: int = 0
    redacted: int = 0
    ended_at: datetime | None = None
    problems: list[str] = field(default_factory=list)

    def complain(self, sentence: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(sentence)


async def verify_ledger(work: Work, keys: Sequence[str], saved: Sequence[str] = ()) -> Verification:
    """Recompute the whole tree from the leaves and compare it with the tiles and with every checkpoint.

    `keys` are the verifier keys to trust; `saved` are checkpoint notes that somebody kept outside: only they
    can show that the ledger as a whole was put back to an earlier state.
    """
    found = Verification()
    last = next(iter(await store.list_last_checkpoints(work, 1)), None)
    sealed_size = last.size if last else 0
    kept = _kept(saved, keys, found)
    tree = merkle.Frontier()
    edge: dict[tiles.Tile, bytes] = {}
    await _compare_checkpoints(work, tree, [], sealed_size, -1, keys, kept, found)
    while chunk := await store.list_leaves(work, tree.size, CHUNK):
        hashes = _examined(chunk, tree.size, found)
        in_tiles = hashes[: max(0, sealed_size - tree.size)]
        expected = tiles.extended(tree.size, edge, in_tiles)
        await _compare_tiles(work, expected, found)
        edge = {place: row for place, row in (edge | expected).items() if len(row) < tiles.WIDTH * tiles.HASH_BYTES}
        await _compare_checkpoints(work, tree, hashes, sealed_size, tree.size, keys, kept, found)
        if len(hashes) < len(chunk):
            break
    found.leaves = tree.size
    for size in [size for size in {sealed_size, *kept} if size > tree.size]:
        found.complain(f"a checkpoint covers {size} leaves, but only {tree.size} can be read in order")
    found.ended_at = work.now
    return found


def _kept(saved: Sequence[str], keys: Sequence[str], found: Verification) -> dict[int, bytes]:
    """Size and root of the notes kept outside."""
    kept: dict[int, bytes] = {}
    for note in saved:
        if not any(is_signed_by(note, key) for key in keys):
            found.complain("a saved checkpoint is not signed with a key of this ledger")
            continue
        checkpoint, _ = checkpoints.parse_note(note)
        kept[checkpoint.size] = checkpoint.root
    return kept


def _examined(chunk: Sequence[Leaf], first: int, found: Verification) -> list[bytes]:
    """The recomputed hashes of these leaves, up to the first hole."""
    hashes = []
    for place, leaf in enumerate(chunk, start=first):
        if leaf.index != place:
            found.complain(f"leaf {place} is missing")
            break
        hash_ = merkle.leaf_hash(leaf.data)
        if hash_ != leaf.hash:
            found.complain(f"leaf {place} ({leaf.source} {leaf.case_seq}) is not what was hashed")
        if not leaf.opens:
            found.complain(f"the payload of leaf {place} ({leaf.source} {leaf.case_seq}) is not what was committed to")
        found.redacted += leaf.redacted
        hashes.append(hash_)
    return hashes


async def _compare_tiles(work: Work, expected: dict[tiles.Tile, bytes], found: Verification) -> None:
    stored = await store.find_tiles(work, expected)
    for place, hashes in expected.items():
        if not stored.get(place, b"").startswith(hashes):
            found.complain(f"{tiles.path_of(*place)} is not what its leaves give")


async def _compare_checkpoints(
    work: Work,
    tree: merkle.Frontier,
    hashes: list[bytes],
    sealed_size: int,
    after: int,
    keys: Sequence[str],
    kept: dict[int, bytes],
    found: Verification,
) -> None:
    """Grow the tree by these hashes and compare its root at each size that was signed on the way."""
    end = tree.size + len(hashes)
    signed = {
        sealed.size: sealed for sealed in await store.list_checkpoints(work, after=after, upto=min(end, sealed_size))
    }
    begin = tree.size
    for size in sorted({*signed, *(size for size in kept if after < size <= end), end}):
        tree.extend(hashes[tree.size - begin : size - begin])
        if size in kept and after < size and kept[size] != tree.root():
            found.complain(f"the tree of {size} leaves is not the one of the saved checkpoint")
        if size in signed:
            found.checkpoints += 1
            _compare(signed[size], tree.root(), keys, found)


def _compare(sealed: store.Sealed, root: bytes, keys: Sequence[str], found: Verification) -> None:
    if not any(is_signed_by(sealed.note, key) for key in keys):
        found.complain(f"the checkpoint for {sealed.size} leaves is not signed with a key that is trusted")
        return
    checkpoint, _ = checkpoints.parse_note(sealed.note)
    if (checkpoint.size, checkpoint.root) != (sealed.size, sealed.root) or sealed.root != root:
        found.complain(f"the leaves do not give the root that was signed for {sealed.size} leaves")
