"""A process that uploads, mends and sends a list: `python -m tests.intake.send_draft <url> <voyage id> <rows>`.

Run again after it was killed it does what is left.
"""

import asyncio
import sys

from services.intake.actions import drafts, mending, recording, sending
from services.intake.actions.voyages import find_voyage
from services.intake.domain.refusals.drafts import DraftEnded
from shared.kit.clock import FixedClock
from shared.kit.database import connect
from tests.intake.factories import OFFICER, START, a_draft, a_list, a_row, a_vault

SEX = 2


async def main(url: str, voyage_id: str, rows: int) -> None:
    if rows < 100:
        recording.BATCH = 4
    database = await connect(url, service="intake", clock=FixedClock(START))
    vault = a_vault()
    await find_voyage(database, OFFICER, voyage_id)
    content = a_list(*(a_row(n) for n in range(1, rows)), a_row(rows, sex="Q"))
    draft_id = await a_draft(database, voyage_id, content)
    try:
        for _ in range(3):
            draft = await drafts.find_draft(database, OFFICER, draft_id)
            await sending.send_draft(database, vault, OFFICER, draft_id, version=draft.version)
            opened = await drafts.open_draft(database, vault, OFFICER, draft_id)
            wrong = [line for line in opened.lines if line.standing == "mend"]
            for line in wrong:
                write = await mending.prepare_cells(
                    database, vault, OFFICER, draft_id, line.number, version=line.version, cells={SEX: "M"}
                )
                async with database.work(OFFICER, purpose="manifest") as work:
                    await write(work)
        raise AssertionError("it does not come to an end")
    except DraftEnded:
        pass
    await database.aclose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
