"""What people complain about in the imports of other systems, each as a test of ours. Named after the complaint."""

import datetime
import re

import pytest
from openpyxl.utils.datetime import MAC_EPOCH

from services.intake.domain import cells, headings
from services.intake.domain.cells import BadCell
from services.intake.domain.people import aged, born_in, born_on
from services.intake.domain.problems import CELL_PROBLEMS, FILE_PROBLEMS
from services.intake.domain.refusals.manifests import ManifestUnusable
from services.intake.gateways import workbooks
from shared.kit import words
from tests.intake.reading import (
    LANDING,
    a_line,
    a_text,
    arrivals_in,
    codes_in,
    names,
    opened,
    problems_in,
    rows_of,
)
from tests.intake.workbooks import HEADING, a_person, a_workbook, with_parts

BORN = born_on(datetime.date(1987, 8, 5))


class TestImport:
    """Import that tells the truth."""

    def test_complaint_success_is_claimed_though_rows_failed(self) -> None:
        rows = rows_of(a_text(*(a_line(n, **({"sex": "Q"} if n % 3 == 0 else {})) for n in range(1, 31))))

        assert len(rows) == 30
        assert sum(row.arrival is not None for row in rows) == 20
        assert {row.number for row in rows if row.problems} == {n + 1 for n in range(3, 31, 3)}

    @pytest.mark.invariant("I139")
    @pytest.mark.parametrize("empty", ["", " ", "-", "?", "tidak diketahui"])
    def test_complaint_empty_dates_become_the_import_date(self, empty: str) -> None:
        for content in (a_text(a_line(1, born=empty)), a_workbook(HEADING, a_person(1, born=empty or None))):
            [arrival] = arrivals_in(content)
            assert (arrival.birth, arrival.identity.birth) == (None, "")

    def test_complaint_blank_rows_are_errors(self) -> None:
        text = a_text(a_line(1), "", ";;;;", " ; ; ; ; ", a_line(2))
        workbook = a_workbook(HEADING, a_person(1), [], [None, " ", None], a_person(2), [3], [4, None, None, "=D2"])

        assert [row.number for row in rows_of(text)] == [2, 6]
        assert [row.number for row in rows_of(workbook)] == [2, 5]
        assert problems_in(text) == problems_in(workbook) == []

    @pytest.mark.parametrize(
        "written",
        ["laki-laki", "Laki \N{EN DASH} Laki", "LAKI\N{EN DASH}LAKI", "laki\N{NON-BREAKING HYPHEN}laki", "laki  laki"],
    )
    def test_complaint_a_word_processor_has_put_another_hyphen(self, written: str) -> None:
        assert arrivals_in(a_text(a_line(1, sex=written)))[0].sex == "M"

    def test_complaint_a_row_between_people_is_skipped_for_having_a_number_only(self) -> None:
        assert codes_in(a_text(a_line(1), "2;;;;", a_line(3))) == [(3, "B", "missing"), (3, "C", "missing")]

    @pytest.mark.parametrize(
        "filled",
        [
            datetime.date(1987, 8, 5),
            datetime.datetime.fromisoformat("1987-08-05"),
            "5 Agustus 1987",
            "'5/8/1987",
            31994,
        ],
    )
    def test_complaint_a_filled_date_is_called_empty(self, filled: object) -> None:
        [arrival] = arrivals_in(a_workbook(HEADING, a_person(1, born=filled)))

        assert arrival.birth == BORN

    def test_complaint_the_shipped_template_fails(self) -> None:
        filled = ["1", "Bala", "L", "5/8/1987", "9171010508870001", "SPLP", "XS9000001", "91.71"]
        [arrival] = arrivals_in(workbooks.workbook([headings.TEMPLATE, filled]))

        assert (arrival.identity.nik, arrival.birth) == ("9171010508870001", BORN)

    def test_complaint_the_row_is_named_but_not_the_column(self) -> None:
        [problem] = problems_in(a_workbook(["DAFTAR"], [], HEADING, a_person(1), a_person(2, born="kemarin")))

        assert (problem.row, problem.letter, problem.column, problem.value) == (5, "D", "Tgl Lahir", "kemarin")
        for language in ("id", "en"):
            assert words.translate(language, problem.message)
            assert words.translate(language, problem.remedy)

    @pytest.mark.parametrize("garbage", [b"\x00\xff" * 500, b"PK\x03\x04garbage", b"%PDF-1.7", b"{}", b"<html>"])
    def test_complaint_a_stack_trace_is_shown(self, garbage: bytes) -> None:
        with pytest.raises(ManifestUnusable) as refused:
            opened(garbage)

        message, remedy = FILE_PROBLEMS[refused.value.code]
        assert message % refused.value.details
        assert remedy

    def test_complaint_the_import_is_slow(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A workbook is opened once, however many rows it has; `make bench` measures the rest."""
        read: list[str] = []
        real = workbooks.openpyxl.load_workbook
        monkeypatch.setattr(workbooks.openpyxl, "load_workbook", lambda *a, **k: read.append("book") or real(*a, **k))
        rows = rows_of(a_workbook(HEADING, *(a_person(n) for n in range(1, 301))))

        assert (len(rows), read) == (300, ["book"])


class TestNik:
    """A NIK survives Excel."""

    def test_complaint_the_last_digit_becomes_zero(self) -> None:
        """A number of sixteen digits is not to be trusted, even where its digits happen to be right."""
        rounded = a_workbook(HEADING, a_person(1, nik=9171010508870000))

        def as_it_was(xml: bytes) -> bytes:
            return re.sub(rb"<v>9[0-9.]+[^<]*</v>", b"<v>9171010508870001</v>", xml)

        exact = with_parts(rounded, {"xl/worksheets/sheet1.xml": as_it_was})
        [problem] = problems_in(exact)

        assert codes_in(rounded) == codes_in(exact) == [(2, "E", "nik_damaged")]
        assert problem.value == "9171010508870001"

    def test_complaint_all_niks_of_a_file_end_in_zero(self) -> None:
        lines = (a_line(n, sex="P", born="29-12-85", nik=f"650399691285{n:03d}0") for n in range(1, 5))

        assert {code for _, _, code in codes_in(a_text(*lines))} == {"nik_damaged"}

    @pytest.mark.parametrize("shown", ["6,504E+15", "6.50399691285E+15", "6.50E+15", "6503990508870000"])
    def test_complaint_a_number_comes_as_e_15(self, shown: str) -> None:
        [problem] = problems_in(a_text(a_line(1, nik=shown)))

        assert problem.code == "nik_damaged"
        assert "text" in CELL_PROBLEMS["nik_damaged"][1]

    @pytest.mark.parametrize(
        "shown", ["6503 9905 0887 0001", "6503.99.050887.0001", "'6503990508870001", "\u00a06503990508870001 "]
    )
    def test_complaint_spaces_make_a_nik_wrong(self, shown: str) -> None:
        assert arrivals_in(a_text(a_line(1, nik=shown)))[0].identity.nik == "6503990508870001"

    @pytest.mark.parametrize("shown", ["0", "-", "", " ", "belum ada", "0000000000000000", "Tidak Ada"])
    def test_complaint_a_nik_of_zero_is_taken_for_a_number(self, shown: str) -> None:
        people = arrivals_in(a_text(a_line(1, nik=shown), a_line(2, nik=shown)))

        assert [one.identity.nik for one in people] == ["", ""]


class TestText:
    """CSV from an Indonesian Excel."""

    @pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
    def test_complaint_semicolons_make_one_column(self, separator: str) -> None:
        sheet = opened(a_text(a_line(1)).replace(b";", separator.encode()))

        assert (sheet.separator, len(sheet.heading)) == (separator, 5)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
    def test_complaint_letters_are_spoilt(self, encoding: str) -> None:
        content = a_text(a_line(1, name="José Ñandú"), encoding=encoding)

        assert names(rows_of(content)) == ["José Ñandú"]
        assert opened(content).encoding == {"utf-8": "utf-8-sig"}.get(encoding, encoding)

    def test_complaint_success_is_reported_and_there_is_no_data(self) -> None:
        with pytest.raises(ManifestUnusable) as refused:
            opened(a_text(a_line(1), heading="Kolom 1;Kolom 2;Kolom 3;Kolom 4;Kolom 5"))

        assert refused.value.code == "no_heading"


class TestTickedSex:
    """Forms have a column for each sex, of which one is ticked."""

    HEADINGS = ("No;Nama;L;P;Umur", "No;Nama;Jenis Kelamin;;Umur\n;;L;P;", "Nr;Name;Male;Female;Age")

    @pytest.mark.parametrize("heading", HEADINGS)
    @pytest.mark.parametrize("tick", ["v", "V", "√", "✓", "x", "1", "*", "ü"])
    def test_complaint_a_column_for_each_sex_is_no_column_with_the_sex(self, heading: str, tick: str) -> None:
        content = a_text(f"1;Bala;{tick};;34", f"2;Siti;-;{tick};30", "3;Ulo;L;;20", "4;Rina;;P;22", heading=heading)

        assert [one.sex for one in arrivals_in(content)] == ["M", "F", "M", "F"]

    def test_complaint_which_of_two_is_ticked_is_guessed(self) -> None:
        lines = ["1;Bala;v;v;34", "2;Siti;;;30", "3;Ulo;P;;20", "4;Rina;0;1;22"]
        content = a_text(*lines, heading=self.HEADINGS[0])

        assert codes_in(content) == [(2, "D", "ticked_twice"), (3, "C", "missing"), (4, "C", "tick_unclear")]
        assert [(row.number, row.arrival.sex) for row in rows_of(content) if row.arrival] == [(5, "F")]

    def test_complaint_letters_of_another_meaning_are_taken_for_a_sex(self) -> None:
        beside = a_text("Bala;L;;x;34", heading="Nama;L/P;L;P;Umur")
        alone = a_text("1;Bala;x;34", heading="No;Nama;P;Umur")

        assert [one.sex for one in arrivals_in(beside)] == ["M"]
        with pytest.raises(ManifestUnusable) as refused:
            opened(alone)
        assert refused.value.code == "heading_missing_sex"

    def test_complaint_the_first_person_is_taken_for_a_heading(self) -> None:
        with pytest.raises(ManifestUnusable) as refused:
            opened(b"Bala;L;Paspor;x\n")
        assert refused.value.code == "no_heading"


@pytest.mark.invariant("I139")
class TestDates:
    @pytest.mark.parametrize(
        "written",
        ["5/8/1987", "5-8-87", "5.8.1987", "5 Agt 1987", "5 Agustus 1987", "1987-08-05", "5 Ogos 1987", "5 August 1987",
         "31994", "05 08 1987", "5/8/87"],
    )  # fmt: skip
    def test_complaint_dates_as_people_write_them_are_refused(self, written: str) -> None:
        assert arrivals_in(a_text(a_line(1, born=written)))[0].birth == BORN

    def test_complaint_dates_are_read_in_the_american_order(self) -> None:
        [problem] = problems_in(a_text(a_line(1), a_line(2, born="8/25/1987")))

        assert (problem.row, problem.code, problem.hint) == (3, "date_month_first", "25/8/1987")

    def test_complaint_excel_has_exchanged_day_and_month(self) -> None:
        """An American Excel takes 5/8/1987 for 8 May, and leaves 25/8/1987 as text."""
        typed = [datetime.date(1987, 5, 8), datetime.date(1990, 12, 1), datetime.date(1979, 2, 11)]
        texts = ["25/8/1987", "31/12/1990", "13/1/1979"]
        people = [a_person(n, born=born) for n, born in enumerate([*typed, *texts], start=1)]

        assert [code for _, _, code in codes_in(a_workbook(HEADING, *people))] == ["date_maybe_swapped"] * 3
        assert problems_in(a_workbook(HEADING, *people, a_person(9, born="5/8/1987"))) == []

    def test_complaint_a_year_of_two_digits_lands_in_another_century(self) -> None:
        years = ["5/8/37", "5/8/87", "5/8/99", "5/8/00", "5/8/26"]
        people = arrivals_in(a_text(*(a_line(n, born=year) for n, year in enumerate(years))))

        assert [one.birth.earliest.year for one in people if one.birth] == [1937, 1987, 1999, 2000, 2026]
        [asked] = problems_in(a_text(a_line(1, born="12/12/26")))
        assert (asked.code, asked.hint) == ("date_two_digit_year", "12/12/1926 · 12/12/2026")

    def test_complaint_a_date_of_a_mac_workbook_is_four_years_off(self) -> None:
        def on_a_mac(sheet: object) -> None:
            sheet.parent.epoch = MAC_EPOCH  # type: ignore[attr-defined]

        for born in (datetime.date(1987, 8, 5), 30532):
            [arrival] = arrivals_in(a_workbook(HEADING, a_person(1, born=born), then=on_a_mac))
            assert arrival.birth == BORN


class TestUnknownBirth:
    @pytest.mark.parametrize(
        ("written", "said", "precision"),
        [
            ("1987", "1987", "year"), ("± 1987", "1987", "year"), ("1987 (perkiraan)", "1987", "year"),
            ("8/1987", "1987-08", "month"), ("Agustus 1987", "1987-08", "month"),
            ("34 th", "1991-11-24/1992-11-23", "age"), ("umur 34", "1991-11-24/1992-11-23", "age"),
            ("5/8/1987", "1987-08-05", "day"), ("1/1/1987", "1987-01-01", "day"),
        ],
    )  # fmt: skip
    def test_complaint_a_guess_looks_like_a_real_date(self, written: str, said: str, precision: str) -> None:
        [arrival] = arrivals_in(a_text(a_line(1, born=written)))

        assert arrival.birth is not None
        assert (arrival.identity.birth, arrival.birth.precision) == (said, precision)

    def test_complaint_only_an_age_is_known_and_a_date_is_demanded(self) -> None:
        heading = "Nama;L/P;Tgl Lahir;Umur"
        people = arrivals_in(a_text("Bala;L;;± 34", "Siti;P;tidak tahu;8 bulan", "Ulo;L;1992;34", heading=heading))

        ages = [(one.birth.precision, one.birth.latest.year) for one in people if one.birth]
        assert ages == [("age", LANDING.year - 34), ("age", LANDING.year), ("year", 1992)]
        assert people[2].birth == born_in(1992)

    @pytest.mark.parametrize(
        ("written", "years"),
        [
            ("34 tahun 6 bulan", 34), ("1 th 5 bln", 1), ("2 thn, 3 bln", 2), ("18 bulan", 1), ("30th", 30),
            ("30thn.", 30), ("5bln", 0), ("3 bl", 0), ("6 minggu", 0), ("10 hari", 0), ("± 34 th 2 bln", 34),
        ],
    )  # fmt: skip
    def test_complaint_years_are_taken_for_months(self, written: str, years: int) -> None:
        as_age = a_text(f"Bala;L;{written}", heading="Nama;L/P;Umur")
        as_date = a_text(f"Bala;L;{written}", heading="Nama;L/P;Tgl Lahir")

        for content in (as_age, as_date):
            assert [one.birth for one in arrivals_in(content)] == [aged(years, LANDING)]

    @pytest.mark.parametrize("between", [",", "-", ".", "1 th ", "12"])
    def test_complaint_one_cell_that_never_ends_holds_everybody_up(self, between: str) -> None:
        """Refused at once: tried in every way it can be read, it would not be done in a day."""
        endless = f"1 th{between * 20_000}x"

        for heading in ("Nama;L/P;Umur", "Nama;L/P;Tgl Lahir", "Nama;L/P;Tempat, Tgl Lahir"):
            assert [code for _, _, code in codes_in(a_text(f"Bala;L;{endless}", heading=heading))] == ["too_long"]

    def test_complaint_an_age_is_tried_in_every_way(self) -> None:
        with pytest.raises(BadCell):
            cells.age(f"1 th{',' * 20_000}x")


class TestNames:
    @pytest.mark.parametrize(
        "name", ["Bala", "Siti binti Ahmad", "Emong bin Kawaya", "O'ong", "Moch. Rudi", "Ny. Aminah", "ꦱꦶꦠꦶ", "N"]
    )
    def test_complaint_one_word_is_no_name(self, name: str) -> None:
        assert arrivals_in(a_text(a_line(1, name=f"  {name} ")))[0].identity.full_name == name

    def test_complaint_two_spellings_of_one_letter_are_two_people(self) -> None:
        composed, apart = "Jos\u00e9", "Jose\u0301"

        assert codes_in(a_text(a_line(1, name=composed), a_line(2, name=apart))) == [(3, "B", "person_repeated")]


class TestDuplicates:
    def test_complaint_duplicates_block_the_whole_import(self) -> None:
        rows = rows_of(a_text(a_line(1), a_line(2, name="Orang 1"), a_line(3)))

        assert [row.arrival is not None for row in rows] == [True, False, True]
        assert (rows[1].problems[0].code, rows[1].problems[0].hint) == ("person_repeated", "#2")
