"""What intake says of name lists: taken in, kept until they are sent, called on the quay."""

from typing import Literal

from shared.contracts.codes import AbsenceReason, RollMark
from shared.contracts.fact import Fact, Id


class ManifestConfirmed(Fact):
    """A name list was taken in. `case_id` is the voyage; `listed` = `accepted` + `rejected` + `known`."""

    manifest_id: Id
    listed: int
    accepted: int
    rejected: int
    known: int
    """Rows that had been taken in before, by the same key."""


class DraftKept(Fact):
    """A name list was uploaded and is kept, sealed, until it is sent. `case_id` is the voyage."""

    for_audit = True

    draft_id: Id
    form: Literal["csv", "xlsx", "paste", "carried"]
    rows: int


class DraftRead(Fact):
    """Rows of a list that is not sent yet were shown or taken away, names among them. `case_id` is the voyage."""

    for_audit = True

    draft_id: Id
    form: Literal["page", "json", "csv", "xlsx"]
    rows: int


class DraftChanged(Fact):
    """Somebody changed a list that is not sent yet. `case_id` is the voyage; `rows` is how many rows it is about."""

    for_audit = True

    draft_id: Id
    change: Literal["cells", "columns", "file", "left_out", "taken_in", "carried", "brought_back", "emptied"]
    rows: int


class RollCalled(Fact):
    """Rows of a list were called on the quay: here, absent and why, or taken back. `case_id` is the voyage."""

    for_audit = True

    draft_id: Id
    mark: RollMark
    reason: AbsenceReason | None = None
    next_voyage_id: Id | None = None
    """The voyage that they are to come with."""
    rows: int


class ListedAbsent(Fact):
    """Somebody whom a list had recorded was not there. The arrival is entered in error; `case_id` is the case."""

    for_audit = True

    voyage_id: Id
    reason: AbsenceReason
    next_voyage_id: Id | None = None


class DraftEnded(Fact):
    """What a list said that was uploaded is gone: its key was destroyed. `case_id` is the voyage."""

    for_audit = True

    draft_id: Id
    why: Literal["sent", "discarded", "erased"]
    """`erased`: nobody was left of it when somebody was erased."""
