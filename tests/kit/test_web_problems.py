"""Errors: problem+json for programs, a page for people, a number for bugs."""

from datetime import datetime
from typing import Any, Literal

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from shared.kit import web
from shared.kit.identity import NotSignedIn

PAGE = {"Accept": "text/html,application/xhtml+xml"}
CANARY = "Siti Canary"


class AlreadyAnswered(Exception):
    """A refusal of some domain."""


class Person(BaseModel):
    name: str = Field(max_length=5)
    age: int
    at: datetime
    tags: list[str] = Field(max_length=1)
    sex: Literal["F", "M", "X"] = "X"


def an_app() -> FastAPI:
    app = FastAPI()
    web.install(app, refusals={AlreadyAnswered: (409, "already_answered", "Cancel")})

    @app.post("/api/people")
    async def post_person(person: Person) -> dict[str, str]:
        return {"name": person.name}

    @app.get("/api/people/{number}")
    async def person(number: int) -> int:
        return number

    @app.get("/{kind}/refused")
    async def refused(kind: str) -> None:
        raise AlreadyAnswered

    @app.get("/{kind}/private")
    async def private(kind: str) -> None:
        raise NotSignedIn

    @app.get("/{kind}/bug")
    async def bug(kind: str) -> None:
        raise ValueError(CANARY)

    @app.post("/api/file")
    async def file(request: Request) -> int:
        return len(await request.body())

    @app.get("/{kind}/away")
    async def away(kind: str) -> None:
        raise ConnectionRefusedError

    async def hot(request: Request) -> Response:
        raise web.Invalid([web.FieldProblem("/0/name", "x", "y")])

    app.router.routes.append(Route("/api/hot", hot, methods=["POST"]))
    return app


async def ask(method: str, path: str, **options: Any) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=an_app(), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://here") as client:
        return await client.request(method, path, **options)


class TestApi:
    async def test_answers_problem_json_in_the_language_asked_for(self) -> None:
        answer = await ask("GET", "/api/refused")
        english = await ask("GET", "/api/refused", headers={"Accept-Language": "en"})

        assert answer.status_code == 409
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json() == {
            "type": "urn:rujukan:problem:already_answered",
            "title": "Batal",
            "status": 409,
            "detail": "",
            "instance": f"urn:rujukan:trace:{answer.headers['x-request-id']}",
            "code": "already_answered",
        }
        assert english.json()["title"] == "Cancel"

    async def test_lists_fields_with_message_and_remedy_but_never_the_value(self) -> None:
        body = {"name": CANARY, "age": "x", "at": "yesterday", "tags": ["a", "b"]}

        answer = await ask("POST", "/api/people", json=body, headers={"Accept-Language": "en"})

        assert answer.status_code == 422
        assert answer.json()["errors"] == [
            {"field": "/name", "message": "This is too long.", "remedy": "Give at most 5 characters."},
            {"field": "/age", "message": "This is not a whole number.", "remedy": "Send digits only, for example 42."},
            {
                "field": "/at",
                "message": "This is not a time.",
                "remedy": "Write it like 2026-08-05T14:05:00+08:00.",
            },
            {"field": "/tags", "message": "There are too many entries.", "remedy": "Give at most 1 at once."},
        ]
        assert CANARY not in answer.text

    async def test_says_what_is_wrong_with_broken_json(self) -> None:
        answer = await ask(
            "POST", "/api/people", content=b"{", headers={"Content-Type": "application/json", "Accept-Language": "en"}
        )

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["message"] == "This is not valid JSON."

    async def test_names_the_choices_in_no_language_but_the_one_asked_for(self) -> None:
        body = {"name": "Ani", "age": 3, "at": "2026-08-05T14:05:00+08:00", "tags": [], "sex": "P"}

        answer = await ask("POST", "/api/people", json=body)

        assert answer.json()["errors"] == [
            {
                "field": "/sex",
                "message": "Ini bukan salah satu pilihan.",
                "remedy": "Pilih salah satu: 'F', 'M', 'X'",
            }
        ]

    async def test_answers_for_plain_routes_too(self) -> None:
        answer = await ask("POST", "/api/hot")

        assert answer.json()["errors"] == [{"field": "/0/name", "message": "x", "remedy": "y"}]

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/api/nowhere/at/all", 404),
            ("GET", "/api/people", 405),
            ("GET", "/api/people/not-a-number", 404),
        ],
    )
    async def test_answers_for_the_framework(self, method: str, path: str, status: int) -> None:
        answer = await ask(method, path)

        assert answer.status_code == status
        assert answer.json()["title"]

    async def test_tells_a_bug_by_number_only(self, capsys: pytest.CaptureFixture[str]) -> None:
        answer = await ask("GET", "/api/bug", headers={"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"})

        assert answer.status_code == 500
        assert answer.json()["instance"] == f"urn:rujukan:trace:{'ab' * 16}"
        assert CANARY not in answer.text
        assert answer.headers["content-security-policy"]
        printed = capsys.readouterr()
        assert "ValueError" in printed.out + printed.err
        assert CANARY not in printed.out + printed.err

    async def test_takes_a_connection_that_is_cut_for_no_bug(self, capsys: pytest.CaptureFixture[str]) -> None:
        parts = iter([{"type": "http.request", "body": b"No;Na", "more_body": True}])
        sent: list[Any] = []

        async def receive() -> Any:
            return next(parts, {"type": "http.disconnect"})

        async def send(message: Any) -> None:
            sent.append(message)

        kind = (b"content-type", b"application/json")
        scope = {"type": "http", "method": "POST", "path": "/api/file", "query_string": b"", "headers": [kind]}
        await an_app()(scope, receive, send)

        printed = capsys.readouterr()
        assert sent == []
        assert '"level": "error"' not in printed.out + printed.err
        assert "ClientDisconnect" not in printed.out + printed.err

    async def test_asks_to_try_again_when_a_neighbour_is_away(self) -> None:
        answer = await ask("GET", "/api/away")

        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "2"

    async def test_does_not_send_programs_to_sign_in(self) -> None:
        answer = await ask("GET", "/api/private", headers=PAGE)

        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


class TestPage:
    async def test_shows_a_page_with_the_trace_number(self) -> None:
        answer = await ask("GET", "/id/bug", headers=PAGE)

        assert answer.status_code == 500
        assert answer.headers["content-type"].startswith("text/html")
        assert "Terjadi kesalahan di pihak kami" in answer.text
        assert answer.headers["x-request-id"] in answer.text
        assert CANARY not in answer.text

    async def test_shows_refusals_in_the_language_of_the_path(self) -> None:
        assert "<h1>Batal</h1>" in (await ask("GET", "/id/refused", headers=PAGE)).text
        assert "<h1>Cancel</h1>" in (await ask("GET", "/en/refused", headers=PAGE)).text

    async def test_sends_to_sign_in_and_back(self) -> None:
        answer = await ask("GET", "/id/private?tab=new", headers=PAGE)

        assert answer.status_code == 303
        assert answer.headers["location"] == "/masuk?next=/id/private%3Ftab%3Dnew"


async def test_json_answers_of_models_dates_and_sets() -> None:
    class Thing(BaseModel):
        at: datetime

    answer = web.json_response([Thing(at=datetime.fromisoformat("2026-08-05T06:05:00+00:00")), frozenset({"b", "a"})])

    assert isinstance(answer, Response)
    assert not isinstance(answer, PlainTextResponse)
    assert bytes(answer.body) == b'[{"at":"2026-08-05T06:05:00Z"},["a","b"]]'
