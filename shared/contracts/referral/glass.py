"""Who looked at a case, and openings in an emergency."""

from typing import Literal

from shared.contracts.fact import AwareDatetime, Code, Fact, Id


class CaseRead(Fact):
    """A person or system of an agency looked at the coded summary of a case."""

    for_audit = True

    assignment_id: Id
    agency_id: Code


class GlassFact(Fact):
    """What each fact about an emergency opening of a case repeats."""

    for_audit = True

    glass_id: Id


class GlassBroken(GlassFact):
    """Somebody outside the case team opened a case in an emergency, for a time, to read."""

    matter: Literal["help", "custody"]
    """Which needs were opened: police and narcotics matters are apart from all others."""
    reason: Literal["danger_to_life", "child_at_risk", "agency_silent", "lawful_order"]
    reference: Code
    """Number of the note, letter or report that says more."""
    expires_at: AwareDatetime
    told: Code
    """Whose task the review is: `supervisor-` and the code of the province, or the data protection officer."""
    review_by: AwareDatetime


class GlassLookedThrough(GlassFact):
    """The case was read under an emergency opening."""


class GlassReviewed(GlassFact):
    """Somebody else than who opened it judged an emergency opening."""

    decision: Literal["justified", "not_justified"]


class GlassReviewOverdue(GlassFact):
    """An emergency opening was not judged in time; the data protection officer has to see to it."""

    review_by: AwareDatetime
