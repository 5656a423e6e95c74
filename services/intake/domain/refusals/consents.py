"""What is refused about consents and lawful bases."""

from services.intake.domain.problems import msg
from services.intake.domain.refusals import Refused


class ConsentsChanged(Refused):
    """Somebody else has written down more of this case's consents than who asks had seen."""

    detail = msg("What is recorded of consent has changed meanwhile. Look at it as it is now, and decide again.")

    def __init__(self, case_id: str, *, expected: int, found: int) -> None:
        super().__init__()
        self.case_id = case_id
        self.expected = expected
        self.found = found


class NobodyToConsent(Refused):
    """Nobody says yes or no for somebody who has died."""

    detail = msg("Nobody gives consent for somebody who has died. Name the lawful basis instead.")


class SpeakerUnfit(Refused):
    """An adult speaks for itself, a parent or guardian for a child or somebody of unknown age."""

    detail = msg("An adult consents in person; for a child, or where the age is unknown, a parent or guardian does.")


class SpeakerUnnamed(Refused):
    """Who speaks for a child is named, and so is who witnessed what was only said."""

    detail = msg("Write the name of the parent or guardian, and of the witness where consent was only spoken.")


class NeedsNotOfCase(Refused):
    """Consent is asked for needs of the case."""

    detail = msg("Choose among the needs of this case, or none for all of them.")


class ConsentExpiresBadly(Refused):
    """A consent ends after now, and within five years."""

    detail = msg("A consent ends after today and within five years. Leave the day empty where no end was agreed.")


class BasisUnfit(Refused):
    """This reason belongs to another basis, or the best interest of a child was named for an adult."""

    detail = msg("This reason does not belong to this basis. The best interest of the child is for children alone.")


class ConsentUnknown(Refused):
    """There is no such consent or basis, or it is of a case of another port; both look the same."""

    detail = msg("There is no such consent at your port.")


class ConsentNotHeld(Refused):
    """It was refused, taken back or replaced since: nothing is left to take back or to end."""

    detail = msg("This was taken back, ended or replaced before. Look at what holds now.")
