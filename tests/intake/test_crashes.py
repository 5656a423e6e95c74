"""Killed between any two steps of taking a list in, and sent again: everybody is recorded once, told once."""

import asyncio
import os
import signal

import pytest

from shared.kit.database import Database
from tests import forking
from tests.intake.factories import a_voyage

ROWS = 10


async def take_in(database: Database, voyage_id: str, crash_at: str = "") -> int:
    """How the process ended that took the list in."""
    process = await asyncio.create_subprocess_exec(
        *(*forking.python(), "tests.intake.take_in", database.url, voyage_id, str(ROWS)),
        env={**os.environ, "CRASH_AT": crash_at},
    )
    try:
        async with asyncio.timeout(60):
            return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()


@pytest.mark.parametrize(
    ("crash_at", "recorded"),
    [
        ("manifest.after_begin", 0),
        ("arrivals.after_commit", 4),
        ("arrivals.after_commit:2", 8),
        ("manifest.after_batch", 4),
        ("manifest.after_batch:3", 9),
        ("manifest.after_rows", 9),
        ("work.before_journal", 9),
        ("work.before_commit", 9),
        ("work.after_commit", 9),
        ("manifest.after_finish", 9),
    ],
)
async def test_a_list_that_is_sent_again_is_taken_in_whole(database: Database, crash_at: str, recorded: int) -> None:
    voyage = await a_voyage(database)

    assert await take_in(database, voyage.voyage_id, crash_at) == -signal.SIGKILL
    assert await database.pool.fetchval("SELECT count(*) FROM arrivals") >= recorded
    assert await take_in(database, voyage.voyage_id) == 0

    [manifest] = await database.pool.fetch("SELECT listed, accepted, rejected, known FROM manifests")
    assert tuple(manifest) == (10, 9, 1, 0)
    counts = "SELECT count(*), count(DISTINCT manifest_row) FROM arrivals"
    assert tuple(await database.pool.fetchrow(counts)) == (9, 9)
    told = dict(await database.pool.fetch("SELECT type, count(*) FROM journal GROUP BY type"))
    assert told["intake.arrival_recorded.v1"] == 9
    assert told["intake.manifest_confirmed.v1"] == 1
    assert await database.pool.fetchval("SELECT count(*) FROM journal") == (
        await database.pool.fetchval("SELECT count(*) FROM outbox")
    )
