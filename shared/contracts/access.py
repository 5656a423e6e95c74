"""What every service says about itself: log-ins, refusals and revocations (`case_id` is the stream of whom they are
about), parked records."""

from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.fact import AwareDatetime, Code, Fact, Id

Scope = Literal["person", "client", "role", "organisation"]
Why = Literal["own_wish", "left", "lost_device", "misuse", "precaution"]


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
    reason: Literal["no_session", "bad_token", "role", "not_yours", "csrf", "too_many", "revoked"]
    thing: Code


class AccessRevoked(Fact):
    """What a person, client, role or organisation was given to come in by until `decided_at` counts no more.

    With `bars` nothing new is given either, until `AccessRestored`. Every service listens to this.
    """

    service: Code
    scope: Scope
    code: Code
    bars: bool
    why: Why
    decided_at: AwareDatetime


class AccessRestored(Fact):
    """A person, client, role or organisation may come in again; what was ended before stays ended."""

    service: Code
    scope: Scope
    code: Code
    decided_at: AwareDatetime


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
