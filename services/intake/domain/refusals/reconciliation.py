"""What is refused about head counts and the differences between them and who was recorded."""

from typing import TYPE_CHECKING

from services.intake.domain.problems import msg
from services.intake.domain.refusals import Refused

if TYPE_CHECKING:
    from services.intake.domain.reconciliation import Difference


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


class DifferenceUnknown(Refused):
    """There is no such difference, or it is another port's; both look the same."""

    detail = msg("There is no such difference at your port.")


class DifferenceMoved(Refused):
    """Somebody else has settled the difference or taken it over meanwhile; `now` is how it stands."""

    detail = msg("Somebody else has settled this difference or taken it over. Look at it as it is now.")

    def __init__(self, now: "Difference") -> None:
        super().__init__()
        self.now = now


class RollsOverElsewhere(Refused):
    """The next voyage is none of this port, is the same one, or the reason is not that people come later."""

    detail = msg("Choose another voyage of your port, and only for people who come with a later one.")
