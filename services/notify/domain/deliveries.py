"""One notice to one subscriber: its body, its moves, and when it is tried again."""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

Status = Literal["queued", "sending", "retry_wait", "delivered", "dead_lettered", "suppressed", "expired"]
Trouble = Literal[
    "timeout", "connection", "tls", "address_refused", "redirect", "client_error", "server_error", "throttled"
]
Verdict = Literal["delivered", "retry", "hopeless", "gone"]

MOVES: dict[Status, frozenset[Status]] = {
    "queued": frozenset({"sending", "suppressed", "dead_lettered"}),
    "sending": frozenset({"delivered", "retry_wait", "dead_lettered", "expired", "sending", "queued", "suppressed"}),
    "retry_wait": frozenset({"sending", "suppressed", "dead_lettered"}),
    "delivered": frozenset({"queued"}),
    "dead_lettered": frozenset({"queued"}),
    "suppressed": frozenset({"queued"}),
    "expired": frozenset({"queued"}),
}
"""`sending` to `sending`: the holder of the lease did not come back; to `queued`: it was not sent after all. An end to
`queued`: a person replays it."""

SCHEDULE = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Pauses between attempts, each shortened or stretched by up to a fifth."""

JITTER = 0.2
KEEP_TRYING = timedelta(hours=75)
"""However the chances fell, nobody is given up on earlier than this."""
GIVE_UP = timedelta(hours=120)
"""A notice that waited this long behind a dead server is a person's task, tried often or not."""
RETRY_AFTER_LIMIT = timedelta(hours=24)

LEASE = timedelta(seconds=60)
SEND_MARGIN = timedelta(seconds=15)
"""A claimed notice is sent only while its lease has this long to run: longer than one attempt can take."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A fact that a subscriber will be told."""

    delivery_id: str
    subscription_id: str
    organisation: str
    event_id: str
    event_type: str
    case_id: str
    need: str
    province: str
    body: bytes
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A notice in hand: everything an attempt needs, and where it stands in its schedule."""

    delivery_id: str
    subscription_id: str
    organisation: str
    test: bool
    replayed: bool
    event_id: str
    event_type: str
    case_id: str
    need: str | None
    body: bytes
    traceparent: str | None
    attempts: int
    step: int
    queued_at: datetime
    lease_until: datetime
    channel: str
    url: str
    sealed_secret: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from one attempt. `status` is None when no answer came; `response` is at most 4 KiB."""

    started_at: datetime
    ms: int
    status: int | None
    trouble: Trouble | None
    retry_after: timedelta | None
    response: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a claimed notice stands after an attempt."""

    claimed: Claimed
    answer: Answer
    status: Status
    trouble: Trouble | None
    number: int
    step: int
    next_attempt_at: datetime | None
    ended_at: datetime | None

    @property
    def gone(self) -> bool:
        """True when the subscriber's server said that nobody wants notices there any more (410)."""
        return self.answer.status == 410 and not self.claimed.test


def trouble_with(status: int, *, retry_after: bool) -> Trouble | None:
    """What is wrong with an HTTP status, None when the notice was taken.

    409 is an answer to a repeated id: the subscriber has it already.
    """
    if 200 <= status < 300 or status == 409:
        return None
    if 300 <= status < 400:
        return "redirect"
    if status in {425, 429} or (status == 503 and retry_after):
        return "throttled"
    if status == 408:
        return "timeout"
    return "client_error" if 400 <= status < 500 else "server_error"


def verdict(answer: Answer) -> Verdict:
    """What an answer means for the notice."""
    if answer.trouble is None:
        return "delivered"
    if answer.status == 410:
        return "gone"
    return "hopeless" if answer.trouble == "client_error" else "retry"


def next_attempt(
    step: int, *, queued_at: datetime, now: datetime, chance: float, retry_after: timedelta | None = None
) -> datetime | None:
    """When to try again after the failure at `step` (0 = first attempt); None when it is time to give up.

    `chance` is between -1 and 1 and moves the pause by up to a fifth. A subscriber's `Retry-After` can only
    make it later.
    """
    if now - queued_at >= GIVE_UP or (step >= len(SCHEDULE) and now - queued_at >= KEEP_TRYING):
        return None
    pause = SCHEDULE[min(step, len(SCHEDULE) - 1)] * (1 + JITTER * chance)
    if retry_after is not None:
        pause = max(pause, min(retry_after, RETRY_AFTER_LIMIT))
    return now + pause


def after(claimed: Claimed, answer: Answer, *, now: datetime, chance: float) -> Outcome:
    """Where the notice stands after this answer. A test is never tried again."""
    said = verdict(answer)
    outcome = Outcome(
        claimed=claimed,
        answer=answer,
        status="delivered",
        trouble=answer.trouble,
        number=claimed.attempts + 1,
        step=claimed.step,
        next_attempt_at=None,
        ended_at=now,
    )
    if said == "delivered":
        return outcome
    if claimed.test:
        return replace(outcome, status="expired")
    if said == "hopeless":
        return replace(outcome, status="dead_lettered")
    if said == "gone":
        # It waits, untouched by the schedule, until somebody resumes the subscription.
        return replace(outcome, status="retry_wait", next_attempt_at=now, ended_at=None)
    again = next_attempt(
        claimed.step,
        queued_at=claimed.queued_at,
        now=now,
        chance=chance,
        retry_after=answer.retry_after if answer.trouble == "throttled" else None,
    )
    if again is None:
        return replace(outcome, status="dead_lettered")
    return replace(outcome, status="retry_wait", step=claimed.step + 1, next_attempt_at=again, ended_at=None)


def body(
    *, event_type: str, event_id: str, case_id: str, need: str, province: str, state: str, occurred_at: datetime
) -> bytes:
    """The bytes of a notice: Standard Webhooks' `type`, `timestamp`, `data`; codes only, below 2 kB."""
    return json.dumps(
        {
            "type": event_type,
            "timestamp": occurred_at.isoformat(),
            "data": {
                "event_id": event_id,
                "case_id": case_id,
                "need": need,
                "province": province,
                "state": state,
            },
        },
        separators=(",", ":"),
    ).encode()


TEST_EVENT = "notify.test.v1"


def test_body(*, event_id: str, subscription_id: str, now: datetime) -> bytes:
    """The bytes of a test notice: shaped like a real one, about no case."""
    return body(
        event_type=TEST_EVENT,
        event_id=event_id,
        case_id=subscription_id,
        need="NEED",
        province="00",
        state="test",
        occurred_at=now,
    )
