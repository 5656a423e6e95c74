"""Whom a list recorded that is of another voyage: who can be taken back as recorded, and whom a person decides on."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

LeftFor = Literal[
    "died", "erased", "corrected", "screened", "consented", "compared", "linked", "helped", "answers_for"
]  # fmt: skip
"""What was done since, the first that fits: a death noted; erased; age, sex, origin, needs or identity corrected, or
another age asked for; screened; something said of consent; compared with an earlier return and decided; household or
guardian said by people; shown to an agency, or helped to an end; answers for a child that is left, or of no such list.
"""
UNTOUCHED = 1
"""The version of an arrival of which nothing was corrected."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Somebody whom a list recorded. `children`: whom the person answers for now; `adults`: who answers for it."""

    case_id: str
    in_error: bool
    worked_on: LeftFor | None
    children: tuple[str, ...] = ()
    adults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """Everybody whom a list recorded is in one of three: in error by now, as recorded, or left for a person."""

    in_error: int
    as_recorded: Sequence[Listed]
    """In the order in which they are taken back: children before who answers for them, so that no child is alone."""
    left: Mapping[str, LeftFor]
    """By case."""

    @property
    def recorded(self) -> int:
        return self.in_error + len(self.as_recorded) + len(self.left)

    @property
    def reasons(self) -> Counter[LeftFor]:
        """How many are left for each reason, the most first."""
        return Counter(dict(Counter(self.left.values()).most_common()))


def judge(people: Iterable[Listed]) -> Standing:
    """How whom a list recorded stands."""
    everybody = [*people]
    landed = [one for one in everybody if not one.in_error]
    untouched = {one.case_id: one for one in landed if one.worked_on is None}
    needed = {id_ for id_, one in untouched.items() if not untouched.keys() >= set(one.children)}
    return Standing(
        in_error=len(everybody) - len(landed),
        as_recorded=sorted(
            (one for id_, one in untouched.items() if id_ not in needed),
            key=lambda one: (bool(one.children), one.case_id),
        ),
        left={one.case_id: one.worked_on or "answers_for" for one in landed if one.worked_on or one.case_id in needed},
    )
