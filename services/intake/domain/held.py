"""Rows of lists that were held back, and how a later row is known to be about the same person."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.intake.domain.arrivals import Arrival
from services.intake.domain.people import Birth, Identity
from services.intake.domain.problems import Problem
from shared.contracts.codes import Sex

Who = Mapping[str, str]
"""What a row says of who it is about: only fields that are there and could be read."""
Mark = Callable[[Who, Sequence[str]], bytes]
"""A keyed digest of some fields of a `Who`; what is kept of a held row can be compared and not read."""

_TOGETHER = ("person_repeated", "known_differently", "logged_maybe")
"""Codes that stand at the name and concern the row as a whole: the name itself could be read."""


@dataclass(frozen=True, slots=True)
class Held:
    """A row that an earlier list still holds back. `said`: the fields that its `mark` is made of."""

    manifest_id: str
    row: int
    said: tuple[str, ...]
    mark: bytes
    reference: str

    @property
    def is_telling(self) -> bool:
        """As `is_telling` of what it says."""
        return is_telling(self.said)


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the list that is being taken in, ready or held back itself.

    `settles` is the reference to a held row that it carries; `before` the list that had brought its person in:
    what that list and earlier ones hold back is somebody else.
    """

    who: Who
    settles: str = ""
    before: str = ""


def is_telling(said: Collection[str]) -> bool:
    """True of fields that are enough to be found again by, where all else is alike: two of name, papers and birth."""
    papers = "document_number" in said or "nik" in said
    return papers + ("full_name" in said) + ("birth" in said) >= 2


def who_arrived(arrival: Arrival) -> Who:
    return who_is(arrival.identity, arrival.sex, arrival.origin_regency)


def who_is(identity: Identity, sex: Sex, origin_regency: str | None) -> Who:
    return _said(
        full_name=identity.full_name,
        document_number=identity.document_number,
        nik=identity.nik,
        sex=sex,
        birth=identity.birth,
        origin_regency=origin_regency or "",
    )


def who_was_held(found: Mapping[str, str], birth: Birth | None, problems: Sequence[Problem]) -> Who:
    """What the readable cells of a held row say, without those that have a problem: they will be corrected."""
    wrong = {problem.field for problem in problems if problem.code not in _TOGETHER}
    if wrong & {"birth_date", "birthplace_and_date", "age"}:
        birth = None
    said = {f: found.get(f, "") for f in ("full_name", "document_number", "nik", "sex", "origin_regency")}
    return _said(**{f: "" if f in wrong else value for f, value in said.items()}, birth=birth.text if birth else "")


def reference(file_digest: bytes, row: int) -> str:
    """What names a held row in the file that it is sent back in; no spreadsheet takes it for a number or a date."""
    return f"B{row}-{file_digest[:6].hex()}"


class Search:
    """Looks among held rows for those that stand in a later list, each row of which may stand for one of them.

    `found` are those known again, by their reference or by what they tell; `likely` those that agree as far as they
    could be read. One of these alone proves nothing, most of a list together do.
    """

    def __init__(self, held: Iterable[Held], mark: Mark) -> None:
        self._mark = mark
        self._by_reference = {one.reference: one for one in held}
        self._by_mark: dict[tuple[str, ...], dict[bytes, list[Held]]] = {}
        for one in self._by_reference.values():
            if one.said:
                self._by_mark.setdefault(one.said, {}).setdefault(one.mark, []).append(one)
        self._most_telling_first = sorted(self._by_mark, key=len, reverse=True)
        self.found: set[Held] = set()
        self.likely: Counter[str] = Counter()
        self._taken: set[Held] = set()

    def see(self, line: Line) -> None:
        """Take note of a row of the later list."""
        one = self._by_reference.get(line.settles) or self._alike(line)
        if one is None or one in self._taken:
            return
        self._taken.add(one)
        self.likely[one.manifest_id] += 1
        if one.is_telling or one.reference == line.settles:
            self.found.add(one)

    def _alike(self, line: Line) -> Held | None:
        for said in self._most_telling_first:
            if not all(field in line.who for field in said):
                continue
            for one in self._by_mark[said].get(self._mark(line.who, said), ()):
                if one not in self._taken and one.manifest_id > line.before:
                    return one
        return None


def _said(*, full_name: str, **others: str) -> Who:
    return {field: value for field, value in {"full_name": full_name.casefold(), **others}.items() if value}
