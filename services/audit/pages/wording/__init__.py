"""What codes are called on a trail. A code that has no words here is shown as it is: nothing is left out."""

from datetime import datetime
from typing import Any

from services.audit.pages.wording.events import EVENTS
from services.audit.pages.wording.fields import FIELDS
from services.audit.pages.wording.purposes import PURPOSES
from services.audit.pages.wording.values import VALUES
from shared.contracts import codes
from shared.kit import words
from shared.kit.words import Language, msg

HIDDEN = frozenset({"case_id"})
"""Fields that every entry of a trail shares."""
NEEDS = frozenset({"need", "needs", "added", "struck", "points_to"})
"""Fields that hold codes of needs."""

SERVICES = {
    "intake": msg("Intake"),
    "referral": msg("Referral"),
    "notify": msg("Notices"),
    "audit": msg("Audit"),
}


def service(language: Language, source: str) -> str:
    """What a service is called."""
    return words.translate(language, SERVICES[source]) if source in SERVICES else source


def event(language: Language, type_: str) -> str:
    """What happened, in words."""
    return words.translate(language, EVENTS[type_]) if type_ in EVENTS else type_


def purpose(language: Language, code: str) -> str:
    """Why it was done."""
    return words.translate(language, PURPOSES[code]) if code in PURPOSES else code


def field(language: Language, name: str) -> str:
    """What a field of a fact is called."""
    return words.translate(language, FIELDS[name]) if name in FIELDS else name


def value(language: Language, name: str, value_: Any, zone: str) -> str:
    """A field's value as people read it: labels for codes, names for regions, times at the place."""
    if value_ is None:
        return words.translate(language, "Not known")
    if isinstance(value_, list):
        return ", ".join(value(language, name, one, zone) for one in value_) or "–"
    if isinstance(value_, dict):
        return "; ".join(f"{field(language, part)} {value(language, part, one, zone)}" for part, one in value_.items())
    if isinstance(value_, bool):
        return words.translate(language, msg("yes") if value_ else msg("no"))
    if isinstance(value_, int):
        return str(value_) if name == "status" else words.number(language, value_)
    text = str(value_)
    if name.endswith("_at"):
        return _moment(language, text, zone)
    return _place_or_need(language, name, text) or (
        words.translate(language, VALUES[text]) if text in VALUES else event(language, text)
    )


def _moment(language: Language, text: str, zone: str) -> str:
    try:
        return words.moment(language, datetime.fromisoformat(text), zone)
    except (ValueError, OverflowError):
        return text


def _place_or_need(language: Language, name: str, code: str) -> str | None:
    if name in NEEDS and code in codes.needs():
        need = codes.needs()[code]
        return need.label_id if language == "id" else need.label_en
    if name == "province" and code in codes.provinces():
        province = codes.provinces()[code]
        return province.name if language == "id" else province.name_en
    if (name.endswith("regency") or name == "was") and code in codes.regencies():
        return codes.regencies()[code].name
    if name == "port" and code in codes.ports():
        return codes.ports()[code].name
    return None
