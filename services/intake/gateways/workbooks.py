"""Workbooks (XLSX) of other people's programs: read with openpyxl as cells and nothing more, and written.

Nothing in a workbook is run: a formula stays what it is, links lead nowhere, macros are not even looked at. Before
openpyxl sees a worksheet it is gone through as a stream, which says how much is in it and what openpyxl, reading
row by row, does not: what is hidden and what is merged.
"""

import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import coordinate_to_tuple, get_column_letter, range_boundaries
from openpyxl.utils.datetime import MAC_EPOCH

from services.intake.domain import files, grids
from services.intake.domain.grids import Grid, Typed
from services.intake.domain.refusals.manifests import ManifestUnusable
from services.intake.domain.sheets import MOST_COLUMNS

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_CELLS = 500_000
"""Of one worksheet; some 30,000 people."""
MOST_IN_ROW = 16_384
MOST_ROWS = 1_048_576
"""Excel's own limits."""
MOST_OTHERS = 50_000
"""Of merged areas, links, conditions, validations and so on, each of which openpyxl makes an object of."""
IN_CELLS = frozenset(
    ["row", "c", "v", "f", "is", "t", "r", "rPr", "rFont", "b", "i", "u", "sz", "color", "family", "charset", "scheme",
     "vertAlign", "strike", "outline", "shadow", "condense", "extend", "rPh", "phoneticPr"]
)  # fmt: skip
"""What stands in rows, of which openpyxl keeps nothing when it is through."""
MOST_WORKSHEETS = 100
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
"""How a workbook writes characters that XML has not."""

warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")


def grids_of(content: bytes) -> list[Grid]:
    """Each worksheet as a grid, read when it is gone through. Raises `ManifestUnusable`, and so does going through."""
    packed = files.open_workbook(content)
    with _damage_named():
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        worksheets: list[Any] = book.worksheets[:MOST_WORKSHEETS]
        since_1904 = book.epoch == MAC_EPOCH
        found = []
        for worksheet in worksheets:
            layout = _layout(packed, worksheet._worksheet_path)
            found.append(
                Grid(
                    _Rows(worksheet, layout),
                    worksheet.title,
                    aligned=True,
                    since_1904=since_1904,
                    hidden=worksheet.sheet_state != "visible",
                    hidden_rows=frozenset(layout.hidden_rows),
                    hidden_columns=frozenset(layout.hidden_columns),
                )
            )
    return found


def workbook(lines: Iterable[Sequence[str]], title: str = "Daftar") -> bytes:
    """Lines of cells, headings first, as XLSX: text as text, all columns formatted as text, and no formula alive.

    Numbers, dates and truths that were read from a workbook go out as such.
    """
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(title)
    written = list(lines)
    for column in range(max(map(len, written), default=0)):
        sheet.column_dimensions[get_column_letter(column + 1)].number_format = "@"
    sheet.freeze_panes = "A2"
    for n, line in enumerate(written):
        sheet.append([_written(sheet, cell, is_heading=n == 0) for cell in line])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@dataclass(slots=True)
class _Layout:
    """What is hidden and merged in a worksheet. Rows count from 1, columns from 0."""

    wide_rows: set[int] = field(default_factory=set)
    """With something beyond the columns that are read."""
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merged: dict[tuple[int, int], int] = field(default_factory=dict)
    """The last row of an area that goes over several rows, by its first cell."""


def _layout(packed: zipfile.ZipFile, path: str) -> _Layout:
    """Go through a worksheet as a stream. Raises `ManifestUnusable` when there is more in it than in any list."""
    layout = _Layout()
    row = column = cells = in_row = others = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, cells, in_row, others
        name = tag.rpartition(":")[2]
        others += name not in IN_CELLS
        if others > MOST_OTHERS:
            raise ManifestUnusable("too_many_cells", most=str(MOST_CELLS))
        match name:
            case "row":
                before, row = row, int(attributes.get("r", row + 1))
                if not before < row <= MOST_ROWS:
                    raise ManifestUnusable("workbook_damaged")
                column = in_row = 0
                if attributes.get("hidden") in ("1", "true"):
                    layout.hidden_rows.add(row)
            case "c":
                cells, in_row = cells + 1, in_row + 1
                if in_row > MOST_IN_ROW or cells > MOST_CELLS * 4:
                    raise ManifestUnusable("too_many_cells", most=str(MOST_CELLS))
                column = coordinate_to_tuple(attributes["r"])[1] if "r" in attributes else column + 1
            case "v" | "is" | "f" if column > MOST_COLUMNS:
                layout.wide_rows.add(row)
            case "col" if attributes.get("hidden") in ("1", "true"):
                first, last = int(attributes["min"]), int(attributes["max"])
                layout.hidden_columns.update(range(first - 1, min(last, MOST_COLUMNS)))
            case "mergeCell":
                left, top, _, bottom = range_boundaries(attributes["ref"])
                if bottom and top and left and bottom > top and left <= MOST_COLUMNS:
                    layout.merged[top, left - 1] = bottom

    files.parse_part(packed, path.lstrip("/"), start)
    return layout


class _Rows:
    """The rows of a worksheet as strings, the first is row 1; what is merged with a cell above shows its text."""

    def __init__(self, worksheet: Any, layout: _Layout) -> None:
        self._worksheet = worksheet
        self._layout = layout

    def __iter__(self) -> Iterator[Sequence[str]]:
        with _damage_named():
            self._worksheet.reset_dimensions()
            rows = self._worksheet.iter_rows(min_row=1, max_col=MOST_COLUMNS + 1)
        merged, above = self._layout.merged, dict[int, tuple[str, int]]()
        number = cells = 0
        while True:
            with _damage_named():
                read = next(rows, None)
                if read is None:
                    return
                number += 1
                row = [_read(cell.data_type, cell.value) for cell in read]
            while row and not row[-1]:
                row.pop()
            if number in self._layout.wide_rows:
                row += [""] * (MOST_COLUMNS - len(row))
                row[MOST_COLUMNS:] = ["…"]
            cells += len(row)
            if cells > MOST_CELLS:
                raise ManifestUnusable("too_many_cells", most=str(MOST_CELLS))
            if merged:
                self._fill(number, row, above)
            yield row

    def _fill(self, number: int, row: list[str], above: dict[int, tuple[str, int]]) -> None:
        for column, (text, last) in list(above.items()):
            if number > last:
                del above[column]
            else:
                row.extend([""] * (column + 1 - len(row)))
                row[column] = row[column] or Typed(text, "merged")
        for column, text in enumerate(row):
            if text and (last := self._layout.merged.get((number, column), 0)):
                above[column] = (text, last)


def _read(data_type: str, value: object) -> str:
    """A cell as somebody sees it who does not look at its format."""
    if value is None:
        return ""
    if data_type == "f":
        return Typed(str(getattr(value, "text", value) or "="), "formula")
    if data_type == "e":
        return Typed(str(value), "error")
    match value:
        case str():
            return _unescaped(value)
        case bool():
            return Typed("TRUE" if value else "FALSE", "boolean")
        case int():
            return Typed(str(value), "number")
        case float():
            return Typed(f"{value:.0f}" if value.is_integer() and abs(value) < 1e20 else repr(value), "number")
        case datetime():
            return Typed(str(value.date() if value.time() == time() else value), "date")
        case date() | time() | timedelta():
            return Typed(str(value), "date")
    return Typed(str(value), "formula")


def _unescaped(text: str) -> str:
    if "_x" not in text:
        return text
    said = ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    # Two halves of one character are put together; a half that is alone stays, for the reader to see.
    return said.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _written(sheet: Any, cell: str, *, is_heading: bool) -> Any:
    kind, value = grids.kind_of(cell), _value(cell)
    out = WriteOnlyCell(sheet, value if not isinstance(value, str) else _escaped(value))
    if isinstance(value, str):
        out.data_type = "s"
        out.number_format = "@"
        out.quotePrefix = value[:1] in ("=", "+", "-", "@")
    elif kind == "date":
        out.number_format = "yyyy-mm-dd" if value.time() == time() else "yyyy-mm-dd hh:mm:ss"
    if is_heading:
        out.font = Font(bold=True)
    return out


def _value(cell: str) -> Any:
    text = grids.written(cell)
    try:
        match grids.kind_of(cell):
            case "number":
                return int(text) if text.lstrip("-").isdecimal() else float(text)
            case "date":
                return datetime.fromisoformat(text)
            case "boolean":
                return text == "TRUE"
    except (ValueError, OverflowError):
        return text
    return text


def _escaped(text: str) -> str:
    """A text with the characters that XML has not as a workbook writes them."""
    return "".join(
        f"_x{ord(c):04X}_" if (c < " " and c not in "\t\n") or "\ud800" <= c <= "\udfff" or c in "\ufffe\uffff" else c
        for c in ESCAPED.sub(lambda found: f"_x005F{found[0]}", text)
    )


@contextmanager
def _damage_named() -> Iterator[None]:
    """Name whatever openpyxl stumbles over in a file that is none of a spreadsheet's: it raises almost anything."""
    try:
        yield
    except ManifestUnusable:
        raise
    except Exception:
        raise ManifestUnusable("workbook_damaged") from None
