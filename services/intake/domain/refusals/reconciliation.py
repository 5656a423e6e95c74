"""What is refused about differences between head counts and who was recorded."""

from typing import TYPE_CHECKING

from services.intake.domain.problems import msg
from services.intake.domain.refusals import Refused

if TYPE_CHECKING:
    from services.intake.domain.reconciliation import Difference


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
