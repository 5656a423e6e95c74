"""What holds of consent, by all that was ever said."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.domain import consents
from services.intake.domain.consents import Entry, Kind, Scope, standing
from shared.contracts.codes import ConsentPurpose, NeedCode, RecipientClass

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
SOME_NEEDS: tuple[NeedCode, ...] = ("SICK", "WAGE", "TIP")
SCOPES = st.builds(
    Scope,
    st.sampled_from(get_args(ConsentPurpose)),
    st.sampled_from(get_args(RecipientClass)),
    st.lists(st.sampled_from(SOME_NEEDS), unique=True, max_size=2).map(tuple),
)
KINDS = st.sampled_from(get_args(Kind))


def an_entry(version: int, kind: Kind, scope: Scope, ends: str | None = None, hours: int | None = None) -> Entry:
    expires_at = NOW + timedelta(hours=hours) if hours is not None and kind == "given" else None
    return Entry(str(version), "case", version, kind, scope, "rina", NOW, ends=ends, expires_at=expires_at)


@st.composite
def histories(draw: st.DrawFn) -> list[Entry]:
    """Any history: what ends something ends something of the same case, or nothing that is known."""
    rows = draw(st.lists(st.tuples(KINDS, SCOPES, st.sampled_from([None, -1, 1])), max_size=8))
    entries: list[Entry] = []
    for version, (kind, scope, hours) in enumerate(rows, start=1):
        before = [one for one in entries if one.kind == "basis"] if kind == "basis_ended" else []
        ended = draw(st.sampled_from(before)) if before else None
        of = ended.scope if ended else scope
        entries.append(an_entry(version, kind, of, ends=ended.entry_id if ended else None, hours=hours))
    return entries


CELLS = st.tuples(
    st.sampled_from(get_args(ConsentPurpose)), st.sampled_from(get_args(RecipientClass)), st.sampled_from(SOME_NEEDS)
)


def at(entries: list[Entry], cell: tuple[Any, Any, Any], *, is_child: bool = False) -> consents.Standing:
    purpose, class_, need = cell
    return standing(entries, purpose=purpose, recipient_class=class_, need=need, is_child=is_child, now=NOW)


class TestWhatHolds:
    @settings(max_examples=300, deadline=None)
    @given(data=st.data(), entries=histories(), cell=CELLS, is_child=st.booleans())
    def test_depends_neither_on_unrelated_entries_nor_on_the_order_they_are_read_in(
        self, data: st.DataObject, entries: list[Entry], cell: tuple[Any, Any, Any], is_child: bool
    ) -> None:
        related = [one for one in entries if one.scope.covers(*cell)]
        shuffled = data.draw(st.permutations(entries))

        assert at(shuffled, cell, is_child=is_child) == at(related, cell, is_child=is_child)

    @settings(max_examples=300, deadline=None)
    @given(entries=histories(), cell=CELLS)
    def test_never_stops_help_for_a_child(self, entries: list[Entry], cell: tuple[Any, Any, Any]) -> None:
        assert not at(entries, ("help", *cell[1:]), is_child=True).stops

    @settings(max_examples=300, deadline=None)
    @given(entries=histories(), cell=CELLS)
    def test_changes_by_an_entry_only_where_that_says_something(
        self, entries: list[Entry], cell: tuple[Any, Any, Any]
    ) -> None:
        new = an_entry(len(entries) + 1, "refused", Scope("help", "police", ("TIP",)))
        after = at([*entries, new], cell)

        if cell != ("help", "police", "TIP"):
            assert after == at(entries, cell)
        else:
            assert after.state in ("refused", "basis")

    @pytest.mark.parametrize(
        ("kinds", "state"),
        [
            ((), "not_asked"),
            (("given",), "given"),
            (("given", "withdrawn"), "withdrawn"),
            (("refused", "given"), "given"),
            (("given", "refused"), "refused"),
            (("refused", "basis"), "basis"),
            (("basis", "refused"), "basis"),
        ],
    )
    def test_is_the_latest_word_unless_a_law_decides(self, kinds: tuple[Kind, ...], state: str) -> None:
        scope = Scope("help", "civil_society")
        entries = [an_entry(n, kind, scope) for n, kind in enumerate(kinds, start=1)]

        assert at(entries, ("help", "civil_society", "SICK")).state == state

    def test_a_basis_that_ended_leaves_the_latest_word(self) -> None:
        scope = Scope("help", "civil_society")
        entries = [an_entry(1, "basis", scope), an_entry(2, "refused", scope), an_entry(3, "basis_ended", scope, "1")]

        assert at(entries, ("help", "civil_society", "SICK")).state == "refused"
