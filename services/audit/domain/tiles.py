"""The tree cut into tiles as C2SP tlog-tiles has it: 256 hashes wide, so that a tile's root is one hash of the
tile above. Only the tiles at the right edge ever grow, and they only grow at their end.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from services.audit.domain import merkle
from services.audit.domain.merkle import Node, Range

WIDTH = 256
HEIGHT = 8
HASH_BYTES = 32

Tile = tuple[int, int]
"""A tile's place: its level (0 holds leaf hashes) and its index in that level."""

GROUPED = re.compile(r"(?:x\d{3}/)*\d{3}")


class NoSuchTile(Exception):
    """This path names no tile, or none that the published tree has."""


def tile_of(node: Node) -> Tile:
    """The tile in which a subtree's hash can be computed."""
    height, index = node
    level, above = divmod(height, HEIGHT)
    return level, (index << above) // WIDTH


def hash_in(tiles: Mapping[Tile, bytes], node: Node) -> bytes:
    """The hash of a subtree from the tiles. Raises `NoSuchTile` when they do not reach so far."""
    height, index = node
    above = height % HEIGHT
    first = ((index << above) % WIDTH) * HASH_BYTES
    end = first + (HASH_BYTES << above)
    hashes = tiles.get(tile_of(node), b"")
    if len(hashes) < end:
        raise NoSuchTile(f"tile {tile_of(node)} does not hold subtree {node}")
    return root_of(hashes[first:end])


def holds(tiles: Mapping[Tile, bytes], node: Node) -> bool:
    """True when `hash_in` would find this subtree."""
    height, index = node
    above = height % HEIGHT
    end = (((index << above) % WIDTH) + (1 << above)) * HASH_BYTES
    return len(tiles.get(tile_of(node), b"")) >= end


def root_of(hashes: bytes) -> bytes:
    """The root over a power of two of neighbouring hashes."""
    row = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
    while len(row) > 1:
        row = [merkle.node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def needed(ranges: Iterable[Range]) -> set[Tile]:
    """The tiles from which the hashes of these ranges can be computed."""
    return {tile_of(node) for span in ranges for node in merkle.subtrees(*span)}


def range_hashes(ranges: Iterable[Range], tiles: Mapping[Tile, bytes]) -> list[bytes]:
    """The hashes of the ranges, from the tiles that `needed` named."""
    return [merkle.range_hash(span, lambda node: hash_in(tiles, node)) for span in ranges]


def widths(size: int) -> Iterator[tuple[int, int]]:
    """Per level, how many hashes a tree of `size` leaves has there: (0, size), (1, size // 256), …"""
    level = 0
    while size:
        yield level, size
        size //= WIDTH
        level += 1


def edge(size: int) -> list[Tile]:
    """The tiles of a tree that are not full yet (the root is a fold over them)."""
    return [(level, width // WIDTH) for level, width in widths(size) if width % WIDTH]


def extended(size: int, open_tiles: Mapping[Tile, bytes], leaves: Sequence[bytes]) -> dict[Tile, bytes]:
    """The tiles that change when `leaves` are appended to a tree of `size`, given its `edge` tiles.

    Costs one node hash per new leaf or so; nothing that is full is read or hashed again.
    """
    changed: dict[Tile, bytes] = {}
    at, fresh, level = size, b"".join(leaves), 0
    while fresh:
        index, filled = divmod(at, WIDTH)
        row = open_tiles.get((level, index), b"") if filled else b""
        if len(row) < filled * HASH_BYTES:
            raise NoSuchTile(f"the open tile {(level, index)} does not hold {filled} hashes")
        row = row[: filled * HASH_BYTES] + fresh
        above = []
        for first in range(0, len(row), WIDTH * HASH_BYTES):
            hashes = row[first : first + WIDTH * HASH_BYTES]
            changed[level, index] = hashes
            if len(hashes) == WIDTH * HASH_BYTES:
                above.append(root_of(hashes))
            index += 1
        at, fresh, level = at // WIDTH, b"".join(above), level + 1
    return changed


def path_of(level: int | str, index: int, width: int = WIDTH) -> str:
    """A tile's path: `tile/0/x001/x234/067`, `tile/1/000.p/5`; level `entries` for the bundles of leaves."""
    groups = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        groups.append(f"x{index % 1000:03d}")
    return f"tile/{level}/{'/'.join(reversed(groups))}" + (f".p/{width}" if width < WIDTH else "")


def named(path: str) -> tuple[int, int]:
    """The index and width that the end of a path names (`x001/x234/067`, `000.p/5`). Raises `NoSuchTile`."""
    groups, _, partial = path.partition(".p/")
    if GROUPED.fullmatch(groups) is None or len(groups) > 24:
        raise NoSuchTile
    index = int(groups.replace("x", "").replace("/", ""))
    width = int(partial) if partial.isascii() and partial.isdigit() and len(partial) <= 3 else WIDTH
    if width < 1 or path_of(0, index, width) != f"tile/0/{path}":
        raise NoSuchTile
    return index, width


def published(width_of_level: int, index: int, width: int) -> bool:
    """True when a tree that has so many hashes at a level has this tile in this width."""
    return 0 < width <= width_of_level - index * WIDTH


def first_difference(size: int, tiles: Mapping[Tile, bytes], *, lowest: int = 0) -> Tile | None:
    """The first tile that is not what the tiles below it say, or is missing; None when all agree.

    `tiles` holds every tile of the tree from level `lowest` up.
    """
    for level, width in widths(size):
        if level < lowest:
            continue
        for index in range(-(-width // WIDTH)):
            hashes = tiles.get((level, index), b"")
            if len(hashes) < min(WIDTH, width - index * WIDTH) * HASH_BYTES:
                return level, index
            above = (HEIGHT * (level + 1), index)
            if index < width // WIDTH and not (holds(tiles, above) and hash_in(tiles, above) == root_of(hashes)):
                return level, index
    return None
