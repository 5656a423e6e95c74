"""Birth dates as people write them in Indonesia: day first, month as number or word, or only a year."""

import re
from datetime import date
from functools import cache

from services.intake.domain.people import Birth, born_in, born_on

MONTHS = {
    word: number
    for number, words in enumerate(
        (
            "jan januari january", "feb peb februari pebruari february", "mar mrt maret march", "apr april",
            "mei may", "jun juni june", "jul juli july", "agt ags agu aug agust agustus august",
            "sep sept september", "okt oct oktober october", "nov nop november nopember",
            "des dec desember december",
        ),
        start=1,
    )
    for word in words.split()
}  # fmt: skip

DAY_FIRST = re.compile(r"(\d{1,2})[\s/.\-]+(\d{1,2}|[A-Za-z]{3,9})\.?[\s/.,\-]+(\d{2}|\d{4})")
YEAR_FIRST = re.compile(r"(\d{4})[/.\-](\d{1,2})[/.\-](\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")
MONTH_ONLY = re.compile(r"(\d{1,2}|[A-Za-z]{3,9})\.?[\s/.\-]+(\d{4})|(\d{4})-(\d{2})")
YEAR_ONLY = re.compile(r"(?:1[89]|20)\d{2}")
SERIAL = re.compile(r"\d{5}")
SERIAL_ZERO = date(1899, 12, 30).toordinal()
"""Day 0 of Excel's calendar, with its invented 29 February 1900 taken off."""


class BadDate(ValueError):
    """A date that cannot be taken; `code` says why, `suggestion` what may have been meant."""

    def __init__(self, code: str, suggestion: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.suggestion = suggestion


def read_birth(text: str) -> Birth:
    """Read a birth date. Raises `BadDate`: unreadable, impossible, or with a year of two digits (then we ask)."""
    try:
        return born_on(date.fromisoformat(text)) if len(text) == 10 else _read(text)
    except ValueError as error:
        if isinstance(error, BadDate):
            raise
        return _read(text)


def _read(text: str) -> Birth:
    if found := DAY_FIRST.fullmatch(text):
        day, month, year = int(found[1]), month_number(found[2]), found[3]
        if len(year) == 2:
            raise BadDate("date_two_digit_year", f"{day}/{month}/{'19' if year > '30' else '20'}{year}")
        return _day(int(year), month, day)
    if found := YEAR_FIRST.fullmatch(text):
        return _day(int(found[1]), int(found[2]), int(found[3]))
    if YEAR_ONLY.fullmatch(text):
        return born_in(int(text))
    if found := MONTH_ONLY.fullmatch(text):
        month, year = (month_number(found[1]), found[2]) if found[1] else (int(found[4]), found[3])
        return _month(int(year), month)
    if SERIAL.fullmatch(text):
        return born_on(date.fromordinal(SERIAL_ZERO + int(text)))
    raise BadDate("date_unreadable")


@cache
def month_number(word: str) -> int:
    """1 to 12 for a month's number or name in Indonesian or English. Raises `BadDate`."""
    number = int(word) if word.isdecimal() else MONTHS.get(word.lower(), 0)
    if number == 0:
        raise BadDate("date_unreadable")
    return number


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
