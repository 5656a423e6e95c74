"""What is somebody else's is left out by each statement itself, also where the policies of the tables would show it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from services.referral.actions import leasing, steering
from services.referral.actions.answering import Answer
from services.referral.actions.steering import Hold
from services.referral.actions.supervising import Closing
from services.referral.domain.assignments import LIVE, TERMINAL
from services.referral.domain.capacity import Place
from services.referral.store import cancellations, desk, needs, pauses, places, questions, recipients, requests
from services.referral.store.requests import Wanted
from shared.kit.actor import Actor
from shared.kit.work import Work
from tests.referral.commands import OFFICER, by_supervisor
from tests.referral.conftest import PEOPLE, Desk
from tests.referral.factories import an_agency, an_arrival, an_erasure
from tests.referral.test_steering import ask

HOME = "DINSOS-73.06"
AGENCY = (an_agency(HOME), an_agency("DINSOS-73.71"))
REGION = (PEOPLE["gowa"], PEOPLE["makassar"])
PORT = (OFFICER, replace(OFFICER, port="BTM"))

Ids = Mapping[str, str]


@dataclass(frozen=True)
class Read:
    """A statement, whose it is and who is a stranger to it."""

    actors: tuple[Actor, Actor]
    ask: Callable[[Work, Ids], Awaitable[Any]]


async def restricted_overdue(work: Work) -> int:
    return (await requests.count_restricted_overdue(work)).total


READS: dict[str, Read] = {
    "questions.list_open": Read(PORT, lambda w, _: questions.list_open(w, 9)),
    "questions.find_own": Read(PORT, lambda w, ids: questions.find_own(w, [ids["question"]])),
    "cancellations.list_open": Read(AGENCY, lambda w, _: cancellations.list_open(w, 9)),
    "cancellations.lock_own": Read(AGENCY, lambda w, ids: cancellations.lock_own(w, [ids["cancelled"]])),
    "cancellations.list_overdue": Read(REGION, lambda w, _: cancellations.list_overdue(w, 9)),
    "cancellations.lock_overdue": Read(REGION, lambda w, ids: cancellations.lock_overdue(w, ids["cancelled"])),
    "pauses.list_own": Read(AGENCY, lambda w, _: pauses.list_own(w)),
    "pauses.list_overseen": Read(REGION, lambda w, _: pauses.list_overseen(w, 9)),
    "pauses.find_overseen": Read(REGION, lambda w, ids: pauses.find_overseen(w, [ids["pause"]])),
    "recipients.list_open": Read(AGENCY, lambda w, _: recipients.list_open(w, 9)),
    "recipients.list_open_of_kind": Read(AGENCY, lambda w, _: recipients.list_open_of_kind(w, "erasure", 9)),
    "recipients.list_own_referrals": Read(AGENCY, lambda w, ids: recipients.list_own_referrals(w, [ids["case"]])),
    "recipients.lock_own": Read(AGENCY, lambda w, ids: recipients.lock_own(w, [ids["task"]])),
    "recipients.list_outstanding": Read(REGION, lambda w, _: recipients.list_outstanding(w, 9, everywhere=False)),
    "recipients.lock_overdue": Read(REGION, lambda w, ids: recipients.lock_overdue(w, ids["task"], everywhere=False)),
    "needs.find_owned": Read(AGENCY, lambda w, ids: needs.find_owned(w, [ids["asked"]])),
    "requests.list_live": Read(REGION, lambda w, _: requests.list_live(w, Wanted(), limit=9)),
    "requests.count_restricted_overdue": Read(REGION, lambda w, _: restricted_overdue(w)),
    "places.list_places": Read(AGENCY, lambda w, _: places.list_places(w, HOME)),
    "desk.list_inbox": Read(AGENCY, lambda w, _: desk.list_inbox(w, sorted(LIVE), limit=9)),
    "desk.list_ended": Read(AGENCY, lambda w, _: desk.list_ended(w, sorted(TERMINAL), limit=9)),
    "desk.count_inbox": Read(AGENCY, lambda w, _: desk.count_inbox(w)),
    "desk.list_tasks": Read(REGION, lambda w, _: desk.list_tasks(w, limit=9)),
    "desk.list_closed": Read(REGION, lambda w, _: desk.list_closed(w, limit=9)),
    "desk.list_held": Read(REGION, lambda w, _: desk.list_held(w, 9)),
    "desk.find_task": Read(REGION, lambda w, ids: desk.find_task(w, ids["held"])),
    "desk.find_overseen": Read(REGION, lambda w, ids: desk.find_overseen(w, [ids["held"]])),
}


@pytest.fixture
async def ids(desk: Desk) -> Ids:
    """A home with something of every sort: asked about, cancelled, held, refused, passed over, to be erased, places."""

    async def opened(*needs: str) -> dict[str, str]:
        arrival = an_arrival(*needs)
        await desk.open(arrival)
        [row] = await desk.rows(
            "SELECT assignment_id::text, referral_id::text, case_id::text FROM assignments JOIN referrals"
            " USING (referral_id) WHERE case_id = $1",
            arrival.case_id,
        )
        return dict(row)

    asked, helped, held, refused, full = [await opened(need) for need in ("ELDER", "ELDER", "ELDER", "ELDER", "ELDER")]
    await opened("TIP")
    async with desk.database.work(AGENCY[0], purpose="publish") as work:
        await leasing.publish_places(
            work, [Place(HOME, "any", "any", False, 9, 0, desk.clock.now() + timedelta(days=1))]
        )
    question = await ask(desk, asked["assignment_id"], HOME)
    await desk.answer("accept", HOME, Answer(helped["assignment_id"]))
    await desk.close(Closing(helped["referral_id"], "NO_CAPACITY"))
    until = desk.clock.now() + timedelta(days=60)
    await by_supervisor(desk, steering.hold_needs, Hold(held["referral_id"], "IN_HOSPITAL", until), routed=False)
    await desk.answer("decline", HOME, Answer(refused["assignment_id"], reason="person_refused"))
    await desk.answer("decline", HOME, Answer(full["assignment_id"], reason="no_capacity", until=until))
    await desk.erase(an_erasure(helped["case_id"], HOME))
    [pause] = await desk.rows("SELECT pause_id::text FROM pauses")
    [task] = await desk.rows("SELECT task_id::text FROM recipient_tasks")
    desk.clock.advance(timedelta(days=10))
    return {
        "question": question,
        "cancelled": helped["assignment_id"],
        "pause": pause["pause_id"],
        "task": task["task_id"],
        "case": helped["case_id"],
        "asked": asked["assignment_id"],
        "held": held["referral_id"],
    }


async def test_each_statement_leaves_out_what_is_not_the_actors(desk: Desk, ids: Ids) -> None:
    """Read as the service, to whom the policies show everything: what holds then is the statement's own condition."""
    found: dict[str, tuple[bool, bool]] = {}
    for name, read in READS.items():
        seen = []
        for actor in read.actors:
            async with desk.database.work(actor, purpose="look") as work:
                await work.as_service()
                seen.append(bool(await read.ask(work, ids)))
        found[name] = (seen[0], seen[1])

    assert {name: one for name, one in found.items() if one != (True, False)} == {}


async def test_the_service_sees_it_all_by_the_policies(desk: Desk, ids: Ids) -> None:
    async with desk.database.work(AGENCY[1], purpose="look") as work:
        await work.as_service()
        for table in ("questions", "cancellations", "pauses", "recipient_tasks", "assignments", "referrals"):
            assert await work.connection.fetchval(f"SELECT count(*) FROM {table}") > 0, table

    assert ids
