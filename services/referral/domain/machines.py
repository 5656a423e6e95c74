"""The two machines as data: every legal move of a need and of an attempt, who makes it, and what goes with it.

From these rows come the moves that the code allows (`moves`), the drawings and tables of docs/states.md
(`make states`), and the tests that try every state with every event.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

Who = Literal["rules", "clock", "agency", "supervisor", "port", "notify"]

AttemptState = Literal[
    "proposed",
    "sent",
    "delivered",
    "acknowledged",
    "waitlisted",
    "accepted",
    "in_progress",
    "completed",
    "declined",
    "expired",
    "recalled",
    "cancelled_by_sender",
    "failed",
    "transferred",
    "entered_in_error",
]
AttemptEvent = Literal[
    "dispatched",
    "delivered",
    "opened",
    "question_asked",
    "question_answered",
    "question_lapsed",
    "accepted",
    "acceptance_undone",
    "declined",
    "waitlisted",
    "deadline_passed",
    "recalled",
    "service_started",
    "transferred",
    "referral_ended",
    "consent_withdrawn",
    "outcome_recorded",
    "outcome_failed",
    "found_wrong",
]
NeedState = Literal[
    "draft",
    "awaiting_consent",
    "open",
    "unroutable",
    "on_hold",
    "fulfilled",
    "unfulfilled",
    "refused",
    "consent_withdrawn",
    "cancelled",
    "entered_in_error",
]
NeedEvent = Literal[
    "consent_recorded",
    "consent_requested",
    "consent_refused",
    "no_candidate",
    "candidate_found",
    "held",
    "resumed",
    "attempt_completed",
    "attempts_exhausted",
    "consent_withdrawn",
    "cancelled",
    "found_wrong",
    "person_died",
    "reopened",
]

S = TypeVar("S", bound=str)
E = TypeVar("E", bound=str)


@dataclass(frozen=True, slots=True)
class Row(Generic[S, E]):
    """From each of these states, on this event, to that one; who makes the move, and what goes with it."""

    sources: tuple[S, ...]
    event: E
    to: S
    who: tuple[Who, ...]
    note: str


def moves(rows: Iterable[Row[S, E]]) -> Mapping[tuple[S, E], S]:
    """The rows as a table of moves. Raises `ValueError` when two rows lead from one state on one event."""
    found: dict[tuple[S, E], S] = {}
    for row in rows:
        for source in row.sources:
            if (source, row.event) in found:
                raise ValueError(f"two rows for {source} on {row.event}")
            found[source, row.event] = row.to
    return found


_ANSWERABLE: tuple[AttemptState, ...] = ("sent", "delivered", "acknowledged")
_ASKED: tuple[AttemptState, ...] = (*_ANSWERABLE, "waitlisted")
_HELPING: tuple[AttemptState, ...] = ("accepted", "in_progress")

ATTEMPT: tuple[Row[AttemptState, AttemptEvent], ...] = (
    Row(("proposed",), "dispatched", "sent", ("rules",), "the row and the fact that tells it commit together"),
    Row(("sent",), "delivered", "delivered", ("notify",), "the receipt of the notice"),
    Row(
        ("sent", "delivered"),
        "opened",
        "acknowledged",
        ("agency",),
        "by a named worker, also when no receipt told that it had arrived; from then on the time to decide runs",
    ),
    Row(
        _ANSWERABLE,
        "question_asked",
        "acknowledged",
        ("agency",),
        "a coded question to the port; the time to answer stands still",
    ),
    Row(("acknowledged",), "question_answered", "acknowledged", ("port",), "the time to answer goes on, by the pause"),
    Row(
        ("acknowledged",),
        "question_lapsed",
        "acknowledged",
        ("clock",),
        "nobody answered in time; the time to answer goes on, a supervisor is told",
    ),
    Row(
        _ASKED,
        "accepted",
        "accepted",
        ("agency",),
        "the identity may be disclosed from here on; what handed the need on becomes transferred",
    ),
    Row(
        ("accepted",),
        "acceptance_undone",
        "acknowledged",
        ("agency",),
        "within 10 seconds, unless the identity was read, or the need handed on by it",
    ),
    Row(_ASKED, "declined", "declined", ("agency",), "a coded reason, whose it is, and what follows from it"),
    Row(_ANSWERABLE, "waitlisted", "waitlisted", ("agency",), "with the date on which it is looked at again"),
    Row(
        ("sent", "delivered"),
        "deadline_passed",
        "expired",
        ("clock",),
        "nobody has opened it in time; the next candidate is asked in the same transaction",
    ),
    Row(
        ("acknowledged", "waitlisted"),
        "deadline_passed",
        "expired",
        ("clock",),
        "nobody has decided in time, or by the day of the waiting list; likewise",
    ),
    Row(
        ("proposed", *_ASKED),
        "recalled",
        "recalled",
        ("supervisor", "port"),
        "with a reason; refused once it is accepted. By the port when it corrects what the request rests on",
    ),
    Row(("accepted",), "service_started", "in_progress", ("agency",), "told once"),
    Row(
        _HELPING,
        "transferred",
        "transferred",
        ("agency",),
        "when the agency it was handed on to accepts, and not before",
    ),
    Row(
        _HELPING,
        "referral_ended",
        "cancelled_by_sender",
        ("supervisor", "port"),
        "the need was closed; the agency confirms that it knows",
    ),
    Row(
        ("proposed", *_ASKED),
        "consent_withdrawn",
        "recalled",
        ("port",),
        "nothing allows any more that this agency is asked",
    ),
    Row(
        _HELPING,
        "consent_withdrawn",
        "cancelled_by_sender",
        ("port",),
        "nothing allows any more that it helps; the agency confirms that it knows",
    ),
    Row(("in_progress",), "outcome_recorded", "completed", ("agency",), "outcome code, and minutes for a handover"),
    Row(_HELPING, "outcome_failed", "failed", ("agency",), "outcome code; the need stays open"),
    Row(
        ("proposed", *_ASKED, *_HELPING),
        "found_wrong",
        "entered_in_error",
        ("supervisor",),
        "should never have been asked; the need is asked elsewhere",
    ),
)
"""A terminal state has no exit: another try is another attempt with the next number."""

_LIVE: tuple[NeedState, ...] = ("draft", "awaiting_consent", "open", "unroutable", "on_hold")

NEED: tuple[Row[NeedState, NeedEvent], ...] = (
    Row(("draft", "awaiting_consent"), "consent_recorded", "open", ("port",), "or another lawful basis"),
    Row(("draft",), "consent_requested", "awaiting_consent", ("rules",), "of an adult only, where the rules say so"),
    Row(
        ("awaiting_consent", "open", "unroutable", "on_hold"),
        "consent_refused",
        "refused",
        ("port", "agency", "supervisor"),
        "of an adult only, by a signed statement of refusal",
    ),
    Row(("open",), "no_candidate", "unroutable", ("rules",), "a gap opens; of a child a supervisor is told at once"),
    Row(("unroutable",), "candidate_found", "open", ("rules",), "the gap closes"),
    Row(
        ("open",),
        "held",
        "on_hold",
        ("supervisor",),
        "with a reason and the day on which it goes on; who was asked is told that it was recalled",
    ),
    Row(("on_hold",), "resumed", "open", ("supervisor", "clock"), "an agency is asked at once"),
    Row(("open",), "attempt_completed", "fulfilled", ("agency",), "with the outcome of the attempt"),
    Row(
        ("open",),
        "attempts_exhausted",
        "unfulfilled",
        ("supervisor",),
        "with a reason; a child's only by somebody who answers for it by name",
    ),
    Row(
        _LIVE,
        "consent_withdrawn",
        "consent_withdrawn",
        ("port",),
        "of an adult only, where the need rests on consent; who had been shown the identity confirms that it knows",
    ),
    Row(_LIVE, "cancelled", "cancelled", ("supervisor",), "with a reason; never by who is asked or helps"),
    Row(
        _LIVE,
        "found_wrong",
        "entered_in_error",
        ("supervisor", "port"),
        "with the reason ENTERED_IN_ERROR; by the port when it strikes the need, or the whole arrival",
    ),
    Row(_LIVE, "person_died", "cancelled", ("port",), "with the reason DECEASED; that the remains come home is opened"),
    Row(
        ("cancelled",),
        "reopened",
        "open",
        ("port",),
        "it ended with a death that was noted wrongly or by the word of a child, or is found once more; never by a"
        " supervisor",
    ),
    Row(("entered_in_error",), "reopened", "open", ("port",), "the need that was struck is there after all"),
    Row(
        ("fulfilled",),
        "reopened",
        "open",
        ("supervisor", "port"),
        "the next attempt has the next number; by the port when it finds the need once more",
    ),
    Row(
        ("unfulfilled",),
        "reopened",
        "open",
        ("supervisor", "port"),
        "the next attempt has the next number; by the port when it finds the need once more, or by what it corrects"
        " others can be asked or the person is a child, whose word ends nothing",
    ),
    Row(
        ("refused", "consent_withdrawn"),
        "reopened",
        "open",
        ("supervisor", "port"),
        "the person wants the help after all, consents anew, or is a child, whose word ends nothing",
    ),
)
"""A need that enters a terminal state takes its live attempts with it in the same transaction.

What the port strikes after it has ended stays as it ended, and is opened again by the port alone.
"""
