"""One turn of the ledger as a process that may be killed: hear one batch, then seal it.

`python -m tests.audit.one_turn <database URL>`; CRASH_AT says where it dies.
"""

import asyncio
import sys

from services.audit import actions, clock
from shared.kit.database import connect
from tests.audit.ledger import ORIGIN, Ledger

EVENTS = 300


async def main(url: str) -> None:
    database = await connect(url, service="audit")
    ledger = Ledger(database, actions.Signer(ORIGIN, b"k" * 32))
    await ledger.hear(
        *(
            {
                "event_id": f"019ab000-0000-7000-9000-{n:012x}",
                "case_id": f"019ab000-0000-7000-8000-{n:012x}",
            }
            for n in range(EVENTS)
        )
    )
    await clock.seal_leaves(database, ledger.signer)
    await database.aclose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
