"""An erasure as it reaches those who had been shown the identity: each has a copy of its own to erase, and says so."""

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ErasureTask:
    """One agency's copy of one person. `region`: whose supervisor sees to it when the agency does not."""

    task_id: str
    case_id: str
    agency_id: str
    region: str | None
    asked_at: datetime
    confirm_by: datetime
    confirmed_at: datetime | None = None
    confirmed_by: str | None = None
    overdue_told_at: datetime | None = None


def confirm(task: ErasureTask, *, by: str, now: datetime) -> ErasureTask:
    """The copy is erased, somebody says so by name; saying it again changes nothing."""
    if task.confirmed_at is not None:
        return task
    return replace(task, confirmed_at=now, confirmed_by=by)
