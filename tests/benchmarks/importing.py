"""A name list taken in by intake, beside COPY of the very rows that it wrote."""

import asyncio
import tempfile
import time
from pathlib import Path

import asyncpg

from tests.benchmarks import limits, people
from tests.benchmarks.harness import Extent, Result, paired
from tests.benchmarks.rig import Rig
from tests.benchmarks.site import Site, announce, site, take_in

ROWS = 50_000
TABLES = ("requests", "arrivals", "person_keys", "journal", "outbox")
"""Where intake writes a row for each arrival."""
COPIED = (*TABLES, "blind_indexes", "households", "household_members", "guardian_links")
"""Beside those, a row for each paper of an arrival, and those that say who travels with whom."""


async def measure(rig: Rig, extent: Extent) -> list[Result]:
    rows = extent.of(ROWS, step=people.block())
    async with site(rig, {"intake": "intake"}, {"intake": {"ROLES": "http"}}) as running:
        look = await running.database("intake")
        with tempfile.TemporaryDirectory() as folder:
            imported = 0

            async def ours() -> float:
                nonlocal imported
                imported += rows
                return await take_in_timed(running, look, rows, imported)

            await ours()  # also warms up the process
            text = await limits.export(look, COPIED, Path(folder), rows)
            binary = await limits.export(look, COPIED, Path(folder), rows, form="binary")

            async def limit() -> float:
                async with running.still():
                    return await limits.copy(rig.server, text)

            async def highest_limit() -> float:
                async with running.still():
                    return await limits.copy(rig.server, binary)

            results = [
                await paired("import_vs_copy", "arrivals/s", ours, limit, pairs=extent.pairs),
                await paired(
                    "import_vs_binary_copy", "arrivals/s", ours, highest_limit, pairs=max(1, extent.pairs // 2)
                ),
            ]
        await look.close()
    return results


async def take_in_timed(running: Site, look: asyncpg.Connection, rows: int, in_all: int) -> float:
    """Arrivals per second of one list of `rows` people, from sending the file to the answer; then counts them."""
    voyage_id = await announce(running, 0)
    manifest = await asyncio.to_thread(people.manifest, rows, in_all)
    await running.rig.checkpoint()
    began = time.monotonic()
    await take_in(running, voyage_id, manifest)
    rate = rows / (time.monotonic() - began)
    for table in TABLES:
        condition = " WHERE type = 'intake.arrival_recorded.v1'" if table == "journal" else ""
        found = await look.fetchval(f"SELECT count(*) FROM {table}{condition}")
        assert found >= in_all if table == "outbox" else found == in_all, (table, found, in_all)
    return rate
