"""What falls due at intake: what should have been decided by now is counted."""

from services.intake.store import corrections
from shared.kit.actor import system
from shared.kit.database import Database

CLOCK = system("intake", "clock")


async def count_overdue(database: Database) -> float:
    """How many corrections should have been decided by now."""
    async with database.work(CLOCK, purpose="correct") as work:
        return float(await corrections.count_overdue(work))
