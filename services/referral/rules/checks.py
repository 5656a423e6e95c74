"""What compiles and is still wrong: cells and rows that the engine would swallow in silence.

All that the tables can look at is few (needs, age bands, home known or not, consent or not), so every case is tried.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

from services.referral.rules.lint import CANDIDATES, DOMAIN, HOURS, BadRules, Clause, Tables

Reason = Literal[
    "unknown_code",
    "never_holds",
    "unreachable",
    "overlaps",
    "proposed_twice",
    "unknown_kind",
    "no_hours",
    "no_backstop",
]  # fmt: skip
REMEDIES: Mapping[Reason, str] = {
    "unknown_code": "a code that there is not; write one of {known}",
    "never_holds": "holds for nothing; write one of {known}, as text in quotes or as true or false",
    "unreachable": "never holds as a whole: its cells exclude each other; change one or take the row out",
    "overlaps": "also holds where the row {other} above it does, which wins; take the case out of one of them",
    "proposed_twice": "proposes the same office as the row {other} for the same case; take one of them out",
    "unknown_kind": "the directory has no office of this kind; enter one first, or write one of {known}",
    "no_hours": "no row holds for {other}; add one",
    "no_backstop": "no row proposes a national office for {other}, whatever else is known; add one",
}
TEXT = re.compile(r'"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, where, and what to do. `row`, `column` are empty where a whole table is meant."""

    table: str
    row: str
    column: str
    reason: Reason
    other: str = ""
    known: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """What is wrong and what to do."""
        return REMEDIES[self.reason].format(other=self.other, known=", ".join(self.known))

    def __str__(self) -> str:
        return f"{' '.join(part for part in (self.table, self.row, self.column) if part)}: {self.said}"


def check(version: str, tables: Tables, *, kinds: Set[str] | None = None) -> None:
    """Raises `BadRules`, naming everything that is wrong. `kinds` of office there are; None: not looked at."""
    found = [*_findings(tables, kinds)]
    if found:
        raise BadRules(f"{version}: " + "; ".join(map(str, found)), found)


def _findings(tables: Tables, kinds: Set[str] | None) -> Iterator[Finding]:
    for table, rows in ((HOURS, tables.hours), (CANDIDATES, tables.rows)):
        for row in rows:
            wrong = [*_cells(table, row.id, row.clauses.values())]
            yield from wrong
            if not wrong and not _held(row.clauses):
                yield Finding(table, row.id, "", "unreachable")
    for row in tables.rows:
        if kinds is not None and row.kind not in kinds:
            yield Finding(CANDIDATES, row.id, "kind", "unknown_kind", known=tuple(sorted(kinds)))
    yield from _hours(tables)
    yield from _proposals(tables)


def _cells(table: str, row: str, clauses: Iterable[Clause]) -> Iterator[Finding]:
    for clause in clauses:
        known = DOMAIN[clause.field]
        strange = set(TEXT.findall(clause.cell)) - set(known)
        if strange:
            yield Finding(table, row, clause.field, "unknown_code", known=tuple(map(_written, known)))
        elif not clause.passing:
            yield Finding(table, row, clause.field, "never_holds", known=tuple(map(_written, known)))


def _hours(tables: Tables) -> Iterator[Finding]:
    """Each case has one row of hours, and one only."""
    taken: dict[str, str] = {}
    for row in tables.hours:
        for (need,) in _held(row.clauses, ("need",)):
            if need in taken:
                yield Finding(HOURS, row.id, "", "overlaps", other=taken[need])
                break
            taken[need] = row.id
    for need in DOMAIN["need"]:
        if need not in taken:
            yield Finding(HOURS, "", "", "no_hours", other=need)


def _proposals(tables: Tables) -> Iterator[Finding]:
    """No office is proposed twice for a case, and each case ends with a national one that takes no consent."""
    proposed: dict[tuple[Any, ...], str] = {}
    backed: set[tuple[Any, ...]] = set()
    for row in tables.rows:
        cases = _held(row.clauses)
        office = (row.kind, row.level, row.place)
        twice = next((proposed[*office, *case] for case in cases if (*office, *case) in proposed), None)
        if twice is not None:
            yield Finding(CANDIDATES, row.id, "", "proposed_twice", other=twice)
        proposed.update({(*office, *case): row.id for case in cases if (*office, *case) not in proposed})
        if row.level == "national":
            backed.update(cases)
    for need in DOMAIN["need"]:
        if any(case not in backed for case in product((need,), *map(DOMAIN.__getitem__, FIELDS[1:]))):
            yield Finding(CANDIDATES, "", "", "no_backstop", other=need)


FIELDS = tuple(DOMAIN)


def _held(clauses: Mapping[str, Clause], fields: tuple[str, ...] = FIELDS) -> set[tuple[Any, ...]]:
    """The cases in which all of these hold, as values of `fields`."""
    values = [
        [value for value in DOMAIN[field] if field not in clauses or value in clauses[field].passing]
        for field in fields
    ]
    return set(product(*values))


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
