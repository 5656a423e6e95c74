"""Whose organisation has no access any more is told nothing, from that second on; nothing is lost by it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from services.notify import clock as clocks
from services.notify import store
from services.notify.actions import deliveries
from services.notify.clock import CLOCK, Courier
from shared.kit.actor import system
from shared.kit.clock import FixedClock
from shared.kit.database import Database
from shared.kit.identity import revocations
from tests.notify.conftest import NGO, STRANGER, Carried, a_channel
from tests.notify.factories import a_fact, hear
from tests.notify.receiver import Receiver

Subscribe = Callable[..., Awaitable[str]]


async def keep_out(database: Database) -> None:
    async with database.work(system("notify", "operator"), purpose="revoke") as work:
        await revocations.revoke(work, scope="organisation", code=NGO.organisation, bars=True, why="misuse")


async def let_in(database: Database) -> None:
    async with database.work(system("notify", "operator"), purpose="restore") as work:
        await revocations.restore(work, scope="organisation", code=NGO.organisation)


async def statuses(database: Database) -> set[str]:
    return {row["status"] for row in await database.fetch("SELECT status FROM deliveries")}


async def test_nothing_is_sent_while_others_are_told(
    database: Database, receiver: Receiver, subscribe: Subscribe, carried: Carried
) -> None:
    await subscribe("/ours")
    await subscribe("/theirs", actor=STRANGER)
    await hear(database, a_fact())
    await keep_out(database)
    await hear(database, a_fact())

    await carried()

    assert receiver.at("/ours") == []
    assert len(receiver.at("/theirs")) == 2


async def test_nor_what_a_courier_has_in_hand(
    database: Database, receiver: Receiver, subscribe: Subscribe, clock: FixedClock
) -> None:
    await subscribe()
    await hear(database, a_fact())
    async with database.work(CLOCK, purpose="deliver") as work:
        [claimed] = await deliveries.claim_deliveries(work, trusted=False, subscriptions=1, limit=1)
    clock.advance(timedelta(seconds=1))
    await keep_out(database)

    async with a_channel(receiver) as channel:
        courier = Courier(database, {"webhook": channel}, trusted=False)
        await courier.turn()
        await courier._carry(claimed)

    assert receiver.received == []
    assert await statuses(database) == {"queued"}


@pytest.mark.parametrize("answers", [[], [500] * 6])
async def test_all_of_it_is_sent_once_access_is_given_back(
    database: Database,
    receiver: Receiver,
    subscribe: Subscribe,
    carried: Carried,
    clock: FixedClock,
    answers: list[int],
) -> None:
    receiver.answers["/ours"] = answers
    await subscribe("/ours")
    await hear(database, a_fact(), a_fact())
    await keep_out(database)
    clock.advance(timedelta(days=6))
    assert await store.deliveries.count_overdue(database) == 0
    assert await clocks.give_up_deliveries(database) == 0

    await let_in(database)
    for _ in range(8):
        clock.advance(timedelta(hours=1))
        assert await clocks.give_up_deliveries(database) == 0
        await carried()

    assert await statuses(database) == {"delivered"}
