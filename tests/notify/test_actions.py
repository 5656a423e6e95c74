"""Facts become notices: matching, restriction, once per fact, a bounded number of statements."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from services.notify import consumers, store
from services.notify.actions import deliveries, notices, subscriptions
from services.notify.actions.notices import Matchers
from services.notify.domain import consents
from services.notify.domain.refusals import (
    DeliveryStillWaiting,
    DeliveryUnknown,
    EndpointRefused,
    NotAllowed,
    SubscriptionUnknown,
    TooManySubscriptions,
)
from services.notify.domain.subscriptions import EVENTS, Filter
from services.notify.gateways import secrets
from shared.contracts import codes
from shared.contracts.fact import Fact
from shared.contracts.intake.consents import LawfulBasisEnded, LawfulBasisNamed
from shared.contracts.referral import assignments, escalations, referrals
from shared.kit.actor import Actor, system
from shared.kit.database import Database
from shared.kit.ids import new_id
from shared.kit.inbox import Inbox
from tests.notify.conftest import NGO, OPERATOR, SEAL, STRANGER
from tests.notify.factories import ANYWHERE, a_fact, a_subscription, hear, heard

Subscribe = Callable[..., Awaitable[str]]
RESTRICTED = sorted(code for code, need in codes.needs().items() if need.restricted)


async def queued(database: Database) -> list[tuple[str, str]]:
    rows = await database.fetch("SELECT subscription_id::text, need FROM deliveries ORDER BY delivery_id")
    return [tuple(row) for row in rows]


WHEN = datetime(2026, 11, 25, tzinfo=UTC)
SINCE: dict[type[Fact], dict[str, Any]] = {
    assignments.AssignmentReminded: {"clock": "decide", "due_at": WHEN},
    assignments.AssignmentWaitlisted: {"review_at": WHEN},
    assignments.QuestionAsked: {"question_id": new_id(), "question": "company", "due_at": WHEN},
    assignments.QuestionAnswered: {"question_id": new_id(), "question": "company", "answer": "alone"},
    assignments.QuestionLapsed: {"question_id": new_id(), "question": "company"},
    assignments.AcceptanceUndone: {},
    assignments.AssignmentTransferred: {"to_assignment_id": new_id(), "to_agency_id": "BP3MI-73"},
    assignments.AssignmentEnteredInError: {},
    referrals.ReferralHeld: {"reason": "IN_HOSPITAL", "until": WHEN},
    referrals.ReferralResumed: {},
    escalations.EscalationTaken: {"reason": "no_candidate_left", "rung": "province", "due_at": WHEN},
    escalations.EscalationRaised: {
        "reason": "no_candidate_left",
        "rung": "province",
        "due_at": WHEN,
        "supervisor": "supervisor-53",
        "came_back": False,
    },
    escalations.GapClosed: {},
    referrals.ReferralCorrected: {"changed": ("origin",), "routed_again": True},
    referrals.ConsentAwaited: {},
    referrals.ConsentObtained: {},
    assignments.CancellationConfirmed: {},
    assignments.CancellationOverdue: {"confirm_by": WHEN},
}
"""What is told of needs that wait, pass on, climb or are corrected, with what each says beside what all say."""


class TestQueueNotices:
    async def test_queues_for_those_who_asked(self, database: Database, subscribe: Subscribe) -> None:
        everything = await subscribe("/a")
        wages = await subscribe("/b", needs=frozenset({"WAGE"}))
        await subscribe("/c", provinces=frozenset({"73"}))
        await subscribe("/d", events=frozenset({"referral.gap_opened.v1"}))

        await hear(database, a_fact(need="WAGE"), a_fact(need="NEED"))

        assert sorted(await queued(database)) == sorted([(everything, "WAGE"), (everything, "NEED"), (wages, "WAGE")])

    @pytest.mark.parametrize("need", RESTRICTED)
    async def test_restricted_needs_are_neither_sent_nor_counted(
        self, database: Database, subscribe: Subscribe, need: str
    ) -> None:
        await subscribe("/all")
        await subscribe("/asked", needs=frozenset({need}))

        await hear(database, a_fact(need=need), a_fact(need=need, restricted=True))

        assert await queued(database) == []
        assert await database.pool.fetchval("SELECT count(*) FROM heard_counts") == 0

    async def test_what_the_sender_calls_restricted_is_not_sent_whatever_the_need(
        self, database: Database, subscribe: Subscribe
    ) -> None:
        await subscribe("/all")

        await hear(database, a_fact(need="NEED", restricted=True))

        assert await queued(database) == []

    @pytest.mark.parametrize("restricted", [False, True])
    async def test_waiting_passing_on_and_climbing_are_told_unless_they_are_the_case_teams(
        self, database: Database, subscribe: Subscribe, restricted: bool
    ) -> None:
        await subscribe("/all")
        case_id = new_id()
        told = [a_fact(kind, case_id=case_id, restricted=restricted, **more) for kind, more in SINCE.items()]

        await hear(database, *told)

        kinds = sorted(row["event_type"] for row in await database.fetch("SELECT event_type FROM deliveries"))
        assert kinds == ([] if restricted else sorted(fact.type for fact in told))

    def test_the_restricted_needs_are_those_of_the_case_team(self) -> None:
        assert {"TIP", "GBV", "UAC", "CHILD", "ATT", "INFECT"} <= set(RESTRICTED)

    async def test_the_notice_says_codes_only(self, database: Database, subscribe: Subscribe) -> None:
        await subscribe("/ok")
        fact = a_fact(assignments.AssignmentAccepted, need="WAGE", province="53")
        await hear(database, fact)

        body = json.loads(await database.pool.fetchval("SELECT body FROM deliveries"))

        assert body.keys() == {"type", "timestamp", "data"}
        assert body["type"] == "referral.assignment_accepted.v1"
        assert body["data"].keys() == {"event_id", "case_id", "need", "province", "state"}
        assert body["data"]["state"] == "accepted"

    async def test_a_fact_heard_twice_is_queued_once(self, database: Database, subscribe: Subscribe) -> None:
        await subscribe("/ok")
        again = heard(a_fact())
        inbox = Inbox(database)
        consumers.subscribe(inbox)

        for _ in range(2):
            async with database.work(system("notify", "consumer"), purpose="hear") as work:
                first = await work.first_sight_of("notify", [again, again])
                await inbox.handle(work, first)

        assert len(await queued(database)) == 1

    async def test_even_without_the_inbox_a_fact_reaches_a_subscription_once(
        self, database: Database, subscribe: Subscribe
    ) -> None:
        await subscribe("/ok")
        once = heard(a_fact())
        inbox = Inbox(database)
        consumers.subscribe(inbox)

        for _ in range(2):
            async with database.work(system("notify", "consumer"), purpose="hear") as work:
                await inbox.handle(work, [once])

        assert len(await queued(database)) == 1
        assert await database.pool.fetchval("SELECT count(*) FROM journal WHERE type = 'notify.notices_queued.v1'") == 1

    async def test_each_notice_is_on_the_trail_with_its_cause(self, database: Database, subscribe: Subscribe) -> None:
        await subscribe("/ok")
        fact = a_fact()
        await hear(database, fact)

        [row] = await database.fetch(
            "SELECT case_id::text, shared, payload FROM journal WHERE type = 'notify.notices_queued.v1'"
        )
        payload = json.loads(row["payload"])

        assert (row["case_id"], row["shared"]) == (fact.case_id, False)
        assert [notice["event_id"] for notice in payload["data"]["notices"]] == [payload["caused_by"]]

    async def test_all_notices_of_a_case_that_come_together_are_one_entry_of_its_trail(
        self, database: Database, subscribe: Subscribe
    ) -> None:
        for path in ("/a", "/b", "/c"):
            await subscribe(path)
        opened = a_fact()
        sent = a_fact(assignments.AssignmentSent, case_id=opened.case_id)
        await hear(database, opened, sent, a_fact())

        rows = await database.fetch(
            "SELECT payload FROM journal WHERE type = 'notify.notices_queued.v1' ORDER BY position"
        )
        told = [json.loads(row["payload"])["data"]["notices"] for row in rows]

        assert [len(notices) for notices in told] == [6, 3]
        deliveries = await database.fetch("SELECT delivery_id::text FROM deliveries")
        assert {n["delivery_id"] for notices in told for n in notices} == {row["delivery_id"] for row in deliveries}

    async def test_a_batch_takes_the_same_few_statements_whatever_its_size(
        self, database: Database, subscribe: Subscribe
    ) -> None:
        for path in ("/a", "/b", "/c"):
            await subscribe(path)
        matchers = Matchers()

        async def statements(size: int) -> int:
            said: list[str] = []
            async with database.work(system("notify", "consumer"), purpose="hear") as work:
                with work.connection.query_logger(lambda record: said.append(record.query)):
                    await notices.queue_notices(work, [heard(a_fact()) for _ in range(size)], matchers)
                    await work.end()
                work._entries.clear()
            return len(said)

        await statements(1)  # the driver asks about types once
        small, large = await statements(1), await statements(299)

        assert small == large <= 5
        assert await database.pool.fetchval("SELECT count(*) FROM deliveries") == 903

    async def test_a_new_subscription_is_matched_from_the_next_batch_on(
        self, database: Database, subscribe: Subscribe
    ) -> None:
        matchers = Matchers()
        await hear(database, a_fact(), matchers=matchers)
        await subscribe("/ok")
        await hear(database, a_fact(), matchers=matchers)

        assert len(await queued(database)) == 1

    def test_every_fact_that_is_told_has_a_state(self, database_urls: object) -> None:
        class Nowhere:
            service = "notify"

        inbox = Inbox(Nowhere())  # type: ignore[arg-type]
        consumers.subscribe(inbox)

        of_law = {LawfulBasisNamed.type, LawfulBasisEnded.type}  # these decide who is told, and are told nobody
        assert inbox.heard_types.keys() == EVENTS.keys() | consents.STATES.keys() | of_law


class TestSubscriptions:
    async def test_only_partner_organisations_subscribe(self, database: Database) -> None:
        with pytest.raises(NotAllowed):
            await a_subscription(database, actor=OPERATOR, url="https://example.org/", seal=SEAL)

    async def test_an_address_inwards_is_refused(self, database: Database) -> None:
        with pytest.raises(EndpointRefused):
            async with database.work(NGO, purpose="test") as work:
                await subscriptions.create_subscription(
                    work,
                    name="x",
                    url="https://169.254.169.254/",
                    wants=Filter(),
                    secret=secrets.new_secret(),
                    seal=SEAL.close,
                    rules=ANYWHERE,
                )

    async def test_an_organisation_has_fifty_at_most(self, database: Database, subscribe: Subscribe) -> None:
        for _ in range(50):
            await subscribe("/ok")

        with pytest.raises(TooManySubscriptions):
            await subscribe("/ok")
        await subscribe("/ok", actor=STRANGER)

    async def test_the_secret_is_stored_sealed(self, database: Database, subscribe: Subscribe) -> None:
        subscription_id = await subscribe("/ok")
        stored = await database.pool.fetchval("SELECT secret FROM subscriptions")

        assert b"whsec_" not in stored
        assert SEAL.open(subscription_id, stored).startswith("whsec_")

    @pytest.mark.parametrize("stranger", [STRANGER, Actor("x", "SBMI-2", frozenset({"ngo_system"}), "client")])
    async def test_anothers_subscription_does_not_exist(
        self, database: Database, subscribe: Subscribe, stranger: Actor
    ) -> None:
        subscription_id = await subscribe("/ok")
        await hear(database, a_fact())
        delivery_id = await database.pool.fetchval("SELECT delivery_id::text FROM deliveries")

        for act in (
            subscriptions.pause_subscription,
            subscriptions.resume_subscription,
            subscriptions.end_subscription,
            deliveries.begin_test,
        ):
            with pytest.raises(SubscriptionUnknown):
                async with database.work(stranger, purpose="test") as work:
                    await act(work, subscription_id)
        for unknown in (delivery_id, new_id()):
            with pytest.raises(DeliveryUnknown):
                async with database.work(stranger, purpose="test") as work:
                    await deliveries.replay_delivery(work, unknown)
        assert await database.pool.fetchval("SELECT status FROM subscriptions") == "active"

    async def test_what_is_on_its_way_is_not_replayed(self, database: Database, subscribe: Subscribe) -> None:
        await subscribe("/ok")
        await hear(database, a_fact())
        delivery_id = await database.pool.fetchval("SELECT delivery_id::text FROM deliveries")

        with pytest.raises(DeliveryStillWaiting):
            async with database.work(NGO, purpose="test") as work:
                await deliveries.replay_delivery(work, delivery_id)

    async def test_who_changes_a_subscription_holds_up_nobody_who_hears(
        self, database: Database, subscribe: Subscribe
    ) -> None:
        subscription_id = await subscribe("/ok")

        async with asyncio.timeout(5), database.work(NGO, purpose="pause") as work:
            await subscriptions.pause_subscription(work, subscription_id)
            await hear(database, a_fact())

        assert len(await queued(database)) == 1

    async def test_pausing_twice_is_one_fact(self, database: Database, subscribe: Subscribe) -> None:
        subscription_id = await subscribe("/ok")
        for _ in range(2):
            async with database.work(NGO, purpose="test") as work:
                await subscriptions.pause_subscription(work, subscription_id)

        told = await database.pool.fetchval("SELECT count(*) FROM journal WHERE type = 'notify.subscription_paused.v1'")
        assert told == 1


class TestSecondWall:
    """What the database itself does not show, were a filter forgotten."""

    async def test_a_stranger_finds_nothing_even_without_a_filter(
        self, database: Database, subscribe: Subscribe
    ) -> None:
        subscription_id = await subscribe("/ok")
        await hear(database, a_fact())

        async with database.work(STRANGER, purpose="look") as work:
            assert await store.subscriptions.lock_subscription(work, subscription_id, scope=None) is None
            assert await store.subscriptions.list_overviews(work, scope=None, since=work.now) == []
            assert await store.deliveries.list_deliveries(work, scope=None, subscription_id=subscription_id) == []

    async def test_an_operator_looks_after_all(self, database: Database, subscribe: Subscribe) -> None:
        subscription_id = await subscribe("/ok")
        await hear(database, a_fact())

        async with database.work(OPERATOR, purpose="look") as work:
            assert len(await store.subscriptions.list_overviews(work, scope=None, since=work.now)) == 1
            assert len(await store.deliveries.list_deliveries(work, scope=None, subscription_id=subscription_id)) == 1
