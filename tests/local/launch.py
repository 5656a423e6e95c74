"""A launcher of the broker and the database alone: says READY and its addresses, then waits to be ended.

`python -m tests.local.launch <data>`; the environment decides on the rungs.
"""

import asyncio
import json
import signal
import sys
from pathlib import Path

from deploy.local import stack
from deploy.local.report import Trouble


async def main(data: Path) -> None:
    try:
        async with stack.foundations(data, durable=False) as base:
            url = base.databases["intake"].owner
            told = {"url": url, "bootstrap": base.bootstrap, "broker": base.broker, "postgres": base.postgres}
            print("READY " + json.dumps(told), flush=True)
            await base.supervisor.failed()
    except Trouble as trouble:
        print(f"TROUBLE {trouble}", flush=True)


if __name__ == "__main__":
    # A shell that runs the tests in the background has SIGINT ignored, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    asyncio.run(main(Path(sys.argv[1])))
