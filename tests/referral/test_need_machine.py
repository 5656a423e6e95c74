"""Every command on one need with its attempts, in any order, also what is refused: what always holds afterwards."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.referral.domain import assignments, needs, passing, questions, referrals
from services.referral.domain.assignments import Assignment
from services.referral.domain.deadlines import BY_THE_CLOCK
from services.referral.domain.machines import ATTEMPT, NEED
from services.referral.domain.needs import Need
from services.referral.domain.refusals import Refused
from tests.referral.factories import CANDIDATES, START, a_need, some_minutes
from tests.soaking import examples

AVAILABLE = frozenset(c.agency_id for c in CANDIDATES)
EDGES = {(source, row.to) for row in (*ATTEMPT, *NEED) for source in row.sources}
AT_ONCE = {("accepted", "completed")}
"""Help that began and ended in one."""

attempts = st.integers(0, 7)
versions = st.none() | st.integers(0, 6)
minutes = st.integers(-10, 200)


class Commands(RuleBasedStateMachine):
    """One need; whatever is refused leaves it as it was."""

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
        """Do it or be refused; whatever moved has moved along the tables."""
        before = self.need
        try:
            after = do()
        except Refused:
            return
        moved = [(before.referral.state, after.referral.state)]
        moved += [(was.state, is_.state) for was, is_ in zip(before.attempts, after.attempts, strict=False)]
        assert {(was, is_) for was, is_ in moved if was != is_} <= EDGES | AT_ONCE
        assert after == before or after.version > before.version
        assert [a.assignment_id for a in before.attempts] == [
            a.assignment_id for a in after.attempts[: len(before.attempts)]
        ]
        self.need = after

    def some(self, n: int) -> str:
        return str(1 + n % (len(self.need.attempts) or 1))

    @property
    def next_id(self) -> str:
        return str(len(self.need.attempts) + 1)

    @rule(minutes=st.integers(0, 120))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def ask(self) -> None:
        following = needs.next_candidate(self.need, CANDIDATES, AVAILABLE)
        if following is not None:
            self.attempt(
                lambda: needs.ask(self.need, following, assignment_id=self.next_id, times=BY_THE_CLOCK, now=self.now)
            )

    @rule(n=attempts)
    def acknowledge(self, n: int) -> None:
        self.attempt(lambda: needs.acknowledge(self.need, self.some(n), version=None, now=self.now))

    @rule(n=attempts, version=versions)
    def accept(self, n: int, version: int | None) -> None:
        self.attempt(lambda: needs.accept(self.need, self.some(n), by="w", version=version, now=self.now))

    @rule(n=attempts, was_read=st.booleans())
    def undo(self, n: int, was_read: bool) -> None:
        before = need = self.need
        if was_read:
            need = replace(need, attempts=tuple(replace(a, disclosed_at=self.now) for a in need.attempts))
        self.attempt(lambda: needs.undo(need, self.some(n), version=None, now=self.now))
        assert not was_read or self.need is before

    @rule(n=attempts, until=minutes, version=versions)
    def waitlist(self, n: int, until: int, version: int | None) -> None:
        at = self.now + timedelta(minutes=until)
        self.attempt(lambda: needs.waitlist(self.need, self.some(n), until=at, version=version, now=self.now))

    @rule(n=attempts, reason=st.sampled_from(sorted(assignments.DECLINE_SIDE)))
    def decline(self, n: int, reason: str) -> None:
        self.attempt(
            lambda: needs.decline(
                self.need, self.some(n), reason=reason, side=None, by="w", version=None, now=self.now
            )[0]
        )

    @rule(n=attempts, code=st.sampled_from(["none", *questions.QUESTIONS]))
    def ask_port(self, n: int, code: str) -> None:
        self.on_attempt(n, lambda a: questions.ask(a, "q", code, now=self.now))

    @rule(n=attempts)
    def port_answers(self, n: int) -> None:
        self.on_attempt(n, lambda a: questions.resume(a, now=self.now), when=lambda a: a.question_id is not None)

    @rule(n=attempts)
    def port_is_silent(self, n: int) -> None:
        self.on_attempt(n, lambda a: questions.lapse(a, now=self.now), when=questions.is_paused)

    def on_attempt(
        self, n: int, do: Callable[[Assignment], Assignment], *, when: Callable[[Assignment], bool] = lambda _: True
    ) -> None:
        found = [a for a in self.need.attempts if a.assignment_id == self.some(n) and when(a)]
        if found:
            self.attempt(lambda: needs.with_attempt(self.need, do(found[0])))

    @rule(n=attempts, to=st.integers(0, 3))
    def transfer(self, n: int, to: int) -> None:
        self.attempt(
            lambda: passing.transfer(
                self.need,
                self.some(n),
                CANDIDATES[to],
                new_id=self.next_id,
                times=BY_THE_CLOCK,
                now=self.now,
            )
        )

    @rule(n=attempts)
    def expire(self, n: int) -> None:
        self.attempt(lambda: needs.expire(self.need, self.some(n), now=self.now))

    @rule(reason=st.sampled_from(["", *sorted(needs.RECALLS)]), version=versions)
    def recall(self, reason: str, version: int | None) -> None:
        self.attempt(lambda: needs.recall(self.need, reason=reason, version=version, now=self.now))

    @rule(attempt=st.integers(1, 6))
    def find_wrong(self, attempt: int) -> None:
        self.attempt(lambda: needs.found_wrong(self.need, attempt, version=None, now=self.now))

    @rule(n=attempts)
    def start(self, n: int) -> None:
        self.attempt(lambda: needs.start(self.need, self.some(n), version=None, now=self.now))

    @rule(n=attempts, outcome=st.sampled_from(sorted(assignments.SUCCESS)))
    def complete(self, n: int, outcome: str) -> None:
        self.attempt(
            lambda: needs.complete(
                self.need,
                self.some(n),
                outcome=outcome,
                handover_ref="BAST/1",
                by="w",
                version=None,
                now=self.now,
                minutes=[some_minutes(self.some(n), outcome)],
            )
        )

    @rule(n=attempts, outcome=st.sampled_from(sorted(assignments.FAIL_EFFECT)))
    def fail(self, n: int, outcome: str) -> None:
        self.attempt(lambda: needs.fail(self.need, self.some(n), outcome=outcome, version=None, now=self.now)[0])

    @rule(event=st.sampled_from(["consent_recorded", "consent_requested"]))
    def consent(self, event: Any) -> None:
        self.attempt(lambda: replace(self.need, referral=referrals.move(self.need.referral, event, now=self.now)))

    @rule(statement=st.sampled_from(["", "PNL/1"]))
    def refuse(self, statement: str) -> None:
        self.attempt(lambda: needs.refuse(self.need, statement=statement, by="penyelia.73", now=self.now))

    @rule()
    def withdraw(self) -> None:
        self.attempt(lambda: needs.withdraw(self.need, by="penyelia.73", now=self.now))

    @rule(agencies=st.frozensets(st.sampled_from(sorted(AVAILABLE))))
    def stop(self, agencies: frozenset[str]) -> None:
        self.attempt(lambda: needs.stop(self.need, agencies, now=self.now))
        assert not any(a.is_live and a.agency_id in agencies for a in self.need.attempts)

    @rule(until=minutes, personally=st.booleans())
    def hold(self, until: int, personally: bool) -> None:
        at = self.now + timedelta(minutes=until)
        self.attempt(
            lambda: needs.hold(
                self.need, reason="IN_HOSPITAL", until=at, personally=personally, version=None, now=self.now
            )
        )

    @rule()
    def resume(self) -> None:
        self.attempt(lambda: needs.resume(self.need, version=None, now=self.now))

    @rule(reason=st.sampled_from(sorted(referrals.CLOSINGS)), personally=st.booleans(), own=st.booleans())
    def close(self, reason: str, personally: bool, own: bool) -> None:
        organisation = CANDIDATES[0].agency_id if own else "BP3MI-73"
        self.attempt(
            lambda: needs.close(
                self.need,
                reason=reason,
                by="penyelia.73",
                organisation=organisation,
                personally=personally,
                version=None,
                now=self.now,
            )
        )

    @precondition(lambda self: self.need.referral.is_terminal)
    @rule(reason=st.sampled_from(sorted(referrals.REOPENINGS)))
    def reopen(self, reason: str) -> None:
        self.attempt(lambda: needs.reopen(self.need, reason=reason, version=None, now=self.now))

    @invariant()
    def one_helps_and_one_is_asked_at_most_and_beside_who_helps_only_who_takes_over(self) -> None:
        helping = [a for a in self.need.attempts if a.state in assignments.HELPING]
        asked = [a for a in self.need.attempts if a.state in assignments.ASKED]
        assert len(helping) <= 1
        assert len(asked) <= 1
        if helping and asked:
            assert asked[0].transfer_of == helping[0].assignment_id

    @invariant()
    def who_handed_on_was_taken_over_from_by_one_that_accepted(self) -> None:
        for a in self.need.attempts:
            if a.state == "transferred":
                takers = [b for b in self.need.attempts if b.transfer_of == a.assignment_id and b.answered_at]
                assert [b.answered_at for b in takers if b.state != "declined"] == [a.ended_at]

    @invariant()
    def an_ended_need_has_no_live_attempt(self) -> None:
        if self.need.referral.is_terminal:
            assert self.need.live is None
            assert self.need.referral.ended_at is not None

    @invariant()
    def a_need_that_waits_asks_nobody_and_has_its_day(self) -> None:
        is_held = self.need.referral.state == "on_hold"
        assert is_held == (self.need.referral.held_until is not None)
        assert not is_held or self.need.live is None

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
        if referral.is_terminal and referral.state != "fulfilled":
            assert referral.outcome is not None
            assert referral.closed_by == "penyelia.73"
        assert (referral.state == "refused") == (referral.statement is not None)

    @invariant()
    def a_terminal_attempt_never_changes_again(self) -> None:
        for a in self.need.attempts:
            if not a.is_live:
                assert replace(self.ended.setdefault(a.assignment_id, a), disclosed_at=a.disclosed_at) == a

    @invariant()
    def attempts_are_numbered_without_a_gap(self) -> None:
        assert [a.attempt for a in self.need.attempts] == list(range(1, len(self.need.attempts) + 1))

    @invariant()
    def every_live_attempt_has_a_deadline_and_stands_still_only_for_a_question(self) -> None:
        for a in self.need.attempts:
            if a.state in assignments.HELPING:
                assert a.service_due_at is not None
                assert a.answered_by is not None
            if a.answer_left is not None:
                assert a.state == "acknowledged"
                assert a.question_id is not None
            if a.question_id is not None:
                assert a.state == "acknowledged"


TestCommands = Commands.TestCase
TestCommands.settings = settings(max_examples=examples(110), stateful_step_count=50, deadline=None)
"""5,500 steps in a usual run, 110,000 in a soak."""
