"""A month of ten thousand needs, and agencies that answer late, never or wrongly: nobody is forgotten.

The first is pure: it decides by the same functions as the clock, without a database. The second runs the clock itself.
"""

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.referral import clock as clocks
from services.referral.actions.answering import Answer
from services.referral.domain import assignments, calendars, deadlines, escalations, hours, limits, needs
from services.referral.domain.assignments import Assignment
from services.referral.domain.deadlines import Times
from services.referral.domain.escalations import Escalation
from services.referral.domain.needs import Need
from services.referral.domain.refusals import Refused
from services.referral.domain.routing import Candidate, Terms
from tests.referral.conftest import Desk
from tests.referral.factories import START, a_need, an_arrival

HOUR = timedelta(hours=1)
MONTH = timedelta(days=30)
NEEDS = 10_000
TERMS = Terms(1, 3, 24)
"""An hour to open it, and then three to decide."""
OFFICES = [Candidate(f"DINSOS-{province}.{n:02d}", TERMS) for province in ("11", "32", "73", "91") for n in range(1, 6)]
ZONES = {"11": "Asia/Jakarta", "32": "Asia/Jakarta", "73": "Asia/Makassar", "91": "Asia/Jayapura"}
TIMES = Times(
    calendar_of=lambda agency: calendars.calendar(ZONES[agency[7:9]], hours.STATUTORY, agency[7:9]),
)
AVAILABLE = frozenset(office.agency_id for office in OFFICES)


class Life:
    """One need through the month: whatever is planned for it happens at its time, and the clock comes by."""

    def __init__(self, n: int) -> None:
        self.chance = random.Random(n)
        self.now = START + self.chance.random() * MONTH
        code = self.chance.choice(("ELDER", "SICK", "TIP", "GBV", "NEED", "WAGE"))
        first = a_need(self.chance.choice(("adult", "adult", "child", "unknown")))
        self.need = replace(
            first, referral=replace(first.referral, need=code, opened_at=self.now, arrived_at=self.now - HOUR)
        )
        self.candidates = self.chance.sample(OFFICES, self.chance.randint(0, 3))
        self.before_people: dict[tuple[str, str | None], Escalation] = {}
        self.plans: list[tuple[datetime, str, str]] = []
        self.seen: Counter[str] = Counter()
        self.is_stuck = False
        self.reminded: set[tuple[str, datetime | None]] = set()
        self.go_on(self.need)

    def go_on(self, need: Need) -> None:
        """Ask the next agency, or put the need before a person."""
        asked = needs.ask_next(
            need,
            self.candidates,
            AVAILABLE,
            assignment_id=str(len(need.attempts) + 1),
            times=TIMES,
            now=self.now,
        )
        if asked is None:
            self.need = need
            self.escalate("no_candidate_left")
        else:
            self.need = asked
            self.ask(asked.attempts[-1])

    def ask(self, attempt: Assignment) -> None:
        """The agency opens it in time or late, and answers, opened or not."""
        self.plan("opens", attempt, most=2)
        self.plan("answers", attempt, most=12)

    def plan(self, what: str, attempt: Assignment, *, most: int) -> None:
        """Something that an agency does within these hours, or in one case of four never."""
        if self.chance.random() < 0.75:
            self.plans.append((self.now + self.chance.random() * most * HOUR, what, attempt.assignment_id))

    def escalate(self, reason: str, limit: str | None = None) -> None:
        if (reason, limit) not in self.before_people:
            self.before_people[reason, limit] = escalations.of(
                self.need, reason, escalation_id=reason, assignment_id=None, limit=limit, now=self.now
            )
            self.plans.append((self.now + self.chance.random() * 100 * HOUR, "is taken", ""))

    def settle(self) -> None:
        self.before_people = {key: e for key, e in self.before_people.items() if e.limit_code is not None}

    def moments(self) -> list[datetime]:
        """When something happens next."""
        return [at for at, _, _ in self.plans] + self.clocks()

    def clocks(self) -> list[datetime]:
        """When a clock runs out next."""
        found = [e.due_at for e in self.before_people.values()]
        for attempt in self.need.attempts:
            if attempt.remind_at is not None:
                found.append(attempt.remind_at)
            if attempt.state in assignments.ASKED:
                found.append(attempt.answer_due_at)
            elif attempt.state in assignments.HELPING and attempt.overdue_told_at is None:
                found.append(attempt.service_due_at or self.now)
        return found + [
            limit.due(self.need.referral)
            for limit in limits.of(self.need.referral.need)
            if ("legal_limit", limit.code) not in self.before_people and not limit.is_met(self.need)
        ]

    def step(self) -> bool:
        """Go to the next moment; False when the month is over or the need has ended."""
        self.now = max(self.now, min(self.moments(), default=START + 2 * MONTH))
        if self.need.referral.is_terminal or self.now > START + MONTH:
            return False
        self.tick(self.now - timedelta(minutes=self.chance.randint(0, 90)))  # of a process whose clock is behind
        self.tick(self.now)
        self.is_stuck = any(at <= self.now for at in self.clocks())  # it has passed, and led to nothing
        due = [plan for plan in self.plans if plan[0] <= self.now]
        self.plans = [plan for plan in self.plans if plan[0] > self.now]
        for _, what, assignment_id in due:
            try:
                self.happens(what, assignment_id)
            except Refused as refused:
                self.seen[type(refused).__name__] += 1
        return True

    def tick(self, now: datetime) -> None:
        """What the clock does, decided as in `actions.chasing` and `actions.escalating`."""
        for attempt in self.need.attempts:
            match deadlines.falls_due(attempt, now=now):
                case "is_reminded":
                    counting = TIMES.of(attempt.agency_id, self.need.referral.need, TERMS)
                    after = deadlines.remind(attempt, counting, now=now)
                    if after.reminded_at == now:
                        self.seen[
                            "reminded twice" if (attempt.assignment_id, attempt.due_at) in self.reminded else "reminded"
                        ] += 1
                        self.reminded.add((attempt.assignment_id, attempt.due_at))
                    self.need = needs.with_attempt(self.need, after)
                case "expires":
                    self.seen[deadlines.CAUSES[attempt.state]] += 1
                    self.go_on(needs.expire(self.need, attempt.assignment_id, now=now))
                case "is_overdue":
                    self.seen["overdue"] += 1
                    self.need = needs.with_attempt(self.need, replace(attempt, overdue_told_at=now))
                    self.escalate("service_overdue")
        for key, escalation in self.before_people.items():
            after = escalations.fall_due(escalation, self.need, now=now)
            if after != escalation:
                self.seen["came back" if escalation.taken_by else "climbed"] += 1
                self.plans.append((self.now + self.chance.random() * 100 * HOUR, "is taken", ""))
            self.before_people[key] = after
        for limit in limits.breached(self.need, now=now):
            self.escalate("legal_limit", limit.code)

    def happens(self, what: str, assignment_id: str) -> None:
        if what == "is taken":
            for key, escalation in self.before_people.items():
                self.before_people[key] = escalations.take(escalation, self.need, by="p", now=self.now)
            if self.chance.random() < 0.3:
                self.need = needs.close(
                    self.need,
                    reason="NO_LONGER_NEEDED",
                    by="p",
                    organisation="BP3MI-73",
                    personally=True,
                    version=None,
                    now=self.now,
                )
            elif self.chance.random() < 0.5 and self.need.live is None and self.candidates:
                again = self.chance.choice(self.candidates)
                self.need = needs.ask(
                    self.need, again, assignment_id=str(len(self.need.attempts) + 1), times=TIMES, now=self.now
                )
                self.settle()
                self.ask(self.need.attempts[-1])
        elif what == "opens":
            self.need = needs.acknowledge(
                self.need, assignment_id, version=None, times=TIMES, terms=TERMS, now=self.now
            )
        elif what == "answers" and self.chance.random() < 0.6:
            self.need = needs.accept(
                self.need, assignment_id, by="w", version=None, times=TIMES, terms=TERMS, now=self.now
            )
            self.settle()
            self.plan("ends", self.need.attempt(assignment_id), most=200)
        elif what == "answers":
            reason = self.chance.choice(sorted(assignments.DECLINE_EFFECT))
            declined, effect = needs.decline(
                self.need, assignment_id, reason=reason, side=None, by="w", version=None, now=self.now
            )
            self.need = declined
            if effect == "ask_next":
                self.go_on(declined)
            else:
                self.escalate("person_refused")
        elif self.chance.random() < 0.5:
            self.need = needs.complete(
                self.need,
                assignment_id,
                outcome="SERVICE_DELIVERED",
                handover_ref=None,
                by="w",
                version=None,
                now=self.now,
            )
        else:
            failed, _ = needs.fail(self.need, assignment_id, outcome="NO_CAPACITY", version=None, now=self.now)
            self.settle()
            self.go_on(failed)

    def is_forgotten(self) -> bool:
        """Nobody is asked or helps in time, and no person has it before them; or a limit of the law passed unseen."""
        if self.need.referral.is_terminal:
            return False
        live = self.need.live
        is_chased = (
            live is not None
            and (live.answer_due_at if live.state in assignments.ASKED else live.service_due_at or self.now) > self.now
        )
        is_with_people = any(e.due_at > self.now for e in self.before_people.values())
        unseen = [
            limit
            for limit in limits.breached(self.need, now=self.now)
            if ("legal_limit", limit.code) not in self.before_people
        ]
        return self.is_stuck or bool(unseen) or not (is_chased or is_with_people)


def forgotten(lives: int) -> tuple[int, Counter[str]]:
    """How many of so many lives had a moment in which they were forgotten, and what came up in all of them."""
    found, seen = 0, Counter[str]()
    for n in range(lives):
        life = Life(n)
        was_forgotten = life.is_forgotten()
        while not was_forgotten and life.step():
            was_forgotten = life.is_forgotten()
        found += was_forgotten
        seen += life.seen
    return found, seen


class TestSilentExpiry:
    """The complaint: a request runs out, and nobody learns of it."""

    def test_of_ten_thousand_needs_none_is_ever_without_an_attempt_or_a_person(self) -> None:
        found, seen = forgotten(NEEDS)

        assert (found, seen["reminded twice"]) == (0, 0)
        assert (
            min(
                seen[what]
                for what in ("reminded", "not_opened", "not_decided", "overdue", "climbed", "came back", "TooLate")
            )
            > 100
        ), seen

    @pytest.mark.parametrize("bug", ["nobody is told", "nothing climbs", "late help is not seen", "opened is for ever"])
    def test_would_be_found(self, monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
        if bug == "nobody is told":
            monkeypatch.setattr(Life, "escalate", lambda *_: None)
        elif bug == "nothing climbs":
            monkeypatch.setattr(escalations, "fall_due", lambda escalation, *_, **__: escalation)
        elif bug == "opened is for ever":
            right = deadlines.falls_due
            monkeypatch.setattr(
                deadlines, "falls_due", lambda a, *, now: None if a.state == "acknowledged" else right(a, now=now)
            )
        else:
            right = deadlines.falls_due
            monkeypatch.setattr(
                deadlines, "falls_due", lambda a, *, now: None if a.state == "accepted" else right(a, now=now)
            )

        assert forgotten(200)[0] > 0


FORGOTTEN = """
SELECT count(*) FROM referrals r WHERE r.ended_at IS NULL
AND NOT EXISTS (SELECT FROM assignments a WHERE a.referral_id = r.referral_id AND a.due_at > $1)
AND NOT EXISTS (SELECT FROM escalations e WHERE e.referral_id = r.referral_id AND e.closed_at IS NULL AND e.due_at > $1)
AND NOT EXISTS (SELECT FROM gaps g WHERE g.referral_id = r.referral_id AND g.closed_at IS NULL)
"""


async def test_on_the_database_a_month_forgets_nobody_either(desk: Desk) -> None:
    chance = random.Random(5)
    chase, climb = clocks.chase(desk.database, desk.routing), clocks.climb(desk.database)
    keep_the_law = clocks.keep_the_law(desk.database)
    for turn in range(60):
        if turn < 10:
            await desk.open(*(an_arrival(need) for need in ("ELDER", "TIP", "GBV", "NEED")))
        for row in await desk.rows(
            "SELECT assignment_id::text AS id, agency_id, state FROM assignments WHERE due_at > now()"
        ):
            if chance.random() < 0.2:
                verb = "accept" if row["state"] == "sent" else "complete"
                await desk.answer(verb, row["agency_id"], Answer(row["id"], outcome="SERVICE_DELIVERED"))
        desk.clock.advance(12 * HOUR)
        while await chase() or await climb() or await keep_the_law():
            pass
        [row] = await desk.rows(FORGOTTEN, desk.clock.now())
        assert row["count"] == 0, turn

    told = Counter(await desk.told())
    assert min(told[what] for what in ("assignment_expired", "referral_escalated", "escalation_raised")) > 0, told
