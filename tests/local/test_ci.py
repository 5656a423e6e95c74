"""What CI makes of the demo, with programs that stand in for make and what is installed."""

import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy.local.demo import summary
from tests.local.conftest import ROOT

GOOD: dict[str, Any] = {
    "broker": "Apache Kafka 4.3.1",
    "postgres": "PostgreSQL 15.18",
    "announced": 204,
    "listed": 200,
    "arrived": 190,
    "rejected_rows": 10,
    "needs": 250,
    "assignments": 280,
    "accepted": 200,
    "declined": 30,
    "deliveries": 600,
    "ledger_leaves": 2000,
    "ledger_verified": True,
    "lost": 0,
    "doubled": 0,
    "seconds": 25.0,
}


def ci(folder: Path, line: dict[str, Any] | None, *, code: int) -> subprocess.CompletedProcess[str]:
    """Run .ci/run where `make demo` prints this line and ends with this code; check and test pass."""
    told = "" if line is None else json.dumps(line)
    for name, text in (
        ("make", f"[ \"$1\" != demo ] || {{ echo 'A ferry.'; echo '{told}'; exit {code}; }}"),
        *((name, "exit 0") for name in ("chromium-headless-shell", "kustomize")),
    ):
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(stat.S_IRWXU)
    return subprocess.run(
        [ROOT / ".ci" / "run"],
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class TestRun:
    def test_passes_with_a_good_line(self, tmp_path: Path) -> None:
        ended = ci(tmp_path, GOOD, code=0)

        assert (ended.returncode, ended.stderr) == (0, "")
        assert json.loads(ended.stdout.splitlines()[-1]) == GOOD

    def test_shows_and_judges_the_line_of_a_demo_that_failed(self, tmp_path: Path) -> None:
        ended = ci(tmp_path, {**GOOD, "lost": 3}, code=1)

        assert ended.returncode != 0
        assert "A ferry." in ended.stdout
        assert json.loads(ended.stdout.splitlines()[-1])["lost"] == 3
        assert ended.stderr == "demo: not true that nothing was lost\n"

    def test_fails_with_a_demo_that_failed_although_its_line_is_good(self, tmp_path: Path) -> None:
        assert ci(tmp_path, GOOD, code=1).returncode != 0

    @pytest.mark.parametrize(
        "line",
        [
            {**GOOD, "listed": 0, "arrived": 0, "rejected_rows": 0},
            {**GOOD, "arrived": 189},
            {**GOOD, "doubled": 1},
            {**GOOD, "ledger_verified": False},
            {**GOOD, "seconds": 181},
            summary.nothing_known(3.0),
            None,
        ],
        ids=["nobody listed", "one missing", "one doubled", "not verified", "slow", "nothing known", "no line"],
    )
    def test_fails_with_a_line_that_is_not_good(self, tmp_path: Path, line: dict[str, Any] | None) -> None:
        ended = ci(tmp_path, line, code=0)

        assert ended.returncode != 0
        assert "Traceback" not in ended.stderr
        assert "demo: not true that" in ended.stderr
