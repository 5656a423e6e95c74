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
from services.referral.domain.refusals import (
    AlreadyAnswered,
    AskedYourself,
    ChildNeedsOfficer,
    ConsentIsNoBasis,
    DisclosureEnded,
    HandoverMissing,
    IdentityWithheld,
    MoveNotAllowed,
    ReasonMissing,
    Refused,
    TakenBack,
    VersionChanged,
)
from tests.referral.factories import CANDIDATES, START, a_need, an_asked_need
from tests.soaking import examples

AVAILABLE = frozenset(c.agency_id for c in CANDIDATES)


def closed(need: Need, reason: str, *, personally: bool = True, organisation: str = "BP3MI-73", **other: Any) -> Need:
    """The need after a supervisor has closed it."""
    by = "penyelia.73"
    return needs.close(
        need,
        reason=reason,
        by=by,
        organisation=organisation,
        personally=personally,
        now=START,
        **{"version": None, **other},
    )


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
        with pytest.raises(TakenBack):
            needs.accept(recalled, "1", by="late", version=None, now=START)

        accepted = needs.accept(an_asked_need(), "1", by="quick", version=None, now=START)
        with pytest.raises(MoveNotAllowed):
            needs.recall(accepted, "1", now=START)

    @pytest.mark.parametrize("age_band", ["child", "unknown"])
    def test_a_childs_need_is_given_up_by_a_named_officer_only(self, age_band: str) -> None:
        for reason in referrals.CLOSINGS:
            with pytest.raises(ChildNeedsOfficer):
                closed(a_need(age_band), reason, personally=False)

        given_up = closed(a_need(age_band), "NO_CAPACITY")
        assert (given_up.referral.state, given_up.referral.closed_by) == ("unfulfilled", "penyelia.73")

    @pytest.mark.parametrize(
        ("state", "reason", "to"),
        [
            ("open", "DECEASED", "unfulfilled"),
            ("open", "NO_CAPACITY", "unfulfilled"),
            ("open", "DUPLICATE", "cancelled"),
            ("open", "ENTERED_IN_ERROR", "entered_in_error"),
            ("unroutable", "DECEASED", "cancelled"),
            ("unroutable", "NO_LONGER_NEEDED", "cancelled"),
        ],
    )
    def test_is_closed_as_its_reason_and_state_say(self, state: Any, reason: str, to: str) -> None:
        need = a_need()
        need = replace(need, referral=replace(need.referral, state=state))

        ended = closed(need, reason, personally=False).referral

        assert (ended.state, ended.outcome, ended.closed_by, ended.ended_at) == (to, reason, "penyelia.73", START)

    def test_stays_an_open_gap_where_nobody_has_the_capacity(self) -> None:
        gap = needs.unroutable(a_need(), now=START)

        with pytest.raises(MoveNotAllowed):
            closed(gap, "NO_CAPACITY")

    def test_is_not_closed_for_a_reason_that_is_none(self) -> None:
        with pytest.raises(ReasonMissing):
            closed(a_need(), "SERVICE_DELIVERED")

    def test_closing_takes_the_live_attempt_with_it(self) -> None:
        asked = an_asked_need()
        accepted = needs.accept(asked, "1", by="w", version=None, now=START)

        ended = [closed(need, "PERSON_LEFT").attempts[0].state for need in (asked, accepted)]

        assert ended == ["recalled", "cancelled_by_sender"]

    def test_is_not_closed_by_who_is_asked_or_helps(self) -> None:
        with pytest.raises(AskedYourself):
            closed(an_asked_need(), "DUPLICATE", organisation=CANDIDATES[0].agency_id)

    def test_is_not_closed_on_what_has_changed_since(self) -> None:
        seen = an_asked_need()
        now = needs.acknowledge(seen, "1", version=None, now=START)

        with pytest.raises(VersionChanged):
            closed(now, "PERSON_LEFT", version=seen.version)

    def test_is_reopened_with_a_reason_and_asks_with_the_next_number(self) -> None:
        given_up = closed(an_asked_need(), "PERSON_LEFT")

        open_again = needs.reopen(given_up, reason="PERSON_FOUND", version=given_up.version, now=START)
        asked = needs.ask(open_again, CANDIDATES[0], assignment_id="2", limit=None, now=START)

        assert (open_again.referral.state, open_again.referral.outcome) == ("open", None)
        assert [a.attempt for a in asked.attempts] == [1, 2]
        with pytest.raises(ReasonMissing):
            needs.reopen(given_up, reason="", version=None, now=START)

    def test_changes_its_version_with_every_move_of_itself_and_its_attempts(self) -> None:
        asked = an_asked_need()
        opened = needs.acknowledge(asked, "1", version=None, now=START)

        versions = [need.version for need in (a_need(), asked, opened, closed(opened, "DECEASED"))]

        assert versions == sorted(set(versions))

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

    @rule(event=st.sampled_from(["consent_recorded", "consent_requested", "consent_refused", "held", "resumed"]))
    def move(self, event: Any) -> None:
        self.attempt(lambda: replace(self.need, referral=referrals.move(self.need.referral, event, now=self.now)))

    @rule(reason=st.sampled_from(sorted(referrals.CLOSINGS)), personally=st.booleans(), own=st.booleans())
    def close(self, reason: str, personally: bool, own: bool) -> None:
        organisation = CANDIDATES[0].agency_id if own else "BP3MI-73"
        self.attempt(lambda: closed(self.need, reason, personally=personally, organisation=organisation))

    @precondition(lambda self: self.need.referral.is_terminal)
    @rule(reason=st.sampled_from(sorted(referrals.REOPENINGS)))
    def reopen(self, reason: str) -> None:
        self.attempt(lambda: needs.reopen(self.need, reason=reason, version=None, now=self.now))

    @invariant()
    def at_most_one_attempt_is_live_and_one_helps(self) -> None:
        assert sum(a.is_live for a in self.need.attempts) <= 1

    @invariant()
    def an_ended_need_has_no_live_attempt(self) -> None:
        if self.need.referral.is_terminal:
            assert self.need.live is None
            assert self.need.referral.ended_at is not None

    @invariant()
    def a_child_does_not_depend_on_consent(self) -> None:
        referral = self.need.referral
        if referral.child:
            assert referral.state not in {"awaiting_consent", "refused", "consent_withdrawn"}

    @invariant()
    def a_closed_need_says_why_and_by_whom(self) -> None:
        referral = self.need.referral
        if referral.state in {"unfulfilled", "cancelled", "entered_in_error"}:
            assert referral.outcome in referrals.CLOSINGS
            assert referral.closed_by == "penyelia.73"

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
TestInterleavings.settings = settings(max_examples=examples(150), stateful_step_count=40, deadline=None)
