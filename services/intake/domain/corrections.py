"""Correcting an identity: which fields, what they may become, and until when it is decided."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Literal

from services.intake.domain import cells, dates, people
from services.intake.domain.cells import BadCell

DECIDE_WITHIN = timedelta(hours=72)
"""3 x 24 hours from the request (UU 27/2022 Art 30)."""

Decision = Literal["accepted", "rejected", "erased"]
RejectReason = Literal["no_proof", "not_this_person", "already_so", "withdrawn"]


def _birth(text: str) -> str:
    try:
        return dates.read_birth(text).text
    except dates.BadDate as bad:
        raise BadCell(bad.code) from None


_OWN: Mapping[str, Callable[[str], str]] = {
    "full_name": cells.name,
    "mother_name": cells.name,
    "nik": cells.nik,
    "document_number": cells.document_number,
    "document_type": cells.document_type,
    "birth": _birth,
}


def read_value(field: str, text: str) -> str:
    """What a field is to become, in the form that it is kept in; empty to take it away. Raises `BadCell`."""
    if not text.strip():
        if field == "full_name":
            raise BadCell("missing")
        return ""
    return _OWN.get(field, cells.text)(text.strip())


def keeps_age_band(birth: str, *, band: str, on: date) -> bool:
    """False for a birth by which a child would become an adult, or the other way: that takes another decision.

    Raises `BadCell` for a birth that nobody who landed that day can have.
    """
    born = dates.read_birth(birth) if birth else None
    if born is not None:
        cells.in_life(born, on)
    return people.age_band(born, on) == band
