"""A referral: one need of one person, from the decision that it exists until it is met or given up for a reason."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import get_args

from services.referral.domain import machines
from services.referral.domain.refusals import (
    ChildNeedsOfficer,
    ConsentIsNoBasis,
    DateMissing,
    MoveNotAllowed,
    ReasonMissing,
    StatementMissing,
)

State = machines.NeedState
Event = machines.NeedEvent

STATES: tuple[State, ...] = get_args(State)
TERMINAL: frozenset[State] = frozenset(
    {"fulfilled", "unfulfilled", "refused", "consent_withdrawn", "cancelled", "entered_in_error"}
)
LIVE: frozenset[State] = frozenset(STATES) - TERMINAL


MOVES = machines.moves(machines.NEED)
"""Every legal move; the database repeats what a terminal state must carry as CHECKs."""

OF_CONSENT: frozenset[Event] = frozenset({"consent_requested", "consent_refused", "consent_withdrawn"})
"""What only an adult decides: help for a child rests on its best interest."""

CLOSINGS: Mapping[str, tuple[Event, ...]] = {
    "PERSON_REFUSED": ("attempts_exhausted", "cancelled"),
    "PERSON_LEFT": ("attempts_exhausted", "cancelled"),
    "DECEASED": ("attempts_exhausted", "cancelled"),
    # Not of a gap: that nobody serves it is what a gap says, and no reason to close it.
    "COULD_NOT_CONTACT": ("attempts_exhausted",),
    "NOT_ELIGIBLE": ("attempts_exhausted",),
    "NO_CAPACITY": ("attempts_exhausted",),
    "DUPLICATE": ("cancelled",),
    "NO_LONGER_NEEDED": ("cancelled",),
    "ENTERED_IN_ERROR": ("found_wrong",),
}
"""Why a person may close a need that was not met, and by which event: the first that leads on from its state."""

REOPENINGS = frozenset({"NEED_REMAINS", "PERSON_FOUND", "PERSON_AGREES", "CLOSED_IN_ERROR"})
"""Why a need may be opened again."""

HOLDS = frozenset({"IN_HOSPITAL", "IN_CUSTODY", "AWAITING_PAPERS", "PERSON_ASKED_TO_WAIT"})
"""Why a need may wait."""
MOST_HELD = timedelta(days=90)

CHILDREN = frozenset({"child", "unknown"})
"""The ages that are a child's: whoever's is unknown counts as one."""


@dataclass(frozen=True, slots=True)
class Referral:
    """One need. The coded facts are a snapshot of the arrival, and change when the port corrects them alone."""

    referral_id: str
    case_id: str
    need: str
    state: State
    version: int
    restricted: bool
    """For the case team only: trafficking, sexual violence, children."""
    regency: str
    """Where help is due: home, or the regency of the port where home is not known."""
    port: str
    sex: str
    age_band: str
    onward_wish: str
    arrived_at: datetime
    explanation: bytes
    opened_at: datetime
    outcome: str | None = None
    ended_at: datetime | None = None
    closed_by: str | None = None
    held_until: datetime | None = None
    """On which day a need that is on hold goes on by itself."""
    urgency: int | None = None
    """1, 2 or 3, as the rules have found it; None where they say nothing."""
    statement: str | None = None
    """The number of the signed statement by which it was refused."""
    is_struck: bool = False
    """The port has struck it since it ended: it stays as it ended, and nobody but the port opens it again."""

    @property
    def province(self) -> str:
        return self.regency[:2]

    @property
    def child(self) -> bool:
        """Under 18, or of unknown age, which counts the same."""
        return self.age_band in CHILDREN

    @property
    def is_terminal(self) -> bool:
        return self.state in TERMINAL


def move(referral: Referral, event: Event, *, now: datetime) -> Referral:
    """The referral after the event. Raises `MoveNotAllowed`, `ConsentIsNoBasis`."""
    if referral.child and event in OF_CONSENT:
        raise ConsentIsNoBasis
    to = MOVES.get((referral.state, event))
    if to is None:
        raise MoveNotAllowed("referral", referral.state, event, at=referral.ended_at)
    return replace(
        referral,
        state=to,
        version=referral.version + 1,
        ended_at=now if to in TERMINAL else None,
        outcome=referral.outcome if to in TERMINAL else None,
        closed_by=referral.closed_by if to in TERMINAL else None,
        held_until=referral.held_until if to == "on_hold" else None,
        statement=referral.statement if to in TERMINAL else None,
        is_struck=referral.is_struck and to in TERMINAL,
    )


def refuse(referral: Referral, *, statement: str, by: str, now: datetime) -> Referral:
    """An adult wants no help with this, and has signed that. Raises `StatementMissing`, `ConsentIsNoBasis`,
    `MoveNotAllowed`.
    """
    refused = move(referral, "consent_refused", now=now)
    if not statement:
        raise StatementMissing
    return replace(refused, statement=statement, outcome="PERSON_REFUSED", closed_by=by)


def withdraw(referral: Referral, *, by: str, now: datetime) -> Referral:
    """An adult took back the consent that it rests on. Raises `ConsentIsNoBasis`, `MoveNotAllowed`."""
    return replace(move(referral, "consent_withdrawn", now=now), outcome="CONSENT_WITHDRAWN", closed_by=by)


def fulfil(referral: Referral, *, outcome: str, by: str, now: datetime) -> Referral:
    """The need was met."""
    return replace(move(referral, "attempt_completed", now=now), outcome=outcome, closed_by=by)


def closings(state: State) -> list[str]:
    """The reasons for which a need in this state may be closed."""
    return [reason for reason, events in CLOSINGS.items() if any((state, event) in MOVES for event in events)]


def close(referral: Referral, *, reason: str, by: str, personally: bool, now: datetime) -> Referral:
    """End the need unmet, for a coded reason. A child's only by an officer who answers for it personally.

    So is every restricted need, since who is outside the case team must not learn by trying which of them is a child's.
    Raises `ReasonMissing`, `ChildNeedsOfficer`, `MoveNotAllowed`.
    """
    events = CLOSINGS.get(reason)
    if events is None:
        raise ReasonMissing
    if (referral.child or referral.restricted) and not personally:
        raise ChildNeedsOfficer
    event = next((event for event in events if (referral.state, event) in MOVES), events[0])
    return replace(move(referral, event, now=now), outcome=reason, closed_by=by)


def hold(referral: Referral, *, reason: str, until: datetime, personally: bool, now: datetime) -> Referral:
    """Let the need wait until a day. A child's, and any restricted one, only by who answers for it by name.

    Raises `ReasonMissing`, `DateMissing`, `ChildNeedsOfficer`, `MoveNotAllowed`.
    """
    if reason not in HOLDS:
        raise ReasonMissing
    if not now < until <= now + MOST_HELD:
        raise DateMissing
    if (referral.child or referral.restricted) and not personally:
        raise ChildNeedsOfficer
    return replace(move(referral, "held", now=now), held_until=until)


def resume(referral: Referral, *, now: datetime) -> Referral:
    """The need goes on."""
    return move(referral, "resumed", now=now)


def strike(referral: Referral, *, by: str, now: datetime) -> Referral:
    """The port has found that there is no such need; what had ended stays as it ended."""
    if referral.is_terminal:
        if referral.is_struck or referral.state == "entered_in_error":
            return referral
        return replace(referral, version=referral.version + 1, is_struck=True)
    return replace(move(referral, "found_wrong", now=now), outcome="ENTERED_IN_ERROR", closed_by=by)


def end_with_death(referral: Referral, *, by: str, now: datetime) -> Referral:
    """The port has noted that the person died. Raises `MoveNotAllowed`."""
    return replace(move(referral, "person_died", now=now), outcome="DECEASED", closed_by=by)


def open_anew(referral: Referral, *, now: datetime) -> Referral:
    """The port has corrected what its end rested on. Raises `MoveNotAllowed` for what has not ended."""
    return move(referral, "reopened", now=now)


def ended_with_death(referral: Referral) -> bool:
    """True for a need that was open when the port noted that the person had died."""
    return referral.state == "cancelled" and referral.outcome == "DECEASED"


def reopen(referral: Referral, *, reason: str, now: datetime) -> Referral:
    """The need turned out to be open after all; what was struck or ended with a death the port alone finds again.

    Raises `ReasonMissing`, `MoveNotAllowed`.
    """
    if reason not in REOPENINGS:
        raise ReasonMissing
    if referral.is_struck or referral.state in ("entered_in_error", "cancelled"):
        raise MoveNotAllowed("referral", referral.state, "reopened", at=referral.ended_at)
    return move(referral, "reopened", now=now)
