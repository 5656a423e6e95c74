"""One world per service: its whole application, an actor for each role, and things on both sides of every wall."""

from tests.access.worlds import audit, intake, notify, referral
from tests.access.worlds.referral import AGES
from tests.access.worlds.world import NOW, OTHER, OWN, World, somebody

__all__ = ["AGES", "NOW", "OTHER", "OWN", "WORLDS", "World", "somebody"]

WORLDS = {
    "intake": intake.intake_world,
    "referral": referral.referral_world,
    "notify": notify.notify_world,
    "audit": audit.audit_world,
}
"""By service; each is made in the database at a URL."""
