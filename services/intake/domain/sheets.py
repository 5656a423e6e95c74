"""From the bytes of a name list to cells: encoding, separator, heading. What cannot be read at all is refused."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

from services.intake.domain import headings
from services.intake.domain.refusals import ManifestUnusable

MOST_BYTES = 32 << 20
MOST_ROWS = 100_000
MOST_COLUMNS = 100
HEADING_WITHIN = 15
"""Lists often begin with a letterhead; the heading is looked for in so many rows."""
SEPARATORS = ";,\t|"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A name list as cells. `fields` maps a field to its column; rows are numbered as a spreadsheet shows them."""

    encoding: str
    separator: str
    heading: tuple[str, ...]
    fields: dict[str, int]
    first_row: int
    records: Sequence[Sequence[str]]

    @property
    def ignored(self) -> tuple[str, ...]:
        """Headings of columns that mean nothing to us."""
        used = set(self.fields.values())
        return tuple(h.strip() for n, h in enumerate(self.heading) if n not in used and h.strip())


def open_sheet(content: bytes) -> Sheet:
    """Read a file. Raises `ManifestUnusable` when not one row of it can be taken."""
    if len(content) > MOST_BYTES:
        raise ManifestUnusable("too_large", most=str(MOST_BYTES >> 20))
    text, encoding = _decoded(content)
    if not text.strip():
        raise ManifestUnusable("empty")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    skipped = 0
    if text[:4].lower() == "sep=" and "\n" in text[:8]:  # Excel's own hint, on a line of its own
        text, skipped = text.partition("\n")[2], 1
    separator, at, heading = _heading(text)
    if len(heading) > MOST_COLUMNS:
        raise ManifestUnusable("too_many_columns", most=str(MOST_COLUMNS))
    fields = _fields(heading)
    records = _records(text, separator, len(heading))
    if len(records) > MOST_ROWS and sum(any(map(str.strip, cells)) for cells in records[at + 1 :]) > MOST_ROWS:
        raise ManifestUnusable("too_many_rows", most=str(MOST_ROWS))
    return Sheet(encoding, separator, tuple(heading), fields, at + 2 + skipped, records[at + 1 :])


def _decoded(content: bytes) -> tuple[str, str]:
    if content[:4] == b"PK\x03\x04" or content[:4] == b"\xd0\xcf\x11\xe0":
        raise ManifestUnusable("spreadsheet")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text, encoding
    raise ManifestUnusable("encoding")


def _heading(text: str) -> tuple[str, int, list[str]]:
    """The separator, the place of the heading among the rows, and its cells: where most columns are recognised."""
    best: tuple[int, str, int, list[str]] = (0, ",", 0, [])
    top = text[: 1 << 16]
    for separator in SEPARATORS:
        reader = csv.reader(top.split("\n")[: HEADING_WITHIN * 3], delimiter=separator)
        try:
            for at, cells in enumerate(reader):
                if at >= HEADING_WITHIN:
                    break
                known = len({f for f in map(headings.field_of, cells[: MOST_COLUMNS + 1]) if f})
                if known > best[0]:
                    best = (known, separator, at, cells)
        except csv.Error:
            continue
    if best[0] < 2:
        raise ManifestUnusable("no_heading")
    return best[1:]


def _fields(heading: Sequence[str]) -> dict[str, int]:
    fields: dict[str, int] = {}
    for meant in (headings.plain_field_of, headings.noted_field_of):
        plainly = set(fields)
        for column, text in enumerate(heading):
            field = meant(text)
            if field is None or field in plainly:
                continue
            if field in fields:
                raise ManifestUnusable(
                    "heading_repeated", first=heading[fields[field]].strip()[:60], second=text.strip()[:60]
                )
            fields[field] = column
    fields = dict(sorted(fields.items(), key=itemgetter(1)))
    for wanted, ways in headings.REQUIRED.items():
        if not any(way in fields for way in ways):
            raise ManifestUnusable(f"heading_missing_{wanted}")
    return fields


def _records(text: str, separator: str, columns: int) -> list[list[str]]:
    """All rows; blank ones are empty lists."""
    lines = text.split("\n")
    try:
        records = list(csv.reader([line + "\n" for line in lines], delimiter=separator, strict=True))
    except csv.Error:
        return _carefully(lines, separator)
    if len(records) < len(lines) and any(_swallowed(cell, separator, columns) for cells in records for cell in cells):
        return _carefully(lines, separator)
    return records


def _swallowed(cell: str, separator: str, columns: int) -> bool:
    """True for a cell that looks like rows of its own: a quotation mark was left open somewhere."""
    return "\n" in cell and cell.count(separator) >= max(2, columns // 2)


def _carefully(lines: Sequence[str], separator: str) -> list[list[str]]:
    """Line by line, for a file that does not quote cleanly: no row can swallow those below it."""
    records: list[list[str]] = []
    for line in lines:
        try:
            cells = next(csv.reader([line], delimiter=separator, strict=True), [])
        except csv.Error:
            cells = [BROKEN]
        records.append(cells if line.count('"') % 2 == 0 else [BROKEN])
    return records


BROKEN = "\N{REPLACEMENT CHARACTER}broken"
"""The only cell of a row whose quotation marks do not match; such a row is always held back."""
