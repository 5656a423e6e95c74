"""Rows as files for spreadsheets, which run nothing of them; and such a file's cells as they were."""

import csv
import io
from collections.abc import Sequence

from services.intake.domain import headings
from shared.kit import words
from shared.kit.words import msg

PROBLEMS = msg("Problems")
"""The heading of the column that says what is wrong with a row."""

RISKY = ("=", "+", "-", "@", "\t", "\r", "'")
"""What a spreadsheet would run: such a cell goes out behind an apostrophe, and comes back without."""


def as_csv(lines: Sequence[Sequence[str]]) -> bytes:
    """As Indonesian Excel opens it: semicolons and a byte order mark."""
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows([*map(disarmed, line)] for line in lines)
    return text.getvalue().encode("utf-8-sig", "surrogatepass")


def disarmed(cell: str) -> str:
    """A cell that no spreadsheet will run."""
    return f"'{cell}" if len(cell) > 1 and cell.startswith(RISKY) else str(cell)


def rearmed(cell: str) -> str:
    """What `disarmed` was given."""
    return cell[1:] if len(cell) > 2 and cell[0] == "'" and cell[1:].startswith(RISKY) else cell


def places(ours: Sequence[str], theirs: Sequence[str]) -> dict[int, int]:
    """Which of our columns each of theirs is, by its heading; the second of a kind is the second of ours."""
    left: dict[str, list[int]] = {}
    for n, text in reversed(list(enumerate(ours))):
        left.setdefault(rearmed(text).strip(), []).append(n)
    found = {}
    for n, text in enumerate(theirs):
        same = left.get(rearmed(text).strip())
        if same:
            found[n] = same.pop()
    return found


def is_added(heading: str) -> bool:
    """True for the column that says what is wrong: it says nothing of a person."""
    return headings.key_of(heading) in {headings.key_of(words.translate(one, PROBLEMS)) for one in words.LANGUAGES}
