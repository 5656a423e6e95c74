"""Who may: pure functions of the actor."""

from services.notify.domain.refusals import EndpointPart
from shared.contracts.codes import zone_of_office
from shared.kit.actor import Actor
from shared.kit.words import msg

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


def zone(actor: Actor) -> str:
    """The time zone of the actor's office."""
    return zone_of_office(actor.organisation, actor.region)


ENDPOINT_PROBLEMS: dict[EndpointPart, str] = {
    "form": msg("This is not a web address. Write it like https://example.org/notices."),
    "scheme": msg("Notices go out over https only. Give an address that begins with https://."),
    "credentials": msg("Leave user name and password out of the address; every notice is signed instead."),
    "fragment": msg("Leave out what follows #; it never reaches a server."),
    "host": msg("This server is not on the open internet. Give a public name or address."),
    "port": msg("This port is not allowed. Use 443 or 8443."),
}
"""What to say to somebody whose address was refused, by the part at fault."""
