"""Legal holds: what must not be erased yet, and why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Reason = Literal["court", "investigation", "claim", "inspection"]
LiftReason = Literal["hold_ended", "placed_in_error"]


@dataclass(frozen=True, slots=True)
class Hold:
    """While it stands, its person is not erased."""

    hold_id: str
    person_id: str
    case_id: str
    reason: Reason
    reference: str
    placed_by: str
    placed_at: datetime
    lifted_by: str | None = None
    lifted_at: datetime | None = None
    lift_reason: LiftReason | None = None

    @property
    def stands(self) -> bool:
        return self.lifted_at is None
