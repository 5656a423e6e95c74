"""How a subscriber's server has been doing, and so how hard it may be asked.

A server that fails is probed ever more slowly; one that is slow or unknown shares a small set of places with its
like. Both cost their own subscription time and nobody else's.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.notify.domain.deliveries import Answer, Trouble

OPENS_AFTER = 5
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=10)
THROTTLE_LIMIT = timedelta(hours=1)

IN_FLIGHT_EACH = 4
"""POSTs on the wire at once to one subscriber."""
SLOW_MS = 1_000.0
AHEAD_MS = 2_000.0
"""So much work may be claimed ahead for a subscriber; far less than a lease."""
WIDEST_WINDOW = 128


@dataclass(frozen=True, slots=True)
class Circuit:
    """One subscriber's record. `trusted`: it answers, and soon."""

    subscription_id: str
    trusted: bool = False
    claim_window: int = IN_FLIGHT_EACH
    consecutive_failures: int = 0
    open_until: datetime | None = None
    mean_ms: float | None = None
    delivered: int = 0
    failed: int = 0
    last_delivered_at: datetime | None = None
    last_failed_at: datetime | None = None
    last_trouble: Trouble | None = None
    last_status: int | None = None


def after(circuit: Circuit, answers: Iterable[Answer], *, now: datetime) -> Circuit:
    """The record after these answers, in the order they came."""
    throttled_until: datetime | None = None
    for answer in answers:
        if answer.trouble is None:
            circuit = replace(
                circuit,
                consecutive_failures=0,
                delivered=circuit.delivered + 1,
                last_delivered_at=now,
                last_status=answer.status,
                mean_ms=_moved(circuit.mean_ms, answer.ms),
            )
            throttled_until = None
            continue
        circuit = replace(
            circuit,
            consecutive_failures=circuit.consecutive_failures + 1,
            failed=circuit.failed + 1,
            last_failed_at=now,
            last_trouble=answer.trouble,
            last_status=answer.status,
            mean_ms=_moved(circuit.mean_ms, answer.ms),
        )
        if answer.trouble == "throttled" and answer.retry_after is not None:
            throttled_until = now + min(answer.retry_after, THROTTLE_LIMIT)
    failures = circuit.consecutive_failures
    return replace(
        circuit,
        open_until=max((t for t in (throttled_until, _open_until(failures, now)) if t is not None), default=None),
        trusted=failures == 0 and circuit.mean_ms is not None and circuit.mean_ms <= SLOW_MS,
        claim_window=_window(failures, circuit.mean_ms),
    )


def _open_until(failures: int, now: datetime) -> datetime | None:
    if failures < OPENS_AFTER:
        return None
    doubled: timedelta = FIRST_PAUSE * 2 ** min(failures - OPENS_AFTER, 10)
    return now + min(doubled, LONGEST_PAUSE)


def _window(failures: int, mean_ms: float | None) -> int:
    """How many notices may be on their way: one probe to a dead server, seconds of work to a quick one."""
    if failures >= OPENS_AFTER:
        return 1
    if failures or mean_ms is None:
        return IN_FLIGHT_EACH
    return max(IN_FLIGHT_EACH, min(WIDEST_WINDOW, int(IN_FLIGHT_EACH * AHEAD_MS / max(mean_ms, 1.0))))


def _moved(mean_ms: float | None, ms: int) -> float:
    return float(ms) if mean_ms is None else mean_ms + 0.2 * (ms - mean_ms)
