"""Who was recorded by a row of a list and may stand in a later upload under another name: nobody is recorded twice."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from services.intake.domain.doubles import is_told_less
from services.intake.domain.held import Who
from services.intake.domain.matching.blocks import asked_by, keys_of
from services.intake.domain.matching.fields import Features, compare, features_of
from services.intake.domain.matching.scoring import weigh
from services.intake.domain.people import Identity

LIKELY_FROM = 2.0
"""Bits from which a row is held back; fewer than for a match to an earlier return, as few rows come into question."""
SAME_PLACE = 3.0
"""Bits that it tells to stand in the same place of the list, or beside the same person: a corrected file keeps most."""
PAPERS_DIFFER = {(paper, level) for paper in ("document", "nik") for level in ("slip", "serial", "other")}
"""People of one ship have papers with numbers one after another: who has another number is another person here."""
MOST_HOLDERS = 20
"""What more rows than these have in common tells nothing of any of them."""


class Corrected:
    """Who was recorded by lists of a voyage and stands on a later one by no row as then: known by what is left."""

    def __init__(self, people: Iterable[Who] = ()) -> None:
        self._holders: dict[str, list[Who]] = {}
        for who in people:
            for key in [*_left_of(who), f"name {who.get('full_name')}"]:
                self._holders.setdefault(key, []).append(who)

    def __bool__(self) -> bool:
        return bool(self._holders)

    def may_be(self, who: Who) -> bool:
        """True for who has the NIK of one of them, or name and birth as exactly as both tell it; or the document, with
        either of the two."""
        near = [one for key in _left_of(who) for one in self._holders.get(key, ())]
        return any(
            one["nik"] == who["nik"]
            if "nik" in one and "nik" in who
            else any(field in who and one.get(field) == who[field] for field in ("full_name", "birth"))
            for one in near
        ) or any(is_told_less(one, who) for one in self._named(who))

    def _named(self, who: Who) -> list[Who]:
        """Who has this name; nobody where so many have it that it tells nothing."""
        named = self._holders.get(f"name {who.get('full_name')}", [])
        return named if len(named) <= MOST_HOLDERS else []


def _left_of(who: Who) -> list[str]:
    """What a correction of something else leaves."""
    keys = [f"{field} {who[field]}" for field in ("nik", "document_number") if field in who]
    return [*keys, f"name {who['full_name']} {who['birth']}"] if "full_name" in who and "birth" in who else keys


class Alike(NamedTuple):
    """A row of the later upload that may be of somebody whom a row of the one before had recorded."""

    bits: float
    now: int
    was: int


def likely_again(
    recorded: Mapping[int, Who], new: Mapping[int, Who], *, numbers: Mapping[int, int], shift: int
) -> dict[int, int]:
    """Numbers of new rows that are likely of somebody recorded → the rows by which they were.

    `numbers`: which row is which otherwise. `shift`: how much further down the first row of the later upload stands.
    """
    were = {number: _features(who) for number, who in recorded.items()}
    holders: dict[str, list[int]] = {}
    for number, person in were.items():
        for key in keys_of(person) | {_born(recorded[number])}:
            holders.setdefault(key, []).append(number)
    found: list[Alike] = []
    for number, who in new.items():
        person = _features(who)
        beside = {number - shift, numbers.get(number - 1, -1) + 1, numbers.get(number + 1, 1) - 1} & were.keys()
        for was in beside | _sharing(holders, asked_by(person) | {_born(who)}):
            levels = compare(were[was], person)
            bits = weigh(levels) + (SAME_PLACE if was in beside else 0)
            if bits >= LIKELY_FROM and not PAPERS_DIFFER & levels.items():
                found.append(Alike(bits, number, was))
    return _one_to_one(found)


def _features(who: Who) -> Features:
    said = {field: who[field] for field in ("full_name", "document_number", "nik", "birth") if field in who}
    identity = Identity(**{"full_name": "", **said})
    return features_of(identity, regency=who.get("origin_regency"), sex=who.get("sex", "X"))


def _born(who: Who) -> str:
    """What a name that was written quite differently leaves."""
    return f"born {who.get('birth', '')} {who.get('sex', '')}"


def _sharing(holders: Mapping[str, list[int]], keys: Collection[str]) -> set[int]:
    return {number for key in keys for number in holders.get(key, ()) if len(holders[key]) <= MOST_HOLDERS}


def _one_to_one(found: Iterable[Alike]) -> dict[int, int]:
    """The likeliest first; each row is of one other."""
    again: dict[int, int] = {}
    taken: set[int] = set()
    for one in sorted(found, key=lambda one: (-one.bits, one.now, one.was)):
        if one.now not in again and one.was not in taken:
            again[one.now] = one.was
            taken.add(one.was)
    return again
