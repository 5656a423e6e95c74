"""Who stands on two lists of a voyage under other details: a question for whoever calls the roll."""

from collections.abc import Collection, Mapping, Set
from typing import NamedTuple

from services.intake.domain.held import Who
from services.intake.domain.matching.names import read_name

MOST_HOLDERS = 20
"""What more rows than these have in common tells nothing of any of them."""


class Place(NamedTuple):
    """A row of a list."""

    draft_id: str
    row: int


def keys_of(who: Who) -> frozenset[str]:
    """What says that two rows may be one person: a NIK, a document, or the birth with the name in one spelling.

    Titles count for nothing, nor the father's name, which only some lists have.
    """
    keys = {f"{field} {who[field]}" for field in ("nik", "document_number") if field in who}
    name = read_name(who.get("full_name", "")).own
    if name and "birth" in who:
        keys.add(f"person {' '.join(name)} {who['birth']}")
    return frozenset(keys)


def alike(keys: Mapping[Place, Collection[str]], carried: Set[str]) -> dict[Place, tuple[Place, ...]]:
    """Rows that may be one person, of a list of people who were `carried` over and of another list, either way."""
    holders: dict[str, list[Place]] = {}
    for place, some in keys.items():
        for key in some:
            holders.setdefault(key, []).append(place)
    found: dict[Place, set[Place]] = {}
    for places in holders.values():
        for one in places if len(places) <= MOST_HOLDERS else ():
            for other in places:
                if one.draft_id != other.draft_id and {one.draft_id, other.draft_id} & carried:
                    found.setdefault(one, set()).add(other)
    return {place: tuple(sorted(others)) for place, others in found.items()}
