"""What the tests of referral share: its database under a clock that stands, the rules in force, its whole site."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import asyncpg
import httpx2
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from services.referral import clock as clocks
from services.referral import rules
from services.referral.__main__ import build
from services.referral.actions import answering, handing, opening, reaching, supervising
from services.referral.actions.answering import Answer, Result
from services.referral.actions.handing import Handed, Signed
from services.referral.actions.routing import Routing
from services.referral.actions.supervising import Closing, Reopening
from services.referral.domain.needs import Need
from services.referral.domain.refusals import Refused
from services.referral.settings import Settings
from shared.kit.actor import Actor, system
from shared.kit.clock import FixedClock
from shared.kit.database import Database, connect
from shared.kit.heard import Heard
from shared.kit.ids import new_id
from shared.kit.service import application
from tests.conftest import DatabaseUrls
from tests.referral.factories import START, an_agency
from tests.referral.intake_server import IntakeServer

Act = Callable[..., Awaitable[list[Result]]]


async def turn(due: clocks.Due[Any]) -> int:
    """One turn of a clock, in which nothing fails; answers how many rows it looked at."""
    done = await due()
    assert (due.limit, due.stuck) == (clocks.BATCH, []), "look for due_stuck in the log"
    return done


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
        more = {"routing": self.routing} if verb in {"accept", "acknowledge", "decline", "fail"} else {}
        async with self.database.work(an_agency(agency_id), purpose="answer") as work:
            results: list[Result] = await act(work, answers, **more)
        return results

    async def hand_over(self, agency_id: str, *people: Handed, person: bool = True, **said: Any) -> list[Result]:
        """Record minutes that were just signed."""
        now = self.clock.now()
        signed = replace(Signed("BAST/12/2026", "family", "village", "73.06", now, now), **said)
        async with self.database.work(an_agency(agency_id, person=person), purpose="serve") as work:
            return await handing.record_handovers(work, people, signed=signed)

    async def close(self, *closings: Closing, by: str = "supervisor") -> list[Need | Refused]:
        async with self.database.work(PEOPLE[by], purpose="supervise") as work:
            return await supervising.close_needs(work, closings)

    async def reopen(self, *reopenings: Reopening, by: str = "supervisor") -> list[Need | Refused]:
        async with self.database.work(PEOPLE[by], purpose="supervise") as work:
            return await supervising.reopen_needs(work, reopenings, routing=self.routing)

    async def chase(self) -> int:
        return await turn(clocks.chase(self.database, self.routing))

    async def erase(self, *erasures: Heard[Any]) -> None:
        async with self.database.work(system("referral", "consumer"), purpose="hear") as work:
            await reaching.ask_recipients(work, erasures)

    async def remind(self) -> int:
        reminders = (clocks.remind_copies, clocks.remind_glasses, clocks.remind_cancellations)
        return sum([await turn(remind(self.database)) for remind in reminders])

    async def reroute(self) -> int:
        return await turn(clocks.reroute(self.database, self.routing))

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

    async def referral(self) -> str:
        """The one referral there is."""
        [row] = await self.rows("SELECT referral_id FROM referrals")
        return str(row["referral_id"])

    async def referral_of(self, assignment_id: str) -> str:
        [row] = await self.rows("SELECT referral_id FROM assignments WHERE assignment_id = $1", assignment_id)
        return str(row["referral_id"])

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


PEOPLE = {
    "supervisor": Actor("penyelia.73", "BP3MI-73", frozenset({"agency_supervisor"}), region="73"),
    "gowa": Actor("penyelia.7306", "DINSOS-73.06", frozenset({"agency_supervisor"}), region="73.06"),
    "makassar": Actor("penyelia.7371", "DINSOS-73.71", frozenset({"agency_supervisor"}), region="73.71"),
    "robot": Actor("robot.73", "BP3MI-73", frozenset({"agency_supervisor"}), kind="client", region="73"),
    "unplaced": Actor("penyelia", "DINSOS-73.06", frozenset({"agency_supervisor"})),
    "dpo": Actor("dpo", "KP2MI", frozenset({"data_protection_officer"})),
    "coordinator": Actor("koordinator", "KP2MI", frozenset({"coordinator"})),
    "auditor": Actor("auditor", "ITJEN-KP2MI", frozenset({"auditor"})),
    "operator": Actor("operator", "KP2MI", frozenset({"operator"})),
    "service": Actor("svc-referral", "rujukan", frozenset({"service"}), kind="client"),
    "ngo": Actor("lsm", "NGO-SBMI", frozenset({"ngo_member"})),
    "worker": Actor("dinsos.7306", "DINSOS-73.06", frozenset({"agency_worker"}), region="73.06"),
    "colleague": Actor("dinsos.2", "DINSOS-73.06", frozenset({"agency_worker"}), region="73.06"),
}
"""Everybody else who asks is the system of the agency with that id."""


class SignedIn:
    """Tells the application who asks by a header, as the gate would after checking a session or a token.

    Who asks has just signed in, except as `supervisor, long ago`.
    """

    def __init__(self, app: ASGIApp, clock: FixedClock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = dict(scope["headers"]).get(b"x-actor", b"").decode()
        if name:
            who = name.removesuffix(", long ago")
            actor = PEOPLE.get(who) or an_agency(who)
            recently = None if name != who else self._clock.now()
            scope.setdefault("state", {})["actor"] = replace(actor, authenticated_at=recently)
        await self._app(scope, receive, send)


class Browser:
    """A client for one actor: `await browser.get("/api/…")`; writes carry an idempotency key."""

    def __init__(self, client: httpx2.AsyncClient, actor: str) -> None:
        self._client = client
        self._actor = actor

    async def get(self, path: str) -> httpx2.Response:
        return await self.send("GET", path)

    async def send(self, method: str, path: str, *, key: str | None = None, **content: Any) -> httpx2.Response:
        accept = "application/json" if path.startswith("/api") else "text/html"
        headers = {"x-actor": self._actor, "accept": accept, "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
        headers |= content.pop("headers", {})
        headers |= content.pop("headers", {})
        if method != "GET":
            headers["idempotency-key"] = key or new_id()
        return await self._client.request(method, path, headers=headers, **content)

    async def answer(self, verb: str, *items: dict[str, Any], key: str | None = None) -> list[dict[str, Any]]:
        """Post items to one of the bulk endpoints; their results."""
        answer = await self.send("POST", f"/api/assignments/{verb}", key=key, json={"items": items})
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()["items"]
        return results


Site = Callable[[str], Browser]


@pytest.fixture
async def intake() -> AsyncIterator[IntakeServer]:
    server = IntakeServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def site(database: Database, intake: IntakeServer, clock: FixedClock) -> AsyncIterator[Site]:
    """`site("worker")` or `site("DINKES-73")` is a client of the whole application for that actor."""
    settings = Settings(
        environment="development",
        database_url=database.url,
        roles="http",
        intake_url=intake.url,
        oidc_issuer=intake.url,
        oidc_client_secret="secret",
    )
    async with AsyncExitStack() as stack:
        app = application(await build(settings, database, stack))
        stack.push_async_callback(app.state.identity.aclose)
        transport = httpx2.ASGITransport(app=SignedIn(app, clock))
        async with httpx2.AsyncClient(transport=transport, base_url="http://referral.test") as client:
            yield lambda actor: Browser(client, actor)
