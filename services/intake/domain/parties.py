"""Rows of a list in the order in which they can be recorded: whoever travels with others once all of them are read."""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush

from services.intake.domain.manifests import Named, Row
from services.intake.domain.problems import Problem

MOST_TOGETHER = 100
"""Most rows of one party; no family has as many, and all of it is locked at once."""
MOST_WAITING = 20_000
"""So many rows may wait for others of their party: what is kept of a list is bounded, whatever the list says."""


def in_parties(rows: Iterable[Row], named: Iterable[Named]) -> Iterator[Sequence[Row]]:
    """Each row once: by itself, or with all whom it names and who name it.

    A row whose companion is held back goes without. So does one that names another across too many rows that wait, or
    among too many: it holds nobody back, and a child counts as unaccompanied until an adult is linked by hand.
    """
    waiting = _Waiting({one.number: one.until for one in named})
    for row in rows:
        if row.companion is None and row.number not in waiting.until:
            yield (row,)
        else:
            yield from waiting.add(row)
        if waiting.due <= row.number:
            yield from waiting.complete(row.number)
    yield from waiting.complete(None)


@dataclass(slots=True)
class _Party:
    """`numbers` of the rows that belong together, read or not; `until` which row another one may come to it."""

    numbers: set[int]
    until: int
    rows: list[Row] = field(default_factory=list)


class _Waiting:
    """Parties of which a row is still to come. `until`: the last row that names a row, of those still to be named."""

    def __init__(self, until: dict[int, int]) -> None:
        self.until = until
        self._party_of: dict[int, _Party] = {}
        self._ends: list[tuple[int, int]] = []
        self._rows = 0

    @property
    def due(self) -> float:
        """The row after which a party may be complete."""
        return self._ends[0][0] if self._ends else float("inf")

    def add(self, row: Row) -> Iterator[Sequence[Row]]:
        """Let a row wait for the others; answers it by itself where no more may wait."""
        if self._rows >= MOST_WAITING and row.number not in self._party_of:
            self.until.pop(row.number, None)
            yield (_alone(row, "companion_far") if row.companion is not None else row,)
            return
        self._of(row.number, row.number)
        if row.companion is not None and not self._unite(row.number, row.companion):
            row = _alone(row, "companion_far")
        self._party_of[row.number].rows.append(row)
        self._rows += 1

    def complete(self, number: int | None) -> Iterator[Sequence[Row]]:
        """The parties to which nobody comes after this row; None for all that are left."""
        while self._ends and (number is None or self._ends[0][0] <= number):
            end, of = heappop(self._ends)
            party = self._party_of.get(of)
            if party is None or party.until > end:
                continue
            for one in party.numbers:
                del self._party_of[one]
                self.until.pop(one, None)
            self._rows -= len(party.rows)
            ready = {row.number for row in party.rows if row.arrival is not None}
            yield [_unless_held(row, ready) for row in sorted(party.rows, key=lambda row: row.number)]

    def _of(self, number: int, now: int) -> _Party:
        """The party of a row, a new one where it has none."""
        party = self._party_of.get(number)
        if party is None:
            party = self._party_of[number] = _Party({number}, max(self.until.get(number, number), now))
            heappush(self._ends, (party.until, number))
        return party

    def _unite(self, number: int, companion: int) -> bool:
        """Make one party of two rows'; False where that is past, or would be too large a party."""
        if companion not in self.until:
            return False
        one, other = self._of(number, number), self._of(companion, number)
        if one is other:
            return True
        if len(one.numbers) + len(other.numbers) > MOST_TOGETHER:
            return False
        if len(one.numbers) < len(other.numbers):
            one, other = other, one
        one.numbers |= other.numbers
        one.rows += other.rows
        self._party_of.update(dict.fromkeys(other.numbers, one))
        if other.until > one.until:
            one.until = other.until
            heappush(self._ends, (one.until, number))
        return True


def _unless_held(row: Row, ready: Container[int]) -> Row:
    """The row, which does not count as accompanied by somebody whose row is not `ready` but held back."""
    return row if row.companion is None or row.companion in ready else _alone(row, "companion_held")


def _alone(row: Row, why: str) -> Row:
    """The row without its companion, and with a warning that says why."""
    warning = Problem(row.number, "companion", "", "", why)
    arrival = row.arrival and replace(row.arrival, accompanied=False)
    return replace(row, arrival=arrival, companion=None, warnings=(*row.warnings, warning))
