"""What two records of one person are likely to share: the keys by which earlier returns are found at all.

Each key joins two or three things that seldom change together, so that one that was misspelt, swapped or left out
leaves the others. They are digested under a key before they are kept.
"""

from collections.abc import Iterator
from datetime import date

from services.intake.domain.matching.fields import COMMON, Birthday, Features
from services.intake.domain.matching.names import Name, sound_of

WORDS = 4
"""So many words of a name make keys, the longest first: who has more is found by these."""


def keys_of(person: Features) -> set[str]:
    """The keys that a person is kept under. Never empty."""
    keys: set[str] = set()
    years = _years(person.birth)
    for name in person.names:
        sounds = _sounds(name)
        whole = " ".join(sorted(sounds))
        keys.update(f"name year {whole} {year}" for year in years)
        keys.add(f"name regency {whole} {person.regency}" if person.regency else f"name {whole}")
        for sound in sounds:
            keys.update(f"word day {sound} {day}" for day in _days(person.birth))
            keys.update(f"word year regency {sound} {year} {person.regency}" for year in years if person.regency)
        if name.father:
            keys.add(f"name father {sounds[0]} {sound_of(name.father[0])}")
    keys.update(f"{kind} {number}" for kind, number in (("nik", person.nik), ("document", person.document)) if number)
    if person.mother:
        keys.update(f"mother year {_joined(person.mother)} {year}" for year in years)
        keys.add(f"mother word {_joined(person.mother)} {_sounds(person.names[0])[0]}")
    return keys


def asked_by(person: Features) -> set[str]:
    """The keys under which others are looked for: the own ones, and those that a slip would have made of them."""
    keys = keys_of(person)
    birth = person.birth
    if birth is None:
        return keys
    for name in person.names:
        sounds = _sounds(name)
        whole = " ".join(sorted(sounds))
        keys.update(f"name year {whole} {year}" for year in _around(birth))
        for sound in sounds:
            keys.update(f"word day {sound} {day}" for day in _swapped(birth))
    return keys


def _sounds(name: Name) -> list[str]:
    """How the words of a name sound, those that tell most first; the joined whole of one that has no words."""
    words = sorted(set(name.own), key=lambda word: (word in COMMON, -len(word), word))[:WORDS]
    return [sound_of(word) for word in words] or [""]


def _joined(words: tuple[str, ...]) -> str:
    return " ".join(sorted(map(sound_of, words)))


def _years(birth: Birthday | None) -> range:
    return range(0) if birth is None else range(birth.earliest.year, birth.latest.year + 1)


def _around(birth: Birthday) -> range:
    return range(birth.earliest.year - 1, birth.latest.year + 2)


def _days(birth: Birthday | None) -> Iterator[str]:
    if birth is not None and birth.is_exact:
        yield birth.earliest.isoformat()


def _swapped(birth: Birthday) -> Iterator[str]:
    """Day and month for one another, where that is a day."""
    born = birth.earliest
    if birth.is_exact and born.day <= 12 and born.day != born.month:
        yield date(born.year, born.day, born.month).isoformat()
