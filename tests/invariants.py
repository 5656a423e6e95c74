"""`make invariants`: run exactly the tests that docs/invariants.md names, and fail on a promise without one."""

import re
import sys
from pathlib import Path

import pytest

PROMISES = Path(__file__).parents[1] / "docs" / "invariants.md"
ROW = re.compile(r"^\| (?P<id>I\d+) \| (?P<promise>[^|]+) \| (?P<tests>[^|]*) \|$")
TEST = re.compile(r"`(tests/[^`]+::[^`]+)`")


def promises(text: str) -> dict[str, list[str]]:
    """The ids of the tests per promise, by the id of the promise."""
    return {row["id"]: TEST.findall(row["tests"]) for line in text.splitlines() if (row := ROW.match(line)) is not None}


def main() -> int:
    found = promises(PROMISES.read_text(encoding="utf-8"))
    without = sorted(id_ for id_, tests in found.items() if not tests)
    if without or not found:
        print(f"promises without a test: {', '.join(without) or 'no promise could be read'}", file=sys.stderr)
        return 1
    proof = Proof()
    code = pytest.main([*sorted({test for tests in found.values() for test in tests})], plugins=[proof])
    for skipped in proof.skipped:
        print(f"not proven here, because it was skipped: {skipped}", file=sys.stderr)
    return int(code) or (1 if proof.skipped else 0)


class Proof:
    """Notes what was skipped: a promise whose test did not run is not proven."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped:
            self.skipped.append(report.nodeid)


if __name__ == "__main__":
    sys.exit(main())
