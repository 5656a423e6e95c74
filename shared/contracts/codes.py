"""The codes facts carry: needs, regions, ports, age bands; read once from the files in `data/`.

Origins and licences of the files are in NOTICE. Region codes are those of the Ministry of Home Affairs
(Kepmendagri 300.2.2-2430/2025), which differ from the statistics office's.
"""

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

NeedCode = Literal[
    "UAC", "CHILD", "ATT", "TIP", "GBV", "SICK", "INFECT", "MENTAL", "PREG", "ELDER", "PWD", "NOFAM",
    "WAGE", "DEBT", "LEGAL", "DRUG", "NEED", "REMAINS",
]  # fmt: skip
Sex = Literal["F", "M", "X"]
AgeBand = Literal["child", "adult", "elderly", "unknown"]
"""child: under 18 at arrival; elderly: 60 or older (UU 13/1998); unknown counts as a child everywhere."""

RecipientClass = Literal["state", "civil_society", "police", "international"]
"""What sort of body an agency is, where consent makes a difference by it; `codes.recipient_class` says which."""

ConsentPurpose = Literal["help", "family_tracing", "prosecution"]
"""What an identity is handed on for. Help is what referrals are about; a report to the police is apart from it."""
GivenBy = Literal["self", "parent", "guardian"]
"""Who speaks: an adult for itself; for a child, or somebody of unknown age, its parent or guardian alone."""
ConsentHow = Literal["signed", "thumbprint", "spoken_before_witness"]
LawfulBasis = Literal["legal_obligation", "vital_interest", "public_task", "best_interest"]
"""Why an identity may be handed on without consent (UU 27/2022 Art 20(2)); `best_interest` is a child's alone."""
LawfulReason = Literal[
    "lawful_order",
    "duty_to_report",
    "public_health",
    "danger_to_life",
    "cannot_consent",
    "task_by_law",
    "child_at_risk",
    "no_guardian",
    "guardian_suspected",
]

GapReason = Literal["no_terms", "no_rule", "no_office", "suspended", "never_by_itself", "not_eligible"]
"""Why nobody may be asked: the rules give no terms, or propose nobody; or of those that they propose, none is in the
directory, takes referrals now, is asked without a person, or takes this person."""

DifferencePair = Literal["announced_listed", "announced_arrived", "handed_arrived", "counted_arrived", "listed_arrived"]
DifferenceReason = Literal[
    "pending_case", "bail", "illness", "died", "stayed_behind", "rolled_over", "came_without_notice",
    "on_another_list", "counted_twice", "miscounted", "collected_at_quay",
]  # fmt: skip
"""Two counts of the people of a voyage, and why they differ as letters, minutes and the press give it."""
VoyageField = Literal["expected_at", "vessel", "modality"]
VoyageCorrectionReason = Literal["rescheduled", "vessel_changed", "letter_changed", "recorded_wrongly"]
"""What is corrected of a voyage, and why: it comes earlier or later, with another ship or flight, by a new letter."""

AbsenceReason = Literal[
    "not_boarded", "pending_case", "documents_held", "ill_abroad", "rolled_over", "died_on_the_way", "other", "unknown"
]
"""Why somebody of a list is not on the quay; `documents_held`: bail, or the passport is not given back."""
RollMark = Literal["here", "absent", "open"]
"""How somebody of a list was called; `open`: a call that was taken back."""

TraffickingDecision = Literal["indicated", "not_indicated", "assess_further", "not_asked"]
TraffickingReason = Literal[
    "said_more", "explained_otherwise", "answers_contradict", "specialist_advises", "no_private_room"
]
"""What a person decides on the indicators of trafficking, and why otherwise than they point."""

CorrectionReason = Literal[
    "recorded_wrongly", "person_said", "family_said", "papers_found", "assessed", "office_reported"
]
"""How it was found out. Why a need is struck says `StrikeReason`."""
AgeProof = Literal[
    "birth_certificate",
    "identity_card",
    "family_card",
    "travel_document",
    "school_record",
    "medical_assessment",
    "consular_letter",
]
StrikeReason = Literal["recorded_wrongly", "screened_again", "person_said", "of_another_person"]

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Province:
    code: str
    name: str
    name_en: str
    place: tuple[float, float]
    """Latitude and longitude of its middle, in degrees."""


@dataclass(frozen=True, slots=True)
class Regency:
    code: str
    province_code: str
    name: str
    place: tuple[float, float]
    """As of a province."""


@dataclass(frozen=True, slots=True)
class Port:
    code: str
    name: str
    city: str
    regency_code: str
    province_code: str
    zone: str


@dataclass(frozen=True, slots=True)
class Need:
    code: str
    label_en: str
    label_id: str
    priority: int
    answer_hours: int
    service_hours: int
    visibility: str

    @property
    def restricted(self) -> bool:
        """True for needs that only the case team may see."""
        return self.visibility.startswith("restricted")


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day on which offices are closed: everywhere, or in one province."""

    day: date
    province_code: str | None
    name: str
    name_en: str
    source: str


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _place(row: dict[str, str]) -> tuple[float, float]:
    return float(row["lat"]), float(row["lon"])


@cache
def provinces() -> dict[str, Province]:
    return {r["code"]: Province(r["code"], r["name"], r["name_en"], _place(r)) for r in _rows("provinces.csv")}


@cache
def regencies() -> dict[str, Regency]:
    return {r["code"]: Regency(r["code"], r["province_code"], r["name"], _place(r)) for r in _rows("regencies.csv")}


@cache
def ports() -> dict[str, Port]:
    return {
        r["code"]: Port(
            code=r["code"],
            name=r["name"],
            city=r["city"],
            regency_code=r["regency_code"],
            province_code=r["province_code"],
            zone=zone_of(r["province_code"]),
        )
        for r in _rows("entry_points.csv")
    }


@cache
def needs() -> dict[str, Need]:
    return {
        r["code"]: Need(
            r["code"],
            r["label_en"],
            r["label_id"],
            int(r["priority"]),
            int(r["proposed_ack_hours"]),
            int(r["proposed_first_action_hours"]),
            r["visibility"],
        )
        for r in _rows("needs.csv")
    }


@cache
def holidays() -> tuple[Holiday, ...]:
    """Public holidays, year by year as they are decreed.

    Days that move with the moon are known when the joint decree for the year is out; until then a year has its fixed
    days only (Keppres 8/2024).
    """
    return tuple(
        Holiday(date.fromisoformat(r["date"]), r["region"] or None, r["name"], r["name_en"], r["source"])
        for r in _rows("holidays.csv")
    )


CENTRAL = frozenset({"51", "52", "53", "63", "64", "65", "71", "72", "73", "74", "75", "76"})
EASTERN = frozenset({"81", "82", "91", "92", "93", "94", "95", "96"})


def zone_of(province_code: str) -> str:
    """The IANA time zone of a province: WIB, WITA or WIT by Keppres 41/1987."""
    if province_code in CENTRAL:
        return "Asia/Makassar"
    if province_code in EASTERN:
        return "Asia/Jayapura"
    return "Asia/Pontianak" if province_code in {"61", "62"} else "Asia/Jakarta"


def zone_of_office(organisation: str, region: str | None) -> str:
    """The time zone of an office: of the region its code ends with (`DINSOS-73.06`), else of its people's region.

    What has neither keeps the time of the capital.
    """
    regions = (organisation.rpartition("-")[2], region or "")
    return zone_of(next((one[:2] for one in regions if one[:2] in provinces()), ""))


def recipient_class(agency_id: str) -> RecipientClass:
    """The class of an agency by its code, which begins with its kind: `CSO-LEGAL`, `POLDA-64`, `INT-IOM`.

    That a code begins so is a constraint of the directory. What is none of these is an office of the state.
    """
    kind = agency_id.partition("-")[0]
    return _CLASSES.get(kind, "state")


_CLASSES: dict[str, RecipientClass] = {
    "CSO": "civil_society",
    "NGO": "civil_society",
    "POLDA": "police",
    "POLRES": "police",
    "INT": "international",
}
