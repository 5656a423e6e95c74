"""Who may be one person under other details: on two lists of a voyage, a question for whoever calls the roll; or logged
one by one before a list came, a question for whoever sends it."""

from collections.abc import Collection, Mapping, Set
from typing import NamedTuple

from services.intake.domain import dates
from services.intake.domain.held import Who, is_telling
from services.intake.domain.matching.names import read_name

BESIDE_THE_NAME = ("sex", "origin_regency", "document_number", "nik")
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
    if (name := name_of(who)) and "birth" in who:
        keys.add(f"person {name} {who['birth']}")
    return frozenset(keys)


def name_of(who: Who) -> str:
    """The name in one spelling, without titles and the father's; "" where there is none."""
    return " ".join(read_name(who.get("full_name", "")).own)


def is_told_less(one: Who, other: Who) -> bool:
    """True where two of one name differ in nothing that both say, but that one may tell the birth less exactly or not
    at all: on the quay, and in some lists, there are only ages.
    """
    if any(one[field] != other[field] for field in BESIDE_THE_NAME if field in one and field in other):
        return False
    if "birth" not in one or "birth" not in other:
        return True
    return dates.read_kept(one["birth"]).may_be(dates.read_kept(other["birth"]))


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


def may_be_one(one: Who, other: Who) -> bool:
    """True where two share a NIK, or name and birth, as exactly as both tell it; or a document, unless neither name nor
    birth are the same: a family may travel on one."""
    shared = keys_of(one) & keys_of(other)
    if any(not key.startswith("document_number ") for key in shared):
        return True
    if shared and any(
        field not in one or field not in other or one[field] == other[field] for field in ("full_name", "birth")
    ):
        return True
    return bool(name_of(one)) and name_of(one) == name_of(other) and is_told_less(one, other)


class Logged:
    """Who of a voyage was logged one by one, by case, to be known again on a list; each stands for one of its rows."""

    def __init__(self, people: Mapping[str, Who]) -> None:
        self._people = people
        self._holders: dict[str, list[str]] = {}
        for case_id, who in people.items():
            for key in _near_by(who):
                self._holders.setdefault(key, []).append(case_id)
        self._taken: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._people)

    def find(self, who: Who) -> str | None:
        """Who this is beyond doubt: both say the same as far as both say something, and enough."""
        for case_id in self._near(who):
            one = self._people[case_id]
            if case_id not in self._taken and _says_no_more(one, who) | _says_no_more(who, one):
                return case_id
        return None

    def may_be(self, who: Who) -> bool:
        """True where this may be one of them, also one who stands for another row."""
        return any(may_be_one(self._people[case_id], who) for case_id in self._near(who))

    def take(self, case_id: str) -> None:
        """Let one of them stand for a row, and for no other."""
        self._taken.add(case_id)

    def _near(self, who: Who) -> list[str]:
        if not self._people:
            return []
        return list(dict.fromkeys(case_id for key in _near_by(who) for case_id in self._holders.get(key, ())))


def _near_by(who: Who) -> frozenset[str]:
    return keys_of(who) | {f"name {name_of(who)}"}


def _says_no_more(one: Who, other: Who) -> bool:
    """True where one says enough to be found again by, and the other says all of it."""
    return is_telling(one) and all(other.get(field) == said for field, said in one.items())
