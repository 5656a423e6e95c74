"""Reads the demo's JSON line from standard input; exits 1 with one line per thing that is not as it must be."""

import json
import sys

line = sys.stdin.read().strip()
print(line)
told = json.loads(line)
rules = {
    "the broker is Apache Kafka": told["broker"].startswith("Apache Kafka"),
    "somebody was announced": told["announced"] > 0,
    "everybody announced was listed or rejected": told["listed"] + told["rejected_rows"] > 0,
    "everybody listed arrived": told["arrived"] == told["listed"],
    "everybody who arrived has a need": told["needs"] >= told["arrived"],
    "every need was sent to somebody": told["assignments"] >= told["needs"],
    "some accepted": told["accepted"] > 0,
    "some declined": told["declined"] > 0,
    "notices were delivered": told["deliveries"] > 0,
    "every fact is in the ledger": told["ledger_leaves"] >= told["arrived"] + told["assignments"],
    "the ledger was verified": told["ledger_verified"] is True,
    "nothing was lost": told["lost"] == 0,
    "nothing was doubled": told["doubled"] == 0,
    "it took less than three minutes": told["seconds"] < 180,
}
broken = [rule for rule, holds in rules.items() if not holds]
for rule in broken:
    print(f"demo: not true that {rule}", file=sys.stderr)
sys.exit(1 if broken else 0)
