"""Completing who somebody is that was logged in a hurry: what is empty is filled, what stands there is corrected."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Literal

from services.intake.domain.dates import read_kept
from services.intake.domain.people import ADULT_FROM, ELDERLY_FROM, OLDEST, Birth, Identity, aged
from services.intake.domain.refusals.identities import AgeBandWouldChange, FieldFilled, NothingToComplete

Group = Literal["child", "adult", "elderly"]
"""What is seen of an age when there is no time to ask."""
COMPLETED = (
    "full_name", "birth", "nik", "document_type", "document_number", "mother_name", "origin_village",
    "family_contact", "language",
)  # fmt: skip
"""Fields of the identity that may be completed."""


def guessed(group: Group, on: date) -> Birth:
    """The births that somebody may have who looks like a child, an adult under sixty, or older, on that day."""
    oldest = {"child": ADULT_FROM - 1, "adult": ELDERLY_FROM - 1, "elderly": OLDEST}[group]
    youngest = {"child": 0, "adult": ADULT_FROM, "elderly": ELDERLY_FROM}[group]
    return Birth(aged(oldest, on).earliest, min(aged(youngest, on).latest, on), "age")


def completed(identity: Identity, said: Mapping[str, str]) -> tuple[Identity, tuple[str, ...]]:
    """The identity with what was said in its empty fields, and which those are.

    A birth may be told more exactly than it stands there. Raises `FieldFilled`, `AgeBandWouldChange`,
    `NothingToComplete`.
    """
    changed: dict[str, str] = {}
    for name, value in said.items():
        stands = getattr(identity, name)
        if not value or value == stands:
            continue
        if stands and name != "birth":
            raise FieldFilled(name)
        if stands and not _is_within(value, stands):
            raise AgeBandWouldChange
        changed[name] = value
    if not changed:
        raise NothingToComplete
    return identity._replace(**changed), tuple(changed)


def _is_within(birth: str, guess: str) -> bool:
    """True when a birth is one of those that were thought possible, give or take a day on which it was told."""
    told, thought = read_kept(birth), read_kept(guess)
    slack = timedelta(days=1)
    return thought.earliest - slack <= told.earliest and told.latest <= thought.latest + slack
