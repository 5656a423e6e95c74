"""What intake says of people who came before."""

from typing import Literal

from shared.contracts.fact import Code, Fact, Id


class IdentitiesCompared(Fact):
    """Intake compared an identity with others, in memory, to find out whether the person had come before."""

    for_audit = True

    compared: tuple[Id, ...]
    """The cases it was compared with."""
    proposed: int
    """How many of these may be of the same person; somebody at the port decides."""


class MatchRead(Fact):
    """Somebody at a port looked at two identities side by side, to decide whether they are of one person."""

    for_audit = True

    match_id: Id
    other_case_id: Id
    fields: tuple[Code, ...]
    """The fields of this case that were shown."""


class ReturnMatched(Fact):
    """Somebody decided that the person of this case had come before. Both cases stay as they are."""

    match_id: Id
    earlier_case_id: Id


class ReturnUnmatched(Fact):
    """The decision that the person of this case had come before was taken back."""

    match_id: Id
    earlier_case_id: Id
    reason: Literal["decided_in_error", "new_proof"]


class ReturnRuledOut(Fact):
    """Somebody decided that two cases are of different people; they are not proposed again."""

    for_audit = True

    match_id: Id
    earlier_case_id: Id


class ReturnRuledIn(Fact):
    """The decision that two cases are of different people was taken back; they are to be decided again."""

    for_audit = True

    match_id: Id
    earlier_case_id: Id
    reason: Literal["decided_in_error", "new_proof"]


class ReturnPostponed(Fact):
    """Somebody will decide later whether two cases are of one person."""

    for_audit = True

    match_id: Id
    earlier_case_id: Id


class ReturnDropped(Fact):
    """Whether two cases are of one person is decided no more: this one was entered in error."""

    for_audit = True

    match_id: Id
    other_case_id: Id
    reason: Literal["entered_in_error"]
