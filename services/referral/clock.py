"""What falls due by itself; each turn is one Work over a bounded batch and answers how much it did."""

from services.referral.actions import chasing
from services.referral.actions.routing import Routing
from shared.kit.actor import system
from shared.kit.database import Database

CLOCK = system("referral", "clock")


async def chase(database: Database, routing: Routing) -> int:
    """Expire silence, ask the next, tell supervisors."""
    async with database.work(CLOCK, purpose="chase") as work:
        return await chasing.chase_due(work, routing=routing)


async def reroute(database: Database, routing: Routing) -> int:
    """Try open gaps again when the directory has changed."""
    async with database.work(CLOCK, purpose="reroute") as work:
        return await chasing.reroute_gaps(work, routing=routing)
