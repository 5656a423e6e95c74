"""What an entry of the directory must be: the codes it may hold, and what is wrong with one, field by field."""

import re
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from services.referral.domain.agencies import OWN, Agency
from shared.contracts.codes import needs, provinces, regencies

ACCESSIBILITY = ("wheelchair", "sign_language", "braille", "plain_language", "personal_assistance")
SEXES = ("F", "M")
ZONES = ("Asia/Jakarta", "Asia/Pontianak", "Asia/Makassar", "Asia/Jayapura")
MOST_NAME = 120
MOST_LIST = 60

KIND = re.compile(r"[A-Z0-9][A-Z0-9-]{0,31}")
LANGUAGE = re.compile(r"[a-z]{2,3}")
PHONE = re.compile(r"\+?[0-9][0-9 ()-]{1,23}[0-9]")
EMAIL = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")


def msg(sentence: str) -> str:
    """Mark a sentence for the catalogues; returns it unchanged. (The platform's own marker is out of reach here.)"""
    return sentence


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a field of an entry; `value` is the part at fault."""

    field: str
    code: str
    value: str = ""

    @property
    def message(self) -> str:
        return PROBLEMS[self.code][0]

    @property
    def remedy(self) -> str:
        return PROBLEMS[self.code][1]


PROBLEMS: dict[str, tuple[str, str]] = {
    "missing": (msg("This is missing."), msg("Fill it in.")),
    "too_long": (msg("This is too long."), msg("A name has at most 120 characters, a list at most 60 items.")),
    "unreadable": (msg("This cannot be read."), msg("Write it as an exported file has it.")),
    "kind_unknown": (
        msg("Neither the directory nor the rules know this kind of office."),
        msg("Use a kind that the directory lists, for example DINSOS."),
    ),
    "region_unknown": (
        msg("No province or regency has this code."),
        msg("Use the code of the Ministry of Home Affairs, for example 73 or 73.06."),
    ),
    "zone_unknown": (msg("This is not a time zone of Indonesia."), msg("Use WIB, WITA or WIT.")),
    "need_unknown": (msg("There is no such need."), msg("Use the codes of needs, for example TIP.")),
    "sex_unknown": (msg("This is not a sex we know."), msg("Use F or M, or leave it open.")),
    "ages_crossed": (
        msg("These ages are no range."),
        msg("Use whole years between 0 and 120, the youngest first."),
    ),
    "language_unknown": (msg("This is not the code of a language."), msg("Use ISO 639 codes, for example id or bug.")),
    "accessibility_unknown": (
        msg("This is no kind of access that we know."),
        msg("Use wheelchair, sign_language, braille, plain_language or personal_assistance."),
    ),
    "hours_unreadable": (
        msg("These office hours cannot be read."),
        msg("Write them like MO,TU,WE,TH 07:30-16:00; FR 07:30-16:30, without overlaps."),
    ),
    "phone_unreadable": (msg("This is not a telephone number."), msg("Use digits, for example +62 411 123456.")),
    "email_unreadable": (msg("This is not a mailbox."), msg("Use the office's own address, never a person's.")),
    "supervisor_unknown": (
        msg("The directory has no such office to answer for this one."),
        msg("Use the id of another office that is in the directory or in the file."),
    ),
    "period_crossed": (msg("The period ends before it begins."), msg("Check both dates.")),
    "field_unknown": (msg("An office cannot change this."), msg("Choose among the fields that an office keeps.")),
    "twice": (msg("The file has this office twice."), msg("Keep one of the two rows.")),
    "reference_broken": (
        msg("It refers to something that is not in the file."),
        msg("Add what is referred to, or correct the reference."),
    ),
    "id_crossed": (
        msg("The id does not fit the kind and the region."),
        msg("The id is kind and region with a hyphen between, for example DINSOS-73.06."),
    ),
}
"""Each code's sentence and what to do about it, as message ids of the catalogues."""


def problems(agency: Agency, *, kinds: AbstractSet[str], offices: AbstractSet[str]) -> list[Problem]:
    """What is wrong with an entry; empty when it may stand. `offices`: ids of all that there will be."""
    return list(_problems(agency, kinds, offices))


def _problems(a: Agency, kinds: AbstractSet[str], offices: AbstractSet[str]) -> Iterator[Problem]:
    if a.kind not in kinds:
        yield Problem("kind", "kind_unknown", a.kind)
    if not is_region(a.region):
        yield Problem("region", "region_unknown", a.region or "")
    if not a.name.strip():
        yield Problem("name", "missing")
    elif len(a.name) > MOST_NAME:
        yield Problem("name", "too_long")
    elif not a.name.isprintable():
        yield Problem("name", "unreadable")
    if a.zone not in ZONES:
        yield Problem("zone", "zone_unknown", a.zone)
    yield from _strange("needs", a.needs, lambda code: code in needs(), "need_unknown")
    yield from _strange("sexes", a.sexes, lambda code: code in SEXES, "sex_unknown")
    yield from _strange("serves", a.serves, is_region, "region_unknown")
    yield from _strange("languages", a.languages, lambda code: LANGUAGE.fullmatch(code) is not None, "language_unknown")
    yield from _strange("accessibility", a.accessibility, lambda code: code in ACCESSIBILITY, "accessibility_unknown")
    yield from _strange("reserved", a.reserved, lambda name: name in OWN, "field_unknown")
    ages = [age for age in (a.min_age, a.max_age) if age is not None]
    if any(not 0 <= age <= 120 for age in ages) or ages != sorted(ages):
        yield Problem("min_age", "ages_crossed", "–".join(map(str, ages)))
    if a.phone is not None and not PHONE.fullmatch(a.phone):
        yield Problem("phone", "phone_unreadable", a.phone)
    if a.email is not None and not EMAIL.fullmatch(a.email):
        yield Problem("email", "email_unreadable", a.email)
    if a.supervised_by is not None and (a.supervised_by not in offices or a.supervised_by == a.agency_id):
        yield Problem("supervised_by", "supervisor_unknown", a.supervised_by)
    if a.active_from is not None and a.active_until is not None and a.active_until < a.active_from:
        yield Problem("active_until", "period_crossed", a.active_until.isoformat())


def is_region(code: str | None) -> bool:
    """True for a province, a regency, or None, which is the whole country."""
    return code is None or code in provinces() or code in regencies()


def _strange(field: str, said: tuple[str, ...] | None, is_known: Callable[[str], bool], code: str) -> Iterator[Problem]:
    """What is wrong with a list of codes; an empty one restricts to nobody, which only access may mean."""
    if said is None:
        return
    if not said and field not in ("accessibility", "reserved"):
        yield Problem(field, "missing")
    if len(said) > MOST_LIST:
        yield Problem(field, "too_long")
    yield from (Problem(field, code, item) for item in said if not is_known(item))
