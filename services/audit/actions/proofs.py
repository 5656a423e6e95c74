"""What outsiders verify without us: the proof bundle of a case, and that one tree extends another."""

import base64
from datetime import timedelta
from typing import Any

from services.audit import store
from services.audit.actions.publishing import last_checkpoint
from services.audit.actions.signing import Signer
from services.audit.domain import merkle, tiles, trails
from services.audit.domain.checkpoints import CaseProof
from services.audit.domain.leaves import Leaf
from services.audit.domain.refusals import CaseUnknown, LedgerBroken, NothingSealed, SizeUnknown, StillArriving
from shared.contracts.audit import ProofExported
from shared.kit.work import Work

FORMAT = "rujukan-proof/v1"
ON_THE_WAY = timedelta(seconds=10)
"""How long after the newest row of a case an earlier one may still come. What is missing then is missing."""


async def export_proof(work: Work, signer: Signer, case_id: str) -> dict[str, Any]:
    """The bundle of a case under the newest checkpoint, as JSON; the export is on the trail.

    Raises `CaseUnknown`, `NothingSealed` when no checkpoint covers any of its leaves yet (one does within a
    second), `StillArriving` when a row is missing that may be on its way, and `LedgerBroken` when the tree lacks
    hashes.
    """
    all_leaves = await store.list_leaves_of_case(work, case_id)
    if not all_leaves:
        raise CaseUnknown
    last = await last_checkpoint(work)
    leaves = [leaf for leaf in all_leaves if leaf.index < last.size]
    if not leaves:
        raise NothingSealed
    if trails.gaps(leaves) and max(leaf.occurred_at for leaf in leaves) > work.now - ON_THE_WAY:
        # Facts for all and facts for audit travel in two topics: a later row may be here first.
        raise StillArriving
    paths = {leaf.index: merkle.inclusion_ranges(leaf.index, last.size) for leaf in leaves}
    held = await store.find_tiles(work, tiles.needed(span for path in paths.values() for span in path))
    work.record(ProofExported(case_id=case_id, entries=len(leaves), tree_size=last.size))
    statement = CaseProof(
        signer.origin, case_id, last.size, tuple((merkle.leaf_hash(leaf.data), not leaf.redacted) for leaf in leaves)
    )
    return {
        "format": FORMAT,
        "case": case_id,
        "public_key": last.verifier_key,
        "checkpoint": last.note,
        "statement": signer.sign(statement.text),
        "entries": [_entry(leaf, _hashes(paths[leaf.index], held)) for leaf in leaves],
    }


async def prove_consistency(work: Work, old: int, new: int) -> dict[str, Any]:
    """That the tree of `new` leaves begins with the tree of `old`. Raises `SizeUnknown`, `LedgerBroken`."""
    if not 0 <= old <= new <= (await last_checkpoint(work)).size:
        raise SizeUnknown
    ranges = merkle.consistency_ranges(old, new)
    held = await store.find_tiles(work, tiles.needed(ranges))
    return {"from": old, "to": new, "proof": _hashes(ranges, held)}


def _entry(leaf: Leaf, path: list[str]) -> dict[str, Any]:
    return {
        "index": leaf.index,
        "leaf": _base64(leaf.data),
        "salt": None if leaf.salt is None else _base64(leaf.salt),
        "payload": None if leaf.payload is None else _base64(leaf.payload),
        "proof": path,
    }


def _hashes(ranges: list[merkle.Range], held: dict[tiles.Tile, bytes]) -> list[str]:
    try:
        return [_base64(hash_) for hash_ in tiles.range_hashes(ranges, held)]
    except tiles.NoSuchTile as error:
        raise LedgerBroken("the tree lacks hashes that it was signed with") from error


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
