"""A name list that was uploaded and is not done with: its rows, what was mended in them, and how each stands."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Literal, NamedTuple, get_args

from services.intake.domain import headings
from services.intake.domain.manifests import Row
from services.intake.domain.problems import CELL_PROBLEMS
from services.intake.domain.refusals.manifests import ManifestUnusable
from services.intake.domain.sheets import Sheet

State = Literal["open", "sending", "sent", "discarded", "expired", "erased"]
Form = Literal["csv", "xlsx", "paste", "carried"]
"""What it came as; `carried`: people of another voyage who roll over to this one."""
Standing = Literal["ready", "mend", "twice", "known", "empty", "left_out", "absent"]
"""Ready to send; a cell to mend; possibly somebody who is there already; recorded; blank; left out by a person;
called as absent on the quay."""
STANDINGS: tuple[Standing, ...] = get_args(Standing)
TOGETHER = frozenset({"person_repeated", "known_differently", "logged_maybe"})
"""Problems of a row that may be somebody twice."""
MARK_BYTES = 6
"""As many bytes of a list's digest as are in the reference to one of its rows (`held.reference`)."""
WHOLE_ROW = -1
"""In the place of a column: an edit that leaves a row out, takes it in again, or carries it to another voyage."""
OVERVIEW = (
    "full_name", "sex", "male", "female", "birth_date", "birthplace_and_date", "age", "document_number", "nik",
    "origin_regency",
)  # fmt: skip
"""Fields that show of whom a row speaks."""
LONGEST_CELL = 2_000
LONGEST_SENDER = 80


class Finding(NamedTuple):
    """What is wrong with a cell (with an empty `field`: with the row), by code. `hint` as in `Problem`."""

    field: str
    code: str
    hint: str = ""

    @property
    def message(self) -> str:
        return CELL_PROBLEMS[self.code][0]

    @property
    def remedy(self) -> str:
        return CELL_PROBLEMS[self.code][1]


class Edit(NamedTuple):
    """One cell as it was and as somebody made it. None: it was not there, or is there no more."""

    column: int
    was: str | None
    now: str | None
    by: str
    at: str
    """ISO 8601, UTC."""


class Before(NamedTuple):
    """What a row said before when its person was recorded: in words to be shown, and the digest of who that is."""

    said: str
    person: bytes = b""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a draft. `number` is that of the file; each save adds to `version`, whatever else it changes.

    `since`: the version that it came with in a later upload, beyond any that a row of an earlier one has had: the same
    number may be another person by now. `recorded`: its person was, or is likely, by what the row said before.
    """

    number: int
    cells: tuple[str, ...]
    standing: Standing = "empty"
    findings: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    edits: tuple[Edit, ...] = ()
    since: int = 0
    recorded: Before | None = None

    @property
    def version(self) -> int:
        return self.since + len(self.edits)

    @property
    def is_out(self) -> bool:
        """True for a row that somebody has left out."""
        said = [edit.now for edit in self.edits if edit.column == WHOLE_ROW]
        return bool(said) and said[-1] == "out"

    @property
    def is_moved(self) -> bool:
        """True for a row whose cells went to the list of another voyage."""
        return any(edit.column == WHOLE_ROW and edit.now == "moved" for edit in self.edits)

    @property
    def is_erased(self) -> bool:
        """True for a row whose person was erased, until somebody writes in it anew."""
        return bool(self.edits) and self.edits[-1].now == "erased"

    @property
    def source(self) -> tuple[str, ...]:
        """The cells as they were uploaded."""
        cells = list(self.cells)
        for edit in reversed(self.edits):
            if edit.column == WHOLE_ROW:
                continue
            if edit.was is None:
                cells.pop()
            elif edit.now is None:
                cells.append(edit.was)
            else:
                cells[edit.column] = edit.was
        return tuple(cells)

    def told_by(self, column: int) -> Edit | None:
        """The last edit of a column."""
        return next((edit for edit in reversed(self.edits) if edit.column == column), None)


@dataclass(frozen=True, slots=True)
class Differences:
    """What a later upload changed: how many rows are the same, and the numbers of the new, changed and gone ones.

    Those of `gone` are of the upload before. `recorded`: rows that it changes and that stay as they are: their people
    are recorded.
    """

    same: int = 0
    new: tuple[int, ...] = ()
    changed: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()
    recorded: tuple[int, ...] = ()

    @property
    def count(self) -> int:
        return len(self.new) + len(self.changed) + len(self.gone)


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a draft besides its rows; sealed with them."""

    encoding: str
    separator: str
    heading: tuple[str, ...]
    fields: Mapping[str, int]
    first_row: int
    sender: str = ""
    filename: str = ""
    differences: Differences | None = None
    worksheet: str = ""
    aligned: bool = False
    since_1904: bool = False
    others: tuple[str, ...] = ()
    """Worksheets that were not taken for the list."""
    hidden_rows: tuple[int, ...] = ()
    hidden_columns: tuple[int, ...] = ()
    asks: tuple[headings.Asked, ...] = ()
    undecided: tuple[int, ...] = ()
    """Columns that claim what another one claims too; somebody has to say what each of them is."""
    above: tuple[tuple[str, ...], ...] = ()
    """What stands above the first row, as it was uploaded: titles, the heading, the numbers of its columns."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft in codes and counts. `lines` is the sum of the seven standings."""

    draft_id: str
    voyage_id: str
    port: str
    state: State
    form: Form
    upload: int
    """How many times a file was uploaded into it."""
    version: int
    lines: int
    ready: int
    mend: int
    twice: int
    known: int
    empty: int
    left_out: int
    absent: int
    owner: str
    created_at: datetime
    changed_by: str
    changed_at: datetime
    ended_at: datetime | None
    asks: tuple[headings.Asked, ...] = ()
    """What somebody has to say of its columns first; until then no row of it is read."""

    @property
    def held(self) -> int:
        """Rows that will be held back when it is sent."""
        return self.mend + self.twice

    @property
    def listed(self) -> int:
        """Rows that speak of a person."""
        return self.lines - self.empty - self.left_out

    @property
    def is_under_way(self) -> bool:
        return self.ended_at is None


def list_digest(draft: Draft) -> bytes:
    """What a draft is taken in as: another list whenever anything in it was changed.

    It begins alike for all versions of an upload, so that the reference to one of its rows stays.
    """
    return upload_mark(draft) + hashlib.sha256(f"{draft.draft_id}:{draft.version}".encode()).digest()[MARK_BYTES:]


def upload_mark(draft: Draft, upload: int | None = None) -> bytes:
    """What the references to rows of an upload have in common, the last one unless another is said."""
    return hashlib.sha256(f"{draft.draft_id}#{upload or draft.upload}".encode()).digest()[:MARK_BYTES]


def upload_marks(draft: Draft) -> set[str]:
    """As they stand in references to its rows, those of all files that were uploaded into it."""
    return {upload_mark(draft, upload).hex() for upload in range(1, draft.upload + 1)}


def header_of(sheet: Sheet, *, sender: str, filename: str) -> Header:
    """What is kept of a sheet besides its rows."""
    return Header(
        encoding=sheet.encoding,
        separator=sheet.separator,
        heading=tuple(sheet.heading),
        fields=dict(sheet.fields),
        first_row=sheet.first_row,
        sender=" ".join(sender.split())[:LONGEST_SENDER],
        filename=filename[-LONGEST_SENDER:],
        worksheet=sheet.worksheet,
        aligned=sheet.aligned,
        since_1904=sheet.since_1904,
        others=sheet.others,
        hidden_rows=tuple(sorted(sheet.hidden_rows)),
        hidden_columns=tuple(sorted(sheet.hidden_columns)),
        asks=sheet.asks,
        undecided=tuple(sorted({column for _, *two in sheet.matched.doubled for column in two})),
        above=sheet.above,
    )


def sheet_of(header: Header, records: Sequence[Sequence[str]]) -> Sheet:
    """The sheet that a draft is, with these rows."""
    return Sheet(
        encoding=header.encoding,
        separator=header.separator,
        heading=header.heading,
        fields=dict(header.fields),
        first_row=header.first_row,
        records=records,
        worksheet=header.worksheet,
        aligned=header.aligned,
        since_1904=header.since_1904,
    )


def headed(header: Header, lines: Sequence[Line], row: int | None) -> tuple[Header, list[Line]]:
    """The same list with its heading in that row, or in none (0). Raises `ManifestUnusable`: nobody said it.

    What stands above the heading is no row of the list.
    """
    if "heading" not in header.asks:
        return header, list(lines)
    if row is None:
        raise ManifestUnusable("heading_unsaid")
    asks = tuple(one for one in header.asks if one != "heading")
    if row == 0:
        return replace(header, asks=asks), list(lines)
    found = next((line for line in lines if line.number == row), None)
    if found is None or not any(map(str.strip, found.cells)):
        raise ManifestUnusable("heading_unsaid")
    cells = [*found.cells[: len(header.heading)], *[""] * (len(header.heading) - len(found.cells))]
    below = [line for line in lines if line.number > row]
    above = tuple(line.source for line in lines if line.number <= row)
    return replace(header, asks=asks, heading=tuple(cells), first_row=row + 1, above=(*header.above, *above)), below


def told(header: Header, columns: Mapping[int, str], *, no_birth_dates: bool) -> tuple[Header, dict[int, str]]:
    """The header with what somebody said of columns, and what each column means by now.

    `no_birth_dates`: the list has none, and no ages; everybody on it is of unknown age then. Raises `ManifestUnusable`
    when a field would be missing or claimed twice, or it is not said which of two it is.
    """
    if any(column not in columns for column in header.undecided):
        first, *_, second = (legible(header.heading[column]).strip()[:60] for column in header.undecided)
        raise ManifestUnusable("heading_repeated", first=first, second=second)
    meant = dict.fromkeys(range(len(header.heading)), headings.UNUSED)
    meant |= {n: field for field, n in header.fields.items()} | dict(columns)
    matched = headings.match(header.heading, chosen=meant)
    refuse_unfit(header.heading, matched, no_birth_dates=no_birth_dates)
    return replace(header, fields=dict(matched.fields), asks=(), undecided=()), meant


def unread(lines: Sequence[Line]) -> list[Line]:
    """The same lines while nobody has said what the columns are: nothing of a row is judged."""
    held = (Finding("", "columns_unsaid"),)
    found = []
    for line in lines:
        blank: Standing = "left_out" if line.is_out else "empty"
        standing: Standing = "mend" if any(map(str.strip, line.cells)) and not line.is_out else blank
        found.append(replace(line, standing=standing, findings=held if standing == "mend" else (), warnings=()))
    return found


def refuse_unfit(heading: Sequence[str], matched: headings.Matched, *, no_birth_dates: bool) -> None:
    """Raise `ManifestUnusable` for a list that lacks a column it cannot do without, or has one twice."""
    if matched.doubled:
        _, first, second = matched.doubled[0]
        raise ManifestUnusable(
            "heading_repeated", first=heading[first].strip()[:60], second=heading[second].strip()[:60]
        )
    missing = [one for one in matched.missing if not (no_birth_dates and one == "birth_date")]
    if missing:
        raise ManifestUnusable(f"heading_missing_{missing[0]}")


def lines_of(sheet: Sheet) -> list[Line]:
    """The rows of a sheet as they stand in it, not looked at yet."""
    return [Line(number, tuple(cells)) for number, cells in enumerate(sheet.records, start=sheet.first_row)]


def told_anew(recorded: Mapping[int, Before], after: Iterable[Line], numbers: Mapping[int, int]) -> list[Line]:
    """The lines as they are changed, with those marked whose people were `recorded` by what they said before.

    `numbers`: which line before a line is.
    """
    were = {now: recorded[was] for now, was in numbers.items() if was in recorded}
    return [replace(line, recorded=were[line.number]) if line.number in were else line for line in after]


def overview(header: Header, line: Line) -> str:
    """Who a line speaks of, as its cells say it."""
    columns = (header.fields[field] for field in OVERVIEW if field in header.fields)
    said = (legible(line.cells[column]).strip() for column in columns if column < len(line.cells))
    return " · ".join(cell[:60] for cell in said if cell)


def standing_of(row: Row, *, known: bool) -> Standing:
    """How a row stands that was read."""
    if row.arrival is not None:
        return "known" if known else "ready"
    return "twice" if {problem.code for problem in row.problems} <= TOGETHER else "mend"


def judged(
    lines: Sequence[Line], rows: Iterable[Row], known: frozenset[int], absent: Collection[int] = ()
) -> list[Line]:
    """The same lines with what reading found of each.

    `known` are the numbers of rows that are recorded, `absent` of those whose people were called so.
    """
    read = {row.number: row for row in rows}
    found = []
    for line in lines:
        row = read.get(line.number)
        if row is None:
            blank: Standing = "absent" if line.number in absent else "left_out" if line.is_out else "empty"
            found.append(replace(line, standing=blank, findings=(), warnings=()))
            continue
        before = line.recorded.said if line.recorded else ""
        findings = tuple(
            Finding(one.field, one.code, one.hint or before if one.code == "known_differently" else one.hint)
            for one in row.problems
        )
        warnings = tuple(Finding(one.field, one.code, one.hint) for one in row.warnings)
        standing = standing_of(row, known=row.number in known)
        if standing == "ready" and line.recorded:
            standing, findings = "twice", (Finding("full_name", "known_differently", before),)
        if standing != "known" and row.number in absent:
            standing = "absent"
        recorded = line.recorded if standing != "known" else None
        found.append(replace(line, standing=standing, findings=findings, warnings=warnings, recorded=recorded))
    return found


def with_spoilt(lines: Iterable[Line], header: Header) -> list[Line]:
    """The same lines, with a warning at each cell that was written in UTF-8 in a file that is read as Windows-1252."""
    if header.encoding != "cp1252":
        return list(lines)
    found = []
    for line in lines:
        cells = [(field, line.cells[n]) for field, n in header.fields.items() if n < len(line.cells)]
        spoilt = [Finding(field, "letters_spoilt", meant) for field, cell in cells if (meant := _as_utf_8(cell))]
        found.append(replace(line, warnings=(*line.warnings, *spoilt)) if spoilt else line)
    return found


def _as_utf_8(cell: str) -> str:
    """What a cell says where its bytes are UTF-8; "" where they are not, or it makes no difference."""
    if cell.isascii():
        return ""
    try:
        return cell.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return ""


def counted(lines: Iterable[Line]) -> dict[Standing, int]:
    """How many lines stand how; each standing has a number."""
    found = Counter(line.standing for line in lines)
    return {standing: found[standing] for standing in STANDINGS}


def mended(line: Line, cells: Mapping[int, str], *, width: int, by: str, at: datetime) -> Line:
    """A line with other cells: short rows become as long as is needed, blank ones too many at the end go.

    A cell that says what a form showed of it was not touched.
    """
    now, edits, when = list(line.cells), list(line.edits), at.isoformat()

    def note(column: int, was: str | None, said: str | None) -> None:
        edits.append(Edit(column, was, said, by, when))

    for column in sorted(cells):
        while len(now) <= column:
            note(len(now), None, "")
            now.append("")
        if cells[column] not in (now[column], in_a_form(now[column])):
            note(column, now[column], cells[column])
            now[column] = cells[column]
    while len(now) > width and not now[-1].strip():
        note(len(now) - 1, now.pop(), None)
    return replace(line, cells=tuple(now), edits=tuple(edits))


def legible(cell: str) -> str:
    """A cell as it can be shown: half a character, which has no bytes, is shown as something unknown."""
    return cell.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def in_a_form(cell: str) -> str:
    """A cell as a form sends it back: its fields have one line."""
    return legible(cell).replace("\r", "").replace("\n", "")


def first_values(lines: Iterable[Line], column: int, most: int = 3) -> list[str]:
    """The first cells of a column in which something stands, as they can be shown."""
    said = (line.cells[column] for line in lines if column < len(line.cells) and line.cells[column].strip())
    return [legible(cell).strip()[:60] for cell in islice(said, most)]


def said_in(line: Line, column: int) -> set[str]:
    """What a cell says, and what it had said before."""
    now = line.cells[column] if column < len(line.cells) else ""
    return {now, *(edit.was or "" for edit in line.edits if edit.column == column)}


def came_back(line: Line, cells: Mapping[int, str]) -> dict[int, str]:
    """The cells of a row that came back in a file which are really changed.

    What a cell had said before is what it said when the file was taken away: somebody has mended it here meanwhile.
    """
    return {column: said for column, said in cells.items() if said not in said_in(line, column)}


def left_out(line: Line, out: bool, *, by: str, at: datetime) -> Line:
    """A line that is left out of what is sent, or taken in again."""
    edit = Edit(WHOLE_ROW, "in" if out else "out", "out" if out else "in", by, at.isoformat())
    return replace(line, edits=(*line.edits, edit))


def moved(line: Line, *, by: str, at: datetime) -> Line:
    """A line whose cells went to the list of another voyage: what it said is told by a digest alone."""
    edit = Edit(WHOLE_ROW, said_digest(line.source), "moved", by, at.isoformat())
    return Line(line.number, (), edits=(edit,), since=line.since)


def back(gone: Line, there: Line, *, by: str, at: datetime) -> Line:
    """A line whose cells came back from the list of the other voyage, with all that was mended in them."""
    edit = Edit(WHOLE_ROW, "moved", "in", by, at.isoformat())
    return Line(gone.number, there.cells, edits=(*there.edits, edit), since=gone.since)


def emptied(line: Line, *, by: str, at: datetime) -> Line:
    """A line of somebody who was erased: nothing of what it said is left, and nobody holds its version."""
    edit = Edit(WHOLE_ROW, None, "erased", by, at.isoformat())
    return Line(line.number, (), edits=(edit,) * (len(line.edits) + 1), since=line.since)


def said_digest(cells: Sequence[str]) -> str:
    """Tells whether a later upload says the same in a row whose cells are here no more; kept sealed, as cells are."""
    return hashlib.sha256("\x1f".join(cells).encode("utf-8", "surrogatepass")).hexdigest()


def to_read(lines: Iterable[Line]) -> list[Sequence[str]]:
    """The records that reading gets: a line that is left out is blank."""
    return [() if line.is_out else line.cells for line in lines]
