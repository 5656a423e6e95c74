"""Why a referral went where it went, in sentences: each row of the rules that spoke of it, what stood in its way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.referral.domain.agencies import Directory
from services.referral.domain.assignments import Assignment
from services.referral.domain.routing import Considered, Decision
from services.referral.pages import labels
from services.referral.rules import reasons
from shared.kit.words import Language, msg, translate


@dataclass(frozen=True, slots=True)
class Line:
    """One candidate or non-candidate in words. `kind` is the tag's."""

    agency: str
    place: str
    km: str
    said: str
    kind: str
    why: str


def lines(language: Language, attempts: Sequence[Assignment], decision: Decision, directory: Directory) -> list[Line]:
    """Every row that was considered, in rank order."""
    state_of = {a.agency_id: a.state for a in attempts}
    return [_line(language, c, decision, directory, state_of) for c in decision.considered]


def _line(
    language: Language, c: Considered, decision: Decision, directory: Directory, state_of: Mapping[str, str]
) -> Line:
    said, kind, why = msg("not considered"), "neutral", ""
    if c.why_not is not None or c.agency_id is None:
        why = " ".join(translate(language, sentence) for sentence in reasons.why_not(c, decision))
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
