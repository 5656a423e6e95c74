"""What every service says about itself: log-ins and refusals (`case_id` is the person's stream), parked records."""

from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.fact import Code, Fact, Id


class SignedIn(Fact):
    """A person began a session."""

    for_audit = True

    service: Code


class SignedOut(Fact):
    """A person ended a session."""

    for_audit = True

    service: Code


class AccessDenied(Fact):
    """A request was refused. `thing` is a route's template or an action, never an address with ids."""

    for_audit = True

    service: Code
    reason: Literal["no_session", "bad_token", "role", "not_yours", "csrf", "too_many"]
    thing: Code


class MassReading(Fact):
    """An alarm: somebody has read about so many people within the window. Nothing was refused for it."""

    for_audit = True

    service: Code
    reader: Code
    count: Annotated[int, Field(ge=1)]
    window_s: Annotated[int, Field(ge=1)]


class ParkedFact(Fact):
    """`case_id` is the case of the record, or the parked record itself where that could not be read."""

    for_audit = True

    service: Code
    parked_id: Id


class RecordReleased(ParkedFact):
    """An operator had a parked record digested after all."""


class RecordDiscarded(ParkedFact):
    """An operator gave a parked record up; the reason stays with it in the service's database."""
