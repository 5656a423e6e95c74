"""What every service says about access to itself: log-ins and refusals. `case_id` is the person's stream."""

from typing import Literal

from shared.contracts.fact import Code, Fact


class SignedIn(Fact):
    """A person began a session."""

    service: Code


class SignedOut(Fact):
    """A person ended a session."""

    service: Code


class AccessDenied(Fact):
    """A request was refused. `thing` is a route's template or an action, never an address with ids."""

    service: Code
    reason: Literal["no_session", "bad_token", "role", "not_yours", "csrf", "too_many"]
    thing: Code
