"""What the tests of referral share: its database under a clock that stands, and the rules in force."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from services.referral import rules
from services.referral.actions import answering, chasing, opening
from services.referral.actions.answering import Answer, Result
from services.referral.actions.routing import Routing
from shared.kit.actor import system
from shared.kit.clock import FixedClock
from shared.kit.database import Database, connect
from shared.kit.inbox import Heard
from tests.conftest import DatabaseUrls
from tests.referral.factories import START, an_agency

Act = Callable[..., Awaitable[list[Result]]]


class Desk:
    """Referral as its edges use it: one Work per act."""

    def __init__(self, database: Database, clock: FixedClock, routing: Routing) -> None:
        self.database = database
        self.clock = clock
        self.routing = routing

    async def open(self, *arrivals: Heard[Any]) -> None:
        async with self.database.work(system("referral", "consumer"), purpose="hear") as work:
            await opening.open_referrals(work, arrivals, routing=self.routing)

    async def answer(self, verb: str, agency_id: str, *answers: Answer) -> list[Result]:
        """One of accept, acknowledge, decline, start, complete, fail, by the agency's system."""
        act: Any = {
            "accept": answering.accept_assignments,
            "acknowledge": answering.acknowledge_assignments,
            "decline": answering.decline_assignments,
            "start": answering.start_services,
            "complete": answering.complete_assignments,
            "fail": answering.fail_assignments,
        }[verb]
        more = {"routing": self.routing} if verb in {"decline", "fail"} else {}
        async with self.database.work(an_agency(agency_id), purpose="answer") as work:
            results: list[Result] = await act(work, answers, **more)
        return results

    async def chase(self) -> int:
        async with self.database.work(system("referral", "clock"), purpose="chase") as work:
            return await chasing.chase_due(work, routing=self.routing)

    async def reroute(self) -> int:
        async with self.database.work(system("referral", "clock"), purpose="reroute") as work:
            return await chasing.reroute_gaps(work, routing=self.routing)

    async def rows(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        return await self.database.fetch(statement, *arguments)

    async def attempts(self, referral_id: str | None = None) -> list[tuple[int, str, str]]:
        """Attempt, agency and state, in order."""
        rows = await self.rows(
            "SELECT attempt, agency_id, state FROM assignments WHERE $1::uuid IS NULL OR referral_id = $1"
            " ORDER BY referral_id, attempt",
            referral_id,
        )
        return [(row["attempt"], row["agency_id"], row["state"]) for row in rows]

    async def live(self) -> str:
        """The one live assignment there is."""
        [row] = await self.rows("SELECT assignment_id FROM assignments WHERE ended_at IS NULL")
        return str(row["assignment_id"])

    async def told(self) -> list[str]:
        """The types of all facts told, in order, without their frame."""
        rows = await self.rows("SELECT type FROM journal ORDER BY position")
        return [row["type"].removeprefix("referral.").removesuffix(".v1") for row in rows]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
async def database(database_urls: DatabaseUrls, clock: FixedClock) -> AsyncIterator[Database]:
    database = await connect(database_urls("referral").application, service="referral", clock=clock)
    yield database
    await database.aclose()


@pytest.fixture
def routing() -> Routing:
    return Routing(rules.load(rules.latest()))


@pytest.fixture
def desk(database: Database, clock: FixedClock, routing: Routing) -> Desk:
    return Desk(database, clock, routing)
