"""The rules in words: how far a version is, and its tables as people read them."""

from collections.abc import Mapping
from typing import Any

import orjson

from services.referral.domain.rulesets import SHIPPED, RuleSet
from services.referral.pages import labels
from services.referral.rules import reasons, sheets
from shared.contracts import codes
from shared.kit.actor import Actor
from shared.kit.words import Language, msg, translate

STATES: Mapping[str, tuple[str, str]] = {
    "draft": (msg("draft"), "neutral"),
    "tried": (msg("tried"), "info"),
    "active": (msg("in force"), "ok"),
    "retired": (msg("retired"), "neutral"),
}
STEPS = (msg("Drafted"), msg("Tried"), msg("Asked for"), msg("In force"))
TABLES: Mapping[str, str] = {
    "terms": msg("Terms: how urgent, how long, whose consent"),
    "hours": msg("Hours"),
    "candidates": msg("Offices in the order in which they are asked"),
}
COLUMNS: Mapping[str, str] = {
    "need": msg("Need"),
    "age_band": msg("Age"),
    "sex": msg("Sex"),
    "has_origin": msg("Home known"),
    "consent": msg("Consent"),
    "urgency": msg("Urgency"),
    "acknowledge_hours": msg("To open it (h)"),
    "decide_hours": msg("Then to answer (h)"),
    "answer_hours": msg("To answer (h)"),
    "service_hours": msg("To the first help (h)"),
    "counted": msg("Hours counted"),
    "visibility": msg("Seen by"),
    "basis": msg("Lawful basis"),
    "kind": msg("Kind"),
    "level": msg("Level"),
    "place": msg("Place"),
}
LEVELS: Mapping[str, str] = {
    "regency": msg("regency or city"),
    "province": msg("province"),
    "national": msg("whole country"),
}
PLACES: Mapping[str, str] = {"origin": msg("home"), "port": msg("the port"), "nation": msg("whole country")}
VALUES: Mapping[str, Mapping[str, str]] = {
    "age_band": labels.AGES,
    "sex": labels.SEXES,
    "counted": reasons.COUNTED,
    "consent": reasons.CONSENT,
    "visibility": reasons.VISIBILITY,
    "basis": reasons.BASIS,
    "level": LEVELS,
    "place": PLACES,
}
"""What the codes of a column are called; kinds of office have no other name than their code."""


def _word(language: Language, words: Mapping[str, str], code: str) -> str:
    return translate(language, words[code]) if code in words else code


def version(language: Language, found: RuleSet, actor: Actor) -> dict[str, Any]:
    said, kind = STATES[found.state]
    return {
        "version": found.version,
        "state": found.state,
        "said": translate(language, said),
        "kind": kind,
        "is_shipped": found.drafted_by == SHIPPED,
        "drafted_at": found.drafted_at,
        "tried_at": found.tried_at,
        "asked_at": found.asked_at,
        "activated_at": found.activated_at,
        "retired_at": found.retired_at,
        "digest": found.digest.hex(),
        "asked_by_you": found.asked_by == actor.id,
        "is_asked": found.asked_by is not None,
    }


def steps(language: Language, found: RuleSet) -> list[tuple[str, str]]:
    done = [True, found.tried_at is not None, found.asked_at is not None, found.activated_at is not None]
    if found.drafted_by == SHIPPED and done[3]:
        done[2] = True
    now = done.index(False) if False in done and found.state != "retired" else -1
    return [
        (translate(language, name), "done" if is_done else "now" if n == now else "next")
        for n, (name, is_done) in enumerate(zip(STEPS, done, strict=True))
    ]


def tables(language: Language, text: bytes) -> list[dict[str, Any]]:
    """The decision tables of a version (JDM)."""
    return [_table(language, node) for node in orjson.loads(text)["nodes"] if node["type"] == "decisionTableNode"]


def _table(language: Language, node: dict[str, Any]) -> dict[str, Any]:
    """A decision table as people read it: of each row when it holds, and what it gives."""
    content = node["content"]
    return {
        "id": node["id"],
        "name": _word(language, TABLES, node["id"]),
        "rows": [
            (
                rule["_id"],
                rule.get("_description", ""),
                _cells(language, content["inputs"], rule),
                _cells(language, content["outputs"], rule),
            )
            for rule in content["rules"]
        ],
    }


def _cells(language: Language, columns: list[dict[str, str]], rule: dict[str, str]) -> list[str]:
    """The cells that say something, each behind its heading."""
    return [
        f"{_word(language, COLUMNS, column['field'])}: {_cell(language, column['field'], rule[column['id']])}"
        for column in columns
        if rule.get(column["id"], "").strip()
    ]


def _cell(language: Language, field: str, raw: str) -> str:
    value = sheets.shown(raw.strip())
    if isinstance(value, bool):
        return translate(language, msg("yes") if value else msg("no"))
    if isinstance(value, int | float):
        return f"{value:g}"
    return ", ".join(_named(language, field, code) for code in value.split(", ")) if value else "–"


def _named(language: Language, field: str, code: str) -> str:
    if field == "need" and code in codes.needs():
        return labels.need(language, code)
    return _word(language, VALUES.get(field, {}), code)
