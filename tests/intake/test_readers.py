"""Workbooks and texts as people make them: which table is the list, what its cells are, and what is no list at all."""

import datetime
import io
import zipfile
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.worksheet import Worksheet

from services.intake.domain import grids, headings, niks
from services.intake.domain.people import aged, born_in, born_on
from services.intake.domain.problems import FILE_PROBLEMS
from services.intake.domain.refusals.manifests import ManifestUnusable
from services.intake.domain.sheets import Choice, stream_sheet
from services.intake.gateways import workbooks
from tests.intake.reading import (
    LANDING,
    a_line,
    a_text,
    cells_of,
    codes_in,
    names,
    opened,
    problems_in,
    rows_of,
)
from tests.intake.workbooks import HEADING, a_person, a_workbook, saved, with_parts, with_shared_texts

FIRST = "xl/worksheets/sheet1.xml"


def refused(content: bytes, choice: Choice | None = None) -> ManifestUnusable:
    with pytest.raises(ManifestUnusable) as found:
        opened(content, choice or Choice())
    message, remedy = FILE_PROBLEMS[found.value.code]
    assert message % found.value.details
    assert remedy
    return found.value


def several(**sheets: list[list[Any]]) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    return book


class TestTable:
    def test_stands_below_titles_that_are_merged(self) -> None:
        def merge(sheet: Worksheet) -> None:
            sheet.merge_cells("A1:E1")
            sheet.merge_cells("A2:E2")

        rows = rows_of(a_workbook(["KONSULAT RI"], ["DAFTAR DEPORTAN"], [], HEADING, a_person(1), then=merge))

        assert [(row.number, row.name) for row in rows] == [(5, "Orang 1")]

    def test_has_a_heading_of_two_rows(self) -> None:
        def merge(sheet: Worksheet) -> None:
            for area in ("A1:A2", "B1:B2", "C1:C2", "D1:D2", "E1:F1"):
                sheet.merge_cells(area)

        content = a_workbook(
            ["No", "Nama", "L/P", "Tgl Lahir", "Dokumen", None],
            [None, None, None, None, "Jenis", "Nomor"],
            [1, "Bala", "L", "5/8/1987", "SPLP", "XS9000001"],
            then=merge,
        )
        [row] = rows_of(content)

        assert row.arrival is not None
        assert (row.arrival.identity.document_type, row.arrival.identity.document_number) == ("SPLP", "XS9000001")

    def test_may_number_its_columns(self) -> None:
        content = a_workbook(HEADING, ["(1)", "(2)", "(3)", "(4)", "(5)"], a_person(1))

        assert [row.number for row in rows_of(content)] == [3]
        assert [row.number for row in rows_of(a_text("1;2;3;4;5", a_line(1)))] == [3]

    def test_is_the_one_sheet_that_looks_like_a_list(self) -> None:
        book = several(Rekap=[["Laki-laki", 12], ["Perempuan", 3]], Data=[[*HEADING], a_person(1)], Grafik=[[]])
        sheet = opened(saved(book))

        assert (sheet.worksheet, sheet.others) == ("Data", ("Rekap", "Grafik"))

    def test_is_asked_about_when_two_sheets_are_lists(self) -> None:
        book = several(A=[[*HEADING], a_person(1)], B=[[*HEADING], a_person(2)])

        assert refused(saved(book)).code == "several_lists"
        assert refused(saved(book)).details == {"names": "A, B"}
        assert names(rows_of(saved(book), Choice(worksheet="B"))) == ["Orang 2"]
        assert refused(saved(book), Choice(worksheet="C")).details == {"names": "A, B"}

    def test_of_a_text_is_on_no_sheet_of_any_name(self) -> None:
        assert names(rows_of(b"Nama;L/P;Umur\nBala;L;30", Choice(worksheet="Manifes"))) == ["Bala"]

    @pytest.mark.parametrize("state", ["hidden", "veryHidden"])
    def test_on_a_hidden_sheet_is_taken_only_when_it_is_meant(self, state: str) -> None:
        book = several(Kosong=[["x"]], Lama=[[*HEADING], a_person(1)])
        book["Lama"].sheet_state = state

        assert refused(saved(book)).code == "list_hidden"
        assert names(rows_of(saved(book), Choice(worksheet="Lama"))) == ["Orang 1"]
        book.create_sheet("Baru").append([*HEADING])
        book["Baru"].append(a_person(2))
        assert names(rows_of(saved(book))) == ["Orang 2"]

    def test_reads_hidden_rows_and_columns_and_says_which(self) -> None:
        def hide(sheet: Worksheet) -> None:
            sheet.row_dimensions[3].hidden = True
            sheet.column_dimensions["D"].hidden = True

        content = a_workbook(HEADING, a_person(1), a_person(2), a_person(3), then=hide)
        sheet = opened(content)

        assert names(rows_of(content)) == ["Orang 1", "Orang 2", "Orang 3"]
        assert (sheet.hidden_rows, sheet.hidden_letters) == ({3}, ("D",))

    def test_ignores_what_a_workbook_has_besides_cells(self) -> None:
        macro = with_parts(
            a_workbook(HEADING, a_person(1)),
            {
                "xl/vbaProject.bin": b"\xd0\xcf\x11\xe0 not run",
                "xl/externalLinks/externalLink1.xml": b'<externalLink xmlns="x"><oleLink progId="cmd"/></externalLink>',
                "xl/media/image1.png": b"\x89PNG",
            },
        )

        assert names(rows_of(macro)) == ["Orang 1"]


@pytest.mark.invariant("I139")
class TestCells:
    @pytest.mark.parametrize(
        "formula", ["=1+1", '=HYPERLINK("http://x.test","Bala")', "=[1]Lain!A1", "=cmd|'/c calc'!A0"]
    )
    def test_that_are_formulas_are_refused_with_their_place(self, formula: str) -> None:
        found = problems_in(a_workbook(HEADING, a_person(1), a_person(2, name=formula)))

        assert [(p.row, p.letter, p.code) for p in found] == [(3, "B", "formula")]
        assert found[0].value == formula

    def test_that_are_formulas_over_several_cells_are_refused_in_each(self) -> None:
        def fill(sheet: Worksheet) -> None:
            sheet["D2"] = ArrayFormula("D2:D3", "=TODAY()")
            sheet["B3"] = "=B2"

        def share(xml: bytes) -> bytes:
            return xml.replace(b'<c r="C4" t="inlineStr">', b'<c r="C4"><f t="shared" si="9"/>')

        content = a_workbook(HEADING, a_person(1), a_person(2), a_person(3), then=fill)

        assert codes_in(with_parts(content, {FIRST: share})) == [
            (2, "D", "formula"),
            (3, "B", "formula"),
            (4, "C", "formula"),
        ]

    def test_may_have_their_texts_in_a_part_of_its_own(self) -> None:
        inline = a_workbook(HEADING, a_person(1, name="Siti &amp; co"), a_person(2, born=datetime.date(1987, 8, 5)))
        shared = with_shared_texts(inline)

        assert b"inlineStr" not in zipfile.ZipFile(io.BytesIO(shared)).read(FIRST).replace(b' t="inlineStr" />', b"")
        assert cells_of(opened(shared)) == cells_of(opened(inline))

    def test_that_show_an_error_are_refused(self) -> None:
        assert codes_in(a_workbook(HEADING, a_person(1, born="#N/A"))) == [(2, "D", "error")]

    def test_that_are_merged_say_the_same_of_all_rows_but_no_name(self) -> None:
        def merge(sheet: Worksheet) -> None:
            sheet.merge_cells("F2:F3")
            sheet.merge_cells("B4:B5")

        people = [[*a_person(n), "DTI Tawau"] for n in range(1, 6)]
        rows = rows_of(a_workbook([*HEADING, "Depo"], *people, then=merge))

        depots = [row.arrival.identity.detained_at if row.arrival else "" for row in rows]
        assert depots == ["DTI Tawau", "DTI Tawau", "DTI Tawau", "", "DTI Tawau"]
        assert [(p.row, p.letter, p.code) for row in rows for p in row.problems] == [(5, "B", "merged")]

    def test_are_given_back_as_they_are(self) -> None:
        odd = [
            "x",
            " Bala ",
            "L",
            datetime.date(1987, 8, 5),
            6503996912850000,
            1.5,
            True,
            "=not run",
            "a\nb",
            "_x0041_",
        ]
        typed = [f"c{n}" for n in range(len(odd))]
        content = a_workbook([*HEADING[1:4], *typed], ["Bala", "L", 32000, *odd], ["Siti", "P", "", "=A1"])
        sheet = opened(content)
        again = opened(workbooks.workbook([sheet.heading, *sheet.records]))

        assert cells_of(again) == cells_of(sheet)
        kinds = [[grids.kind_of(cell) for cell in record] for record in sheet.records]
        assert kinds[0][2:9] == ["number", None, None, None, "date", "number", "number"]
        assert kinds[0][9:11] == ["boolean", "formula"]
        assert [grids.kind_of(cell) for cell in again.records[0]][2:10] == kinds[0][2:10]

    def test_of_a_text_are_kept_to_the_letter(self) -> None:
        content = a_text(
            '1; Bala ;L;"5/8/\r\n1987";"x ""y"" z"', '2;"Siti;x";P;;', heading="No;Nama;L/P;Tgl Lahir;Alamat"
        )

        assert cells_of(opened(content)) == [
            ["1", " Bala ", "L", "5/8/\r\n1987", 'x "y" z'],
            ["2", "Siti;x", "P", "", ""],
        ]

    def test_of_a_row_that_is_none_are_kept_as_the_line_that_it_was(self) -> None:
        content = a_text(a_line(1), '2;"Siti;P;5/8/1987;', a_line(3))

        assert cells_of(opened(content))[1] == ['2;"Siti;P;5/8/1987;']
        assert [p.code for p in problems_in(content)] == ["quotes_unmatched"]
        assert names(rows_of(content)) == ["Orang 1", "", "Orang 3"]

    @pytest.mark.parametrize(
        ("odd", "shown", "said"),
        [
            ("\0", "[U+0000]", "U+0000"), ("\ud800", "[U+D800]", "U+D800"),
            ("\u202e", "[U+202E]", "U+202E RIGHT-TO-LEFT OVERRIDE"),
            ("\u200f", "[U+200F]", "U+200F RIGHT-TO-LEFT MARK"),
            ("\u200b", "[U+200B]", "U+200B ZERO WIDTH SPACE"),
            ("\ufeff", "[U+FEFF]", "U+FEFF ZERO WIDTH NO-BREAK SPACE"),
        ],
    )  # fmt: skip
    def test_with_characters_that_nobody_sees_are_a_problem_in_words(self, odd: str, shown: str, said: str) -> None:
        name = f"Ba{odd}la"
        escaped = f"Ba_x{ord(odd):04X}_la"
        for content in (a_text(a_line(1, name=name), a_line(2)), a_workbook(HEADING, a_person(1, name=escaped))):
            [problem] = problems_in(content)
            assert (problem.code, problem.value, problem.hint) == ("odd_characters", f"Ba{shown}la", said)

    def test_that_are_long_are_shown_short(self) -> None:
        [problem] = problems_in(a_text(a_line(1, name="x" * 5000)))

        assert (problem.code, len(problem.value)) == ("too_long", 200)


class TestHeadings:
    def test_are_matched_in_both_languages_with_or_without_points_and_line_breaks(self) -> None:
        heading = [
            "NO.",
            "Nama\nLengkap",
            "Jenis Kelamin (L/P)",
            "DATE OF BIRTH",
            "No. Paspor / SPLP",
            "Kab/Kota Asal",
            "Foto",
        ]
        matched = headings.match(heading)

        assert matched.fields == {
            "seq": 0, "full_name": 1, "sex": 2, "birth_date": 3, "document_number": 4, "origin_regency": 5,
        }  # fmt: skip
        assert (matched.ignored, matched.doubled, matched.missing) == ((6,), (), ())

    def test_name_what_is_missing_and_what_is_claimed_twice(self) -> None:
        matched = headings.match(["Nama", "Name", "Umur", "Usia"])

        assert matched.doubled == (("full_name", 0, 1), ("age", 2, 3))
        assert matched.missing == ("sex",)
        error = refused(a_text("A;L;L;3", heading="Nama;L/P;JK;Umur"))
        assert error.details == {"first": "B L/P", "second": "C JK"}

    def test_are_remembered_of_a_sender_and_chosen_for_a_list(self) -> None:
        heading = ["Pegawai", "Nama", "Kel.", "Tahun", "Lain"]
        remembered = {headings.key_of("PEGAWAI"): "full_name", "nama": headings.UNUSED, "kel": "sex"}
        matched = headings.match(heading, remembered, {3: "birth_date", 2: "sex", 99: "nik", 4: "no such field"})

        assert matched.fields == {"full_name": 0, "sex": 2, "birth_date": 3}
        assert (matched.ignored, matched.missing, matched.remembered) == ((1, 4), (), {0, 1})

    def test_may_be_said_to_stand_in_a_row(self) -> None:
        content = a_text("Bala;L;30", heading="Orang;Kel;Th")
        choice = Choice(heading_row=1, columns={0: "full_name", 1: "sex", 2: "age"})

        assert names(rows_of(content, choice)) == ["Bala"]
        assert refused(content).code == refused(content, Choice(heading_row=9)).code == "no_heading"


class TestNik:
    WOMAN = "6503996912850002"

    @pytest.mark.parametrize(
        ("nik", "code"),
        [
            ("9999016912850002", "nik_region_unknown"), ("6599016912850002", "nik_region_unknown"),
            ("6503006912850002", "nik_region_unknown"), ("6503993213850002", "nik_date_impossible"),
            ("6503997102850002", "nik_date_impossible"), ("6503996912850000", "nik_damaged"),
        ],
    )  # fmt: skip
    def test_says_where_and_when(self, nik: str, code: str) -> None:
        with pytest.raises(niks.BadNik) as bad:
            niks.check(nik)

        assert bad.value.code == code

    def test_of_a_place_that_has_been_divided_since_is_good(self) -> None:
        niks.check("6405990508870001")  # Nunukan, when it was part of Kalimantan Timur

    def test_of_another_regency_than_the_origin_is_a_question_and_no_fault(self) -> None:
        assert niks.elsewhere("7306025508870001", "73.71") == "Kabupaten Gowa"
        assert niks.elsewhere("7306025508870001", "73.06") == niks.elsewhere("7306025508870001", None) == ""
        assert niks.elsewhere("6405990508870001", "65.03") == niks.elsewhere("", "73.06") == "", (
            "or of what was divided"
        )
        heading = "No;Nama;L/P;Tgl Lahir;NIK;Kab/Kota"
        [row] = rows_of(a_text("1;Bala;L;5/8/1987;7306020508870001;73.71", heading=heading))
        assert row.arrival is not None
        assert [(one.field, one.code, one.hint) for one in row.warnings] == [("nik", "nik_elsewhere", "Kabupaten Gowa")]

    def test_of_a_district_that_cannot_be_holds_the_row_back(self) -> None:
        assert [one.code for one in problems_in(a_text(a_line(1, nik="7306000508870001")))] == ["nik_region_unknown"]

    def test_is_compared_with_sex_and_birth(self) -> None:
        niks.check(self.WOMAN, sex="F", birth=born_on(datetime.date(1985, 12, 29)))
        niks.check(self.WOMAN, sex="X", birth=born_in(1985))
        niks.check(self.WOMAN, birth=aged(40, LANDING))
        niks.check(self.WOMAN, birth=aged(41, LANDING))
        for said, code in (
            ({"sex": "M"}, "nik_other_sex"),
            ({"birth": born_on(datetime.date(1985, 12, 28))}, "nik_other_birth"),
            ({"birth": aged(30, LANDING)}, "nik_other_birth"),
        ):
            with pytest.raises(niks.BadNik) as bad:
                niks.check(self.WOMAN, **said)  # type: ignore[arg-type]
            assert bad.value.code == code

    def test_of_somebody_else_holds_the_row_back(self) -> None:
        [problem] = problems_in(a_text(a_line(1, nik="6503990608870001")))

        assert (problem.code, problem.letter, problem.hint) == ("nik_other_birth", "E", "6/8/1987")


class TestOtherFiles:
    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "Workbook".encode("utf-16-le"), "old_spreadsheet"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
            (b"%PDF-1.7\n", "pdf"), (b"\x89PNG\r\n\x1a\n", "picture"), (b"\xff\xd8\xff\xe0", "picture"),
            (b"Rar!\x1a\x07", "archive"), (b"\x1f\x8b\x08", "archive"), (b"{\\rtf1", "document"),
            (b"<html><table><tr><td>Nama", "web_page"), (b"", "empty"), (b"\xef\xbb\xbf \r\n", "empty"),
            (b"\x00\x01\x02" * 200, "encoding"), (b"x" * ((32 << 20) + 1), "too_large"),
        ],
    )  # fmt: skip
    def test_are_known_by_what_they_hold(self, content: bytes, code: str) -> None:
        assert refused(content).code == code

    @pytest.mark.parametrize("encoding", ["utf-32", "utf-32-le", "utf-32-be"])
    @pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["bare", "marked"])
    def test_in_utf_32_are_no_text_that_is_read(self, encoding: str, mark: str) -> None:
        assert refused(f"{mark}Nama;L/P;Umur\nBala;L;30".encode(encoding)).code == "encoding"

    @pytest.mark.parametrize(
        ("parts", "code"),
        [
            ({"xl/workbook.bin": b""}, "binary_workbook"), ({"content.xml": b"", "mimetype": b""}, "open_document"),
            ({"word/document.xml": b""}, "document"), ({"daftar.xlsx": a_workbook(HEADING)}, "archive"),
            ({"daftar.csv": b"Nama;L/P;Umur"}, "archive"),
        ],
    )  # fmt: skip
    def test_that_are_packed_are_known_by_their_parts(self, parts: dict[str, bytes], code: str) -> None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as packed:
            for name, part in parts.items():
                packed.writestr(name, part)

        assert refused(out.getvalue()).code == code

    def test_that_are_damaged_are_named_so(self) -> None:
        whole = a_workbook(HEADING, *(a_person(n) for n in range(50)))

        for content in (whole[:-40], whole[: len(whole) // 2], whole[:200] + b"\0" * 50 + whole[250:]):
            assert refused(content).code == "workbook_damaged"
        whole = with_shared_texts(whole)
        for part in (FIRST, "xl/workbook.xml", "xl/styles.xml", "xl/sharedStrings.xml", "[Content_Types].xml"):
            for broken in (b"<broken", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'):
                assert refused(with_parts(whole, {part: broken})).code == "workbook_damaged"
        assert refused(with_parts(whole, {"xl/workbook.xml": b"<nothing/>"})).code == "no_heading"

    def test_too_wide_or_too_long_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        wide = [*HEADING, *(f"k{n}" for n in range(16_000))]
        assert refused(a_workbook(wide, a_person(1))).code == "too_many_columns"
        assert refused(";".join(wide).encode()).code == "too_many_columns"
        far = a_workbook(HEADING, a_person(1), then=lambda sheet: sheet.cell(9, 16_000, "x"))
        assert refused(far).code == "too_many_columns"
        monkeypatch.setattr(workbooks, "MOST_CELLS", 20)
        assert refused(a_workbook(HEADING, *(a_person(n) for n in range(5)))).code == "too_many_cells"


class TestStream:
    def test_reads_a_file_as_often_as_one_likes_and_keeps_none_of_it(self, tmp_path: Any) -> None:
        path = tmp_path / "daftar.csv"
        path.write_bytes(a_text(*(a_line(n) for n in range(1, 2001))))
        with path.open("rb") as file:
            sheet = stream_sheet(file)
            first, second = iter(sheet.records), iter(sheet.records)
            for _ in range(1000):
                next(first)

            assert next(second)[1] == "Orang 1"
            assert next(first)[1] == "Orang 1001"
            assert len(sheet.records) == 2000
            assert sheet.records[1999][1] == "Orang 2000"
