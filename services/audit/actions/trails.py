"""Showing the trail of a case. Each showing is on the trail itself, before the bytes leave."""

import re
from collections.abc import Sequence

from services.audit import store
from services.audit.domain import tiles, trails
from services.audit.domain.leaves import Leaf
from services.audit.domain.refusals import CaseUnknown, SearchTooShort
from shared.contracts.audit import CaseFound, TrailRead
from shared.kit.short_codes import NotACode, tail_of
from shared.kit.work import Work

MOST_FOUND = 20


async def read_trail(work: Work, case_id: str) -> trails.Trail:
    """Every entry of a case, compared with the tree. Raises `CaseUnknown`."""
    leaves = await store.list_leaves_of_case(work, case_id)
    if not leaves:
        raise CaseUnknown
    last = next(iter(await store.list_last_checkpoints(work, 1)), None)
    size = last.size if last else 0
    trail = trails.trail(case_id, leaves, size, await _hashes_in_tree(work, leaves, size))
    work.record(TrailRead(case_id=case_id, entries=len(leaves)))
    return trail


async def find_cases(work: Work, asked: str) -> list[store.Found]:
    """The cases that have this code, else those whose id begins so; at most 20.

    Raises `SearchTooShort` for what is neither a code nor at least eight hexadecimal characters.
    """
    digits = re.sub(r"[\s-]", "", asked).lower()
    is_beginning = re.fullmatch(r"[0-9a-f]{8,32}", digits) is not None
    try:
        found = await store.find_cases_by_tail(work, tail_of(asked), MOST_FOUND)
    except NotACode:
        if not is_beginning:
            raise SearchTooShort from None
        found = []
    if is_beginning and not found:
        found = await store.find_cases(work, digits.ljust(32, "0"), digits.ljust(32, "f"), MOST_FOUND)
    for case in found:
        work.record(CaseFound(case_id=case.case_id, entries=case.entries))
    return found


async def _hashes_in_tree(work: Work, leaves: Sequence[Leaf], size: int) -> dict[int, bytes]:
    """What the tree of this size holds at the places of these leaves."""
    sealed = [leaf.index for leaf in leaves if leaf.index < size]
    held = await store.find_tiles(work, {tiles.tile_of((0, index)) for index in sealed})
    return {index: tiles.hash_in(held, (0, index)) for index in sealed if tiles.holds(held, (0, index))}
