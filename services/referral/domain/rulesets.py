"""Versions of the rules: drafted, tried, put in force by two people, retired. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from services.referral.domain.refusals import Refused

State = Literal["draft", "tried", "active", "retired"]
Event = Literal["tried", "activation_asked", "activated", "retired"]
MOVES: Mapping[tuple[State, Event], State] = {
    ("draft", "tried"): "tried",
    ("tried", "tried"): "tried",
    ("tried", "activation_asked"): "tried",
    ("tried", "activated"): "active",
    ("active", "retired"): "retired",
    # Somebody thought better of it.
    ("draft", "retired"): "retired",
    ("tried", "retired"): "retired",
}
SHIPPED = "shipped"
"""Who has drafted the version that comes with the product."""


class RulesUnknown(Refused):
    """There is no such version of the rules."""


class RulesKnown(Refused):
    """There is a version of this name, or one that says the same, already."""


class RulesNotThere(Refused):
    """The version stands where this is not possible: it has to be tried, and somebody has to ask, first."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"{state}: {event}")
        self.state = state


class RulesNeedAnother(Refused):
    """Who asks for a version to be put in force does not confirm that as well."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One version. `digest` is the SHA-256 of its JDM; who did what are the ids of people."""

    version: str
    state: State
    digest: bytes
    drafted_by: str
    drafted_at: datetime
    tried_at: datetime | None = None
    asked_by: str | None = None
    asked_at: datetime | None = None
    activated_by: str | None = None
    activated_at: datetime | None = None
    retired_at: datetime | None = None


def tried(found: RuleSet, *, now: datetime) -> RuleSet:
    """Somebody has seen what it would have made of the past."""
    return replace(_move(found, "tried"), tried_at=now)


def ask(found: RuleSet, *, by: str, now: datetime) -> RuleSet:
    """One person wants it in force. Raises `RulesNotThere` before it was tried."""
    return replace(_move(found, "activation_asked"), asked_by=by, asked_at=now)


def activate(found: RuleSet, *, by: str, now: datetime) -> RuleSet:
    """Another person puts it in force. Raises `RulesNotThere` when nobody has asked, `RulesNeedAnother`."""
    moved = _move(found, "activated")
    if found.asked_by is None:
        raise RulesNotThere(found.state, "activated")
    if found.asked_by == by:
        raise RulesNeedAnother
    return replace(moved, activated_by=by, activated_at=now)


def retire(found: RuleSet, *, now: datetime) -> RuleSet:
    """Another one is in force, or nobody wants it any more."""
    return replace(_move(found, "retired"), retired_at=now)


def _move(found: RuleSet, event: Event) -> RuleSet:
    to = MOVES.get((found.state, event))
    if to is None:
        raise RulesNotThere(found.state, event)
    return replace(found, state=to)
