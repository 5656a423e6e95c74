"""A process that carries everybody of a list over: `python -m tests.intake.carry_rows <url> <draft id> <voyage id>`.

Without a voyage it takes them back. Run again after it was killed it does what is left.
"""

import asyncio
import sys

from services.intake.actions import roll_calls
from shared.kit.clock import FixedClock
from shared.kit.database import connect
from tests.intake.factories import OFFICER, START, a_vault

ROWS = (2, 3)


async def main(url: str, draft_id: str, voyage_id: str | None = None) -> None:
    database = await connect(url, service="intake", clock=FixedClock(START))
    for row in ROWS:
        write = await roll_calls.prepare_call(
            *(database, a_vault(), OFFICER, draft_id, row),
            version=0 if voyage_id else 1,
            mark="absent" if voyage_id else "open",
            reason="rolled_over" if voyage_id else None,
            next_voyage_id=voyage_id,
        )
        async with database.work(OFFICER, purpose="manifest") as work:
            await write(work)
    await database.aclose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
