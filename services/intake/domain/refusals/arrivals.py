"""What is refused about arrivals and their cases."""

from services.intake.domain.problems import msg
from services.intake.domain.refusals import Refused


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


class SlipTooLate(Refused):
    """Who landed long ago is at the port no more; its officers are shown no name any more."""

    detail = msg("This person landed more than thirty days ago. A slip is printed until then.")
