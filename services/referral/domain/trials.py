"""What other rules, or another directory, would have made of past decisions: who would have gone where. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.referral.domain import figures
from services.referral.domain.deadlines import counted_of
from services.referral.domain.figures import RESTRICTED
from services.referral.domain.routing import Candidate, Counted, Decision

Move = tuple[str, str, str | None, str | None]
"""Need, province where help is due, and the first agency before and after; None: nobody."""
Span = tuple[int, int, Counted]
"""The hours that an agency has to answer and to help, and which hours count."""
TOTALS = ("needs", "same", "unroutable", "households", "parted_before", "parted_after")
Retiming = tuple[str, str, Span, Span]
"""Need, agency, and its time before and after."""


@dataclass(slots=True)
class Trial:
    """Counts of needs. With `apart`, needs of the case team stand in lines called `restricted`."""

    apart: bool
    needs: int = 0
    same: int = 0
    moved: Counter[Move] = field(default_factory=Counter)
    retimed: Counter[Retiming] = field(default_factory=Counter)
    load_before: Counter[str] = field(default_factory=Counter)
    load_after: Counter[str] = field(default_factory=Counter)
    households: int = 0
    parted_before: int = 0
    parted_after: int = 0

    def add_household(self, *, before: bool, after: bool) -> None:
        """Count one household: whether somebody of it is apart under each."""
        self.households += 1
        self.parted_before += before
        self.parted_after += after

    def add(self, before: Decision, after: Decision, *, needs: int, restricted: bool) -> None:
        """Count one decision on the same facts under both."""
        hidden = self.apart and restricted
        was, would = _first(before), _first(after)
        self.needs += needs
        for load, candidate in ((self.load_before, was), (self.load_after, would)):
            if candidate is not None:
                load[RESTRICTED if hidden else candidate.agency_id] += needs
        if (was and was.agency_id) != (would and would.agency_id):
            self.moved[_move(before, was, would, hidden=hidden)] += needs
            return
        code = before.facts.need
        if was is not None and would is not None and _span(code, was) != _span(code, would):
            need, agency = (RESTRICTED, RESTRICTED) if hidden else (code, was.agency_id)
            self.retimed[need, agency, _span(code, was), _span(code, would)] += needs
        else:
            self.same += needs

    def exact(self) -> dict[str, Any]:
        """All of it, largest first."""
        return {
            "needs": self.needs,
            "same": self.same,
            "moved": [
                {"need": need, "province": province, "before": was, "after": would, "needs": count}
                for (need, province, was, would), count in self.moved.most_common()
            ],
            "unroutable": sum(count for (_, _, _, would), count in self.moved.items() if would is None),
            "households": self.households,
            "parted_before": self.parted_before,
            "parted_after": self.parted_after,
            "deadlines": [
                {"need": need, "agency_id": agency, "before": list(was), "after": list(would), "needs": count}
                for (need, agency, was, would), count in self.retimed.most_common()
            ],
            "load": [
                {"agency_id": agency, "before": self.load_before[agency], "after": self.load_after[agency]}
                for agency in sorted(self.load_before.keys() | self.load_after.keys())
                if self.load_before[agency] != self.load_after[agency]
            ],
        }

    def published(self) -> dict[str, Any]:
        """As people may see it (`domain/figures.py`): in tens, without small numbers; lines that are few are left out.

        In the order of their names, so that the order says nothing of the numbers.
        """
        exact = self.exact()
        return {
            "rounded_to": figures.STEP,
            "fewest": figures.FEWEST,
            **{name: figures.shown(exact[name]) for name in TOTALS},
            "moved": _lines(exact["moved"], "needs"),
            "deadlines": _lines(exact["deadlines"], "needs"),
            "load": _lines(exact["load"], "before", "after"),
        }


def _first(decision: Decision) -> Candidate | None:
    return decision.candidates[0] if decision.candidates else None


def _span(need: str, candidate: Candidate) -> Span:
    return candidate.answer_hours, candidate.service_hours, counted_of(need, candidate.terms.counted)


def _move(before: Decision, was: Candidate | None, would: Candidate | None, *, hidden: bool) -> Move:
    if hidden:
        # That there is nobody is no secret of whom; which agencies it would be, says what the need is.
        return RESTRICTED, RESTRICTED, RESTRICTED if was else None, RESTRICTED if would else None
    facts = before.facts
    return (
        facts.need,
        facts.origin_province or facts.port_province,
        was.agency_id if was else None,
        would.agency_id if would else None,
    )


def _lines(rows: list[dict[str, Any]], *counts: str) -> list[dict[str, Any]]:
    lines = []
    for row in rows:
        fewest = figures.FEWEST_RESTRICTED if RESTRICTED in row.values() else figures.FEWEST
        said: Mapping[str, Any] = row | {name: figures.shown(row[name], fewest=fewest) for name in counts}
        if any(said[name] is not None for name in counts):
            lines.append(dict(said))
    return sorted(lines, key=lambda line: [str(value) for name, value in line.items() if name not in counts])
