"""Who can be the adult that is named when a child is recorded. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from services.intake.domain.households import CHILDREN
from services.intake.domain.problems import msg
from shared.contracts.codes import AgeBand

LANDED_WITHIN = timedelta(days=14)
"""So far apart a child without a voyage and its adult land at most; beyond that two people of the port link them."""
Unfit = Literal["unknown", "child", "entered_in_error", "died", "other_voyage", "landed_apart"]
"""Why whoever is named does not answer for the child."""


@dataclass(frozen=True, slots=True)
class Landing:
    """An arrival at the port, as far as it can be that of a child's adult."""

    case_id: str
    age_band: AgeBand
    voyage_id: str | None
    arrived_at: datetime
    ended_as: Literal["entered_in_error", "died"] | None


def unfit(adult: Landing, *, voyage_id: str | None, landed_at: datetime) -> Unfit | None:
    """Why this is not the adult of a child who landed then with that voyage, or with none; None where it can be."""
    if adult.ended_as is not None:
        return adult.ended_as
    if adult.age_band in CHILDREN:
        return "child"
    if voyage_id is not None:
        return None if adult.voyage_id == voyage_id else "other_voyage"
    return None if abs(adult.arrived_at - landed_at) <= LANDED_WITHIN else "landed_apart"


LINK_THEM = msg("If the two belong together, link them on the page of the household: a second person confirms it.")
UNFIT: dict[Unfit, tuple[str, str]] = {
    "unknown": (
        msg("No adult who landed at your port has this code."),
        msg("Log the adult first and copy the code from the slip, or leave it empty: the child is protected as alone."),
    ),
    "child": (
        msg("Who was named as answering for the child is a child, or somebody whose age nobody knows."),
        msg("Name an adult, or correct the age first and link the two afterwards."),
    ),
    "entered_in_error": (
        msg("The arrival of who was named as answering for the child was entered in error."),
        msg("Take the code from the slip of the adult's own case."),
    ),
    "died": (
        msg("Who was named as answering for the child has died."),
        msg("Name another adult who is with the child, or leave it empty: the child is protected as alone."),
    ),
    "other_voyage": (msg("Who was named as answering for the child did not land with this voyage."), LINK_THEM),
    "landed_apart": (
        msg("Who was named as answering for the child landed more than 14 days before or after it."),
        LINK_THEM,
    ),
}
"""What stands in the way, and what to do."""
