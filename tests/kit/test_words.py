"""Words for people in both languages."""

from datetime import UTC, date, datetime, timedelta

import pytest

from shared.kit import words

AFTERNOON = datetime(2026, 8, 5, 6, 5, tzinfo=UTC)


class TestMoment:
    @pytest.mark.parametrize(
        ("language", "zone", "text"),
        [
            ("id", "Asia/Makassar", "5 Agt 2026 14.05 WITA"),
            ("en", "Asia/Makassar", "5 Aug 2026 14:05 WITA"),
            ("id", "Asia/Jakarta", "5 Agt 2026 13.05 WIB"),
            ("en", "Asia/Pontianak", "5 Aug 2026 13:05 WIB"),
            ("id", "Asia/Jayapura", "5 Agt 2026 15.05 WIT"),
            ("id", "Asia/Kuala_Lumpur", "5 Agt 2026 14.05 +08"),
        ],
    )
    def test_names_the_zone_of_the_place(self, language: words.Language, zone: str, text: str) -> None:
        assert words.moment(language, AFTERNOON, zone) == text

    def test_takes_the_day_of_the_place(self) -> None:
        late = datetime(2026, 8, 5, 16, 30, tzinfo=UTC)

        assert words.day_in("Asia/Jakarta", late) == date(2026, 8, 5)
        assert words.day_in("Asia/Makassar", late) == date(2026, 8, 6)

    @pytest.mark.parametrize(
        ("kept", "text"),
        [
            ("1987-08-05", "5 Agt 1987"),
            ("1987-08", "Agt 1987"),
            ("1987", "1987"),
            ("1990-11-24/1991-11-23", "antara 24 Nov 1990 dan 23 Nov 1991"),
            ("", ""),
            ("tidak tahu", "tidak tahu"),
            ("1987-13-05", "1987-13-05"),
        ],
    )
    def test_says_a_birth_as_exactly_as_it_is_known(self, kept: str, text: str) -> None:
        assert words.born("id", kept) == text

    @pytest.mark.parametrize(
        ("kept", "indonesian", "english"),
        [("MY", "Malaysia", "Malaysia"), ("sg", "Singapura", "Singapore"), ("Sabah", "Sabah", "Sabah"), ("", "", "")],
    )
    def test_names_countries(self, kept: str, indonesian: str, english: str) -> None:
        assert [words.country(language, kept) for language in words.LANGUAGES] == [indonesian, english]

    def test_writes_machines_utc(self) -> None:
        assert words.iso(AFTERNOON.astimezone()) == "2026-08-05T06:05:00Z"


class TestDuration:
    @pytest.mark.parametrize(
        ("length", "indonesian", "english"),
        [
            (timedelta(seconds=45), "45 dtk", "45 s"),
            (timedelta(minutes=40, seconds=59), "40 mnt", "40 min"),
            (timedelta(hours=3, minutes=12), "3 j 12 mnt", "3 h 12 min"),
            (timedelta(hours=4), "4 j", "4 h"),
            (timedelta(hours=47, minutes=59), "47 j 59 mnt", "47 h 59 min"),
            (timedelta(days=2, hours=4), "2 hr 4 j", "2 d 4 h"),
            (timedelta(seconds=-5), "0 dtk", "0 s"),
        ],
    )
    def test_uses_at_most_two_units(self, length: timedelta, indonesian: str, english: str) -> None:
        assert words.duration("id", length) == indonesian
        assert words.duration("en", length) == english


class TestDeadline:
    @pytest.mark.parametrize(
        ("left", "state", "text"),
        [
            (timedelta(hours=3, minutes=12), "left", "sisa 3 j 12 mnt"),
            (timedelta(hours=2), "soon", "jatuh tempo 16.05 WITA"),
            (timedelta(seconds=1), "soon", "jatuh tempo 14.05 WITA"),
            (timedelta(0), "late", "lewat 0 dtk"),
            (timedelta(minutes=-40), "late", "lewat 40 mnt"),
        ],
    )
    def test_says_left_soon_or_late(self, left: timedelta, state: str, text: str) -> None:
        it = words.deadline("id", AFTERNOON + left, AFTERNOON, "Asia/Makassar")

        assert (it.state, it.text) == (state, text)

    def test_says_when_the_clock_is_paused(self) -> None:
        it = words.deadline("en", AFTERNOON, AFTERNOON, "Asia/Makassar", paused=True)

        assert it == words.Deadline("paused", "clock paused", "5 Aug 2026 14:05 WITA")


@pytest.mark.parametrize(
    ("value", "decimals", "indonesian", "english"),
    [(12345.6, 1, "12.345,6", "12,345.6"), (300, 0, "300", "300"), (1041, 0, "1.041", "1,041")],
)
def test_numbers_are_written_as_people_write_them(value: float, decimals: int, indonesian: str, english: str) -> None:
    assert words.number("id", value, decimals) == indonesian
    assert words.number("en", value, decimals) == english


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("8", 8),
        ("08", 8),
        ("Agt", 8),
        ("agu", 8),
        ("AGUSTUS", 8),
        ("aug.", 8),
        ("Mei", 5),
        ("may", 5),
        ("des", 12),
        ("13", None),
        ("0", None),
        ("x", None),
        ("", None),
        ("123", None),
    ],
)
def test_months_are_read_by_number_or_name(text: str, month: int | None) -> None:
    assert words.month_number(text) == month


class TestPreferred:
    @pytest.mark.parametrize(
        ("header", "language"),
        [
            ("", "id"),
            ("de-DE,de;q=0.9", "id"),
            ("en-GB,en;q=0.9,id;q=0.8", "en"),
            ("id-ID,en;q=0.5", "id"),
            ("in-ID", "id"),
            ("en;q=0.2, id;q=0.7", "id"),
            ("en;q=nonsense, id;q=0.1", "id"),
        ],
    )
    def test_takes_the_best_of_ours(self, header: str, language: words.Language) -> None:
        assert words.preferred(header) == language


class TestTranslate:
    def test_fills_places_and_falls_back_to_english(self) -> None:
        assert words.translate("id", "%(time)s left", time="3 j") == "sisa 3 j"
        assert words.translate("en", "%(time)s left", time="3 h") == "3 h left"
        assert words.translate("id", "A sentence nobody has") == "A sentence nobody has"

    @pytest.mark.parametrize("language", words.LANGUAGES)
    def test_says_nothing_where_nothing_is_said(self, language: words.Language) -> None:
        assert words.translate(language, "") == ""

    def test_counts_with_numbers_for_people(self) -> None:
        one, many = "%(n)s row", "%(n)s rows"

        assert words.translate_count("en", one, many, 1) == "1 row"
        assert words.translate_count("en", one, many, 1200) == "1,200 rows"
