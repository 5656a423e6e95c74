"""What a person has said of handing the case on, in the reader's words."""

from datetime import datetime

from services.referral.domain.consents import CLASSES, Consents
from shared.contracts.codes import RecipientClass
from shared.kit import words
from shared.kit.words import Language, msg, translate

WHO: dict[RecipientClass, str] = {
    "state": msg("Offices of the state"),
    "civil_society": msg("Civil society"),
    "international": msg("International organisations"),
}
STATES = {
    "given": msg("consent given"),
    "refused": msg("consent refused"),
    "withdrawn": msg("consent withdrawn"),
    "expired": msg("consent has ended"),
    "basis": msg("a law decides"),
}
NOT_ASKED = msg("nobody was asked")


def lines(
    language: Language, consents: Consents, need: str, age_band: str, *, now: datetime, zone: str
) -> list[tuple[str, str]]:
    """For each class of recipients what counts of consent, refusal and withdrawal, or the law that decides; and since
    when. Of classes of which nobody has said anything, only the offices of the state.
    """
    found: list[tuple[str, str]] = []
    for one in CLASSES:
        said = consents.basis(need, one, age_band) or consents.latest(need, one, age_band)
        if said is None:
            if one == "state":
                found.append((translate(language, WHO[one]), translate(language, NOT_ASKED)))
            continue
        over = said.kind == "given" and said.expires_at is not None and said.expires_at <= now
        text = translate(language, STATES["expired" if over else said.kind])
        found.append((translate(language, WHO[one]), f"{text}, {words.moment(language, said.said_at, zone)}"))
    return found
