"""Whatever bytes come as a list: a clear answer or rows, never a crash, and never much memory."""

import csv
import io
import random
import struct
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.intake.domain import files, manifests, sheets, texts
from services.intake.domain.problems import CELL_PROBLEMS, FILE_PROBLEMS
from services.intake.domain.refusals.manifests import ManifestUnusable
from services.intake.domain.seen import Seen
from services.intake.gateways import workbooks
from tests.intake.reading import LANDING, cells_of, opened, rows_of
from tests.intake.workbooks import HEADING, a_person, a_workbook, with_parts, with_shared_texts
from tests.soaking import examples

FIRST = "xl/worksheets/sheet1.xml"
WHOLE = with_shared_texts(a_workbook(HEADING, *(a_person(n) for n in range(1, 6))))
PARTS = [name for name in zipfile.ZipFile(io.BytesIO(WHOLE)).namelist() if name.endswith((".xml", ".rels"))]
NAMESPACE = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
MOST = 96 << 20
"""Bytes that reading whatever is in a small file may take at a time."""


def read(content: bytes) -> int:
    """How many rows a file has, all of which are ready or held back with words; -1 when it was refused with words."""
    try:
        rows = rows_of(content)
    except ManifestUnusable as refused:
        all(text % refused.details for text in FILE_PROBLEMS[refused.code])
        return -1
    for row in rows:
        assert (row.arrival is None) == bool(row.problems)
        for problem in (*row.problems, *row.warnings):
            assert all(CELL_PROBLEMS[problem.code])
            f"{problem.value}{problem.column}{problem.hint}".encode()
    return len(rows)


@contextmanager
def little_memory(most: int = MOST) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < most, f"{peak >> 20} MiB"


@pytest.mark.invariant("I138")
class TestBytes:
    @settings(max_examples=examples(200))
    @given(st.binary(max_size=400))
    def test_alone_are_refused_or_read(self, content: bytes) -> None:
        read(content)

    @settings(max_examples=examples(200))
    @given(
        st.binary(max_size=300),
        st.sampled_from(["utf-8", "cp1252", "utf-16", "utf-16-le", "utf-16-be"]),
        st.sampled_from(";,\t|"),
    )
    def test_below_a_heading_are_refused_or_read(self, content: bytes, encoding: str, separator: str) -> None:
        heading = "No;Nama;L/P;Tgl Lahir;NIK\n".replace(";", separator).encode(encoding)

        read(heading + content)

    @settings(max_examples=examples(100), suppress_health_check=[HealthCheck.too_slow])
    @given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=8))
    def test_in_the_middle_of_a_workbook_are_refused_or_read(self, at: int, other: bytes) -> None:
        read(WHOLE[:at] + other + WHOLE[at + len(other) :])

    @settings(max_examples=examples(100), suppress_health_check=[HealthCheck.too_slow])
    @given(st.integers(0, len(WHOLE)))
    def test_of_a_workbook_that_was_cut_off_are_refused(self, end: int) -> None:
        assert read(WHOLE[:end]) == (5 if end == len(WHOLE) else -1)

    @settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow])
    @given(st.sampled_from(PARTS), st.randoms(use_true_random=False), st.integers(1, 4))
    def test_of_a_part_that_was_changed_are_refused_or_read(self, name: str, chance: random.Random, times: int) -> None:
        """Changed inside, and packed again as if it were whole: what a check sum would give away is gone."""

        def change(part: bytes) -> bytes:
            for _ in range(times):
                at = chance.randrange(len(part))
                end = min(len(part), at + chance.randrange(12))
                part = part[:at] + chance.choice(PIECES) + part[end:]
            return part

        read(with_parts(WHOLE, {name: change}))


PIECES = [
    b"", b"<c/>", b"</row>", b'r="XFD1048576"', b'r="A0"', b'r="-1"', b't="s"', b't="d"', b't="e"', b"<v>9999999</v>",
    b"<v>1E999</v>", b"<v>nan</v>", b'<f t="shared" si="0"/>', b'<f t="array" ref="A1:Z9">', b'hidden="1"', b"&#0;",
    b'<mergeCell ref="A1:XFD9"/>', b'<mergeCell ref="9:1"/>', b"&amp;", b"\xff", b"\x00", b'"', b"_x0000_", b"_xD800_",
    b"9" * 500,
]  # fmt: skip


@pytest.mark.invariant("I139")
class TestCells:
    @settings(max_examples=examples(150))
    @given(st.lists(st.lists(st.text(max_size=8), min_size=5, max_size=5), max_size=6), st.sampled_from(";,\t|"))
    def test_of_a_text_come_back_as_they_were_written(self, table: list[list[str]], separator: str) -> None:
        """As the csv module writes them, which quotes what has to be quoted; no cell has rows of its own."""
        for row in table:
            row[:] = [cell.replace(separator, "").replace("\ufeff", "") for cell in row]
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=separator).writerows([HEADING, *table])
        found = cells_of(opened(text.getvalue().encode("utf-8", "surrogatepass")))

        skipped = len(table) - len(found)
        assert found == table[skipped:]
        assert skipped in (0, 1)

    @settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.lists(
            st.lists(
                st.one_of(st.text(max_size=6), st.integers(-(10**14), 10**14), st.booleans(), st.dates()),
                min_size=5, max_size=5,
            ),
            max_size=5,
        )
    )  # fmt: skip
    def test_of_a_workbook_come_back_as_they_were_written(self, table: list[list[object]]) -> None:
        plain = [[str(cell) for cell in row] for row in table]
        sheet = opened(workbooks.workbook([HEADING, ["1", *HEADING[1:]], *plain]))

        written = [row if any(row) else [] for row in plain]
        assert [row[:5] for row in cells_of(sheet)][1:] == written[: len(sheet.records) - 1]


@pytest.mark.invariant("I138")
class TestBombs:
    """Small files that would become large ones."""

    def test_that_are_packed_tightly_are_not_unpacked(self) -> None:
        xml = b"<worksheet %s><sheetData>%s</sheetData></worksheet>" % (NAMESPACE, b" " * (64 << 20))
        content = with_parts(WHOLE, {FIRST: xml})
        del xml
        with little_memory(8 << 20), pytest.raises(ManifestUnusable) as refused:
            opened(content)

        assert refused.value.code == "unpacks_too_large"

    @pytest.mark.parametrize(
        ("sheet", "code"),
        [
            (b"<sheetData>%s</sheetData>" % (b"<row/>" * 15_000), "workbook_damaged"),
            (b"<sheetData>%s</sheetData>" % (b"<row/>" * 21_000), "unpacks_too_large"),
            (b"<sheetData><row>%s</row></sheetData>" % (b"<c/>" * 19_000), "too_many_cells"),
            (b"<sheetData>%s</sheetData>" % (b"<row>%s</row>" % (b"<c/>" * 1_600) * 11), "no_heading"),
            (b"<sheetData>%s</sheetData>" % (b"<row>%s</row>" % (b"<c/>" * 10) * 1_800), "no_heading"),
            (b"<sheetData/><mergeCells>%s</mergeCells>" % (b'<mergeCell ref="A1:A9"/>' * 5_000), "too_many_cells"),
        ],
        ids=["rows", "more rows", "one row", "wide rows", "empty cells", "merges"],
    )
    def test_of_many_small_things_are_counted_before_openpyxl_sees_them(
        self, sheet: bytes, code: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With limits, and memory, of a hundredth: a row of elements without end would be one tree in memory."""
        for name, limit in (("MOST_CELLS", 5_000), ("MOST_ROWS", 10_000), ("MOST_IN_ROW", 1_638), ("MOST_OTHERS", 500)):
            monkeypatch.setattr(workbooks, name, limit)
        monkeypatch.setattr(files, "MOST_IN_WORKSHEETS", 20_000)
        xml = b"<worksheet %s>%s</worksheet>" % (NAMESPACE, sheet)
        content = with_parts(WHOLE, {FIRST: xml}, compression=zipfile.ZIP_STORED)
        with little_memory(4 << 20), pytest.raises(ManifestUnusable) as refused:
            opened(content)

        assert refused.value.code == code

    def test_of_entities_are_refused(self) -> None:
        lol = b"".join(b'<!ENTITY l%d "%s">' % (n + 1, b"&l%d;" % n * 10) for n in range(9))
        xml = b'<!DOCTYPE w [<!ENTITY l0 "lol">%s]><worksheet %s>&l9;</worksheet>' % (lol, NAMESPACE)
        with little_memory(), pytest.raises(ManifestUnusable) as refused:
            opened(with_parts(WHOLE, {FIRST: xml}))

        assert refused.value.code == "workbook_damaged"

    def test_that_declare_anything_are_refused(self) -> None:
        def declare(xml: bytes) -> bytes:
            return xml.replace(b"<worksheet", b'<!DOCTYPE w [<!ENTITY b "c">]><worksheet', 1)

        assert read(WHOLE) == 5
        assert read(with_parts(WHOLE, {FIRST: declare})) == -1

    @pytest.mark.parametrize("part", ["xl/sharedStrings.xml", "xl/styles.xml", "docProps/app.xml"])
    def test_of_other_parts_are_seen_too(self, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(files, "MOST_ELEMENTS", 10_000)
        xml = b"<sst %s>%s</sst>" % (NAMESPACE, b"<si/>" * 11_000)
        with little_memory(4 << 20), pytest.raises(ManifestUnusable) as refused:
            opened(with_parts(WHOLE, {part: xml}, compression=zipfile.ZIP_STORED))

        assert refused.value.code == "unpacks_too_large"

    def test_of_a_directory_that_says_less_than_it_has_are_refused(self) -> None:
        end = WHOLE.rfind(files.END_OF_DIRECTORY)
        for at, lie in ((end + 12, struct.pack("<I", 1 << 30)), (end + 10, struct.pack("<H", 60_000))):
            with pytest.raises(ManifestUnusable) as refused:
                opened(WHOLE[:at] + lie + WHOLE[at + len(lie) :])
            assert refused.value.code == "unpacks_too_large"

    @pytest.mark.parametrize(
        "line",
        [b'"', b'";"', b"x" * 1000, b'"' + b"x;" * 500, b'A;"' + b"\n" * 50],
        ids=["quote", "quotes", "long", "row", "lines"],
    )
    def test_of_open_quotation_marks_swallow_nobody(self, line: bytes) -> None:
        """Each line costs what reading some lines costs, however many others look alike."""
        content = b"Nama;L/P;Umur\n" + (line + b"\n") * 100 + b"Bala;L;30\n"
        with little_memory():
            rows = rows_of(content)

        assert rows[-1].name == "Bala"
        assert rows[-1].arrival is not None

    def test_of_one_endless_line_are_held_back(self) -> None:
        with little_memory():
            rows = rows_of(b"Nama;L/P;Umur\n" + b"x" * (4 << 20) + b"\nBala;L;30")

        assert [row.arrival is not None for row in rows] == [False, True]


class Generated(io.RawIOBase):
    """A file of as many people as one likes, of which no line is kept: each is made when it is read."""

    HEADING = b"No;Nama;L/P;Tgl Lahir\n"

    def __init__(self, people: int) -> None:
        self._end = len(self.HEADING) + people * len(self._line(0))
        self._at = 0

    def _line(self, n: int) -> bytes:
        return b"%07d;Orang %07d;L;5/8/1987\n" % (n, n)

    def seek(self, at: int, whence: int = io.SEEK_SET) -> int:
        assert whence == io.SEEK_SET
        self._at = at
        return at

    def read(self, size: int = -1) -> bytes:
        size = min(size, self._end - self._at)
        if self._at < len(self.HEADING):
            found = self.HEADING[self._at :]
        else:
            first, skipped = divmod(self._at - len(self.HEADING), len(self._line(0)))
            lines = size // len(self._line(0)) + 2
            found = b"".join(map(self._line, range(first, first + lines)))[skipped:]
        found = found[: max(size, 0)]
        self._at += len(found)
        return found


@pytest.mark.invariant("I138")
class TestManyRows:
    def test_are_read_as_a_stream(self) -> None:
        """Per row less is kept than any cell takes: in which row each number and each person stood first."""
        with little_memory(4 << 20):
            count = sum(row.arrival is not None for row in self.rows(5_000))

        assert count == 5_000

    def test_are_known_again_however_many_came_between(self) -> None:
        seen = Seen(5_000)
        first = [seen.first(("name", str(n)), n) for n in range(5_000)]

        assert first == [seen.first(("name", str(n)), 9_999) for n in range(5_000)] == list(range(5_000))

    @pytest.mark.slow
    @pytest.mark.timeout(1200)
    def test_are_read_as_a_stream_by_the_million(self) -> None:
        with little_memory(128 << 20):
            count = sum(row.arrival is not None for row in self.rows(1_000_000))

        assert count == 1_000_000

    def test_beyond_a_million_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sheets, "MOST_STREAMED_ROWS", 1_000)
        with little_memory(8 << 20), pytest.raises(ManifestUnusable) as refused:
            self.rows(1_001)

        assert (refused.value.code, refused.value.details) == ("too_many_rows", {"most": "1000"})

    def rows(self, people: int) -> Iterator[manifests.Row]:
        return manifests.read(sheets.stream_sheet(Generated(people)), on=LANDING)  # type: ignore[arg-type]


def test_the_reader_of_texts_takes_no_more_into_a_cell_than_the_csv_module() -> None:
    assert csv.field_size_limit() >= texts.LONGEST_LINE - 1


UNQUOTED = st.text(st.characters(exclude_characters='";\r\n', exclude_categories=["Cs"]), max_size=8)


@pytest.mark.hypothesis
@given(st.lists(st.lists(UNQUOTED, min_size=1, max_size=4), max_size=8), st.sampled_from(["\n", "\r\n", "\r"]))
def test_a_text_without_quotation_marks_is_read_as_the_csv_module_reads_it(rows: list[list[str]], end: str) -> None:
    text = "".join(";".join(row) + end for row in rows)
    read = texts.Rows(text.encode(), "utf-8", ";", columns=4)

    assert list(read) == list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))
