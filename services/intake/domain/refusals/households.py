"""What is refused about households and the adults who answer for their children."""

from datetime import datetime

from services.intake.domain.problems import msg
from services.intake.domain.refusals import Refused


class HouseholdChangedMeanwhile(Refused):
    """Somebody else changed the household or the link since it was looked at: of which version, who and when."""

    def __init__(self, *, expected: int, found: int, by: str, at: datetime) -> None:
        super().__init__()
        self.expected = expected
        self.found = found
        self.by = by
        self.at = at


class AlreadyTogether(Refused):
    """The two are in one household already."""

    detail = msg("These two belong to one household already.")


class InTwoHouseholds(Refused):
    """Each of the two is in a household of its own with others."""

    detail = msg("Both belong to a household with others. Part one of them from it first.")


class NotInHousehold(Refused):
    """This person belongs to no household now."""

    detail = msg("This person belongs to no household now.")


class GuardianUnfit(Refused):
    """Only an adult answers, and only for a child."""

    detail = msg("Only an adult answers for a child. Check who is which; correct an age that is wrong first.")


class OneHasDied(Refused):
    """Nobody answers for the dead, nor any of the dead for a child."""

    detail = msg(
        "One of the two has died. Link the child to an adult who is with it; until then it is protected as alone."
    )


class LinkedBefore(Refused):
    """This adult is linked to this child, or asked for, already."""

    detail = msg("This adult is linked to this child already, or somebody has asked for it.")


class LinkUnknown(Refused):
    """There is no such link, or it is another port's; both look the same."""

    detail = msg("There is no such link at your port.")


class LinkNotProposed(Refused):
    """It was confirmed before."""

    detail = msg("This was confirmed before.")


class LinkEnded(Refused):
    """The link was ended, or its proposal came to nothing."""

    detail = msg("This link has ended. Ask for a new one if the adult answers for the child after all.")


class NobodyAnswers(Refused):
    """It was said what an adult is to somebody for whom none answers."""

    detail = msg("No adult answers for this person. Link the adult to the child on the page of the household first.")


class NobodyElseConfirms(Refused):
    """Who asked for it does not confirm it."""

    detail = msg("You asked for this yourself. Another person of your port has to confirm it.")


class StillAnswersForChild(Refused):
    """Who answers for a child of the household does not part from it, nor the child."""

    detail = msg("An adult of the household answers for a child. Unlink the two first, with the reason.")
