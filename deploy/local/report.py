"""What the launcher tells a person: one line of progress, or one trouble with its reason and its remedy."""

import sys
from collections.abc import Callable

Say = Callable[[str], None]


def to_stderr(line: str) -> None:
    """Write one line of progress where it cannot disturb what is piped."""
    print(line, file=sys.stderr, flush=True)


class Trouble(Exception):
    """Something stands in the way: what, why, and what the reader can do about it."""

    def __init__(self, thing: str, reason: str, remedy: str) -> None:
        super().__init__(f"{thing}: {reason}. {remedy}")
        self.thing = thing
        self.reason = reason
        self.remedy = remedy
