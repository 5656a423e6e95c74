"""What a courier has in hand when somebody decides that it is not to go there any more."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from services.notify.actions import deliveries, subscriptions
from services.notify.clock import CLOCK, Courier
from services.notify.domain.subscriptions import EndpointRules, Filter
from shared.kit.clock import FixedClock
from shared.kit.database import Database
from shared.kit.work import Work
from tests.notify.conftest import NGO, Carried, a_channel
from tests.notify.factories import a_fact, hear
from tests.notify.receiver import Receiver

Subscribe = Callable[..., Awaitable[str]]


async def pause(work: Work, subscription_id: str, receiver: Receiver, rules: EndpointRules) -> None:
    await subscriptions.pause_subscription(work, subscription_id)


async def end(work: Work, subscription_id: str, receiver: Receiver, rules: EndpointRules) -> None:
    await subscriptions.end_subscription(work, subscription_id)


async def readdress(work: Work, subscription_id: str, receiver: Receiver, rules: EndpointRules) -> None:
    await subscriptions.change_subscription(
        work, subscription_id, name="Posko", url=f"{receiver.url}/new", wants=Filter(), rules=rules
    )


@pytest.mark.invariant("I187")
@pytest.mark.parametrize(("decide", "then"), [(pause, []), (end, []), (readdress, ["/new"])])
async def test_is_not_sent_where_it_was_to_go(
    database: Database,
    receiver: Receiver,
    subscribe: Subscribe,
    carried: Carried,
    rules: EndpointRules,
    clock: FixedClock,
    decide: Callable[[Work, str, Receiver, EndpointRules], Awaitable[None]],
    then: list[str],
) -> None:
    subscription_id = await subscribe("/old")
    await hear(database, a_fact())
    async with a_channel(receiver) as channel:
        courier = Courier(database, {"webhook": channel}, trusted=False)
        async with database.work(CLOCK, purpose="deliver") as work:
            [claimed] = await deliveries.claim_deliveries(work, trusted=False, subscriptions=1, limit=1)
        clock.advance(timedelta(seconds=1))
        async with database.work(NGO, purpose="change") as work:
            await decide(work, subscription_id, receiver, rules)

        await courier.turn()
        await courier._carry(claimed)

    assert receiver.received == []
    await carried()
    assert [one.path for one in receiver.received] == then
