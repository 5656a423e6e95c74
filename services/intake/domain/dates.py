"""Birth dates as people write them in Indonesia: day first, month as number or word, or only a year, or an age.

The day always comes first, never the month. Two digits mean the year in which the person is younger than 90 on the day
of landing; older or without such a day, it is asked. What could only be read month first is asked too.
"""

import re
from datetime import date
from functools import cache

from services.intake.domain.people import OLDEST, Birth, age_on, aged, born_in, born_on

MONTHS = {
    word: number
    for number, words in enumerate(
        (
            "jan januari january", "feb peb februari pebruari february", "mar mrt mac maret march", "apr april",
            "mei may", "jun juni june", "jul juli july julai", "agt ags agu aug ogo ogs agust agustus august ogos",
            "sep sept september", "okt oct oktober october", "nov nop november nopember",
            "des dec dis desember december disember",
        ),
        start=1,
    )
    for word in words.split()
}  # fmt: skip
"""Indonesian, English and Malay."""

TIME = r"(?:[T ]0?0[:.]00(?:[:.]00(?:\.0+)?)?)?"
DAY_FIRST = re.compile(rf"(\d{{1,2}})[\s/.\-]+(\d{{1,2}}|[A-Za-z]{{3,9}})\.?[\s/.,\-]+(\d{{4}}|\d{{2}}){TIME}")
WORD_FIRST = re.compile(r"([A-Za-z]{3,9})\.?[\s/.\-]+(\d{1,2})(?:st|nd|rd|th)?[\s/.,\-]+(\d{4})")
YEAR_FIRST = re.compile(rf"(\d{{4}})[/.\-](\d{{1,2}})[/.\-](\d{{1,2}}){TIME}")
MONTH_ONLY = re.compile(r"(\d{1,2}|[A-Za-z]{3,9})\.?[\s/.,\-]+(\d{4})|(\d{4})-(\d{2})")
YEAR_ONLY = re.compile(r"(?:1[89]|20)\d{2}")
TOGETHER = re.compile(r"\d{8}")
SERIAL = re.compile(r"(\d{5})(?:[.,]\d+)?")
SERIAL_ZERO = date(1899, 12, 30).toordinal()
"""Day 0 of Excel's calendar, with its invented 29 February 1900 taken off."""
SERIAL_ZERO_1904 = date(1904, 1, 1).toordinal()
"""Day 0 of workbooks that were made on a Macintosh."""
ABOUT_WORDS = (
    r"±|\+/-|~|≈|ca?\.|circa|sekitar|kira[\s-]*kira|kurang lebih|(?:di)?perkiraan|est\.?|estimated|about|approx\.?"
)
ABOUT = re.compile(rf"^(?:{ABOUT_WORDS})\s*|\s*\((?:{ABOUT_WORDS})\)$", re.IGNORECASE)
YEAR_WORD = re.compile(r"(?:lahir|lhr|tahun|thn|th\.?|year|born)\s+(?=\d{4}$)", re.IGNORECASE)
WEEKDAY = re.compile(
    r"(?:senin|selasa|rabu|kamis|jum.?at|sabtu|ahad|minggu|(?:mon|tues|wednes|thurs|fri|satur|sun)day),?\s+",
    re.IGNORECASE,
)
AGE = re.compile(
    r"(?P<word>umur|usia|aged?)?\s*:?\s*(?:(?P<alone>\d{1,3})\.?|(?=\d)"
    r"(?:(?P<years>\d{1,3})\s*(?:th|thn|tahun|years?(?: old)?|yrs?|y\.?o|y)\.?)?"
    r"(?:[\s,]*(?P<months>\d{1,3})\s*(?:bln?|bulan|months?)\.?)?"
    r"(?:[\s,]*(?P<weeks>\d{1,3})\s*(?:mgg?|minggu|weeks?)\.?)?"
    r"(?:[\s,]*(?P<days>\d{1,3})\s*(?:hr|hari|days?)\.?)?)",
    re.IGNORECASE,
)
DAYS_IN_MONTH = 31
"""An age in weeks or days is no older than it says."""
YOUNGER_THAN = 90
"""A year of two digits that would make somebody older is asked about: the other century is as likely."""


class BadDate(ValueError):
    """A date that cannot be taken; `code` says why, `suggestion` what may have been meant."""

    def __init__(self, code: str, suggestion: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.suggestion = suggestion


def read_birth(text: str, *, on: date | None = None, since_1904: bool = False) -> Birth:
    """Read a birth date. Raises `BadDate`: unreadable, impossible, or what has to be asked.

    `on` is the day of landing: without it ages, and years of two digits, are not read. `since_1904`: numbers of days
    are those of a workbook that counts from 1904.
    """
    if len(text) == 10 and text[4:5] == "-":
        try:
            return born_on(date.fromisoformat(text))
        except ValueError:
            pass  # said in words below
    text = WEEKDAY.sub("", " ".join(text.split()), count=1)
    said, guessed = ABOUT.subn("", text)
    said = YEAR_WORD.sub("", said.strip())
    birth = _age(said, on) or _read(said, on, since_1904)
    # A day that somebody guessed is known to its year.
    return born_in(birth.earliest.year) if guessed and birth.precision == "day" else birth


def read_age(text: str) -> int:
    """Whole years in `34`, `± 34 th`, `2 tahun 3 bulan` or `8 bln`. Raises `BadDate`."""
    found = AGE.fullmatch(ABOUT.sub("", " ".join(text.split())).strip())
    if found is None:
        raise BadDate("age_unreadable")
    return _years(found)


def _age(text: str, on: date | None) -> Birth | None:
    found = AGE.fullmatch(text)
    if on is None or found is None or not (found["word"] or found["alone"] is None):
        return None
    return aged(_years(found), on)


def _years(found: re.Match[str]) -> int:
    """Whole years of an age. Raises `BadDate` for one beyond any life."""
    alone, years, months, weeks, days = (
        int(found[unit] or 0) for unit in ("alone", "years", "months", "weeks", "days")
    )
    years += alone + (months + (7 * weeks + days) // DAYS_IN_MONTH) // 12
    if years > OLDEST:
        raise BadDate("age_unreadable")
    return years


def _read(text: str, on: date | None, since_1904: bool) -> Birth:
    if found := DAY_FIRST.fullmatch(text):
        day, month, year = int(found[1]), month_number(found[2]), found[3]
        if month > 12 >= day and month <= 31:
            raise BadDate("date_month_first", f"{month}/{day}/{year}")
        return _day(_full(year, month, day, on), month, day)
    if found := WORD_FIRST.fullmatch(text):
        return _day(int(found[3]), month_number(found[1]), int(found[2]))
    if found := YEAR_FIRST.fullmatch(text):
        return _day(int(found[1]), int(found[2]), int(found[3]))
    if YEAR_ONLY.fullmatch(text):
        return born_in(int(text))
    if found := MONTH_ONLY.fullmatch(text):
        month, year = (month_number(found[1]), found[2]) if found[1] else (int(found[4]), found[3])
        return _month(int(year), month)
    if TOGETHER.fullmatch(text):
        return _together(text)
    if found := SERIAL.fullmatch(text):
        return born_on(date.fromordinal((SERIAL_ZERO_1904 if since_1904 else SERIAL_ZERO) + int(found[1])))
    raise BadDate("date_unreadable")


@cache
def month_number(word: str) -> int:
    """1 to 12 for a month's name in Indonesian, English or Malay; a number as it is. Raises `BadDate`."""
    number = int(word) if word.isdecimal() else MONTHS.get(word.lower(), 0)
    if number == 0:
        raise BadDate("date_unreadable")
    return number


def _full(year: str, month: int, day: int, on: date | None) -> int:
    """A year of four digits, from one of two where the day of landing says which is meant."""
    if len(year) == 4:
        return int(year)
    if on is None:
        raise BadDate("date_two_digit_year", f"{day}/{month}/{'19' if year > '30' else '20'}{year}")
    century = on.year // 100 * 100
    full = century + int(year)
    if (full, month, day) > (on.year, on.month, on.day):
        full -= 100
    if age_on(date(full, 1, 1), on) >= YOUNGER_THAN:
        raise BadDate("date_two_digit_year", f"{day}/{month}/{full} · {day}/{month}/{full + 100}")
    return full


def _together(text: str) -> Birth:
    """Eight digits: day, month and year, or year, month and day, when they can only be one of the two."""
    found = set()
    for year, month, day in ((text[4:], text[2:4], text[:2]), (text[:4], text[4:6], text[6:])):
        if YEAR_ONLY.fullmatch(year):
            try:
                found.add(date(int(year), int(month), int(day)))
            except ValueError:
                continue
    if len(found) != 1:
        raise BadDate("date_unreadable")
    return born_on(found.pop())


def _month(year: int, month: int) -> Birth:
    try:
        return born_in(year, month)
    except ValueError:
        raise BadDate("date_impossible") from None


def _day(year: int, month: int, day: int) -> Birth:
    try:
        return born_on(date(year, month, day))
    except ValueError:
        raise BadDate("date_impossible") from None


def read_kept(text: str) -> Birth:
    """Read a birth as it is kept (`Birth.text`)."""
    if "/" in text:
        earliest, latest = map(date.fromisoformat, text.split("/"))
        return Birth(earliest, latest, "age")
    return read_birth(text)
