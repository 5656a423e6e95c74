"""What the log shows to everybody, under its newest checkpoint and never beyond it."""

import struct

from services.audit import store
from services.audit.domain import tiles
from services.audit.domain.refusals import NothingSealed
from services.audit.domain.tiles import NoSuchTile
from shared.kit.work import Work


async def last_checkpoint(work: Work) -> store.Sealed:
    """The newest checkpoint. Raises `NothingSealed`."""
    found = await list_checkpoints(work, 1)
    if not found:
        raise NothingSealed
    return found[0]


async def list_checkpoints(work: Work, limit: int) -> list[store.Sealed]:
    """The newest checkpoints, newest first."""
    return await store.list_last_checkpoints(work, limit)


async def read_tile(work: Work, level: int, index: int, width: int) -> bytes:
    """The first `width` hashes of a tile. Raises `NoSuchTile` for what no checkpoint covers."""
    size = (await last_checkpoint(work)).size
    if not tiles.published(dict(tiles.widths(size)).get(level, 0), index, width):
        raise NoSuchTile
    held = await store.find_tiles(work, [(level, index)])
    hashes = held.get((level, index), b"")[: width * tiles.HASH_BYTES]
    if len(hashes) < width * tiles.HASH_BYTES:
        raise NoSuchTile
    return hashes


async def read_entries(work: Work, index: int, width: int) -> bytes:
    """The data of `width` leaves, each after its length in two bytes. Raises `NoSuchTile`."""
    size = (await last_checkpoint(work)).size
    if not tiles.published(size, index, width):
        raise NoSuchTile
    leaves = await store.list_leaves(work, index * tiles.WIDTH, width)
    return b"".join(struct.pack(">H", len(leaf.data)) + leaf.data for leaf in leaves)
