"""What codes are called on pages, in the reader's language."""

from collections.abc import Mapping
from functools import cache

from services.intake.domain.voyages import Voyage
from shared.contracts import codes
from shared.kit import words
from shared.kit.words import Language, msg

SEXES = {"F": msg("Female"), "M": msg("Male"), "X": msg("Not stated")}
AGE_BANDS = {
    "child": msg("Child"),
    "adult": msg("Adult"),
    "elderly": msg("60 or older"),
    "unknown": msg("Age unknown, treated as a child"),
}
MODALITIES = {
    "deportation": msg("Deportation"),
    "repatriation": msg("Repatriation"),
    "vulnerable_flight": msg("Flight for vulnerable people"),
}
WISHES = {
    "go_home": msg("Go home"),
    "stay_local": msg("Stay near the port"),
    "unknown": msg("Not known yet"),
}
DOCUMENT_TYPES = {
    "SPLP": msg("SPLP (travel document in lieu of a passport)"),
    "passport": msg("Passport"),
    "border_pass_PLB": msg("Border pass (PLB)"),
    "identity_card": msg("Identity card (KTP)"),
    "other": msg("Other"),
    "none": msg("None"),
}


def options(language: Language, labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """Codes and what they are called, for chips and selects."""
    return [(code, words.translate(language, text)) for code, text in labels.items()]


@cache
def needs(language: Language) -> dict[str, str]:
    """Each need's name."""
    return {code: n.label_id if language == "id" else n.label_en for code, n in codes.needs().items()}


def zone_of(voyage: Voyage) -> str:
    """The time zone of a voyage's port."""
    return codes.ports()[voyage.port].zone


def case_code(case_id: str) -> str:
    """What people call a case: the last eight digits of its id, which are random."""
    tail = case_id[-8:].upper()
    return f"{tail[:4]}-{tail[4:]}"
