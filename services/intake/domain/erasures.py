"""Erasing a person: why it is done, who has to confirm that a copy is gone, and until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Reason = Literal["request", "retention", "order"]

CONFIRM_WITHIN = timedelta(hours=72)
"""3 x 24 hours, as for a correction (UU 27/2022 Art 30)."""

Confirmation = Literal["waiting", "overdue", "confirmed"]


@dataclass(frozen=True, slots=True)
class Recipient:
    """An agency that had been shown the identity of a case, and what was heard of its copy."""

    case_id: str
    agency_id: str
    confirmed_at: datetime | None = None
    overdue_at: datetime | None = None

    @property
    def state(self) -> Confirmation:
        if self.confirmed_at is not None:
            return "confirmed"
        return "waiting" if self.overdue_at is None else "overdue"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an erasure leaves behind of a person: the cases, why, under which number, and who had been shown them."""

    person_id: str
    case_ids: Sequence[str]
    reason: Reason
    reference: str
    erased_by: str
    erased_at: datetime
    confirm_by: datetime
    recipients: Sequence[Recipient]

    @property
    def outstanding(self) -> int:
        """How many have not confirmed."""
        return sum(one.confirmed_at is None for one in self.recipients)
