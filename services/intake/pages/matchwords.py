"""How the comparison of two people is told in words."""

from services.intake.domain.matches import Agreement
from services.intake.domain.matching.fields import MISSING
from shared.kit import words
from shared.kit.words import Language, msg

FIELDS = {
    "name": msg("Name"),
    "father": msg("Father's name (bin, binti)"),
    "mother": msg("Mother's name"),
    "birth": msg("Born"),
    "nik": msg("National identity number (NIK)"),
    "document": msg("Document number"),
    "regency": msg("Origin"),
    "birthplace": msg("Birthplace"),
    "sex": msg("Sex"),
}
NAMES = {
    "same_rare": msg("the same, and not a common name"),
    "spelt_rare": msg("the same in another spelling, and not a common name"),
    "same_common": msg("the same, but many are called so"),
    "spelt_common": msg("the same in another spelling, but many are called so"),
    "part_rare": msg("one has more words; the others agree, and are not common"),
    "part_common": msg("one has more words; the others agree, but many are called so"),
    "some": msg("only some words agree"),
    "other": msg("another name"),
}
ALIKE = {"same": msg("the same"), "close": msg("nearly the same"), "other": msg("another")}
NUMBERS = {
    "same": msg("the same number"),
    "slip": msg("a slip apart"),
    "serial": msg("only the last four digits differ: a slip, or a twin"),
    "other": msg("another number"),
}
BIRTHS = {
    "same": msg("the same day"),
    "swapped": msg("day and month for one another"),
    "slip": msg("one digit differs"),
    "within": msg("goes together, as exactly as it is known"),
    "near": msg("another day of the same year"),
    "years": msg("up to three years apart"),
    "other": msg("another year"),
}
ORIGINS = {
    "same": msg("the same"),
    "province": msg("another regency of the same province"),
    "other": msg("another province"),
}
LEVELS = {
    **dict.fromkeys(("father", "mother", "birthplace", "sex"), ALIKE),
    **dict.fromkeys(("nik", "document"), NUMBERS),
    "name": NAMES,
    "birth": BIRTHS,
    "regency": ORIGINS,
}
STRENGTHS = {"strong": msg("very likely the same person"), "possible": msg("may be the same person")}
DECISIONS = {
    "same": msg("The same person"),
    "different": msg("Different people"),
    "later": msg("Decide later"),
    "undone": msg("Decision taken back"),
}
UNDO_REASONS = {"decided_in_error": msg("It was decided in error"), "new_proof": msg("There is new proof")}
SAID = {
    "same": msg(
        "Decided: the same person. The earlier return stands beside this case now; nothing in either was changed."
    ),
    "different": msg("Decided: different people. These two are not proposed again."),
    "later": msg("It stays in the list under your name."),
    "undone": msg("The decision was taken back. The two stand apart, and can be decided on again."),
    "ended": msg("The decision was taken back. The two stand apart for good: one of the arrivals was none."),
}
TOLD_FROM = 1.0
"""Bits from which a field speaks for or against."""


def level(language: Language, one: Agreement) -> str:
    """How far two records agree in a field, in words."""
    if one.level == MISSING:
        return words.translate(language, msg("not known of both"))
    return words.translate(language, LEVELS.get(one.field, {}).get(one.level, one.level))


def kind(one: Agreement) -> str:
    """The kind of tag: what speaks for one person, against it, or for neither."""
    return "ok" if one.bits >= TOLD_FROM else "bad" if one.bits <= -TOLD_FROM else "neutral"


def reasons(language: Language, agreements: list[Agreement], most: int = 3) -> str:
    """What speaks most for or against, in one line."""
    told = [one for one in agreements if abs(one.bits) >= TOLD_FROM][:most]
    return "; ".join(f"{words.translate(language, FIELDS[one.field])}: {level(language, one)}" for one in told)
