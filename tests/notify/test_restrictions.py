"""Once only the case team may know of a need, nothing about it is sent, shown or sent again."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import orjson
import pytest

from services.notify import clock as clocks
from services.notify.actions import deliveries
from services.notify.clock import Courier
from services.notify.domain.refusals import DeliveryUnknown, NotToldAnyMore
from shared.contracts.referral import referrals
from shared.kit.clock import FixedClock
from shared.kit.database import Database
from tests.notify.conftest import NGO, Browser, Carried, a_channel
from tests.notify.factories import a_fact, hear
from tests.notify.receiver import Receiver
from tests.notify.test_consents import CASE, a_withdrawal, obey

Subscribe = Callable[..., Awaitable[str]]
Sites = Callable[[str], Browser]


async def restrict(database: Database, restricted: bool = True) -> None:
    """The person was found to be a child, or not to be one."""
    fact = {"changed": ("age",), "routed_again": False, "regency": "53.01", "rules_version": "1"}
    await hear(database, a_fact(referrals.ReferralCorrected, case_id=CASE, restricted=restricted, **fact))


async def standing(database: Database) -> list[tuple[str, str | None]]:
    rows = await database.fetch("SELECT status, suppressed_because FROM deliveries ORDER BY delivery_id")
    return [(row["status"], row["suppressed_because"]) for row in rows]


@pytest.mark.invariant("I185")
async def test_what_waits_is_ended_and_written_down_as_such_and_what_is_about_another_need_goes_on(
    database: Database, subscribe: Subscribe, carried: Carried, clock: FixedClock, receiver: Receiver
) -> None:
    await subscribe("/status/503")
    await subscribe("/ok", needs=frozenset({"WAGE"}))
    await hear(database, a_fact(case_id=CASE), a_fact(case_id=CASE, need="WAGE"), a_fact())
    await carried()
    tried = len(receiver.at("/status/503"))

    await restrict(database)

    assert sorted(await standing(database), key=str) == [
        ("delivered", None),
        ("retry_wait", None),
        ("retry_wait", None),
        ("suppressed", "restricted"),
    ]
    told = await database.fetch("SELECT payload FROM journal WHERE type = 'notify.notice_suppressed.v1'")
    assert [orjson.loads(row["payload"])["data"]["reason"] for row in told] == ["restricted"]
    clock.advance(timedelta(minutes=2))
    await carried()
    assert len(receiver.at("/status/503")) == tried + 2


@pytest.mark.invariant("I185")
async def test_nor_is_sent_what_a_courier_has_in_hand(
    database: Database, subscribe: Subscribe, clock: FixedClock, receiver: Receiver
) -> None:
    await subscribe()
    await hear(database, a_fact(case_id=CASE))
    async with a_channel(receiver) as channel:
        courier = Courier(database, {"webhook": channel}, trusted=False)
        async with database.work(clocks.CLOCK, purpose="deliver") as work:
            [claimed] = await deliveries.claim_deliveries(work, trusted=False, subscriptions=1, limit=1)
        await courier.turn()
        await restrict(database)
        clock.advance(timedelta(seconds=1))
        await courier.turn()
        await courier._carry(claimed)

    await clocks.suppress_deliveries(database)

    assert receiver.received == []
    assert await standing(database) == [("suppressed", "restricted")]


async def test_nor_what_somebody_had_in_hand_who_died_though_nobody_swept_for_hours(
    database: Database, subscribe: Subscribe, carried: Carried, clock: FixedClock, receiver: Receiver
) -> None:
    await subscribe()
    await hear(database, a_fact(case_id=CASE))
    async with database.work(clocks.CLOCK, purpose="deliver") as work:
        assert await deliveries.claim_deliveries(work, trusted=False, subscriptions=1, limit=1)
    await restrict(database)
    clock.advance(timedelta(hours=3))

    await carried()

    assert receiver.received == []
    assert await standing(database) == [("suppressed", "restricted")]


async def test_nobody_sends_again_what_was_sent_before_until_it_is_restricted_no_more(
    database: Database, subscribe: Subscribe, carried: Carried, receiver: Receiver
) -> None:
    await subscribe()
    await hear(database, a_fact(case_id=CASE))
    await carried()
    [row] = await database.fetch("SELECT delivery_id::text FROM deliveries")

    async def send_again() -> None:
        async with database.work(NGO, purpose="replay") as work:
            await deliveries.replay_delivery(work, row["delivery_id"])

    await restrict(database)
    with pytest.raises(NotToldAnyMore):
        await send_again()
    await restrict(database, False)
    await send_again()
    await carried()

    assert [orjson.loads(one.body)["data"]["state"] for one in receiver.received] == ["opened", "corrected", "opened"]


async def test_of_what_nobody_was_ever_told_nothing_is_kept(database: Database, subscribe: Subscribe) -> None:
    await subscribe()

    await restrict(database)

    assert await database.fetch("SELECT FROM restricted_needs") == []


@pytest.mark.invariant("I185")
@pytest.mark.parametrize("how", ["restricted", "consent_withdrawn"])
async def test_the_log_shows_nobody_what_was_not_to_be_told(
    database: Database, subscribe: Subscribe, site: Sites, how: str
) -> None:
    subscription_id = await subscribe()
    if how == "restricted":
        await hear(database, a_fact(case_id=CASE))
        await restrict(database)
    else:
        await obey(database, a_withdrawal())
        await hear(database, a_fact(case_id=CASE))
    [row] = await database.fetch("SELECT delivery_id::text, suppressed_because FROM deliveries")
    assert row["suppressed_because"] == how

    for who in ("ngo", "operator"):
        log = (await site(who).get(f"/api/subscriptions/{subscription_id}/deliveries")).json()
        found = await site(who).get(f"/api/deliveries/{row['delivery_id']}")

        assert (log["deliveries"], found.status_code) == ([], 404)
    with pytest.raises(DeliveryUnknown):
        async with database.work(NGO, purpose="replay") as work:
            await deliveries.replay_delivery(work, row["delivery_id"])
