"""The two state machines and what binds them, by every interleaving that hypothesis finds."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.referral.domain import assignments, needs, referrals
from services.referral.domain.assignments import Assignment
from services.referral.domain.needs import Need
from services.referral.domain.referrals import Referral
from services.referral.domain.refusals import (
    AlreadyAnswered,
    ChildNeedsOfficer,
    ConsentIsNoBasis,
    DisclosureEnded,
    HandoverMissing,
    IdentityWithheld,
    MoveNotAllowed,
    Refused,
    TooLate,
)
from services.referral.domain.routing import Candidate
from tests.referral.factories import START

CANDIDATES = tuple(Candidate(f"DINSOS-{n}", 1, 4) for n in range(10, 14))
AVAILABLE = frozenset(c.agency_id for c in CANDIDATES)


def a_need(age_band: str = "adult") -> Need:
    return Need(
        Referral(
            referral_id="r",
            case_id="c",
            need="ELDER",
            state="open",
            version=1,
            restricted=False,
            regency="73.08",
            port="NNK",
            sex="F",
            age_band=age_band,
            onward_wish="go_home",
            arrived_at=START,
            explanation=b"",
            opened_at=START,
        )
    )


def an_asked_need(age_band: str = "adult") -> Need:
    return needs.ask(a_need(age_band), CANDIDATES[0], assignment_id="1", limit=None, now=START)


class TestTables:
    def test_every_referral_move_leads_somewhere_known(self) -> None:
        assert set(referrals.MOVES.values()) <= set(referrals.STATES)

    def test_a_terminal_referral_has_no_exit_but_reopening(self) -> None:
        exits = {(state, event) for state, event in referrals.MOVES if state in referrals.TERMINAL}

        assert exits == {("fulfilled", "reopened"), ("unfulfilled", "reopened")}

    def test_a_terminal_assignment_has_no_exit(self) -> None:
        assert not [state for state, _ in assignments.MOVES if state in assignments.TERMINAL]

    def test_every_live_assignment_can_end(self) -> None:
        ends = {state for (state, _), to in assignments.MOVES.items() if to in assignments.TERMINAL}

        assert ends == assignments.LIVE

    @pytest.mark.parametrize("state", sorted(assignments.HELPING))
    def test_what_is_accepted_cannot_be_recalled(self, state: Any) -> None:
        helping = replace(an_asked_need().attempts[0], state=state)

        with pytest.raises(MoveNotAllowed):
            assignments.move(helping, "recalled", now=START)


class TestNeed:
    def test_the_second_answer_learns_of_the_first(self) -> None:
        taken = needs.accept(an_asked_need(), "1", by="first", version=None, now=START)

        with pytest.raises(AlreadyAnswered) as refused:
            needs.accept(taken, "1", by="second", version=None, now=START)

        assert (refused.value.answered_by, refused.value.answered_at) == ("first", START)

    def test_recall_and_accept_end_alike_in_either_order(self) -> None:
        recalled = needs.recall(an_asked_need(), "1", now=START)
        with pytest.raises(TooLate):
            needs.accept(recalled, "1", by="late", version=None, now=START)

        accepted = needs.accept(an_asked_need(), "1", by="quick", version=None, now=START)
        with pytest.raises(MoveNotAllowed):
            needs.recall(accepted, "1", now=START)

    @pytest.mark.parametrize("age_band", ["child", "unknown"])
    def test_a_childs_need_is_given_up_by_a_named_officer_only(self, age_band: str) -> None:
        with pytest.raises(ChildNeedsOfficer):
            needs.give_up(a_need(age_band), reason="NO_CAPACITY", officer=None, now=START)

        closed = needs.give_up(a_need(age_band), reason="NO_CAPACITY", officer="penyelia.73", now=START)
        assert (closed.referral.state, closed.referral.closed_by) == ("unfulfilled", "penyelia.73")

    @given(
        st.sampled_from(["child", "unknown"]),
        st.sampled_from(referrals.STATES),
        st.sampled_from(["consent_requested", "consent_refused", "consent_withdrawn"]),
    )
    def test_a_childs_need_never_depends_on_consent(self, age_band: str, state: Any, event: Any) -> None:
        childs = replace(a_need(age_band).referral, state=state)

        with pytest.raises(ConsentIsNoBasis):
            referrals.move(childs, event, now=START)

    @pytest.mark.parametrize("outcome", sorted(filter(assignments.needs_handover_ref, assignments.SUCCESS)))
    def test_is_not_handed_over_without_the_number_of_the_minutes(self, outcome: str) -> None:
        accepted = needs.accept(an_asked_need(), "1", by="w", version=None, now=START)

        with pytest.raises(HandoverMissing):
            needs.complete(accepted, "1", outcome=outcome, handover_ref=None, by="w", version=None, now=START)

    @pytest.mark.parametrize("state", sorted(assignments.HELPING))
    def test_discloses_to_who_helps(self, state: Any) -> None:
        helping = replace(an_asked_need().attempts[0], state=state)

        assignments.expect_disclosable(helping, now=START + timedelta(days=365))

    def test_discloses_for_a_while_to_who_has_helped(self) -> None:
        helped = replace(an_asked_need().attempts[0], state="completed", ended_at=START)

        assignments.expect_disclosable(helped, now=START + assignments.GRACE)
        with pytest.raises(DisclosureEnded):
            assignments.expect_disclosable(helped, now=START + assignments.GRACE + timedelta(seconds=1))

    @pytest.mark.parametrize("state", sorted(set(assignments.STATES) - assignments.HELPING - {"completed"}))
    def test_discloses_to_nobody_else(self, state: Any) -> None:
        ended_at = START if state in assignments.TERMINAL else None
        other = replace(an_asked_need().attempts[0], state=state, ended_at=ended_at, answered_at=START)

        with pytest.raises(DisclosureEnded if ended_at else IdentityWithheld):
            assignments.expect_disclosable(other, now=START)

    def test_does_not_expire_before_its_time(self) -> None:
        with pytest.raises(MoveNotAllowed):
            needs.expire(an_asked_need(), "1", now=START + timedelta(minutes=59))

    def test_the_limit_of_a_drill_only_ever_shortens(self) -> None:
        assert needs.answer_due(1, limit=timedelta(hours=2), now=START) == START + timedelta(hours=1)
        assert needs.answer_due(1, limit=timedelta(seconds=20), now=START) == START + timedelta(seconds=20)


class Interleavings(RuleBasedStateMachine):
    """Recall, accept, decline, expire, complete and all else on one need, in any order, also what is refused."""

    def __init__(self) -> None:
        super().__init__()
        self.need = a_need()
        self.now = START
        self.ended: dict[str, Assignment] = {}

    @initialize(age_band=st.sampled_from(["adult", "elderly", "child", "unknown"]), is_draft=st.booleans())
    def begin(self, age_band: str, is_draft: bool) -> None:
        need = a_need(age_band)
        self.need = replace(need, referral=replace(need.referral, state="draft" if is_draft else "open"))

    def attempt(self, do: Callable[[], Need]) -> None:
        before = self.need
        try:
            self.need = do()
        except Refused:
            self.need = before

    def some(self, n: int) -> str:
        return str(1 + n % (len(self.need.attempts) or 1))

    @rule(minutes=st.integers(0, 120))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def ask(self) -> None:
        following = needs.next_candidate(self.need, CANDIDATES, AVAILABLE)
        if following is not None:
            name = str(len(self.need.attempts) + 1)
            self.attempt(lambda: needs.ask(self.need, following, assignment_id=name, limit=None, now=self.now))

    @rule(n=st.integers(0, 5))
    def acknowledge(self, n: int) -> None:
        self.attempt(lambda: needs.acknowledge(self.need, self.some(n), version=None, now=self.now))

    @rule(n=st.integers(0, 5), version=st.none() | st.integers(0, 4))
    def accept(self, n: int, version: int | None) -> None:
        self.attempt(lambda: needs.accept(self.need, self.some(n), by="w", version=version, now=self.now))

    @rule(n=st.integers(0, 5), reason=st.sampled_from(sorted(assignments.DECLINE_SIDE)))
    def decline(self, n: int, reason: str) -> None:
        self.attempt(
            lambda: needs.decline(
                self.need, self.some(n), reason=reason, side=None, by="w", version=None, now=self.now
            )[0]
        )

    @rule(n=st.integers(0, 5))
    def expire(self, n: int) -> None:
        self.attempt(lambda: needs.expire(self.need, self.some(n), now=self.now))

    @rule(n=st.integers(0, 5))
    def recall(self, n: int) -> None:
        self.attempt(lambda: needs.recall(self.need, self.some(n), now=self.now))

    @rule(n=st.integers(0, 5))
    def start(self, n: int) -> None:
        self.attempt(lambda: needs.start(self.need, self.some(n), version=None, now=self.now))

    @rule(n=st.integers(0, 5), outcome=st.sampled_from(sorted(assignments.SUCCESS)))
    def complete(self, n: int, outcome: str) -> None:
        self.attempt(
            lambda: needs.complete(
                self.need, self.some(n), outcome=outcome, handover_ref="BAST/1", by="w", version=None, now=self.now
            )
        )

    @rule(n=st.integers(0, 5), outcome=st.sampled_from(sorted(assignments.FAIL_EFFECT)))
    def fail(self, n: int, outcome: str) -> None:
        self.attempt(lambda: needs.fail(self.need, self.some(n), outcome=outcome, version=None, now=self.now)[0])

    @rule(event=st.sampled_from(["cancelled", "consent_withdrawn", "found_wrong"]))
    def end(self, event: Any) -> None:
        self.attempt(lambda: needs.end(self.need, event, now=self.now))

    @rule(event=st.sampled_from(["consent_recorded", "consent_requested", "consent_refused", "held", "resumed"]))
    def move(self, event: Any) -> None:
        self.attempt(lambda: replace(self.need, referral=referrals.move(self.need.referral, event, now=self.now)))

    @rule(officer=st.none() | st.just("penyelia.73"))
    def give_up(self, officer: str | None) -> None:
        self.attempt(lambda: needs.give_up(self.need, reason="NO_CAPACITY", officer=officer, now=self.now))

    @precondition(lambda self: self.need.referral.is_terminal)
    @rule()
    def reopen(self) -> None:
        self.attempt(lambda: needs.reopen(self.need, now=self.now))

    @invariant()
    def at_most_one_attempt_is_live_and_one_helps(self) -> None:
        assert sum(a.is_live for a in self.need.attempts) <= 1

    @invariant()
    def an_ended_need_has_no_live_attempt(self) -> None:
        if self.need.referral.is_terminal:
            assert self.need.live is None
            assert self.need.referral.ended_at is not None

    @invariant()
    def a_child_is_neither_asked_for_consent_nor_given_up_by_nobody(self) -> None:
        referral = self.need.referral
        if referral.child:
            assert referral.state not in {"awaiting_consent", "refused", "consent_withdrawn"}
            assert referral.state != "unfulfilled" or referral.closed_by is not None

    @invariant()
    def a_terminal_attempt_never_changes_again(self) -> None:
        for a in self.need.attempts:
            if not a.is_live:
                assert self.ended.setdefault(a.assignment_id, a) == a

    @invariant()
    def attempts_are_numbered_without_a_gap(self) -> None:
        assert [a.attempt for a in self.need.attempts] == list(range(1, len(self.need.attempts) + 1))

    @invariant()
    def every_live_attempt_has_a_deadline(self) -> None:
        for a in self.need.attempts:
            if a.state in assignments.HELPING:
                assert a.service_due_at is not None


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
