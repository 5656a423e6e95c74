"""The trail of one case: its leaves in the order of what happened, and what is missing from it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.audit.domain.leaves import Leaf

ORDER = ("intake", "referral", "notify", "audit")
"""The way a case goes; settles which service comes first when times are equal."""


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """Rows that one service wrote about the case and that have not reached the ledger."""

    source: str
    first: int
    last: int


@dataclass(frozen=True, slots=True, order=True)
class Conflict:
    """Two different rows of one service with the same number: one of them was forged or a journal was rewound."""

    source: str
    case_seq: int


State = Literal["sealed", "waiting", "altered"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a trail. `waiting`: not under a checkpoint yet; `altered`: the row is not what was sealed."""

    leaf: Leaf
    state: State


@dataclass(frozen=True, slots=True)
class Trail:
    """All that the ledger knows of one case. `size` is that of the checkpoint it was compared with."""

    case_id: str
    size: int
    entries: tuple[Entry, ...]
    gaps: tuple[Gap, ...]
    conflicts: tuple[Conflict, ...]


def trail(case_id: str, leaves: Sequence[Leaf], size: int, in_tree: Mapping[int, bytes]) -> Trail:
    """The trail from the rows of a case and what the tree of `size` leaves holds at their places."""
    entries = tuple(Entry(leaf, _state(leaf, size, in_tree.get(leaf.index))) for leaf in in_order(leaves))
    return Trail(case_id, size, entries, tuple(gaps(leaves)), tuple(conflicts(leaves)))


def in_order(leaves: Iterable[Leaf]) -> list[Leaf]:
    """The leaves as it happened: each service's rows by their number, the services interleaved by time.

    The ledger's own order is that of arrival, which differs between topics.
    """
    latest: dict[str, datetime] = {}
    placed: list[tuple[datetime, int, Leaf]] = []
    for leaf in sorted(leaves, key=lambda leaf: (leaf.source, leaf.case_seq, leaf.index)):
        moment = max(leaf.occurred_at, latest.get(leaf.source, leaf.occurred_at))
        latest[leaf.source] = moment
        rank = ORDER.index(leaf.source) if leaf.source in ORDER else len(ORDER)
        placed.append((moment, rank, leaf))
    placed.sort(key=lambda place: (*place[:2], place[2].source, place[2].case_seq, place[2].index))
    return [leaf for _, _, leaf in placed]


def gaps(leaves: Iterable[Leaf]) -> list[Gap]:
    """The numbers missing below the highest of each service. What a service never numbered cannot be seen here."""
    found = []
    for source, numbers in _numbers(leaves).items():
        expected = 1
        for number in sorted(numbers):
            if number > expected:
                found.append(Gap(source, expected, number - 1))
            expected = number + 1
    return sorted(found)


def conflicts(leaves: Iterable[Leaf]) -> list[Conflict]:
    """The numbers that a service used twice."""
    return sorted(
        Conflict(source, number)
        for source, numbers in _numbers(leaves).items()
        for number, times in numbers.items()
        if times > 1
    )


def _state(leaf: Leaf, size: int, in_tree: bytes | None) -> State:
    if not leaf.intact:
        return "altered"
    if leaf.index >= size:
        return "waiting"
    return "sealed" if in_tree == leaf.hash else "altered"


def _numbers(leaves: Iterable[Leaf]) -> dict[str, Counter[int]]:
    numbers: dict[str, Counter[int]] = {}
    for leaf in leaves:
        numbers.setdefault(leaf.source, Counter())[leaf.case_seq] += 1
    return numbers
