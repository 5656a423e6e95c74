"""How long it takes until an agency's inbox and a subscriber's queue have what was sent, at half load.

Open loop: arrivals come at the times of a Poisson process, and time counts from the scheduled moment. The rows are
looked for every few milliseconds from outside, so each figure is up to that much too long, never too short.
"""

import asyncio
import statistics
from collections.abc import Callable

from tests.benchmarks import openloop, people
from tests.benchmarks.following import ASSIGNMENTS, DELIVERIES, Looks, Seen, mark
from tests.benchmarks.harness import Extent, Result, counted, note
from tests.benchmarks.site import PORT_CLIENT, Site

SECONDS = 15
LEAST_RATE = 100.0
CONNECTIONS = 64
INBOX_MS = 100.0
DELIVERY_MS = 150.0


async def measure(
    running: Site, looks: Looks, newcomers: Callable[[int], int], extent: Extent, *, rate: float
) -> list[Result]:
    rate = max(LEAST_RATE, rate)
    count = round(rate * extent.seconds(SECONDS))
    bodies = people.bodies(count, start := newcomers(count))
    token = await running.token(PORT_CLIENT, "intake")
    await running.rig.checkpoint()
    since = mark()
    assigned, delivered = Seen(), Seen()
    watchers = [
        asyncio.create_task(looks.follow(looks.assignments, ASSIGNMENTS, await looks.last_position(), assigned)),
        asyncio.create_task(looks.follow(looks.deliveries, DELIVERIES, since, delivered)),
    ]
    try:
        arrived = await openloop.arrive(
            running.urls["intake"] + "/api/arrivals",
            bodies,
            token,
            rate=rate,
            connections=CONNECTIONS,
            run=f"latency{start}",
        )
        expected = await looks.expected(since)
        async with asyncio.timeout(60):
            while len(assigned.first) < expected.arrivals or delivered.rows < expected.deliveries:
                await asyncio.sleep(0.05)
    finally:
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
    await looks.check(since)
    assert {one.case_id for one in arrived} == assigned.first.keys() >= delivered.first.keys()
    inbox = [(assigned.first[one.case_id] - one.scheduled) * 1000 for one in arrived]
    queue = [(at - one.scheduled) * 1000 for one in arrived if (at := delivered.first.get(one.case_id))]
    answer = [(one.answered - one.scheduled) * 1000 for one in arrived]
    note(
        f"{count} arrivals at {rate:,.0f}/s; answered after {_at(answer, 50):.1f} ms, 99 % within {_at(answer, 99):.1f}"
    )
    return [
        counted("arrival_to_inbox_p99", _at(inbox, 99), "ms", limit=INBOX_MS),
        counted("arrival_to_inbox_p50", _at(inbox, 50), "ms"),
        counted("arrival_to_delivery_p99", _at(queue, 99), "ms", limit=DELIVERY_MS),
        counted("arrival_to_delivery_p50", _at(queue, 50), "ms"),
        counted("latency_load", rate, "arrivals/s"),
    ]


def _at(values: list[float], percent: int) -> float:
    """A percentile."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
