"""Write the contracts as documents; `make contracts` runs this.

JSON Schema for each fact, AsyncAPI 3 for the topics, OpenAPI for each service's HTTP.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from shared.contracts.fact import Fact, Told
from tests.architecture.test_names import facts
from tests.contracts import openapi

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "shared" / "contracts" / "schemas"
RELEASED = ROOT / "shared" / "contracts" / "released"
"""The schemas as the last release has them. Written by `make release` alone, never to make the gate pass."""
DOCUMENTS = ROOT / "docs" / "contracts"
ASYNCAPI = DOCUMENTS / "asyncapi.json"


def schema(fact: type[Fact]) -> dict[str, Any]:
    """The JSON Schema of one fact, with its type in the title."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **fact.model_json_schema(), "title": fact.type}


def asyncapi() -> dict[str, Any]:
    """One AsyncAPI 3 document for all topics: who sends what, in which envelope."""
    told = {fact.type: Told[fact] for fact in facts()}  # type: ignore[valid-type]
    for_audit = {fact.type for fact in facts() if fact.for_audit}
    _, definitions = models_json_schema(
        [(model, "serialization") for model in told.values()], ref_template="#/components/schemas/{model}"
    )
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for type_, model in told.items():
        sender = type_.split(".")[0]
        messages[type_] = {
            "name": type_,
            "summary": (model.model_fields["data"].annotation.__doc__ or "").strip().split("\n")[0],
            "contentType": "application/json",
            "headers": {"$ref": "#/components/schemas/CloudEventHeaders"},
            "payload": {"$ref": f"#/components/schemas/{_definition(model, definitions)}"},
            "bindings": {"kafka": {"key": {"type": "string", "format": "uuid"}}},
        }
        for service in ["intake", "referral", "notify", "audit"] if sender == "access" else [sender]:
            topic = f"{service}.{'audit' if type_ in for_audit else 'events'}"
            channel = channels.setdefault(topic, {"address": topic, "messages": {}})
            channel["messages"][type_] = {"$ref": f"#/components/messages/{type_}"}
            operations.setdefault(f"send.{topic}", {"action": "send", "channel": {"$ref": f"#/channels/{topic}"}})
    schemas = {**definitions["$defs"], "CloudEventHeaders": HEADERS}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Rujukan events", "version": "1", "license": {"name": "Apache-2.0"}},
        "defaultContentType": "application/json",
        "channels": dict(sorted(channels.items())),
        "operations": dict(sorted(operations.items())),
        "components": {"messages": messages, "schemas": schemas},
    }


HEADERS = {
    "type": "object",
    "description": "CloudEvents 1.0, Kafka binary mode; the subject is the record's key.",
    "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_sequence"],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "format": "uuid"},
        "ce_source": {"enum": ["intake", "referral", "notify", "audit"]},
        "ce_type": {"type": "string"},
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_sequence": {"type": "string", "pattern": "^[1-9][0-9]*$", "description": "dense per sender and case"},
        "traceparent": {"type": "string"},
    },
}


def _definition(model: type[Any], definitions: dict[str, Any]) -> str:
    name = model.__name__.replace("[", "_").replace("]", "_")
    assert name in definitions["$defs"], name
    return name


def documents() -> dict[Path, str]:
    """Every generated file with its text."""
    files = {SCHEMAS / f"{fact.type}.json": schema(fact) for fact in facts()}
    files[ASYNCAPI] = asyncapi()
    files |= {DOCUMENTS / f"openapi.{name}.json": document for name, document in openapi.documents().items()}
    return {path: json.dumps(body, indent=2, ensure_ascii=False) + "\n" for path, body in files.items()}


def main() -> None:
    for path, text in documents().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def release() -> None:
    """Take today's schemas for what has been released."""
    RELEASED.mkdir(exist_ok=True)
    for file in SCHEMAS.glob("*.json"):
        (RELEASED / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")


if __name__ == "__main__":
    release() if sys.argv[1:] == ["release"] else main()
