"""A process that takes a list back as of another voyage: `python -m tests.intake.take_list_back <url> <manifest>`."""

import asyncio
import sys

from services.intake.actions import wrong_voyages
from shared.kit.clock import FixedClock
from shared.kit.database import connect
from tests.intake.factories import OFFICER, START


async def main(url: str, manifest_id: str) -> None:
    wrong_voyages.BATCH = 2
    database = await connect(url, service="intake", clock=FixedClock(START))
    await wrong_voyages.take_back(database, OFFICER, manifest_id)
    await database.aclose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
