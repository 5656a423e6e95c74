"""A list as a grid of cells, whatever kind of file it came in. Cells are strings; what was no text says what it was."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["number", "date", "formula", "boolean", "error", "merged", "broken"]
"""`merged`: an empty cell below another one that it is merged with. `broken`: a whole line that is no row of cells."""


class Typed(str):
    """A cell that is no text of its own. As a string it is what somebody would see, `1987-08-05` or `34`."""

    __slots__ = ("kind",)
    kind: Kind

    def __new__(cls, text: str, kind: Kind) -> "Typed":
        cell = super().__new__(cls, text)
        cell.kind = kind
        return cell


def kind_of(cell: str) -> Kind | None:
    """What a cell was in its workbook; None for text, and for all cells of a text file."""
    return cell.kind if isinstance(cell, Typed) else None


def written(cell: str) -> str:
    """What stands in the cell itself: nothing in one that only shows what it is merged with."""
    return "" if kind_of(cell) == "merged" else str(cell)


@dataclass(frozen=True, slots=True)
class Grid:
    """One table of a file. `rows` are gone through as often as one likes, the first is row 1 of the source.

    `aligned`: cells keep to their columns whatever the others say, as in a workbook; in a text one separator too many
    moves all that follow. `since_1904`: numbers that stand for days count from 1904.
    """

    rows: Iterable[Sequence[str]]
    name: str = ""
    aligned: bool = False
    since_1904: bool = False
    hidden: bool = False
    hidden_rows: frozenset[int] = field(default=frozenset())
    hidden_columns: frozenset[int] = field(default=frozenset())
    encoding: str = ""
    separator: str = ""


def letter(column: int) -> str:
    """How a spreadsheet calls a column, counted from 0: A, B, …, Z, AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
