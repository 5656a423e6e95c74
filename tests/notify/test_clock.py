"""Notices that are due are carried: isolation, ids, leases, retries, dead letters."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from standardwebhooks import Webhook

from services.notify import clock as notify_clock
from services.notify import store
from services.notify.actions import deliveries, subscriptions
from services.notify.clock import Courier
from services.notify.domain.deliveries import LEASE, SEND_MARGIN
from services.notify.gateways import webhook
from shared.kit.actor import system
from shared.kit.clock import FixedClock, SystemClock
from shared.kit.database import Database
from tests.notify.conftest import NGO, SEAL, Carried, a_channel
from tests.notify.factories import a_fact, a_subscription, an_answer, hear
from tests.notify.receiver import Receiver

Subscribe = Callable[..., Awaitable[str]]
CLOCK = system("notify", "clock")


async def statuses(database: Database) -> list[str]:
    rows = await database.fetch("SELECT status FROM deliveries ORDER BY delivery_id")
    return [row["status"] for row in rows]


async def facts_of(database: Database, *types: str) -> list[dict[str, object]]:
    rows = await database.fetch("SELECT type, payload FROM journal WHERE type = ANY($1) ORDER BY position", list(types))
    return [json.loads(row["payload"])["data"] for row in rows]


class TestCourier:
    async def test_delivers_what_was_heard(
        self, database: Database, receiver: Receiver, subscribe: Subscribe, carried: Carried
    ) -> None:
        await subscribe("/ok")
        fact = a_fact()
        await hear(database, fact)

        assert await carried() == 1

        [received] = receiver.received
        assert await statuses(database) == ["delivered"]
        assert json.loads(received.body)["data"]["case_id"] == fact.case_id
        [row] = await database.fetch("SELECT delivery_id::text, body FROM deliveries")
        assert received.headers["webhook-id"] == row["delivery_id"]
        assert received.body == row["body"]
        [delivered] = await facts_of(database, "notify.notice_delivered.v1")
        assert delivered["attempt"] == 1

    async def test_a_retry_sends_the_same_id_and_the_same_body(
        self, database: Database, receiver: Receiver, subscribe: Subscribe, carried: Carried, clock: FixedClock
    ) -> None:
        receiver.answers["/flaky"] = [500, 503, 500]
        receiver.retry_after = ""
        await subscribe("/flaky")
        await hear(database, a_fact())

        for _ in range(6):
            await carried()
            clock.advance(timedelta(minutes=13))

        assert len(receiver.received) == 4
        assert len({one.headers["webhook-id"] for one in receiver.received}) == 1
        assert len({one.body for one in receiver.received}) == 1
        assert len({one.headers["webhook-timestamp"] for one in receiver.received}) == 4
        assert await statuses(database) == ["delivered"]
        numbers = await database.fetch("SELECT number, status FROM attempts ORDER BY number")
        assert [tuple(row) for row in numbers] == [(1, 500), (2, 503), (3, 500), (4, 204)]

    async def test_one_dead_subscriber_delays_no_other(
        self, database: Database, receiver: Receiver, subscribe: Subscribe
    ) -> None:
        database.clock = SystemClock()
        healthy = await subscribe("/ok")
        for _ in range(6):
            await subscribe("/silent")
        await hear(database, *[a_fact() for _ in range(30)])

        async with a_channel(receiver) as channel:
            couriers = [Courier(database, {"webhook": channel}, trusted=trusted) for trusted in (True, False)]
            turning = [asyncio.create_task(_for_ever(courier)) for courier in couriers]
            try:
                async with asyncio.timeout(5):
                    while await _delivered(database, healthy) < 30:
                        await asyncio.sleep(0.02)
            finally:
                for task in turning:
                    task.cancel()
                for courier in couriers:
                    for in_hand in set(courier._in_hand):
                        in_hand.cancel()

        assert len(receiver.at("/ok")) == 30

    async def test_at_most_four_notices_are_on_the_wire_to_one_subscriber(
        self, database: Database, receiver: Receiver, subscribe: Subscribe, carried: Carried
    ) -> None:
        await subscribe("/slow/0.05")
        await hear(database, *[a_fact() for _ in range(40)])

        assert await carried() == 40

        assert receiver.most_at_once == 4

    async def test_a_lease_that_ran_out_is_sent_again_under_its_old_id(
        self, database: Database, receiver: Receiver, subscribe: Subscribe, carried: Carried, clock: FixedClock
    ) -> None:
        await subscribe("/ok")
        await hear(database, a_fact())
        async with database.work(CLOCK, purpose="deliver") as work:
            [claimed] = await deliveries.claim_deliveries(work, trusted=False, subscriptions=10, limit=10)

        while_leased = await carried()
        clock.advance(timedelta(seconds=61))
        after_lease = await carried()

        assert (while_leased, after_lease) == (0, 1)
        assert receiver.received[0].headers["webhook-id"] == claimed.delivery_id

    async def test_a_holder_who_comes_back_late_changes_nothing(
        self, database: Database, receiver: Receiver, subscribe: Subscribe, carried: Carried, clock: FixedClock
    ) -> None:
        await subscribe("/ok")
        await hear(database, a_fact())
        async with database.work(CLOCK, purpose="deliver") as work:
            [claimed] = await deliveries.claim_deliveries(work, trusted=False, subscriptions=10, limit=10)
        clock.advance(timedelta(seconds=61))
        await carried()

        async with a_channel(receiver) as channel:
            late = await channel.send(claimed, now=clock.now())
        await notify_clock.settle(database, [(claimed, late)])

        assert await database.pool.fetchval("SELECT count(*) FROM attempts") == 1
        assert len(await facts_of(database, "notify.notice_delivered.v1")) == 1

    async def test_a_holder_who_comes_back_late_together_with_the_next_one_is_told_of_once(
        self, database: Database, subscribe: Subscribe, clock: FixedClock
    ) -> None:
        await subscribe("/ok")
        await hear(database, a_fact())
        tried = []
        for _ in range(2):
            async with database.work(CLOCK, purpose="deliver") as work:
                [claimed] = await deliveries.claim_deliveries(work, trusted=False, subscriptions=10, limit=10)
            tried.append((claimed, an_answer(204)))
            clock.advance(timedelta(seconds=61))

        await notify_clock.settle(database, tried)

        assert await database.pool.fetchval("SELECT count(*) FROM attempts") == 1
        assert len(await facts_of(database, "notify.notice_delivered.v1")) == 1

    @pytest.mark.parametrize(
        ("path", "retry_after", "at_most"), [("/status/500", "", 8), ("/status/429", "120", 4), ("/status/410", "", 4)]
    )
    async def test_what_was_claimed_ahead_goes_back_when_the_server_wants_no_more(
        self,
        database: Database,
        receiver: Receiver,
        subscribe: Subscribe,
        path: str,
        retry_after: str,
        at_most: int,
    ) -> None:
        receiver.retry_after = retry_after
        await subscribe(path)
        await database.pool.execute("UPDATE circuits SET trusted = TRUE, claim_window = 128")
        await hear(database, *[a_fact() for _ in range(60)])

        async with a_channel(receiver) as channel:
            courier = Courier(database, {"webhook": channel}, trusted=True)
            await courier.turn()
            await courier.drain()

        assert len(receiver.received) <= at_most
        waiting = await database.pool.fetchval(
            "SELECT count(*) FROM deliveries WHERE status = 'queued' AND lease_until IS NULL AND attempts = 0"
        )
        assert waiting == 60 - len(receiver.received)

    async def test_what_went_back_is_sent_when_the_server_is_well_again(
        self, database: Database, receiver: Receiver, subscribe: Subscribe, carried: Carried, clock: FixedClock
    ) -> None:
        receiver.retry_after = ""
        receiver.answers["/ill"] = [500] * 8
        await subscribe("/ill")
        await database.pool.execute("UPDATE circuits SET trusted = TRUE, claim_window = 128")
        await hear(database, *[a_fact() for _ in range(60)])

        await carried()
        for _ in range(4):
            clock.advance(timedelta(minutes=11))
            await carried()

        assert set(await statuses(database)) == {"delivered"}
        assert len({one.headers["webhook-id"] for one in receiver.received}) == 60

    async def test_a_claim_too_old_to_send_safely_goes_back_to_the_queue(
        self, database: Database, receiver: Receiver, subscribe: Subscribe, clock: FixedClock
    ) -> None:
        await subscribe("/ok")
        await hear(database, a_fact())
        async with a_channel(receiver) as channel:
            courier = Courier(database, {"webhook": channel}, trusted=False)
            await courier.turn()
            clock.advance(timedelta(seconds=50))
            await courier.drain()

        assert receiver.received == []
        assert await statuses(database) == ["queued"]

    async def test_two_couriers_never_exceed_a_subscribers_window(
        self, database: Database, subscribe: Subscribe
    ) -> None:
        await subscribe("/ok")
        await hear(database, *[a_fact() for _ in range(20)])

        async def claim() -> int:
            async with database.work(CLOCK, purpose="deliver") as work:
                return len(await deliveries.claim_deliveries(work, trusted=False, subscriptions=10, limit=100))

        assert sum(await asyncio.gather(*[claim() for _ in range(4)])) == 4
        assert await claim() == 0

    async def test_a_claim_takes_turns(self, database: Database, subscribe: Subscribe) -> None:
        for path, province in (("/a", "53"), ("/b", "73"), ("/c", "35")):
            await subscribe(path, provinces=frozenset({province}))
            await hear(database, *[a_fact(province=province) for _ in range(10)])

        async with database.work(CLOCK, purpose="deliver") as work:
            claimed = await deliveries.claim_deliveries(work, trusted=False, subscriptions=10, limit=6)

        assert sorted([c.url.rpartition("/")[2] for c in claimed]) == ["a", "a", "b", "b", "c", "c"]

    async def test_turns_go_on_where_the_last_claim_ended(
        self, database: Database, subscribe: Subscribe, clock: FixedClock
    ) -> None:
        for path, province in (("/a", "53"), ("/b", "73"), ("/c", "35")):
            await subscribe(path, provinces=frozenset({province}))
            await hear(database, *[a_fact(province=province) for _ in range(10)])

        taken: list[str] = []
        for _ in range(3):
            clock.advance(timedelta(seconds=1))
            async with database.work(CLOCK, purpose="deliver") as work:
                claimed = await deliveries.claim_deliveries(work, trusted=False, subscriptions=10, limit=2)
            taken += [c.url.rpartition("/")[2] for c in claimed]

        assert sorted(taken) == ["a", "a", "b", "b", "c", "c"]

    async def test_who_has_as_much_in_hand_as_may_be_stands_in_nobodys_way(
        self, database: Database, subscribe: Subscribe, clock: FixedClock
    ) -> None:
        async def claim() -> list[str]:
            clock.advance(timedelta(seconds=1))
            async with database.work(CLOCK, purpose="deliver") as work:
                claimed = await deliveries.claim_deliveries(work, trusted=False, subscriptions=1, limit=10)
            return [c.url.rpartition("/")[2] for c in claimed]

        await subscribe("/full", provinces=frozenset({"53"}))
        await hear(database, *[a_fact(province="53") for _ in range(10)])
        assert await claim() == ["full"] * 4
        await subscribe("/other", provinces=frozenset({"73"}))
        await hear(database, a_fact(province="73"))
        assert await claim() == ["other"]
        await hear(database, a_fact(province="73"))

        assert [*await claim(), *await claim()] == ["other"]

    def test_what_is_in_hand_can_be_sent_within_its_lease_however_slow_the_servers_are(self) -> None:
        one_attempt = webhook.LONGEST_ATTEMPT_S
        until_all_are_sent = notify_clock.PATIENT_AHEAD / notify_clock.PATIENT_PLACES * one_attempt

        assert SEND_MARGIN.total_seconds() > one_attempt
        assert until_all_are_sent <= (LEASE - SEND_MARGIN).total_seconds()

    async def test_a_courier_takes_no_more_ahead_than_it_can_send_in_time(
        self, database: Database, receiver: Receiver, subscribe: Subscribe
    ) -> None:
        for _ in range(30):
            await subscribe("/ok")
        await hear(database, *[a_fact() for _ in range(5)])

        async with a_channel(receiver) as channel:
            courier = Courier(database, {"webhook": channel}, trusted=False)
            await courier.turn()
            in_hand = len(courier._in_hand)
            await courier.drain()

        assert in_hand == notify_clock.PATIENT_AHEAD

    async def test_a_claimer_waits_for_no_other(self, database: Database, subscribe: Subscribe) -> None:
        await subscribe("/ok")
        await hear(database, *[a_fact() for _ in range(8)])

        async with asyncio.timeout(5), database.work(CLOCK, purpose="deliver") as one:
            first = await deliveries.claim_deliveries(one, trusted=False, subscriptions=10, limit=10)
            async with database.work(CLOCK, purpose="deliver") as two:
                second = await deliveries.claim_deliveries(two, trusted=False, subscriptions=10, limit=10)

        assert (len(first), len(second)) == (4, 0)


class TestTroubles:
    async def test_other_client_errors_are_not_tried_blindly(
        self, database: Database, subscribe: Subscribe, carried: Carried, clock: FixedClock
    ) -> None:
        await subscribe("/status/400")
        await hear(database, a_fact())

        await carried()
        clock.advance(timedelta(days=2))

        assert await carried() == 0
        assert await statuses(database) == ["dead_lettered"]
        [task] = await database.fetch("SELECT kind, delivery_id FROM tasks WHERE closed_at IS NULL")
        assert task["kind"] == "dead_letter"
        assert len(await facts_of(database, "notify.notice_dead_lettered.v1")) == 1

    async def test_410_pauses_the_subscription_and_keeps_the_notice(
        self, database: Database, receiver: Receiver, subscribe: Subscribe, carried: Carried
    ) -> None:
        receiver.answers["/gone"] = [410]
        subscription_id = await subscribe("/gone")
        await hear(database, a_fact())

        await carried()
        assert await carried() == 0

        [row] = await database.fetch("SELECT status, paused_because FROM subscriptions")
        assert tuple(row) == ("paused", "gone")
        assert (await facts_of(database, "notify.subscription_paused.v1"))[0]["reason"] == "gone"
        assert await database.pool.fetchval("SELECT count(*) FROM tasks WHERE kind = 'subscriber_gone'") == 1

        async with database.work(NGO, purpose="resume") as work:
            await subscriptions.resume_subscription(work, subscription_id)
        assert await carried() == 1
        assert await statuses(database) == ["delivered"]

    async def test_retry_after_is_honoured(
        self, database: Database, receiver: Receiver, subscribe: Subscribe, carried: Carried, clock: FixedClock
    ) -> None:
        receiver.answers["/busy"] = [429]
        receiver.retry_after = "120"
        await subscribe("/busy")
        await hear(database, a_fact())
        await carried()

        clock.advance(timedelta(seconds=119))
        early = await carried()
        clock.advance(timedelta(seconds=2))

        assert (early, await carried()) == (0, 1)

    async def test_five_days_of_errors_end_as_a_task_and_nothing_is_dropped(
        self, database: Database, receiver: Receiver, subscribe: Subscribe, carried: Carried, clock: FixedClock
    ) -> None:
        receiver.retry_after = ""
        await subscribe("/status/500")
        await hear(database, a_fact())
        started = clock.now()

        for _ in range(40):
            await carried()
            [row] = await database.fetch("SELECT status, next_attempt_at FROM deliveries")
            if row["status"] == "dead_lettered":
                break
            clock.advance(max(row["next_attempt_at"] - clock.now(), timedelta(minutes=11)))

        assert await statuses(database) == ["dead_lettered"]
        assert clock.now() - started >= timedelta(hours=75)
        assert 12 <= len(receiver.received) <= 14
        assert len({one.headers["webhook-id"] for one in receiver.received}) == 1
        assert await database.pool.fetchval("SELECT count(*) FROM tasks WHERE closed_at IS NULL") == 1

    async def test_a_dead_server_is_probed_ever_more_slowly(
        self, database: Database, receiver: Receiver, subscribe: Subscribe, carried: Carried, clock: FixedClock
    ) -> None:
        receiver.retry_after = ""
        await subscribe("/status/500")
        await hear(database, *[a_fact() for _ in range(50)])
        for _ in range(3):
            await carried()

        before = len(receiver.received)
        clock.advance(timedelta(minutes=10, seconds=1))
        await carried()

        assert before < 50
        assert len(receiver.received) - before == 1

    async def test_what_waited_too_long_behind_a_dead_server_becomes_a_task(
        self, database: Database, subscribe: Subscribe, clock: FixedClock
    ) -> None:
        await subscribe("/status/500")
        await hear(database, *[a_fact() for _ in range(3)])
        clock.advance(timedelta(hours=121))

        assert await notify_clock.give_up_deliveries(database) == 3
        assert await notify_clock.give_up_deliveries(database) == 0

        assert await statuses(database) == ["dead_lettered"] * 3
        assert await database.pool.fetchval("SELECT count(*) FROM tasks WHERE closed_at IS NULL") == 3

    async def test_what_never_got_its_turn_says_what_its_server_kept_answering(
        self, database: Database, receiver: Receiver, subscribe: Subscribe, carried: Carried, clock: FixedClock
    ) -> None:
        receiver.retry_after = ""
        await subscribe("/status/500")
        await hear(database, *[a_fact() for _ in range(20)])
        await carried()
        clock.advance(timedelta(hours=121))

        await notify_clock.give_up_deliveries(database)

        troubles = await database.fetch("SELECT DISTINCT trouble FROM deliveries WHERE attempts = 0")
        assert [row["trouble"] for row in troubles] == ["server_error"]

    async def test_an_ended_subscription_suppresses_what_waits(
        self, database: Database, subscribe: Subscribe, carried: Carried
    ) -> None:
        subscription_id = await subscribe("/ok")
        await hear(database, a_fact())
        async with database.work(NGO, purpose="end") as work:
            await subscriptions.end_subscription(work, subscription_id)

        assert await notify_clock.suppress_deliveries(database) == 1

        assert await carried() == 0
        assert await statuses(database) == ["suppressed"]
        assert len(await facts_of(database, "notify.notice_suppressed.v1")) == 1

    async def test_what_is_refused_after_the_end_is_nobodys_task(
        self, database: Database, subscribe: Subscribe
    ) -> None:
        subscription_id = await subscribe("/ok")
        await hear(database, a_fact(), a_fact())
        async with database.work(CLOCK, purpose="deliver") as work:
            claimed = await deliveries.claim_deliveries(work, trusted=False, subscriptions=10, limit=10)
        async with database.work(NGO, purpose="end") as work:
            await subscriptions.end_subscription(work, subscription_id)

        answers = [an_answer(status, trouble="client_error") for status in (400, 410)]
        await notify_clock.settle(database, list(zip(claimed, answers, strict=True)))

        assert await database.pool.fetchval("SELECT count(*) FROM tasks WHERE closed_at IS NULL") == 0

    async def test_what_a_dead_courier_had_in_hand_is_ended_as_well(
        self, database: Database, subscribe: Subscribe, clock: FixedClock
    ) -> None:
        subscription_id = await subscribe("/ok")
        await hear(database, a_fact())
        async with database.work(CLOCK, purpose="deliver") as work:
            await deliveries.claim_deliveries(work, trusted=False, subscriptions=10, limit=10)
        async with database.work(NGO, purpose="end") as work:
            await subscriptions.end_subscription(work, subscription_id)

        while_leased = await notify_clock.suppress_deliveries(database)
        clock.advance(timedelta(seconds=61))

        assert (while_leased, await notify_clock.suppress_deliveries(database)) == (0, 1)
        assert await statuses(database) == ["suppressed"]

    async def test_a_paused_subscription_keeps_what_comes(
        self, database: Database, subscribe: Subscribe, carried: Carried
    ) -> None:
        subscription_id = await subscribe("/ok")
        async with database.work(NGO, purpose="pause") as work:
            await subscriptions.pause_subscription(work, subscription_id)
        await hear(database, a_fact())

        while_paused = await carried()
        async with database.work(NGO, purpose="resume") as work:
            await subscriptions.resume_subscription(work, subscription_id)

        assert (while_paused, await carried()) == (0, 1)

    @pytest.mark.parametrize("path", ["/ok", "/gone"])
    async def test_what_a_pause_of_six_days_held_back_is_sent_when_it_is_resumed(
        self,
        database: Database,
        receiver: Receiver,
        subscribe: Subscribe,
        carried: Carried,
        clock: FixedClock,
        path: str,
    ) -> None:
        receiver.answers["/gone"] = [410]
        subscription_id = await subscribe(path)
        if path == "/gone":
            await hear(database, a_fact())
            await carried()
        else:
            async with database.work(NGO, purpose="pause") as work:
                await subscriptions.pause_subscription(work, subscription_id)
        await hear(database, a_fact(), a_fact())
        clock.advance(timedelta(days=6))
        assert await store.deliveries.count_overdue(database) == 0

        async with database.work(NGO, purpose="resume") as work:
            await subscriptions.resume_subscription(work, subscription_id)
        clock.advance(timedelta(minutes=1))
        assert await store.deliveries.count_overdue(database) > 0
        given_up = await notify_clock.give_up_deliveries(database)
        await carried()

        assert given_up == 0
        assert set(await statuses(database)) == {"delivered"}

    async def test_what_was_held_back_is_tried_for_as_long_as_anything_new(
        self, database: Database, receiver: Receiver, subscribe: Subscribe, carried: Carried, clock: FixedClock
    ) -> None:
        receiver.answers["/flaky"] = [500] * 6
        subscription_id = await subscribe("/flaky")
        await hear(database, a_fact())
        for _ in range(5):
            await carried()
            clock.advance(timedelta(minutes=40))
        async with database.work(NGO, purpose="pause") as work:
            await subscriptions.pause_subscription(work, subscription_id)
        clock.advance(timedelta(days=6))
        async with database.work(NGO, purpose="resume") as work:
            await subscriptions.resume_subscription(work, subscription_id)

        await carried()
        clock.advance(timedelta(seconds=7))
        await carried()

        assert len(receiver.received) == 7
        assert await statuses(database) == ["delivered"]


class TestReplay:
    async def test_keeps_the_id_closes_the_task_and_leaves_the_circuit_alone(
        self, database: Database, receiver: Receiver, subscribe: Subscribe, carried: Carried
    ) -> None:
        receiver.answers["/picky"] = [400]
        subscription_id = await subscribe("/picky")
        await hear(database, a_fact())
        await carried()
        [row] = await database.fetch("SELECT delivery_id::text FROM deliveries")

        async with database.work(NGO, purpose="replay") as work:
            await deliveries.replay_delivery(work, row["delivery_id"])
        await carried()

        assert [one.headers["webhook-id"] for one in receiver.received] == [row["delivery_id"]] * 2
        assert await statuses(database) == ["delivered"]
        assert await database.pool.fetchval("SELECT closed_because FROM tasks") == "replayed"
        async with database.work(NGO, purpose="look") as work:
            circuit = (await store.subscriptions.lock_circuits(work, [subscription_id]))[subscription_id]
        assert circuit.consecutive_failures == 1

    async def test_signatures_verify_with_the_library_of_the_standard(
        self, database: Database, receiver: Receiver, carried: Carried
    ) -> None:
        database.clock = SystemClock()
        secret = "whsec_" + "QUJD" * 11
        original = SEAL.close
        subscription_id = await a_subscription(database, actor=NGO, url=f"{receiver.url}/ok", seal=SEAL)
        await database.pool.execute("UPDATE subscriptions SET secret = $1", original(subscription_id, secret))
        await hear(database, a_fact())

        await carried()

        [received] = receiver.received
        assert Webhook(secret).verify(received.body, received.headers)["type"] == "referral.referral_opened.v1"
        with pytest.raises(Exception, match="No matching signature"):
            Webhook(secret).verify(received.body + b" ", received.headers)


async def _for_ever(courier: Courier) -> None:
    while True:
        await courier.turn()


async def _delivered(database: Database, subscription_id: str) -> int:
    return int(
        await database.pool.fetchval(
            "SELECT count(*) FROM deliveries WHERE subscription_id = $1 AND status = 'delivered'", subscription_id
        )
    )
