"""What may be one person, and how that is decided: by somebody at the port, never by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.intake.domain.matching.fields import MISSING
from services.intake.domain.matching.scoring import WEIGHTS, Strength

State = Literal["open", "later", "same", "different", "ended"]
Decision = Literal["same", "different", "later"]
Taken = Literal["same", "different", "later", "undone", "ended"]
UndoReason = Literal["decided_in_error", "new_proof"]
EndReason = Literal["entered_in_error"]

DECISIONS: tuple[Decision, ...] = ("same", "different", "later")
UNDO_REASONS: tuple[UndoReason, ...] = ("decided_in_error", "new_proof")


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two records agree in one field, and what that weighs in bits."""

    field: str
    level: str
    bits: float


@dataclass(frozen=True, slots=True)
class Match:
    """Two cases that may be of one person; `case_id` is the later one. `owner` looks at it later."""

    match_id: str
    case_id: str
    person_id: str
    earlier_case_id: str
    earlier_person_id: str
    port: str
    voyage_id: str | None
    strength: Strength
    bits: float
    levels: tuple[str, ...]
    state: State
    owner: str | None
    version: int
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None

    @property
    def agreements(self) -> list[Agreement]:
        """Field by field, what speaks most for or against it first."""
        found = [Agreement(field, level, bits_of(field, level)) for field, level in read_levels(self.levels).items()]
        return sorted(found, key=lambda one: -abs(one.bits))


@dataclass(frozen=True, slots=True)
class Step:
    """One decision in the history of a pair."""

    version: int
    decision: Taken
    reason: UndoReason | EndReason | None
    decided_by: str
    decided_at: datetime


def said_levels(levels: Mapping[str, str]) -> tuple[str, ...]:
    """Levels as they are kept: `name:same_rare`."""
    return tuple(f"{field}:{level}" for field, level in levels.items())


def read_levels(said: Sequence[str]) -> dict[str, str]:
    return {field: level for field, _, level in (one.partition(":") for one in said)}


def bits_of(field: str, level: str) -> float:
    """What a level weighs by the weights of today; nothing for one that is known no more."""
    return 0.0 if level == MISSING else WEIGHTS.get(field, {}).get(level, 0.0)


SHOWN = ("full_name", "alias", "birth", "birthplace", "mother_name", "nik", "document_number")
"""Of an identity, what is compared and so is shown to who decides; sex and origin stand beside it in codes."""
COVERED = ("nik", "document_number")
"""Of these the end alone: how far they agree is said in words, and the paper is in the officer's hand."""
LEFT_OPEN = 4


def covered(field: str, value: str) -> str:
    """A value as it is shown side by side."""
    if field not in COVERED or len(value) <= LEFT_OPEN:
        return value
    return "…" + value[-LEFT_OPEN:]
