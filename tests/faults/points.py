"""Every crash point of the source, found by reading it; and which load reaches which of them."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVICES = ("intake", "referral", "notify", "audit")


def in_the_source() -> set[str]:
    """The names of all `crash_point("…")` in services/ and shared/. One that is no plain string is a mistake."""
    return {name for folder in ("services", "shared") for path in (ROOT / folder).rglob("*.py") for name in _in(path)}


def _in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called == "crash_point":
            (argument,) = node.args
            assert isinstance(argument, ast.Constant), f"{path}:{node.lineno}: the name is no plain string"
            yield str(argument.value)
