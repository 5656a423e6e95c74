"""What compiles and is still wrong: cells and rows that the engine would swallow in silence.

All that the tables can look at is few (needs, age bands, sexes, home known or not, consent or not), so every case is
tried.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from itertools import product
from typing import Any

from services.referral.rules.findings import BadRules, Finding
from services.referral.rules.lint import CANDIDATES, CODES, DOMAIN, Clause, Tables, TermsRow, written
from shared.contracts import codes

TEXT = re.compile(r'"([^"]*)"')


def check(version: str, tables: Tables, *, kinds: Set[str] | None = None) -> None:
    """Raises `BadRules`, naming everything that is wrong. `kinds` of office there are; None: not looked at."""
    found = [*_findings(tables, kinds)]
    if found:
        raise BadRules(version, found)


def _findings(tables: Tables, kinds: Set[str] | None) -> Iterator[Finding]:
    for table, rows in ((tables.given, tables.terms), (CANDIDATES, tables.rows)):
        for row in rows:
            wrong = [*_cells(table, row.id, row.clauses.values())]
            yield from wrong
            if not wrong and not _held(row.clauses, tuple(row.clauses)):
                yield Finding(table, row.id, "", "unreachable")
    for row in tables.rows:
        if kinds is not None and row.kind not in kinds:
            yield Finding(CANDIDATES, row.id, "kind", "unknown_kind", known=tuple(sorted(kinds)))
    for row in tables.terms:
        yield from _values(tables.given, row)
    yield from _terms(tables)
    yield from _proposals(tables)


def _cells(table: str, row: str, clauses: Iterable[Clause]) -> Iterator[Finding]:
    for clause in clauses:
        known = DOMAIN[clause.field]
        strange = set(TEXT.findall(clause.cell)) - set(known)
        if strange:
            yield Finding(table, row, clause.field, "unknown_code", known=tuple(map(written, known)))
        elif not clause.passing:
            yield Finding(table, row, clause.field, "never_holds", known=tuple(map(written, known)))


MOST_HOURS = {"answer_hours": 24 * 30, "acknowledge_hours": 24 * 30, "decide_hours": 24 * 30, "service_hours": 24 * 365}
CASE_TEAM = frozenset(code for code, need in codes.needs().items() if need.restricted)


def _values(table: str, row: TermsRow) -> Iterator[Finding]:
    """What one row gives: known codes, times that can be kept, and nothing that the law does not leave to the rules."""
    for column, value in row.values.items():
        known = CODES.get(column)
        if known is not None and (isinstance(value, bool) or value not in known):
            yield Finding(table, row.id, column, "no_value", known=tuple(map(written, known)))
        elif known is None:
            whole = column in {"answer_hours", "service_hours"}
            if not _is_time(value, most=MOST_HOURS[column], whole=whole):
                yield Finding(
                    table, row.id, column, "no_time" if whole else "no_quarters", known=(str(MOST_HOURS[column]),)
                )
    given = row.values
    opened, decided = (given.get(name) for name in ("acknowledge_hours", "decide_hours"))
    if isinstance(opened, int | float) and isinstance(decided, int | float) and (opened + decided) % 1:
        yield Finding(table, row.id, "decide_hours", "no_whole")
    if given.get("urgency") == 1 and given.get("counted") == "working":
        yield Finding(table, row.id, "counted", "sleeps")
    if given.get("visibility") in {"normal", "specific"} and any(
        need in CASE_TEAM or age in {"child", "unknown"} for need, age in _held(row.clauses, ("need", "age_band"))
    ):
        yield Finding(table, row.id, "visibility", "too_open")

    if given.get("consent") == "person_before_asking" and (
        given.get("basis") != "consent" or given.get("urgency") == 1
    ):
        yield Finding(table, row.id, "consent", "waits")


def _is_time(value: Any, *, most: int, whole: bool) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        return False
    return (value if whole else value * 4) % 1 == 0


def _terms(tables: Tables) -> Iterator[Finding]:
    """Each case has one row of terms, and one only."""
    fields = tables.shape.inputs
    taken: dict[tuple[Any, ...], str] = {}
    for row in tables.terms:
        cases = _held(row.clauses, fields)
        above = next((taken[case] for case in sorted(cases, key=str) if case in taken), None)
        if above is not None:
            yield Finding(tables.given, row.id, "", "overlaps", other=above)
        taken = dict.fromkeys(cases, row.id) | taken
    for need in DOMAIN["need"]:
        left = next(
            (case for case in product((need,), *map(DOMAIN.__getitem__, fields[1:])) if case not in taken), None
        )
        if left is not None:
            yield Finding(tables.given, "", "", "no_terms", other=" ".join(map(written, left)))


def _proposals(tables: Tables) -> Iterator[Finding]:
    """No office is proposed twice for a case, and each case ends with a national one that takes no consent."""
    proposed: dict[tuple[Any, ...], str] = {}
    backed: set[tuple[Any, ...]] = set()
    for row in tables.rows:
        cases = _held(row.clauses, tables.fields)
        office = (row.kind, row.level, row.place)
        twice = next((proposed[*office, *case] for case in cases if (*office, *case) in proposed), None)
        if twice is not None:
            yield Finding(CANDIDATES, row.id, "", "proposed_twice", other=twice)
        proposed.update({(*office, *case): row.id for case in cases if (*office, *case) not in proposed})
        if row.level == "national":
            backed.update(cases)
    for need in DOMAIN["need"]:
        if any(case not in backed for case in product((need,), *map(DOMAIN.__getitem__, tables.fields[1:]))):
            yield Finding(CANDIDATES, "", "", "no_backstop", other=need)


def _held(clauses: Mapping[str, Clause], fields: tuple[str, ...]) -> set[tuple[Any, ...]]:
    """The cases in which all of these hold, as values of `fields`."""
    values = [
        [value for value in DOMAIN[field] if field not in clauses or value in clauses[field].passing]
        for field in fields
    ]
    return set(product(*values))
