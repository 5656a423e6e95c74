"""Run the benchmarks, all or some: `python -m tests.benchmarks [relay import …] [--pairs N]`."""

import argparse
import sys
from collections.abc import Awaitable, Callable

import uvloop

from tests.benchmarks import (
    counting,
    deciding,
    drafting,
    finding,
    guarding,
    harness,
    importing,
    intaking,
    limits,
    pipeline,
    relaying,
    sealing,
)
from tests.benchmarks.harness import Extent
from tests.benchmarks.rig import Rig, rig

PARTS: dict[str, Callable[[Rig, Extent], Awaitable[list[harness.Result]]]] = {
    "relay": relaying.measure,
    "import": importing.measure,
    "draft": drafting.measure,
    "intake": intaking.measure,
    "count": counting.measure,
    "seal": sealing.measure,
    "decide": deciding.measure,
    "guard": guarding.measure,
    "find": finding.measure,
    "pipeline": pipeline.measure,
}


PAIRED_WITH_PGBENCH = {"intake", "pipeline"}


async def run(parts: list[str], extent: Extent, *, keep: bool) -> None:
    async with rig() as place:
        if PAIRED_WITH_PGBENCH & set(parts):
            await limits.tune_pgbench(place)
        for part in parts:
            print(f"measuring {part} …", file=sys.stderr, flush=True)
            results = await PARTS[part](place, extent)
            if keep:
                harness.write(results)
            for r in results:
                spread = (
                    ""
                    if r.ratio is None
                    else f" = {r.ratio} of {r.limit} ({r.ratio_min} to {r.ratio_max}, n={r.pairs})"
                )
                print(f"{r.id}: {r.value} {r.unit}{spread}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=", ".join(PARTS))
    parser.add_argument("--pairs", type=int, default=4, help="how often each figure is paired with its limit")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, one pair, nothing written down")
    arguments = parser.parse_args()
    extent = Extent(1, 0.1) if arguments.quick else Extent(arguments.pairs, 1.0)
    uvloop.run(run(arguments.parts, extent, keep=not arguments.quick))


if __name__ == "__main__":
    main()
