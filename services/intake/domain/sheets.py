"""From the tables of a file to one list: which of them it is, where its heading stands, which column has what."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise, zip_longest

from services.intake.domain import files, grids, headings, texts
from services.intake.domain.grids import Grid
from services.intake.domain.headings import Asked, Matched
from services.intake.domain.refusals.manifests import ManifestUnusable
from services.intake.domain.texts import SEPARATORS, Rows, Source

MOST_BYTES = files.MOST_BYTES
MOST_ROWS = 100_000
MOST_STREAMED_ROWS = 1_000_000
MOST_STREAMED_BYTES = 256 << 20
MOST_COLUMNS = 100
HEADING_WITHIN = 30
"""Lists often begin with a letterhead; the heading is looked for in so many rows."""
FEWEST_COLUMNS = 2
NO_HEADING = -1
"""In the place of a heading's row."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody said of a list that could not be known from it. Rows are numbered as a spreadsheet shows them.

    `columns`: what a column (from 0) means, a field or `headings.UNUSED`; `remembered`: the same by
    `headings.keys_of` its heading, from earlier lists of the sender. `asks`: what is not known of the columns is asked
    for instead of refused.
    """

    worksheet: str | None = None
    heading_row: int | None = None
    columns: Mapping[int, str] = field(default_factory=dict)
    remembered: Mapping[str, str] = field(default_factory=dict)
    asks: bool = False


NOTHING_CHOSEN = Choice()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A name list as cells. `fields` maps a field to its column; rows are numbered as a spreadsheet shows them.

    `encoding` and `separator` are blank for a workbook, `worksheet` and `aligned` (see `Grid`) say nothing of a text.
    `others`: worksheets that were not taken for the list. `hidden_rows` and `hidden_columns` (from 0) were hidden in
    the workbook and are read like all others. `above`: what stands above the first row.
    """

    encoding: str
    separator: str
    heading: tuple[str, ...]
    fields: dict[str, int]
    first_row: int
    records: Sequence[Sequence[str]]
    matched: Matched = field(default_factory=lambda: Matched({}))
    worksheet: str = ""
    others: tuple[str, ...] = ()
    aligned: bool = False
    since_1904: bool = False
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    has_heading: bool = True
    above: tuple[tuple[str, ...], ...] = ()

    @property
    def asks(self) -> tuple[Asked, ...]:
        """What somebody has to say of the columns before a row can be read."""
        heading: tuple[Asked, ...] = () if self.has_heading else ("heading",)
        doubled: tuple[Asked, ...] = ("doubled",) if self.matched.doubled else ()
        return (*heading, *doubled, *self.matched.missing)

    @property
    def ignored(self) -> tuple[str, ...]:
        """Headings of columns that mean nothing to us."""
        used = set(self.fields.values())
        return tuple(h.strip() for n, h in enumerate(self.heading) if n not in used and h.strip())

    @property
    def hidden_letters(self) -> tuple[str, ...]:
        """What a spreadsheet calls the hidden columns that have a heading."""
        named = (n for n, text in enumerate(self.heading) if text.strip() and n in self.hidden_columns)
        return tuple(map(grids.letter, named))


@dataclass(frozen=True, slots=True)
class Table:
    """Where the heading of a grid stands (`at`, from 0, the last row of it), and what its columns mean."""

    grid: Grid
    at: int
    heading: tuple[str, ...]
    matched: Matched

    @property
    def is_list(self) -> bool:
        return not self.matched.missing


def stream_sheet(file: Source, choice: Choice = NOTHING_CHOSEN) -> Sheet:
    """Read a text of any size from a file, which is read again for each time its `records` are gone through."""
    return sheet_of(find_list(grids_of_text(file), choice), most_rows=MOST_STREAMED_ROWS, keep=False)


def grids_of_text(source: Source) -> list[Grid]:
    """The text as a grid under each separator that it may have. Raises `ManifestUnusable`."""
    encoding = texts.encoding_of(source)
    head = texts.head_of(source, encoding)
    if not head.strip():
        raise ManifestUnusable("empty")
    return [Grid(Rows(source, encoding, one), encoding=encoding, separator=one) for one in SEPARATORS]


def tables_of(all_grids: Sequence[Grid], choice: Choice) -> list[Table]:
    """What each grid would be as a list; one without any heading is left out."""
    found = [table for grid in all_grids if (table := _table(grid, choice)) is not None]
    if all_grids and all_grids[0].separator and found:
        return [max(found, key=lambda table: len(table.matched.fields))]
    return found


def find_list(all_grids: Sequence[Grid], choice: Choice) -> tuple[Table, tuple[str, ...]]:
    """The one table that is the list, and the names of the others. Raises `ManifestUnusable`: none, or several.

    A text is no sheet of a workbook: its grids have no name, and are looked at whatever sheet was asked for.
    """
    named = [grid for grid in all_grids if choice.worksheet is None or grid.name in ("", choice.worksheet)]
    if all_grids and not named:
        raise ManifestUnusable("worksheet_unknown", names=_names(all_grids))
    found = tables_of(named, choice)
    if not found and choice.asks:
        found = [table for grid in named if (table := _bare(grid, choice)) is not None and not grid.hidden]
        found = [max(found, key=lambda table: len(table.heading))] if found else []
    if not found:
        if any("\0" in cell for grid in named for row in islice(grid.rows, HEADING_WITHIN) for cell in row):
            raise ManifestUnusable("encoding")
        raise ManifestUnusable("no_heading")
    lists = [table for table in found if table.is_list and (choice.worksheet or not table.grid.hidden)]
    if len(lists) > 1:
        raise ManifestUnusable("several_lists", names=_names(table.grid for table in lists))
    if not lists and any(table.is_list for table in found):
        raise ManifestUnusable("list_hidden", names=_names(table.grid for table in found if table.is_list))
    chosen = lists[0] if lists else max(found, key=lambda table: len(table.matched.fields))
    return chosen, tuple(grid.name for grid in all_grids if grid.name and grid.name != chosen.grid.name)


def sheet_of(found: tuple[Table, tuple[str, ...]], *, most_rows: int, keep: bool = True, asks: bool = False) -> Sheet:
    """The list as it is read row by row; `keep` holds its rows in memory. Raises `ManifestUnusable`.

    With `asks` what its columns mean may be open, and is asked for.
    """
    table, others = found
    grid, heading, matched = table.grid, table.heading, table.matched
    if len(heading) > MOST_COLUMNS:
        raise ManifestUnusable("too_many_columns", most=str(MOST_COLUMNS))
    if matched.doubled and not asks:
        _, first, second = matched.doubled[0]
        raise ManifestUnusable(
            "heading_repeated",
            first=f"{grids.letter(first)} {shown(heading[first], 60)}",
            second=f"{grids.letter(second)} {shown(heading[second], 60)}",
        )
    if matched.missing and not asks:
        raise ManifestUnusable(f"heading_missing_{matched.missing[0]}")
    # Forms often number their columns, (1) (2) (3), in a row of its own.
    has_numbers = table.at != NO_HEADING and _numbers_columns(next(islice(grid.rows, table.at + 1, None), ()))
    below = table.at + 1 + has_numbers
    records = _records(table, below, most_rows=most_rows, keep=keep)
    if grid.aligned or table.at == NO_HEADING:
        width = max(len(heading), max(map(len, records), default=0))
        if width > MOST_COLUMNS:
            raise ManifestUnusable("too_many_columns", most=str(MOST_COLUMNS))
        heading = (*heading, *[""] * (width - len(heading)))
        if grid.aligned:
            records = [[*row, *[""] * (width - len(row))] if row else row for row in records]
    return Sheet(
        grid.encoding,
        grid.separator,
        heading,
        {field: n for field, n in matched.fields.items() if field not in {one for one, _, _ in matched.doubled}},
        below + 1,
        records,
        matched,
        grid.name,
        others,
        grid.aligned,
        grid.since_1904,
        grid.hidden_rows,
        grid.hidden_columns,
        table.at != NO_HEADING,
        tuple(map(tuple, islice(grid.rows, below))),
    )


def shown(text: str, most: int = 200) -> str:
    """A cell for somebody's eyes: not longer than that, and with a code for each character that cannot be seen."""
    seen = "".join(c if c.isprintable() else " " if c.isspace() else f"[U+{ord(c):04X}]" for c in text[: most + 1])
    return seen if len(seen) <= most else seen[: most - 1] + "…"


def _records(table: Table, below: int, *, most_rows: int, keep: bool) -> Sequence[Sequence[str]]:
    rows = table.grid.rows
    rows = rows.below(below, columns=len(table.heading)) if isinstance(rows, Rows) else islice(rows, below, None)
    kept: list[Sequence[str]] = []
    listed = 0
    for row in rows:
        listed += any(map(str.strip, row))
        if listed > most_rows:
            raise ManifestUnusable("too_many_rows", most=str(most_rows))
        if keep:
            kept.append(row)
    if keep:
        return kept
    assert isinstance(rows, Rows)
    return rows


def _table(grid: Grid, choice: Choice) -> Table | None:
    """The heading of a grid: the row, or two rows, in which most columns are recognised."""
    top = list(islice(grid.rows, max(HEADING_WITHIN, choice.heading_row or 0) + 1))
    if choice.heading_row is not None:
        if not 1 <= choice.heading_row <= len(top):
            return None
        heading = tuple(top[choice.heading_row - 1])
        return Table(grid, choice.heading_row - 1, heading, headings.match(heading, choice.remembered, choice.columns))
    best: Table | None = None
    for at, heading in possible_headings(top[:HEADING_WITHIN]):
        # A letter of a sex stands in the rows of many lists too, and tells no heading.
        known = {headings.field_of(text) for text in heading[: MOST_COLUMNS + 1]} - {None, *headings.TICKED}
        told = choice.remembered.keys() & headings.keys_of(heading) if any(map(str.strip, heading)) else ()
        if len(known) + len(told) >= 2:
            matched = headings.match(heading, choice.remembered, choice.columns)
            if best is None or len(matched.fields) > len(best.matched.fields):
                best = Table(grid, at, heading, matched)
    return best


def possible_headings(top: Sequence[Sequence[str]]) -> list[tuple[int, tuple[str, ...]]]:
    """Each row and each two rows that may be a heading, with the place of the last row of it."""
    singly = [(at, tuple(row)) for at, row in enumerate(top)]
    return singly + [(at + 1, _doubled(one, two)) for at, (one, two) in enumerate(pairwise(top))]


def _bare(grid: Grid, choice: Choice) -> Table | None:
    """A grid without any heading, as wide as most of its first rows; None where there are no columns to speak of."""
    widths = Counter(len(row) for row in islice(grid.rows, HEADING_WITHIN) if any(map(str.strip, row)))
    width = max(widths, key=lambda wide: (widths[wide], wide), default=0)
    if width < FEWEST_COLUMNS:
        return None
    heading = ("",) * width
    return Table(grid, NO_HEADING, heading, headings.match(heading, choice.remembered))


def _doubled(upper: Sequence[str], lower: Sequence[str]) -> tuple[str, ...]:
    """The heading of two rows: a cell above several others says what they have in common."""
    if not any(map(str.strip, lower)):
        return ()
    heading: list[str] = []
    common = ""
    for above, below in zip_longest(upper, lower, fillvalue=""):
        common = above.strip() or (common if below.strip() else "")
        both = f"{common} {below}".strip()
        heading.append(both if headings.field_of(both) or not headings.field_of(below) else below)
    return tuple(heading)


def _numbers_columns(row: Sequence[str]) -> bool:
    """True for a row of the numbers of the columns: 1, 2, 3 and so on, in brackets or not."""
    said = [cell.strip(" ().") for cell in row if cell.strip()]
    return len(said) >= 3 and said == [str(n) for n in range(1, len(said) + 1)]


def _names(some: Iterable[Grid]) -> str:
    return ", ".join(shown(grid.name, 40) for grid in some)
