"""What a routing decision is made of: the facts that go in, the candidates that come out, and why."""

from dataclasses import dataclass
from typing import Literal

from services.referral.domain.agencies import Level
from shared.contracts.codes import GapReason

Place = Literal["origin", "port", "nation"]
WhyNot = Literal[
    "clause", "no_region", "not_in_directory", "suspended", "never_by_itself", "not_eligible", "ranked_before"
]
Urgency = Literal[1, 2, 3]
"""1 never sleeps: its hours are hours of the clock."""
Counted = Literal["working", "always"]
ConsentRule = Literal[
    "person",
    "guardian",
    "person_or_guardian",
    "each_transfer",
    "vital_interest_if_unable",
    "public_health",
    "unless_lawful_order",
    "public_task",
    "next_of_kin",
    "person_before_asking",
]
"""Whose consent a transfer takes, as the need's law has it (data/needs.csv).

`person_before_asking`: an adult's own, and nobody is asked before it is there; all the others are asked for with the
identity, before it is handed on.
"""
Visibility = Literal["normal", "specific", "restricted"]
"""specific: data of UU 27/2022 Art. 4(2); restricted: for the case team only."""
Basis = Literal["consent", "legal_obligation", "vital_interest", "public_task", "legitimate_interest"]
"""Why the data may be processed (UU 27/2022 Art. 20(2))."""


AT_PORT = "port"
"""Where a household is helped that does not go home for now."""


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
    household_at: str | None = None
    """Where the household of the person is helped, `port` or its home regency; None: the person goes by its own."""
    household_agency: str | None = None
    """Who is asked for the strictest need of the household: it comes first wherever it is a candidate."""
    household_mixed: bool = False
    """The household has children and adults: who takes both comes before who does not."""

    @property
    def home(self) -> str | None:
        """The regency that counts as home: the household's, else the own; None where help is due at the port."""
        if self.household_at is None:
            return self.origin_regency
        return None if self.household_at == AT_PORT else self.household_at

    @property
    def due_in(self) -> str:
        """The regency in which help is due."""
        return self.home or self.port_regency

    @property
    def port_province(self) -> str:
        return self.port_regency[:2]

    @property
    def origin_province(self) -> str | None:
        return None if self.home is None else self.home[:2]

    @property
    def has_origin(self) -> bool:
        return self.home is not None

    def region(self, place: Place, level: Level) -> str | None:
        """The region code of a place at a level; None for the nation or an unknown origin."""
        if place == "nation" or level == "national":
            return None
        regency = self.port_regency if place == "port" else self.home
        return regency if regency is None or level == "regency" else regency[:2]


@dataclass(frozen=True, slots=True)
class Terms:
    """What the rules lay down for a need, whoever is asked. Hours are quarters of an hour at the least.

    Rules from before urgency was theirs to say give one time to answer (`acknowledge_hours` is 0), and leave the rest
    open.
    """

    acknowledge_hours: float
    """From the request until somebody of the agency has opened it."""
    decide_hours: float
    """From then until the answer."""
    service_hours: int
    """From the acceptance to the first help."""
    urgency: Urgency | None = None
    counted: Counted | None = None
    """`working`: while the agency's office is open; `always`: by the clock."""
    consent: ConsentRule | None = None
    visibility: Visibility | None = None
    basis: Basis | None = None

    @property
    def answer_hours(self) -> int:
        """The whole time that an agency has to answer."""
        return int(self.acknowledge_hours + self.decide_hours)

    @property
    def first_hours(self) -> float:
        """Until its first clock runs out: for opening it, or, where one time is given for both, for the answer."""
        return self.acknowledge_hours or self.decide_hours


@dataclass(frozen=True, slots=True)
class Candidate:
    """One agency that may be asked, in rank order, on these terms."""

    agency_id: str
    terms: Terms

    @property
    def answer_hours(self) -> int:
        return self.terms.answer_hours

    @property
    def service_hours(self) -> int:
        return self.terms.service_hours


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
    terms: Terms | None
    """None where no row of the rules gave any: then nobody is asked."""
    body: bytes
    """Canonical JSON of all of the above; what is stored."""
    digest: bytes
    """SHA-256 of `body`; under it the explanation is found."""

    @property
    def why_nobody(self) -> GapReason | None:
        """What stood in the way of whoever came nearest to being asked; None where somebody may be."""
        if self.candidates:
            return None
        if self.terms is None:
            return "no_terms"
        proposed = {c.why_not for c in self.considered if not c.failed}
        if not proposed:
            return "no_rule"
        nearest: tuple[GapReason, ...] = ("not_eligible", "suspended", "never_by_itself")
        return next((reason for reason in nearest if reason in proposed), "no_office")
