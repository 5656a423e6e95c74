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
from shared.contracts.codes import AgeBand, NeedCode, Sex

HOURS = "hours"
TERMS = "terms"
CANDIDATES = "candidates"
DOMAIN: Mapping[str, tuple[Any, ...]] = {
    "need": get_args(NeedCode),
    "age_band": get_args(AgeBand),
    "sex": get_args(Sex),
    "has_origin": (True, False),
    "consent": (True, False),
}
"""All that the tables can look at."""
NODES = {"inputNode", "decisionTableNode", "outputNode"}


@dataclass(frozen=True, slots=True)
class Shape:
    """What a table has to look like."""

    policy: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


PROPOSED = ("kind", "level", "place")
SHAPES: Mapping[str, Shape] = {
    TERMS: Shape(
        "first",
        ("need", "age_band", "sex", "has_origin"),
        (
            "urgency",
            "acknowledge_hours",
            "decide_hours",
            "service_hours",
            "counted",
            "consent",
            "visibility",
            "basis",
        ),
    ),
    CANDIDATES: Shape("collect", ("need", "age_band", "sex", "has_origin", "consent"), PROPOSED),
}
EARLIER: Mapping[str, Shape] = {
    HOURS: Shape("first", ("need",), ("answer_hours", "service_hours")),
    CANDIDATES: Shape("collect", ("need", "age_band", "has_origin", "consent"), PROPOSED),
}
"""Rules from before urgency, consent, visibility and basis were theirs to say."""


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
class TermsRow:
    """One row of the table of terms, or of hours."""

    id: str
    clauses: Mapping[str, Clause]
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tables:
    """`given`: the name of the table that gives the terms."""

    rows: tuple[Row, ...]
    given: str
    terms: tuple[TermsRow, ...]

    @property
    def shape(self) -> Shape:
        """Of the table that gives the terms."""
        return (SHAPES if self.given == TERMS else EARLIER)[self.given]

    @property
    def fields(self) -> tuple[str, ...]:
        """What these tables may look at."""
        return (SHAPES if self.given == TERMS else EARLIER)[CANDIDATES].inputs


def tables(version: str, text: bytes) -> Tables:
    """Read and check a rule set. Raises `BadRules`."""
    nodes = _nodes(version, text)
    strange = {node["type"] for node in nodes.values()} - NODES
    if strange:
        raise BadRules(f"{version}: {', '.join(sorted(strange))}: only tables are allowed")
    given, shapes = (HOURS, EARLIER) if HOURS in nodes else (TERMS, SHAPES)
    if shapes.keys() - nodes.keys():
        raise BadRules(f"{version}: the tables {' and '.join(shapes)} are needed")
    rules = {name: _rules(version, name, shape, nodes[name]) for name, shape in shapes.items()}
    cells = {name: [_cells(version, name, nodes[name], rule) for rule in rows] for name, rows in rules.items()}
    ids = [row_id for rows in cells.values() for row_id, _, _ in rows]
    if len(ids) != len(set(ids)):
        raise BadRules(f"{version}: two rows have the same id")
    return Tables(
        rows=tuple(_row(version, *both) for both in zip(rules[CANDIDATES], cells[CANDIDATES], strict=True)),
        given=given,
        terms=tuple(TermsRow(*row) for row in cells[given]),
    )


def _nodes(version: str, text: bytes) -> dict[str, dict[str, Any]]:
    try:
        nodes = {node["id"]: node for node in orjson.loads(text)["nodes"]}
    except (orjson.JSONDecodeError, LookupError, TypeError):
        raise BadRules(f"{version}: this is no JDM; draw the rules anew from the version in force") from None
    if not all(isinstance(node.get("type"), str) for node in nodes.values()):
        raise BadRules(f"{version}: a node has no type")
    return nodes


def _rules(version: str, name: str, shape: Shape, node: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    try:
        content = node["content"]
        policy = content["hitPolicy"]
        columns = tuple(tuple(column["field"] for column in content[side]) for side in ("inputs", "outputs"))
        keys = [column["id"] for side in ("inputs", "outputs") for column in content[side]]
        rules = content["rules"]
        is_text = all(isinstance(cell, str) for rule in rules for cell in rule.values())
    except (LookupError, TypeError, AttributeError):
        raise BadRules(f"{version} {name}: this is no decision table") from None
    if policy != shape.policy:
        raise BadRules(f"{version} {name}: hit policy must be {shape.policy}")
    if columns != (shape.inputs, shape.outputs):
        raise BadRules(f"{version} {name}: columns must be {shape.inputs} and {shape.outputs}")
    if len(set(keys)) != len(keys):
        raise BadRules(f"{version} {name}: two columns have the same id")
    if not is_text:
        raise BadRules(f"{version} {name}: a cell is not text")
    return cast(Sequence[Mapping[str, str]], rules)


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
