"""The directory in the words of others: HSDS 3 services (JSON) and flat rows (CSV), both ways. Pure.

Either becomes the same flat row of texts, field by field, from which one function reads an entry: docs/adr/0014.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid5

from services.referral.domain import hours
from services.referral.domain.agencies import ENTRIES, KEPT, Agency, Level, agency_id, entry
from services.referral.domain.entries import Problem
from shared.contracts.codes import needs, provinces, regencies

FIELDS = ("agency_id", "kind", "region", *KEPT)
LISTS = frozenset({"needs", "sexes", "serves", "languages", "accessibility", "reserved"})
FLAGS = frozenset({"takes_referrals", "is_suspended", "with_children", "keeps_holidays"})
NUMBERS = frozenset({"min_age", "max_age"})
DATES = frozenset({"active_from", "active_until"})
NEEDED = ("kind", "name", "zone", "takes_referrals")
NONE = "none"
"""An empty list where an empty cell means: left open."""
AS_ATTRIBUTES = (
    "kind", "region", "zone", "takes_referrals", "needs", "sexes", "with_children", "keeps_holidays", "active_from",
    "active_until", "reserved",
)  # fmt: skip
"""What HSDS has no field for: attributes of the service, `label` the field and `value` the code."""
IDENTIFIER = "rujukan"

WORDS = {"yes": True, "ya": True, "true": True, "no": False, "tidak": False, "false": False}

Row = Mapping[str, str]
"""Field → text; empty or missing leaves the field open."""


class Broken(ValueError):
    """A document that is no HSDS service, or refers to what is not there; says the field and the part at fault."""

    def __init__(self, field: str, value: str) -> None:
        super().__init__(field)
        self.problem = Problem(field, "reference_broken" if value else "missing", value[:80])


def row(agency: Agency) -> dict[str, str]:
    """An entry as a flat row."""
    return {field: _text(getattr(agency, field)) for field in FIELDS}


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        if value and isinstance(value[0], hours.Opening):
            return hours.written(value)
        return ",".join(value) or NONE
    return value.isoformat() if isinstance(value, date) else str(value)


@dataclass(frozen=True, slots=True)
class Read:
    """What a row says: an entry, or what is wrong with it."""

    agency_id: str
    agency: Agency | None
    problems: tuple[Problem, ...] = ()


def read(said: Row) -> Read:
    """The entry that a row holds."""
    values, wrong = values_of({field: said.get(field, "") for field in KEPT})
    wrong += [Problem(field, "missing") for field in NEEDED if not said.get(field)]
    kind, region = said.get("kind", ""), said.get("region") or None
    expected = agency_id(kind, region)
    if (said.get("agency_id") or expected) != expected:
        wrong.append(Problem("agency_id", "id_crossed", said["agency_id"][:80]))
    if wrong:
        return Read(said.get("agency_id") or expected, None, tuple(wrong))
    level: Level = "national" if region is None else "regency" if "." in region else "province"
    return Read(expected, Agency(agency_id=expected, kind=kind, level=level, region=region, **values))


def values_of(said: Row) -> tuple[dict[str, Any], list[Problem]]:
    """The values of these fields (of `agencies.KEPT`), and what of them cannot be read."""
    values: dict[str, Any] = {}
    wrong: list[Problem] = []
    for field, text in said.items():
        try:
            values[field] = _value(field, text.strip())
        except hours.HoursUnreadable as error:
            wrong.append(Problem(field, "hours_unreadable", str(error)[:80]))
        except ValueError:
            wrong.append(Problem(field, "unreadable", text[:80]))
    return values, wrong


def _value(field: str, text: str) -> Any:
    """The value of a field. Raises ValueError."""
    if field == "is_suspended":
        return _flag(text) if text else False
    if field == "keeps_holidays":
        return _flag(text) if text else True
    if field == "reserved":
        return _list(text) or ()
    if not text:
        return "" if field in NEEDED else None
    if field in LISTS:
        return _list(text)
    if field in FLAGS:
        return _flag(text)
    if field in NUMBERS:
        return int(text)
    if field in DATES:
        return date.fromisoformat(text)
    return hours.read(text) if field == "hours" else text


def _flag(text: str) -> bool:
    if text.lower() not in WORDS:
        raise ValueError(text)
    return WORDS[text.lower()]


def _list(text: str) -> tuple[str, ...]:
    """The codes of a list, in order, each once."""
    return () if text == NONE else tuple(sorted({item.strip() for item in text.split(",") if item.strip()}))


# --------------------------------------------------------------------------------------------------------- HSDS


def service(agency: Agency) -> dict[str, Any]:
    """An entry as an HSDS 3 service with its organization, location, schedules, languages and areas inside."""
    said, its = row(agency), entry(agency.agency_id)
    location = _id(agency, "location")
    place = {
        "id": location,
        "location_type": "physical",
        "name": agency.name,
        "accessibility": [
            {"id": _id(agency, "access", code), "location_id": location, "description": code}
            for code in _codes(said["accessibility"])
        ],
    }
    full: dict[str, Any] = {
        "id": its,
        "organization_id": _id(agency, "organization"),
        "name": agency.name,
        "status": "inactive" if agency.is_suspended else "active",
        "minimum_age": agency.min_age,
        "maximum_age": agency.max_age,
        "email": agency.email,
        "assured_date": None if agency.confirmed_at is None else agency.confirmed_at.date().isoformat(),
        "organization": {
            "id": _id(agency, "organization"),
            "name": agency.name,
            "description": agency.name,
            "parent_organization_id": None
            if agency.supervised_by is None
            else _uuid(agency.supervised_by, "organization"),
            "organization_identifiers": [
                {
                    "id": _id(agency, "identifier"),
                    "organization_id": _id(agency, "organization"),
                    "identifier_type": IDENTIFIER,
                    "identifier": agency.agency_id,
                }
            ],
        },
        "service_at_locations": [
            {"id": _id(agency, "at"), "service_id": its, "location_id": location, "location": place}
        ],
        "phones": []
        if agency.phone is None
        else [{"id": _id(agency, "phone"), "service_id": its, "number": agency.phone}],
        "schedules": [
            {
                "id": _id(agency, "schedule", opens, closes),
                "service_id": its,
                "freq": "WEEKLY",
                "byday": ",".join(days),
                "opens_at": opens,
                "closes_at": closes,
            }
            for days, opens, closes in (() if agency.hours is None else hours.parts(agency.hours))
        ],
        "languages": [
            {"id": _id(agency, "language", code), "service_id": its, "code": code} for code in agency.languages or ()
        ],
        "service_areas": [
            {
                "id": _id(agency, "area", code),
                "service_id": its,
                "name": _region(code),
                "extent": code,
                "extent_type": "text",
            }
            for code in agency.serves or ()
        ],
        "attributes": [
            {
                "id": _id(agency, "attribute", label, value),
                "link_id": its,
                "link_entity": "service",
                "label": label,
                "value": value,
                "taxonomy_term_id": str(uuid5(ENTRIES, f"{label}:{value}")),
                "taxonomy_term": {
                    "id": str(uuid5(ENTRIES, f"{label}:{value}")),
                    "code": value,
                    "name": needs()[value].label_en if label == "needs" else value,
                    "taxonomy": f"{IDENTIFIER}:{label}",
                },
            }
            for label in AS_ATTRIBUTES
            for value in _codes(said[label])
            if value != NONE
        ],
    }
    return {field: value for field, value in full.items() if value is not None}


def services(document: Any) -> list[Any]:
    """The services of a document: a list, or a page of the HSDS API with `contents`. Raises `Broken`."""
    found = document.get("contents") if isinstance(document, dict) else document
    if not isinstance(found, list):
        raise Broken("contents", "")
    return found


def flat(said: Any, offices: Mapping[str, str]) -> dict[str, str]:
    """A service as a flat row. `offices`: the id of each office's organization → its agency id. Raises `Broken`."""
    its, organization = _str(said, "id"), _dict(said, "organization")
    if _str(said, "organization_id") != _str(organization, "id"):
        raise Broken("organization_id", _str(said, "organization_id"))
    found: dict[str, list[str]] = {}
    for attribute in _dicts(said, "attributes"):
        _expect(attribute, "link_id", its)
        found.setdefault(_str(attribute, "label"), []).append(_str(attribute, "value"))
    for at in _dicts(said, "service_at_locations"):
        _expect(at, "service_id", its)
        _expect(at, "location_id", _str(_dict(at, "location"), "id"))
        found.setdefault("accessibility", []).extend(
            _str(access, "description") for access in _dicts(at["location"], "accessibility")
        )
    for many in ("phones", "schedules", "languages", "service_areas"):
        for one in _dicts(said, many):
            _expect(one, "service_id", its)
    parent = organization.get("parent_organization_id")
    if parent is not None and parent not in offices:
        raise Broken("parent_organization_id", str(parent))
    identifiers = [
        _str(one, "identifier")
        for one in _dicts(organization, "organization_identifiers")
        if one.get("identifier_type") == IDENTIFIER
    ]
    return {
        **{label: ",".join(found.get(label, ())) for label in AS_ATTRIBUTES},
        **({"agency_id": identifiers[0]} if identifiers else {}),
        "name": _str(said, "name"),
        "is_suspended": "no" if _str(said, "status") == "active" else "yes",
        "min_age": _number(said.get("minimum_age")),
        "max_age": _number(said.get("maximum_age")),
        "serves": ",".join(_str(area, "extent") for area in _dicts(said, "service_areas")),
        "languages": ",".join(_str(language, "code") for language in _dicts(said, "languages")),
        "accessibility": ",".join(found.get("accessibility", ())),
        "hours": "; ".join(
            f"{_str(s, 'byday')} {_str(s, 'opens_at')}-{_str(s, 'closes_at')}" for s in _dicts(said, "schedules")
        ),
        "phone": next((_str(phone, "number") for phone in _dicts(said, "phones")), ""),
        "email": str(said.get("email") or ""),
        "supervised_by": "" if parent is None else offices[parent],
    }


def organizations(found: list[Any]) -> Iterator[tuple[str, str]]:
    """Organization id and agency id of those services of a file that say both."""
    for said in found:
        organization = said.get("organization") if isinstance(said, dict) else None
        if isinstance(organization, dict):
            for one in _dicts(organization, "organization_identifiers"):
                if one.get("identifier_type") == IDENTIFIER and "identifier" in one:
                    yield str(organization.get("id")), str(one["identifier"])


def organization(agency_id: str) -> str:
    """The id of an office's organization in HSDS."""
    return _uuid(agency_id, "organization")


def _uuid(agency_id: str, *parts: str) -> str:
    return str(uuid5(ENTRIES, "/".join((agency_id, *parts))))


def _id(agency: Agency, *parts: str) -> str:
    return _uuid(agency.agency_id, *parts)


def _codes(text: str) -> list[str]:
    return text.split(",") if text else []


def _region(code: str) -> str:
    return regencies()[code].name if code in regencies() else provinces()[code].name


def _number(value: object) -> str:
    return "" if value is None else str(value)


def _str(said: Any, field: str) -> str:
    value = said.get(field) if isinstance(said, dict) else None
    if not isinstance(value, str):
        raise Broken(field, "")
    return value


def _dict(said: Any, field: str) -> dict[str, Any]:
    value = said.get(field) if isinstance(said, dict) else None
    if not isinstance(value, dict):
        raise Broken(field, "")
    return value


def _dicts(said: Any, field: str) -> list[dict[str, Any]]:
    value = said.get(field, []) if isinstance(said, dict) else None
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Broken(field, "")
    return value


def _expect(said: Any, field: str, value: str) -> None:
    if _str(said, field) != value:
        raise Broken(field, _str(said, field))
