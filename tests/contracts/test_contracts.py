"""Facts keep their shape within a version, and none can carry a name."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from shared.contracts.fact import Fact, Identifying
from tests.architecture.test_names import facts
from tests.contracts import compatibility, export


def test_the_documents_are_those_of_the_models() -> None:
    for path, text in export.documents().items():
        assert path.exists(), f"{path.name} is missing: run `make contracts`"
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is stale: run `make contracts`"


@pytest.mark.parametrize("file", sorted(export.RELEASED.glob("*.json")), ids=lambda file: file.stem)
def test_what_was_released_stays_readable_in_both_directions(file: Path) -> None:
    """Readers of today read what yesterday's wrote, and yesterday's readers what is written today."""
    now = {fact.type: export.schema(fact) for fact in facts()}
    old = json.loads(file.read_text(encoding="utf-8"))

    assert file.stem in now, "a released fact was taken away: a consumer may still hear it"
    assert compatibility.reads_old(old, now[file.stem])
    assert compatibility.lacks(old, now[file.stem]) == []


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


@pytest.mark.parametrize(
    ("change", "lacking"),
    [
        ({"properties": {**BASE["properties"], "c": {"type": "integer"}}}, []),
        ({"properties": {"a": BASE["properties"]["a"]}}, ["/b is gone"]),
        ({"required": []}, ["/a may be left out"]),
    ],
    ids=["optional added", "property removed", "no longer required"],
)
def test_the_gate_misses_what_older_readers_need(change: dict[str, Any], lacking: list[str]) -> None:
    assert compatibility.lacks(BASE, {**BASE, **change}) == lacking


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
    assert [name for name, field in fields_of(fact) if is_marked(field)] == []


def test_a_mark_is_found_however_deep_it_lies() -> None:
    class Person(BaseModel):
        full_name: Annotated[str, Identifying()]

    class Landing(BaseModel):
        people: tuple[Person, ...] = ()

    assert [name for name, field in fields_of(Landing) if is_marked(field)] == ["full_name"]


def fields_of(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """All fields of a model and of the models in it."""
    for name, field in model.model_fields.items():
        yield name, field
        for inner in models_in(field.annotation):
            yield from fields_of(inner)


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from models_in(part)


def is_marked(field: FieldInfo) -> bool:
    marks = [
        *field.metadata,
        *(mark for part in get_args(field.annotation) for mark in getattr(part, "__metadata__", ())),
    ]
    return any(isinstance(mark, Identifying) or mark is Identifying for mark in marks)
