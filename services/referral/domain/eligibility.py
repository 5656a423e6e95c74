"""Whom an office may take: which clauses of its entry stand in the way of these facts. Pure."""

from services.referral.domain.agencies import Agency
from services.referral.domain.routing import Facts

AGES = {"child": (0, 17), "adult": (18, 59), "elderly": (60, None), "unknown": (0, 17)}
"""Youngest and oldest of each age band; of unknown age is treated as a child."""
WITH_ADULT = "CHILD"
"""The need of a child that came with an adult: who serves it takes both."""
IMPAIRED = "PWD"


def unmet(agency: Agency, facts: Facts) -> tuple[str, ...]:
    """The clauses that fail, in the order of the entry; empty when the office may be asked.

    What an office leaves open restricts nothing, and what the facts do not say fails nothing.
    """
    fails: list[str] = []
    if agency.needs is not None and facts.need not in agency.needs:
        fails.append("need")
    if agency.sexes is not None and facts.sex != "X" and facts.sex not in agency.sexes:
        fails.append("sex")
    if not _ages_meet(agency, facts.age_band):
        fails.append("age")
    if not _serves(agency, facts):
        fails.append("regency")
    if facts.need == IMPAIRED and agency.accessibility is not None and not agency.accessibility:
        fails.append("accessibility")
    if facts.need == WITH_ADULT and agency.with_children is False:
        fails.append("with_children")
    if not agency.is_current:
        fails.append("period")
    return tuple(fails)


def _ages_meet(agency: Agency, band: str) -> bool:
    """True when somebody of this band can be of an age that the office takes."""
    youngest, oldest = AGES[band]
    return (agency.max_age is None or youngest <= agency.max_age) and (
        agency.min_age is None or oldest is None or oldest >= agency.min_age
    )


def _serves(agency: Agency, facts: Facts) -> bool:
    """True when the office serves where the person landed or where the person goes home to."""
    if agency.serves is None:
        return True
    places = {facts.port_regency, facts.port_province, facts.home, facts.origin_province}
    return not places.isdisjoint(agency.serves)
