"""An entry of the directory as a form, and what such a form sends as texts of its fields."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from starlette.datastructures import FormData

from services.referral.domain import entries, hsds
from services.referral.domain.agencies import OWN
from services.referral.domain.entries import Problem
from services.referral.pages import forms, labels
from shared.contracts import codes
from shared.kit.web import FieldProblem
from shared.kit.words import ZONE_NAMES, Language, msg, translate

MANY = ("needs", "sexes", "accessibility", "reserved")
"""Fields that are chosen from a list; nothing chosen leaves them open."""
FLAGS = ("takes_referrals", "keeps_holidays")

FIELDS: dict[str, str] = {
    "name": msg("Name"),
    "zone": msg("Time zone"),
    "takes_referrals": msg("Referrals are sent there by themselves"),
    "is_suspended": msg("Suspended"),
    "needs": msg("Needs it serves"),
    "sexes": msg("Takes only"),
    "min_age": msg("Youngest"),
    "max_age": msg("Oldest"),
    "serves": msg("Provinces and regencies it serves"),
    "languages": msg("Languages"),
    "accessibility": msg("Access for people with disabilities"),
    "with_children": msg("Takes children together with adults"),
    "hours": msg("Office hours"),
    "keeps_holidays": msg("Closed on public holidays"),
    "phone": msg("Switchboard"),
    "email": msg("Mailbox"),
    "supervised_by": msg("Who answers for it"),
    "active_from": msg("Active from"),
    "active_until": msg("Active until"),
    "reserved": msg("Kept by coordinators alone"),
}
HINTS: dict[str, str] = {
    "needs": msg("None chosen: all that the rules send there."),
    "sexes": msg("None chosen: both."),
    "serves": msg("Codes with commas between, for example 73,64.71. Empty: whoever is sent."),
    "languages": msg("ISO 639 codes with commas between, for example bug,id,mak."),
    "hours": msg("For example MO,TU,WE,TH 07:30-16:00; FR 07:30-16:30. Empty: the hours of offices of the state."),
    "phone": msg("The office's own number, never a person's."),
    "email": msg("The office's own address, never a person's."),
    "supervised_by": msg("The id of another office. Empty: the supervisor of its province."),
    "min_age": msg("Whole years; empty: no limit."),
    "max_age": msg("Whole years; empty: no limit."),
    "reserved": msg("What is chosen here the office cannot change itself."),
    "accessibility": msg("None chosen: not known."),
}
ACCESSIBILITY: dict[str, str] = {
    "wheelchair": msg("Wheelchair"),
    "sign_language": msg("Sign language"),
    "braille": msg("Braille"),
    "plain_language": msg("Plain language"),
    "personal_assistance": msg("Personal assistance"),
    hsds.NONE: msg("No access"),
}
WITH_CHILDREN = {"": msg("Not known"), "yes": msg("Yes"), "no": msg("No")}
CHANGES: dict[str, str] = {
    "added": msg("Entered"),
    "changed": msg("Changed"),
    "suspended": msg("Suspended"),
    "resumed": msg("Put back into routing"),
    "confirmed": msg("Confirmed by the office"),
}
ROLES: dict[str, str] = {
    "coordinator": msg("Coordinator"),
    "agency_supervisor": msg("Supervisor of the office"),
    "system": msg("Command line or first filling"),
}


def fields(language: Language, said: Mapping[str, str], names: Iterable[str]) -> list[dict[str, Any]]:
    """These fields of a form, with what they hold now."""
    return [_field(language, name, said.get(name, "")) for name in names if name != "is_suspended"]


def _field(language: Language, name: str, text: str) -> dict[str, Any]:
    found = {
        "name": name,
        "label": translate(language, FIELDS[name]),
        "hint": translate(language, HINTS[name]) if name in HINTS else "",
        "value": text,
    }
    if name in FLAGS:
        return {**found, "kind": "flag", "checked": text == "yes"}
    if name in MANY:
        return {**found, "kind": "many", "options": _options(language, name), "chosen": text.split(",")}
    if name == "zone":
        return {**found, "kind": "one", "options": [(z, f"{ZONE_NAMES[z]} ({z})") for z in entries.ZONES]}
    if name == "with_children":
        options = [(code, translate(language, word)) for code, word in WITH_CHILDREN.items()]
        return {**found, "kind": "one", "options": options}
    return {**found, "kind": "date" if name in ("active_from", "active_until") else "text"}


def _options(language: Language, name: str) -> list[tuple[str, str]]:
    if name == "needs":
        return [(code, labels.need(language, code)) for code in codes.needs()]
    if name == "reserved":
        return [(field, translate(language, FIELDS[field])) for field in OWN]
    known = labels.SEXES if name == "sexes" else ACCESSIBILITY
    return [(code, translate(language, word)) for code, word in known.items() if code != "X"]


def texts(form: FormData, names: Iterable[str]) -> dict[str, str]:
    """What a form says of these fields, as an exported file would."""
    said: dict[str, str] = {}
    for name in names:
        if name in MANY:
            said[name] = ",".join(str(value) for value in form.getlist(name))[:2000]
        elif name in FLAGS:
            said[name] = "yes" if forms.text(form, name) else "no"
        elif name != "is_suspended":
            said[name] = forms.text(form, name).strip()[:2000]
    return said


def said(language: Language, problems: Sequence[Problem]) -> list[FieldProblem]:
    """What is wrong with an entry, in words."""
    return [
        FieldProblem(
            p.field,
            f"{translate(language, FIELDS[p.field]) if p.field in FIELDS else p.field}: "
            f"{translate(language, p.message)}",
            translate(language, p.remedy),
        )
        for p in problems
    ]


def value(language: Language, field: str, text: str) -> str:
    """A text of a field as people read it."""
    if not text or (text == hsds.NONE and field == "reserved"):
        return "–"
    if field in ("takes_referrals", "is_suspended", "keeps_holidays", "with_children"):
        return translate(language, WITH_CHILDREN.get(text, text))
    known = dict(_options(language, field)) if field in MANY else {}
    return ", ".join(known.get(code, code) for code in text.split(",")) if known else text
