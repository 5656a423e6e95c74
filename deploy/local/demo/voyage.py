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
"""Nunukan, where two ferries half an hour apart have brought 301 people in a day."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What the preview said about one cell, or about one row when there is no column. The cell itself stays away."""

    row: int
    column: str
    said: str

    def __str__(self) -> str:
        return f"row {self.row}, {self.column}: {self.said}" if self.column else f"row {self.row}: {self.said}"


@dataclass(frozen=True, slots=True)
class Imported:
    """What intake answered. `problems` is what its preview said about rows that it would not take."""

    manifest_id: str | None
    announced: int
    problems: tuple[Problem, ...]
    again: bool
    """This file had been taken in by an earlier run."""


NOT_TAKEN = Imported(manifest_id=None, announced=0, problems=(), again=False)


async def announce(client: Client, manifest: Manifest, known: Path) -> tuple[str, bool]:
    """Announce the voyage that brings this file, or find the one of an earlier run. Returns (id, was it known).

    What will be sent is written down before it is sent: a run that was cut off in between asks the same again and
    gets the same voyage.
    """
    written: dict[str, Any] = json.loads(known.read_text(encoding="utf-8")) if known.exists() else {}
    was_known = manifest.digest in written
    if not was_known:
        written[manifest.digest] = {
            "modality": "deportation",
            "vessel": "KM Tawau-Nunukan",
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
        Problem(p["row"], p["column"] or p["field"], f"{p['message']} {p['remedy']}") for p in preview["problems"]
    )
    taken = await client.post(path, manifest.content)
    return Imported(
        manifest_id=taken["manifest_id"],
        announced=manifest.announced,
        problems=problems,
        again=again,
    )
