"""Each promise in docs/invariants.md names a test that exists."""

import ast
from pathlib import Path

import pytest

from tests import invariants

ROOT = Path(__file__).parents[2]
FOUND = invariants.promises(invariants.PROMISES.read_text(encoding="utf-8"))


def test_every_row_of_the_table_could_be_read() -> None:
    rows = [line for line in invariants.PROMISES.read_text(encoding="utf-8").splitlines() if line.startswith("| I")]

    assert len(rows) == len(FOUND) >= 20


@pytest.mark.parametrize("id_", FOUND)
def test_a_promise_has_a_test(id_: str) -> None:
    assert FOUND[id_], f"{id_} names no test"
    for test in FOUND[id_]:
        path, *names = test.split("::")
        body: list[ast.stmt] = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
        for name in names:
            matches = [
                node
                for node in body
                if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Assign)
                and (
                    node.name == name.partition("[")[0]
                    if not isinstance(node, ast.Assign)
                    else any(isinstance(t, ast.Name) and t.id == name for t in node.targets)
                )
            ]
            assert matches, f"{test} does not exist"
            body = getattr(matches[0], "body", [])
