"""A ship's list of 255 people: how long until the preview stands, and until all of them are referred."""

import asyncio
import statistics
import time

from tests.benchmarks import people
from tests.benchmarks.harness import Result, counted
from tests.benchmarks.site import PORT_CLIENT, Site, announce, take_in

ROWS = 255
TIMES = 3
PREVIEW_S = 2.0
REFERRED_S = 5.0


async def measure(running: Site, start: int) -> list[Result]:
    """The median of the previews and the longest of the referrals, over a few voyages."""
    previews: list[float] = []
    referred: list[float] = []
    for _ in range(TIMES):
        manifest = people.manifest(ROWS, start)
        voyage_id = await announce(running, ROWS)
        began = time.monotonic()
        looked = await running.ask(
            PORT_CLIENT, "intake", "POST", f"/api/voyages/{voyage_id}/manifest?preview=1", manifest
        )
        previews.append(time.monotonic() - began)
        assert looked["ready"] == ROWS, {**looked, "problems": None}
        began = time.monotonic()
        await take_in(running, voyage_id, manifest)
        while (await running.ask(PORT_CLIENT, "intake", "GET", f"/api/voyages/{voyage_id}"))["referred"] < ROWS:
            assert time.monotonic() - began < 60
            await asyncio.sleep(0.05)
        referred.append(time.monotonic() - began)
    return [
        counted("manifest_255_preview_s", statistics.median(previews), "s", limit=PREVIEW_S),
        counted("manifest_255_referred_s", max(referred), "s", limit=REFERRED_S),
    ]
