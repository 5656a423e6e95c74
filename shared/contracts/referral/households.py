"""Members of a household who are apart, and who brings them together."""

from typing import Literal

from shared.contracts.fact import AwareDatetime, Code, Fact, Id

SplitReason = Literal[
    "declined",
    "not_answered",
    "not_helped",
    "taken_back",
    "handed_on",
    "helped_before",
    "not_taken_together",
    "medical_care",
    "safety",
    "persons_wish",
    "no_room_together",
]
"""Why somebody is apart from the household; the last four are what people say of it."""
SaidOfSplit = Literal["medical_care", "safety", "persons_wish", "no_room_together"]
"""Those of them that people say."""
ReunificationDecision = Literal["persons_wish", "safety", "medical_care", "reunited_by_people", "no_family"]
"""Why a person has ended it: they stay apart for this reason, are together by other means, or are no family."""


class ReunificationFact(Fact):
    """What each fact about bringing a household together repeats. `case_id`: who is apart from it."""

    for_audit = True

    task_id: Id
    household_id: Id


class ReunificationOpened(ReunificationFact):
    """Somebody is with an office of another region than the strictest need of the household."""

    reason: SplitReason
    supervisor: Code
    """Whose duty it is to bring them together."""
    due_at: AwareDatetime


class ReunificationReminded(ReunificationFact):
    """They are still apart after three quarters of the time: whose duty it is was reminded, once."""

    supervisor: Code
    due_at: AwareDatetime


class ReunificationRaised(ReunificationFact):
    """Nobody has brought them together in time: it is before the next, or again before the whole country."""

    rung: Literal["agency_supervisor", "province", "national"]
    supervisor: Code
    due_at: AwareDatetime


class ReunificationClosed(ReunificationFact):
    """They are together again, belong together no longer, or a person has decided."""

    how: Literal["reunited", "parted", "decided"]
    decision: ReunificationDecision | None = None
