"""The whole way, arrival → referral → notice, through the four services as they run for a user.

A notice counts when its delivery row is committed; the subscriber has paused, so rows wait and nothing is posted
but where it says so. Measured from outside: rows appear in notify's database while the clock runs.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from tests.benchmarks import cpu, latency, limits, loader, manifest_255, people
from tests.benchmarks.following import DELIVERIES, Looks, Seen, looking, mark
from tests.benchmarks.harness import Extent, Result, counted, note, paired
from tests.benchmarks.receiver import receiving
from tests.benchmarks.rig import Rig
from tests.benchmarks.site import LONGEST_S, NGO_CLIENT, PORT_CLIENT, Site, announce, site, take_in

ROWS = 20_000
ROWS_WHILE_SENDING = 4_000
SECONDS = 8
CONNECTIONS = 64
BODIES = 5_000
SERVICES = ("intake", "referral", "notify", "audit")
MOST_RSS_MIB = 96


class Pipe:
    """The running services, and people who have not arrived yet."""

    def __init__(self, running: Site, looks: Looks, extent: Extent) -> None:
        self.running = running
        self.looks = looks
        self.extent = extent
        self.plain = False
        """People with one need each, told of once: the shape of the prototype whose figures are the limits."""
        self._people = 0
        self.spent: dict[str, float] = {}
        """Microseconds of CPU per arrival of the last run, by process."""

    async def by_manifest(self, rows: int) -> float:
        """Arrivals per second of one list, from sending the file to the last delivery row."""
        voyage_id = await announce(self.running, 0)
        manifest = await asyncio.to_thread(people.manifest, rows, self.newcomers(rows), plain=self.plain)

        async def send() -> int:
            return await take_in(self.running, voyage_id, manifest)

        return await self._rate(send)

    async def by_http(self) -> float:
        """Arrivals per second of single arrivals, from the first request to the last delivery row."""
        token = await self.running.token(PORT_CLIENT, "intake")
        start = self.newcomers(BODIES)
        bodies = people.bodies(BODIES, start, plain=self.plain)

        async def send() -> int:
            load = await loader.post(
                self.running.urls["intake"] + "/api/arrivals",
                bodies,
                token,
                connections=CONNECTIONS,
                seconds=self.extent.seconds(SECONDS),
                run=f"pipe{start}",
            )
            return load.answered

        return await self._rate(send)

    def newcomers(self, count: int) -> int:
        """The number of the first of so many people who were not used before."""
        start = self._people
        self._people += -(-count // people.block()) * people.block()
        return start

    async def _rate(self, send: Callable[[], Awaitable[int]]) -> float:
        await self.running.rig.checkpoint()
        since, seen = mark(), Seen()
        async with self.following(since, seen):
            used, began = cpu.used(self.running), time.monotonic()
            sent = await send()
            accepted_in = time.monotonic() - began
            expected = await self.looks.settled(since)
            assert 0 <= expected.arrivals - sent <= CONNECTIONS, (expected, sent)
            while seen.rows < expected.deliveries:
                assert time.monotonic() - began < LONGEST_S, (seen.rows, expected)
                await asyncio.sleep(0.005)
        took = seen.last_at - began
        self.spent = cpu.spent(used, cpu.used(self.running), expected.arrivals)
        found = await self.looks.check(since)
        assert (seen.rows, len(seen.first)) == (found.deliveries, found.cases_delivered), (seen.rows, found)
        note(
            f"{found.arrivals} arrivals accepted in {accepted_in:.2f} s, {found.referrals} referrals and"
            f" {found.deliveries} delivery rows after {took:.2f} s; CPU per arrival: "
            + ", ".join(f"{name} {us:.0f} us" for name, us in self.spent.items())
        )
        await self.looks.quiet()
        return found.arrivals / took

    @asynccontextmanager
    async def following(self, since: str, seen: Seen) -> AsyncIterator[None]:
        """Watch delivery rows appear while the body runs."""
        follow = asyncio.create_task(self.looks.follow(self.looks.deliveries, DELIVERIES, since, seen))
        try:
            yield
        finally:
            follow.cancel()
            await asyncio.gather(follow, return_exceptions=True)


async def measure(rig: Rig, extent: Extent) -> list[Result]:
    rows = extent.of(ROWS, step=people.block())
    async with receiving() as receiver:
        notify = {"WEBHOOK_ALLOW_PRIVATE": f"127.0.0.1:{receiver.port}"}
        async with (
            site(rig, {name: name for name in SERVICES}, {"notify": notify}) as running,
            looking(running) as looks,
        ):
            pipe = Pipe(running, looks, extent)
            subscription = await _subscribe(running, receiver.url)

            async def limit() -> float:
                async with running.still():
                    return await limits.pgbench(rig)

            async def by_manifest() -> float:
                return await pipe.by_manifest(rows)

            results = await manifest_255.measure(running, pipe.newcomers(manifest_255.ROWS))
            await looks.quiet()
            await pipe.by_manifest(extent.of(2_000, step=people.block()))  # warms all of them up
            results.append(
                await paired("pipeline_manifest_vs_pgbench", "arrivals/s", by_manifest, limit, pairs=extent.pairs)
            )
            by_http = await paired("pipeline_http_vs_pgbench", "arrivals/s", pipe.by_http, limit, pairs=extent.pairs)
            results.append(by_http)
            results += await latency.measure(running, looks, pipe.newcomers, extent, rate=by_http.value / 2)
            await looks.quiet()
            results += _resident(running)
            results += await _while_sending(pipe, subscription, receiver.taken, extent)
            await running.stop("audit")
            pairs = max(1, extent.pairs // 2)
            results.append(
                await paired(
                    "pipeline_manifest_without_audit_vs_pgbench", "arrivals/s", by_manifest, limit, pairs=pairs
                )
            )
            results.append(
                await paired("pipeline_http_without_audit_vs_pgbench", "arrivals/s", pipe.by_http, limit, pairs=pairs)
            )
            await _make_plain(pipe, subscription, receiver.url)
            results.append(
                await paired(
                    "pipeline_manifest_one_need_vs_pgbench", "arrivals/s", by_manifest, limit, pairs=extent.pairs
                )
            )
            results.append(
                await paired("pipeline_http_one_need_vs_pgbench", "arrivals/s", pipe.by_http, limit, pairs=extent.pairs)
            )
    return results


async def _subscribe(running: Site, url: str) -> str:
    """Subscribe to everything that may be told, and pause."""
    made = await running.ask(NGO_CLIENT, "notify", "POST", "/api/subscriptions", {"name": "everything", "url": url})
    subscription_id = str(made["subscription_id"])
    await _set_status(running, subscription_id, "paused")
    return subscription_id


async def _make_plain(pipe: Pipe, subscription_id: str, url: str) -> None:
    """One need per arrival, one notice per need, no ledger: what is left is the path itself, rules included."""
    wanted = {"name": "everything", "url": url, "events": ["referral.referral_opened.v1"]}
    await pipe.running.ask(NGO_CLIENT, "notify", "PUT", f"/api/subscriptions/{subscription_id}", wanted)
    pipe.plain = True
    pipe.looks = replace(pipe.looks, told_of_each=1)


async def _set_status(running: Site, subscription_id: str, status: str) -> None:
    await running.ask(NGO_CLIENT, "notify", "PUT", f"/api/subscriptions/{subscription_id}/status", {"status": status})


async def _while_sending(pipe: Pipe, subscription: str, taken: Callable[[], int], extent: Extent) -> list[Result]:
    """The same way while notices are posted to a subscriber that answers at once, and how fast they are posted."""
    connection = pipe.looks.into["notify"]
    await connection.execute(
        "UPDATE deliveries SET status = 'suppressed', next_attempt_at = NULL, ended_at = now() WHERE ended_at IS NULL"
    )
    await _set_status(pipe.running, subscription, "active")
    rows = extent.of(ROWS_WHILE_SENDING, step=people.block())
    before, began = taken(), time.monotonic()
    rate = await pipe.by_manifest(rows)  # ends when all is posted too
    posted, seconds = taken() - before, time.monotonic() - began
    await _set_status(pipe.running, subscription, "paused")
    ended = await connection.fetchval("SELECT count(*) FROM deliveries WHERE status = 'delivered'")
    assert ended == posted, (ended, posted)
    return [
        counted("pipeline_manifest_while_sending", rate, "arrivals/s"),
        counted("notices_posted", posted / seconds, "notices/s"),
    ]


def _resident(running: Site) -> list[Result]:
    """Memory of each service after all that, the largest first."""
    found = {name: _rss_mib(running.pid(name)) for name in running.names}
    largest = counted("rss_per_service", max(found.values()), "MiB", limit=MOST_RSS_MIB)
    return [largest, *(replace(counted(f"rss_{name}", mib, "MiB")) for name, mib in found.items())]


def _rss_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024
