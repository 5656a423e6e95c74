"""What the policies of each table are held against: who owns its rows, and who may do what with them.

One entry per table. Add one for a new table: `SERVICE_ONLY`, or `Owned` with the columns that say whose a row is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

SCOPE, ACTOR, ORGANISATION, PORT, REGION, ROLES = "scope", "actor", "organisation", "port", "region", "roles"
Row = Mapping[str, Any]
"""A row by its columns."""


@dataclass(frozen=True)
class Acting:
    """What a transaction has said of itself: the settings `rujukan.…` as they are, sound or not."""

    settings: Mapping[str, str] = field(default_factory=dict)

    def __getattr__(self, name: str) -> str | None:
        return self.settings.get(name) or None

    @property
    def is_service(self) -> bool:
        return self.settings.get(SCOPE) == "service"

    def has(self, *roles: str) -> bool:
        return not set(roles).isdisjoint(self.settings.get(ROLES, "").split("/"))


Law = Callable[[Row, Acting], bool]
"""Whether a row is open to who acts."""


@dataclass(frozen=True)
class Parent:
    """Open to who may see the row of another table with the same key, and where a law is given, if it holds there."""

    table: str
    key: str
    law: Law | None = None


@dataclass(frozen=True)
class Open:
    """These verbs are open on the rows for which the law holds, or whose parent is seen."""

    verbs: str
    law: Law | Parent
    roles: tuple[str, ...] = ()
    """Only in these roles; in any when empty."""


@dataclass(frozen=True)
class Owned:
    """Whose the rows are: owner column → what of a place it names; and what is open to whom."""

    columns: Mapping[str, str]
    open: tuple[Open, ...]

    def verbs(self) -> set[str]:
        return {verb for one in self.open for verb in one.verbs.split()}


SERVICE_ONLY = Owned({}, ())


def own(column: str, what: str = ORGANISATION) -> Law:
    """The row names this of the one who acts."""

    def law(row: Row, acting: Acting) -> bool:
        said = getattr(acting, what)
        return said is not None and row[column] == said

    return law


def within(column: str = "region") -> Law:
    """The row lies in the region of the one who acts: the same regency, or a regency of the same province."""

    def law(row: Row, acting: Acting) -> bool:
        said, lies = acting.region, row[column]
        return said is not None and lies is not None and said in (lies, lies[:2])

    return law


def anyones(_: Row, __: Acting) -> bool:
    """Whatever the row says."""
    return True


KIT: dict[str, Owned] = {
    "answers": Owned({"actor": ACTOR}, (Open("SELECT INSERT UPDATE DELETE", own("actor", ACTOR)),)),
    **dict.fromkeys(("inbox", "journal", "outbox", "parked", "revocations", "sessions", "used_answers"), SERVICE_ONLY),
}

PORTS = ("port_officer", "port_system")
INTAKE: dict[str, Owned] = {
    "voyages": Owned({"port": PORT}, (Open("SELECT INSERT UPDATE DELETE", own("port", PORT), PORTS),)),
    "arrivals": Owned({"port": PORT}, (Open("SELECT", own("port", PORT), PORTS),)),
    "manifests": Owned({}, (Open("SELECT INSERT UPDATE DELETE", Parent("voyages", "voyage_id")),)),
    "voyage_corrections": Owned({}, (Open("SELECT INSERT UPDATE DELETE", Parent("voyages", "voyage_id")),)),
    "voyage_totals": Owned({}, (Open("SELECT INSERT UPDATE DELETE", Parent("voyages", "voyage_id")),)),
    "voyage_differences": Owned({}, (Open("SELECT INSERT UPDATE DELETE", Parent("voyages", "voyage_id")),)),
    "held_rows": Owned({}, (Open("SELECT INSERT UPDATE DELETE", Parent("voyages", "voyage_id")),)),
    "drafts": Owned({"port": PORT}, (Open("SELECT INSERT UPDATE DELETE", own("port", PORT), PORTS),)),
    "draft_blocks": Owned({}, (Open("SELECT INSERT UPDATE DELETE", Parent("drafts", "draft_id")),)),
    "roll_calls": Owned({}, (Open("SELECT INSERT UPDATE DELETE", Parent("voyages", "voyage_id")),)),
    "absent_arrivals": Owned({}, (Open("SELECT INSERT UPDATE DELETE", Parent("voyages", "voyage_id")),)),
    "sender_columns": Owned({"port": PORT}, (Open("SELECT INSERT UPDATE DELETE", own("port", PORT), PORTS),)),
    "manifest_problems": Owned({}, (Open("SELECT INSERT UPDATE DELETE", Parent("manifests", "manifest_id")),)),
    "referred_needs": Owned({}, (Open("SELECT", Parent("arrivals", "case_id")),)),
    "possible_matches": Owned({"port": PORT}, (Open("SELECT", own("port", PORT), ("port_officer",)),)),
    "match_decisions": Owned({}, (Open("SELECT", Parent("possible_matches", "match_id")),)),
    "arrival_corrections": Owned({"port": PORT}, (Open("SELECT", own("port", PORT), PORTS),)),
    **dict.fromkeys(
        ("age_proposals", "death_doubts"),
        Owned(
            {"port": PORT, "regency": REGION},
            (
                Open("SELECT", own("port", PORT), ("port_officer",)),
                Open("SELECT", within("regency"), ("agency_supervisor",)),
            ),
        ),
    ),
    **dict.fromkeys(
        ("households", "household_members", "guardian_links"),
        Owned({"port": PORT}, (Open("SELECT", own("port", PORT), PORTS),)),
    ),
    "screenings": Owned({"port": PORT}, (Open("SELECT", own("port", PORT), ("port_officer",)),)),
    "consents": Owned({"port": PORT}, (Open("SELECT", own("port", PORT), ("port_officer",)),)),
    "consent_recipients": Owned({}, (Open("SELECT", Parent("consents", "entry_id")),)),
    **dict.fromkeys(
        (
            *("compared_cases", "match_keys"),
            *("blind_indexes", "corrections", "disclosure_grants", "disclosures", "erasure_recipients", "erasures"),
            *("draft_keys", "legal_holds", "person_keys", "requests", "retention_reports"),
        ),
        SERVICE_ONLY,
    ),
}

AGENCY = ("agency_worker", "agency_supervisor", "agency_system")
SUPERVISOR = ("agency_supervisor",)
OFFICER = ("data_protection_officer",)
KEEPER = ("coordinator",)
SIGNED_IN = (
    *(*AGENCY, *PORTS, "coordinator", "operator", "auditor", "service", "ngo_member", "ngo_system"),
    "data_protection_officer",
)
REFERRAL: dict[str, Owned] = {
    "agencies": Owned(
        {"agency_id": ORGANISATION},
        (
            Open("SELECT", anyones, SIGNED_IN),
            Open("INSERT UPDATE", anyones, KEEPER),
            Open("UPDATE", own("agency_id"), SUPERVISOR),
        ),
    ),
    "rule_sets": Owned({}, (Open("SELECT", anyones, SIGNED_IN), Open("INSERT UPDATE", anyones, KEEPER))),
    "agency_versions": Owned(
        {"agency_id": ORGANISATION},
        (Open("SELECT INSERT", anyones, KEEPER), Open("SELECT INSERT", own("agency_id"), SUPERVISOR)),
    ),
    "assignments": Owned({"agency_id": ORGANISATION}, (Open("SELECT", own("agency_id"), AGENCY),)),
    "referrals": Owned(
        {"regency": REGION},
        (
            Open("SELECT", Parent("assignments", "referral_id"), AGENCY),
            Open("SELECT", within("regency"), SUPERVISOR),
        ),
    ),
    **dict.fromkeys(
        ("escalations", "gaps"),
        Owned({}, (Open("SELECT", Parent("referrals", "referral_id", within("regency")), SUPERVISOR),)),
    ),
    "recipient_tasks": Owned(
        {"agency_id": ORGANISATION, "region": REGION},
        (
            Open("SELECT UPDATE", own("agency_id"), AGENCY),
            Open("SELECT UPDATE", within(), SUPERVISOR),
            Open("SELECT UPDATE", anyones, OFFICER),
        ),
    ),
    "questions": Owned(
        {"agency_id": ORGANISATION, "port": PORT},
        (Open("SELECT", own("agency_id"), AGENCY), Open("SELECT", own("port", PORT), ("port_officer",))),
    ),
    **dict.fromkeys(
        ("handovers", "refusal_statements", "origin_notices"),
        Owned({"agency_id": ORGANISATION}, (Open("SELECT", own("agency_id"), AGENCY),)),
    ),
    "pauses": Owned(
        {"agency_id": ORGANISATION, "region": REGION},
        (Open("SELECT", own("agency_id"), AGENCY), Open("SELECT", within(), SUPERVISOR)),
    ),
    "cancellations": Owned(
        {"agency_id": ORGANISATION, "region": REGION},
        (Open("SELECT UPDATE", own("agency_id"), AGENCY), Open("SELECT UPDATE", within(), SUPERVISOR)),
    ),
    "reunifications": Owned({"regency": REGION}, (Open("SELECT", within("regency"), SUPERVISOR),)),
    "glasses": Owned(
        {"broken_by": ACTOR, "region": REGION},
        (
            Open("SELECT", own("broken_by", ACTOR)),
            Open("SELECT UPDATE", within(), SUPERVISOR),
            Open("SELECT UPDATE", anyones, OFFICER),
        ),
    ),
    "places": Owned(
        {"agency_id": ORGANISATION},
        (Open("SELECT INSERT UPDATE", own("agency_id"), AGENCY), Open("SELECT", anyones, KEEPER)),
    ),
    **dict.fromkeys(
        (
            *("beds", "corrections", "erasures", "explanations", "households", "responsibilities", "consents"),
            *("earlier_landings", "landings_in_error"),
        ),
        SERVICE_ONLY,
    ),
}

SUBSCRIBERS = ("ngo_member", "ngo_system")


def operating(_: Row, acting: Acting) -> bool:
    """Operators look after the rows of all, unless they belong to a subscriber themselves."""
    return acting.has("operator") and not acting.has(*SUBSCRIBERS)


OF_SUBSCRIBER = {"organisation": ORGANISATION}
NOTIFY: dict[str, Owned] = {
    "subscriptions": Owned(
        OF_SUBSCRIBER,
        (Open("SELECT INSERT UPDATE", own("organisation"), SUBSCRIBERS), Open("SELECT UPDATE", operating)),
    ),
    **dict.fromkeys(
        ("deliveries", "tasks"),
        Owned(
            OF_SUBSCRIBER, (Open("SELECT UPDATE", own("organisation"), SUBSCRIBERS), Open("SELECT UPDATE", operating))
        ),
    ),
    "circuits": Owned({}, (Open("SELECT UPDATE", Parent("subscriptions", "subscription_id")),)),
    "attempts": Owned({}, (Open("SELECT", Parent("deliveries", "delivery_id")),)),
    "heard_counts": Owned({}, (Open("SELECT", anyones, SUBSCRIBERS),)),
    **dict.fromkeys(("stops", "laws", "restricted_needs"), SERVICE_ONLY),
}

READERS = ("auditor", "data_protection_officer")
AUDIT: dict[str, Owned] = dict.fromkeys(
    ("leaves", "tiles", "checkpoints"), Owned({}, (Open("SELECT", anyones, READERS),))
)

WALLS: dict[str, dict[str, Owned]] = {
    "intake": KIT | INTAKE,
    "referral": KIT | REFERRAL,
    "notify": KIT | NOTIFY,
    "audit": KIT | AUDIT,
}
