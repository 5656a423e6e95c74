"""`make states`: write docs/states.md anew, the two machines as drawings and tables."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from services.referral.domain import assignments, referrals
from services.referral.domain.machines import ATTEMPT, NEED, Row

DOCUMENT = Path(__file__).parents[1] / "docs" / "states.md"

ABOUT = """# The two machines

Made by `make states` from [machines.py](../services/referral/domain/machines.py); do not edit. A need is what a person
lacks; an attempt is one agency that was asked to meet it. They move apart: an attempt that fails leaves the need open,
and a need that ends takes its live attempts with it in the same transaction. What is not drawn is refused with a
conflict that says what stands in the way."""


def document() -> str:
    """docs/states.md."""
    need = _machine("A need", NEED, first=("draft", "open"), last=referrals.TERMINAL)
    attempt = _machine("An attempt", ATTEMPT, first=("proposed",), last=assignments.TERMINAL)
    return "\n".join([ABOUT, "", *need, *attempt])


def _machine(title: str, rows: Sequence[Row[Any, Any]], *, first: Sequence[str], last: frozenset[Any]) -> Iterator[str]:
    yield from (f"## {title}", "", "```mermaid", "stateDiagram-v2")
    yield from (f"    [*] --> {state}" for state in first)
    for row in rows:
        yield from (f"    {source} --> {row.to}: {row.event}" for source in row.sources)
    yield from (f"    {state} --> [*]" for state in sorted(last))
    yield from ("```", "", "| from | event | to | who | what goes with it |", "| --- | --- | --- | --- | --- |")
    for row in rows:
        yield f"| {', '.join(row.sources)} | {row.event} | {row.to} | {', '.join(row.who)} | {row.note} |"
    yield ""


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
