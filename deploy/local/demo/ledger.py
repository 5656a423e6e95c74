"""The auditor's part: sign in, take the proofs of a few cases away, verify them offline; then recompute the tree.

The whole tree is recomputed here from the *services'* journals, with nothing of audit's but the salts and the order:
if its root is the one in the signed checkpoint, then every journal row is in the ledger as it was written.
"""

import asyncio
import base64
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import asyncpg

from deploy.local import folder
from deploy.local.demo import evidence, person
from deploy.local.demo.evidence import JournalRow
from deploy.local.demo.stage import Stage
from shared.verifier import rujukan_verify

LONGEST_CASES = """
SELECT case_id::text FROM leaves GROUP BY case_id ORDER BY count(*) DESC, case_id LIMIT $1
"""
SALTS = "SELECT source, event_id::text, salt FROM leaves WHERE leaf_index < $1 ORDER BY leaf_index"
CASES = 3
LIMIT_S = 60


@dataclass(frozen=True, slots=True)
class Proof:
    """`said` is one sentence for a person."""

    verified: bool
    said: str


UNPROVEN = Proof(verified=False, said="nothing was verified")


async def verify(place: Stage, databases: Mapping[str, asyncpg.Connection]) -> Proof:
    """Verify the longest cases with the single-file verifier, as an outsider would, and the whole tree."""
    proofs = place.folder / "proofs"
    folder.keep_private(proofs)
    case_ids = [row["case_id"] for row in await databases["audit"].fetch(LONGEST_CASES, CASES)]
    if not case_ids:
        return Proof(verified=False, said="there is nothing to verify")
    async with person.signed_in(place.running.urls["audit"], "auditor") as auditor:
        key = proofs / "key.txt"
        key.write_text(await auditor.get("/verifier-key"), encoding="utf-8")
        bundles = [proofs / f"{case_id}.json" for case_id in case_ids]
        for case_id, bundle in zip(case_ids, bundles, strict=True):
            bundle.write_text(await auditor.get(f"/api/cases/{case_id}/proof"), encoding="utf-8")
    said = await asyncio.gather(*(_verifier(bundle, key) for bundle in bundles))
    if wrong := [f"case {case_id}: {words}" for case_id, words in zip(case_ids, said, strict=True) if words]:
        return Proof(verified=False, said="; ".join(wrong))
    # The verifier has just checked the signature on this very note.
    size, root = _signed(json.loads(bundles[-1].read_text(encoding="utf-8"))["checkpoint"])
    if await _recomputed(databases, size) != root:
        return Proof(verified=False, said=f"the journals do not give the root that was signed for {size} leaves")
    return Proof(
        verified=True, said=f"{size} leaves recomputed from the journals, {len(bundles)} cases verified offline"
    )


async def _verifier(bundle: Path, key: Path) -> str:
    """Run the verifier on a bundle; returns nothing when it is satisfied, else what it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, rujukan_verify.__file__, str(bundle), "--key", str(key)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), LIMIT_S)
    return "" if process.returncode == 0 else said.decode(errors="replace").strip() or "it did not say why"


def _signed(note: str) -> tuple[int, bytes]:
    """Size and root of a checkpoint note."""
    _, size, root, *_ = note.split("\n")
    return int(size), base64.b64decode(root)


async def _recomputed(databases: Mapping[str, asyncpg.Connection], size: int) -> bytes:
    """The root over the first `size` leaves, from the journals."""
    rows = {
        (service, row[0]): JournalRow(*row)
        for service, connection in databases.items()
        for row in await connection.fetch(evidence.JOURNAL)
    }
    leaves = await databases["audit"].fetch(SALTS, size)
    known = [leaf_hash(source, rows[source, id_], salt) for source, id_, salt in leaves if (source, id_) in rows]
    return root_of(known) if len(known) == size else b""


def leaf_hash(source: str, row: JournalRow, salt: bytes) -> bytes:
    """SHA-256 over the canonical metadata of a journal row, with the salted commitment to its payload."""
    metadata = {
        "case": row.case_id,
        "commitment": hashlib.sha256(salt + row.payload).hexdigest(),
        "id": row.event_id,
        "seq": row.case_seq,
        "source": source,
        "time": row.occurred_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "type": row.type,
        "v": 1,
    }
    return hashlib.sha256(b"\x00" + json.dumps(metadata, sort_keys=True, separators=(",", ":")).encode()).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root of a Merkle tree over leaf hashes (RFC 6962, 2.1): the left half is the largest power of two."""
    if len(hashes) == 1:
        return hashes[0]
    if not hashes:
        return hashlib.sha256().digest()
    half = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + root_of(hashes[:half]) + root_of(hashes[half:])).digest()
