"""What can only be seen of a list as a whole, before its first row is read; one look over it, and little is kept."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.intake.domain import grids
from services.intake.domain.sheets import Sheet

NUMBERS = re.compile(r"\s*(\d{1,2})[/.\-](\d{1,2})[/.\-]\d{2,4}\s*")
BIRTHS = ("birth_date", "birthplace_and_date")
TELLING = 3
"""So many cells of a column that agree in what they should not are no accident."""
NAMING = ("full_name", "nik", "document_number")


@dataclass(frozen=True, slots=True)
class Survey:
    """`all_are_as_wide`: every row has as many cells as the others, whatever the heading has. `niks_end_in_zero`: a
    spreadsheet has rounded all of them. `swapped`: fields in which a spreadsheet has taken for dates only what could be
    month first, and left the rest as text. `named`: the numbers by which rows name others as travelling along, and the
    last row that does so. `last_row`: of the last row that speaks of somebody; below it forms have rows prepared with a
    number and formulas. `listed`: how many rows there are down to it, blank ones left out.
    """

    last_row: int
    listed: int
    all_are_as_wide: bool
    niks_end_in_zero: bool
    swapped: frozenset[str]
    named: Mapping[str, int]


def survey(sheet: Sheet) -> Survey:
    """Look over all rows of a list."""
    widths: set[int] = set()
    nik, companion = sheet.fields.get("nik"), sheet.fields.get("companion")
    niks = niks_in_zero = 0
    wanted: dict[str, int] = {}
    births = [_Dates(field, sheet.fields[field]) for field in BIRTHS if field in sheet.fields]
    last_row = listed = waiting = 0
    for row, record in enumerate(sheet.records, start=sheet.first_row):
        if not record:
            continue
        widths.add(len(record))
        if _speaks(sheet, record):
            last_row, listed = row, listed + waiting + 1
            waiting = 0
        elif not is_blank(record):
            waiting += 1
        if nik is not None and nik < len(record) and len(number := record[nik].strip()) == 16:
            niks += 1
            niks_in_zero += number[15] == "0"
        if companion is not None and companion < len(record):
            wanted[record[companion].strip()] = row
        for column in births:
            column.see(record)
    return Survey(
        last_row,
        listed,
        len(widths) == 1,
        niks >= TELLING and niks == niks_in_zero,
        frozenset(column.field for column in births if column.is_swapped),
        {number: row for number, row in wanted.items() if number},
    )


def rows_named(sheet: Sheet, seen: Survey) -> Iterator[tuple[str, int, Sequence[str]]]:
    """Each row with a number that others name, with its place and its cells."""
    column = sheet.fields.get("seq")
    if column is None or not seen.named:
        return
    for row, record in enumerate(sheet.records, start=sheet.first_row):
        if row > seen.last_row:
            return
        if len(record) == len(sheet.heading) and (number := record[column].strip()) in seen.named:
            yield number, row, record


def is_blank(record: Sequence[str]) -> bool:
    """True for a row in which nothing stands. What is merged with a row above stands there."""
    filled = (cell for cell in record if cell and not cell.isspace())
    return all(grids.kind_of(cell) == "merged" for cell in filled)


def _speaks(sheet: Sheet, record: Sequence[str]) -> bool:
    """True for a row of which more is filled in than its number and what formulas make of nothing."""
    seq = sheet.fields.get("seq")
    for n, cell in enumerate(record):
        if n == seq or not cell.strip():
            continue
        kind = grids.kind_of(cell)
        if kind is None or (kind == "formula" and n in _naming(sheet)) or kind not in ("formula", "merged"):
            return True
    return len(record) != len(sheet.heading) and not is_blank(record)


def _naming(sheet: Sheet) -> set[int]:
    """Columns that say who it is: a list of which these are formulas is to be asked for again, not passed over."""
    return {sheet.fields[field] for field in NAMING if field in sheet.fields}


class _Dates:
    """One column of dates, and whether day and month were exchanged in those that are no text."""

    def __init__(self, field: str, column: int) -> None:
        self.field = field
        self._column = column
        self._day_first = self._either = self._dates = self._late_dates = 0

    def see(self, record: Sequence[str]) -> None:
        cell = record[self._column] if self._column < len(record) else ""
        if grids.kind_of(cell) == "date":
            self._dates += 1
            self._late_dates += cell[8:10] > "12"
        elif found := NUMBERS.fullmatch(cell):
            self._day_first += int(found[1]) > 12
            self._either += int(found[1]) <= 12

    @property
    def is_swapped(self) -> bool:
        return min(self._day_first, self._dates) >= TELLING and not self._either and not self._late_dates
