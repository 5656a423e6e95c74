"""What happened, in figures counted from the evidence, as plain text and as the JSON line of `make demo`."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from deploy.local.demo.checker import Verdict
from deploy.local.demo.evidence import Evidence
from deploy.local.demo.leaks import Leak
from deploy.local.demo.voyage import Imported
from shared.contracts import codes

FIGURES = (
    *("broker", "postgres", "announced", "listed", "arrived", "rejected_rows", "needs", "assignments"),
    *("accepted", "declined", "deliveries", "ledger_leaves", "ledger_verified", "lost", "doubled", "seconds"),
)
TOP = 8
SHOWN_PROBLEMS = 12
SHOWN_FINDINGS = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything the run found out."""

    broker: str
    postgres: str
    imported: Imported
    seen: Evidence
    verdict: Verdict
    leaks: tuple[Leak, ...]
    ledger_verified: bool
    ledger_said: str
    listening: str | None
    """The subscription of the NGO whose system answers."""
    received: frozenset[str]
    """Ids of the notices that this system has taken."""
    refused: int
    """Notices that it has refused because of a bad signature."""
    halts: tuple[str, ...]
    """What brought a part of the story to a halt."""
    seconds: float

    @property
    def unseen(self) -> set[str]:
        """Notices that notify says it has delivered to this system, which knows nothing of them."""
        told = {
            d.delivery_id
            for d in self.seen.deliveries
            if d.subscription_id == self.listening and d.state == "delivered"
        }
        return told - self.received

    @property
    def ok(self) -> bool:
        wrong = (self.verdict.findings, self.leaks, self.refused, self.unseen, self.halts)
        return self.ledger_verified and not any(wrong)


def nothing_known(seconds: float) -> dict[str, Any]:
    """The JSON object of a run that ended before anything could be counted."""
    return {**dict.fromkeys(FIGURES), "ledger_verified": False, "seconds": round(seconds, 1)}


def line(o: Outcome) -> dict[str, Any]:
    """The JSON object. `needs` to `deliveries` count rows of the databases; `deliveries` are notices delivered."""
    return {
        "broker": o.broker,
        "postgres": o.postgres,
        "announced": o.imported.announced,
        "listed": len(o.seen.listed_lines),
        "arrived": sum(a.line is not None for a in o.seen.arrivals),
        "rejected_rows": len(o.seen.held_back_lines),
        "needs": sum(len(a.needs) for a in o.seen.arrivals),
        "assignments": len(o.seen.assignments),
        "accepted": _told(o, "assignment_accepted"),
        "declined": _told(o, "assignment_declined"),
        "deliveries": sum(d.state == "delivered" for d in o.seen.deliveries),
        "ledger_leaves": len(o.seen.leaves),
        "ledger_verified": o.ledger_verified,
        "lost": o.verdict.lost,
        "doubled": o.verdict.doubled,
        "seconds": round(o.seconds, 1),
    }


def text(o: Outcome) -> str:
    """For a person at a terminal."""
    figures = line(o)
    needs = Counter(need for a in o.seen.arrivals for need in a.needs)
    opened = o.seen.told("referral", "referral.referral_opened.v1")
    provinces = Counter(row.data["province"] for row in opened)
    asked = Counter(row.data["agency_id"] for row in o.seen.told("referral", "referral.assignment_sent.v1"))
    rerouted = sum(row.data["attempt"] > 1 for row in o.seen.told("referral", "referral.assignment_sent.v1"))
    states = Counter(d.state for d in o.seen.deliveries)
    parts = [
        "",
        "Nunukan, one ferry"
        + (" (taken in by an earlier run, nothing was imported twice)" if o.imported.again else ""),
        f"  announced {figures['announced']}, listed {figures['listed']}, arrived {figures['arrived']},"
        f" held back with a problem {figures['rejected_rows']}",
        *_problems(o.imported),
        "",
        "Needs",
        *_bars((f"{code:<7} {codes.needs()[code].label_en}", n) for code, n in needs.most_common()),
        "",
        "Referrals by province",
        *_bars((codes.provinces()[code].name_en, n) for code, n in provinces.most_common(TOP)),
        *_more(len(provinces) - TOP),
        "",
        "Assignments by agency",
        *_bars(asked.most_common(TOP)),
        *_more(len(asked) - TOP),
        "",
        "Answers",
        f"  accepted {figures['accepted']}, declined {figures['declined']}, expired {_told(o, 'assignment_expired')},"
        f" rerouted {rerouted}, escalated {_told(o, 'referral_escalated')}, gaps {_told(o, 'gap_opened')},"
        f" completed {_told(o, 'assignment_completed')}",
        "",
        "Notices",
        f"  delivered {states['delivered']}, of these {len(o.received)} seen by the NGO's system with a good"
        f" signature and {len(o.unseen)} not seen; refused by it {o.refused};"
        f" waiting for the receiver that is down {len(o.seen.deliveries) - states['delivered']}",
        "",
        "Ledger",
        f"  {figures['ledger_leaves']} leaves; checkpoint verified: {'yes' if o.ledger_verified else 'NO'}"
        f" ({o.ledger_said})",
        "",
        "Checked against the file, the four databases and the topics",
        f"  lost {figures['lost']}, doubled {figures['doubled']}, identifying values outside the vault {len(o.leaks)}",
        *(f"    {finding}" for finding in o.verdict.findings[:SHOWN_FINDINGS]),
        *_more(len(o.verdict.findings) - SHOWN_FINDINGS),
        *(f"    identifying value in {place}" for place in sorted({leak.place for leak in o.leaks})[:SHOWN_FINDINGS]),
        "",
        *(f"The story came to a halt: {halt}" for halt in o.halts),
        f"{figures['seconds']} seconds on {o.broker} and {o.postgres}.",
    ]
    return "\n".join(parts)


def _told(o: Outcome, what: str) -> int:
    return len(o.seen.told("referral", f"referral.{what}.v1"))


def _problems(imported: Imported) -> list[str]:
    return [
        *(f"    {problem}" for problem in imported.problems[:SHOWN_PROBLEMS]),
        *_more(len(imported.problems) - SHOWN_PROBLEMS),
    ]


def _bars(counts: Iterable[tuple[str, int]]) -> list[str]:
    """One line per count, with a bar: the longest is 30 wide."""
    rows = list(counts)
    most = max((n for _, n in rows), default=1)
    return [f"  {n:>5}  {'█' * max(1, round(30 * n / most)):<30}  {name}" for name, n in rows]


def _more(count: int) -> list[str]:
    return [f"         … and {count} more"] if count > 0 else []
