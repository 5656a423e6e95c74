"""How long what is kept, as data. Where a law gives no period it is ours; docs/retention.md says which and why."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

YEAR = timedelta(days=365)

VICTIM_NEEDS = ("TIP", "GBV")
"""Needs of victims of crimes that come before a court many years later."""

Kind = Literal["identity", "answers", "requests", "held_rows", "drafts"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One class of data. An identity is erased when help has ended for `after` and no need is open; all else by age.

    `bands` and `victims` say whose identity: the age bands, and whether with a need of `VICTIM_NEEDS` (None: either).
    """

    code: str
    kind: Kind
    after: timedelta
    bands: tuple[str, ...] = ()
    victims: bool | None = None

    def ends_before(self, now: datetime) -> datetime:
        """What is older than this has reached its period."""
        return now - self.after


RULES = (
    Rule("identity_adult", "identity", 5 * YEAR, ("adult", "elderly"), victims=False),
    Rule("identity_victim", "identity", 10 * YEAR, ("adult", "elderly"), victims=True),
    Rule("identity_child", "identity", 18 * YEAR, ("child", "unknown")),
    Rule("repeated_writes", "requests", timedelta(days=400)),
    Rule("held_rows", "held_rows", timedelta(days=400)),
    Rule("first_answers", "answers", timedelta(days=30)),
    Rule("drafts", "drafts", timedelta(days=14)),
)
BY_CODE = {rule.code: rule for rule in RULES}


@dataclass(frozen=True, slots=True)
class Report:
    """What one batch removed, and how many people a legal hold kept."""

    rule: str
    removed: int
    held: int
    reported_at: datetime


@dataclass(frozen=True, slots=True)
class Forecast:
    """What of one rule would go until a day if nothing changed, and what a legal hold would keep."""

    rule: Rule
    due: int
    held: int


def first_id_at(when: datetime) -> str:
    """The lowest time-ordered id (UUID version 7) of a moment: whatever was made before has a lower one."""
    digits = f"{int(when.timestamp() * 1000):012x}"
    return f"{digits[:8]}-{digits[8:]}-0000-0000-000000000000"
