"""Decisions as they are stored: canonical JSON, found by its SHA-256, read again, and made again.

Form 3 holds all that a decision hung on: the rules by version and digest, the facts, the terms, and of each office the
version of its entry. Form 2 has of the terms the hours alone; form 1, from before entries had versions, held neither
those nor the sex of the person.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, get_args

import orjson

from services.referral.domain.agencies import Agency, Directory, Level
from services.referral.domain.routing import Candidate, Considered, Decision, Facts, Place, Terms, WhyNot

FORM = 3
EARLIER = 2
"""The form in which decisions are stored by rules that give hours alone."""
GIVEN = attrgetter(*(field.name for field in fields(Terms)))
"""All that terms give, in the order in which it is stored."""


def explained(
    version: str, digest: str, facts: Facts, terms: Terms | None, considered: Sequence[Considered], *, form: int = FORM
) -> Decision:
    """The decision with the bytes that are stored of it."""
    body = orjson.dumps(
        {
            **({"form": form} if form > 1 else {}),
            "rules": version,
            "rules_sha256": digest,
            "facts": {
                "need": facts.need,
                "age_band": facts.age_band,
                **({"sex": facts.sex} if form > 1 else {}),
                "port_regency": facts.port_regency,
                "origin_regency": facts.origin_regency,
                "consent": facts.consent,
                **_household_of(facts),
            },
            **_said_of(terms, form),
            "considered": [
                {
                    "row": c.row,
                    "kind": c.kind,
                    "level": c.level,
                    "place": c.place,
                    "agency": c.agency_id,
                    **({"entry": c.entry, "km": c.km} if form > 1 else {}),
                    "passed": c.passed,
                    "failed": c.failed,
                    **({"unmet": c.unmet} if form > 1 else {}),
                    "why_not": c.why_not,
                }
                for c in considered
            ],
        }
    )
    return Decision(
        facts=facts,
        rules_version=version,
        candidates=_candidates(terms, considered),
        considered=tuple(considered),
        terms=terms,
        body=body,
        digest=hashlib.sha256(body).digest(),
    )


def read(body: bytes) -> Decision:
    """The decision that an explanation holds. Raises `ValueError` on a code that is none."""
    said = orjson.loads(body)
    considered = tuple(
        Considered(
            row=c["row"],
            kind=c["kind"],
            level=_known(c["level"], Level),
            place=_known(c["place"], Place),
            agency_id=c["agency"],
            passed=tuple(c["passed"]),
            failed=tuple(c["failed"]),
            why_not=None if c["why_not"] is None else _known(c["why_not"], WhyNot),
            unmet=tuple(c.get("unmet", ())),
            entry=c.get("entry"),
            km=c.get("km"),
        )
        for c in said["considered"]
    )
    terms = _terms(said)
    return Decision(
        facts=Facts(**said["facts"]),
        rules_version=said["rules"],
        candidates=_candidates(terms, considered),
        considered=considered,
        terms=terms,
        body=body,
        digest=hashlib.sha256(body).digest(),
    )


def form_of(decision: Decision) -> int:
    """The form in which a decision was stored."""
    form: int = orjson.loads(decision.body).get("form", 1)
    return form


def entries_of(decision: Decision) -> frozenset[tuple[str, int]]:
    """The entries of the directory that it was made on: office and version."""
    return frozenset((c.agency_id, c.entry) for c in decision.considered if c.agency_id and c.entry is not None)


def directory_of(decision: Decision, entries: Mapping[tuple[str, int], Agency]) -> Directory:
    """The part of the directory that a decision was made on, as it was then.

    Of form 1 the versions are unknown; what it says of each office is enough, since offices restricted nothing then.
    """
    found: dict[str, Agency] = {}
    for c in decision.considered:
        if c.agency_id is None or c.why_not in {"not_in_directory", "no_region"}:
            continue
        if c.entry is not None:
            entry = entries[c.agency_id, c.entry]
            found[c.agency_id] = replace(entry, is_current="period" not in c.unmet)
        elif form_of(decision) == 1:
            found.setdefault(c.agency_id, _of_form_1(c))
    return Directory(
        found, frozenset(a.agency_id for a in found.values() if a.is_available), datetime.min.replace(tzinfo=UTC)
    )


def _of_form_1(c: Considered) -> Agency:
    assert c.agency_id is not None
    return Agency(
        agency_id=c.agency_id,
        kind=c.kind,
        level=c.level,
        region=c.agency_id.removeprefix(c.kind).removeprefix("-") or None,
        name=c.agency_id,
        zone="Asia/Jakarta",
        takes_referrals=c.why_not != "never_by_itself",
        is_suspended=c.why_not == "suspended",
    )


def _household_of(facts: Facts) -> dict[str, Any]:
    """What of the household a decision hung on; nothing of who goes by its own, as in earlier decisions."""
    said = {
        "household_at": facts.household_at,
        "household_agency": facts.household_agency,
        "household_mixed": facts.household_mixed,
    }
    return {name: value for name, value in said.items() if value}


def _said_of(terms: Terms | None, form: int) -> dict[str, Any]:
    if form < FORM:
        return {"hours": None if terms is None else [terms.answer_hours, terms.service_hours]}
    return {"terms": None if terms is None else GIVEN(terms)}


def _terms(said: Mapping[str, Any]) -> Terms | None:
    """The terms that an explanation holds."""
    if said.get("form", 1) < FORM:
        hours = said["hours"]
        return None if hours is None else Terms(0, *hours)
    return None if said["terms"] is None else Terms(*said["terms"])


def _candidates(terms: Terms | None, considered: Sequence[Considered]) -> tuple[Candidate, ...]:
    if terms is None:
        return ()
    return tuple(Candidate(c.agency_id, terms) for c in considered if c.why_not is None and c.agency_id is not None)


def _known(value: str, codes: Any) -> Any:
    if value not in get_args(codes):
        raise ValueError("an explanation holds an unknown code")
    return value
