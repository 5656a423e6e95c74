"""A process that takes a list in: `python -m tests.intake.take_in <database url> <voyage id> <rows>`."""

import asyncio
import sys

from services.intake.actions import manifests, recording
from services.intake.actions.voyages import find_voyage
from shared.kit.clock import FixedClock
from shared.kit.database import connect
from tests.intake.factories import OFFICER, START, a_list, a_row, a_vault


async def main(url: str, voyage_id: str, rows: int) -> None:
    recording.BATCH = 4
    database = await connect(url, service="intake", clock=FixedClock(START))
    voyage = await find_voyage(database, OFFICER, voyage_id)
    content = a_list(*(a_row(n) for n in range(1, rows)), a_row(rows, sex="Q"))
    await manifests.take_in_manifest(database, a_vault(), OFFICER, voyage, content)
    await database.aclose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
