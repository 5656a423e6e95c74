"""One attempt to tell one subscriber: outside of any transaction, between a claim and its settlement."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from services.notify.actions import deliveries
from services.notify.domain.deliveries import Answer, Claimed
from shared.kit.actor import Actor
from shared.kit.crash import crash_point
from shared.kit.database import Database


class Channel(Protocol):
    """A way to reach a subscriber; one module under `gateways`."""

    async def send(self, claimed: Claimed, *, now: datetime) -> Answer:
        """Send one notice once; never raises for what the other side does."""
        ...


Channels = Mapping[str, Channel]


async def attempt(channels: Channels, claimed: Claimed, *, now: datetime) -> Answer:
    """Send a claimed notice over its channel."""
    crash_point("notify.before_post")
    answer = await channels[claimed.channel].send(claimed, now=now)
    crash_point("notify.after_answer")
    return answer


async def test_subscription(
    database: Database, channels: Channels, actor: Actor, subscription_id: str
) -> tuple[Claimed, Answer]:
    """Send a test notice at once and answer what came back; it is kept in the log and never tried again.

    Raises `SubscriptionUnknown`.
    """
    async with database.work(actor, purpose="test") as work:
        claimed = await deliveries.begin_test(work, subscription_id)
    answer = await attempt(channels, claimed, now=database.clock.now())
    async with database.work(actor, purpose="test") as work:
        await deliveries.settle_deliveries(work, [(claimed, answer)])
    return claimed, answer
