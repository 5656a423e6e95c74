"""What a rule set must be before it may decide: tables only, and every cell compiles.

The engine answers `null` or "no match" where a cell is wrong, so nothing is left for it to find out.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast, get_args

import orjson
import zen

from services.referral.domain.agencies import Level
from services.referral.domain.routing import Basis, ConsentRule, Counted, Place, Urgency, Visibility
from services.referral.rules import jdm
from services.referral.rules.findings import BadRules, Finding
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
CODES: Mapping[str, tuple[Any, ...]] = {
    "urgency": get_args(Urgency),
    "counted": get_args(Counted),
    "consent": get_args(ConsentRule),
    "visibility": get_args(Visibility),
    "basis": get_args(Basis),
    "level": get_args(Level),
    "place": get_args(Place),
}
"""All that the tables can give, where it is a code; offices' kinds are the directory's."""
MOST_TEXT = 1_000
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
    try:
        return _tables(text)
    except _Wrong as wrong:
        raise BadRules(version, wrong.findings) from None


class _Wrong(Exception):
    def __init__(self, *findings: Finding) -> None:
        super().__init__()
        self.findings = findings


def _tables(text: bytes) -> Tables:
    nodes = _nodes(text)
    given, shapes = (HOURS, EARLIER) if HOURS in nodes else (TERMS, SHAPES)
    rules = {name: _rules(name, shape, nodes.get(name, {})) for name, shape in shapes.items()}
    wrong: list[Finding] = []
    cells = {
        name: [_cells(name, nodes[name]["content"], rule, n, wrong) for n, rule in enumerate(rows, 1)]
        for name, rows in rules.items()
    }
    times = Counter(row.id for found in cells.values() for row in found)
    wrong += [
        Finding(name, row.id, "", "same_id") for name, found in cells.items() for row in found if times[row.id] > 1
    ]
    if not wrong:
        wrong += [Finding(CANDIDATES, row.id, "", "no_office") for row in cells[CANDIDATES] if not _is_office(row)]
    if wrong:
        raise _Wrong(*wrong)
    return Tables(
        rows=tuple(
            Row(row.id, rule.get("_description", ""), row.clauses, **row.values)
            for row, rule in zip(cells[CANDIDATES], rules[CANDIDATES], strict=True)
        ),
        given=given,
        terms=tuple(cells[given]),
    )


def _is_text(cell: Any) -> bool:
    return isinstance(cell, str) and cell.isprintable() and len(cell) <= MOST_TEXT


def _nodes(text: bytes) -> dict[str, dict[str, Any]]:
    try:
        nodes = {str(node["id"]): node for node in orjson.loads(text)["nodes"]}
        strange = [
            Finding(name, "", "", "strange_node", str(n["type"])) for name, n in nodes.items() if n["type"] not in NODES
        ]
    except (orjson.JSONDecodeError, LookupError, TypeError):
        raise _Wrong(Finding("", "", "", "no_jdm")) from None
    if strange:
        raise _Wrong(*strange)
    unknown = [_unknown(text, where) for where in jdm.unknown(text)]
    if unknown:
        raise _Wrong(*unknown)
    return nodes


def _unknown(text: bytes, where: tuple[str | int, ...]) -> Finding:
    """A member that says nothing here, under the table and the row where it stands."""
    match where:
        case ("nodes", int(n), *rest):
            node = orjson.loads(text)["nodes"][n]
            row = node["content"]["rules"][rest[2]].get("_id", "") if rest[:2] == ["content", "rules"] else ""
            return Finding(str(node["id"]), str(row), "", "unknown_member", str(where[-1]))
    return Finding("", "", "", "unknown_member", str(where[-1]))


def _rules(name: str, shape: Shape, node: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    try:
        content = node["content"]
        columns = [column["field"] for side in ("inputs", "outputs") for column in content[side]]
        keys = {str(column["id"]) for side in ("inputs", "outputs") for column in content[side]}
        rules = cast(Sequence[Mapping[str, str]], content["rules"])
        numb = [rule.get("_id", "") for rule in rules if not all(map(_is_text, rule.values()))]
        policy = content["hitPolicy"]
    except (LookupError, TypeError, AttributeError):
        raise _Wrong(Finding(name, "", "", "no_table", known=(*SHAPES,))) from None
    wrong = [Finding(name, str(row), "", "no_text") for row in numb]
    if policy != shape.policy:
        wrong.append(Finding(name, "", "", "hit_policy", shape.policy))
    if tuple(columns) != (*shape.inputs, *shape.outputs) or len(content["inputs"]) != len(shape.inputs):
        wrong.append(Finding(name, "", "", "columns", known=(*shape.inputs, *shape.outputs)))
    if len(keys) != len(columns):
        wrong.append(Finding(name, "", "", "columns", known=(*shape.inputs, *shape.outputs)))
    if wrong:
        raise _Wrong(*wrong)
    return rules


def _cells(
    table: str, content: Mapping[str, Any], rule: Mapping[str, str], number: int, wrong: list[Finding]
) -> TermsRow:
    """A row, each cell compiled; what is wrong with it goes into `wrong`."""
    row_id = rule.get("_id", "")
    if not row_id:
        wrong.append(Finding(table, f"#{number}", "", "no_id"))
    clauses: dict[str, Clause] = {}
    values: dict[str, Any] = {}
    for column in content["inputs"]:
        field, cell = column["field"], rule.get(column["id"], "").strip()
        if cell:
            try:
                test = zen.compile_unary_expression(cell)
            except RuntimeError:
                wrong.append(Finding(table, row_id, field, "does_not_compile", cell, _known(DOMAIN[field])))
                continue
            clauses[field] = Clause(field, cell, frozenset(value for value in DOMAIN[field] if _passes(test, value)))
        elif field == "need":
            wrong.append(Finding(table, row_id, field, "no_need"))
    for column in content["outputs"]:
        field, cell = column["field"], rule.get(column["id"], "").strip()
        try:
            values[field] = zen.compile_expression(cell).evaluate({})
        except RuntimeError:
            wrong.append(Finding(table, row_id, field, "no_meaning" if cell else "empty", cell))
    return TermsRow(row_id, clauses, values)


def _passes(test: Any, value: Any) -> bool:
    """Whether a value passes; a test that does not fit its kind lets none pass, as in the engine."""
    try:
        return bool(test.evaluate({"$": value}))
    except RuntimeError:
        return False


def _is_office(row: TermsRow) -> bool:
    kind, level, place = (row.values[name] for name in PROPOSED)
    known = isinstance(kind, str) and level in get_args(Level) and place in get_args(Place)
    return known and (level == "national") == (place == "nation")


def _known(values: Sequence[Any]) -> tuple[str, ...]:
    return tuple(written(value) for value in values)


def written(value: Any) -> str:
    """A value as it is written in a cell, without quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)
