"""What the ledger refuses, by name."""


class LedgerBroken(Exception):
    """The stored tree contradicts its last checkpoint: nothing is signed until a person has looked."""


class CaseUnknown(Exception):
    """No record of this case has reached the ledger."""


class NothingSealed(Exception):
    """No checkpoint covers this yet; one does within a second."""


class StillArriving(Exception):
    """A row of the case is missing whose successor has only just happened: it may be on its way."""


class SizeUnknown(Exception):
    """The ledger has no tree of this size."""


class SearchTooShort(Exception):
    """A search needs at least eight characters of a case id."""
