"""How much two people agree in each field that both have: levels in words, from the same to another."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from operator import ne
from typing import NamedTuple

from services.intake.domain import dates
from services.intake.domain.lookups import normalised
from services.intake.domain.matching.names import Name, fold, read_name, sound_of
from services.intake.domain.people import Identity, born_in

MISSING = "missing"
"""One of the two does not say it: nothing is told by it, neither way."""

LEVELS = {
    "name": (
        "same_rare", "spelt_rare", "same_common", "spelt_common", "part_rare", "part_common", "some", "other",
    ),
    "father": ("same", "close", "other"),
    "mother": ("same", "close", "other"),
    "birth": ("same", "swapped", "slip", "within", "near", "years", "other"),
    "nik": ("same", "slip", "serial", "other"),
    "document": ("same", "slip", "other"),
    "regency": ("same", "province", "other"),
    "birthplace": ("same", "close", "other"),
    "sex": ("same", "other"),
}  # fmt: skip
"""Of each field, from full agreement to none."""
FIELDS = tuple(LEVELS)

COMMON_WORDS = """
muhammad ahmad abdul siti nur sri dewi agus budi eko ani ana maria yohanes andi tri dwi putri putra sari wati
yanti rahman hasan ali umar usman ibrahim ismail yusuf fatimah aisyah aminah rohani halimah ratna lestari
susanti setiawan hidayat kurniawan wahyudi sulaiman daeng la wa i
"""
COMMON = frozenset(COMMON_WORDS.split())
"""Words that so many are called by that they tell little; as in `names`, of the spelling that is compared."""

ALIKE = 3
"""Words that sound alike differ in so many letters at most."""
FAR_YEARS = 3
"""An age that was told may be so many years off and still be meant."""


class Birthday(NamedTuple):
    """Any day from `earliest` to `latest`."""

    earliest: date
    latest: date

    @property
    def is_exact(self) -> bool:
        return self.earliest == self.latest


@dataclass(frozen=True, slots=True)
class Features:
    """What of a person is compared, in the spelling it is compared in. It lives for one comparison."""

    names: tuple[Name, ...]
    """The name, and the other name where there is one."""
    birth: Birthday | None
    nik: str
    document: str
    mother: tuple[str, ...]
    regency: str
    birthplace: str
    sex: str


def features_of(identity: Identity, *, regency: str | None, sex: str) -> Features:
    """What is compared of an identity and of what is kept in codes beside it."""
    called = (read_name(identity.full_name), *([read_name(identity.alias)] if identity.alias else ()))
    return Features(
        names=tuple(name for name in called if name.own) or called[:1],
        birth=read_birthday(identity.birth),
        nik=normalised("nik", identity.nik),
        document=normalised("document", identity.document_number),
        mother=read_name(identity.mother_name).own if identity.mother_name else (),
        regency=regency or "",
        birthplace=fold(identity.birthplace),
        sex=sex,
    )


def read_birthday(text: str) -> Birthday | None:
    """A birth as it is sealed (`people.Birth.text`); None when nothing is said."""
    if not text:
        return None
    earliest, slash, latest = text.partition("/")
    if slash:
        return Birthday(date.fromisoformat(earliest), date.fromisoformat(latest))
    born = dates.read_birth(text)
    if born.precision == "day" and (born.earliest.month, born.earliest.day) == (1, 1):
        born = born_in(born.earliest.year)  # what papers say of those of whom only the year is known
    return Birthday(born.earliest, born.latest)


def compare(one: Features, other: Features) -> dict[str, str]:
    """The level of each field, by its name; the same whichever of the two is named first."""
    names = [(_name(a, b), _father(a, b)) for a in one.names for b in other.names]
    best = min((name for name, _ in names), key=LEVELS["name"].index)
    fathers = [father for _, father in names if father != MISSING]
    return {
        "name": best,
        "father": min(fathers, key=LEVELS["father"].index) if fathers else MISSING,
        "mother": _words(one.mother, other.mother),
        "birth": _birth(one.birth, other.birth),
        "nik": _nik(one.nik, other.nik),
        "document": _document(one.document, other.document),
        "regency": _regency(one.regency, other.regency),
        "birthplace": _words(one.birthplace.split(), other.birthplace.split()),
        "sex": MISSING if "X" in (one.sex, other.sex) else "same" if one.sex == other.sex else "other",
    }


def edits(one: str, other: str, most: int) -> int:
    """Letters to put in, leave out, change or swap with the next to make one of the other; `most` + 1 for more."""
    if one == other:
        return 0
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for n, letter in enumerate(one, 1):
        last, row, twice = row, [n], before
        for m, against in enumerate(other, 1):
            least = min(last[m] + 1, row[m - 1] + 1, last[m - 1] + (letter != against))
            if twice and n > 1 and m > 1 and letter == other[m - 2] and one[n - 2] == against:
                least = min(least, twice[m - 2] + 1)
            row.append(least)
        if min(row) > most:
            return most + 1
        before = last
    return min(row[-1], most + 1)


def is_close(one: str, other: str) -> bool:
    """True for words that sound alike or differ by a slip of the pen: two in words of eight letters and more."""
    if len(one) > len(other):
        one, other = other, one
    if len(one) == 1:
        return other.startswith(one)
    letters = len(set(one) ^ set(other))  # an edit changes two of them at most
    slips = 0 if len(other) < 4 else 1 if len(other) < 8 else 2
    if letters <= 2 * slips and edits(one, other, slips) <= slips:
        return True
    return letters <= 2 * ALIKE and sound_of(one) == sound_of(other) and edits(one, other, ALIKE) <= ALIKE


def _agreeing(one: Sequence[str], other: Sequence[str]) -> tuple[list[str], int]:
    """Words of one that the other has too, or has nearly; and how many of them letter by letter.

    Each word is used once, those that are the same first, so that the order of the two makes no difference to how many.
    """
    left, right = list(one), list(other)
    same = []
    for word in one:
        if word in right:
            right.remove(word)
            left.remove(word)
            same.append(word)
    close = []
    for word in sorted(left):
        found = next((against for against in sorted(right) if is_close(word, against)), None)
        if found is not None:
            right.remove(found)
            close.append(min(word, found, key=len))
    return same + close, len(same)


def _name(one: Name, other: Name) -> str:
    """Where only one says bin, the father's name may stand in the other without it."""
    level = _whole(one.own, other.own)
    if bool(one.father) != bool(other.father):
        level = min(level, _whole(one.own + one.father, other.own + other.father), key=LEVELS["name"].index)
    return level


def _whole(one: Sequence[str], other: Sequence[str]) -> str:
    if not one or not other:
        return "other"
    few, many = sorted((one, other), key=lambda words: (len(words), list(words)))
    if len(few) < len(many) and _are_written_together(few, many):
        return "spelt_" + _rarity(many)
    agreeing, same = _agreeing(few, many)
    if len(agreeing) < len(few):
        return "some" if any(word not in COMMON for word in agreeing) else "other"
    if len(few) == len(many):
        return ("same_" if same == len(few) else "spelt_") + _rarity(agreeing)
    return "part_" + _rarity(agreeing)


def _are_written_together(few: Sequence[str], many: Sequence[str]) -> bool:
    """True for Laode and La Ode; where the first two words are short, letter by letter alone."""
    one, other = "".join(few), "".join(many)
    return one == other or (len(many[0]) + len(many[1]) >= 6 and is_close(one, other))


def _rarity(words: Sequence[str]) -> str:
    rare = [word for word in words if word not in COMMON and len(word) > 2]
    return "rare" if len(words) > 1 and rare else "common"


def _father(one: Name, other: Name) -> str:
    return _words(one.father, other.father)


def _words(one: Sequence[str], other: Sequence[str]) -> str:
    if not one or not other:
        return MISSING
    few, many = sorted((one, other), key=lambda words: (len(words), list(words)))
    agreeing, same = _agreeing(few, many)
    if same == len(few) == len(many):
        return "same"
    return "close" if len(agreeing) == len(few) else "other"


def _birth(one: Birthday | None, other: Birthday | None) -> str:
    if one is None or other is None:
        return MISSING
    if one.is_exact and other.is_exact:
        return _days(one.earliest, other.earliest)
    if one.earliest <= other.latest and other.earliest <= one.latest:
        return "within"
    apart = max(one.earliest.year - other.latest.year, other.earliest.year - one.latest.year)
    return "years" if apart <= FAR_YEARS else "other"


def _days(one: date, other: date) -> str:
    if one == other:
        return "same"
    if (one.year, one.month, one.day) == (other.year, other.day, other.month):
        return "swapped"
    if edits(one.strftime("%Y%m%d"), other.strftime("%Y%m%d"), 1) <= 1:
        return "slip"
    if one.year == other.year:
        return "near"
    return "years" if abs(one.year - other.year) <= FAR_YEARS else "other"


def _nik(one: str, other: str) -> str:
    if not one or not other:
        return MISSING
    if one == other:
        return "same"
    if one[:12] == other[:12]:
        return "serial"
    return "slip" if len(one) == len(other) and _wrong(one, other) <= 2 else "other"


def _document(one: str, other: str) -> str:
    if not one or not other:
        return MISSING
    if one == other:
        return "same"
    return "slip" if _wrong(one, other) <= 2 and edits(one, other, 1) <= 1 else "other"


def _wrong(one: str, other: str) -> int:
    """In how many places two numbers of one length differ; 0 for those of different lengths, which are counted else."""
    return sum(map(ne, one, other)) if len(one) == len(other) else 0


def _regency(one: str, other: str) -> str:
    if not one or not other:
        return MISSING
    if one == other:
        return "same"
    return "province" if one[:2] == other[:2] else "other"
