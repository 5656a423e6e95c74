"""What intake refuses, by name, one file per noun. The edges turn it into statuses in one table (`__main__.py`)."""

from typing import ClassVar

from services.intake.domain.problems import msg


class Refused(Exception):
    """Something stood in the way; the class says what, `detail` (a message id) what to do."""

    detail: ClassVar[str] = ""

    def __str__(self) -> str:
        return self.detail


class NotAllowed(Refused):
    """The actor's role or port does not include this."""

    detail = msg("Your role or your port does not include this.")
