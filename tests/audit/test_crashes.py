"""Killed anywhere between a record and its checkpoint, the ledger goes on as if nothing had been."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests import forking
from tests.audit import one_turn
from tests.audit.ledger import Ledger
from tests.conftest import DatabaseUrls

ROOT = Path(__file__).parents[2]

POINTS = [
    point
    for file in sorted((ROOT / "services/audit").rglob("*.py"))
    for point in re.findall(r'crash_point\("([^"]+)"\)', file.read_text(encoding="utf-8"))
]


def killed_turn(url: str, crash_at: str) -> int:
    """Run one turn in a process that dies at this point; answers its return code."""
    done = subprocess.run(
        [*forking.python(), "tests.audit.one_turn", url],
        cwd=ROOT,
        env={**os.environ, "CRASH_AT": crash_at},
        capture_output=True,
        timeout=100,
        check=False,
    )
    return done.returncode


@pytest.mark.parametrize("point", [*POINTS, "inbox.after_effect"])
async def test_a_kill_there_loses_and_doubles_nothing(ledger: Ledger, database_urls: DatabaseUrls, point: str) -> None:
    url = database_urls("audit").application

    assert killed_turn(url, point) == -signal.SIGKILL
    after_kill = await ledger.database.fetch("SELECT tree_size, root FROM checkpoints")
    await one_turn.main(url)

    places = [row["leaf_index"] for row in await ledger.database.fetch("SELECT leaf_index FROM leaves ORDER BY 1")]
    assert places == list(range(one_turn.EVENTS))
    checkpoints = await ledger.database.fetch("SELECT tree_size, root FROM checkpoints")
    assert [row["tree_size"] for row in checkpoints] == [one_turn.EVENTS]
    assert after_kill in ([], checkpoints)
    assert await ledger.problems() == []
