"""Ages, needs, and the reading of lists: whatever the file, nobody is lost and nothing bad slips through."""

import asyncio
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.intake.actions import lists
from services.intake.domain import cells, dates, headings, manifests, people, sheets
from services.intake.domain.arrivals import Arrival, screened
from services.intake.domain.cells import BadCell
from services.intake.domain.manifests import Row
from services.intake.domain.people import Birth, aged, born_in, born_on
from services.intake.domain.problems import CELL_PROBLEMS, FILE_PROBLEMS
from services.intake.domain.refusals.manifests import ManifestUnusable
from shared.contracts import codes
from tests.intake.factories import HEADING, a_list, a_row, an_arrival
from tests.soaking import examples

TODAY = date(2026, 11, 23)


def opened(content: bytes) -> sheets.Sheet:
    return asyncio.run(lists.open_list(content))


def read(content: bytes, on: date = TODAY) -> list[Row]:
    return list(manifests.read(opened(content), on=on))


def the_only(content: bytes) -> Arrival:
    [row] = read(content)
    assert row.arrival is not None, row.problems
    return row.arrival


def problems_of(content: bytes) -> list[tuple[int, str, str]]:
    return [(p.row, p.field, p.code) for row in read(content) for p in row.problems]


class TestAgeBand:
    @pytest.mark.parametrize(
        ("birth", "band"),
        [
            (born_on(date(2008, 11, 24)), "child"),
            (born_on(date(2008, 11, 23)), "adult"),
            (born_on(date(1966, 11, 24)), "adult"),
            (born_on(date(1966, 11, 23)), "elderly"),
            (born_on(TODAY), "child"),
            (born_in(2008), "unknown"),
            (born_in(2009), "child"),
            (born_in(2007), "adult"),
            (born_in(1966), "elderly"),
            (born_in(2008, 11), "unknown"),
            (born_in(2008, 12), "child"),
            (born_in(2008, 10), "adult"),
            (aged(17, TODAY), "child"),
            (aged(18, TODAY), "adult"),
            (aged(59, TODAY), "adult"),
            (aged(60, TODAY), "elderly"),
            (None, "unknown"),
        ],
    )
    def test_follows_the_law(self, birth: Birth | None, band: str) -> None:
        assert people.age_band(birth, TODAY) == band

    @given(st.dates(date(1910, 1, 1), TODAY), st.dates(TODAY, date(2060, 1, 1)))
    def test_never_gets_younger(self, born: date, later: date) -> None:
        order = ("child", "adult", "elderly")
        first, second = (people.age_band(born_on(born), on) for on in (TODAY, later))

        assert order.index(second) >= order.index(first)

    @given(st.integers(0, 120), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
    @example(1, date(2024, 2, 29))
    def test_of_an_age_is_that_age(self, years: int, on: date) -> None:
        birth = aged(years, on)

        assert people.age_on(birth.earliest, on) == people.age_on(birth.latest, on) == years
        assert people.age_on(birth.earliest.fromordinal(birth.earliest.toordinal() - 1), on) == years + 1


class TestNeeds:
    @pytest.mark.parametrize(
        ("said", "needs"),
        [
            ({}, {"NEED"}),
            ({"flags": frozenset({"SICK", "TIP"})}, {"NEED", "SICK", "TIP"}),
            ({"birth": born_on(date(2018, 1, 1))}, {"NEED", "UAC"}),
            ({"birth": born_on(date(2018, 1, 1)), "accompanied": True}, {"NEED", "CHILD"}),
            ({"birth": born_on(date(2018, 1, 1)), "flags": frozenset({"CHILD"})}, {"NEED", "CHILD", "UAC"}),
            (
                {"birth": born_on(date(2018, 1, 1)), "flags": frozenset({"UAC"}), "accompanied": True},
                {"NEED", "UAC"},
            ),
            ({"birth": None}, {"NEED", "UAC"}),
            ({"birth": None, "accompanied": True}, {"NEED", "CHILD"}),
            ({"birth": born_on(date(1950, 1, 1))}, {"NEED", "ELDER"}),
            ({"flags": frozenset({"ELDER"})}, {"NEED", "ELDER"}),
        ],
    )
    def test_come_from_age_company_and_flags(self, said: dict[str, object], needs: set[str]) -> None:
        assert set(screened(an_arrival(**said), TODAY).needs) == needs

    @given(
        st.one_of(st.none(), st.dates(date(1900, 1, 1), TODAY).map(born_on)),
        st.frozensets(st.sampled_from(sorted(codes.needs()))),
        st.booleans(),
    )
    def test_whoever_may_be_a_child_is_cared_for_as_one(
        self, birth: Birth | None, flags: frozenset[codes.NeedCode], accompanied: bool
    ) -> None:
        found = screened(an_arrival(birth=birth, flags=flags, accompanied=accompanied), TODAY)

        assert {"NEED", *flags} <= set(found.needs)
        assert len(set(found.needs)) == len(found.needs)
        if found.age_band in ("child", "unknown"):
            assert {"UAC", "CHILD"} & set(found.needs)
            assert accompanied or "UAC" in found.needs


class TestDates:
    @pytest.mark.parametrize(
        "text",
        ["1987-08-05", "5/8/1987", "05/08/1987", "5-8-1987", "5.8.1987", "5 Agt 1987", "5 Agustus 1987", "5 Aug 1987",
         "5 AGUSTUS 1987", "5-Ags-1987", "05 agt. 1987", "1987/08/05", "1987-8-5", "1987-08-05 00:00:00", "31994"],
    )  # fmt: skip
    def test_are_read_day_first(self, text: str) -> None:
        assert dates.read_birth(text) == born_on(date(1987, 8, 5))

    @pytest.mark.parametrize(
        ("text", "said"),
        [("1987", "1987"), ("8/1987", "1987-08"), ("Agustus 1987", "1987-08"), ("1987-08", "1987-08")],
    )
    def test_may_be_less_exact(self, text: str, said: str) -> None:
        assert dates.read_birth(text).text == said

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("5-8-87", "date_two_digit_year"),
            ("5 Agt 87", "date_two_digit_year"),
            ("8/25/1987", "date_month_first"),
            ("31/2/1987", "date_impossible"),
            ("1987-13-01", "date_impossible"),
            ("13/1987", "date_impossible"),
            ("5/0000", "date_impossible"),
            ("12/9999", "date_impossible"),
            ("Desember 9999", "date_impossible"),
            ("0000-05", "date_impossible"),
            ("kemarin", "date_unreadable"),
            ("5 Foo 1987", "date_unreadable"),
            ("", "date_unreadable"),
            ("0", "date_unreadable"),
        ],
    )
    def test_are_asked_about_rather_than_guessed(self, text: str, code: str) -> None:
        with pytest.raises(dates.BadDate) as bad:
            dates.read_birth(text)

        assert bad.value.code == code

    @given(st.text(max_size=30))
    def test_never_break_the_reader(self, text: str) -> None:
        try:
            birth = dates.read_birth(text)
        except dates.BadDate as bad:
            code = bad.code
        else:
            code = "missing" if birth.earliest <= birth.latest else ""

        assert code in CELL_PROBLEMS

    @given(st.dates(date(1900, 1, 1), date(2030, 1, 1)))
    def test_come_back_as_they_were(self, day: date) -> None:
        for written in (day.isoformat(), f"{day.day}/{day.month}/{day.year}", f"{day.day} {day:%B} {day.year}"):
            assert dates.read_birth(written) == born_on(day)


class TestCells:
    @pytest.mark.parametrize(
        ("read_cell", "text", "value"),
        [
            (cells.sex, "L", "M"), (cells.sex, "Lk", "M"), (cells.sex, "laki-laki", "M"), (cells.sex, "M", "M"),
            (cells.sex, "P", "F"), (cells.sex, "Pr.", "F"), (cells.sex, "PEREMPUAN", "F"), (cells.sex, "f", "F"),
            (cells.nik, "6503996912850002", "6503996912850002"), (cells.nik, "6503 9969 1285 0002", "6503996912850002"),
            (cells.nik, "'6503996912850002", "6503996912850002"), (cells.nik, "0", ""),
            (cells.document_type, "Paspor", "passport"), (cells.document_type, "splp", "SPLP"),
            (cells.document_number, "xs9000001", "XS9000001"),
            (cells.regency, "73.06", "73.06"), (cells.regency, "7306", "73.06"), (cells.regency, "Kab. Gowa", "73.06"),
            (cells.regency, "gowa", "73.06"), (cells.regency, "KOTA MAKASSAR", "73.71"),
            (cells.province, "73", "73"), (cells.province, "Sulsel", "73"), (cells.province, "Sulawesi Selatan", "73"),
            (cells.flags, "SICK;WAGE", {"SICK", "WAGE"}), (cells.flags, "hamil, sakit", {"PREG", "SICK"}),
            (cells.flags, "anak tanpa pendamping", {"UAC"}), (cells.flags, "TIP SICK", {"TIP", "SICK"}),
            (cells.wish, "Pulang", "go_home"), (cells.age, "35 th", 35), (cells.age, "± 60", 60),
            (cells.name, "  Siti   Aminah ", "Siti Aminah"), (cells.name, "Bala", "Bala"),
        ],
    )  # fmt: skip
    def test_are_read_as_people_write_them(self, read_cell: cells.Reader, text: str, value: object) -> None:
        assert read_cell(text) == value

    @pytest.mark.parametrize(
        ("read_cell", "text", "code"),
        [
            (cells.sex, "Q", "sex_unknown"),
            (cells.nik, "6,504E+15", "nik_damaged"), (cells.nik, "6.50399691285E+15", "nik_damaged"),
            (cells.nik, "650399691285000", "nik_unreadable"), (cells.nik, "abc", "nik_unreadable"),
            (cells.nik, "٦٥٠٣٩٩٦٩١٢٨٥٠٠٠٢", "nik_unreadable"),
            (cells.document_number, "9,1E+11", "document_damaged"),
            (cells.document_number, "x" * 31, "document_unreadable"),
            (cells.document_type, "daun", "document_type_unknown"),
            (cells.regency, "73.99", "regency_unknown"), (cells.regency, "73.1", "regency_shortened"),
            (cells.regency, "Bogor", "regency_ambiguous"), (cells.regency, "Atlantis", "regency_unknown"),
            (cells.province, "99", "province_unknown"), (cells.flags, "SICK HUNGRY", "flag_unknown"),
            (cells.wish, "terbang", "wish_unknown"), (cells.age, "121", "age_unreadable"),
            (cells.age, "tua", "age_unreadable"),
            (cells.name, "x" * 121, "too_long"), (cells.name, "A\u200bB", "odd_characters"),
        ],
    )  # fmt: skip
    def test_are_refused_with_a_code_that_has_words(self, read_cell: cells.Reader, text: str, code: str) -> None:
        with pytest.raises(BadCell) as bad:
            read_cell(text)

        assert bad.value.code == code
        assert all(CELL_PROBLEMS[code])

    @pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+cmd|'/c calc'!A0", "-2+3+cmd", '=HYPERLINK("x")'])
    def test_formulas_are_seen(self, text: str) -> None:
        assert cells.is_formula(text)

    @pytest.mark.parametrize("text", ["+62 812-3456", "-", "Bala", "--", "12", "(0411) 44"])
    def test_phones_and_dashes_are_no_formulas(self, text: str) -> None:
        assert not cells.is_formula(text)


class TestHeadings:
    @pytest.mark.parametrize(
        ("heading", "field"),
        [
            ("Passport No.", "document_number"), ("No. Dokumen Perjalanan", "document_number"),
            ("Travel Document No", "document_number"), ("N.I.K.", "nik"), ("NIK/No. KTP", "nik"), ("N I K", "nik"),
            ("D.O.B", "birth_date"), ("T.T.L", "birthplace_and_date"), ("Tempat dan Tgl. Lahir", "birthplace_and_date"),
            ("Umur / Usia", "age"), ("FULLNAME", "full_name"), ("Nama Lengkap PMI", "full_name"),
            ("Nama Deportan/PMI", "full_name"), ("Alamat Lengkap", "origin_village"), ("L / P", "sex"),
            ("Asal Kabupaten", "origin_regency"), ("Nama/Name", "full_name"), ("Jenis Kelamin / Sex", "sex"),
            ("Nama / NIK", None), ("Nama Ayah", None), ("A/B", None),
        ],
    )  # fmt: skip
    def test_are_known_as_people_write_them(self, heading: str, field: str | None) -> None:
        assert headings.field_of(heading) == field

    @pytest.mark.parametrize(
        ("heading", "field"),
        [
            ("JENIS KELAMIN (L/P)", "sex"), ("Nama Lengkap (sesuai paspor)", "full_name"),
            ("Tgl. Lahir (dd/mm/yyyy)", "birth_date"), ("Tanggal Lahir (Tgl-Bln-Thn) *", "birth_date"),
            ("Sex [M/F]", "sex"), ("Umur (tahun)", "age"), ("Nama (wajib diisi)", "full_name"),
            ("NIK (16 digit)", "nik"), ("Asal (Kab/Kota)", "origin_regency"), ("No. (Paspor/SPLP)", "document_number"),
            ("Tempat, Tgl Lahir (sesuai KTP)", "birthplace_and_date"), ("Nama ()", "full_name"),
        ],
    )  # fmt: skip
    def test_are_known_with_a_note_on_how_to_fill_them_in(self, heading: str, field: str) -> None:
        assert headings.field_of(heading) == field

    @pytest.mark.parametrize(
        "heading",
        ["Nama (ayah)", "Umur (bulan)", "No HP (majikan)", "Alamat (di Malaysia)",
         "Tanggal Lahir (anak)", "Nama (L/P)", "Tgl (lahir) berangkat", "Paspor (masa berlaku)", "()", "("],
    )  # fmt: skip
    def test_of_something_else_are_not_taken_for_ours(self, heading: str) -> None:
        assert headings.field_of(heading) is None

    def test_of_what_we_add_to_held_rows_are_no_cells_of_a_person(self) -> None:
        assert headings.field_of("Alasan ditahan") is headings.field_of("Why held back") is None

    def test_with_a_note_give_way_to_the_same_without_one(self) -> None:
        sheet = opened(b"Nama (sesuai KTP);Nama;L/P;Umur\nMoch. Rudi;Rudi;L;30")

        assert [row.name for row in manifests.read(sheet, on=TODAY)] == ["Rudi"]
        assert sheet.ignored == ("Nama (sesuai KTP)",)


class TestSheet:
    @pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
    @pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
    def test_is_opened_however_it_was_saved(self, separator: str, encoding: str, newline: str) -> None:
        text = newline.join(["Nama;L/P;Umur", "José Ülo;L;30", "Siti;P;40"]).replace(";", separator)

        rows = read(text.encode(encoding))

        assert [row.name for row in rows] == ["José Ülo", "Siti"]
        assert all(row.arrival for row in rows)

    @pytest.mark.parametrize(
        "heading",
        ["NAMA;L/P;Tgl Lahir", "Nama Lengkap;JK;TGL. LAHIR", "name;Jenis Kelamin;Tanggal\nLahir".replace("\n", " ")],
    )
    def test_knows_headings_as_people_write_them(self, heading: str) -> None:
        assert the_only(f"{heading}\nBala;L;5/8/1987".encode()).birth == born_on(date(1987, 8, 5))

    def test_finds_the_heading_below_a_letterhead_and_a_separator_hint(self) -> None:
        rows = read(b"sep=;\nDAFTAR DEPORTAN;;\n;;\nNama;L/P;Umur\nBala;L;30")

        assert [(row.number, row.name) for row in rows] == [(5, "Bala")]

    def test_reads_place_and_date_in_one_column(self) -> None:
        assert the_only(b"Nama;L/P;TTL\nBala;L;Bone, 5 Agustus 1987").birth == born_on(date(1987, 8, 5))

    def test_keeps_a_cell_of_several_lines_and_counts_rows_as_a_spreadsheet(self) -> None:
        rows = read(b'Nama;L/P;Umur;Alamat\nBala;L;30;"Jl. Ratulangi\nMakassar"\nSiti;P;40;x')

        assert [(row.number, row.name) for row in rows] == [(2, "Bala"), (3, "Siti")]

    def test_an_open_quotation_mark_swallows_nobody(self) -> None:
        lines = ["Nama;L/P;Umur", "A;L;30", '"B;L;31', "C;L;32", 'D";L;33', "E;L;34"]
        rows = read("\n".join(lines).encode())

        assert [row.name for row in rows if row.arrival] == ["A", "C", "E"]
        assert [row.problems[0].code for row in rows if not row.arrival] == ["quotes_unmatched"] * 2

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "empty"), (b" \n \n", "empty"), (b"PK\x03\x04xlsx", "workbook_damaged"), (b"a\0b;c", "encoding"),
            (b"hello\nworld", "no_heading"), (b"Nama;L/P\nA;L", "heading_missing_birth_date"),
            (b"Nama;Umur\nA;3", "heading_missing_sex"), (b"L/P;Umur\nL;3", "heading_missing_full_name"),
            (b"Nama;L/P;JK;Umur\nA;L;L;3", "heading_repeated"),
            (("Nama;L/P;Umur" + ";x" * 100).encode(), "too_many_columns"),
            (b"x" * (sheets.MOST_BYTES + 1), "too_large"),
        ],
    )  # fmt: skip
    def test_of_no_use_is_refused_by_name(self, content: bytes, code: str) -> None:
        with pytest.raises(ManifestUnusable) as refused:
            opened(content)

        assert refused.value.code == code
        assert FILE_PROBLEMS[code][0] % refused.value.details

    def test_too_many_rows_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sheets, "MOST_ROWS", 2)

        with pytest.raises(ManifestUnusable) as refused:
            opened(b"Nama;L/P;Umur\nA;L;1\nB;L;1\nC;L;1")

        assert refused.value.code == "too_many_rows"


class TestRows:
    def test_the_sample_is_read_whole(self) -> None:
        rows = read((codes.DATA.parents[2] / "deploy/local/demo/data/manifest.csv").read_bytes())

        assert len(rows) == 200
        assert [p for row in rows for p in row.problems] == []

    def test_the_empty_list_of_ours_has_headings_we_know(self) -> None:
        assert None not in map(headings.field_of, headings.TEMPLATE)

    def test_blank_rows_are_passed_over(self) -> None:
        rows = read(a_list(a_row(1), "", ",,,,,,,,,", a_row(2)))

        assert [row.number for row in rows] == [2, 5]

    @pytest.mark.parametrize(
        ("said", "field", "code"),
        [
            ({"name": ""}, "full_name", "missing"),
            ({"sex": ""}, "sex", "missing"),
            ({"born": "5-8-30"}, "birth_date", "date_two_digit_year"),
            ({"born": "8/25/1987"}, "birth_date", "date_month_first"),
            ({"born": "2027-01-01"}, "birth_date", "date_in_future"),
            ({"born": "1899-01-01"}, "birth_date", "date_too_old"),
            ({"nik": "6.5E+15"}, "nik", "nik_damaged"),
            ({"name": "=cmd()"}, "full_name", "formula"),
            ({"regency": "73.1"}, "origin_regency", "regency_shortened"),
            ({"flags": "X1"}, "flags", "flag_unknown"),
        ],
    )
    def test_one_bad_cell_holds_one_row_back(self, said: dict[str, str], field: str, code: str) -> None:
        found = read(a_list(a_row(1, **said), a_row(2)))

        assert [(p.row, p.field, p.code) for p in found[0].problems] == [(2, field, code)]
        assert found[1].arrival is not None

    def test_several_bad_cells_are_all_named(self) -> None:
        assert problems_of(a_list(a_row(1, sex="Q", born="x", nik="1"))) == [
            (2, "sex", "sex_unknown"), (2, "birth_date", "date_unreadable"), (2, "nik", "nik_unreadable"),
        ]  # fmt: skip

    def test_people_come_once(self) -> None:
        content = a_list(a_row(1), a_row(3, number="XS9000001"), a_row(4, number="XS9000001", sex="F"))

        assert problems_of(content) == [(3, "full_name", "person_repeated")]

    def test_numbers_that_begin_anew_for_each_depot_hold_nobody_back(self) -> None:
        child = {"born": "2018-01-01", "with": "001"}
        found = read(a_list(a_row(1), a_row(2), a_row(3, seq="001"), a_row(4, seq="002", **child)))

        assert [row.arrival is not None for row in found] == [True] * 4
        assert found[3].arrival is not None
        assert not found[3].arrival.accompanied
        assert [(one.field, one.code) for row in found for one in row.warnings] == [("companion", "seq_repeated")]

    def test_a_child_is_accompanied_by_an_adult_only(self) -> None:
        child = {"born": "2018-01-01"}
        rows = read(a_list(a_row(1, **child, **{"with": "002"}), a_row(2), a_row(3, **child, **{"with": "001"})))

        assert [row.arrival.accompanied for row in rows if row.arrival] == [True, False, False]
        assert [row.companion for row in rows] == [3, None, 2]

    @pytest.mark.parametrize(
        ("companion", "code"),
        [("9", "companion_unknown"), ("001", "companion_self"), ("003", "companion_child"), ("004", "companion_held")],
    )
    def test_a_companion_that_is_none_holds_no_child_back(self, companion: str, code: str) -> None:
        child = {"born": "2018-01-01"}
        rows = read(a_list(a_row(1, **child, **{"with": companion}), a_row(2), a_row(3, **child), a_row(4, sex="Q")))

        assert rows[0].problems == ()
        assert [(p.row, p.field, p.code) for p in rows[0].warnings] == [(2, "companion", code)]
        assert rows[0].arrival is not None
        assert not rows[0].arrival.accompanied

    def test_an_adult_may_name_a_child_without_a_warning(self) -> None:
        rows = read(a_list(a_row(1, **{"with": "002"}), a_row(2, born="2018-01-01")))

        assert [(row.companion, row.warnings) for row in rows] == [(3, ()), (None, ())]

    def test_a_province_without_a_regency_is_asked_about(self) -> None:
        heading = "Nama;L/P;Umur;Kab/Kota;Provinsi"
        content = f"{heading}\nA;L;30;;Sulsel\nB;L;30;Gowa;NTT\nC;L;30;Gowa;73\nD;L;30;;".encode()

        assert problems_of(content) == [
            (2, "origin_province", "regency_needed"), (3, "origin_regency", "regency_other_province"),
        ]  # fmt: skip

    def test_an_age_that_does_not_fit_the_date_is_asked_about(self) -> None:
        content = b"Nama;L/P;Tgl Lahir;Umur\nA;L;5/8/1987;39\nB;L;5/8/1987;12"

        assert problems_of(content) == [(3, "age", "age_differs")]

    def test_niks_that_a_spreadsheet_rounded_are_seen_together(self) -> None:
        born = {"sex": "F", "born": "1985-12-29"}
        rounded = [a_row(n, nik=f"650399691285{n:03d}0", **born) for n in range(1, 5)]
        assert {code for _, _, code in problems_of(a_list(*rounded))} == {"nik_damaged"}
        assert problems_of(a_list(*rounded, a_row(5, nik="6503996912850002", **born))) == []

    @pytest.mark.parametrize(("row", "code"), [("001,A,M", "cells_missing"), (a_row(1) + ",more", "cells_left_over")])
    def test_a_row_of_another_width_is_held_back(self, row: str, code: str) -> None:
        assert problems_of(a_list(row)) == [(2, "", code)]

    def test_empty_cells_too_many_do_no_harm(self) -> None:
        assert problems_of(a_list(a_row(1) + ",,", a_row(2) + ",,")) == []
        assert problems_of(a_list(a_row(1) + ",", a_row(2))) == [(2, "", "cells_left_over")]


CELL = st.one_of(
    st.sampled_from(["", "-", "L", "P", "5/8/1987", "5-8-87", "6,5E+15", "=1", "73.06", "73.1", "SICK", "1", "2", '"']),
    st.text(max_size=12),
)


class TestAnyFile:
    @settings(max_examples=examples(300))
    @given(st.binary(max_size=300))
    @example(b'Nama;L/P;Umur\n"')
    @example(b"sep=")
    def test_bytes_never_break_the_reader(self, content: bytes) -> None:
        try:
            rows = read(b"Nama;L/P;Umur;Kab/Kota\n" + content)
        except ManifestUnusable as refused:
            rows = []
            all(FILE_PROBLEMS[refused.code])

        assert all((row.arrival is None) == bool(row.problems) for row in rows)

    @settings(max_examples=examples(200))
    @given(st.lists(st.lists(CELL, min_size=10, max_size=10), max_size=8))
    def test_every_row_is_ready_or_held_back_and_none_is_lost(self, table: list[list[str]]) -> None:
        lines = [[cell.translate(FLAT) for cell in row] for row in table]
        content = "\n".join([HEADING, *(",".join(row) for row in lines)]).encode("utf-8", "replace")
        rows = read(content)

        last = max((n for n, row in enumerate(lines, start=2) if any(cell.strip() for cell in row[1:])), default=0)
        written = [n for n, row in enumerate(lines, start=2) if any(cell.strip() for cell in row) and n <= last]
        assert [row.number for row in rows] == written
        assert sum(row.arrival is not None for row in rows) + sum(bool(row.problems) for row in rows) == len(written)
        for row in rows:
            assert all(problem.code in CELL_PROBLEMS for problem in row.problems)


FLAT = {ord(c): None for c in ',\n\r\0"\x1c\x1d\x1e\x0b\x0c\x85\u2028\u2029'}
"""What would make other rows of these cells is left out; broken quotation has tests of its own."""
