"""The Merkle tree of RFC 6962 (as RFC 9162 keeps it): hashes, roots, inclusion and consistency proofs.

A tree is never held as a whole. What is asked for is said as ranges of leaves, a range as complete subtrees
(`Node`: height and index at that height), and the hash of a subtree comes from wherever the caller has it.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

Node = tuple[int, int]
"""A complete subtree: its height (0 is a leaf) and its place among the subtrees of that height."""

Range = tuple[int, int]
"""Leaves from the first number up to, but not with, the second."""

HashOf = Callable[[Node], bytes]

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """The hash of one leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two neighbours."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def subtrees(lo: int, hi: int) -> list[Node]:
    """The complete subtrees that make up the leaves from `lo` to `hi`, left to right.

    `lo` must be where a subtree of the tree of size `hi` may begin (0, or a start that a proof names).
    """
    nodes: list[Node] = []
    while lo < hi:
        height = (hi - lo).bit_length() - 1
        if lo:
            height = min(height, (lo & -lo).bit_length() - 1)
        nodes.append((height, lo >> height))
        lo += 1 << height
    return nodes


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over neighbouring subtrees of falling height."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def range_hash(span: Range, hash_of: HashOf) -> bytes:
    """The hash of a range that a proof names; the root is the hash of the range from 0 to the size."""
    return fold([hash_of(node) for node in subtrees(*span)])


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The ranges whose hashes prove that leaf `index` is in the tree of `size` leaves, nearest first."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    lo, hi, ranges = 0, size, []
    while hi - lo > 1:
        middle = lo + _split(hi - lo)
        if index < middle:
            ranges.append((middle, hi))
            hi = middle
        else:
            ranges.append((lo, middle))
            lo = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """The ranges whose hashes prove that the tree of `new` leaves begins with the tree of `old` leaves."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} cannot extend a tree of {old}")
    if old in (0, new):
        return []
    lo, hi, ranges = 0, new, []
    while hi != old:
        middle = lo + _split(hi - lo)
        if old <= middle:
            ranges.append((middle, hi))
            hi = middle
        else:
            ranges.append((lo, middle))
            lo = middle
    if lo:
        ranges.append((lo, hi))
    return ranges[::-1]


class Frontier:
    """A tree that grows leaf by leaf and remembers only its right edge: for computing roots from scratch."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Append leaf hashes."""
        for leaf in leaves:
            carried, size = leaf, self.size
            while size & 1:
                carried = node_hash(self._edge.pop(), carried)
                size >>= 1
            self._edge.append(carried)
            self.size += 1

    def root(self) -> bytes:
        """The root over all leaves so far."""
        return fold(self._edge)


def _split(count: int) -> int:
    """The largest power of two below `count` (at least 2)."""
    return 1 << ((count - 1).bit_length() - 1)
