"""What notify refuses, by name. The edges answer with the statuses in `web_refusals`."""

from typing import Literal

EndpointPart = Literal["form", "scheme", "credentials", "fragment", "host", "port"]


class Refused(Exception):
    """Something stood in the way; the class says what."""


class SubscriptionUnknown(Refused):
    """There is no such subscription, or it belongs to somebody else (nobody can tell which)."""


class DeliveryUnknown(Refused):
    """There is no such delivery, or it belongs to somebody else."""


class TaskUnknown(Refused):
    """There is no such open task, or it belongs to somebody else."""


class EndpointRefused(Refused):
    """Notices cannot be sent to this URL; `part` says which part of it is at fault."""

    def __init__(self, part: EndpointPart) -> None:
        super().__init__(part)
        self.part = part


class SubscriptionEnded(Refused):
    """It was ended; make a new one."""


class DeliveryStillWaiting(Refused):
    """It is on its way already: replay is for what has been delivered or given up."""


class ConsentWithdrawn(Refused):
    """The person does not let this organisation be told of the case any more: nothing about it is sent again."""


class NotToldAnyMore(Refused):
    """Nobody is told of this any more; why, would say what nobody is told."""


class TooManySubscriptions(Refused):
    """An organisation may have this many at most."""


class NotAllowed(Refused):
    """The actor's role does not include this."""
