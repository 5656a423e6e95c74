"""What is heard twice has its effect once; what cannot be digested is left to the inbox."""

from typing import Any

from services.referral.api import REFUSALS
from services.referral.consumers import subscribe
from services.referral.domain import refusals
from shared.kit.actor import system
from shared.kit.heard import Heard
from shared.kit.inbox import Inbox
from tests.referral.conftest import Desk
from tests.referral.factories import an_arrival


async def hear(desk: Desk, *heard: Heard[Any]) -> None:
    """As the inbox hands events over: each has its effect once."""
    inbox = Inbox(desk.database)
    subscribe(inbox, desk.routing)
    async with desk.database.work(system("referral", "consumer"), purpose="hear") as work:
        if first := await work.first_sight_of(inbox.consumer, list(heard)):
            await inbox.handle(work, first)


async def test_a_replayed_event_changes_nothing(desk: Desk) -> None:
    arrivals = [an_arrival("NEED", "ELDER") for _ in range(5)]
    await hear(desk, *arrivals)
    before = await desk.rows("SELECT t::text FROM (SELECT * FROM referrals ORDER BY 1) t")
    told = await desk.told()

    await hear(desk, *arrivals, *arrivals)

    assert await desk.rows("SELECT t::text FROM (SELECT * FROM referrals ORDER BY 1) t") == before
    assert await desk.told() == told


async def test_what_follows_names_what_caused_it(desk: Desk) -> None:
    arrival = an_arrival("NEED")

    await hear(desk, arrival)

    rows = await desk.rows("SELECT payload, case_seq FROM journal ORDER BY position")
    assert [row["case_seq"] for row in rows] == [1, 2]
    assert all(f'"caused_by":"{arrival.event_id}"'.encode() in row["payload"] for row in rows)


def test_every_refusal_has_words_and_a_status() -> None:
    known = {
        kind for kind in vars(refusals).values() if isinstance(kind, type) and kind.__module__ == refusals.__name__
    }
    inside = {refusals.Refused, refusals.IdentityFollows}

    assert known - inside <= REFUSALS.keys()
