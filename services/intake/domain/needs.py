"""From screening facts to coded needs. Everybody has at least one: the way home."""

from collections.abc import Iterable
from functools import lru_cache

from shared.contracts.codes import AgeBand, NeedCode, needs

EVERYBODY: NeedCode = "NEED"


@lru_cache(maxsize=4096)
def needs_of(age_band: AgeBand, flags: frozenset[NeedCode], *, accompanied: bool) -> tuple[NeedCode, ...]:
    """The needs of a person, most urgent first.

    Flags of the screening are kept as they are; age adds what it must. A child (or a person who may be one) whom no
    adult accompanies is unaccompanied even where a list only says "child": a guardian has to be named to count.
    """
    found = {EVERYBODY, *flags}
    if age_band == "elderly":
        found.add("ELDER")
    if age_band in ("child", "unknown"):
        if not accompanied:
            found.add("UAC")
        elif "UAC" not in found:
            found.add("CHILD")
    return ordered(found)


def ordered(found: Iterable[NeedCode]) -> tuple[NeedCode, ...]:
    """These needs, most urgent first."""
    return tuple(sorted(found, key=_urgency))


@lru_cache(maxsize=64)
def _urgency(code: NeedCode) -> tuple[int, str]:
    return needs()[code].priority, code
