"""Is a new version of a schema safe for those who hold messages of the old one, and the other way round?

`jsonsubschema` calls an added optional field incompatible unless the writer's schema is closed first, so it is.
"""

from copy import deepcopy
from typing import Any

from jsonsubschema import isSubschema


def closed(schema: Any) -> Any:
    """The schema of what is really written: no property beyond those it names."""
    schema = deepcopy(schema)
    stack = [schema]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if "properties" in node:
                node["additionalProperties"] = False
            for name in ("title", "description", "default", "$schema", "format"):
                if not isinstance(node.get(name), dict):
                    node.pop(name, None)
            stack += node.values()
        elif isinstance(node, list):
            stack += node
    return schema


def opened(schema: Any) -> Any:
    """The schema a reader holds: unknown properties are ignored."""
    schema = closed(schema)
    stack = [schema]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            node.pop("additionalProperties", None)
            stack += node.values()
        elif isinstance(node, list):
            stack += node
    return schema


def reads_old(old: Any, new: Any) -> bool:
    """True when readers of `new` can read every message written under `old` (backward)."""
    return bool(isSubschema(closed(old), opened(new)))


def lacks(old: Any, new: Any, at: str = "") -> list[str]:
    """What readers of `old` need and messages written under `new` need not have."""
    found: list[str] = []
    properties = new.get("properties", {})
    for name, schema in old.get("properties", {}).items():
        if name not in properties:
            found.append(f"{at}/{name} is gone")
            continue
        if name in old.get("required", []) and name not in new.get("required", []):
            found.append(f"{at}/{name} may be left out")
        found += lacks(schema, properties[name], f"{at}/{name}")
    for name, schema in old.get("$defs", {}).items():
        found += lacks(schema, new.get("$defs", {}).get(name, {}), f"{at}#{name}")
    return found
