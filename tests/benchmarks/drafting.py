"""Lists that are uploaded, looked at and sent: beside COPY of the rows that come of them, and in how much memory."""

import asyncio
import csv
import io
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg

from services.intake.gateways import workbooks
from tests.benchmarks import limits, people
from tests.benchmarks.harness import Extent, Result, counted, note, paired
from tests.benchmarks.importing import COPIED, TABLES
from tests.benchmarks.rig import Rig
from tests.benchmarks.site import PORT_CLIENT, Site, announce, site, take_in

ROWS = 50_000
LOOKED_AT_S = 2.0
TIMES = 3
PASTED = "text/tab-separated-values"
LISTS = 10
LONGEST_LIST = 100_000
MORE_MEMORY_MIB = 64.0
"""What intake may hold more after a million rows than after the first hundred thousand."""


async def measure(rig: Rig, extent: Extent) -> list[Result]:
    async with site(rig, {"intake": "intake"}, {"intake": {"ROLES": "http"}}) as running:
        look = await running.database("intake")
        rows = extent.of(ROWS, step=people.block())
        results = await _sent_beside_copy(rig, running, look, rows, extent.pairs)
        results += [await _looked_at(running, 300, workbook), await _looked_at(running, 500, pasted)]
        results.append(await _memory(running, extent.of(LONGEST_LIST, step=people.block()), 10 * rows))
        await look.close()
    return results


def workbook(content: bytes) -> tuple[bytes, str]:
    """A list as somebody sends it as a workbook, and of what kind that is."""
    return workbooks.workbook(list(csv.reader(io.StringIO(content.decode())))), workbooks.XLSX


def pasted(content: bytes) -> tuple[bytes, str]:
    """A list as it is pasted from a spreadsheet."""
    lines = csv.reader(io.StringIO(content.decode()))
    return "\r\n".join("\t".join(line) for line in lines).encode(), PASTED


async def _sent_beside_copy(rig: Rig, running: Site, look: asyncpg.Connection, rows: int, pairs: int) -> list[Result]:
    """From pressing the button that sends to the answer, beside COPY of the very rows."""
    with tempfile.TemporaryDirectory() as folder:
        sent = 0

        async def ours() -> float:
            nonlocal sent
            content = await asyncio.to_thread(people.manifest, rows, sent)
            sent += rows
            draft = await _upload(running, content)
            await rig.checkpoint()
            began = time.monotonic()
            done = await running.ask(
                *(PORT_CLIENT, "intake", "POST", f"/api/drafts/{draft['draft_id']}/sendings"),
                {"version": draft["version"]},
            )
            rate = rows / (time.monotonic() - began)
            assert done["draft"]["state"] == "sent", done["draft"]
            assert await look.fetchval("SELECT count(*) FROM arrivals") == sent
            assert await look.fetchval("SELECT count(*) FROM draft_blocks") == 0
            return rate

        await ours()  # also warms up the process
        text = await limits.export(look, COPIED, Path(folder), rows)

        async def limit() -> float:
            async with running.still():
                return await limits.copy(rig.server, text)

        assert set(TABLES) < set(COPIED)
        return [await paired("draft_sent_vs_copy", "arrivals/s", ours, limit, pairs=pairs)]


async def _looked_at(running: Site, rows: int, as_sent: Callable[[bytes], tuple[bytes, str]]) -> Result:
    """From sending the file to its rows with what is wrong in them: the median of a few."""
    took = []
    for n in range(TIMES):
        content, kind = as_sent(people.manifest(rows, 10_000_000 + n * rows))
        began = time.monotonic()
        draft = await _upload(running, content, kind)
        seen = await running.ask(PORT_CLIENT, "intake", "GET", f"/api/drafts/{draft['draft_id']}?limit=100")
        took.append(time.monotonic() - began)
        assert seen["in_all"] == draft["counts"]["ready"] == rows, draft["counts"]
    name = "preview_300_xlsx_s" if kind == workbooks.XLSX else "paste_500_s"
    return counted(name, statistics.median(took), "s", limit=LOOKED_AT_S)


async def _memory(running: Site, rows: int, start: int) -> Result:
    """How much more intake holds after ten lists than after the first of them."""
    held: list[float] = []
    for n in range(LISTS):
        content = await asyncio.to_thread(people.manifest, rows, start + n * rows)
        await take_in(running, await announce(running, 0), content)
        held.append(_resident_mib(running.pid("intake")))
        note(f"{(n + 1) * rows:,} rows: {held[-1]:.0f} MiB")
    return counted("import_memory_growth_mib", max(held) - held[0], "MiB", limit=MORE_MEMORY_MIB)


async def _upload(running: Site, content: bytes, kind: str = "text/csv") -> dict[str, Any]:
    voyage_id = await announce(running, 0)
    path = f"/api/voyages/{voyage_id}/drafts"
    draft: dict[str, Any] = await running.ask(PORT_CLIENT, "intake", "POST", path, content, kind=kind)
    return draft


def _resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024
