"""A process that carries everybody of a list over: `python -m tests.intake.carry_rows <url> <draft id> <voyage id>`.

Run again after it was killed it does what is left.
"""

import asyncio
import sys
from contextlib import suppress

from services.intake.actions import roll_calls
from services.intake.domain.refusals.roll_calls import RowCarried
from shared.kit.clock import FixedClock
from shared.kit.database import connect
from tests.intake.factories import OFFICER, START, a_vault

ROWS = (2, 3)


async def main(url: str, draft_id: str, voyage_id: str) -> None:
    database = await connect(url, service="intake", clock=FixedClock(START))
    for row in ROWS:
        with suppress(RowCarried):
            write = await roll_calls.prepare_call(
                *(database, a_vault(), OFFICER, draft_id, row),
                version=0,
                mark="absent",
                reason="rolled_over",
                next_voyage_id=voyage_id,
            )
            async with database.work(OFFICER, purpose="manifest") as work:
                await write(work)
    await database.aclose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
