"""The two state machines and what binds them, by examples; by every order of commands in test_need_machine."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.referral.domain import assignments, needs, referrals
from services.referral.domain.assignments import Deadline
from services.referral.domain.deadlines import BY_THE_CLOCK, Times
from services.referral.domain.needs import Need
from services.referral.domain.refusals import (
    AlreadyAccepted,
    AlreadyAnswered,
    AskedYourself,
    ChildNeedsOfficer,
    ConsentIsNoBasis,
    DisclosureEnded,
    HandoverMissing,
    IdentityWithheld,
    MoveNotAllowed,
    ReasonMissing,
    TakenBack,
    VersionChanged,
)
from tests.referral.factories import CANDIDATES, START, a_need, an_asked_need

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


HOUR = timedelta(hours=1)


class TestTables:
    def test_every_referral_move_leads_somewhere_known(self) -> None:
        assert set(referrals.MOVES.values()) <= set(referrals.STATES)

    def test_a_terminal_referral_has_no_exit_but_reopening(self) -> None:
        exits = {(state, event) for state, event in referrals.MOVES if state in referrals.TERMINAL}

        assert exits == {
            (state, "reopened")
            for state in ("fulfilled", "unfulfilled", "refused", "consent_withdrawn", "cancelled", "entered_in_error")
        }

    @pytest.mark.parametrize("state", ["cancelled", "entered_in_error"])
    @pytest.mark.parametrize("reason", sorted(referrals.REOPENINGS))
    def test_what_the_port_ended_no_supervisor_opens_again(self, state: Any, reason: str) -> None:
        ended = replace(a_need().referral, state=state, outcome="NO_LONGER_NEEDED", ended_at=START)

        with pytest.raises(MoveNotAllowed):
            referrals.reopen(ended, reason=reason, now=START)

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
        recalled = needs.recall(an_asked_need(), reason="NEW_FACTS", version=None, now=START)
        with pytest.raises(TakenBack):
            needs.accept(recalled, "1", by="late", version=None, now=START)

        accepted = needs.accept(an_asked_need(), "1", by="quick", version=None, now=START)
        with pytest.raises(AlreadyAccepted):
            needs.recall(accepted, reason="NEW_FACTS", version=None, now=START)

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
        asked = needs.ask(open_again, CANDIDATES[0], assignment_id="2", times=BY_THE_CLOCK, now=START)

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
        longer, shorter = (Times(limit).first(CANDIDATES[0], "ELDER", now=START) for limit in (HOUR * 2, HOUR / 180))

        assert longer == Deadline(START + HOUR, START + HOUR * 0.75)
        assert shorter == Deadline(START + timedelta(seconds=20), START + timedelta(seconds=15))
