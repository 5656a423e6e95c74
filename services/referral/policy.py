"""Who may: pure functions of the actor. What an agency may see is filtered by `work.actor` in `store`, and once more by
the tables' own policies, which name the same roles (migrations/0007_let_an_agency_see_its_own.sql).
"""

from datetime import datetime

from services.referral.domain.glass import PROTECTION_OFFICER, Glass
from services.referral.domain.pauses import Pause
from shared.contracts.codes import zone_of_office
from shared.kit.actor import Actor

WORKERS = ("agency_worker", "agency_supervisor", "agency_system")
"""People and systems that answer for their agency."""
PEOPLE_AT_WORK = ("agency_worker", "agency_supervisor")
"""Those of them that are people, who can answer for a child by name."""
SUPERVISORS = ("agency_supervisor",)
OVERSEERS = (*SUPERVISORS, "data_protection_officer")
OVERSIGHT = (*OVERSEERS, "coordinator")
"""Those who see what is left undone; coordinators in numbers."""
PORT_OFFICERS = ("port_officer",)
"""People of a port, who answer what agencies ask before they decide."""
GLASS_BREAKERS = (*SUPERVISORS, "coordinator")
WATCHERS = ("coordinator", "operator", "auditor", "service")
"""Those who see figures; none of them sees a case here."""
DUTY = (*SUPERVISORS, "coordinator")
"""People before whom needs come that nobody answers for: of their region, or of the whole country once they have
climbed so far."""
KEEPERS = ("coordinator",)
"""Those who keep the directory."""
ANYBODY = (*WORKERS, *WATCHERS, "port_officer", "port_system", "ngo_member", "ngo_system", "data_protection_officer")
"""The directory is for everybody who is signed in."""


def may_answer(actor: Actor) -> bool:
    """True for those who act for an agency."""
    return actor.has(*WORKERS)


def answers_for(actor: Actor, agency_id: str) -> bool:
    """True for those who act for this agency."""
    return may_answer(actor) and actor.organisation == agency_id


def may_keep_own_entry(actor: Actor) -> bool:
    """True for a person who answers for an agency, and so for what the directory says of it."""
    return actor.kind == "person" and actor.has(*SUPERVISORS)


def may_watch(actor: Actor) -> bool:
    """True for those who see the figures."""
    return actor.has(*WATCHERS)


def sees_exact_figures(actor: Actor) -> bool:
    """True for the services themselves; whoever else sees figures sees them rounded, and no small ones."""
    return actor.kind != "person" and actor.has("service")


def opens_by_looking(actor: Actor) -> bool:
    """A person of the agency who looks has opened it; a system says so by itself."""
    return actor.kind == "person" and actor.has(*WORKERS)


def may_answer_by_name(actor: Actor) -> bool:
    """True for who can answer personally for closing a child's need: a supervisor who is a person, not a system."""
    return actor.kind == "person" and actor.has(*SUPERVISORS)


def answers_for_the_country(actor: Actor) -> bool:
    """True for a person without a region of its own before whom needs come that no region has taken."""
    return actor.kind == "person" and actor.has("coordinator") and overseen_by(actor) is None


def overseen_by(actor: Actor) -> str | None:
    """The region a supervisor answers for: a whole province, or one regency of it. `store` filters by it."""
    return actor.region if actor.has(*SUPERVISORS) else None


def oversees(actor: Actor, regency: str) -> bool:
    """True for a supervisor of this regency, or of its province."""
    return actor.has(*SUPERVISORS) and actor.region in {regency, regency[:2]}


def may_lift(actor: Actor, pause: Pause) -> bool:
    """A supervisor of the region lets an agency be asked again; of a national one, its own supervisor."""
    if not actor.has(*SUPERVISORS):
        return False
    if pause.region is None:
        return actor.organisation == pause.agency_id
    return actor.region in {pause.region, pause.region[:2]}


def may_know_need(actor: Actor, pause: Pause) -> bool:
    """What a restricted need is, nobody outside the agency learns by the pause it led to."""
    return not pause.restricted or answers_for(actor, pause.agency_id)


def may_break_glass(actor: Actor) -> bool:
    """True for people who may have to read a case in an emergency that is not their own."""
    return actor.kind == "person" and actor.has(*GLASS_BREAKERS)


def may_break_glass_in(actor: Actor, regency: str) -> bool:
    """A coordinator everywhere, a supervisor where help is due in the own region."""
    return may_break_glass(actor) and (actor.has("coordinator") or oversees(actor, regency))


def may_oversee(actor: Actor) -> bool:
    """True for people who look after what others have left undone: supervisors, and the data protection officer."""
    return actor.kind == "person" and actor.has(*OVERSEERS)


def oversees_everywhere(actor: Actor) -> bool:
    """True for who oversees the whole country: the data protection officer."""
    return actor.kind == "person" and actor.has("data_protection_officer")


def may_confirm_for(actor: Actor, region: str | None) -> bool:
    """Say for an agency of this region that it has erased its copy, after having checked."""
    return may_oversee(actor) and (oversees_everywhere(actor) or (region is not None and oversees(actor, region)))


def may_judge(actor: Actor, opened: Glass, *, now: datetime) -> bool:
    """Whose it is to judge an emergency: never the own; the region's supervisor's, or the officer's, late ones too."""
    if not may_oversee(actor) or actor.id == opened.broken_by:
        return False
    if oversees_everywhere(actor):
        return opened.told == PROTECTION_OFFICER or opened.review_by <= now
    return opened.told != PROTECTION_OFFICER and oversees(actor, opened.region)


def zone(actor: Actor) -> str:
    """The time zone of the actor's office."""
    return zone_of_office(actor.organisation, actor.region)
