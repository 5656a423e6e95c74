"""What is refused about drafts of name lists and their rows."""

from collections.abc import Mapping
from datetime import datetime

from services.intake.domain.problems import msg
from services.intake.domain.refusals import Refused


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


class ColumnUnknown(Refused):
    """The draft has no such column, or there is no such field, or a cell is too long."""

    detail = msg("This list has no such column, or nothing can be kept in it. Check the column and its field.")


class NothingToSend(Refused):
    """Every row of the draft is blank or left out."""

    detail = msg("Every row of this list is blank or left out. Discard it, or upload another.")


class DraftOfThisFile(Refused):
    """This very file is another draft of the voyage already."""

    detail = msg("This file was uploaded before and is a list of its own. Go on with that one, or discard it first.")


class RowUndecided(Refused):
    """A row of a list that is not done with, neither recorded nor left out, may be of the person to be erased."""

    detail = msg(
        "Somebody still has to say whether that row is this person or another one, perhaps a twin who is not recorded"
        " yet. Ask the port where the person landed to change it, or to leave it out and to log by hand whoever is not"
        " recorded; then erase."
    )
