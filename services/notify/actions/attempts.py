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


async def finish_test(database: Database, channels: Channels, actor: Actor, claimed: Claimed) -> Answer:
    """Send a test notice that `begin_test` put into the hand, and record what came back; it is never tried again."""
    answer = await attempt(channels, claimed, now=database.clock.now())
    async with database.work(actor, purpose="test") as work:
        await work.as_service()  # the actor began it in the own scope; what came back is recorded as of any notice
        await deliveries.settle_deliveries(work, [(claimed, answer)])
    return answer
