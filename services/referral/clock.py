"""What falls due by itself; each turn is one Work over a bounded batch and answers how much it did."""

import structlog

from services.referral import rules
from services.referral.actions import breaking, cancelling, chasing, escalating, households, reaching, steering
from services.referral.actions.routing import Routing
from services.referral.store import rulesets
from shared.kit.actor import system
from shared.kit.database import TRANSIENT, Database

log = structlog.get_logger()

CLOCK = system("referral", "clock")


class Chase:
    """Expires silence, asks the next, tells supervisors. `await chase()` is one turn.

    When a batch fails for good, it shrinks until the assignment at fault stands alone; that one is reported and left
    out while this process lives, so that it holds up nobody else's deadline.
    """

    def __init__(self, database: Database, routing: Routing) -> None:
        self._database = database
        self._routing = routing
        self._limit = chasing.BATCH
        self.stuck: set[str] = set()

    async def __call__(self) -> int:
        try:
            async with self._database.work(CLOCK, purpose="chase") as work:
                done = await chasing.chase_due(
                    work, routing=self._routing, limit=self._limit, apart_from=frozenset(self.stuck)
                )
        except TRANSIENT:
            raise
        except Exception as error:
            if self._limit > 1:
                self._limit //= 2
                return 1
            await self._leave_out(error)
            return 1
        self._limit = min(chasing.BATCH, self._limit * 2)
        return len(done)

    async def _leave_out(self, error: Exception) -> None:
        """The assignment that is due longest fails by itself."""
        async with self._database.work(CLOCK, purpose="chase") as work:
            for assignment_id in await chasing.list_due(work, limit=1, apart_from=frozenset(self.stuck)):
                log.error("deadline_stuck", assignment_id=assignment_id, error=type(error).__name__)
                self.stuck.add(assignment_id)


async def reroute(database: Database, routing: Routing) -> int:
    """Try open gaps again when the directory has changed."""
    async with database.work(CLOCK, purpose="reroute") as work:
        return await chasing.reroute_gaps(work, routing=routing)


async def remind(database: Database) -> int:
    """Tell of copies and cancellations that nobody saw to, and of emergency openings not judged, in time."""
    async with database.work(CLOCK, purpose="remind") as work:
        return await reaching.remind(work) + await breaking.remind(work) + await cancelling.remind(work)


async def resume(database: Database, routing: Routing) -> int:
    """Let needs go on whose day has come."""
    async with database.work(CLOCK, purpose="resume") as work:
        return await steering.resume_held(work, routing=routing)


async def settle(database: Database, routing: Routing) -> int:
    """Bring together the households of whom somebody has just landed."""
    async with database.work(CLOCK, purpose="settle") as work:
        return await households.settle(work, routing=routing)


async def climb(database: Database) -> int:
    """Let climb what nobody has taken in time, come back what was taken and has not moved, remind of who is apart."""
    async with database.work(CLOCK, purpose="climb") as work:
        return await escalating.climb(work) + await households.climb(work) + await households.remind(work)


async def keep_the_law(database: Database) -> int:
    """Put before the whole country whose limit in law has passed."""
    async with database.work(CLOCK, purpose="keep_the_law") as work:
        return await escalating.tell_breaches(work)


async def enter_rules(database: Database) -> int:
    """Enter the rules that are shipped among the versions: in force where none is yet. Nothing is left to do then."""
    async with database.work(CLOCK, purpose="enter_rules") as work:
        await rulesets.enter_shipped(work, rules.latest(), rules.shipped(rules.latest()))
    return 0
