"""What intake refuses, by name. The edges turn these into statuses in one table (`__main__.py`)."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from services.intake.domain.problems import FILE_PROBLEMS, msg

if TYPE_CHECKING:
    from services.intake.domain.reconciliation import Difference
    from services.intake.domain.roll_calls import Call


class Refused(Exception):
    """Something stood in the way; the class says what, `detail` (a message id) what to do."""

    detail: ClassVar[str] = ""

    def __str__(self) -> str:
        return self.detail


class NotAllowed(Refused):
    """The actor's role or port does not include this."""

    detail = msg("Your role or your port does not include this.")


class PortUnknown(Refused):
    """There is no port of entry with this code."""

    detail = msg("Use the code of a port of entry, for example NNK.")


class VoyageUnknown(Refused):
    """There is no such voyage, or it belongs to another port (nobody can tell which)."""

    detail = msg("There is no such voyage at your port.")


class ExpectedFarOff(Refused):
    """No ship is announced for a day more than a year away."""

    detail = msg("This day is more than a year away. Check the year.")


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


class VoyageNotDue(Refused):
    """Nobody of this voyage can have landed yet, so nobody is recorded as arrived by its list."""

    detail = msg(
        "A list is taken in from 12 hours before the voyage is expected: whoever is on it is recorded as arrived."
        " Send it then; until then it can be looked at."
    )


class ArrivalInFuture(Refused):
    """Nobody can have landed after now."""

    detail = msg("Nobody can have landed later than now. Check the time and its zone.")


class ArrivalLongAgo(Refused):
    """Who landed more than a year ago is recorded here no more."""

    detail = msg("Nobody is recorded later than a year after landing. Check the year of the arrival.")


class RecordedDifferently(Refused):
    """The same key was used before for an arrival with other details.

    `manifest_id` is the list that had it, `case_id` what it recorded, `content` the digest of what that said.
    """

    detail = msg("This key was used before for an arrival with other details. Use a new key for another person.")

    def __init__(self, manifest_id: str | None = None, *, case_id: str = "", content: bytes = b"") -> None:
        super().__init__()
        self.manifest_id = manifest_id
        self.case_id = case_id
        self.content = content


class RecordedAndErased(RecordedDifferently):
    """The same key had recorded somebody who was erased since; whether this is the same person nobody can tell."""

    detail = msg("The person that was recorded under this key was erased. Use a new key for another person.")


class CaseIdTaken(Refused):
    """The id that was made for a person belongs to a case already."""

    detail = msg("This id belongs to another case. Make a new one, a UUID of version 7, for another person.")


class CaseUnknown(Refused):
    """There is no such case."""

    detail = msg("There is no such case. Check its number.")


class ReferenceUnfit(Refused):
    """This is not the number of a request or an order."""

    detail = msg(
        "Write the number under which the request is kept, like PPID/2026/0113: capitals, digits, points, hyphens and"
        " slashes, at most 40. Never a name."
    )


class PersonErasedBefore(Refused):
    """The person was erased; there is nothing left to hold, correct or hand out."""

    detail = msg("This person was erased before.")


class HoldUnknown(Refused):
    """There is no such legal hold."""

    detail = msg("There is no such legal hold.")


class HoldLifted(Refused):
    """The hold has ended already."""

    detail = msg("This legal hold was lifted before.")


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


class SlipTooLate(Refused):
    """Who landed long ago is at the port no more; its officers are shown no name any more."""

    detail = msg("This person landed more than thirty days ago. A slip is printed until then.")


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


class CorrectionDecided(Refused):
    """The correction was accepted or rejected before, or its person was erased."""

    detail = msg("This correction was decided before.")


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


class NobodyElseConfirms(Refused):
    """Who asked for it does not confirm it."""

    detail = msg("You asked for this yourself. Another person of your port has to confirm it.")


class StillAnswersForChild(Refused):
    """Who answers for a child of the household does not part from it, nor the child."""

    detail = msg("An adult of the household answers for a child. Unlink the two first, with the reason.")


class MatchUnknown(Refused):
    """There is no such possible match at this port, or one of the two was erased."""

    detail = msg("There is no such possible match at your port.")


class MatchChangedMeanwhile(Refused):
    """Somebody else decided on the two since they were looked at: what, who and when."""

    def __init__(self, *, expected: int, found: int, state: str, by: str, at: datetime) -> None:
        super().__init__()
        self.expected = expected
        self.found = found
        self.state = state
        self.by = by
        self.at = at


class MatchDecided(Refused):
    """The two were decided on already; that has to be taken back first."""

    detail = msg("This was decided. Take the decision back first, with the reason, then decide anew.")


class MatchEnded(Refused):
    """One of the two cases was entered in error, and the pair ended with it."""

    detail = msg("One of the two arrivals was entered in error since. Nothing is to be decided on them any more.")


class MatchNotDecided(Refused):
    """There is no decision that could be taken back."""

    detail = msg("Nothing was decided here that could be taken back.")


class MatchContradicts(Refused):
    """By this, two cases that were found to be of different people would become one person."""

    detail = msg(
        "Another decision says the opposite about cases of the same people. Take that one back first, or decide this"
        " one otherwise."
    )


class ManifestUnusable(Refused):
    """No row of this file can be read; `code` says why, `details` what (headings only, never a cell)."""

    def __init__(self, code: str, **details: str) -> None:
        super().__init__(code)
        self.code = code
        self.details = details

    @property
    def message(self) -> str:
        """What is wrong, with `%(name)s` places for `details`."""
        return FILE_PROBLEMS[self.code][0]

    @property
    def remedy(self) -> str:
        return FILE_PROBLEMS[self.code][1]


class DraftUnknown(Refused):
    """There is no such draft, or it belongs to another port (nobody can tell which)."""

    detail = msg("There is no such list at your port.")


class DraftEnded(Refused):
    """The draft was sent whole, discarded or has expired: what it said is gone."""

    detail = msg("This list is done with, and what it said is kept here no longer. Upload it again if need be.")


class DraftSending(Refused):
    """The draft is being sent; nothing changes in it until that is done."""

    detail = msg("This list is being sent. If that was interrupted, send it again: it goes on where it stopped.")


class DraftCarried(Refused):
    """The list is of people who came over from another voyage; what it says stands nowhere else."""

    detail = msg(
        "These people were carried over from another voyage and stand on no other list. Call the roll: who did not come"
        " is absent for a reason, or rolls over again."
    )


class DraftMoved(Refused):
    """Somebody has changed the draft since it was read; what was prepared does not fit any more."""

    detail = msg("Somebody is changing this list at this moment. Try again.")


class DraftChanged(Refused):
    """What was looked at is not what stands there any more; says who changed the draft, and when."""

    detail = msg("This list was changed since you looked at it. Look at it again, then send it.")

    def __init__(self, by: str, at: datetime) -> None:
        super().__init__()
        self.by = by
        self.at = at


class LineChanged(Refused):
    """Somebody else has changed this row. `theirs` and `yours`: by column what stands and what was sent."""

    detail = msg("Somebody else has changed this row. Compare both values and save again what is right.")

    def __init__(self, by: str, at: str, version: int, theirs: Mapping[int, str], yours: Mapping[int, str]) -> None:
        super().__init__()
        self.by = by
        self.at = at
        self.version = version
        self.theirs = theirs
        self.yours = yours


class LineUnknown(Refused):
    """The draft has no such row."""

    detail = msg("This list has no such row.")


class LineRecorded(Refused):
    """The person of this row is recorded: what is wrong is corrected in the case."""

    detail = msg("The person of this row is recorded. Ask for a correction of the case; the list does not change it.")


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


class RollBegun(Refused):
    """The roll of the voyage is being called; a list that is taken in as it is would record who was not called."""

    detail = msg("Upload the list of this voyage to be looked at first: its people are called like all others.")


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


class ColumnUnknown(Refused):
    """The draft has no such column, or there is no such field, or a cell is too long."""

    detail = msg("This list has no such column, or nothing can be kept in it. Check the column and its field.")


class NothingToSend(Refused):
    """Every row of the draft is blank or left out."""

    detail = msg("Every row of this list is blank or left out. Discard it, or upload another.")


class DraftOfThisFile(Refused):
    """This very file is another draft of the voyage already."""

    detail = msg("This file was uploaded before and is a list of its own. Go on with that one, or discard it first.")


class DisclosureNotAllowed(Refused):
    """The identity is not for this agency (any more)."""

    detail = msg("The identity of this person is not released for this assignment.")


class IdentityErased(Refused):
    """The key of this person was destroyed; nobody can read the identity again."""

    detail = msg("The identity of this person was erased.")
