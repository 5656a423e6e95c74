"""A list as text, saved as CSV or pasted from a spreadsheet: its encoding, its separator, its quotation marks.

A text is read as a stream, as often as one likes; no more than a few of its lines are in memory at a time.
"""

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Protocol, TextIO, overload

from services.intake.domain.grids import Typed
from services.intake.domain.refusals.manifests import ManifestUnusable

SEPARATORS = ";,\t|"
CHUNK = 1 << 20
LONGEST_LINE = 1 << 17
"""As much as the csv module takes into one cell."""
MOST_LINES_IN_ROW = 40
"""A cell may have lines of its own; beyond so many a quotation mark was left open."""


class File(Protocol):
    """A file that can be read from any place."""

    def seek(self, at: int, /) -> int: ...
    def read(self, size: int = -1, /) -> bytes: ...


Source = bytes | File


def encoding_of(source: Source) -> str:
    """`utf-8-sig`, `utf-16`, `utf-16-le`, `utf-16-be` or `cp1252`. Raises `ManifestUnusable` for what is none."""
    head = _View(source).read(1 << 12)
    if head[:4] in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE) or head.count(0) * 10 > len(head) * 7:
        raise ManifestUnusable("encoding")  # UTF-32, which begins as UTF-16 does, or says nothing
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        candidates: tuple[str, ...] = ("utf-16",)
    elif _is_every_other_byte_zero(head[1::2], head[0::2]):
        candidates = ("utf-16-le",)
    elif _is_every_other_byte_zero(head[0::2], head[1::2]):
        candidates = ("utf-16-be",)
    else:
        candidates = ("utf-8-sig", "cp1252")
    for encoding in candidates:
        if _decodes(source, encoding):
            return encoding
    raise ManifestUnusable("encoding")


def errors_of(encoding: str) -> str:
    """Half a character (a lone surrogate) makes one cell a problem, not the whole file."""
    return "strict" if encoding == "cp1252" else "surrogatepass"


def head_of(source: Source, encoding: str, most: int = 1 << 16) -> str:
    """The beginning of a text, whatever its newlines, with the last line left out if it may be cut off."""
    with _opened(source, encoding) as text:
        head = text.read(most)
    return head if len(head) < most else head[: max(head.rfind("\n"), head.rfind("\r")) + 1] or head


class Rows(Sequence[Sequence[str]]):
    """The rows of a text, read anew each time they are gone through; blank ones are empty lists.

    Cells are as they stand in the file. A line that is no row of cells (its quotation marks do not match, or it is
    longer than any row) is a row of one cell of the kind `broken`, and swallows none of those below it. Getting a
    single row, or their number, reads from the beginning.
    """

    def __init__(self, source: Source, encoding: str, separator: str, *, columns: int = 0, skipped: int = 0) -> None:
        self._source = source
        self._encoding = encoding
        self._separator = separator
        self._columns = columns
        self._skipped = skipped
        self._length: int | None = None

    def __iter__(self) -> Iterator[list[str]]:
        with _opened(self._source, self._encoding) as text:
            rows = _records(_lines(text), self._separator, self._columns)
            for n, row in enumerate(rows):
                if n >= self._skipped:
                    yield row

    def __len__(self) -> int:
        if self._length is None:
            self._length = sum(1 for _ in self)
        return self._length

    @overload
    def __getitem__(self, at: int) -> Sequence[str]: ...
    @overload
    def __getitem__(self, at: slice) -> list[Sequence[str]]: ...
    def __getitem__(self, at: int | slice) -> Sequence[str] | list[Sequence[str]]:
        if isinstance(at, slice):
            return list(self)[at]
        for n, row in enumerate(self):
            if n == at:
                return row
        raise IndexError(at)

    def below(self, skipped: int, *, columns: int) -> "Rows":
        """The rows below the first so many, for a heading of so many columns."""
        return Rows(self._source, self._encoding, self._separator, columns=columns, skipped=skipped)


def _lines(text: TextIO) -> Iterator[str]:
    """Lines with their ends as they are. What is longer than any row comes as a quotation mark that stays open."""
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE and line[-1] not in "\r\n":
            while (rest := text.readline(LONGEST_LINE)) and rest[-1] not in "\r\n":
                pass
            line = f"{line[:100]}\n" if '"' in line[:100] else f'"{line[:100]}\n'
        yield line


def _records(lines: Iterator[str], separator: str, columns: int) -> Iterator[list[str]]:
    given_back: deque[str] = deque()
    taken: list[str] = []

    def feed() -> Iterator[str]:
        while True:
            line = given_back.popleft() if given_back else next(lines, None)
            if line is None:
                return
            taken.append(line)
            if len(taken) > MOST_LINES_IN_ROW:
                raise csv.Error
            yield line

    reader = csv.reader(feed(), delimiter=separator, strict=True)
    doubtful = 0
    while (line := given_back.popleft() if given_back else next(lines, None)) is not None:
        if '"' not in line:
            # No cell of it is quoted, so it is a row; asking the csv module takes almost twice as long.
            doubtful = max(0, doubtful - 1)
            bare = line.rstrip("\r\n")
            yield bare.split(separator) if bare else []
            continue
        given_back.appendleft(line)
        taken.clear()
        try:
            cells = next(reader)
        except csv.Error:
            broken = True
        else:
            broken = (len(taken) > 1 and any(_swallowed(cell, separator, columns) for cell in cells)) or (
                doubtful > 0 and taken[0].count('"') % 2 == 1
            )
        if not broken:
            doubtful = max(0, doubtful - len(taken))
            yield cells
            continue
        yield [Typed(taken[0].rstrip("\r\n"), "broken")]
        # The lines that an open quotation mark had swallowed are read again, each for itself.
        doubtful = max(doubtful, len(taken)) - 1
        given_back.extendleft(reversed(taken[1:]))
        reader = csv.reader(feed(), delimiter=separator, strict=True)


def _swallowed(cell: str, separator: str, columns: int) -> bool:
    """True for a cell that looks like rows of its own: a quotation mark was left open somewhere."""
    return cell.count(separator) >= max(2, columns // 2) and ("\n" in cell or "\r" in cell)


def _decodes(source: Source, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)(errors_of(encoding))
    view = _View(source)
    try:
        while chunk := view.read(CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _is_every_other_byte_zero(these: bytes, others: bytes) -> bool:
    """True for a text in UTF-16 that begins without saying so."""
    return len(these) > 8 and these.count(0) * 10 > len(these) * 7 and others.count(0) * 10 < len(others)


def _opened(source: Source, encoding: str) -> TextIO:
    return io.TextIOWrapper(_View(source), encoding, errors_of(encoding), newline="")


class _View(io.BufferedIOBase):
    """A source from its beginning, for one who reads it; others may be reading it as well."""

    name = ""
    """Whoever reads text of it asks for one."""

    def __init__(self, source: Source) -> None:
        self._file: File = io.BytesIO(source) if isinstance(source, bytes) else source
        self._at = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        self._file.seek(self._at)
        found = self._file.read(-1 if size is None else size)
        self._at += len(found)
        return found

    def read1(self, size: int = -1) -> bytes:
        return self.read(size)
