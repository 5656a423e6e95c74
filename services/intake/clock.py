"""What falls due at intake: what has reached its period is removed; what should have been decided is counted."""

from services.intake.actions import retention
from services.intake.domain.retention import RULES
from services.intake.store import corrections
from shared.kit.actor import system
from shared.kit.database import Database

CLOCK = system("intake", "clock")
RETAIN_EVERY_S = 6 * 3600.0


class Retention:
    """Removes what has reached its period. `await retain()` is one batch; all rules in turn make a round.

    Where a round is stands here alone: who is killed begins again, and finds nothing twice.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rule = 0
        self._after: str | None = None

    async def __call__(self) -> int:
        """Answers a number above 0 until the round is over."""
        rule = RULES[self._rule]
        async with self._database.work(CLOCK, purpose="retain") as work:
            removed, self._after = await retention.apply_rule(work, rule, after=self._after)
        if self._after is not None or (rule.kind != "identity" and removed):
            return max(removed, 1)
        self._rule = (self._rule + 1) % len(RULES)
        return 1 if self._rule else 0


async def count_overdue(database: Database) -> float:
    """How many corrections should have been decided by now."""
    async with database.work(CLOCK, purpose="correct") as work:
        return float(await corrections.count_overdue(work))
