"""Who asks too often is told when to come back; who reads about very many people raises an alarm."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import orjson
import pytest

from shared.kit.ids import new_id
from tests.conftest import DatabaseUrls
from tests.kit.outside_issuer import outside_issuer
from tests.web.served import Served, served

PAGE = {"Accept": "text/html"}

Serve = Callable[..., Any]


@pytest.fixture
async def serve(database_urls: DatabaseUrls) -> AsyncIterator[Serve]:
    """`await serve("referral", rate_person_per_minute=3)` is the application with these settings."""
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(outside_issuer())

        async def start(name: str, **settings: Any) -> Served:
            return await stack.enter_async_context(served(name, database_urls, issuer, **settings))

        yield start


async def ask(site: Served, path: str, who: str = "", *, times: int = 1, **headers: str) -> list[httpx2.Response]:
    """The answers to the same question, asked so often."""
    async with httpx2.AsyncClient(base_url=site.url, headers=site.headers(who) | headers) as client:
        return [await client.get(path) for _ in range(times)]


async def trail(site: Served, type_: str) -> list[dict[str, Any]]:
    rows = await site.database.fetch("SELECT payload FROM journal WHERE type = $1 ORDER BY position", type_)
    return [orjson.loads(row["payload"]) for row in rows]


class TestLimit:
    async def test_of_a_person_is_told_to_programs(self, serve: Serve) -> None:
        site = await serve("referral", rate_person_per_minute=3)

        answers = await ask(site, "/api/inbox", "worker", times=5, **{"Accept-Language": "en"})

        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 20
        assert answers[-1].headers["content-type"] == "application/problem+json"
        assert answers[-1].json()["code"] == "too_many_requests"
        assert "Retry-After" in answers[-1].json()["detail"]

    @pytest.mark.parametrize(("language", "title"), [("id", "Terlalu banyak permintaan"), ("en", "Too many requests")])
    async def test_of_a_person_is_a_page_for_people(self, serve: Serve, language: str, title: str) -> None:
        site = await serve("referral", rate_person_per_minute=1)

        answers = await ask(site, f"/{language}/", "worker", times=2, **PAGE)

        assert [answer.status_code for answer in answers] == [200, 429]
        assert int(answers[1].headers["retry-after"]) >= 1
        assert f"<h1>{title}</h1>" in answers[1].text

    async def test_is_each_ones_own(self, serve: Serve) -> None:
        site = await serve("referral", rate_person_per_minute=1)

        await ask(site, "/api/inbox", "worker", times=2)

        assert (await ask(site, "/api/inbox", "colleague"))[0].status_code == 200

    async def test_stands_once_a_minute_on_the_trail(self, serve: Serve) -> None:
        site = await serve("referral", rate_person_per_minute=1)

        await ask(site, "/api/inbox", "worker", times=9)

        [denied] = await trail(site, "access.access_denied.v1")
        assert denied["actor"] == "wati"
        assert denied["data"]["reason"] == "too_many"
        assert denied["data"]["thing"] == "GET:api/inbox"

    async def test_is_tighter_for_reading_about_people(self, serve: Serve) -> None:
        site = await serve("referral", rate_person_readings_per_minute=2)

        answers = await ask(site, f"/api/assignments/{new_id()}", "worker", times=3)

        assert [answer.status_code for answer in answers] == [404, 404, 429]
        assert (await ask(site, "/api/inbox", "worker"))[0].status_code == 200

    async def test_hinders_no_system_that_writes(self, serve: Serve) -> None:
        site = await serve("intake", rate_person_per_minute=1)

        answers = await ask(site, "/api/voyages", "port", times=50)

        assert {answer.status_code for answer in answers} == {200}

    async def test_can_be_set_for_systems_too(self, serve: Serve) -> None:
        site = await serve("intake", rate_client_per_minute=1)

        assert [a.status_code for a in await ask(site, "/api/voyages", "port", times=2)] == [200, 429]

    async def test_is_by_address_where_nobody_is_signed_in(self, serve: Serve) -> None:
        site = await serve("referral", rate_address_per_minute=2, trusted_proxies="127.0.0.0/8")

        answers = await ask(site, "/masuk/kembali", times=3, **{"X-Forwarded-For": "203.0.113.9"})
        [other] = await ask(site, "/masuk", **{"X-Forwarded-For": "203.0.113.10"})

        assert [answer.status_code for answer in answers] == [400, 400, 429]
        assert other.status_code == 303
        assert [told["data"]["reason"] for told in await trail(site, "access.access_denied.v1")][-1] == "too_many"

    async def test_of_nothing_keeps_nobody_from_the_public_pages(self, serve: Serve) -> None:
        site = await serve("audit", rate_address_per_minute=1)

        answers = await ask(site, "/verifier-key", times=20)

        assert {answer.status_code for answer in answers} == {200}


class TestMassReading:
    async def test_is_an_alarm_at_once_and_refuses_nothing(self, serve: Serve) -> None:
        site = await serve("referral", mass_reading_person_per_hour=5)

        answers = await ask(site, f"/api/assignments/{new_id()}", "worker", times=11)

        assert {answer.status_code for answer in answers} == {404}
        told = await trail(site, "access.mass_reading.v1")
        assert [one["data"]["count"] for one in told] == [5, 10]
        assert {one["data"]["reader"] for one in told} == {"wati"}
        assert told[0]["actor"] == "referral.gate"

    async def test_counts_trails_and_searches_but_no_lists(self, serve: Serve) -> None:
        site = await serve("audit", mass_reading_person_per_hour=4)

        await ask(site, "/api/ledger", "auditor", times=5)
        assert await trail(site, "access.mass_reading.v1") == []
        for path in (
            f"/api/cases/{new_id()}/trail",
            f"/api/cases/{new_id()}/proof",
            "/id/?case=019ab000",
            "/tile/entries/000",
        ):
            await ask(site, path, "auditor")

        [told] = await trail(site, "access.mass_reading.v1")
        assert told["data"] == {**told["data"], "reader": "auditor", "count": 4, "window_s": 3600}

    async def test_counts_who_tries_numbers_to_break_the_glass(self, serve: Serve) -> None:
        site = await serve("referral", mass_reading_person_per_hour=2)

        await ask(site, "/id/darurat", "coordinator", times=2)

        [told] = await trail(site, "access.mass_reading.v1")
        assert told["data"]["count"] == 2

    async def test_is_another_number_for_systems(self, serve: Serve) -> None:
        site = await serve("referral", mass_reading_person_per_hour=1, mass_reading_client_per_hour=0)

        await ask(site, f"/api/assignments/{new_id()}", "agency", times=3)

        assert await trail(site, "access.mass_reading.v1") == []
