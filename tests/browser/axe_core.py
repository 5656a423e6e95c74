"""axe-core for tests: fetched from npm into the user's cache, never part of the product (it is MPL-2.0)."""

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import Page

VERSION = "4.14.1"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
"""Of axe.min.js in that version."""

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class NotToBeHad(Exception):
    """axe-core is neither in the cache nor can it be fetched; the message says why."""


def source() -> str:
    """The text of axe.min.js. Raises `NotToBeHad`."""
    cached = _cache() / f"axe-{VERSION}.min.js"
    if not cached.exists():
        _fetch(cached)
    text = cached.read_bytes()
    if hashlib.sha256(text).hexdigest() != SHA256:
        cached.unlink()
        raise NotToBeHad(f"{cached} was damaged and is removed; run again")
    return text.decode()


async def findings(page: Page, axe: str) -> list[str]:
    """What axe finds on the page as it stands: one line per rule and place; empty is good."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(axe)
    result: dict[str, Any] = await page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})", TAGS
    )
    return [
        f"{violation['id']} ({violation['impact']}): {' '.join(map(str, node['target']))}: {node['html'][:120]}"
        f" {node.get('failureSummary', '')[:300]}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]


def _fetch(target: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise NotToBeHad("npm is not installed, so axe-core cannot be fetched")
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(
            [npm, "pack", "--silent", f"axe-core@{VERSION}"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if packed.returncode != 0:
            last = (packed.stderr.strip().splitlines() or ["no message"])[-1]
            raise NotToBeHad(f"npm could not fetch axe-core {VERSION}: {last}")
        with tarfile.open(Path(folder) / f"axe-core-{VERSION}.tgz") as archive:
            member = archive.extractfile("package/axe.min.js")
            assert member is not None
            text = member.read()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(f".{os.getpid()}")
    draft.write_bytes(text)
    draft.replace(target)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rujukan" / "tests"
