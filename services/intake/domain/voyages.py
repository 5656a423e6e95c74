"""A ship or flight that brings people back, and the counts that must add up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, get_args

from shared.contracts.codes import VoyageCorrectionReason, VoyageField

Modality = Literal["deportation", "repatriation", "vulnerable_flight"]
CORRECTED: tuple[VoyageField, ...] = get_args(VoyageField)
MOST_ANNOUNCED = 200_000
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
"""The days on which voyages are looked for."""
NEAR = timedelta(days=366)
EARLIEST = timedelta(hours=12)
"""A ship may come early, but not by more. Whoever is on a list that is taken in counts as landed, and is due help."""
LATE = timedelta(hours=12)
"""A ship may be late, and a second ferry lands half an hour behind the first: so long somebody may yet come with it."""


def is_near(expected_at: datetime, now: datetime) -> bool:
    """True for a time that a letter of today may announce, or that is entered late; others are slips of the pen."""
    return abs(expected_at - now) <= NEAR


@dataclass(frozen=True, slots=True)
class Voyage:
    """`announced` is what was announced first; 0 when a batch came without notice. Later letters may say otherwise.

    `told_on`: the day, at the port, that ages on its lists are told for; None: the day on which it is expected. It
    stays when the time is corrected after a list was taken in, so that the list, sent again, says the same.
    """

    voyage_id: str
    port: str
    modality: Modality
    vessel: str
    announced: int
    expected_at: datetime
    version: int = 1
    told_on: date | None = None

    @property
    def due_from(self) -> datetime:
        """From when on its people may be taken for landed."""
        return self.expected_at - EARLIEST


@dataclass(frozen=True, slots=True)
class VoyageStep:
    """One correction of a voyage, with what each field said before and says now; `version` is the voyage's after it."""

    version: int
    was_expected_at: datetime
    expected_at: datetime
    was_vessel: str
    vessel: str
    was_modality: Modality
    modality: Modality
    reason: VoyageCorrectionReason
    corrected_by: str
    corrected_at: datetime

    @property
    def changed(self) -> tuple[VoyageField, ...]:
        return tuple(field for field in CORRECTED if getattr(self, f"was_{field}") != getattr(self, field))


@dataclass(frozen=True, slots=True)
class Counts:
    """Heads of one voyage: `listed` + `unlisted` = `arrived` + `rejected` + `waiting` + `absent`.

    `announced`: by all letters that count; `listed`: on its name lists, each person once; `rejected`: listed rows
    still held back; `waiting`: rows of a list that is still being recorded; `absent`: listed, and called as not
    there; `arrived`: recorded, by list or one by
    one; `unlisted`: of these, who is on no list; `referred`: of these, whose every need became an open referral.
    """

    announced: int
    listed: int = 0
    rejected: int = 0
    arrived: int = 0
    referred: int = 0
    unlisted: int = 0
    waiting: int = 0
    absent: int = 0

    @property
    def listed_differs(self) -> int:
        """Listed minus announced: shown, never forced to fit."""
        return self.listed - self.announced

    @property
    def arrived_differs(self) -> int:
        """Arrived minus announced."""
        return self.arrived - self.announced

    @property
    def not_referred(self) -> int:
        return self.arrived - self.referred


@dataclass(frozen=True, slots=True)
class Sighting:
    """A voyage with its counts."""

    voyage: Voyage
    counts: Counts


@dataclass(frozen=True, slots=True)
class Report:
    """A voyage in full: counts, lists taken in, needs by kind (`needs`) and those already referred (`opened`)."""

    voyage: Voyage
    counts: Counts
    needs: Mapping[str, int]
    opened: Mapping[str, int]
    steps: Sequence[VoyageStep]
    """What was corrected of it, first to last."""
