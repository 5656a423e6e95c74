"""Heads of a voyage as others count them: letters, minutes of handovers, counts on the quay. No person stands behind
these numbers; they are kept apart from who was recorded, and never made to fit."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, get_args

from services.intake.domain.refusals.totals import PartTwice, PartUnknown
from shared.contracts import codes

Kind = Literal["letter", "minutes", "count"]
"""A letter that announces, the minutes of one handover abroad (a ship may bring several), a count on landing."""
Dimension = Literal["group", "depot", "reason", "origin"]
Group = Literal["men", "women", "boys", "girls", "children"]
"""`children` where boys and girls are not told apart."""
WithdrawReason = Literal["replaced", "entered_in_error"]

DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
GROUPS: tuple[Group, ...] = get_args(Group)
UNKNOWN = "unknown"
"""An origin that the source gives as not known."""
OTHER = "other"
"""Origins of which the source says only how many are of all those that it does not name."""
MOST_PARTS = 100
LONGEST = 80
PLACE_WORDS = frozenset(
    {"dti", "pts", "depo", "depot", "tahanan", "sementara", "imigresen", "imigrasi", "kjri", "kri", "pusat"}
)
"""Words that one source writes before the name of a depot and another leaves out."""


@dataclass(frozen=True, slots=True)
class Part:
    """So many of the heads. `value`: a group, a province's code, `unknown` or `other`, else the words of the source."""

    dimension: Dimension
    value: str
    heads: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What one letter, one set of minutes or one count says. It stands until it is withdrawn.

    `number` and `dated` are those of the paper, `issued_by` who wrote it; `depot` is where the people of the minutes
    were held. Empty where it says nothing.
    """

    source_id: str
    voyage_id: str
    kind: Kind
    heads: int
    recorded_by: str
    recorded_at: datetime
    number: str = ""
    dated: date | None = None
    issued_by: str = ""
    depot: str = ""
    parts: tuple[Part, ...] = ()
    withdrawn_as: WithdrawReason | None = None
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = None

    @property
    def stands(self) -> bool:
        return self.withdrawn_as is None

    def told(self, dimension: Dimension) -> dict[str, int]:
        """Heads by value of one dimension. Minutes of one depot say of all their people where they were held."""
        heads = {part.value: part.heads for part in self.parts if part.dimension == dimension}
        return {self.depot: self.heads} if dimension == "depot" and self.depot and not heads else heads

    @property
    def children(self) -> int:
        """Children, told as a whole or by sex; who is told both ways counts once."""
        heads = self.told("group")
        return max(heads.get("children", 0), heads.get("boys", 0) + heads.get("girls", 0))

    def sum_of(self, dimension: Dimension) -> int | None:
        """How many heads its parts come to in one dimension; None when it does not tell them all apart by it."""
        heads = self.told(dimension)
        if dimension != "group":
            return sum(heads.values()) if heads else None
        if "men" not in heads or "women" not in heads:
            return None
        return heads["men"] + heads["women"] + self.children


def checked(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts, if each says something of its own. Raises `PartUnknown`, `PartTwice`."""
    seen: set[tuple[str, str]] = set()
    for part in parts:
        if part.dimension == "group" and part.value not in GROUPS:
            raise PartUnknown(part.value, ", ".join(GROUPS))
        if part.dimension == "origin" and part.value not in {UNKNOWN, OTHER, *codes.provinces()}:
            raise PartUnknown(part.value, f"61, 73, {UNKNOWN}, {OTHER}")
        key = (part.dimension, same(part.value))
        if key in seen:
            raise PartTwice(part.value)
        seen.add(key)
    return tuple(parts)


def same(label: str) -> str:
    """A depot or a reason for comparison: `DTI Tawau`, `Tawau (PTS)` and `tawau` are one."""
    words = re.sub(r"[\W_]+", " ", label.casefold()).split()
    return " ".join([word for word in words if word not in PLACE_WORDS] or words)
