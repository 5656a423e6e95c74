"""Who may: pure functions of the actor."""

from shared.kit.actor import Actor

SUBSCRIBERS = ("ngo_member", "ngo_system")
"""People and systems of organisations that are told."""
READERS = (*SUBSCRIBERS, "operator")


def may_subscribe(actor: Actor) -> bool:
    """True for those who make subscriptions for their organisation."""
    return actor.has(*SUBSCRIBERS)


def may_look(actor: Actor) -> bool:
    """True for those who see subscriptions, deliveries and tasks."""
    return actor.has(*READERS)


def may_read_answers(actor: Actor, organisation: str) -> bool:
    """True for those who may read what a subscriber's server answered: its own people."""
    return actor.has(*SUBSCRIBERS) and actor.organisation == organisation


def scope(actor: Actor) -> str | None:
    """The organisation whose rows the actor works on; None means all of them (operators and the clock)."""
    if actor.has("system") or (actor.has("operator") and not actor.has(*SUBSCRIBERS)):
        return None
    return actor.organisation
