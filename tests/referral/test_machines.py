"""Every state with every event, as the tables of the two machines say; and the document made of them."""

from dataclasses import replace
from itertools import product
from typing import Any, get_args

import pytest

from services.referral.domain import assignments, machines, referrals
from services.referral.domain.machines import ATTEMPT, NEED, Row
from services.referral.domain.refusals import MoveNotAllowed
from tests import states
from tests.referral.factories import START, a_need, an_asked_need


@pytest.mark.parametrize("state", assignments.STATES)
@pytest.mark.parametrize("event", get_args(machines.AttemptEvent))
def test_an_attempt_moves_as_its_table_says_and_not_otherwise(state: Any, event: Any) -> None:
    ended_at = START if state in assignments.TERMINAL else None
    attempt = replace(an_asked_need().attempts[0], state=state, ended_at=ended_at)
    to = {(source, row.event): row.to for row in ATTEMPT for source in row.sources}.get((state, event))

    if to is None:
        with pytest.raises(MoveNotAllowed):
            assignments.move(attempt, event, now=START)
    else:
        moved = assignments.move(attempt, event, now=START)
        assert (moved.state, moved.version) == (to, attempt.version + 1)
        assert (moved.ended_at is not None) == (to in assignments.TERMINAL)


@pytest.mark.parametrize("state", referrals.STATES)
@pytest.mark.parametrize("event", get_args(machines.NeedEvent))
def test_a_need_moves_as_its_table_says_and_not_otherwise(state: Any, event: Any) -> None:
    need = replace(a_need().referral, state=state, ended_at=START if state in referrals.TERMINAL else None)
    to = {(source, row.event): row.to for row in NEED for source in row.sources}.get((state, event))

    if to is None:
        with pytest.raises(MoveNotAllowed):
            referrals.move(need, event, now=START)
    else:
        moved = referrals.move(need, event, now=START)
        assert (moved.state, moved.version) == (to, need.version + 1)
        assert (moved.ended_at is not None) == (to in referrals.TERMINAL)


@pytest.mark.parametrize(("rows", "first"), [(NEED, {"draft"}), (ATTEMPT, {"proposed"})])
def test_every_state_can_be_reached_and_every_event_occurs(rows: tuple[Row[Any, Any], ...], first: set[str]) -> None:
    kinds = (machines.NeedState, machines.NeedEvent) if rows is NEED else (machines.AttemptState, machines.AttemptEvent)
    reached = set(first)
    for _ in rows:
        reached |= {row.to for row in rows if reached & set(row.sources)}

    assert reached == set(get_args(kinds[0]))
    assert {row.event for row in rows} == set(get_args(kinds[1]))


def test_two_rows_for_one_move_are_refused() -> None:
    twice = [Row(("a",), "e", to, ("clock",), "") for to in ("b", "c")]

    with pytest.raises(ValueError, match="two rows for a on e"):
        machines.moves(twice)


def test_terminal_states_have_no_exit_but_reopening() -> None:
    exits = {
        (state, row.event, who)
        for rows, terminal in ((NEED, referrals.TERMINAL), (ATTEMPT, assignments.TERMINAL))
        for row, state, who in product(rows, terminal, ("supervisor",))
        if state in row.sources
    }

    assert exits == {
        (state, "reopened", "supervisor")
        for state in ("fulfilled", "unfulfilled", "refused", "consent_withdrawn", "cancelled", "entered_in_error")
    }


def test_the_document_says_what_the_tables_say() -> None:
    assert states.DOCUMENT.read_text(encoding="utf-8") == states.document(), "run `make states`"
