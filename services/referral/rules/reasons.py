"""Why a referral went where it went, in sentences: what stood in the way of each office, and the terms."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, get_args

from services.referral.domain.routing import Considered, Decision
from shared.kit.words import Language, msg, translate

WHY_NOT: dict[str, str] = {
    "no_region": msg("The region is not known."),
    "not_in_directory": msg("There is no such office in the directory."),
    "suspended": msg("The office took no referrals at that time."),
    "never_by_itself": msg("Nothing is sent there automatically."),
    "ranked_before": msg("The same office stands higher in the list."),
}
CLAUSES: dict[str, str] = {
    "age_band": msg("The rule is for people of another age."),
    "sex": msg("The rule is for people of another sex."),
    "consent": msg("Needs the person's recorded consent, which an arrival does not bring."),
}
UNMET: dict[str, str] = {
    "need": msg("The office does not offer help for this need; its entry would have to name it."),
    "sex": msg("The office takes people of the other sex only."),
    "age": msg("The person's age lies outside the ages that the office takes."),
    "regency": msg("The office takes people of other regions only."),
    "accessibility": msg("The office says that it cannot receive people with disabilities."),
    "with_children": msg("The office does not take children together with adults."),
    "period": msg("The office was not active at that time."),
}
"""What of an office's own entry stood in the way, and so what would have made it eligible."""
HOUSEHOLD = msg(
    "With the household: help is due where its strictest need is helped, and who is asked there comes first."
)
HOME_KNOWN = msg("Only when the home regency is unknown.")
HOME_UNKNOWN = msg("Only when the home regency is known.")
CONSENT: Mapping[str, str] = {
    "person": msg("the person's own"),
    "guardian": msg("the guardian's, or an authorised agency's"),
    "person_or_guardian": msg("the person's or the guardian's"),
    "each_transfer": msg("the person's own, for each transfer"),
    "vital_interest_if_unable": msg("the person's own; none where life is at stake and the person cannot give it"),
    "public_health": msg("none: public health"),
    "unless_lawful_order": msg("the person's own, unless there is a lawful order"),
    "public_task": msg("the person's own; the task itself is a public one"),
    "next_of_kin": msg("the next of kin's"),
    "person_before_asking": msg("the person's own, before anybody is asked"),
}
VISIBILITY: Mapping[str, str] = {
    "normal": msg("those who act on it"),
    "specific": msg("those who act on it; specific personal data"),
    "restricted": msg("the case team only"),
}
BASIS: Mapping[str, str] = {
    "consent": msg("consent"),
    "legal_obligation": msg("legal obligation"),
    "vital_interest": msg("vital interest"),
    "public_task": msg("public task"),
    "legitimate_interest": msg("legitimate interest"),
}
COUNTED: Mapping[str, str] = {
    "working": msg("while the office is open"),
    "always": msg("day and night"),
}


def why_not(c: Considered, decision: Decision) -> list[str]:
    """The sentences for what stood in the way; each says what would have made it eligible. None for a candidate."""
    if c.why_not is None:
        return []
    if c.why_not == "not_eligible":
        return [UNMET[clause] for clause in c.unmet]
    if c.why_not != "clause":
        return [WHY_NOT[c.why_not]]
    home = HOME_KNOWN if decision.facts.has_origin else HOME_UNKNOWN
    return [home if clause == "has_origin" else CLAUSES[clause] for clause in c.failed]


def said(decision: Decision) -> dict[str, Any]:
    """All of a decision, as the API gives it: codes, and the sentences in each language."""
    return {
        "rules_version": decision.rules_version,
        # Who is asked for the strictest need of the household would say what that need is.
        "facts": {name: fact for name, fact in asdict(decision.facts).items() if name != "household_agency"},
        "household": {language: _household(language, decision) for language in get_args(Language)},
        "terms": None if decision.terms is None else asdict(decision.terms),
        "considered": [
            asdict(c) | {"why": {language: _text(language, c, decision) for language in get_args(Language)}}
            for c in decision.considered
        ],
    }


def _household(language: Language, decision: Decision) -> str | None:
    """That the need goes with those of the household; None for who goes by its own."""
    return None if decision.facts.household_at is None else translate(language, HOUSEHOLD)


def _text(language: Language, c: Considered, decision: Decision) -> str:
    """What stood in its way; empty for a candidate."""
    return " ".join(translate(language, sentence) for sentence in why_not(c, decision))


def terms(language: Language, decision: Decision) -> list[tuple[str, str]]:
    """The terms in words: what it is, and what holds. Of earlier rules the hours alone."""
    given = decision.terms
    if given is None:
        return []
    lines: list[tuple[str, str | None]] = [
        (msg("Urgency"), None if given.urgency is None else str(given.urgency)),
        (msg("To open it (h)"), f"{given.acknowledge_hours:g}" if given.acknowledge_hours else None),
        (msg("Then to answer (h)"), f"{given.decide_hours:g}" if given.acknowledge_hours else None),
        (msg("To answer (h)"), None if given.acknowledge_hours else str(given.answer_hours)),
        (msg("To the first help (h)"), str(given.service_hours)),
        (msg("Hours counted"), COUNTED.get(given.counted or "")),
        (msg("Consent"), CONSENT.get(given.consent or "")),
        (msg("Seen by"), VISIBILITY.get(given.visibility or "")),
        (msg("Lawful basis"), BASIS.get(given.basis or "")),
    ]
    told = [(translate(language, name), translate(language, text)) for name, text in lines if text is not None]
    together = _household(language, decision)
    return told if together is None else [(translate(language, msg("Household")), together), *told]
