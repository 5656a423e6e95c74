"""Who landed: the identifying fields that only the vault keeps, and how old a person is on a day."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, NamedTuple

from shared.contracts.codes import AgeBand

ADULT_FROM = 18
"""Below it a person is a child (UU 35/2014 Art 1)."""
ELDERLY_FROM = 60
"""UU 13/1998 Art 1."""
OLDEST = 120

ABOUT_AN_AGE = timedelta(days=366)

Precision = Literal["day", "month", "year", "age"]
_TOLD = {"day": 10, "month": 7, "year": 4}
"""How much of `1987-08-05` is told."""


@dataclass(frozen=True, slots=True)
class Birth:
    """When somebody was born, as exactly as it is known: any day from `earliest` to `latest`."""

    earliest: date
    latest: date
    precision: Precision

    @property
    def text(self) -> str:
        """`1987-08-05`, `1987-08`, `1987`; for an age the interval `1990-11-24/1991-11-23`."""
        if self.precision == "age":
            return f"{self.earliest.isoformat()}/{self.latest.isoformat()}"
        return self.earliest.isoformat()[: _TOLD[self.precision]]

    def may_be(self, other: "Birth") -> bool:
        """True where both may be of one person; an age is told to within a year."""
        slack = ABOUT_AN_AGE if "age" in (self.precision, other.precision) else timedelta()
        return max(self.earliest, other.earliest) - min(self.latest, other.latest) <= slack


class Identity(NamedTuple):
    """What can identify a person or harm them when known. Sealed in the vault, disclosed field by field."""

    full_name: str = ""
    """Empty for somebody who was logged in a hurry, until it is completed."""
    alias: str = ""
    birth: str = ""
    birthplace: str = ""
    mother_name: str = ""
    nik: str = ""
    document_type: str = ""
    document_number: str = ""
    origin_village: str = ""
    family_contact: str = ""
    health_note: str = ""
    language: str = ""
    country_from: str = ""
    region_from: str = ""
    detained_at: str = ""
    employer: str = ""
    sector: str = ""
    return_reason: str = ""


IDENTITY_FIELDS = Identity._fields


def born_on(day: date) -> Birth:
    return Birth(day, day, "day")


def born_in(year: int, month: int | None = None) -> Birth:
    """A birth of which only the year, or year and month, are known."""
    if month is None:
        return Birth(date(year, 1, 1), date(year, 12, 31), "year")
    following = date(year + month // 12, month % 12 + 1, 1)
    return Birth(date(year, month, 1), date.fromordinal(following.toordinal() - 1), "month")


def aged(years: int, on: date) -> Birth:
    """The birth of somebody who says on a day to be so many years old."""
    earliest = date.fromordinal(_birthday(on, -(years + 1)).toordinal() + 1)
    return Birth(earliest, _birthday(on, -years), "age")


def age_on(born: date, on: date) -> int:
    """Completed years; below zero before birth."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def age_band(birth: Birth | None, on: date, told_on: date | None = None) -> AgeBand:
    """The band at arrival. `unknown` where it may be a child: then everything a child needs is due.

    `told_on`: the day that an age was told for, where that is another than `on`; an age stays the age that was told.
    """
    if birth is None:
        return "unknown"
    if birth.precision == "age":
        on = told_on or on
    oldest = age_on(birth.earliest, on)
    if oldest < ADULT_FROM:
        return "child"
    if age_on(birth.latest, on) < ADULT_FROM:
        return "unknown"
    # In doubt about sixty the person is offered what the elderly are due; nothing is taken away by it.
    return "elderly" if oldest >= ELDERLY_FROM else "adult"


def _birthday(on: date, years: int) -> date:
    """The same day so many years later; 29 February becomes the 28th."""
    try:
        return on.replace(year=on.year + years)
    except ValueError:
        return on.replace(year=on.year + years, day=28)
