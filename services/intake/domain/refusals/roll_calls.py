"""What is refused while a roll is called."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

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
    """What the row said stands in the list of another voyage."""

    detail = msg(
        "This person stands on the list of another voyage: the row is mended there. Whoever was carried over comes back"
        " when the call is taken back here."
    )


class RowTakenBack(Refused):
    """Who was carried over to this list stands on the one that it came from again."""

    detail = msg(
        "This person was taken back to the voyage that the list comes from, and is called there. Who is here all the"
        " same is logged with the form."
    )


StaysFor = Literal["called", "recorded", "sending", "sent", "done", "long_ago"]
STAYS: Mapping[StaysFor, str] = {
    "called": msg(
        "The later voyage has called this person already. Ask its port to take that call back, then take yours"
        " back here."
    ),
    "recorded": msg(
        "This person is recorded as arrived with the later voyage. If that is wrong, have the arrival entered in"
        " error there, and log this person here with the form."
    ),
    "sending": msg("The list of the later voyage is being sent. Wait until that is done, then look again."),
    "sent": msg(
        "The list of the later voyage was sent, and still holds this person back. Call the person as absent there,"
        " and log this person here with the form."
    ),
    "done": msg(
        "The list of the later voyage is done with, and nothing of it is left to take back. Log this person here"
        " with the form."
    ),
    "long_ago": msg(
        "Nobody kept where in the list of the later voyage this person stands. Leave the row out there, and log"
        " this person here with the form."
    ),
}


class StaysThere(Refused):
    """Who was carried over cannot be taken back from the later voyage; `why` says what stands in the way."""

    def __init__(self, why: StaysFor) -> None:
        super().__init__()
        self.why = why

    def __str__(self) -> str:
        return STAYS[self.why]


class NextVoyageUnknown(Refused):
    """There is no such voyage announced that is to come or late, or only who rolls over comes with another one."""

    detail = msg("Choose a voyage that is announced and still to come. Only who rolls over comes with another voyage.")


class ComesFromThere(Refused):
    """Somebody who was carried over cannot be carried back: there are the rows already that say so."""

    detail = msg(
        "This person came over from that voyage. Take the call back here, and have the person called there: whoever was"
        " carried over comes back with that call."
    )


class RollMoved(Refused):
    """Not as many are left as were looked at."""

    detail = msg("Somebody is calling too: not as many are left as you looked at. Look again, then confirm.")


class NotOnAList(Refused):
    """Only whom a list has recorded can be listed and absent."""

    detail = msg("This person was logged one by one, and stands on no list. Enter the arrival in error in the case.")


class DeathToRecord(Refused):
    """Whoever was recorded and has died stays recorded: the death is noted in the case."""

    detail = msg("This person is recorded: note the death in the case. The remains are brought home from there.")
