"""The same key answers the same, once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI, Request
from starlette.responses import Response

from shared.kit import web
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.refusal import Refusal

Post = Callable[..., Awaitable[httpx2.Response]]


class Full(Refusal):
    status = 409
    code = "full"


class Effects:
    """Counts what was really done, and can be told to refuse or to take its time."""

    def __init__(self) -> None:
        self.count = 0
        self.refuse = False
        self.slow_s = 0.0


@pytest.fixture
def effects() -> Effects:
    return Effects()


@pytest_asyncio.fixture
async def post(database: Database, effects: Effects) -> AsyncIterator[Post]:
    app = FastAPI()
    web.install(app)

    @app.post("/api/things")
    async def post_thing(request: Request, actor: str = "sari") -> Response:
        async def act() -> Response:
            effects.count += 1
            await asyncio.sleep(effects.slow_s)
            if effects.refuse:
                raise Full
            return web.json_response({"number": effects.count}, 201)

        who = Actor(actor, "X", frozenset())
        key = await web.key_of(request)
        async with database.work(who, purpose="test") as work:
            return await web.idempotent(request, work, key, act)

    @app.post("/{language:language}/things")
    async def post_form(request: Request, language: str) -> Response:
        async def act() -> Response:
            effects.count += 1
            return web.redirect(request, f"/things/{effects.count}", said="Copied")

        async with database.work(Actor("sari", "X", frozenset()), purpose="test") as work:
            return await web.idempotent(request, work, await web.key_of(request), act)

    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://here") as client:

        async def send(path: str = "/api/things", *, key: str = "k", **options: Any) -> httpx2.Response:
            headers = {} if "data" in options else {"Idempotency-Key": key}
            return await client.post(path, headers=headers, **options)

        yield send


class TestIdempotent:
    async def test_answers_the_first_answer_again(self, post: Post, effects: Effects) -> None:
        first = await post(json={"a": 1})
        again = await post(json={"a": 1})

        assert (first.status_code, first.json()) == (201, {"number": 1})
        assert "idempotent-replay" not in first.headers
        assert (again.status_code, again.json()) == (201, {"number": 1})
        assert again.headers["idempotent-replay"] == "true"
        assert effects.count == 1

    async def test_refuses_another_content_under_the_same_key(self, post: Post, effects: Effects) -> None:
        await post(json={"a": 1})
        other = await post(json={"a": 2})

        assert other.status_code == 422
        assert other.json()["code"] == "idempotency_key_reused"
        assert effects.count == 1

    async def test_keeps_actors_and_keys_apart(self, post: Post, effects: Effects) -> None:
        await post(json={"a": 1})
        await post("/api/things?actor=budi", json={"a": 1})
        await post(json={"a": 1}, key="other")

        assert effects.count == 3

    async def test_lets_one_of_many_at_once_act(self, post: Post, effects: Effects) -> None:
        effects.slow_s = 0.05

        answers = await asyncio.gather(*(post(json={"a": 1}) for _ in range(6)))

        assert effects.count == 1
        assert {answer.json()["number"] for answer in answers} == {1}
        assert sorted(answer.headers.get("idempotent-replay", "false") for answer in answers) == [
            "false",
            *["true"] * 5,
        ]

    async def test_does_not_keep_a_refusal(self, post: Post, effects: Effects) -> None:
        effects.refuse = True
        refused = await post(json={"a": 1})
        effects.refuse = False
        then = await post(json={"a": 1})

        assert refused.status_code == 409
        assert then.json() == {"number": 2}

    async def test_repeats_the_redirect_of_a_form(self, post: Post, effects: Effects) -> None:
        form = {"idempotency_key": "form-1", "name": "x"}
        first = await post("/id/things", data=form)
        again = await post("/id/things", data=form)

        assert first.status_code == again.status_code == 303
        assert first.headers["location"] == again.headers["location"]
        assert first.headers["location"].startswith("/id/things/1?said=")
        assert effects.count == 1
