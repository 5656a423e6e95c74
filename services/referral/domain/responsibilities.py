"""Who answers for a child: always somebody, from the first second. Whoever's age is unknown counts as one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.referral.domain import matters
from services.referral.domain.needs import Need

Reason = Literal["arrival", "duty", "acceptance", "takeover", "correction", "undoing"]
"""`arrival`: recorded the child's landing; `duty`: a system did, so that the region's supervisor answers.
`correction`: found that somebody is a child, or may be one. `undoing`: answered before an acceptance that was undone.
"""

OF_PERSONS = frozenset({"port_officer"})
"""Roles in which a person records arrivals; in every other a system does."""
PROTECTION = frozenset({"CHILD", "UAC"})
"""The needs of which an acceptance takes the child as a whole."""


@dataclass(frozen=True, slots=True)
class Responsibility:
    """One step of who answers for a child, counted from 1 per case; the last one stands."""

    case_id: str
    seq: int
    officer: str
    """A person's id, or with `duty` the supervisor of a province, as where an escalation's duty lies."""
    organisation: str
    since: datetime
    reason: Reason

    @property
    def is_named(self) -> bool:
        """True when a person answers by name."""
        return self.reason != "duty"


def at_arrival(
    case_id: str, *, actor: str, organisation: str, role: str, province: str, now: datetime
) -> Responsibility:
    """Who recorded the landing answers for the child; after a system the supervisor of the port's province does."""
    if role in OF_PERSONS:
        return Responsibility(case_id, 1, actor, organisation, now, "arrival")
    return Responsibility(case_id, 1, f"supervisor-{province}", organisation, now, "duty")


def begun_by(case_id: str, *, actor: str, organisation: str, now: datetime) -> Responsibility:
    """Who found that somebody is a child answers for it, until another does."""
    return Responsibility(case_id, 1, actor, organisation, now, "correction")


def passes_with(need: Need) -> bool:
    """True when who accepts this need answers for the child from then on."""
    return need.referral.child and need.referral.need in PROTECTION


def is_shown(need: Need) -> bool:
    """True where the agency may know who it is: whoever deals with police or narcotics learns of no protection."""
    return need.referral.child and matters.matter_of(need.referral.need) == "help"


def passed(
    steps: Sequence[Responsibility], *, officer: str, organisation: str, reason: Reason, now: datetime
) -> Responsibility | None:
    """The next step after these; None when this person answers already."""
    last = steps[-1]
    if last.is_named and (last.officer, last.organisation) == (officer, organisation):
        return None
    return Responsibility(last.case_id, last.seq + 1, officer, organisation, now, reason)


def given_back(steps: Sequence[Responsibility], *, accepted_at: datetime, now: datetime) -> Responsibility | None:
    """The next step after an acceptance of that moment was undone: who answered before does again.

    None when it had changed nothing, or somebody has answered since.
    """
    last = steps[-1]
    if last.reason != "acceptance" or last.since != accepted_at:
        return None
    before = steps[-2]
    reason: Reason = "undoing" if before.is_named else "duty"
    return Responsibility(last.case_id, last.seq + 1, before.officer, before.organisation, now, reason)
