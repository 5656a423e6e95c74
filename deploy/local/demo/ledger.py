"""The auditor's part: sign in, take the checkpoint and the proofs of a few cases away, verify them offline."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.local.demo import person
from deploy.local.demo.stage import Stage
from deploy.local.demo.waiting import Databases
from shared.verifier import rujukan_verify

LONGEST_CASES = """
SELECT case_id::text FROM leaves WHERE source = 'referral' GROUP BY case_id ORDER BY count(*) DESC, case_id LIMIT $1
"""
CASES = 3
LIMIT_S = 60


@dataclass(frozen=True, slots=True)
class Proof:
    """`said` is one sentence for a person."""

    verified: bool
    said: str


async def verify(place: Stage, databases: Databases) -> Proof:
    """Take the proofs of the longest cases and recompute the whole tree; nothing is taken on trust.

    The single-file verifier runs as an outsider would run it, on files; the whole tree is recomputed by the
    ledger's own command.
    """
    folder = place.folder / "proofs"
    folder.mkdir(parents=True, exist_ok=True)
    case_ids = [row["case_id"] for row in await databases.connections["audit"].fetch(LONGEST_CASES, CASES)]
    key = folder / "key.txt"
    async with person.signed_in(place.running.urls["audit"], "auditor") as auditor:
        (folder / "checkpoint.txt").write_text(await auditor.get("/checkpoint"), encoding="utf-8")
        key.write_text(await auditor.get("/verifier-key"), encoding="utf-8")
        for case_id in case_ids:
            bundle = await auditor.get(f"/api/cases/{case_id}/proof")
            (folder / f"{case_id}.json").write_text(bundle, encoding="utf-8")
    for case_id in case_ids:
        wrong = await _run(rujukan_verify.__file__, str(folder / f"{case_id}.json"), "--key", str(key))
        if wrong:
            return Proof(verified=False, said=f"case {case_id}: {wrong}")
    wrong = await _run("-m", "services.audit", "ledger", "verify", environment=place.running.environments["audit"])
    if wrong:
        return Proof(verified=False, said=f"whole tree: {wrong}")
    return Proof(verified=True, said=f"the whole tree recomputed, {len(case_ids)} cases verified offline")


async def _run(*arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Run Python with these arguments; returns nothing when it ended with 0, else the last line it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env={**os.environ, **(environment or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), LIMIT_S)
    if process.returncode == 0:
        return ""
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"ended with code {process.returncode}"
