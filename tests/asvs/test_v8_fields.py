"""V8: nobody writes a field that an interface does not ask for, whatever else is sent along."""

from typing import Any

from tests.contracts import openapi


def bodies(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The schema of each JSON body that an interface takes, by where it is taken."""
    return {
        f"{method.upper()} {path}": kind["schema"]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for name, kind in operation.get("requestBody", {}).get("content", {}).items()
        if name == "application/json"
    }


def objects(schema: Any, document: dict[str, Any], seen: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """Every object in a schema, however deep."""
    if isinstance(schema, list):
        return [found for part in schema for found in objects(part, document, seen)]
    if not isinstance(schema, dict):
        return []
    if (name := str(schema.get("$ref", "")).rpartition("/")[2]) and name not in seen:
        return objects(document["components"]["schemas"][name], document, seen | {name})
    own = [schema] if schema.get("type") == "object" else []
    return own + [found for part in schema.values() for found in objects(part, document, seen)]


def test_nothing_is_written_that_is_not_asked_for() -> None:
    for service, document in openapi.documents().items():
        for where, schema in bodies(document).items():
            found = objects(schema, document)
            assert found, f"{service}: {where} takes anything"
            for one in found:
                others = one.get("additionalProperties")
                # Of a map the keys are data; each value is checked, and so is the form of a key.
                is_map = (isinstance(others, dict) or "patternProperties" in one) and "properties" not in one
                closed = others is False or is_map
                assert closed, f"{service}: {where}: {one.get('title')} takes fields that it does not name"
