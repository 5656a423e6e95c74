"""What is refused about corrections of an arrival: its age, its needs, its end."""

from services.intake.domain.problems import msg
from services.intake.domain.refusals import Refused


class ArrivalInError(Refused):
    """This arrival was entered in error; nothing of it is corrected any more."""

    detail = msg("This arrival was entered in error before. If the person did land, record the arrival anew.")


class PersonHasDied(Refused):
    """Of who has died only the origin is corrected."""

    detail = msg("This person has died. Only the origin can still be corrected, so that the remains go home.")


class NothingToCorrect(Refused):
    """It says this already."""

    detail = msg("It says this already: nothing would change.")


class AgeStaysSame(Refused):
    """By this birth the person stays in the same age group."""

    detail = msg(
        "By this birth the person stays in the same age group. Ask for a correction of the birth in the identity."
    )


class ProofMissing(Refused):
    """A child counts as of age on a proof only."""

    detail = msg("Say which paper proves that this person is of age.")


class NotTwoPeople(Refused):
    """Who asked for it does not confirm it."""

    detail = msg("You asked for this yourself. Another person of the port, or its supervisor, has to confirm it.")


class AgeAlreadyProposed(Refused):
    """One proposal at a time."""

    detail = msg("Somebody has asked for this before. Confirm or refuse that first.")


class NotDead(Refused):
    detail = msg("Nobody noted that this person has died. Reload the page to see how the arrival is now.")


class DoubtedAlready(Refused):
    detail = msg("Somebody has said already that this person lives. Another person confirms or refuses that first.")


class ProposalUnknown(Refused):
    """There is no such proposal, or it is another port's or region's; both look the same."""

    detail = msg("There is no such proposal at your port.")


class ProposalEnded(Refused):
    """The proposal was decided, or something else has overtaken it."""

    detail = msg("This proposal was decided before, or the age was corrected meanwhile.")


class NeedFollowsAge(Refused):
    """Needs that follow from the age, and the way home, are neither added nor struck by hand."""

    detail = msg("The way home is everybody's, and this need follows from the age: correct the age instead.")


class ReasonMissing(Refused):
    """What is added or struck has a reason."""

    detail = msg("Choose why it is corrected.")


class DuplicateUnfit(Refused):
    """A duplicate names the other case, which stays, of the same port; nothing else does."""

    detail = msg("For a duplicate name the other case of your port, the one that stays; for every other reason none.")


class DeathNotPossible(Refused):
    """The day is still to come, or does not go with the place."""

    detail = msg("Nobody can have died on a day to come, nor at the port before landing. Check the day and the place.")
