"""Run the benchmarks, all or some: `python -m tests.benchmarks [relay import …] [--pairs N]`."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable

from tests.benchmarks import harness, relaying
from tests.benchmarks.rig import Rig, rig

PARTS: dict[str, Callable[[Rig, int], Awaitable[list[harness.Result]]]] = {
    "relay": relaying.measure,
}


async def run(parts: list[str], pairs: int) -> None:
    async with rig() as place:
        for part in parts:
            print(f"measuring {part} …", file=sys.stderr, flush=True)
            results = await PARTS[part](place, pairs)
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
    parser.add_argument("--pairs", type=int, default=4)
    arguments = parser.parse_args()
    asyncio.run(run(arguments.parts, arguments.pairs))


if __name__ == "__main__":
    main()
