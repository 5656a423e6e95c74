"""Pages: templates, languages, forms, what was said."""

import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, Request
from starlette.responses import Response

from shared.kit import web
from shared.kit.actor import Actor
from shared.kit.web import digest_of, key_of
from shared.kit.web.navigation import said_code

PAGE = {"Accept": "text/html"}


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "voyage.html").write_text(
        '{% extends "shell.html" %}{% block title %}V{% endblock %}'
        "{% block main %}<h1>{{ name }}</h1>{{ url('/next') }}<form>{{ hidden_fields() }}</form>"
        "{% block rows %}{{ parts.tag(name) }}{% endblock %}{% endblock %}"
    )
    app = FastAPI()
    web.install(
        app,
        folder=tmp_path,
        navigation=[("/voyages", "Inbox"), web.Nav("/audit", "Audit trail", frozenset({"auditor"}))],
        csrf_token=lambda _: "the-token",
    )
    pages = web.page_router()

    @pages.get("/voyages/{number}")
    async def voyage(request: Request, number: int, name: str = "<b>") -> Response:
        request.state.actor = Actor("a", "PORT-NNK", frozenset({"port_officer"}))
        return web.page(request, "voyage.html", name=name)

    @pages.get("/rows")
    async def rows(request: Request) -> Response:
        return web.fragment(request, "voyage.html", "rows", name="X")

    @pages.post("/voyages")
    async def post_voyage(request: Request) -> Response:
        await request.form()
        return web.redirect(request, "/voyages/1?tab=2", said="Copied")

    @app.post("/digest")
    async def digest(request: Request) -> list[str]:
        return [await key_of(request), (await digest_of(request)).hex()]

    app.include_router(pages)
    return app


async def ask(app: FastAPI, method: str, path: str, **options: Any) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://here") as client:
        return await client.request(method, path, **options)


class TestPage:
    async def test_escapes_what_it_shows(self, app: FastAPI) -> None:
        answer = await ask(app, "GET", "/id/voyages/1?name=<script>")

        assert "<h1>&lt;script&gt;</h1>" in answer.text
        assert "<script>" not in answer.text

    async def test_speaks_the_language_of_its_path(self, app: FastAPI) -> None:
        indonesian = (await ask(app, "GET", "/id/voyages/1")).text
        english = (await ask(app, "GET", "/en/voyages/1")).text

        assert '<html lang="id"' in indonesian
        assert "Langsung ke isi" in indonesian
        assert "/id/next" in indonesian
        assert '<html lang="en"' in english
        assert "Skip to content" in english

    async def test_knows_no_other_language(self, app: FastAPI) -> None:
        assert (await ask(app, "GET", "/fr/voyages/1")).status_code == 404
        assert (await ask(app, "GET", "/voyages/1")).status_code == 404

    async def test_switches_language_in_place(self, app: FastAPI) -> None:
        answer = await ask(app, "GET", "/id/voyages/1?name=a%20b&x=%26")

        assert 'href="/en/voyages/1?name=a%20b&amp;x=%26" lang="en"' in answer.text

    async def test_shows_only_the_links_of_the_role(self, app: FastAPI) -> None:
        text = (await ask(app, "GET", "/id/voyages/1")).text

        assert 'href="/id/voyages" aria-current="page"' in text
        assert "/id/audit" not in text
        assert "Petugas pelabuhan" in text

    async def test_gives_forms_the_token_and_a_new_key_each_time(self, app: FastAPI) -> None:
        keys = [
            re.findall(r'name="idempotency_key" value="([^"]+)"', (await ask(app, "GET", "/id/voyages/1")).text)[-1]
            for _ in range(2)
        ]

        assert keys[0] != keys[1]
        assert 'name="csrf" value="the-token"' in (await ask(app, "GET", "/id/voyages/1")).text

    async def test_renders_a_block_alone(self, app: FastAPI) -> None:
        assert (await ask(app, "GET", "/id/rows")).text == '<span class="tag neutral">X</span>'


class TestFirstPage:
    @pytest.mark.parametrize(("wish", "target"), [("en-GB", "/en/"), ("de", "/id/")])
    async def test_follows_the_browser(self, app: FastAPI, wish: str, target: str) -> None:
        answer = await ask(app, "GET", "/", headers={"Accept-Language": wish})

        assert (answer.status_code, answer.headers["location"]) == (303, target)


class TestRedirect:
    async def test_says_there_what_was_done(self, app: FastAPI) -> None:
        answer = await ask(app, "POST", "/id/voyages", data={"a": "b"})
        then = await ask(app, "GET", answer.headers["location"])

        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/id/voyages/1?tab=2&said=")
        assert "Tersalin" in then.text

    @pytest.mark.parametrize(
        ("language", "n", "text"),
        [("en", "1", "There is 1 "), ("en", "1200", "There are 1,200 "), ("id", "3", "Ada 3 "), ("en", "x", "")],
    )
    async def test_counts_in_what_it_says(self, app: FastAPI, language: str, n: str, text: str) -> None:
        code = said_code("There is %(n)s problem to correct")

        answer = await ask(app, "GET", f"/{language}/voyages/1?said={code}.{n}")

        assert text in answer.text

    async def test_says_nothing_that_is_not_ours(self, app: FastAPI) -> None:
        answer = await ask(app, "GET", "/id/voyages/1?said=Your+account+is+blocked")

        assert "blocked" not in answer.text


class TestTheme:
    @pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/\\evil.example", "evil", ""])
    async def test_never_leaves_the_site(self, app: FastAPI, back: str) -> None:
        answer = await ask(app, "POST", "/id/tampilan", data={"theme": "dark", "back": back})

        assert answer.headers["location"] == "/id/"

    async def test_is_kept(self, app: FastAPI) -> None:
        answer = await ask(app, "POST", "/id/tampilan", data={"theme": "dark", "back": "/id/voyages/1?name=x"})
        then = await ask(app, "GET", "/id/voyages/1", headers={"Cookie": "theme=dark"})
        nonsense = await ask(app, "GET", "/id/voyages/1", headers={"Cookie": 'theme="><script>'})

        assert answer.headers["location"] == "/id/voyages/1?name=x"
        assert answer.headers["set-cookie"].startswith("theme=dark")
        assert 'data-theme="dark"' in then.text
        assert 'data-theme="auto"' in nonsense.text


class TestKey:
    @pytest.mark.parametrize("key", [None, "", " ", "x" * 201, "umlaut-\u00fc"])
    async def test_is_asked_for(self, app: FastAPI, key: str | None) -> None:
        headers = [] if key is None else [(b"idempotency-key", key.encode("latin-1"))]

        answer = await ask(app, "POST", "/digest", headers=headers, json={})

        assert answer.status_code == 400
        assert answer.json()["code"] == "idempotency_key_missing"
        assert "Idempotency-Key" in answer.json()["detail"]

    async def test_comes_from_the_header_or_the_form(self, app: FastAPI) -> None:
        of_header = await ask(app, "POST", "/digest", headers={"Idempotency-Key": '"k-1"'}, json={})
        of_form = await ask(app, "POST", "/digest", data={"idempotency_key": "k-2"})

        assert of_header.json()[0] == "k-1"
        assert of_form.json()[0] == "k-2"


class TestDigest:
    async def test_tells_forms_apart_by_their_fields(self, app: FastAPI) -> None:
        async def digest(**options: Any) -> str:
            return str((await ask(app, "POST", "/digest", **options)).json()[1])

        first = await digest(data={"idempotency_key": "1", "csrf": "a", "x": "1"}, files={"f": ("f.csv", b"abc")})
        again = await digest(data={"idempotency_key": "2", "csrf": "b", "x": "1"}, files={"f": ("f.csv", b"abc")})
        other = await digest(data={"idempotency_key": "1", "csrf": "a", "x": "1"}, files={"f": ("f.csv", b"abd")})

        assert first == again
        assert first != other
