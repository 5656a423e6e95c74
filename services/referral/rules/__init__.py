"""Routing by decision tables: facts in, ranked candidates with reasons out.

A rule set is a JDM file of this folder, named for its version and never edited once used: a change is a new file.
`Rules` compiles one, decides with zen-engine, and explains clause by clause what it did not choose. It knows the
directory as a snapshot and no database.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any, get_args

import orjson
import zen
from pydantic import BaseModel, ConfigDict, ValidationError

from services.referral.domain import distances, eligibility
from services.referral.domain.agencies import Agency, Directory
from services.referral.domain.agencies import agency_id as id_of
from services.referral.domain.routing import Considered, Decision, Facts, Terms, WhyNot
from services.referral.rules import checks, explanations, lint
from services.referral.rules.explanations import read as read
from shared.contracts.codes import AgeBand, NeedCode, Sex
from shared.contracts.fact import RegencyCode

NEEDS: tuple[str, ...] = get_args(NeedCode)
FOLDER = Path(__file__).parent
REMEMBERED = 20_000
"""Decisions kept: more than needs × ages × home regencies of one port."""


class FactsUnusable(ValueError):
    """The facts lack something or have the wrong type. The engine would silently match nothing."""


class RulesDisagree(RuntimeError):
    """The engine and the explanation of a row differ: a bug, never a reason to route somewhere."""


class Checked(BaseModel):
    """The facts as the tables read them, validated."""

    model_config = ConfigDict(strict=True)

    need: NeedCode
    age_band: AgeBand
    port_regency: RegencyCode
    origin_regency: RegencyCode | None
    consent: bool
    sex: Sex


CONTEXT = itemgetter(*lint.DOMAIN)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the tables say in one context: the terms, and each row for the need with the clauses that hold and fail."""

    terms: Terms | None
    rows: tuple[tuple[lint.Row, tuple[str, ...], tuple[str, ...]], ...]


class Rules:
    """One version of the rules, compiled once."""

    def __init__(self, version: str, text: bytes) -> None:
        tables = lint.tables(version, text)
        checks.check(version, tables)
        self.version = version
        self.text = text
        """Its JDM."""
        self.digest = hashlib.sha256(text).hexdigest()
        self.rows = tables.rows
        self.form = explanations.FORM if tables.given == lint.TERMS else explanations.EARLIER
        """In which its decisions are stored."""
        self._given = tables.given
        self._terms = {row.id: _terms(row.values) for row in tables.terms}
        self.kinds = frozenset(row.kind for row in tables.rows)
        """The kinds of office that it names."""
        self._rows_of = {
            need: tuple(row for row in tables.rows if row.clauses["need"].holds({"need": need})) for need in NEEDS
        }
        self._engine = zen.ZenEngine({"loader": {"type": "static", "content": {version: orjson.loads(text)}}})
        self._readings: dict[tuple[Any, ...], Reading] = {}
        """Of all contexts there can be, which are some hundreds, those that came before."""

    def decide(self, facts: Facts, directory: Directory, *, form: int | None = None) -> Decision:
        """Who may be asked, in rank order, and why; the same facts and directory give the same decision.

        No candidate is an answer too (a gap). Raises `FactsUnusable`.
        """
        reading = self._reading(_checked(facts))
        considered: list[Considered] = []
        before: set[str] = set()
        for row, passed, failed in reading.rows:
            said = _consider(row, passed, failed, facts, directory, before)
            considered.append(said)
            if said.why_not is None and said.agency_id is not None:
                before.add(said.agency_id)
        considered = _with_household(considered, facts, directory)
        return explanations.explained(
            self.version, self.digest, facts, reading.terms, considered, form=form or self.form
        )

    def replay(self, stored: Decision, entries: Mapping[tuple[str, int], Agency]) -> Decision:
        """A stored decision of this version, made again on what it hung on: the same bytes, or something is wrong.

        `entries`: the versions of `explanations.entries_of(stored)`. Raises `KeyError` without one of them.
        """
        directory = explanations.directory_of(stored, entries)
        return self.decide(stored.facts, directory, form=explanations.form_of(stored))

    def _reading(self, context: Mapping[str, Any]) -> Reading:
        """What the tables say in this context, from memory where it came before."""
        key = CONTEXT(context)
        known = self._readings.get(key)
        if known is None:
            known = self._readings[key] = self._evaluate(context)
        return known

    def _evaluate(self, context: Mapping[str, Any]) -> Reading:
        answer = self._engine.evaluate(self.version, dict(context), {"trace": True})
        matched = _matched(answer["trace"], lint.CANDIDATES)
        rows: list[tuple[lint.Row, tuple[str, ...], tuple[str, ...]]] = []
        for row in self._rows_of[context["need"]]:
            passed = tuple(field for field, clause in row.clauses.items() if clause.holds(context))
            failed = tuple(field for field in row.clauses if field not in passed)
            if (row.id in matched) is bool(failed):
                raise RulesDisagree(f"{self.version} {row.id}")
            rows.append((row, passed, failed))
        terms = next((self._terms[row] for row in _matched(answer["trace"], self._given)), None)
        return Reading(terms, tuple(rows))


class Router:
    """Rules and one snapshot of the directory; remembers what it decided, so that a ship full of people costs
    as many evaluations as it has different sets of facts."""

    def __init__(self, rules: Rules, directory: Directory, *, since: datetime | None = None) -> None:
        self.rules = rules
        self.directory = directory
        self.since = since or directory.changed_at
        """The last change of either."""
        self.evaluations = 0
        self._decided: OrderedDict[Facts, Decision] = OrderedDict()

    def decide(self, facts: Facts) -> Decision:
        """As `Rules.decide`, from memory where the same facts came before."""
        known = self._decided.get(facts)
        if known is not None:
            self._decided.move_to_end(facts)
            return known
        decision = self.rules.decide(facts, self.directory)
        self.evaluations += 1
        self._decided[facts] = decision
        if len(self._decided) > REMEMBERED:
            self._decided.popitem(last=False)
        return decision


def _consider(
    row: lint.Row,
    passed: tuple[str, ...],
    failed: tuple[str, ...],
    facts: Facts,
    directory: Directory,
    before: AbstractSet[str],
) -> Considered:
    """What a row comes to for these facts: the office that it proposes, and what stands in the way."""
    regency = facts.region(row.place, "regency")
    region = facts.region(row.place, row.level)
    is_somewhere = row.level == "national" or region is not None
    agency_id = id_of(row.kind, region) if is_somewhere else None
    found = None if agency_id is None else directory.agencies.get(agency_id)
    unmet = () if found is None else eligibility.unmet(found, facts)
    return Considered(
        row=row.id,
        kind=row.kind,
        level=row.level,
        place=row.place,
        agency_id=agency_id,
        passed=passed,
        failed=failed,
        why_not=_why_not(found, is_somewhere=is_somewhere, failed=failed, unmet=unmet, before=before),
        unmet=unmet,
        entry=None if found is None else found.version,
        km=None if region is None else distances.km(regency or region, region),
    )


def _with_household(considered: list[Considered], facts: Facts, directory: Directory) -> list[Considered]:
    """In rank order: who is asked for the household's strictest need first, and of a household with children and adults
    those who say that they do not take both last."""
    if facts.household_agency is None and not facts.household_mixed:
        return considered

    def rank(c: Considered) -> tuple[bool, bool]:
        if c.why_not is not None or c.agency_id is None:
            return True, False
        found = directory.agencies.get(c.agency_id)
        parts = facts.household_mixed and found is not None and found.with_children is False
        return c.agency_id != facts.household_agency, parts

    return sorted(considered, key=rank)


def _why_not(
    found: Agency | None, *, is_somewhere: bool, failed: Sequence[str], unmet: Sequence[str], before: AbstractSet[str]
) -> WhyNot | None:
    """The first thing that stands in the way of a row's agency; None when nothing does."""
    if failed:
        return "clause"
    if not is_somewhere:
        return "no_region"
    if found is None:
        return "not_in_directory"
    if not found.takes_referrals:
        return "never_by_itself"
    if found.is_suspended:
        return "suspended"
    if unmet:
        return "not_eligible"
    if found.agency_id in before:
        return "ranked_before"
    return None


def _checked(facts: Facts) -> dict[str, Any]:
    """The context of the tables. Raises `FactsUnusable`, naming the facts at fault and not their content."""
    home = facts.home
    try:
        checked = Checked.model_validate(
            {
                "need": facts.need,
                "age_band": facts.age_band,
                "port_regency": facts.port_regency,
                "origin_regency": home,
                "consent": facts.consent,
                "sex": facts.sex,
            }
        )
    except ValidationError as error:
        raise FactsUnusable(", ".join(str(e["loc"][0]) for e in error.errors())) from None
    return {
        "need": checked.need,
        "age_band": checked.age_band,
        "has_origin": home is not None,
        "consent": checked.consent,
        "sex": checked.sex,
    }


def _terms(given: Mapping[str, Any]) -> Terms:
    """What a row gives, of whichever form."""
    if "answer_hours" in given:
        return Terms(0, int(given["answer_hours"]), int(given["service_hours"]))
    return Terms(
        **{
            **given,
            "urgency": int(given["urgency"]),
            "acknowledge_hours": float(given["acknowledge_hours"]),
            "decide_hours": float(given["decide_hours"]),
            "service_hours": int(given["service_hours"]),
        }
    )


def _matched(trace: dict[str, Any], table: str) -> frozenset[str]:
    """The ids of the rows that were hit; of a table in which the first one counts, at most one."""
    hit: Any = trace[table]["traceData"] or []
    return frozenset(row["rule"]["_id"] for row in (hit if isinstance(hit, list) else [hit]))


@lru_cache(maxsize=32)
def compiled(version: str, text: bytes) -> Rules:
    """These rules, compiled once in a process. Raises `findings.BadRules`."""
    return Rules(version, text)


def load(version: str) -> Rules:
    """The rules of a version that is shipped. Raises OSError without such a file."""
    return compiled(version, shipped(version))


def shipped(version: str) -> bytes:
    """The JDM of a version that comes with the product. Raises OSError without such a file."""
    return (FOLDER / f"{version}.json").read_bytes()


@cache
def versions() -> frozenset[str]:
    """Those that come with the product."""
    return frozenset(file.stem for file in FOLDER.glob("*.json"))


def latest() -> str:
    """The newest version that comes with the product."""
    return max(versions())
