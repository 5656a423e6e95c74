"""Why a referral went where it went, in sentences: each row of the rules that spoke of it, what stood in its way."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.referral.domain.agencies import Directory
from services.referral.domain.needs import Need
from services.referral.domain.routing import Considered, Decision
from services.referral.pages import labels
from shared.kit.words import Language, msg, translate

WHY_NOT: dict[str, str] = {
    "no_region": msg("The region is not known."),
    "not_in_directory": msg("There is no such office in the directory."),
    "suspended": msg("The office took no referrals at that time."),
    "never_by_itself": msg("Nothing is sent there automatically."),
    "ranked_before": msg("The same office stands higher in the list."),
}
CLAUSES: dict[str, str] = {
    "age_band": msg("Only for children and people of unknown age."),
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
HOME_KNOWN = msg("Only when the home regency is unknown.")
HOME_UNKNOWN = msg("Only when the home regency is known.")


@dataclass(frozen=True, slots=True)
class Line:
    """One candidate or non-candidate in words. `kind` is the tag's."""

    agency: str
    place: str
    km: str
    said: str
    kind: str
    why: str


def lines(language: Language, need: Need, decision: Decision, directory: Directory) -> list[Line]:
    """Every row that was considered, in rank order."""
    state_of = {a.agency_id: a.state for a in need.attempts}
    return [_line(language, c, decision, directory, state_of) for c in decision.considered]


def _line(
    language: Language, c: Considered, decision: Decision, directory: Directory, state_of: Mapping[str, str]
) -> Line:
    said, kind, why = msg("not considered"), "neutral", ""
    if c.why_not is not None or c.agency_id is None:
        why = " ".join(translate(language, sentence) for sentence in _why_not(c, decision))
    elif c.agency_id in state_of:
        said, kind = labels.STATES[state_of[c.agency_id]]
    else:
        said, kind = msg("in reserve"), "info"
    return Line(
        agency=labels.agency(directory, c.agency_id) if c.agency_id else c.kind,
        place=translate(language, labels.PLACES[c.place, c.level]),
        km="–" if c.km is None else f"{c.km} km",
        said=translate(language, said),
        kind=kind,
        why=why,
    )


def _why_not(c: Considered, decision: Decision) -> list[str]:
    """The sentences for what stood in the way; each says what would have made it eligible."""
    if c.why_not == "not_eligible":
        return [UNMET[clause] for clause in c.unmet]
    if c.why_not != "clause":
        return [WHY_NOT[c.why_not or "no_region"]]
    home = HOME_KNOWN if decision.facts.has_origin else HOME_UNKNOWN
    return [home if clause == "has_origin" else CLAUSES[clause] for clause in c.failed]
