"""What intake refuses, by name. The edges turn these into statuses in one table (`__main__.py`)."""

from typing import ClassVar

from services.intake.domain.problems import FILE_PROBLEMS, msg


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
    """The same key was used before for an arrival with other details; `manifest_id` is the list that had it."""

    detail = msg("This key was used before for an arrival with other details. Use a new key for another person.")

    def __init__(self, manifest_id: str | None = None) -> None:
        super().__init__()
        self.manifest_id = manifest_id


class RecordedAndErased(RecordedDifferently):
    """The same key had recorded somebody who was erased since; whether this is the same person nobody can tell."""

    detail = msg("The person that was recorded under this key was erased. Use a new key for another person.")


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


class FieldUnknown(Refused):
    """This is not a field of an identity."""

    detail = msg("Choose a field of the identity. Sex, origin and needs are not corrected here.")


class AgeBandWouldChange(Refused):
    """By this birth a child would count as an adult, or the other way round."""

    detail = msg("By this birth the person would count for another age group. That is decided by two people, not here.")


class CorrectionUnknown(Refused):
    """Nobody asked for such a correction."""

    detail = msg("There is no such correction.")


class CorrectionDecided(Refused):
    """The correction was accepted or rejected before, or its person was erased."""

    detail = msg("This correction was decided before.")


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


class DisclosureNotAllowed(Refused):
    """The identity is not for this agency (any more)."""

    detail = msg("The identity of this person is not released for this assignment.")


class IdentityErased(Refused):
    """The key of this person was destroyed; nobody can read the identity again."""

    detail = msg("The identity of this person was erased.")
