"""Rows that travel together come out of a list together, whatever stands between them, and few of them wait."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain import parties
from services.intake.domain.arrivals import Arrival
from services.intake.domain.households import together
from services.intake.domain.manifests import HeldRow, Named, Row
from services.intake.domain.parties import in_parties
from services.intake.domain.people import Identity

pytestmark = pytest.mark.hypothesis


def a_list(companions: dict[int, int], held: set[int], rows: int) -> tuple[list[Row], list[Named]]:
    """A list of so many rows of which some name others, as reading it says."""
    read: list[Row] = [
        HeldRow(number, "", None, who={})
        if number in held
        else Row(
            number,
            f"Person {number}",
            Arrival(Identity(f"Person {number}"), "F", accompanied=number in companions),
            companion=companions.get(number),
        )
        for number in range(1, rows + 1)
    ]
    named = [
        Named(
            number,
            max([number, *(by for by, whom in companions.items() if whom == number)]),
            is_held=number in held,
            is_adult=True,
        )
        for number in set(companions.values())
    ]
    return read, named


@st.composite
def lists(draw: st.DrawFn) -> tuple[dict[int, int], set[int], int]:
    rows = draw(st.integers(1, 40))
    numbers = st.integers(1, rows)
    held = draw(st.sets(numbers, max_size=4))
    companions = draw(st.dictionaries(numbers, numbers, max_size=rows))
    return {n: whom for n, whom in companions.items() if n != whom and n not in held}, held, rows


def groups(rows: list[Row]) -> list[tuple[int, ...]]:
    return together({row.number: row.companion for row in rows if row.companion is not None})


class TestParties:
    @given(lists())
    def test_are_those_of_the_whole_list(self, drawn: tuple[dict[int, int], set[int], int]) -> None:
        companions, held, count = drawn
        rows, named = a_list(companions, held, count)
        found = [list(party) for party in in_parties(rows, named)]

        assert sorted(row.number for party in found for row in party) == [row.number for row in rows]
        ready = {n: whom for n, whom in companions.items() if whom not in held}
        assert sorted(group for party in found for group in groups(party)) == together(ready)
        for party in found:
            for row in party:
                assert row.companion == ready.get(row.number)
                if row.number in companions and companions[row.number] in held:
                    assert [one.code for one in row.warnings] == ["companion_held"]
                    assert row.arrival is not None
                    assert not row.arrival.accompanied

    @given(lists())
    def test_are_told_as_soon_as_nobody_else_can_come(self, drawn: tuple[dict[int, int], set[int], int]) -> None:
        companions, held, count = drawn
        rows, named = a_list(companions, held, count)
        until = {one.number: one.until for one in named}
        read = 0

        def one_by_one() -> Iterator[Row]:
            nonlocal read
            for row in rows:
                read = row.number
                yield row

        for party in in_parties(one_by_one(), named):
            assert read == max(max(until.get(row.number, 0), row.number) for row in party)

    @given(lists(), st.integers(2, 6), st.integers(1, 6))
    def test_of_too_many_go_without_and_nobody_is_left_out(
        self, drawn: tuple[dict[int, int], set[int], int], most: int, waiting: int
    ) -> None:
        companions, held, count = drawn
        rows, named = a_list(companions, held, count)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(parties, "MOST_TOGETHER", most)
            patch.setattr(parties, "MOST_WAITING", waiting)
            found = [list(party) for party in in_parties(rows, named)]

        assert sorted(row.number for party in found for row in party) == [row.number for row in rows]
        for party in found:
            assert len(party) <= most
            here = {row.number for row in party if row.arrival is not None}
            for row in party:
                assert row.companion is None or row.companion in here
                if row.number in companions and row.companion is None:
                    assert {one.code for one in row.warnings} <= {"companion_held", "companion_far"}
                    assert row.warnings
                    assert row.arrival is not None
                    assert not row.arrival.accompanied

    def test_that_everybody_belongs_to_stay_small(self) -> None:
        rows, named = a_list({n: n - 1 for n in range(2, 1001)}, set(), 1000)
        found = [list(party) for party in in_parties(rows, named)]

        assert max(map(len, found)) == parties.MOST_TOGETHER
        assert sum(map(len, found)) == 1000

    def test_that_never_end_do_not_wait_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(parties, "MOST_WAITING", 10)
        rows, named = a_list({n: n - 500 for n in range(501, 1001)}, set(), 1000)
        read = 0

        def one_by_one() -> Iterator[Row]:
            nonlocal read
            for row in rows:
                read += 1
                yield row

        told = 0
        for party in in_parties(one_by_one(), named):
            told += len(party)
            assert read - told <= 11
