"""Reads what the demo printed from standard input; exits 1 with one line per thing that is not as it must be.

The last line is the JSON object; a figure that the demo could not find out is null there, and no rule holds of it.
"""

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

RULES: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "the broker is Apache Kafka": lambda told: told["broker"].startswith("Apache Kafka"),
    "somebody was announced": lambda told: told["announced"] > 0,
    "somebody was listed": lambda told: told["listed"] > 0,
    "somebody arrived": lambda told: told["arrived"] > 0,
    "everybody listed arrived or was held back": lambda told: told["arrived"] + told["rejected_rows"] == told["listed"],
    "everybody who arrived has a need": lambda told: told["needs"] >= told["arrived"],
    "every need was sent to somebody": lambda told: told["assignments"] >= told["needs"],
    "some accepted": lambda told: told["accepted"] > 0,
    "some declined": lambda told: told["declined"] > 0,
    "notices were delivered": lambda told: told["deliveries"] > 0,
    "every fact is in the ledger": lambda told: told["ledger_leaves"] >= told["arrived"] + told["assignments"],
    "the ledger was verified": lambda told: told["ledger_verified"] is True,
    "nothing was lost": lambda told: told["lost"] == 0,
    "nothing was doubled": lambda told: told["doubled"] == 0,
    "it took less than three minutes": lambda told: told["seconds"] < 180,
}


def broken(said: str) -> list[str]:
    """The rules that do not hold of what the demo printed."""
    try:
        told = json.loads(said.splitlines()[-1])
    except (IndexError, ValueError):
        return ["it ended with a line of JSON"]
    return [rule for rule, holds in RULES.items() if not _holds(holds, told)]


def _holds(rule: Callable[[Mapping[str, Any]], bool], told: Mapping[str, Any]) -> bool:
    try:
        return rule(told)
    except (AttributeError, KeyError, TypeError):
        return False


if __name__ == "__main__":
    wrong = broken(sys.stdin.read())
    for what in wrong:
        print(f"demo: not true that {what}", file=sys.stderr)
    sys.exit(1 if wrong else 0)
