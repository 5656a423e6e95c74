"""Consent in the reader's words: what holds, and what was recorded."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.intake.actions.consents import KINDS
from services.intake.domain.consents import REASONS, Entry, Person, Scope, Standing, Words, every_standing
from services.intake.pages import labels
from services.intake.store.consents import Kept
from shared.contracts.codes import ConsentPurpose, RecipientClass
from shared.kit import words
from shared.kit.words import Language, msg

PURPOSES = {
    "help": msg("Help and protection"),
    "family_tracing": msg("Finding the family"),
    "prosecution": msg("Prosecution"),
}
CLASSES = {
    "state": msg("Offices of the state"),
    "civil_society": msg("Civil society"),
    "police": msg("Police"),
    "international": msg("International organisations"),
}
SPEAKERS = {"self": msg("The person"), "parent": msg("A parent"), "guardian": msg("Guardian")}
HOWS = {
    "signed": msg("Signed"),
    "thumbprint": msg("Thumbprint"),
    "spoken_before_witness": msg("Spoken before a witness"),
}
ANSWERS = {"yes": msg("Yes, consents"), "no": msg("No, refuses")}
LANGUAGES = {
    "id": msg("Indonesian"),
    "jv": msg("Javanese"),
    "su": msg("Sundanese"),
    "mad": msg("Madurese"),
    "sas": msg("Sasak"),
    "bug": msg("Buginese"),
    "mak": msg("Makassarese"),
    "bjn": msg("Banjarese"),
    "min": msg("Minangkabau"),
    "ace": msg("Acehnese"),
    "ms": msg("Malay"),
    "en": msg("English"),
    "inl": msg("Indonesian sign language"),
}
BASES = {
    "legal_obligation": msg("Legal obligation"),
    "vital_interest": msg("Vital interest"),
    "public_task": msg("Public task"),
    "best_interest": msg("Best interest of the child"),
}
BASIS_REASONS = {
    "lawful_order": msg("A lawful order"),
    "duty_to_report": msg("Duty to report"),
    "public_health": msg("Public health"),
    "danger_to_life": msg("Danger to life"),
    "cannot_consent": msg("Cannot give consent now"),
    "task_by_law": msg("A law gives this task"),
    "child_at_risk": msg("A child is at risk"),
    "no_guardian": msg("The child has no guardian here"),
    "guardian_suspected": msg("The guardian is suspected"),
}
END_REASONS = {"no_longer_needed": msg("Needed no longer"), "named_in_error": msg("Named in error")}
STATES = {
    "given": msg("consent given"),
    "refused": msg("consent refused"),
    "withdrawn": msg("consent withdrawn"),
    "expired": msg("consent has ended"),
    "basis": msg("a law decides"),
    "best_interest": msg("rests on the child's best interest"),
    "not_asked": msg("nobody was asked"),
}
TAGS = {"given": "ok", "basis": "info", "best_interest": "info", "not_asked": "neutral"}
CONFIRMATIONS = {
    "waiting": msg("waiting for the agency"),
    "overdue": msg("not confirmed in time"),
    "confirmed": msg("use ended"),
}
WORDS = {
    "speaker": msg("Name of the parent or guardian"),
    "witness": msg("Name of the witness"),
    "statement": msg("Words of the refusal"),
}


def basis_options(language: Language, *, is_child: bool) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each basis with the reasons it may be named for; both in one code, as a form sends them."""

    def say(text: str) -> str:
        return words.translate(language, text)

    return [
        (say(BASES[basis]), [(f"{basis}.{reason}", say(BASIS_REASONS[reason])) for reason in reasons])
        for basis, reasons in REASONS.items()
        if is_child or basis != "best_interest"
    ]


def standings(language: Language, entries: Sequence[Entry], person: Person, *, now: datetime) -> list[dict[str, Any]]:
    """What holds, needs of which the same holds in one row."""
    rows: dict[tuple[ConsentPurpose, RecipientClass, Standing], list[str]] = {}
    for (purpose, class_, need), held in every_standing(entries, person, now=now):
        rows.setdefault((purpose, class_, held), []).append(need)
    names = labels.needs(language)
    return [
        {
            "purpose": words.translate(language, PURPOSES[purpose]),
            "recipients": words.translate(language, CLASSES[class_]),
            "needs": ", ".join(names[need] for need in needs),
            "state": words.translate(language, STATES[held.state]),
            "tag": "bad" if held.stops else TAGS[held.state],
            "until": held.entry.expires_at if held.state == "given" and held.entry else None,
        }
        for (purpose, class_, held), needs in rows.items()
    ]


def described(
    language: Language, kept: Iterable[Kept], zone: str, said: Mapping[str, Words] | None = None
) -> list[dict[str, Any]]:
    """What was recorded, first to last; with names and words where they were opened for the reader."""
    return [_entry(language, one, zone, (said or {}).get(one.entry.entry_id)) for one in kept]


def _entry(language: Language, kept: Kept, zone: str, said: Words | None) -> dict[str, Any]:
    entry = kept.entry

    def say(texts: dict[str, str], code: str | None) -> str:
        return "" if code is None else words.translate(language, texts.get(code, code))

    notes = [scope(language, entry.scope)]
    if entry.spoken_by is not None:
        notes.append(", ".join((say(SPEAKERS, entry.spoken_by), say(HOWS, entry.how), say(LANGUAGES, entry.language))))
    if entry.basis is not None:
        notes.append(f"{say(BASES, entry.basis)}: {say(BASIS_REASONS, entry.reason)}")
    if entry.kind == "basis_ended":
        notes.append(say(END_REASONS, entry.reason))
    if entry.expires_at is not None:
        until = words.moment(language, entry.expires_at, zone)
        notes.append(words.translate(language, msg("Until %(time)s"), time=until))
    told = [(say(WORDS, name), getattr(said, name)) for name in WORDS if said is not None and getattr(said, name)]
    return {
        "entry_id": entry.entry_id,
        "kind": entry.kind,
        "what": words.translate(language, KINDS[entry.kind]),
        "when": entry.recorded_at,
        "zone": zone,
        "who": entry.recorded_by,
        "notes": notes,
        "words": told,
        "recipients": [(one.agency_id, say(CONFIRMATIONS, one.state), one.state) for one in kept.recipients],
        "confirm_by": entry.confirm_by if kept.outstanding else None,
    }


def scope(language: Language, given: Scope) -> str:
    """`Help and protection · Civil society · all needs`."""
    names = labels.needs(language)
    needs = ", ".join(names[need] for need in given.needs) or words.translate(language, msg("all needs"))
    purpose = words.translate(language, PURPOSES[given.purpose])
    return f"{purpose} · {words.translate(language, CLASSES[given.recipient_class])} · {needs}"
