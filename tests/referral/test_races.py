"""Every pair of commands on one need at once, each in its own transaction: whoever is second learns of the first.

`make test` tries a sample that names its seed, `make soak` all pairs.
"""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import combinations_with_replacement, count
from typing import Any

import pytest

from services.referral import clock as clocks
from services.referral.actions import answering, asking, consenting, leasing, passing, refusing, steering, supervising
from services.referral.actions.answering import Answer
from services.referral.actions.refusing import Signed
from services.referral.actions.steering import Error, Hold, Recall, Resumption
from services.referral.actions.supervising import Closing, Reopening
from services.referral.domain.capacity import Place
from services.referral.domain.refusals import Refused
from shared.kit.actor import system
from tests.referral.commands import by_agency, by_supervisor
from tests.referral.conftest import PEOPLE, Desk, turn
from tests.referral.factories import a_consent, a_withdrawal, an_agency, an_arrival

AGENCY = "DINSOS-73.06"
Command = Callable[[Desk, str, str], Awaitable[list[Any]]]


def agency(act: Callable[..., Any], *, routed: bool = False, **values: Any) -> Command:
    return lambda desk, assignment_id, _: by_agency(desk, AGENCY, act, Answer(assignment_id, **values), routed=routed)


def supervisor(act: Callable[..., Any], item: Callable[[Desk, str], Any], *, routed: bool = True) -> Command:
    return lambda desk, _, referral_id: by_supervisor(desk, act, item(desk, referral_id), routed=routed)


async def accept(desk: Desk, assignment_id: str, _: str) -> list[Any]:
    return await desk.answer("accept", AGENCY, Answer(assignment_id))


async def close(desk: Desk, _: str, referral_id: str) -> list[Any]:
    return await desk.close(Closing(referral_id, "PERSON_LEFT"))


async def reopen(desk: Desk, _: str, referral_id: str) -> list[Any]:
    return await desk.reopen(Reopening(referral_id, "NEED_REMAINS"))


async def ask_again(desk: Desk, _: str, referral_id: str) -> list[Any]:
    try:
        async with desk.database.work(PEOPLE["supervisor"], purpose="supervise") as work:
            await supervising.ask_again(work, referral_id, agency_id=None, routing=desk.routing)
    except Refused as refused:
        return [refused]
    return []


async def waitlist(desk: Desk, assignment_id: str, _: str) -> list[Any]:
    answer = Answer(assignment_id, until=later(desk))
    return await by_agency(desk, AGENCY, answering.waitlist_assignments, answer, routed=True)


async def go_on(desk: Desk, _: str, __: str) -> list[Any]:
    await turn(clocks.resume(desk.database, desk.routing))
    return []


async def chase(desk: Desk, _: str, __: str) -> list[Any]:
    await desk.chase()
    return []


SPOKEN = count(10)
"""What is said of a case comes in an order, and nothing twice."""


def said(what: Callable[..., Any], **values: Any) -> Command:
    """What the person says of offices of the state, as it is heard."""

    async def hear(desk: Desk, _: str, referral_id: str) -> list[Any]:
        [row] = await desk.rows("SELECT case_id::text FROM referrals WHERE referral_id = $1", referral_id)
        async with desk.database.work(system("referral", "consumer"), purpose="hear") as work:
            heard = what(row["case_id"], to="state", seq=next(SPOKEN), **values)
            await consenting.hear_consents(work, [heard], routing=desk.routing)
        return []

    return hear


async def sign_refusal(desk: Desk, assignment_id: str, _: str) -> list[Any]:
    now = desk.clock.now()
    signed = Signed("PNL/1", "self", "village", "73.06", "id", ("help_offered", "what_follows"), now, now)
    async with desk.database.work(an_agency(AGENCY), purpose="serve") as work:
        return await refusing.record_refusals(work, [Answer(assignment_id)], signed=signed)


def later(desk: Desk) -> Any:
    return desk.clock.now() + timedelta(days=2)


COMMANDS: dict[str, Command] = {
    "acknowledge": agency(answering.acknowledge_assignments, routed=True),
    "accept": accept,
    "undo": agency(answering.undo_acceptances),
    "decline": agency(answering.decline_assignments, routed=True, reason="no_capacity"),
    "ask the port": agency(asking.ask_port, routed=True, question="company"),
    "forward": agency(passing.forward_assignments, routed=True, reason="outside_region", agency_id="DINSOS-32.04"),
    "transfer": agency(passing.transfer_assignments, routed=True, agency_id="DINSOS-32.04"),
    "start": agency(answering.start_services),
    "complete": agency(answering.complete_assignments, outcome="SERVICE_DELIVERED"),
    "fail": agency(answering.fail_assignments, routed=True, outcome="NO_CAPACITY"),
    "recall": supervisor(steering.recall_assignments, lambda _, id_: Recall(id_, "NEW_FACTS")),
    "find wrong": supervisor(steering.note_errors, lambda _, id_: Error(id_, 1)),
    "hold": supervisor(steering.hold_needs, lambda d, id_: Hold(id_, "IN_HOSPITAL", later(d)), routed=False),
    "close": close,
    "reopen": reopen,
    "ask again": ask_again,
    "waitlist": waitlist,
    "resume": supervisor(steering.resume_needs, lambda _, id_: Resumption(id_)),
    "go on": go_on,
    "chase": chase,
    "consent": said(a_consent),
    "refuse": said(a_consent, given=False),
    "withdraw": said(a_withdrawal),
    "sign a refusal": sign_refusal,
}
FIRST: dict[str, Command] = {
    "give up": agency(answering.fail_assignments, routed=True, outcome="COULD_NOT_CONTACT"),
    "close as failed": lambda desk, _, id_: desk.close(Closing(id_, "NO_CAPACITY")),
}
PAIRS = list(combinations_with_replacement(COMMANDS, 2))
WHOLE = os.environ.get("HYPOTHESIS_PROFILE") == "soak"

BROKEN = """
SELECT referral_id FROM referrals r LEFT JOIN assignments a USING (referral_id) GROUP BY referral_id
HAVING count(*) FILTER (WHERE a.state IN ('accepted', 'in_progress')) > 1
    OR count(*) FILTER (WHERE a.state IN ('sent', 'delivered', 'acknowledged', 'waitlisted')) > 1
    OR ((r.ended_at IS NOT NULL OR r.state = 'on_hold')
        AND count(*) FILTER (WHERE a.ended_at IS NULL AND a.attempt IS NOT NULL) > 0)
    OR (r.state = 'open' AND count(*) FILTER (WHERE a.ended_at IS NULL) = 0 AND NOT EXISTS (
        SELECT FROM escalations e WHERE e.referral_id = r.referral_id AND e.closed_at IS NULL))
"""


BEFORE = {
    "asked": (),
    "accepted": ("accept",),
    "held": ("hold",),
    "before a person": ("accept", "give up"),
    "given up": ("close as failed",),
    "consent withdrawn": ("withdraw",),
}
"""What happened to the need before."""


@pytest.mark.parametrize("state", BEFORE)
async def test_of_two_at_once_nobody_is_lost_and_nobody_wins_twice(desk: Desk, state: str) -> None:
    seed = random.randrange(10**6)
    pairs = PAIRS if WHOLE else random.Random(seed).sample(PAIRS, 15)
    for first, second in pairs:
        arrival = an_arrival("ELDER")
        await desk.open(arrival)
        await desk.rows("UPDATE pauses SET lifted_at = until, lifted_by = 'test' WHERE lifted_at IS NULL RETURNING 1")
        [row] = await desk.rows(
            "UPDATE assignments a SET agency_id = $2 FROM referrals r WHERE r.referral_id = a.referral_id"
            " AND r.case_id = $1 RETURNING a.assignment_id::text, r.referral_id::text",
            arrival.case_id,
            AGENCY,
        )
        for step in BEFORE[state]:
            await {**COMMANDS, **FIRST}[step](desk, *row)
        desk.clock.advance(timedelta(days=2) if state == "held" else timedelta())

        results = await asyncio.gather(COMMANDS[first](desk, *row), COMMANDS[second](desk, *row))

        said = f"seed {seed}: {first} and {second} when {state}"
        assert not await desk.rows(BROKEN), said
        for result in (one for some in results for one in some):
            assert not isinstance(result, Exception) or isinstance(result, Refused), said


class TestComplaints:
    """Each named after what users of other systems complain about."""

    async def test_the_sender_does_not_recall_what_the_receiver_has_accepted(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        of = (await desk.live(), await desk.referral())
        await COMMANDS["accept"](desk, *of)

        [refused] = await COMMANDS["recall"](desk, *of)

        assert isinstance(refused, Refused)
        assert await desk.attempts() == [(1, AGENCY, "accepted")]

    async def test_a_decline_for_want_of_room_passes_the_agency_over_next_time(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        await COMMANDS["decline"](desk, await desk.live(), await desk.referral())
        desk.clock.advance(timedelta(seconds=3))

        await desk.open(an_arrival("ELDER"))

        [row] = await desk.rows("SELECT agency_id FROM assignments ORDER BY sent_at DESC, assignment_id DESC LIMIT 1")
        assert row["agency_id"] != AGENCY

    async def test_handing_on_moves_the_need_only_when_it_is_taken(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        of = (await desk.live(), await desk.referral())
        await COMMANDS["accept"](desk, *of)
        await COMMANDS["transfer"](desk, *of)
        assert [state for _, _, state in await desk.attempts()] == ["accepted", "sent"]
        [second] = await desk.rows("SELECT assignment_id::text FROM assignments WHERE attempt = 2")

        await desk.answer("accept", "DINSOS-32.04", Answer(second["assignment_id"]))

        assert [state for _, _, state in await desk.attempts()] == ["transferred", "accepted"]
        assert (await desk.told())[-2:] == ["assignment_transferred", "assignment_accepted"]

    async def test_a_question_pauses_the_time_and_comes_before_a_supervisor_when_nobody_answers(
        self, desk: Desk
    ) -> None:
        await desk.open(an_arrival("ELDER"))
        of = (await desk.live(), await desk.referral())
        await COMMANDS["ask the port"](desk, *of)
        desk.clock.advance(timedelta(hours=4))

        await desk.chase()

        [row] = await desk.rows(
            "SELECT state, answer_left, answer_due_at > $1 AS runs FROM assignments", later(desk) - timedelta(days=2)
        )
        assert tuple(row) == ("acknowledged", None, True)
        [escalation] = await desk.rows("SELECT reason FROM escalations WHERE closed_at IS NULL")
        assert escalation["reason"] == "question_unanswered"


class TestWithdrawalAndAcceptance:
    """At once, in transactions of their own: whoever is first, both sides know the same end."""

    async def test_never_leave_anybody_helping_without_a_ground(self, desk: Desk) -> None:
        ends = set()
        for _ in range(12):
            arrival = an_arrival("ELDER")
            await desk.open(arrival)
            [row] = await desk.rows(
                "SELECT a.assignment_id::text, r.referral_id::text FROM assignments a JOIN referrals r"
                " USING (referral_id) WHERE r.case_id = $1",
                arrival.case_id,
            )

            [accepted], _ = await asyncio.gather(COMMANDS["accept"](desk, *row), COMMANDS["withdraw"](desk, *row))

            [now] = await desk.rows(
                "SELECT a.state, r.state AS need FROM assignments a JOIN referrals r USING (referral_id)"
                " WHERE a.assignment_id = $1",
                row["assignment_id"],
            )
            assert now["need"] == "consent_withdrawn"
            assert now["state"] == ("recalled" if isinstance(accepted, Refused) else "cancelled_by_sender")
            ends.add(now["state"])
            confirmations = await desk.rows("SELECT FROM cancellations WHERE assignment_id = $1", row["assignment_id"])
            assert len(confirmations) == (now["state"] == "cancelled_by_sender")
        assert ends

    async def test_release_the_place_that_was_taken(self, desk: Desk) -> None:
        office = "DINSOS-73.06"
        async with desk.database.work(an_agency(office), purpose="publish") as work:
            await leasing.publish_places(work, [Place(office, "F", "any", False, 1, 0, later(desk))])
        desk.clock.advance(timedelta(seconds=3))
        arrival = an_arrival("NOFAM")
        await desk.open(arrival)
        [row] = await desk.rows("SELECT assignment_id::text, referral_id::text, place FROM assignments")
        assert row["place"] is not None

        await COMMANDS["withdraw"](desk, row["assignment_id"], row["referral_id"])

        [places] = await desk.rows("SELECT taken FROM places WHERE agency_id = $1", office)
        assert places["taken"] == 0
