"""What is refused while a roll is called."""

from typing import TYPE_CHECKING

from services.intake.domain.problems import msg
from services.intake.domain.refusals import Refused

if TYPE_CHECKING:
    from services.intake.domain.roll_calls import Call


class RowCalled(Refused):
    """Somebody else has called this row meanwhile: `theirs` says how, who and when; `yours` what was sent."""

    detail = msg("Somebody else has called this person meanwhile. Look at how, then call again what is right.")

    def __init__(self, theirs: "Call", yours: "Call") -> None:
        super().__init__()
        self.theirs = theirs
        self.yours = yours


class ColumnsUnsaid(Refused):
    """Nobody has said yet what the columns of the draft are: who stands on it is not known."""

    detail = msg("Say what the columns of this list are; then its roll can be called.")


class RowCarried(Refused):
    """What the row said was carried over to another voyage."""

    detail = msg(
        "This person was carried over to the list of a later voyage and stands there. Leave the row out there, and log"
        " this person here with the form."
    )


class NextVoyageUnknown(Refused):
    """There is no such voyage announced that is still to come, or only who rolls over comes with another one."""

    detail = msg("Choose a voyage that is announced and still to come. Only who rolls over comes with another voyage.")


class RollMoved(Refused):
    """Not as many are left as were looked at."""

    detail = msg("Somebody is calling too: not as many are left as you looked at. Look again, then confirm.")


class NotOnAList(Refused):
    """Only whom a list has recorded can be listed and absent."""

    detail = msg("This person was logged one by one, and stands on no list. Enter the arrival in error in the case.")


class DeathToRecord(Refused):
    """Whoever was recorded and has died stays recorded: the death is noted in the case."""

    detail = msg("This person is recorded: note the death in the case. The remains are brought home from there.")
