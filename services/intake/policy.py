"""Who may what at a port: pure functions of the actor and the thing."""

from services.intake.domain.refusals import NotAllowed
from shared.kit.actor import Actor

PORT_ROLES = ("port_officer", "port_system")


def own_port(actor: Actor) -> str:
    """The port an actor works at; everything is read and written within it. Raises `NotAllowed` for all others."""
    if not actor.has(*PORT_ROLES) or actor.port is None:
        raise NotAllowed
    return actor.port


def works_at(actor: Actor, port: str) -> bool:
    """True for who sees and records what lands at this port."""
    return actor.has(*PORT_ROLES) and actor.port == port


PROTECTION_ROLE = "data_protection_officer"


def may_protect(actor: Actor) -> bool:
    """Erase, hold, correct and hand out what is kept of people at any port: an officer's duty, or the clock's."""
    return (actor.kind == "person" and actor.has(PROTECTION_ROLE)) or actor.kind == "system"


def may_request_correction(actor: Actor, port: str) -> bool:
    """Say that a field of the identity of a case is wrong: for a port officer, of one that landed at the own port."""
    return may_protect(actor) or (actor.kind == "person" and actor.has("port_officer") and works_at(actor, port))


def may_record_consent(actor: Actor, port: str) -> bool:
    """Write down and look at what was said of consent: the port where somebody landed, and the officer for data."""
    if actor.kind != "person":
        return False
    return actor.has(PROTECTION_ROLE) or (actor.has("port_officer") and works_at(actor, port))


DISCLOSURE_CLIENT = "svc-referral"
"""The client that referral has at the identity provider. No other service has any business with names."""


def may_ask_disclosure(actor: Actor) -> bool:
    """Ask for an identity on behalf of an agency."""
    return actor.kind == "client" and actor.has("service") and actor.id == DISCLOSURE_CLIENT


SUPERVISOR_ROLE = "agency_supervisor"


def may_correct_arrivals(actor: Actor) -> bool:
    """Correct what routing rests on, of who landed at the own port: for people, whose name stands behind it."""
    return actor.kind == "person" and actor.has("port_officer") and actor.port is not None


def may_decide_ages(actor: Actor) -> bool:
    """Be the second person by whom a child counts as of age: at the port, or a supervisor of its region."""
    return may_correct_arrivals(actor) or (
        actor.kind == "person" and actor.has(SUPERVISOR_ROLE) and actor.region is not None
    )


def decides_ages_in(actor: Actor) -> tuple[str | None, str | None]:
    """The port, or else the region, whose proposals the actor decides. `store` filters by it."""
    return (actor.port, None) if may_correct_arrivals(actor) else (None, actor.region)


def may_link_people(actor: Actor) -> bool:
    """Say who belongs together and which adult answers for a child, of who landed at the own port: people only."""
    return actor.kind == "person" and actor.has("port_officer") and actor.port is not None


def may_decide_matches(actor: Actor) -> bool:
    """Look at who may have come before, of who landed at the own port, and say whether it is so: people only."""
    return actor.kind == "person" and actor.has("port_officer") and actor.port is not None
