"""What an arrival costs on any machine: statements, and write-ahead log."""

import asyncpg

from tests.benchmarks import people
from tests.benchmarks.chain import chain
from tests.benchmarks.harness import Extent, Result, counted
from tests.benchmarks.rig import Rig

ARRIVALS = 20_000
STATEMENTS_OF = 1_000
MOST_STATEMENTS = 200
MOST_BYTES = 2_560


async def measure(rig: Rig, extent: Extent) -> list[Result]:
    databases, _ = await rig.fresh()
    async with chain(databases.__getitem__) as services:
        await services.run(STATEMENTS_OF, start=STATEMENTS_OF)
        spent = dict(services.statements)
        count = extent.of(ARRIVALS, step=people.block())
        look = await asyncpg.connect(rig.server.url())
        await look.execute("CHECKPOINT")
        before = await look.fetchval("SELECT pg_current_wal_insert_lsn()")
        await services.take_in(count, start=STATEMENTS_OF * 2)
        logged = float(await look.fetchval("SELECT pg_current_wal_insert_lsn() - $1::pg_lsn", before))
        await look.close()
    return [
        counted("wal_bytes_per_arrival", logged / count, "bytes in intake", limit=MOST_BYTES),
        counted(
            "statements_per_1000_arrivals", sum(spent.values()), "statements in all services", limit=MOST_STATEMENTS
        ),
        *(counted(f"statements_per_1000_arrivals_{name}", float(n), "statements") for name, n in spent.items()),
    ]
