"""Single arrivals by HTTP into two intake processes that share a port, beside pgbench of the same three inserts."""

from tests.benchmarks import limits, loader, people
from tests.benchmarks.harness import Extent, Result, paired
from tests.benchmarks.rig import Rig
from tests.benchmarks.site import PORT_CLIENT, site

SECONDS = 6
CONNECTIONS = 64
BODIES = 5_000


async def measure(rig: Rig, extent: Extent) -> list[Result]:
    processes = {"intake": "intake", "intake-2": "intake"}
    async with site(rig, processes, {name: {"ROLES": "http"} for name in processes}) as running:
        look = await running.database("intake")
        run = 0

        async def ours() -> float:
            nonlocal run
            run += 1
            before = await look.fetchval("SELECT count(*) FROM arrivals")
            token = await running.token(PORT_CLIENT, "intake")
            bodies = people.bodies(BODIES, run * BODIES)
            await rig.checkpoint()
            load = await loader.post(
                running.urls["intake"] + "/api/arrivals",
                bodies,
                token,
                connections=CONNECTIONS,
                seconds=extent.seconds(SECONDS),
                run=f"run{run}",
            )
            counts = await look.fetchrow(
                "SELECT (SELECT count(*) FROM arrivals) AS arrivals, (SELECT count(*) FROM requests) AS requests,"
                " (SELECT count(*) FROM journal) AS journal, (SELECT count(*) FROM person_keys) AS person_keys"
            )
            assert len(set(counts.values())) == 1, dict(counts)
            # What was on its way when the loader stopped was recorded without an answer being counted.
            assert 0 <= counts["arrivals"] - before - load.answered <= CONNECTIONS, (counts["arrivals"], before, load)
            return load.per_second

        async def limit() -> float:
            async with running.still():
                return await limits.pgbench(rig)

        await ours()  # warms both processes up
        result = await paired("intake_http_vs_pgbench", "arrivals/s", ours, limit, pairs=extent.pairs)
        await look.close()
    return [result]
