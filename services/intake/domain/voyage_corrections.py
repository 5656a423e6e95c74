"""Correcting what was announced of a voyage: when it is expected, by what it comes, what kind of return it is."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from services.intake.domain.refusals.arrival_corrections import NothingToCorrect
from services.intake.domain.refusals.voyages import ExpectedFarOff
from services.intake.domain.voyages import Modality, Voyage, is_near


@dataclass(frozen=True, slots=True)
class Said:
    """What a voyage is said to be; None: as it was."""

    expected_at: datetime | None = None
    vessel: str | None = None
    modality: Modality | None = None


def corrected(voyage: Voyage, said: Said, *, now: datetime, told_on: date | None) -> Voyage:
    """The voyage as it is said to be. `told_on`: the day that ages on lists are told for that were taken in.

    Raises `ExpectedFarOff` for another time that is, and `NothingToCorrect`.
    """
    after = replace(
        voyage,
        expected_at=said.expected_at or voyage.expected_at,
        vessel=voyage.vessel if said.vessel is None else said.vessel,
        modality=said.modality or voyage.modality,
    )
    if after == voyage:
        raise NothingToCorrect
    if after.expected_at != voyage.expected_at and not is_near(after.expected_at, now):
        raise ExpectedFarOff
    return replace(after, version=voyage.version + 1, told_on=told_on)
