"""What is refused about possible matches with earlier returns."""

from datetime import datetime

from services.intake.domain.problems import msg
from services.intake.domain.refusals import Refused


class MatchUnknown(Refused):
    """There is no such possible match at this port, or one of the two was erased."""

    detail = msg("There is no such possible match at your port.")


class MatchChangedMeanwhile(Refused):
    """Somebody else decided on the two since they were looked at: what, who and when."""

    def __init__(self, *, expected: int, found: int, state: str, by: str, at: datetime) -> None:
        super().__init__()
        self.expected = expected
        self.found = found
        self.state = state
        self.by = by
        self.at = at


class MatchDecided(Refused):
    """The two were decided on already; that has to be taken back first."""

    detail = msg("This was decided. Take the decision back first, with the reason, then decide anew.")


class MatchEnded(Refused):
    """One of the two cases was entered in error, and the pair ended with it."""

    detail = msg("One of the two arrivals was entered in error since. Nothing is to be decided on them any more.")


class MatchNotDecided(Refused):
    """There is no decision that could be taken back."""

    detail = msg("Nothing was decided here that could be taken back.")


class MatchContradicts(Refused):
    """By this, two cases that were found to be of different people would become one person."""

    detail = msg(
        "Another decision says the opposite about cases of the same people. Take that one back first, or decide this"
        " one otherwise."
    )
