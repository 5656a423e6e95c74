"""One word finds everything: class, event type, handler, schema file."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

from shared import contracts
from shared.contracts.fact import Fact

ROOT = Path(__file__).parents[2]
SENDERS = ("intake", "referral", "notify", "audit", "access")


def facts() -> list[type[Fact]]:
    """All facts, by sender and name."""
    modules = [
        importlib.import_module(one.name) for one in pkgutil.walk_packages(contracts.__path__, "shared.contracts.")
    ]
    found = {
        thing
        for module in modules
        for _, thing in inspect.getmembers(module, inspect.isclass)
        if issubclass(thing, Fact) and not thing.__name__.endswith("Fact")
    }
    return sorted(found, key=lambda fact: (SENDERS.index(fact.type.split(".")[0]), fact.__name__))


@pytest.mark.parametrize("fact", facts(), ids=lambda f: f.type)
def test_a_fact_has_a_schema_file_of_its_type(fact: type[Fact]) -> None:
    assert (ROOT / "shared/contracts/schemas" / f"{fact.type}.json").exists(), "run `make contracts`"


@pytest.mark.parametrize("service", ["intake", "referral", "notify"])
def test_a_handler_is_named_for_what_it_hears(service: str) -> None:
    source = (ROOT / "services" / service / "consumers.py").read_text(encoding="utf-8")
    handlers = re.findall(r"inbox\.hears\(([^)]*)\)\s+async def (\w+)\(", source)

    assert handlers
    for heard, name in handlers:
        classes = [part.strip().rsplit(".", 1)[-1] for part in heard.split(",") if part.strip()]
        if len(classes) == 1:
            words = re.sub(r"(?<!^)(?=[A-Z])", "_", classes[0]).lower()
            noun, _, verb = words.rpartition("_")
            assert name in {f"on_{noun}s_{verb}", f"on_{words}"}, name
        else:
            assert name.startswith("on_"), name
