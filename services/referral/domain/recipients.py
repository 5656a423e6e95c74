"""What becomes of a person as it reaches those who had been shown who it is: each has a copy of its own to see to."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from services.referral.domain.refusals import IdentityToBeRead

Kind = Literal["erasure", "correction", "withdrawal"]
"""The identity was erased, fields of it were corrected, or nothing allows its use any more."""
Settled = Literal["confirmed", "read", "superseded"]
"""Said by name, read again, or overtaken: a copy that is to be erased needs no correction."""

WITHIN = timedelta(hours=3 * 24)
"""UU 27/2022 Art 30: who had been shown a person hears of a correction, and follows it, within 3 x 24 hours.

As long has who has to end the use of what it was shown, after a consent was taken back or refused.
"""


@dataclass(frozen=True, slots=True)
class RecipientTask:
    """One agency's copy of one person. `region`: whose supervisor sees to it when the agency does not.

    `fields`: the codes of what was corrected; empty for the other kinds. `cause`: the withdrawal, or the refusal, that
    ends the use.
    """

    task_id: str
    kind: Kind
    case_id: str
    agency_id: str
    region: str | None
    asked_at: datetime
    confirm_by: datetime
    fields: tuple[str, ...] = ()
    settled_at: datetime | None = None
    settled_by: str | None = None
    settled_as: Settled | None = None
    overdue_told_at: datetime | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Outstanding:
    """How many copies of one kind are still to be seen to, how many of them overdue, since when, and by when."""

    kind: Kind
    total: int
    overdue: int | None
    """None: too few to be told."""
    since: datetime
    next_by: datetime


def settle(task: RecipientTask, how: Settled, *, by: str, now: datetime) -> RecipientTask:
    """Nothing is left to do; settling again changes nothing."""
    if task.settled_at is not None:
        return task
    return replace(task, settled_at=now, settled_by=by, settled_as=how)


def confirm(task: RecipientTask, *, by: str, may_read: bool, now: datetime) -> RecipientTask:
    """Somebody of the agency says by name that it is done. Raises `IdentityToBeRead`.

    Who may still be shown the person corrects its copy by reading it again, and by nothing else.
    """
    if task.settled_at is None and task.kind == "correction" and may_read:
        raise IdentityToBeRead
    return settle(task, "confirmed", by=by, now=now)
