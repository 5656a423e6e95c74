"""Once a person has taken a consent back, organisations that are told by consent only hear that, and nothing more."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from services.notify import clock as clocks
from services.notify.actions import deliveries, obeying
from services.notify.domain import consents
from services.notify.domain.refusals import ConsentWithdrawn as TellingStopped
from services.notify.store import stops
from shared.contracts.intake.consents import (
    ConsentExpired,
    ConsentRecorded,
    ConsentWithdrawn,
    LawfulBasisEnded,
    LawfulBasisNamed,
)
from shared.contracts.referral import recipients, referrals
from shared.kit.actor import Actor, system
from shared.kit.clock import FixedClock
from shared.kit.database import Database
from shared.kit.heard import Heard
from shared.kit.ids import new_id
from tests.notify.conftest import NGO, START, Carried
from tests.notify.factories import a_fact, hear, heard
from tests.notify.receiver import Receiver
from tests.waiting import until

Subscribe = Callable[..., Awaitable[str]]
STATE = Actor(id="bp3mi", organisation="BP3MI-53", roles=frozenset({"ngo_system"}), kind="client")
FOREIGN = Actor(id="iom", organisation="INT-IOM", roles=frozenset({"ngo_system"}), kind="client")

CASE = "01900000-0000-7000-8000-000000000001"


def a_withdrawal(case_id: str = CASE, *needs: str, to: str = "civil_society", seq: int = 5, **other: Any) -> Heard[Any]:
    fact = ConsentWithdrawn.model_validate(
        {
            "case_id": case_id,
            "purpose": "help",
            "recipient_class": to,
            "needs": needs,
            "withdrawal_id": new_id(),
            "consent_id": new_id(),
            "withdrawn_by": "self",
            "how": "signed",
            "recipients": (),
            "confirm_by": START,
            **other,
        }
    )
    return replace(heard(fact, at=START), case_seq=seq)


def an_expiry(case_id: str = CASE, seq: int = 5) -> Heard[Any]:
    fact = ConsentExpired.model_validate(
        {
            "case_id": case_id,
            "purpose": "help",
            "recipient_class": "civil_society",
            "expiry_id": new_id(),
            "consent_id": new_id(),
            "recipients": (),
            "confirm_by": START,
        }
    )
    return replace(heard(fact, at=START), case_seq=seq)


def a_consent(case_id: str = CASE, *needs: str, given: bool = True, seq: int = 6) -> Heard[Any]:
    fact = ConsentRecorded.model_validate(
        {
            "case_id": case_id,
            "purpose": "help",
            "recipient_class": "civil_society",
            "needs": needs,
            "consent_id": new_id(),
            "given": given,
            "given_by": "self",
            "how": "signed",
            "language": "id",
            "statement": None if given else new_id(),
        }
    )
    return replace(heard(fact, at=START), case_seq=seq)


async def obey(database: Database, *said: Heard[Any]) -> None:
    async with database.work(system("notify", "consumer"), purpose="hear") as work:
        await obeying.obey(work, said)


async def standing(database: Database) -> list[tuple[str, str, str, str | None]]:
    """Organisation, event, status and why it was not sent, of each notice."""
    rows = await database.fetch(
        "SELECT organisation, event_type, status, suppressed_because FROM deliveries ORDER BY delivery_id"
    )
    return [(r["organisation"], r["event_type"].split(".")[1], r["status"], r["suppressed_because"]) for r in rows]


async def remind(database: Database, *late: Heard[Any]) -> None:
    async with database.work(system("notify", "consumer"), purpose="hear") as work:
        await obeying.remind(work, late)


def late_to_end() -> Heard[Any]:
    late = {"case_id": CASE, "agency_id": NGO.organisation, "confirm_by": START}
    return heard(recipients.WithdrawalOverdue.model_validate({**late, "withdrawal_id": new_id()}), at=START)


def late_to_erase() -> Heard[Any]:
    return heard(recipients.ErasureOverdue(case_id=CASE, agency_id=NGO.organisation, confirm_by=START), at=START)


def late_to_correct() -> Heard[Any]:
    return heard(recipients.CorrectionOverdue(case_id=CASE, agency_id=NGO.organisation, confirm_by=START), at=START)


def a_law(*needs: str, to: str = "civil_society", purpose: str = "help", **other: str) -> Heard[Any]:
    fact = LawfulBasisNamed.model_validate(
        {
            "case_id": CASE, "purpose": purpose, "recipient_class": to, "needs": needs, "basis_id": new_id(),
            "basis": "vital_interest", "reason": "danger_to_life", **other,
        }
    )  # fmt: skip
    return heard(fact, at=START)


def its_end(law: Heard[Any]) -> Heard[Any]:
    fact = LawfulBasisEnded.model_validate(
        {
            "case_id": CASE, "purpose": law.fact.purpose, "recipient_class": law.fact.recipient_class,
            "needs": law.fact.needs, "basis_id": law.fact.basis_id, "reason": "no_longer_needed",
        }
    )  # fmt: skip
    return heard(fact, at=START)


NOT_SENT = ("suppressed", "consent_withdrawn")
HEARD_OR_WAITING = (
    "SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()"
    " WHERE NOT l.granted UNION ALL SELECT FROM deliveries"
)


class TestWithdrawal:
    async def test_ends_what_waits_for_a_retry_and_says_why_in_the_log(
        self, database: Database, subscribe: Subscribe, carried: Carried, clock: FixedClock
    ) -> None:
        await subscribe("/status/503")
        await hear(database, a_fact(case_id=CASE), a_fact())
        await carried()
        assert {status for _, _, status, _ in await standing(database)} == {"retry_wait"}

        await obey(database, a_withdrawal())

        assert [row[2:] for row in await standing(database) if row[1] == "referral_opened"] == [
            NOT_SENT,
            ("retry_wait", None),
        ]
        told = await database.fetch("SELECT payload FROM journal WHERE type = 'notify.notice_suppressed.v1'")
        assert [orjson.loads(row["payload"])["data"]["reason"] for row in told] == ["consent_withdrawn"]
        clock.advance(timedelta(hours=1))
        await carried()
        rows = await database.fetch("SELECT attempts FROM deliveries WHERE status = 'suppressed'")
        assert [row["attempts"] for row in rows] == [1]

    async def test_lets_nothing_new_of_the_case_out(
        self, database: Database, subscribe: Subscribe, carried: Carried, receiver: Receiver
    ) -> None:
        await subscribe()
        await obey(database, a_withdrawal())

        await hear(database, a_fact(case_id=CASE), a_fact(referrals.ReferralFulfilled, case_id=CASE))
        await carried()

        assert [row[2:] for row in await standing(database)] == [NOT_SENT, NOT_SENT]
        assert receiver.received == []

    async def test_is_told_to_whoever_had_been_told_whatever_it_had_asked_to_hear(
        self, database: Database, subscribe: Subscribe, carried: Carried, receiver: Receiver
    ) -> None:
        await subscribe(events=frozenset({"referral.referral_opened.v1"}))
        await subscribe(events=frozenset({"referral.gap_opened.v1"}))
        await hear(database, a_fact(case_id=CASE))
        await carried()

        withdrawal = a_withdrawal()
        await obey(database, withdrawal)
        await obey(database, withdrawal)
        await carried()

        assert [row[1:3] for row in await standing(database)] == [
            ("referral_opened", "delivered"),
            ("consent_withdrawn", "delivered"),
        ]
        body = orjson.loads(receiver.received[-1].body)
        assert (body["type"], body["data"]["state"], body["data"]["case_id"]) == (
            "intake.consent_withdrawn.v1",
            "consent_withdrawn",
            CASE,
        )

    @pytest.mark.invariant("I154")
    async def test_so_does_the_end_of_a_consent(
        self, database: Database, subscribe: Subscribe, carried: Carried, receiver: Receiver
    ) -> None:
        await subscribe()
        await hear(database, a_fact(case_id=CASE))
        await carried()

        await obey(database, an_expiry())
        await hear(database, a_fact(referrals.ReferralFulfilled, case_id=CASE))
        await carried()

        assert [row[1:3] for row in await standing(database)] == [
            ("referral_opened", "delivered"),
            ("consent_expired", "delivered"),
            ("referral_fulfilled", "suppressed"),
        ]
        assert orjson.loads(receiver.received[-1].body)["data"]["state"] == "consent_expired"

    async def test_leaves_offices_of_the_state_their_duty_and_other_classes_alone(
        self, database: Database, subscribe: Subscribe, carried: Carried
    ) -> None:
        for actor in (NGO, STATE, FOREIGN):
            await subscribe(actor=actor)
        await obey(database, a_withdrawal(), a_withdrawal(to="state", seq=6))

        await hear(database, a_fact(case_id=CASE))
        await carried()

        assert {(row[0], row[2]) for row in await standing(database)} == {
            ("SBMI", "suppressed"),
            ("BP3MI-53", "delivered"),
            ("INT-IOM", "delivered"),
        }

    async def test_of_one_need_leaves_the_others(self, database: Database, subscribe: Subscribe) -> None:
        await subscribe()
        await obey(database, a_withdrawal(CASE, "WAGE"))

        await hear(database, a_fact(case_id=CASE, need="WAGE"), a_fact(case_id=CASE, need="NEED"))

        assert [row[2:] for row in await standing(database)] == [NOT_SENT, ("queued", None)]

    async def test_for_another_purpose_changes_nothing(self, database: Database, subscribe: Subscribe) -> None:
        await subscribe()
        await obey(database, a_withdrawal(purpose="prosecution"))

        await hear(database, a_fact(case_id=CASE))

        assert [row[2] for row in await standing(database)] == ["queued"]

    async def test_counts_until_something_later_is_said_in_whatever_order_that_is_heard(
        self, database: Database, subscribe: Subscribe
    ) -> None:
        await subscribe()
        await obey(database, a_consent(seq=6))
        await obey(database, a_withdrawal(seq=5))
        await hear(database, a_fact(case_id=CASE))

        await obey(database, a_consent(given=False, seq=7))
        await hear(database, a_fact(referrals.ReferralFulfilled, case_id=CASE))

        assert [row[2:] for row in await standing(database)] == [NOT_SENT, NOT_SENT]

    async def test_is_obeyed_by_a_courier_that_has_the_notice_in_hand(
        self, database: Database, subscribe: Subscribe, carried: Carried, receiver: Receiver, clock: FixedClock
    ) -> None:
        await subscribe()
        await carried()
        clock.advance(timedelta(seconds=1))
        await hear(database, a_fact(case_id=CASE))
        async with database.work(system("notify", "test"), purpose="test") as work:  # not by the sweep, as in a race
            await stops.keep(work, [stops.Stop(CASE, "civil_society", "*", 1, True)])

        await carried()
        await clocks.suppress_deliveries(database)

        assert receiver.received == []
        assert [row[2:] for row in await standing(database)] == [NOT_SENT]

    async def test_ends_what_somebody_had_in_hand_who_died_though_nobody_swept_for_hours(
        self, database: Database, subscribe: Subscribe, carried: Carried, receiver: Receiver, clock: FixedClock
    ) -> None:
        await subscribe()
        await hear(database, a_fact(case_id=CASE))
        async with database.work(clocks.CLOCK, purpose="deliver") as work:
            assert await deliveries.claim_deliveries(work, trusted=False, subscriptions=1, limit=1)
        await obey(database, a_withdrawal())
        clock.advance(timedelta(hours=3))

        await carried()

        assert receiver.received == []
        assert [row[2:] for row in await standing(database)] == [NOT_SENT]

    async def test_lets_nobody_send_a_notice_again(
        self, database: Database, subscribe: Subscribe, carried: Carried
    ) -> None:
        await subscribe()
        await hear(database, a_fact(case_id=CASE))
        await carried()
        [row] = await database.fetch("SELECT delivery_id::text FROM deliveries")
        await obey(database, a_withdrawal())

        with pytest.raises(TellingStopped):
            async with database.work(NGO, purpose="replay") as work:
                await deliveries.replay_delivery(work, row["delivery_id"])


@pytest.mark.invariant("I188")
class TestWordThatComesLate:
    """What it lets be told is heard of before it is: they come by two topics."""

    @pytest.mark.parametrize("how", ["consent", "law"])
    async def test_lets_out_what_came_of_it_and_nothing_of_the_time_before(
        self, database: Database, subscribe: Subscribe, carried: Carried, receiver: Receiver, how: str
    ) -> None:
        await subscribe()
        await obey(database, a_withdrawal(seq=5))
        await hear(database, a_fact(case_id=CASE))
        word = a_consent(seq=6) if how == "consent" else a_law()
        await hear(database, a_fact(referrals.ReferralFulfilled, case_id=CASE))
        before = await standing(database)

        await obey(database, word)
        await carried()

        assert [row[2:] for row in before] == [NOT_SENT, NOT_SENT]
        assert [row[2:] for row in await standing(database)] == [NOT_SENT, ("delivered", None)]
        assert [orjson.loads(one.body)["data"]["state"] for one in receiver.received] == ["fulfilled"]
        queued = await database.fetch("SELECT FROM journal WHERE type = 'notify.notices_queued.v1'")
        assert len(queued) == 1

    async def test_lets_out_what_is_heard_of_at_the_same_moment(self, database: Database, subscribe: Subscribe) -> None:
        await subscribe()
        await obey(database, a_withdrawal(seq=5))
        word = a_consent(seq=6)

        async with database.work(system("notify", "consumer"), purpose="hear") as work:
            await obeying.obey(work, [word])
            hearing = asyncio.create_task(hear(database, a_fact(referrals.ReferralFulfilled, case_id=CASE)))
            await until(lambda: database.fetch(HEARD_OR_WAITING))
        await hearing

        assert [row[2:] for row in await standing(database)] == [("queued", None)]

    async def test_lets_out_nothing_where_a_later_word_stops_it_or_it_is_about_another_need(
        self, database: Database, subscribe: Subscribe
    ) -> None:
        await subscribe()
        await obey(database, a_withdrawal(seq=5))
        late, of_another = a_consent(seq=6), a_consent(CASE, "WAGE", seq=8)
        await hear(database, a_fact(referrals.ReferralFulfilled, case_id=CASE))

        await obey(database, a_withdrawal(seq=7))
        await obey(database, late, of_another)

        assert {row[2:] for row in await standing(database)} == {NOT_SENT}


@pytest.mark.invariant("I183")
class TestLaw:
    async def test_that_is_named_lets_be_told_whatever_the_person_said_until_it_is_ended(
        self, database: Database, subscribe: Subscribe
    ) -> None:
        await subscribe()
        law = a_law()
        await obey(database, a_withdrawal(), law)
        await hear(database, a_fact(case_id=CASE))
        before = await standing(database)

        await obey(database, its_end(law))
        await hear(database, a_fact(referrals.ReferralFulfilled, case_id=CASE))

        assert [row[2:] for row in before] == [("queued", None)]
        assert [row[2:] for row in await standing(database)] == [NOT_SENT, NOT_SENT]

    @pytest.mark.parametrize(
        "law",
        [
            a_law("SICK"),
            a_law(to="international"),
            a_law(purpose="prosecution"),
            a_law(basis="best_interest", reason="no_guardian"),
        ],
        ids=["need", "class", "purpose", "a_child_of_whom_nothing_is_sent"],
    )
    async def test_for_something_else_lets_nothing_out(
        self, database: Database, subscribe: Subscribe, law: Heard[Any]
    ) -> None:
        await subscribe()
        await obey(database, a_withdrawal(), law)

        await hear(database, a_fact(case_id=CASE))

        assert [row[2:] for row in await standing(database)] == [NOT_SENT]

    @pytest.mark.parametrize("order", [(0, 1), (1, 0), (1, 0, 1), (0, 1, 0)])
    async def test_that_has_ended_decides_nothing_in_whatever_order_and_how_often_that_is_heard(
        self, database: Database, subscribe: Subscribe, order: tuple[int, ...]
    ) -> None:
        await subscribe()
        law = a_law("NEED")
        await obey(database, a_withdrawal())
        for n in order:
            await obey(database, (law, its_end(law))[n])

        await hear(database, a_fact(case_id=CASE))

        assert [row[2:] for row in await standing(database)] == [NOT_SENT]

    async def test_of_two_the_other_goes_on(self, database: Database, subscribe: Subscribe) -> None:
        await subscribe()
        one, other = a_law(), a_law("NEED")
        await obey(database, a_withdrawal(), one, other, its_end(one))

        await hear(database, a_fact(case_id=CASE))

        assert [row[2:] for row in await standing(database)] == [("queued", None)]


class TestLateness:
    """An agency has not confirmed in time what it was to do about its copy of a case."""

    @pytest.mark.parametrize(
        ("late", "event", "state"),
        [
            (late_to_end, "withdrawal_overdue", "ending_unconfirmed"),
            (late_to_erase, "erasure_overdue", "erasure_unconfirmed"),
            (late_to_correct, "correction_overdue", "correction_unconfirmed"),
        ],
    )
    async def test_is_told_to_that_agency_once_whatever_it_had_asked_to_hear_and_to_nobody_else(
        self,
        database: Database,
        subscribe: Subscribe,
        carried: Carried,
        receiver: Receiver,
        late: Callable[[], Heard[Any]],
        event: str,
        state: str,
    ) -> None:
        await subscribe(events=frozenset({"referral.referral_opened.v1"}))
        await subscribe(actor=STATE)
        await subscribe(actor=FOREIGN)
        await hear(database, a_fact(case_id=CASE))
        await carried()
        said = late()

        for _ in range(2):
            await remind(database, said)
        await carried()

        assert [row for row in await standing(database) if row[1] == event] == [
            (NGO.organisation, event, "delivered", None)
        ]
        assert orjson.loads(receiver.received[-1].body)["data"] == {
            "event_id": said.event_id, "case_id": CASE, "need": "NEED", "province": "53", "state": state
        }  # fmt: skip

    @pytest.mark.parametrize("late", [late_to_erase, late_to_correct])
    async def test_of_a_case_that_it_was_never_told_of_says_nothing(
        self, database: Database, subscribe: Subscribe, late: Callable[[], Heard[Any]]
    ) -> None:
        await subscribe(events=frozenset({"referral.gap_opened.v1"}))
        await hear(database, a_fact(case_id=CASE))

        await remind(database, late())

        assert await standing(database) == []

    async def test_with_an_end_is_told_after_a_withdrawal_too_and_with_a_correction_is_not(
        self, database: Database, subscribe: Subscribe, carried: Carried
    ) -> None:
        await subscribe()
        await hear(database, a_fact(case_id=CASE))
        await carried()
        await obey(database, a_withdrawal())
        await carried()

        await remind(database, late_to_end(), late_to_erase(), late_to_correct())
        await carried()

        assert [row[1:] for row in await standing(database)][2:] == [
            ("withdrawal_overdue", "delivered", None),
            ("erasure_overdue", "delivered", None),
            ("correction_overdue", *NOT_SENT),
        ]
        told = await database.fetch("SELECT payload FROM journal WHERE type = 'notify.notice_suppressed.v1'")
        assert [orjson.loads(row["payload"])["data"]["reason"] for row in told] == ["consent_withdrawn"]


@pytest.mark.parametrize(
    ("organisation", "class_"),
    [
        ("SBMI", "civil_society"),
        ("NGO-SBMI", "civil_society"),
        ("CSO-LEGAL", "civil_society"),
        ("INT-IOM", "international"),
        ("BP3MI-53", "state"),
        ("DINSOS-73.06", "state"),
        ("KP2MI", "state"),
    ],
)
def test_who_is_not_known_as_an_office_of_the_state_is_told_by_consent_only(organisation: str, class_: str) -> None:
    assert consents.recipient_class(organisation) == class_
