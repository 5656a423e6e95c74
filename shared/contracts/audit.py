"""What audit says about itself: who read a trail and who took a proof away."""

from shared.contracts.fact import Fact


class TrailRead(Fact):
    """Somebody opened the whole trail of a case."""

    entries: int


class ProofExported(Fact):
    """Somebody downloaded the proof bundle of a case."""

    entries: int
    tree_size: int
