"""What a NIK says besides being a number: where it was first registered, when its bearer was born, and which sex.

Form (UU 23/2006 and Permendagri on population administration): six digits of the place, two each of day, month and year
of birth, four of a series. For women 40 is added to the day. Of the place province and regency are known here; of the
district, the third pair, no list is shipped: it is only seen not to be 00.
"""

from datetime import date
from functools import lru_cache

from services.intake.domain.people import Birth
from shared.contracts import codes
from shared.contracts.codes import Sex

DIVIDED = frozenset({"64", "73", "91", "92"})
"""Provinces of which others were made since NIKs are given out: a NIK keeps the code that its place had then."""


class BadNik(ValueError):
    """What a NIK says cannot be, or is not what the row says; `code` is one of `problems.CELL_PROBLEMS`."""

    def __init__(self, code: str, hint: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.hint = hint


def check(nik: str, *, sex: Sex | None = None, birth: Birth | None = None) -> None:
    """Compare sixteen digits with themselves and with what the row says of the person. Raises `BadNik`."""
    province, regency = nik[:2], f"{nik[:2]}.{nik[2:4]}"
    is_known = regency in codes.regencies() or (province in DIVIDED and nik[2:4] != "00")
    if not is_known or nik[4:6] == "00":
        raise BadNik("nik_region_unknown", f"{regency}.{nik[4:6]}")
    is_woman = nik[6:8] > "40"
    days = _days(nik[6:12])
    if not days:
        raise BadNik("nik_date_impossible", nik[6:12])
    if nik[12:] == "0000":
        raise BadNik("nik_damaged")
    if sex in ("M", "F") and is_woman != (sex == "F"):
        raise BadNik("nik_other_sex")
    if birth is not None and birth.earliest not in days and not any(_may_be(birth, day) for day in days):
        nearest = min(days, key=lambda day: abs(day.toordinal() - birth.earliest.toordinal()))
        raise BadNik("nik_other_birth", f"{nearest.day}/{nearest.month}/{nearest.year}")


def elsewhere(nik: str, origin: str | None) -> str:
    """The regency in which a NIK was given out, where it is another than the origin that is stated; else "".

    People move, and a regency may be of another province now: that is a question, never a fault.
    """
    given_out = f"{nik[:2]}.{nik[2:4]}"
    named = codes.regencies().get(given_out)
    if origin is None or named is None or origin == given_out:
        return ""
    return "" if nik[:2] in DIVIDED and nik[:2] != origin[:2] else named.name


@lru_cache(maxsize=16_384)
def _days(digits: str) -> tuple[date, ...]:
    """The day of birth that six digits say, in either century; none where there is no such day."""
    day, month, year = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    days = []
    for century in (1900, 2000):
        try:
            days.append(date(century + year, month, day - 40 if day > 40 else day))
        except ValueError:
            continue
    return tuple(days)


def _may_be(birth: Birth, day: date) -> bool:
    """True when somebody so born may be born on that day; an age is told to within a year."""
    if birth.precision == "age":
        return birth.earliest.year - 1 <= day.year <= birth.latest.year + 1
    return birth.earliest <= day <= birth.latest
