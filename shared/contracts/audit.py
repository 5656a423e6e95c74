"""What audit says about itself: who found a case, read its trail and took a proof away."""

from shared.contracts.fact import Fact


class TrailRead(Fact):
    """Somebody opened the whole trail of a case."""

    for_audit = True

    entries: int


class ProofExported(Fact):
    """Somebody downloaded the proof bundle of a case."""

    for_audit = True

    entries: int
    tree_size: int


class CaseFound(Fact):
    """A search by case id showed somebody that this case is in the ledger, and how much of it."""

    for_audit = True

    entries: int
