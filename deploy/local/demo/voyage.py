"""The port officer's part: a voyage is announced, its manifest looked at and confirmed, through intake's public API."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.local.demo import ngo
from deploy.local.demo.client import Client, segment
from deploy.local.demo.manifest import Manifest

PORT = "NNK"


@dataclass(frozen=True, slots=True)
class Problem:
    """What the preview said about one cell (or one row)."""

    line: int
    column: str
    said: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.column}: {self.said}" if self.column else f"line {self.line}: {self.said}"


@dataclass(frozen=True, slots=True)
class Imported:
    """`figures` is what intake says of the voyage; `held_back` the lines that it would not take, by its preview."""

    voyage_id: str
    manifest_id: str
    announced: int
    held_back: frozenset[int]
    problems: tuple[Problem, ...]
    again: bool
    """This file had been taken in by an earlier run."""


async def announce(client: Client, manifest: Manifest, known: Path) -> tuple[str, bool]:
    """Announce the voyage that brings this file, or find the one of an earlier run. Returns (id, was it known).

    What will be sent is written down before it is sent: a run that was cut off in between asks the same again and
    gets the same voyage.
    """
    written: dict[str, Any] = json.loads(known.read_text(encoding="utf-8")) if known.exists() else {}
    was_known = manifest.digest in written
    if not was_known:
        written[manifest.digest] = {
            "port": PORT,
            "modality": "deportation",
            "announced": manifest.announced,
            "expected_at": datetime.now(UTC).replace(microsecond=0).isoformat(),
        }
        ngo.keep(known, written)
    voyage = await client.post("/api/voyages", written[manifest.digest])
    return voyage["voyage_id"], was_known


async def land(client: Client, manifest: Manifest, known: Path) -> Imported:
    """Announce, look at the preview, confirm. A file without rows is announced and confirmed all the same."""
    voyage_id, again = await announce(client, manifest, known)
    path = f"/api/voyages/{segment(voyage_id)}/manifest"
    preview = await client.post(path, manifest.content, preview="1")
    problems = tuple(
        Problem(p["row"], p.get("heading") or p.get("field") or "", p.get("message") or p["code"])
        for p in preview["problems"]
    )
    taken = await client.post(path, manifest.content)
    return Imported(
        voyage_id=voyage_id,
        manifest_id=taken["manifest_id"],
        announced=manifest.announced,
        held_back=frozenset(preview["held_back"]),
        problems=problems,
        again=again,
    )
