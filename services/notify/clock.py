"""What falls due: notices to be sent, notices to be given up, counts to be forgotten."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import structlog

from services.notify.actions import deliveries, notices
from services.notify.actions.attempts import Channels, attempt
from services.notify.domain.circuits import IN_FLIGHT_EACH
from services.notify.domain.deliveries import SEND_MARGIN, Answer, Claimed
from shared.kit import telemetry
from shared.kit.actor import system
from shared.kit.crash import crash_point
from shared.kit.database import TRANSIENT, Database
from shared.kit.lane import Lane

log = structlog.get_logger()

CLOCK = system("notify", "clock")
IDLE_S = 0.1

TRUSTED_PLACES = 40
PATIENT_PLACES = 24
"""POSTs on the wire at once, in all. Servers that fail, are slow or are not known yet share the second set, so
however many of them there are, the first set stays free for the others."""
CLAIMED_AHEAD = 512
SUBSCRIPTIONS_PER_CLAIM = 64


class Courier:
    """Carries notices that are due: claims, sends, records. Any number of processes may run one.

    What is claimed is in hand until its lease ends. A courier that dies with notices in hand leaves them to the
    next one, which sends them under the same ids.
    """

    def __init__(self, database: Database, channels: Channels, *, trusted: bool) -> None:
        self._database = database
        self._channels = channels
        self._trusted = trusted
        self._places = asyncio.Semaphore(TRUSTED_PLACES if trusted else PATIENT_PLACES)
        self._own_places: dict[str, tuple[asyncio.Semaphore, int]] = {}
        self._in_hand: set[asyncio.Task[None]] = set()
        self._settling: Lane[tuple[Claimed, Answer], None] = Lane(self._settle)

    async def turn(self) -> int:
        """Claim what is due and start carrying it, or wait a moment for something to do; answers 1 (never idle)."""
        since = self._database.written.times
        room = CLAIMED_AHEAD - len(self._in_hand)
        claimed = await self._claim(room) if room > 0 else []
        for one in claimed:
            task = asyncio.create_task(self._carry(one))
            self._in_hand.add(task)
            task.add_done_callback(self._in_hand.discard)
        if not claimed:
            await self._database.written.wait(IDLE_S, since=since)
        return 1

    async def drain(self) -> None:
        """Wait until everything in hand is sent and recorded."""
        while self._in_hand:
            await asyncio.wait(set(self._in_hand))

    async def aclose(self) -> None:
        """Give what is in hand a moment to end; the lease returns the rest to the queue."""
        with suppress(TimeoutError):
            async with asyncio.timeout(3):
                await self.drain()
        for task in set(self._in_hand):
            task.cancel()
        await asyncio.gather(*self._in_hand, return_exceptions=True)

    async def _claim(self, limit: int) -> list[Claimed]:
        async with self._database.work(CLOCK, purpose="deliver") as work:
            claimed = await deliveries.claim_deliveries(
                work, trusted=self._trusted, subscriptions=SUBSCRIPTIONS_PER_CLAIM, limit=limit
            )
        if claimed:
            crash_point("notify.after_claim")
        return claimed

    async def _carry(self, claimed: Claimed) -> None:
        own, holders = self._own_places.get(claimed.subscription_id, (asyncio.Semaphore(IN_FLIGHT_EACH), 0))
        self._own_places[claimed.subscription_id] = (own, holders + 1)
        try:
            async with own, self._places:
                if self._database.clock.now() + SEND_MARGIN > claimed.lease_until:
                    return
                with telemetry.span("notify.send", parent=claimed.traceparent):
                    traced = replace(claimed, traceparent=telemetry.traceparent())
                    answer = await attempt(self._channels, traced, now=self._database.clock.now())
            await self._settling.put((claimed, answer))
        except TRANSIENT as error:
            log.warning("attempt_not_recorded", delivery_id=claimed.delivery_id, error=type(error).__name__)
        except Exception as error:
            log.error("attempt_failed", delivery_id=claimed.delivery_id, error=type(error).__name__)
        finally:
            own, holders = self._own_places[claimed.subscription_id]
            if holders == 1:
                del self._own_places[claimed.subscription_id]
            else:
                self._own_places[claimed.subscription_id] = (own, holders - 1)

    async def _settle(self, tried: Sequence[tuple[Claimed, Answer]]) -> list[None]:
        await settle(self._database, tried)
        return [None] * len(tried)


async def settle(database: Database, tried: Sequence[tuple[Claimed, Answer]]) -> None:
    """Record attempts in one transaction."""
    async with database.work(CLOCK, purpose="deliver") as work:
        await deliveries.settle_deliveries(work, tried)


async def give_up_deliveries(database: Database) -> int:
    """Hand what waited too long to a person."""
    async with database.work(CLOCK, purpose="give_up") as work:
        return await deliveries.give_up_deliveries(work)


async def suppress_deliveries(database: Database) -> int:
    """End what waits for subscriptions that were ended."""
    async with database.work(CLOCK, purpose="suppress") as work:
        return await deliveries.suppress_deliveries(work)


async def forget_counts(database: Database) -> int:
    """Remove counts that no question asks for any more; once an hour is often enough."""
    async with database.work(CLOCK, purpose="forget") as work:
        await notices.forget_old_counts(work)
    return 0
