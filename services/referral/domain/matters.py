"""Police and narcotics matters of a person are apart from what protects that person (UU 21/2007 Art. 44, 24).

Whoever handles the one does not learn of the other: help must not depend on a file, nor a file grow by help.
"""

from typing import Literal

Matter = Literal["help", "custody"]

CUSTODY = frozenset({"LEGAL", "DRUG"})
PROTECTION = frozenset({"TIP", "GBV", "CHILD", "UAC", "ATT"})


def matter_of(need: str) -> Matter:
    """Which matter a need belongs to."""
    return "custody" if need in CUSTODY else "help"


def opposite(need: str) -> frozenset[str]:
    """The needs of the same person that whoever handles this one must not handle too."""
    if need in CUSTODY:
        return PROTECTION
    return CUSTODY if need in PROTECTION else frozenset()
