"""What is refused about head counts."""

from services.intake.domain.problems import msg
from services.intake.domain.refusals import Refused


class PartUnknown(Refused):
    """A part of a head count is of no group or origin that is counted by."""

    def __init__(self, value: str, known: str) -> None:
        super().__init__()
        self.value = value
        self.known = known


class PartTwice(Refused):
    """A part of a head count is told twice."""

    def __init__(self, value: str) -> None:
        super().__init__()
        self.value = value


class TotalsUnknown(Refused):
    """Nobody kept such a head count of a voyage of this port."""

    detail = msg("There is no such head count at your port.")


class TotalsWithdrawn(Refused):
    """The head count counts no more."""

    detail = msg("This head count was withdrawn before. Look at those that count now.")
