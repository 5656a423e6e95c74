"""Who may do what with the ledger: pure functions of the actor."""

from shared.kit.actor import Actor

READERS = ("auditor", "data_protection_officer")


def may_read_trails(actor: Actor) -> bool:
    """Trails show who did what about one person, so auditors and the data-protection officer only."""
    return actor.has(*READERS)
