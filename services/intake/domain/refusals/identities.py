"""What is refused about who people are: completing, correcting, holding and handing it out."""

from services.intake.domain.problems import msg
from services.intake.domain.refusals import Refused


class PersonErasedBefore(Refused):
    """The person was erased; there is nothing left to hold, correct or hand out."""

    detail = msg("This person was erased before.")


class FieldFilled(Refused):
    """Something else stands there already."""

    detail = msg("Something else stands there already. Ask for a correction if it is wrong.")

    def __init__(self, field: str) -> None:
        super().__init__()
        self.field = field


class NothingToComplete(Refused):
    """Nothing was said that is not there already."""

    detail = msg("Nothing was written that does not stand there already.")


class FieldUnknown(Refused):
    """This is not a field of an identity."""

    detail = msg("Choose a field of the identity. Sex, origin and needs are not corrected here.")


class AgeBandWouldChange(Refused):
    """By this birth a child would count as an adult, or the other way round."""

    detail = msg(
        "By this birth the person would count for another age group. The port corrects the age on the page of the case."
    )


class CorrectionUnknown(Refused):
    """Nobody asked for such a correction."""

    detail = msg("There is no such correction.")


class IdentityChanged(Refused):
    """The field says something else than when it was looked at."""

    detail = msg("The field was corrected since you looked at it. See what it says now, then decide again.")


class CorrectionDecided(Refused):
    """The correction was accepted or rejected before, or its person was erased."""

    detail = msg("This correction was decided before.")


class ReferenceUnfit(Refused):
    """This is not the number of a request or an order."""

    detail = msg(
        "Write the number under which the request is kept, like PPID/2026/0113: capitals, digits, points, hyphens and"
        " slashes, at most 40. Never a name."
    )


class HoldUnknown(Refused):
    """There is no such legal hold."""

    detail = msg("There is no such legal hold.")


class HoldLifted(Refused):
    """The hold has ended already."""

    detail = msg("This legal hold was lifted before.")


class DisclosureNotAllowed(Refused):
    """The identity is not for this agency (any more)."""

    detail = msg("The identity of this person is not released for this assignment.")


class IdentityErased(Refused):
    """The key of this person was destroyed; nobody can read the identity again."""

    detail = msg("The identity of this person was erased.")
