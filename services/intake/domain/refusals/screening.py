"""What is refused about screenings and their questions."""

from services.intake.domain.problems import msg
from services.intake.domain.refusals import Refused


class QuestionnaireUnknown(Refused):
    """There is no such version of the questions."""

    detail = msg("There is no such version of the questions. Ask those that are current.")


class ScreeningUnknown(Refused):
    """There is no such screening, or it is another port's; both look the same."""

    detail = msg("There is no such screening at your port.")


class AnswerUnknown(Refused):
    """A question that this version does not ask, or an answer that is none."""

    detail = msg("This question is not asked, or the answer is none of: yes, no, unknown, declined.")

    def __init__(self, question: str) -> None:
        super().__init__()
        self.question = question


class LevelNotDecided(Refused):
    """Indicators of trafficking were shown; a person has to decide on them."""

    detail = msg("Answers point to trafficking. Decide: indicated, not indicated, or to be assessed further.")


class DecisionNeedsReason(Refused):
    """The decision is another than the answers point to."""

    detail = msg("You decide otherwise than the answers point to. Say why.")
