"""The facts that can stand in the way of a move. Edges say them in words; attributes hold ids, codes and times only."""

from datetime import datetime


class Refused(Exception):
    """A move that is not legal now."""


class MoveNotAllowed(Refused):
    """The thing is in a state from which this event leads nowhere; `at`: since when, if it has ended."""

    def __init__(self, thing: str, state: str, event: str, *, at: datetime | None = None) -> None:
        super().__init__()
        self.thing = thing
        self.state = state
        self.event = event
        self.ended_at = at


class AlreadyAnswered(Refused):
    """Somebody else answered first; says who, when and what, so that the loser can see the winner."""

    def __init__(self, *, state: str, answered_by: str | None, answered_at: datetime | None) -> None:
        super().__init__()
        self.state = state
        self.answered_by = answered_by
        self.answered_at = answered_at


class TooLate(Refused):
    """The time to answer ran out; another agency is asked."""

    def __init__(self, *, state: str, ended_at: datetime | None) -> None:
        super().__init__()
        self.state = state
        self.ended_at = ended_at


class TakenBack(Refused):
    """The sender has ended it: the request was taken back, the need was closed, or it was entered in error."""

    def __init__(self, *, state: str, ended_at: datetime | None) -> None:
        super().__init__()
        self.state = state
        self.ended_at = ended_at


class VersionChanged(Refused):
    """The reader decided on an older version than the one that is stored."""

    def __init__(self, *, expected: int, found: int) -> None:
        super().__init__()
        self.expected = expected
        self.found = found


class ReunificationUnknown(Refused):
    """There is no such task in the actor's region or duty."""


class ReunificationEnded(Refused):
    """They are together again, or somebody has decided."""


class SplitUnexplained(Refused):
    """By this somebody is parted from the household, and nobody has said why. An office of its region would do."""


class AssignmentUnknown(Refused):
    """There is no such assignment, or it is another agency's; both look the same from outside."""


class ReferralUnknown(Refused):
    """There is no such need, or help is due outside the supervisor's region; both look the same from outside."""


class AttemptStillLive(Refused):
    """Another agency is being asked or already helps; a second one is not asked beside it."""


class NobodyToAsk(Refused):
    """The agency is no candidate of this need, was asked before, or takes nothing at the moment."""


class AskedYourself(Refused):
    """Who is asked or helps does not close the need: it declines, or gives the need back."""


class AlreadyAccepted(Refused):
    """It is too late to take the request back: the agency has accepted. Ask it to give the need back, or close it."""

    def __init__(self, *, state: str, answered_at: datetime | None) -> None:
        super().__init__()
        self.state = state
        self.answered_at = answered_at


class NotUndoable(Refused):
    """The acceptance stands: the seconds are over, the identity was read, or the need has been handed on with it."""


class DateMissing(Refused):
    """This takes a date to come, and not too far off."""


class QuestionOpen(Refused):
    """The port was asked already; one question at a time, and each once."""


class QuestionClosed(Refused):
    """The question was answered already, or nobody needs the answer any more."""

    def __init__(self, *, answered_by: str | None, at: datetime | None) -> None:
        super().__init__()
        self.answered_by = answered_by
        self.answered_at = at


class QuestionUnknown(Refused):
    """There is no such question, or it is another port's; both look the same from outside."""


class PauseUnknown(Refused):
    """There is no such pause, or its agency is outside the supervisor's region; both look the same from outside."""


class CancellationUnknown(Refused):
    """There is no such cancellation to confirm, or it is another agency's or region's; both look the same."""


class AlreadyTaken(Refused):
    """Somebody else answers for this need already; says who, and since when."""

    def __init__(self, *, taken_by: str, taken_at: datetime | None) -> None:
        super().__init__()
        self.taken_by = taken_by
        self.taken_at = taken_at


class ChildNeedsOfficer(Refused):
    """A child's need, or another restricted one, is not closed unmet unless a named officer answers for it."""


class ConsentIsNoBasis(Refused):
    """A child is protected in its best interest: consent is neither asked for nor, withdrawn, a reason to stop."""


class StatementMissing(Refused):
    """Who refuses help signs that, before a witness: without a statement it is not refused (Permen 32/2025, 39)."""


class StatementRecorded(Refused):
    """A statement of this number stands already; what was signed is not written again."""


class RefuserUnfit(Refused):
    """Family refuses only for whoever cannot decide itself, and a document says that; else the person does."""


class ReasonMissing(Refused):
    """This move needs a coded reason or outcome of another kind."""


class HandoverMissing(Refused):
    """A handover has witnesses: without the number of its minutes it is not one (Permen P2MI 32/2025 Art. 13)."""


class HandoverUnrecorded(Refused):
    """The number names no minutes of this attempt: record them first, then complete with their number."""


class HandoverRecorded(Refused):
    """Minutes of this number stand already; what was signed is not written again."""


class ReceiverUnfit(Refused):
    """Who received, by the minutes, is somebody else than the outcome says."""


class WitnessUnfit(Refused):
    """Family, or who has its power of attorney, receives before village or local government (Permen 32/2025, 13)."""


class PlaceUnknown(Refused):
    """There is no such regency."""


class SignatureMissing(Refused):
    """Minutes are recorded when both have signed: not before the handover, and not before they have."""


class GuardianCheckMissing(Refused):
    """A child goes to nobody whose right to it nobody has checked, else to the social ministry or an agency."""


class IdentityErased(Refused):
    """The person's identity was erased: nobody can read it any more, whoever helps."""


class TaskUnknown(Refused):
    """There is no such copy to see to, or it is another agency's or region's; both look the same from outside."""


class IdentityToBeRead(Refused):
    """The identity was corrected and is still shown to the agency: reading it again settles that, and no word does."""


class CaseUnknown(Refused):
    """There is no such case, its number is not whole, or it is outside the region; all look the same from outside."""


class GlassUnknown(Refused):
    """There is no such emergency opening, or it is not the actor's to read or judge; both look the same."""


class GlassExpired(Refused):
    """The time for which a case was opened in an emergency is over."""


class OwnGlass(Refused):
    """Who opened a case in an emergency does not judge that."""


class AlreadyReviewed(Refused):
    """The emergency opening was judged before."""


class IdentityFollows(Refused):
    """Intake is away, or has not heard of the acceptance yet. The acceptance stands; ask again in a moment."""


class IdentityWithheld(Refused):
    """Not accepted by this agency, or intake says no: the identity is not disclosed."""


class DisclosureEnded(Refused):
    """The agency did not help, or helped too long ago: the identity is not disclosed any more."""
