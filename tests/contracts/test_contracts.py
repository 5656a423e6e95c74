"""Facts keep their shape within a version, and none can carry a name."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.fact import Fact, Identifying
from tests.architecture.test_names import facts
from tests.contracts import compatibility, export


def test_the_documents_are_those_of_the_models() -> None:
    for path, text in export.documents().items():
        assert path.exists(), f"{path.name} is missing: run `make contracts`"
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is stale: run `make contracts`"


def landed(path: Path) -> Any:
    """The schema as the last commit has it, or None for a new one."""
    shown = subprocess.run(
        ["git", "show", f"HEAD:{path.relative_to(export.ROOT)}"], cwd=export.ROOT, capture_output=True, check=False
    )
    return json.loads(shown.stdout) if shown.returncode == 0 else None


@pytest.mark.parametrize("fact", facts(), ids=lambda f: f.type)
def test_readers_of_the_new_schema_can_read_what_was_written_under_the_old(fact: type[Fact]) -> None:
    old = landed(export.SCHEMAS / f"{fact.type}.json")
    if old is None:
        old = export.schema(fact)

    assert compatibility.reads_old(old, export.schema(fact))


BASE: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "string", "enum": ["x", "y"]}, "b": {"type": "integer"}},
    "required": ["a"],
}


@pytest.mark.parametrize(
    ("change", "safe"),
    [
        ({"properties": {**BASE["properties"], "c": {"type": "integer"}}}, True),
        ({"properties": {**BASE["properties"], "c": {"type": "integer"}}, "required": ["a", "c"]}, False),
        ({"properties": {**BASE["properties"], "a": {"type": "string", "enum": ["x", "y", "z"]}}}, True),
        ({"properties": {**BASE["properties"], "a": {"type": "string", "enum": ["x"]}}}, False),
        ({"properties": {**BASE["properties"], "b": {"type": "string"}}}, False),
        ({"required": ["a", "b"]}, False),
    ],
    ids=["optional added", "required added", "enum widened", "enum narrowed", "type changed", "newly required"],
)
def test_the_gate_tells_a_safe_change_from_an_unsafe_one(change: dict[str, Any], safe: bool) -> None:
    assert compatibility.reads_old(BASE, {**BASE, **change}) is safe


def string_fields(schema: Any) -> list[dict[str, Any]]:
    """Every string-typed node of a schema."""
    found, stack = [], [schema]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if node.get("type") == "string":
                found.append(node)
            stack += node.values()
        elif isinstance(node, list):
            stack += node
    return found


@pytest.mark.parametrize("fact", facts(), ids=lambda f: f.type)
def test_no_fact_has_free_text(fact: type[Fact]) -> None:
    for node in string_fields(fact.model_json_schema()):
        assert {"enum", "const", "pattern", "format"} & node.keys(), node


@pytest.mark.parametrize("fact", facts(), ids=lambda f: f.type)
def test_no_fact_has_a_field_that_is_marked_identifying(fact: type[Fact]) -> None:
    for name, field in fact.model_fields.items():
        assert not any(isinstance(mark, Identifying) or mark is Identifying for mark in field.metadata), name
