"""One person who landed, as the quay knows them."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.intake.domain import needs, people
from shared.contracts.codes import AgeBand, NeedCode, Sex

OnwardWish = Literal["go_home", "stay_local", "unknown"]
Channel = Literal["single", "batch", "manifest"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """`accompanied`: an adult who answers for this person is here. `flags`: what the screening found."""

    identity: people.Identity
    sex: Sex
    birth: people.Birth | None = None
    origin_regency: str | None = None
    flags: frozenset[NeedCode] = frozenset()
    accompanied: bool = False
    onward_wish: OnwardWish = "unknown"


@dataclass(frozen=True, slots=True)
class Screened:
    """What the screening of one arrival comes to."""

    age_band: AgeBand
    needs: tuple[NeedCode, ...]


def screened(arrival: Arrival, on: date, told_on: date | None = None) -> Screened:
    """Screen an arrival on the day it landed, in the calendar of the port; `told_on` as of `age_band`."""
    band = people.age_band(arrival.birth, on, told_on)
    return Screened(band, needs.needs_of(band, arrival.flags, accompanied=arrival.accompanied))
