"""Who acts: a person, another system, or a part of a service itself."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

ROLES = frozenset(
    {
        "port_officer",
        "agency_worker",
        "agency_supervisor",
        "ngo_member",
        "coordinator",
        "auditor",
        "data_protection_officer",
        "operator",
        "agency_system",
        "ngo_system",
        "port_system",
        "service",
    }
)
"""The roles a token can give. `system` is none of them: that is for what a service does by itself."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts, as the identity provider or the service itself vouches for them.

    `organisation` is an agency, port office, NGO or "rujukan" for the services themselves; `region` is a
    province ("73") or a regency ("73.06"); `port` the code of a port of entry.
    """

    id: str
    organisation: str
    roles: frozenset[str]
    kind: Literal["person", "client", "system"] = "person"
    port: str | None = None
    region: str | None = None
    issued_at: datetime | None = field(default=None, compare=False, repr=False)
    """When the session or token began by which the actor is here; None for who did not come from outside."""
    authenticated_at: datetime | None = field(default=None, compare=False, repr=False)
    """When the person last showed the identity provider who they are; None when that is not known."""

    @property
    def role(self) -> str:
        """The one role that is written on the trail."""
        return min(self.roles, default="none")

    def has(self, *roles: str) -> bool:
        """True when the actor has one of these roles."""
        return not self.roles.isdisjoint(roles)


def system(service: str, part: str) -> Actor:
    """The actor for what a service does by itself, for instance `system("referral", "clock")`."""
    return Actor(id=f"{service}.{part}", organisation="rujukan", roles=frozenset({"system"}), kind="system")
