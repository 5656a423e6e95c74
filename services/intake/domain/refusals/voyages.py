"""What is refused about voyages and the ports they come to."""

from services.intake.domain.problems import msg
from services.intake.domain.refusals import Refused


class PortUnknown(Refused):
    """There is no port of entry with this code."""

    detail = msg("Use the code of a port of entry, for example NNK.")


class VoyageUnknown(Refused):
    """There is no such voyage, or it belongs to another port (nobody can tell which)."""

    detail = msg("There is no such voyage at your port.")


class VoyageMoved(Refused):
    """The voyage was corrected while something was prepared for it."""

    detail = msg("This voyage was corrected meanwhile. Look at it as it is now, then do it again.")


class ExpectedFarOff(Refused):
    """No ship is announced for a day more than a year away."""

    detail = msg("This day is more than a year away. Check the year.")
