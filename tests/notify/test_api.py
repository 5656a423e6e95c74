"""The JSON API: whole for its owner, empty for a stranger."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, get_args

import pytest
from standardwebhooks import Webhook

from services.notify.api.filters import EventType
from services.notify.domain.subscriptions import EVENTS
from shared.kit.clock import SystemClock
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.notify.conftest import Browser, Carried
from tests.notify.factories import a_fact, hear
from tests.notify.receiver import Receiver

Site = Callable[[str], Browser]


def wanted(receiver: Receiver, path: str = "/ok", **values: Any) -> dict[str, Any]:
    return {"name": "Posko Kupang", "url": f"{receiver.url}{path}", **values}


async def a_subscription(site: Site, receiver: Receiver, path: str = "/ok", **values: Any) -> dict[str, Any]:
    answer = await site("ngo").send("POST", "/api/subscriptions", json=wanted(receiver, path, **values))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_the_events_of_the_api_are_those_that_are_heard() -> None:
    assert set(get_args(EventType)) == EVENTS.keys()


async def test_the_api_describes_itself(site: Site) -> None:
    document = (await site("ngo").get("/api/openapi.json")).json()

    assert "/api/subscriptions/{subscription_id}/deliveries" in document["paths"]
    assert not [path for path in document["paths"] if path.startswith(("/id", "/en", "/{language"))]


class TestSubscriptions:
    async def test_are_made_listed_changed_paused_resumed_and_ended(self, site: Site, receiver: Receiver) -> None:
        made = await a_subscription(site, receiver, needs=["WAGE"], provinces=["53"])
        path = f"/api/subscriptions/{made['subscription_id']}"
        ngo = site("ngo")

        assert made["secret"].startswith("whsec_")
        listed = (await ngo.get("/api/subscriptions")).json()["subscriptions"]
        assert [one["subscription_id"] for one in listed] == [made["subscription_id"]]
        assert "secret" not in listed[0]
        changed = await ngo.send("PUT", path, json=wanted(receiver, "/other", events=["referral.gap_opened.v1"]))
        assert changed.status_code == 200
        assert (await ngo.get(path)).json()["events"] == ["referral.gap_opened.v1"]
        assert (await ngo.send("PUT", f"{path}/status", json={"status": "paused"})).json()["status"] == "paused"
        assert (await ngo.get(path)).json()["paused_because"] == "by_subscriber"
        assert (await ngo.send("PUT", f"{path}/status", json={"status": "active"})).status_code == 200
        assert (await ngo.send("DELETE", path)).status_code == 200
        assert (await ngo.get(path)).json()["status"] == "ended"

    async def test_stay_readable_with_their_evidence_when_they_have_ended(
        self, site: Site, receiver: Receiver, database: Database, carried: Carried
    ) -> None:
        made = await a_subscription(site, receiver, "/status/500")
        await hear(database, a_fact())
        await carried()
        path = f"/api/subscriptions/{made['subscription_id']}"
        ngo = site("ngo")
        await ngo.send("DELETE", path)

        one = (await ngo.get(path)).json()
        [delivery] = (await ngo.get(f"{path}/deliveries")).json()["deliveries"]

        assert one["ended_at"] is not None
        assert delivery["attempts"][0]["response"] == "status 500"
        assert (await ngo.get("/api/subscriptions")).json() == {"subscriptions": []}
        assert (await ngo.get("/api/subscriptions", ended=True)).json()["subscriptions"] == [one]
        assert (await site("stranger").get("/api/subscriptions", ended=True)).json() == {"subscriptions": []}
        assert (await site("stranger").get(path)).status_code == 404

    async def test_that_have_ended_are_listed_page_by_page(self, site: Site, receiver: Receiver) -> None:
        ngo = site("ngo")
        made = [(await a_subscription(site, receiver))["subscription_id"] for _ in range(3)]
        for subscription_id in made:
            await ngo.send("DELETE", f"/api/subscriptions/{subscription_id}")

        first = (await ngo.get("/api/subscriptions", ended=True, limit=2)).json()["subscriptions"]
        before = first[-1]["subscription_id"]
        second = (await ngo.get("/api/subscriptions", ended=True, limit=2, before=before)).json()["subscriptions"]

        assert [one["subscription_id"] for one in [*first, *second]] == made[::-1]

    async def test_that_have_ended_take_no_change(self, site: Site, receiver: Receiver) -> None:
        made = await a_subscription(site, receiver)
        path = f"/api/subscriptions/{made['subscription_id']}"
        ngo = site("ngo")
        await ngo.send("DELETE", path)

        for method, changed, content in (
            ("PUT", path, wanted(receiver)),
            ("PUT", f"{path}/status", {"status": "active"}),
            ("POST", f"{path}/test", None),
            ("DELETE", path, None),
        ):
            answer = await ngo.send(method, changed, json=content)
            assert (answer.status_code, answer.json()["code"]) == (409, "subscription_ended"), (method, changed)
        assert receiver.received == []

    async def test_the_same_key_makes_one_and_answers_the_same(
        self, site: Site, receiver: Receiver, database: Database
    ) -> None:
        answers = [
            await site("ngo").send("POST", "/api/subscriptions", key="one", json=wanted(receiver)) for _ in range(2)
        ]

        assert answers[0].json()["subscription_id"] == answers[1].json()["subscription_id"]
        assert answers[0].json()["secret"] == answers[1].json()["secret"]
        assert await database.pool.fetchval("SELECT count(*) FROM subscriptions") == 1
        kept = await database.pool.fetchval("SELECT body FROM answers")
        assert b"whsec_" not in kept

    async def test_the_same_key_answers_the_same_also_when_it_has_ended(self, site: Site, receiver: Receiver) -> None:
        ngo = site("ngo")
        first = await ngo.send("POST", "/api/subscriptions", key="one", json=wanted(receiver))
        await ngo.send("DELETE", f"/api/subscriptions/{first.json()['subscription_id']}")

        again = await ngo.send("POST", "/api/subscriptions", key="one", json=wanted(receiver))

        assert again.status_code == 201
        assert again.json()["subscription_id"] == first.json()["subscription_id"]
        assert again.json()["status"] == "ended"

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"url": "http://169.254.169.254/"}, "/url"),
            ({"url": "https://localhost/"}, "/url"),
            ({"events": ["intake.arrival_recorded.v1"]}, "/events/0"),
            ({"needs": ["NOPE"]}, "/needs/0"),
            ({"provinces": ["00"]}, "/provinces/0"),
            ({"name": " "}, "/name"),
            ({"name": "Posko\x00"}, "/name"),
            ({"name": "Posko\nKupang"}, "/name"),
            ({"name": "Posko \u202egnapuk"}, "/name"),
            ({"url": "https://example.org/\x00"}, "/url"),
            ({"channel": "pigeon"}, "/channel"),
            ({"extra": 1}, "/extra"),
        ],
    )
    async def test_say_which_field_is_at_fault(
        self, site: Site, receiver: Receiver, values: dict[str, Any], field: str
    ) -> None:
        answer = await site("ngo").send("POST", "/api/subscriptions", json=wanted(receiver) | values)

        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert [error["field"] for error in answer.json()["errors"]] == [field]

    @pytest.mark.parametrize(("actor", "status"), [("worker", 403), ("operator", 403), ("system", 201)])
    async def test_are_made_by_partners_only(self, site: Site, receiver: Receiver, actor: str, status: int) -> None:
        answer = await site(actor).send("POST", "/api/subscriptions", json=wanted(receiver))

        assert answer.status_code == status

    async def test_need_an_idempotency_key(self, site: Site, receiver: Receiver) -> None:
        answer = await site("ngo").send("POST", "/api/subscriptions", key=" ", json=wanted(receiver))

        assert answer.status_code == 400

    async def test_know_how_much_a_filter_would_have_matched(self, site: Site, database: Database) -> None:
        await hear(database, a_fact(need="WAGE"), a_fact(need="WAGE", province="73"), a_fact(need="TIP"))

        everything = await site("ngo").get("/api/matches")
        some = await site("ngo").get("/api/matches", provinces="73", needs=["WAGE", "NEED"])

        assert everything.json() == {"matched": 2, "days": 7}
        assert some.json()["matched"] == 1


class TestStranger:
    async def test_sees_nothing_and_cannot_tell_a_foreign_id_from_a_missing_one(
        self, site: Site, receiver: Receiver, database: Database, carried: Carried
    ) -> None:
        made = await a_subscription(site, receiver, "/status/400")
        await hear(database, a_fact())
        await carried()
        delivery_id = await database.pool.fetchval("SELECT delivery_id::text FROM deliveries")
        task_id = await database.pool.fetchval("SELECT task_id::text FROM tasks")
        stranger = site("stranger")

        assert (await stranger.get("/api/subscriptions")).json() == {"subscriptions": []}
        assert (await stranger.get("/api/tasks")).json() == {"open": 0, "tasks": []}
        for method, template, foreign, content in (
            ("GET", "/api/subscriptions/{}", made["subscription_id"], None),
            ("PUT", "/api/subscriptions/{}", made["subscription_id"], wanted(receiver)),
            ("PUT", "/api/subscriptions/{}/status", made["subscription_id"], {"status": "paused"}),
            ("DELETE", "/api/subscriptions/{}", made["subscription_id"], None),
            ("POST", "/api/subscriptions/{}/test", made["subscription_id"], None),
            ("GET", "/api/subscriptions/{}/deliveries", made["subscription_id"], None),
            ("GET", "/api/deliveries/{}", delivery_id, None),
            ("POST", "/api/deliveries/{}/replay", delivery_id, None),
            ("DELETE", "/api/tasks/{}", task_id, None),
        ):
            answers = [await stranger.send(method, template.format(id_), json=content) for id_ in (foreign, new_id())]
            assert [a.status_code for a in answers] == [404, 404], template
            first, second = ({k: v for k, v in a.json().items() if k != "instance"} for a in answers)
            assert first == second, template
        assert await database.pool.fetchval("SELECT status FROM subscriptions") == "active"

    async def test_agencies_have_no_business_here(self, site: Site) -> None:
        assert (await site("worker").get("/api/subscriptions")).status_code == 403


class TestDeliveries:
    async def test_show_attempts_and_what_came_back(
        self, site: Site, receiver: Receiver, database: Database, carried: Carried
    ) -> None:
        made = await a_subscription(site, receiver, "/status/500")
        await hear(database, a_fact())
        await carried()
        path = f"/api/subscriptions/{made['subscription_id']}/deliveries"

        [listed] = (await site("ngo").get(path)).json()["deliveries"]
        one = (await site("ngo").get(f"/api/deliveries/{listed['delivery_id']}")).json()

        assert (listed["status"], listed["http_status"]) == ("retry_wait", 500)
        assert listed["attempts"][0]["response"] == "status 500"
        assert json.loads(one["body"])["type"] == "referral.referral_opened.v1"
        assert (await site("ngo").get(path, status="delivered")).json()["deliveries"] == []
        assert len((await site("ngo").get(path, event="referral.referral_opened.v1")).json()["deliveries"]) == 1

    @pytest.mark.parametrize("odd", ["a" * 36, "0" * 36, "x", "\x00", "' OR 1=1", ""])
    async def test_a_page_that_is_named_oddly_is_refused_by_its_name(
        self, site: Site, receiver: Receiver, odd: str
    ) -> None:
        made = await a_subscription(site, receiver)
        ngo = site("ngo")

        for path, name in (
            (f"/api/subscriptions/{made['subscription_id']}/deliveries", "before"),
            ("/api/tasks", "after"),
            ("/api/subscriptions", "before"),
        ):
            answer = await ngo.get(path, **{name: odd})
            assert answer.status_code == 422, path
            assert [error["field"] for error in answer.json()["errors"]] == [f"/{name}"]

    async def test_an_operator_sees_that_but_not_what_a_server_said(
        self, site: Site, receiver: Receiver, database: Database, carried: Carried
    ) -> None:
        made = await a_subscription(site, receiver, "/status/500")
        await hear(database, a_fact())
        await carried()
        operator = site("operator")

        [one] = (await operator.get("/api/subscriptions")).json()["subscriptions"]
        path = f"/api/subscriptions/{made['subscription_id']}/deliveries"
        [listed] = (await operator.get(path)).json()["deliveries"]

        assert one["url"] is None
        assert (listed["attempts"][0]["http_status"], listed["attempts"][0]["response"]) == (500, None)

    async def test_a_test_is_real_http_and_shows_the_answer(
        self, site: Site, receiver: Receiver, database: Database
    ) -> None:
        database.clock = SystemClock()
        made = await a_subscription(site, receiver)

        answer = (await site("ngo").send("POST", f"/api/subscriptions/{made['subscription_id']}/test")).json()

        [received] = receiver.received
        assert (answer["delivered"], answer["http_status"]) == (True, 204)
        assert Webhook(made["secret"]).verify(received.body, received.headers)["type"] == "notify.test.v1"
        tested = await database.pool.fetchval(
            "SELECT count(*) FROM journal WHERE type = 'notify.subscription_tested.v1'"
        )
        assert tested == 1

    async def test_a_test_is_sent_once_for_its_key_and_answered_the_same(self, site: Site, receiver: Receiver) -> None:
        made = await a_subscription(site, receiver, "/status/500")
        path = f"/api/subscriptions/{made['subscription_id']}/test"

        first, again = [await site("ngo").send("POST", path, key="one") for _ in range(2)]

        assert len(receiver.received) == 1
        assert again.json() == first.json()
        assert first.json()["response"] == "status 500"
        assert again.headers["idempotent-replay"] == "true"

    async def test_a_test_asked_for_twice_at_once_is_sent_once(self, site: Site, receiver: Receiver) -> None:
        made = await a_subscription(site, receiver, "/slow/0.5")
        path = f"/api/subscriptions/{made['subscription_id']}/test"

        both = await asyncio.gather(*[site("ngo").send("POST", path, key="one") for _ in range(2)])

        assert len(receiver.received) == 1
        assert len({answer.json()["delivery_id"] for answer in both}) == 1
        assert {answer.json()["delivered"] for answer in both} == {True, None}

    async def test_a_test_needs_a_key(self, site: Site, receiver: Receiver) -> None:
        made = await a_subscription(site, receiver)

        answer = await site("ngo").send("POST", f"/api/subscriptions/{made['subscription_id']}/test", key=" ")

        assert answer.status_code == 400
        assert receiver.received == []

    async def test_a_test_that_fails_is_not_repeated(
        self, site: Site, receiver: Receiver, carried: Carried, database: Database
    ) -> None:
        made = await a_subscription(site, receiver, "/status/503")

        answer = (await site("ngo").send("POST", f"/api/subscriptions/{made['subscription_id']}/test")).json()

        assert (answer["delivered"], answer["http_status"], answer["trouble"]) == (False, 503, "throttled")
        assert await carried() == 0
        assert await database.pool.fetchval("SELECT status FROM deliveries") == "expired"

    async def test_a_dead_letter_is_a_task_until_it_is_replayed(
        self, site: Site, receiver: Receiver, database: Database, carried: Carried
    ) -> None:
        receiver.answers["/strict"] = [422]
        await a_subscription(site, receiver, "/strict")
        await hear(database, a_fact())
        await carried()
        ngo = site("ngo")
        tasks = (await ngo.get("/api/tasks")).json()
        delivery_id = tasks["tasks"][0]["delivery_id"]

        replay = await ngo.send("POST", f"/api/deliveries/{delivery_id}/replay")
        await carried()

        assert tasks["open"] == 1
        assert replay.status_code == 202
        assert (await ngo.get("/api/tasks")).json()["open"] == 0
        assert [one.headers["webhook-id"] for one in receiver.received] == [delivery_id] * 2
        assert (await ngo.get(f"/api/deliveries/{delivery_id}")).json()["status"] == "delivered"

    async def test_a_task_is_dismissed_on_the_record(
        self, site: Site, receiver: Receiver, database: Database, carried: Carried
    ) -> None:
        await a_subscription(site, receiver, "/status/400")
        await hear(database, a_fact())
        await carried()
        [task] = (await site("operator").get("/api/tasks")).json()["tasks"]

        answer = await site("operator").send("DELETE", f"/api/tasks/{task['task_id']}")

        assert answer.json()["status"] == "dismissed"
        assert await database.pool.fetchval("SELECT closed_because FROM tasks") == "dismissed"
        assert await database.pool.fetchval("SELECT count(*) FROM journal WHERE type = 'notify.task_dismissed.v1'") == 1
