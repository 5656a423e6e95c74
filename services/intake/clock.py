"""What falls due at intake: what has reached its period is removed; what should have been decided is counted.

Consents end on their day, and of those who landed, earlier returns are looked for.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta

from services.intake.actions import ages, comparing, consents, households, retention
from services.intake.domain.retention import RULES, first_id_at
from services.intake.store import corrections
from services.intake.store.vault import Vault
from services.intake.store.vault.wrapped import FIRST
from shared.kit.actor import system
from shared.kit.database import Database

CLOCK = system("intake", "clock")
RETAIN_EVERY_S = 6 * 3600.0
COMPARE_EVERY_S = 1.0
COMPARED_AT_ONCE = 100
EXPIRE_EVERY_S = 1.0
LAPSE_EVERY_S = 60.0
LAPSED_AT_ONCE = 50
EXPIRED_AT_ONCE = 50
LOOK_BACK = timedelta(hours=1)
"""A consent whose recording waited for the database may be there after its end."""
ROUNDS = (
    (timedelta(hours=6), None),
    (timedelta(minutes=5), timedelta(days=3)),
    (timedelta(0), timedelta(hours=1)),
)
"""How often a round begins so far back (None: with the first case of all). An arrival has its id before it is recorded,
by a lane that waits for the database, or by a tablet without signal."""


class Retention:
    """Removes what has reached its period. `await retain()` is one batch; all rules in turn make a round.

    Where a round is stands here alone: who is killed begins again, and finds nothing twice.
    """

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._rule = 0
        self._after: str | None = None

    async def __call__(self) -> int:
        """Answers a number above 0 until the round is over."""
        rule = RULES[self._rule]
        async with self._database.work(CLOCK, purpose="retain") as work:
            removed, self._after = await retention.apply_rule(work, self._vault, rule, after=self._after)
        if self._after is not None or (rule.kind != "identity" and removed):
            return max(removed, 1)
        self._rule = (self._rule + 1) % len(RULES)
        return 1 if self._rule else 0


class Comparing:
    """Looks for earlier returns of those who landed. `await compare()` is one batch.

    A round begins an hour back, now and then further, and when the process starts with the first case of all: so
    whoever was recorded before there was a matching, by an older version or late is found too. Cases that were compared
    are marked; nothing else says how far it is.
    """

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._after = FIRST
        now = database.clock.now()
        self._due = [now + every for every, _ in ROUNDS]

    async def __call__(self) -> int:
        """Answers how many were compared; 0 ends a round. Rests as long as it worked: others come first."""
        began = time.monotonic()
        async with self._database.work(CLOCK, purpose="compare") as work:
            done = await comparing.compare_new(work, self._vault, after=self._after, limit=COMPARED_AT_ONCE)
        if done.last is None:
            self._after = self._start()
            return 0
        self._after = done.last
        await asyncio.sleep(time.monotonic() - began)
        return done.compared

    def _start(self) -> str:
        now = self._database.clock.now()
        n = next(n for n, due in enumerate(self._due) if due <= now)
        every, back = ROUNDS[n]
        self._due[n] = now + every
        return FIRST if back is None else first_id_at(now - back)


class Expiring:
    """Ends consents on their day. `await expire()` is one batch; the first round looks at all there are."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._since = datetime.min.replace(tzinfo=UTC)

    async def __call__(self) -> int:
        """Answers how many ended; 0 ends a round."""
        async with self._database.work(CLOCK, purpose="consent") as work:
            ended = await consents.end_expired(work, self._vault, since=self._since, limit=EXPIRED_AT_ONCE)
            now = work.now
        if not ended:
            self._since = now - LOOK_BACK
        return ended


class Lapsing:
    """Ends what waits for a second person in vain. `await lapse()` is one batch of both kinds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self) -> int:
        """Answers how many ended; 0 ends a round."""
        ended = 0
        for lapse in (ages.lapse, households.lapse):  # each in a work of its own: cases are locked in order within one
            async with self._database.work(CLOCK, purpose="correct") as work:
                ended += await lapse(work, limit=LAPSED_AT_ONCE)
        return ended


async def count_overdue(database: Database) -> float:
    """How many corrections should have been decided by now."""
    async with database.work(CLOCK, purpose="correct") as work:
        return float(await corrections.count_overdue(work))
