"""What falls due: notices to be sent, notices to be given up, counts to be forgotten."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from services.notify import store
from services.notify.actions import deliveries, notices
from services.notify.actions.attempts import Channels, attempt
from services.notify.domain import circuits, consents
from services.notify.domain.circuits import IN_FLIGHT_EACH, Circuit
from services.notify.domain.deliveries import LEASE, SEND_MARGIN, Answer, Claimed, verdict
from shared.kit import telemetry
from shared.kit.actor import system
from shared.kit.crash import crash_point
from shared.kit.database import TRANSIENT, Database
from shared.kit.lane import Lane

log = structlog.get_logger()

CLOCK = system("notify", "clock")
IDLE_S = 0.1
ASKED_EVERY = timedelta(seconds=1)

TRUSTED_PLACES = 40
PATIENT_PLACES = 24
"""POSTs on the wire at once, in all. Servers that fail, are slow or are not known yet share the second set, so
however many of them there are, the first set stays free for the others."""
TRUSTED_AHEAD = 512
PATIENT_AHEAD = 96
"""What may be in hand at once. For the patient: what their places can send while the leases last, also when each takes
its longest. For the trusted, whose notices go back when their server stops answering: what keeps the places busy."""
SUBSCRIPTIONS_PER_CLAIM = 64


@dataclass(slots=True)
class Hand:
    """One subscriber's notices in a courier's hand, and how its server has answered since there were any."""

    circuit: Circuit
    held: int = 0
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(IN_FLIGHT_EACH))
    _stale_until: datetime | None = None

    def saw(self, claimed: Claimed, answer: Answer, *, now: datetime) -> None:
        """Learn from an answer whether the server wants more of what was claimed before it."""
        if not claimed.replayed:
            self.circuit = circuits.after(self.circuit, [answer], now=now)
        if self.circuit.open_until is not None or verdict(answer) == "gone":
            self._stale_until = now + LEASE

    def is_stale(self, claimed: Claimed) -> bool:
        """True for what was claimed before the server wanted no more."""
        return self._stale_until is not None and claimed.lease_until <= self._stale_until


class Courier:
    """Carries notices that are due: claims, sends, records. Any number of processes may run one.

    What is claimed is in hand until its lease ends; what is not sent by then, or must not be sent now, goes back to
    the queue. A courier that dies with notices in hand leaves them to the next one, which sends them under the same
    ids.
    """

    def __init__(self, database: Database, channels: Channels, *, trusted: bool) -> None:
        self._database = database
        self._channels = channels
        self._trusted = trusted
        self._places = asyncio.Semaphore(TRUSTED_PLACES if trusted else PATIENT_PLACES)
        self._ahead = TRUSTED_AHEAD if trusted else PATIENT_AHEAD
        self._hands: dict[str, Hand] = {}
        self._stopped: frozenset[tuple[str, str, str]] = frozenset()
        self._restricted: frozenset[tuple[str, str]] = frozenset()
        self._addresses: dict[str, str] = {}
        self._asked_at: datetime | None = None
        self._in_hand: set[asyncio.Task[None]] = set()
        self._settling: Lane[tuple[Claimed, Answer | None], None] = Lane(self._settle)

    async def turn(self) -> int:
        """Claim what is due and start carrying it, or wait a moment for something to do; answers 1 (never idle)."""
        since = self._database.written.times
        await self._ask_what_is_stopped()
        room = self._ahead - len(self._in_hand)
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

    async def _ask_what_is_stopped(self) -> None:
        """Learn, each second, of which cases and to whom nothing more may be sent, or elsewhere, though it is in hand.

        Who has not asked for longer than a lease first ends what somebody may have had in hand who died: nobody may
        have swept meanwhile either.
        """
        now = self._database.clock.now()
        if self._asked_at is not None and now - self._asked_at < ASKED_EVERY:
            return
        if self._asked_at is None or now - self._asked_at > LEASE:
            while await suppress_ever(self._database):
                pass
        async with self._database.work(CLOCK, purpose="deliver") as work:
            self._stopped = frozenset(await store.stops.list_stopped_since(work, now - 2 * LEASE))
            self._restricted = frozenset(await store.restrictions.list_since(work, now - 2 * LEASE))
            self._addresses = await store.subscriptions.list_addresses(work, list(self._hands))
        self._asked_at = now

    async def _may_send(self, claimed: Claimed) -> bool:
        """False for what may not be sent any more, or not there; it goes back."""
        claimed_at = claimed.lease_until - LEASE
        asked_since = self._asked_at is not None and claimed_at < self._asked_at
        if asked_since and self._addresses.get(claimed.subscription_id) != claimed.url:
            return False
        if claimed.need is None or claimed.event_type in consents.TOLD_ANYHOW:
            return True
        if (claimed.case_id, claimed.need) in self._restricted:
            return False
        about = (claimed.case_id, consents.recipient_class(claimed.organisation))
        if self._stopped.isdisjoint({(*about, claimed.need), (*about, consents.ALL_NEEDS)}):
            return True
        async with self._database.work(CLOCK, purpose="deliver") as work:
            return not await store.stops.is_stopped(work, *about, claimed.need)

    async def _claim(self, limit: int) -> list[Claimed]:
        async with self._database.work(CLOCK, purpose="deliver") as work:
            claimed = await deliveries.claim_deliveries(
                work, trusted=self._trusted, subscriptions=SUBSCRIPTIONS_PER_CLAIM, limit=limit
            )
        if claimed:
            crash_point("notify.after_claim")
        return claimed

    async def _carry(self, claimed: Claimed) -> None:
        hand = self._hands.setdefault(claimed.subscription_id, Hand(Circuit(claimed.subscription_id)))
        hand.held += 1
        try:
            answer = await self._send(claimed, hand)
            await self._settling.put((claimed, answer))
        except TRANSIENT as error:
            log.warning("attempt_not_recorded", delivery_id=claimed.delivery_id, error=type(error).__name__)
        except Exception as error:
            log.error("attempt_failed", delivery_id=claimed.delivery_id, error=type(error).__name__)
        finally:
            hand.held -= 1
            if not hand.held:
                del self._hands[claimed.subscription_id]

    async def _send(self, claimed: Claimed, hand: Hand) -> Answer | None:
        """Send when it is this notice's turn; None when it must not be sent any more."""
        async with hand.places:
            if hand.is_stale(claimed):
                return None
            async with self._places:
                if (
                    hand.is_stale(claimed)
                    or not await self._may_send(claimed)
                    or self._database.clock.now() + SEND_MARGIN > claimed.lease_until
                ):
                    return None
                with telemetry.span("notify.send", parent=claimed.traceparent):
                    traced = replace(claimed, traceparent=telemetry.traceparent())
                    answer = await attempt(self._channels, traced, now=self._database.clock.now())
            hand.saw(claimed, answer, now=self._database.clock.now())
            return answer

    async def _settle(self, tried: Sequence[tuple[Claimed, Answer | None]]) -> list[None]:
        await settle(
            self._database,
            [(claimed, answer) for claimed, answer in tried if answer is not None],
            unsent=[claimed for claimed, answer in tried if answer is None],
        )
        return [None] * len(tried)


async def settle(
    database: Database, tried: Sequence[tuple[Claimed, Answer]], *, unsent: Sequence[Claimed] = ()
) -> None:
    """Record attempts, and put back what was not sent, in one transaction."""
    async with database.work(CLOCK, purpose="deliver") as work:
        if tried:
            await deliveries.settle_deliveries(work, tried)
        if unsent:
            await deliveries.put_back_deliveries(work, unsent)


async def give_up_deliveries(database: Database) -> int:
    """Hand what waited too long to a person."""
    async with database.work(CLOCK, purpose="give_up") as work:
        return await deliveries.give_up_deliveries(work)


async def suppress_deliveries(database: Database) -> int:
    """End what waits for subscriptions that were ended, and what is not to be told any more."""
    async with database.work(CLOCK, purpose="suppress") as work:
        return await deliveries.suppress_deliveries(work)


async def suppress_ever(database: Database) -> int:
    """End what waits and is not to be told any more, however long ago that was said."""
    async with database.work(CLOCK, purpose="suppress") as work:
        return await deliveries.suppress_stopped(work, ever=True) + await deliveries.suppress_restricted(
            work, ever=True
        )


async def forget_counts(database: Database) -> int:
    """Remove counts that no question asks for any more; once an hour is often enough."""
    async with database.work(CLOCK, purpose="forget") as work:
        await notices.forget_old_counts(work)
    return 0
