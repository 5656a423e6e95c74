"""V14: no address has what identifies a person, browsers keep nothing of ours, caches nothing that is somebody's."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from starlette.responses import PlainTextResponse, Response

from services.intake.domain.people import IDENTITY_FIELDS
from shared.kit import web
from shared.kit.identity import sessions
from tests.asvs.test_v7_sessions import ON_PAPER
from tests.contracts import openapi

ROOT = Path(__file__).parents[2]
SERVED = sorted({*ROOT.glob("**/templates/*.html"), *ROOT.glob("**/static/*.*")} - {*ROOT.glob(".venv/**/*")})
PERSONAL = {*IDENTITY_FIELDS, "q", "query", "search", "cari", "name", "nama", "born", "lahir"} - {"language"}
CODE = [file for folder in ("services", "shared") for file in sorted((ROOT / folder).rglob("*.py"))]


def parameters(routes: Any) -> Iterator[tuple[str, str]]:
    """Address and name of each parameter that a route reads from its address, pages and included routers too."""
    for route in routes:
        if (inner := getattr(route, "original_router", None)) is not None:
            yield from parameters(inner.routes)
            continue
        yield from ((route.path, name) for name in re.findall(r"\{(\w+)", getattr(route, "path", "")))
        if (dependant := getattr(route, "dependant", None)) is not None:
            yield from ((route.path, field.alias) for field in dependant.query_params)


class TestAddresses:
    def test_have_no_place_for_what_identifies_a_person(self) -> None:
        found = [named for app in openapi.applications().values() for named in parameters(app.routes)]

        assert len(found) > 40
        # The language in an address is the page's, the name that of a file.
        assert not [f"{path}: {name}" for path, name in found if name in PERSONAL and not path.startswith("/static/")]

    def test_have_no_place_for_a_token_or_a_key(self) -> None:
        for app in openapi.applications().values():
            for path, name in parameters(app.routes):
                assert not re.search(r"token|secret|key|password|session|csrf", name), (path, name)

    def test_of_forms_that_read_name_no_person(self) -> None:
        """A form that is sent by GET puts its fields into the address."""
        for file in SERVED:
            for form in re.findall(
                r'<form(?![^>]*method="post")[^>]*>(.*?)</form>', file.read_text("utf-8"), re.DOTALL
            ):
                assert not set(re.findall(r'name="(\w+)"', form)) & {*IDENTITY_FIELDS}, file.name


class TestBrowsers:
    def test_keep_nothing_but_cookies(self) -> None:
        for file in SERVED:
            text = file.read_text(encoding="utf-8")
            assert not re.search(r"localStorage|sessionStorage|indexedDB|serviceWorker|caches\.|document\.cookie", text)

    def test_take_away_what_they_show_when_the_session_has_ended(self) -> None:
        """As soon as the server has: how that looks is in tests/browser/test_frame.py."""
        kit = ROOT / "shared/kit/templates"
        ended = (kit / "ended.html").read_text(encoding="utf-8")

        assert re.findall(r'<template id="ended" data-idle="(\d+)"', ended) == [f"{sessions.IDLE.total_seconds():.0f}"]
        for page in (kit / "shell.html", ON_PAPER):
            text = page.read_text(encoding="utf-8")
            assert '{% include "ended.html" %}' in text
            assert """<script src="{{ asset("app.js") }}" defer></script>""" in text

    def test_get_cookies_from_two_places_only(self) -> None:
        """Those of identity, and the look of pages: light or dark."""
        found = {str(file.relative_to(ROOT)) for file in CODE if ".set_cookie(" in file.read_text(encoding="utf-8")}

        assert found == {"shared/kit/identity/cookies.py", "shared/kit/web/routes.py"}

    def test_are_sent_to_nobody_else(self) -> None:
        """No page takes anything from another host: neither pictures nor scripts nor what counts visitors."""
        for file in SERVED:
            text = file.read_text(encoding="utf-8")
            assert not re.search(r"""(?:src|srcset|action|data|poster)=["'](?:https?:)?//""", text), file.name
            assert not re.search(r"""<link[^>]*href=["'](?:https?:)?//|@import|url\(["']?(?:https?:)?//""", text)


def an_app() -> FastAPI:
    app = FastAPI()
    web.install(app)

    @app.get("/id/kasus/{case_id}")
    async def case(case_id: str) -> Response:
        return PlainTextResponse(f"somebody's: {case_id}")

    return app


class TestCaches:
    @pytest.mark.parametrize(
        "path",
        [
            "/id/kasus/1.css",
            "/id/kasus/1/app.css",
            "/id/kasus/1/..%2f..%2fstatic/app.css",
            "/id/kasus/1;/static/app.css",
            "/id/kasus/1%00.css",
            "/static/../id/kasus/1",
            "/static/%2e%2e/id/kasus/1",
            "/static/app.css/../../id/kasus/1",
            "/static/app.css/1",
            "/static/nothing.css",
        ],
    )
    async def test_never_get_a_page_under_the_name_of_a_file(self, path: str) -> None:
        transport = httpx2.ASGITransport(app=an_app())
        async with httpx2.AsyncClient(transport=transport, base_url="http://here") as client:
            answer = await client.get(path)

        assert answer.headers["cache-control"] == "no-store"
        assert answer.status_code == 404 or answer.text.startswith("somebody's")

    def test_may_keep_what_is_nobodys_only(self) -> None:
        """Files, checkpoints and tiles of the ledger, and the pages that explain it."""
        found = {
            str(file.relative_to(ROOT))
            for file in CODE
            if re.search(r'"(?:public|private), ', file.read_text(encoding="utf-8"))
        }

        assert found == {"shared/kit/web/assets.py", "services/audit/api.py"}
