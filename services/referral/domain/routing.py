"""What a routing decision is made of: the facts that go in, the candidates that come out, and why."""

from dataclasses import dataclass
from typing import Literal

from services.referral.domain.agencies import Level

Place = Literal["origin", "port", "nation"]
WhyNot = Literal[
    "clause", "no_region", "not_in_directory", "suspended", "never_by_itself", "not_eligible", "ranked_before"
]


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the rules may look at. Region codes are Kemendagri's."""

    need: str
    age_band: str
    port_regency: str
    origin_regency: str | None
    consent: bool = False
    """Recorded consent to hand the case to civil society. An arrival brings none."""
    sex: str = "X"
    """F, M, or X where it is not stated."""

    @property
    def port_province(self) -> str:
        return self.port_regency[:2]

    @property
    def origin_province(self) -> str | None:
        return None if self.origin_regency is None else self.origin_regency[:2]

    @property
    def has_origin(self) -> bool:
        return self.origin_regency is not None

    def region(self, place: Place, level: Level) -> str | None:
        """The region code of a place at a level; None for the nation or an unknown origin."""
        if place == "nation" or level == "national":
            return None
        regency = self.port_regency if place == "port" else self.origin_regency
        return regency if regency is None or level == "regency" else regency[:2]


@dataclass(frozen=True, slots=True)
class Terms:
    """What the rules give an agency for a need: hours to answer, and from the acceptance to the first help."""

    answer_hours: int
    service_hours: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """One agency that may be asked, in rank order."""

    agency_id: str
    answer_hours: int
    service_hours: int


@dataclass(frozen=True, slots=True)
class Considered:
    """One row of the rules for this need: what it proposed, what of it held and what stood in the way."""

    row: str
    kind: str
    level: Level
    place: Place
    agency_id: str | None
    passed: tuple[str, ...]
    failed: tuple[str, ...]
    """Names of the clauses that did not hold."""
    why_not: WhyNot | None
    """None for a candidate."""
    unmet: tuple[str, ...] = ()
    """What of the office's own entry stood in the way (`domain/eligibility.py`)."""
    entry: int | None = None
    """The version of the office's entry that was decided on; None for an office that is not in the directory."""
    km: int | None = None
    """From the place it was proposed for, where the person is or goes, to the middle of the office's region."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to the facts under one version of the rules and one state of the directory."""

    facts: Facts
    rules_version: str
    candidates: tuple[Candidate, ...]
    considered: tuple[Considered, ...]
    body: bytes
    """Canonical JSON of all of the above; what is stored."""
    digest: bytes
    """SHA-256 of `body`; under it the explanation is found."""
