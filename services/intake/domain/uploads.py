"""A later upload of a list beside the one before: which column and which row is which, and what was mended stays."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from services.intake.domain import headings
from services.intake.domain.drafts import WHOLE_ROW, Differences, Edit, Header, Line, headed, said_digest
from services.intake.domain.grids import kind_of
from services.intake.domain.headings import UNUSED
from services.intake.domain.refusals.manifests import ManifestUnusable

TELLING = ("document_number", "nik", "full_name")
"""By what a row is known again that says something else now, the most telling first."""


def read_as(header: Header, lines: Sequence[Line], before: Header) -> tuple[Header, list[Line]]:
    """A later upload, with its columns read as those of the one before that have the same heading, wherever they stand.

    So what somebody has said of them is not asked again, and not forgotten.
    """
    again, below = header, list(lines)
    if before.asks:
        return again, below
    if "heading" in header.asks:
        row = before.first_row - 1 if any(map(str.strip, before.heading)) else 0
        try:
            again, below = headed(header, lines, row)
        except ManifestUnusable:
            return header, list(lines)
    field_of = {column: field for field, column in before.fields.items()}
    meant = {key: field_of.get(n, UNUSED) for n, key in enumerate(headings.keys_of(before.heading)) if key}
    chosen = {n: meant[key] for n, key in enumerate(headings.keys_of(again.heading)) if key in meant}
    matched = headings.match(again.heading, chosen=chosen)
    lacked = headings.match(before.heading, chosen=dict.fromkeys(range(len(before.heading)), UNUSED) | field_of).missing
    if matched.doubled or not set(matched.missing) <= set(lacked):
        return header, list(lines)
    return replace(again, fields=dict(matched.fields), asks=(), undecided=()), below


@dataclass(frozen=True, slots=True)
class Compared:
    """Which line of a later upload (`after`) is which of the one before, by the number of the later one.

    `same`: each cell is as it was uploaded before, whatever the order of the columns. `moved`: so was one whose cells
    went to another voyage. `changed`: its document, its NIK or its name stands in no other line of either upload.
    `left` and `rest`: those before and after that are none of these. Of blank ones nothing is said.
    """

    after: Sequence[Line]
    columns: Mapping[int, int]
    since: int
    same: Mapping[int, Line]
    moved: Mapping[int, Line]
    changed: Mapping[int, Line]
    left: Sequence[Line]
    rest: Sequence[Line]

    @property
    def numbers(self) -> dict[int, int]:
        return {now: line.number for which in (self.same, self.moved, self.changed) for now, line in which.items()}

    def with_changed(self, numbers: Mapping[int, int]) -> "Compared":
        """The same, with more lines that are changed: the later one's number → the earlier one's."""
        by_number = {line.number: line for line in self.left}
        return replace(
            self,
            changed={**self.changed, **{now: by_number[was] for now, was in numbers.items()}},
            left=[line for line in self.left if line.number not in set(numbers.values())],
            rest=[line for line in self.rest if line.number not in numbers],
        )

    def merged(self) -> tuple[list[Line], Differences]:
        """The later lines, with what was mended in cells that they do not change; and what is different."""
        lines: list[Line] = []
        for line in self.after:
            now = replace(line, since=self.since)
            if line.number in self.moved:
                now = replace(now, cells=(), edits=self.moved[line.number].edits)
            elif line.number in self.same:
                now = _as_mended(self.same[line.number], now, self.columns, is_same=True)
            elif line.number in self.changed:
                now = _as_mended(self.changed[line.number], now, self.columns)
            lines.append(now)
        new, gone = (tuple(line.number for line in some) for some in (self.rest, self.left))
        return lines, Differences(len(self.same) + len(self.moved), new, tuple(sorted(self.changed)), gone)


def compared(before: Sequence[Line], header_before: Header, after: Sequence[Line], header: Header) -> Compared:
    """A later upload of a list beside the one before."""
    columns = same_columns(header_before, header)
    is_alike = header_before.heading == header.heading
    said_before, said_after = _orders(header_before, header, columns)
    old = [line for line in before if any(map(str.strip, line.source))]
    waiting: dict[tuple[str, ...], list[Line]] = {}
    for line in reversed(old):
        waiting.setdefault(said_before(line.source), []).append(line)
    went = {edit.was or "": line for line in before for edit in line.edits if edit.now == "moved"}
    since = 1 + max((line.version for line in before), default=0)
    same: dict[int, Line] = {}
    moved: dict[int, Line] = {}
    rest: list[Line] = []
    for line in after:
        if not any(map(str.strip, line.cells)):
            continue
        there = (
            line.cells
            if is_alike
            else tuple(_at(line.cells, columns.get(n)) for n in range(len(header_before.heading)))
        )
        if went and (gone_before := went.pop(said_digest(there), None)) is not None:
            moved[line.number] = gone_before
        elif known := waiting.get(said_after(line.cells)):
            same[line.number] = known.pop()
        else:
            rest.append(line)
    taken = {line.number for line in same.values()}
    left = [line for line in old if line.number not in taken]
    changed = paired(left, header_before, rest, header, among=(old, after))
    return Compared(after, columns, since, same, moved, {}, left, rest).with_changed(changed)


def same_columns(before: Header, after: Header) -> dict[int, int]:
    """Which column of a later upload each column of the one before is: of the same heading, else of the same field."""
    if before.heading == after.heading:
        return {n: n for n in range(len(before.heading))}
    at = {key: n for n, key in enumerate(headings.keys_of(after.heading)) if key}
    found = {n: at[key] for n, key in enumerate(headings.keys_of(before.heading)) if key in at}
    for field, column in before.fields.items():
        other = after.fields.get(field)
        if other is not None and column not in found and other not in found.values():
            found[column] = other
    return found


def paired(
    left: Sequence[Line],
    header_before: Header,
    rest: Sequence[Line],
    header: Header,
    *,
    among: tuple[Sequence[Line], Sequence[Line]],
) -> dict[int, int]:
    """Numbers of lines that say something else of the same person: the later one's → the earlier one's.

    `among` are all lines of either upload: what more of them say tells nothing.
    """
    found: dict[int, int] = {}
    for field in TELLING if left and rest else ():
        one, other = header_before.fields.get(field), header.fields.get(field)
        if one is None or other is None:
            continue
        by_before = _only(among[0], one)
        by_after = _only(among[1], other)
        free_before = {line.number for line in left} - set(found.values())
        free_after = {line.number for line in rest} - found.keys()
        for said in by_after.keys() & by_before.keys():
            if by_after[said] in free_after and by_before[said] in free_before:
                found[by_after[said]] = by_before[said]
    return found


def known_again(
    lines: Sequence[Line], rows: Sequence[Line], header: Header, *, of_before: Collection[int]
) -> dict[int, int]:
    """Which lines of a list rows are that name none, by their numbers: those of the same cells.

    Rows `of_before` were in an earlier file of it: they are of the same person where that can be told.
    """
    waiting: dict[tuple[str, ...], list[int]] = {}
    for line in reversed(lines):
        for said in {_trimmed(line.source), _trimmed(line.cells)} - {()}:
            waiting.setdefault(said, []).append(line.number)
    found: dict[int, int] = {}
    taken: set[int] = set()
    for row in rows:
        alike = waiting.get(_trimmed(row.cells), [])
        while alike and alike[-1] in taken:
            alike.pop()
        if alike:
            found[row.number] = alike.pop()
            taken.add(found[row.number])
    left = [line for line in lines if line.number not in taken]
    rest = [row for row in rows if row.number in of_before and row.number not in found]
    return found | paired(left, header, rest, header, among=(lines, rows))


def _as_mended(one: Line, line: Line, columns: Mapping[int, int], *, is_same: bool = False) -> Line:
    """A line of a later upload with what was mended in the one before, in cells that say what they said then.

    Who left the same row out has left it out; one that says something else is looked at again.
    """
    source = one.source
    is_to_the_letter = is_same and [*map(_marked, line.cells)] == [*map(_marked, source)]
    if is_to_the_letter and all(columns.get(n, n) == n for n in range(len(source))):
        return replace(line, cells=one.cells, edits=one.edits)
    cells, edits = list(line.cells), [edit for edit in one.edits if is_same and edit.column == WHOLE_ROW]
    for column in sorted({edit.column for edit in one.edits} & columns.keys()):
        said, mended, at = _at(source, column), _at(one.cells, column), columns[column]
        last = one.told_by(column)
        if last is None or mended == said or _at(cells, at) != said:
            continue
        while len(cells) <= at:
            edits.append(last._replace(column=len(cells), was=None, now=""))
            cells.append("")
        edits.append(Edit(at, cells[at], mended, last.by, last.at))
        cells[at] = mended
    return replace(line, cells=tuple(cells), edits=tuple(edits))


Order = Callable[[Sequence[str]], tuple[str, ...]]


def _orders(before: Header, after: Header, columns: Mapping[int, int]) -> tuple[Order, Order]:
    """How rows of either upload are written so that the same is the same: without the blank cells at their end."""
    shared = sorted(columns.items())
    alone = [n for n in range(len(before.heading)) if n not in columns]
    added = [n for n in range(len(after.heading)) if n not in set(columns.values())]

    def order(places: Sequence[int | None], width: int) -> Order:
        if list(places) == list(range(width)):
            return _trimmed
        return lambda cells: _trimmed([*(_at(cells, n) for n in places), *cells[width:]])

    none: list[int | None] = [None]
    return (
        order([*(n for n, _ in shared), *alone, *none * len(added)], len(before.heading)),
        order([*(n for _, n in shared), *none * len(alone), *added], len(after.heading)),
    )


def _marked(cell: str) -> tuple[str, str | None]:
    return cell, kind_of(cell)


def _trimmed(cells: Sequence[str]) -> tuple[str, ...]:
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return tuple(cells[:end])


def _at(cells: Sequence[str], column: int | None) -> str:
    return cells[column] if column is not None and column < len(cells) else ""


def _only(lines: Iterable[Line], column: int) -> dict[str, int]:
    """Numbers of lines by what they say in a column, as uploaded or mended, of what one line alone says."""
    found: dict[str, int] = {}
    often: Counter[str] = Counter()
    for line in lines:
        both = (line.source, line.cells) if line.edits else (line.cells,)
        for said in {_at(cells, column).strip().casefold() for cells in both} - {""}:
            often[said] += 1
            found[said] = line.number
    return {said: number for said, number in found.items() if often[said] == 1}
