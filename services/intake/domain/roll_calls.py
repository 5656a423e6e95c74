"""Calling the roll: who of a voyage's lists is on the quay, who is not, and why."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import get_args

from services.intake.domain.held import who_arrived
from services.intake.domain.manifests import HeldRow, Reading, Row, ToldAnew
from services.intake.domain.problems import Problem
from shared.contracts.codes import AbsenceReason, RollMark

Mark = RollMark
Reason = AbsenceReason
REASONS: tuple[Reason, ...] = get_args(Reason)
OF_RECORDED: tuple[Reason, ...] = tuple(reason for reason in REASONS if reason != "died_on_the_way")
"""Whoever was recorded and has died keeps the arrival: the death is noted in the case."""
MOST_CALLS = 1_000
"""So many versions a row has in one upload of its list."""
INITIALS = 2
"""So many letters find a name; more would be a name in an address."""


@dataclass(frozen=True, slots=True)
class Call:
    """How a row was called last. `open`: it was taken back. `version` grows with each call of the row.

    `next_draft_id` and `next_row`: where what the row says stands now, in the list of the next voyage.
    """

    row: int
    version: int
    mark: Mark
    reason: Reason | None = None
    next_voyage_id: str | None = None
    next_draft_id: str | None = None
    next_row: int | None = None
    sex: str | None = None
    age_band: str | None = None
    origin_regency: str | None = None
    by: str = ""
    at: datetime | None = None

    def says(self, mark: Mark, reason: Reason | None = None, next_voyage_id: str | None = None) -> bool:
        return (self.mark, self.reason, self.next_voyage_id) == (mark, reason, next_voyage_id)

    @property
    def waits(self) -> bool:
        """True for an absence that keeps its row: the next voyage is not known yet, or a death is to be recorded."""
        return (self.reason == "rolled_over" and self.next_voyage_id is None) or self.reason == "died_on_the_way"


@dataclass(frozen=True, slots=True)
class Roll:
    """What was called of one list. Once that of the voyage `has_begun`, only who is here is recorded by it."""

    has_begun: bool
    calls: Mapping[int, Call]

    @property
    def absent(self) -> frozenset[int]:
        return frozenset(row for row, call in self.calls.items() if call.mark == "absent")

    @property
    def waits(self) -> bool:
        return any(call.waits for call in self.calls.values())

    def with_calls(self, calls: Iterable[Call]) -> "Roll":
        """This roll after these calls."""
        return Roll(self.has_begun, {**self.calls, **{call.row: call for call in calls}})

    def without(self, logged: Collection[int]) -> "Roll":
        """This roll, of which rows are not recorded by the list whose people were logged one by one."""
        calls = {row: call for row, call in self.calls.items() if call.mark != "here" or row not in logged}
        return Roll(self.has_begun, calls)

    def is_here(self, row: int) -> bool:
        call = self.calls.get(row)
        return call is not None and call.mark == "here"


def uncalled(row: int, upload: int) -> Call:
    """A row that nobody has called yet. Of each upload of a list the versions are others: the same number of row may
    have been somebody else in the one before.
    """
    return Call(row, (upload - 1) * MOST_CALLS, "open")


class Called:
    """The rows of a list of which the roll was called, to be gone through as those of `reading`.

    Ready is only who is here, or recorded already (`known`). Who was not called or is absent is held back; whose cells
    went to another voyage is listed here all the same. `refer` says as which held row a row stands for.
    """

    def __init__(
        self,
        reading: Reading | ToldAnew,
        rows: Collection[int],
        known: Collection[int],
        roll: Roll,
        refer: Callable[[int], str],
    ) -> None:
        self._reading = reading
        self._known = known
        self._roll = roll
        self._refer = refer
        self._gone = roll.absent.difference(rows)
        self.named = reading.named
        self.listed = reading.listed + len(self._gone)

    def __iter__(self) -> Iterator[Row]:
        for row in self._reading:
            yield self._called(row)
        for number in sorted(self._gone):
            yield HeldRow(number, "", None, (_why(number, "called_absent"),), settles=self._refer(number), who={})

    def _called(self, row: Row) -> Row:
        settles = row.settles or self._refer(row.number)
        if row.arrival is None or row.number in self._known or self._roll.is_here(row.number):
            return replace(row, settles=settles)
        code = "called_absent" if row.number in self._roll.absent else "not_called"
        problem = _why(row.number, code)
        return HeldRow(row.number, row.name, None, (problem,), settles=settles, who=who_arrived(row.arrival))


def _why(number: int, code: str) -> Problem:
    return Problem(number, "", "", "", code)


def begins_with(name: str, letters: str) -> bool:
    """True where a word of a name begins with these letters; no letters are anybody's, also of who has no name here."""
    return not letters or any(word.startswith(letters.casefold()) for word in name.casefold().split())
