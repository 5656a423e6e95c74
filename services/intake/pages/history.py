"""What was corrected of an arrival, in the reader's words."""

from collections.abc import Iterable
from typing import Any

from services.intake.actions.arrival_corrections import KINDS, values
from services.intake.domain.arrival_corrections import Step
from services.intake.pages import labels
from shared.contracts import codes
from shared.kit import words
from shared.kit.words import Language, msg

REASONS = {
    "recorded_wrongly": msg("It was recorded wrongly"),
    "person_said": msg("The person said so"),
    "family_said": msg("The family said so"),
    "papers_found": msg("Papers were found"),
    "assessed": msg("It was assessed again"),
    "office_reported": msg("An office reported it"),
}
STRIKE_REASONS = {
    "recorded_wrongly": msg("It was recorded wrongly"),
    "screened_again": msg("A second screening did not find it"),
    "person_said": msg("The person said so"),
    "of_another_person": msg("It is another person's"),
}
PROOFS = {
    "birth_certificate": msg("Birth certificate"),
    "identity_card": msg("Identity card (KTP)"),
    "family_card": msg("Family card (KK)"),
    "travel_document": msg("Passport or travel document"),
    "school_record": msg("School record"),
    "medical_assessment": msg("Assessment by a doctor"),
    "consular_letter": msg("Letter of the consulate"),
}
ERRORS = {
    "duplicate": msg("The person is recorded twice"),
    "never_arrived": msg("The person did not land"),
    "not_a_returnee": msg("The person was not returned"),
    "wrong_voyage": msg("The person came with another voyage"),
    "test_entry": msg("Recorded to try the system"),
}
DOUBTS = {
    "seen_alive": msg("The person was seen alive"),
    "of_another_person": msg("Another person has died"),
    "recorded_wrongly": msg("It was recorded wrongly"),
}
PLACES = {
    "before_arrival": msg("Before landing"),
    "at_port": msg("At the port"),
    "in_care": msg("In care"),
}


def say(language: Language, kind: str, code: str) -> str:
    """A code of a correction of this kind in words."""
    if kind == "needs":
        return labels.needs(language)[code]
    if kind == "origin":
        return codes.regencies()[code].name
    known = {
        "age": labels.AGE_BANDS,
        "sex": labels.SEXES,
        "died": PLACES,
        "entered_in_error": ERRORS,
        "death_undone": DOUBTS,
    }[kind]
    return words.translate(language, known[code])


def described(language: Language, steps: Iterable[Step], zone: str) -> list[dict[str, Any]]:
    """Each correction: what, from what to what, why, by whom and when."""
    return [_described(language, step, zone) for step in steps]


def _described(language: Language, step: Step, zone: str) -> dict[str, Any]:
    was, became = values(step)
    needs = labels.needs(language)
    return {
        "version": step.version,
        "what": words.translate(language, KINDS[step.kind]),
        "was": ", ".join(say(language, step.kind, one) for one in was),
        "became": ", ".join(say(language, step.kind, one) for one in became),
        "added": ", ".join(needs[one] for one in step.added) if step.kind in ("age", "died") else "",
        "struck": ", ".join(needs[one] for one in step.struck) if step.kind in ("age", "death_undone") else "",
        "why": ", ".join(_reasons(language, step)),
        "who": step.corrected_by,
        "proposed_by": step.proposed_by,
        "duplicate_of": None if step.duplicate_of is None else labels.case_code(step.duplicate_of),
        "died_on": step.died_on,
        "when": step.corrected_at,
        "zone": zone,
    }


def _reasons(language: Language, step: Step) -> list[str]:
    found = [
        REASONS.get(step.reason or "", "") if step.kind not in ("entered_in_error", "death_undone") else "",
        STRIKE_REASONS.get(step.strike_reason or "", ""),
        PROOFS.get(step.proof or "", ""),
    ]
    return [words.translate(language, one) for one in found if one]
