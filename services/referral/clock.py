"""What falls due by itself, kind by kind; each turn is one Work over a bounded batch and answers how much it did."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import Any, Generic, TypeVar

import structlog

from services.referral import rules
from services.referral.actions import breaking, cancelling, chasing, escalating, households, reaching, steering
from services.referral.actions.routing import Routing
from services.referral.domain.cancellations import Cancellation
from services.referral.domain.glass import Glass
from services.referral.domain.households import Reunification
from services.referral.domain.recipients import RecipientTask
from services.referral.store import cancellations, escalations, glasses, limits, needs, recipients, rulesets
from services.referral.store import households as homes
from shared.kit.actor import system
from shared.kit.database import TRANSIENT, Database
from shared.kit.work import Work

log = structlog.get_logger()

CLOCK = system("referral", "clock")
BATCH = 200
"""Most rows in one transaction; each holds the lock of its case until the end."""
AGAIN_AFTER = timedelta(minutes=10)
"""How long what failed by itself is left out."""

R = TypeVar("R")

Find = Callable[[Work, int, Sequence[str]], Awaitable[Sequence[R]]]
"""Finds at most so many rows that are due, the most pressing first, none of these."""
Act = Callable[[Work, Sequence[R]], Awaitable[None]]


def _ends(row: Any) -> tuple[str, str]:
    return row[0], row[-1]


class Due(Generic[R]):
    """One kind of what falls due. `await due()` is one turn; answers how many rows it looked at.

    When a batch fails for good, it shrinks until the row at fault stands alone. That one is reported with its case and
    left out for a while, so that it holds up nobody else, and is tried again after that.

    `named`: the id by which a row is left out, and its case; by default its first and its last value.
    """

    def __init__(
        self,
        database: Database,
        kind: str,
        find: Find[R],
        act: Act[R],
        *,
        named: Callable[[R], tuple[str, str]] = _ends,
        purpose: str | None = None,
    ) -> None:
        self.kind = kind
        self._database = database
        self._find = find
        self._act = act
        self._named = named
        self._purpose = purpose or kind
        self.limit = BATCH
        self._out_until: dict[str, datetime] = {}

    @property
    def stuck(self) -> list[str]:
        """What is left out now."""
        now = self._database.clock.now()
        self._out_until = {id_: until for id_, until in self._out_until.items() if now < until}
        return sorted(self._out_until)

    async def __call__(self) -> int:
        apart_from = self.stuck
        found: Sequence[R] = ()
        try:
            async with self._database.work(CLOCK, purpose=self._purpose) as work:
                found = await self._find(work, self.limit, apart_from)
                if found:
                    await self._act(work, found)
        except TRANSIENT:
            raise
        except Exception as error:
            if not found:
                raise
            if len(found) > 1:
                self.limit = len(found) // 2
            else:
                self._leave_out(found[0], error)
            return len(found)
        self.limit = min(BATCH, self.limit * 2)
        return len(found)

    def _leave_out(self, row: R, error: Exception) -> None:
        id_, case_id = self._named(row)
        log.error("due_stuck", kind=self.kind, case_id=case_id, error=type(error).__name__)
        self._out_until[id_] = self._database.clock.now() + AGAIN_AFTER


def chase(database: Database, routing: Routing) -> Due[tuple[str, str, str]]:
    """Expires silence, asks the next, tells supervisors."""
    return Due(database, "chase", needs.list_due, partial(chasing.chase, routing=routing))


def reroute(database: Database, routing: Routing) -> Due[tuple[str, str, str]]:
    """Tries open gaps again when the directory has changed."""
    find, act = partial(chasing.list_gaps, routing=routing), partial(chasing.reroute_gaps, routing=routing)
    return Due(database, "reroute", find, act)


def resume(database: Database, routing: Routing) -> Due[tuple[str, str]]:
    """Lets needs go on whose day has come."""
    return Due(database, "resume", needs.list_held, partial(steering.resume_held, routing=routing))


def settle(database: Database, routing: Routing) -> Due[str]:
    """Brings together the households of whom somebody has just landed."""
    return Due(database, "settle", homes.list_unsettled, partial(households.settle, routing=routing), named=_itself)


def _itself(household_id: str) -> tuple[str, str]:
    return household_id, household_id


def climb(database: Database) -> Due[tuple[str, str]]:
    """Lets climb what nobody has taken in time, and come back what was taken and has not moved."""
    return Due(database, "climb", escalations.list_due, escalating.climb)


def keep_the_law(database: Database) -> Due[tuple[str, str, str]]:
    """Puts before the whole country whose limit in law has passed."""
    return Due(database, "keep_the_law", limits.list_breached, escalating.tell_breaches)


def climb_apart(database: Database) -> Due[Reunification]:
    """Lets climb who is apart from a household and was brought together by nobody in time."""
    find = homes.list_due
    return Due(database, "climb_apart", find, households.climb, named=attrgetter("task_id", "case_id"), purpose="climb")


def remind_apart(database: Database) -> Due[Reunification]:
    """Reminds of who is still apart."""
    find = homes.list_to_remind
    return Due(
        database, "remind_apart", find, households.remind, named=attrgetter("task_id", "case_id"), purpose="climb"
    )


def remind_copies(database: Database) -> Due[RecipientTask]:
    """Tells of copies that nobody saw to in time."""
    find = recipients.lock_unreminded
    return Due(
        database, "remind_copies", find, reaching.remind, named=attrgetter("task_id", "case_id"), purpose="remind"
    )


def remind_glasses(database: Database) -> Due[Glass]:
    """Tells of emergency openings that were not judged in time."""
    find = glasses.lock_unreminded
    return Due(
        database, "remind_glasses", find, breaking.remind, named=attrgetter("glass_id", "case_id"), purpose="remind"
    )


def remind_cancellations(database: Database) -> Due[Cancellation]:
    """Tells of cancellations that were not confirmed in time."""
    find, act = cancellations.lock_unreminded, cancelling.remind
    return Due(
        database, "remind_cancellations", find, act, named=attrgetter("assignment_id", "case_id"), purpose="remind"
    )


def all_due(database: Database, routing: Routing) -> list[tuple[Due[Any], float]]:
    """Each kind, and the seconds after which to look again once nothing is due."""
    return [
        (chase(database, routing), 0.5),
        (settle(database, routing), 0.5),
        (reroute(database, routing), 10.0),
        (resume(database, routing), 10.0),
        (climb(database), 5.0),
        (climb_apart(database), 5.0),
        (remind_apart(database), 5.0),
        (remind_copies(database), 5.0),
        (remind_glasses(database), 5.0),
        (remind_cancellations(database), 5.0),
        (keep_the_law(database), 120.0),
    ]


async def enter_rules(database: Database) -> int:
    """Enter the rules that are shipped among the versions: in force where none is yet. Nothing is left to do then."""
    async with database.work(CLOCK, purpose="enter_rules") as work:
        await rulesets.enter_shipped(work, rules.latest(), rules.shipped(rules.latest()))
    return 0
