"""What falls due: a checkpoint over the leaves that came."""

from services.audit import actions
from services.audit.actions import Signer
from shared.kit.actor import system
from shared.kit.crash import crash_point
from shared.kit.database import Database

SEAL_EVERY_S = 0.25
"""At most four checkpoints a second, so a record is under one well within a second of reaching Kafka."""


async def seal_leaves(database: Database, signer: Signer) -> int:
    """Seal what came; answers a number above 0 only when more waits, so that a backlog is not paced."""
    async with database.work(system("audit", "clock"), purpose="seal") as work:
        sealed = await actions.seal(work, signer)
    if sealed:
        crash_point("seal.after_commit")
    return sealed if sealed == actions.MOST_LEAVES else 0
