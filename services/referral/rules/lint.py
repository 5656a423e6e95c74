"""What a rule set must be before it may decide: tables only, and every cell compiles.

The engine answers `null` or "no match" where a cell is wrong, so nothing is left for it to find out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast, get_args

import orjson
import zen

from services.referral.domain.agencies import Level
from services.referral.domain.routing import Place
from shared.contracts.codes import AgeBand, NeedCode

HOURS = "hours"
CANDIDATES = "candidates"
INPUTS: Mapping[str, tuple[str, ...]] = {
    HOURS: ("need",),
    CANDIDATES: ("need", "age_band", "has_origin", "consent"),
}
OUTPUTS: Mapping[str, tuple[str, ...]] = {
    HOURS: ("answer_hours", "service_hours"),
    CANDIDATES: ("kind", "level", "place"),
}
POLICIES = {HOURS: "first", CANDIDATES: "collect"}
DOMAIN: Mapping[str, tuple[Any, ...]] = {
    "need": get_args(NeedCode),
    "age_band": get_args(AgeBand),
    "has_origin": (True, False),
    "consent": (True, False),
}
"""All that the tables can look at."""
NODES = {"inputNode", "decisionTableNode", "outputNode"}


class BadRules(ValueError):
    """A rule set that may not decide; says version, row and cell. `findings`: one by one, where there are several."""

    def __init__(self, said: str, findings: Sequence[Any] = ()) -> None:
        super().__init__(said)
        self.findings = tuple(findings)


@dataclass(frozen=True, slots=True)
class Clause:
    """One input cell: a field, and of all values that it can have those which pass."""

    field: str
    cell: str
    passing: frozenset[Any]

    def holds(self, context: Mapping[str, Any]) -> bool:
        return context[self.field] in self.passing


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table of candidates. Blank cells are no clauses."""

    id: str
    reason: str
    clauses: Mapping[str, Clause]
    kind: str
    level: Level
    place: Place


@dataclass(frozen=True, slots=True)
class HoursRow:
    """One row of the table of hours; the engine reads its values."""

    id: str
    clauses: Mapping[str, Clause]


@dataclass(frozen=True, slots=True)
class Tables:
    rows: tuple[Row, ...]
    hours: tuple[HoursRow, ...]


def tables(version: str, text: bytes) -> Tables:
    """Read and check a rule set. Raises `BadRules`."""
    nodes = {node["id"]: node for node in orjson.loads(text)["nodes"]}
    strange = {node["type"] for node in nodes.values()} - NODES
    if strange:
        raise BadRules(f"{version}: {', '.join(sorted(strange))}: only tables are allowed")
    if {HOURS, CANDIDATES} - nodes.keys():
        raise BadRules(f"{version}: the tables {HOURS} and {CANDIDATES} are needed")
    hours = [_cells(version, HOURS, nodes[HOURS], rule) for rule in _rules(version, HOURS, nodes[HOURS])]
    proposals = _rules(version, CANDIDATES, nodes[CANDIDATES])
    rows = [_cells(version, CANDIDATES, nodes[CANDIDATES], rule) for rule in proposals]
    for row_id, _, values in hours:
        if not all(isinstance(value, int | float) and value == int(value) > 0 for value in values.values()):
            raise BadRules(f"{version} {row_id}: hours are whole numbers above zero")
    ids = [row_id for row_id, _, _ in (*hours, *rows)]
    if len(ids) != len(set(ids)):
        raise BadRules(f"{version}: two rows have the same id")
    return Tables(
        rows=tuple(_row(version, rule, cells) for rule, cells in zip(proposals, rows, strict=True)),
        hours=tuple(HoursRow(row_id, clauses) for row_id, clauses, _ in hours),
    )


def _rules(version: str, name: str, node: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    content = node["content"]
    if content["hitPolicy"] != POLICIES[name]:
        raise BadRules(f"{version} {name}: hit policy must be {POLICIES[name]}")
    fields = tuple(column["field"] for column in content["inputs"])
    outputs = tuple(column["field"] for column in content["outputs"])
    if fields != INPUTS[name] or outputs != OUTPUTS[name]:
        raise BadRules(f"{version} {name}: columns must be {INPUTS[name]} and {OUTPUTS[name]}")
    return cast(Sequence[Mapping[str, str]], content["rules"])


def _cells(
    version: str, name: str, node: Mapping[str, Any], rule: Mapping[str, str]
) -> tuple[str, dict[str, Clause], dict[str, Any]]:
    """A row's id, its clauses and its values, each cell compiled."""
    row_id = rule.get("_id", "")
    if not row_id:
        raise BadRules(f"{version} {name}: a row has no id")
    clauses: dict[str, Clause] = {}
    values: dict[str, Any] = {}
    for column in node["content"]["inputs"]:
        cell = rule.get(column["id"], "").strip()
        if cell:
            field, test = column["field"], _compiled(version, row_id, cell, zen.compile_unary_expression)
            clauses[field] = Clause(field, cell, frozenset(value for value in DOMAIN[field] if _passes(test, value)))
    for column in node["content"]["outputs"]:
        cell = rule.get(column["id"], "").strip()
        values[column["field"]] = _value(version, row_id, cell)
    if "need" not in clauses:
        raise BadRules(f"{version} {row_id}: a row says for which needs it is")
    return row_id, clauses, values


def _compiled(version: str, row_id: str, cell: str, compile_: Any) -> Any:
    try:
        return compile_(cell)
    except RuntimeError:
        raise BadRules(f"{version} {row_id}: the cell {cell!r} does not compile") from None


def _passes(test: Any, value: Any) -> bool:
    """Whether a value passes; a test that does not fit its kind lets none pass, as in the engine."""
    try:
        return bool(test.evaluate({"$": value}))
    except RuntimeError:
        return False


def _value(version: str, row_id: str, cell: str) -> Any:
    try:
        return _compiled(version, row_id, cell, zen.compile_expression).evaluate({})
    except RuntimeError:
        raise BadRules(f"{version} {row_id}: the cell {cell!r} has no value") from None


def _row(version: str, rule: Mapping[str, str], cells: tuple[str, dict[str, Clause], dict[str, Any]]) -> Row:
    row_id, clauses, values = cells
    if values["level"] not in get_args(Level) or values["place"] not in get_args(Place):
        raise BadRules(f"{version} {row_id}: level or place is unknown")
    if not isinstance(values["kind"], str) or (values["level"] == "national") != (values["place"] == "nation"):
        raise BadRules(f"{version} {row_id}: kind, level and place do not belong together")
    return Row(
        id=row_id,
        reason=rule.get("_description", ""),
        clauses=clauses,
        kind=values["kind"],
        level=values["level"],
        place=values["place"],
    )
