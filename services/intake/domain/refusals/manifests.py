"""What is refused about a name list as a whole."""

from services.intake.domain.problems import FILE_PROBLEMS, msg
from services.intake.domain.refusals import Refused


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


class VoyageNotDue(Refused):
    """Nobody of this voyage can have landed yet, so nobody is recorded as arrived by its list."""

    detail = msg(
        "A list is taken in from 12 hours before the voyage is expected: whoever is on it is recorded as arrived."
        " Send it then; until then it can be looked at."
    )


class RollBegun(Refused):
    """The roll of the voyage is being called; a list that is taken in as it is would record who was not called."""

    detail = msg("Upload the list of this voyage to be looked at first: its people are called like all others.")


class ListUnknown(Refused):
    """There is no such list, or it is of another port's voyage; both look the same."""

    detail = msg("There is no such list at your port.")


class ListBeingRecorded(Refused):
    """Not all of the list is taken in yet."""

    detail = msg("This list is still being recorded. Send it once more if that does not go on, then take it back.")


class ListTakenBack(Refused):
    """Nobody whom the list recorded stands as arrived any more."""

    detail = msg("Nobody whom this list recorded is left: send the file to the right voyage.")
