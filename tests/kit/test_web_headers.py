"""What every answer carries, and how large a request may be."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from shared.kit import web
from shared.kit.web.headers import CONTENT_SECURITY_POLICY
from shared.kit.web.limits import DEFAULT_LIMIT

SHARED = PlainTextResponse("one object for all")


def an_app(*, https: bool = False) -> FastAPI:
    app = FastAPI()
    web.install(app, https=https, development=True)

    @app.get("/shared")
    async def shared() -> Response:
        return SHARED

    @app.get("/tile")
    async def tile() -> Response:
        return PlainTextResponse("x", headers={"Cache-Control": "public, max-age=31536000, immutable"})

    @app.post("/api/small")
    async def small(request: Request) -> int:
        return len(await request.body())

    @app.post("/api/large")
    @web.body_limit(2 * DEFAULT_LIMIT)
    async def large(request: Request) -> int:
        return len(await request.body())

    async def hot(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    @app.post("/api/list")
    @web.takes("text/csv")
    async def listed(request: Request) -> int:
        return len(await request.body())

    @app.delete("/api/small")
    async def remove(request: Request) -> int:
        return len(await request.body())

    app.router.routes.append(Route("/api/hot", hot, methods=["POST"]))
    return app


JSON = {"Content-Type": "application/json"}


async def ask(method: str, path: str, *, app: FastAPI | None = None, **options: Any) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=app or an_app())
    async with httpx2.AsyncClient(transport=transport, base_url="http://here") as client:
        return await client.request(method, path, **options)


class TestHeaders:
    async def test_are_strict_on_pages(self) -> None:
        answer = await ask("GET", "/id/gaya")

        assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert "unsafe" not in CONTENT_SECURITY_POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "strict-transport-security" not in answer.headers

    async def test_are_strict_on_answers_for_programs(self) -> None:
        answer = await ask("GET", "/api/nowhere")

        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"

    async def test_bind_browsers_to_https_where_it_is_used(self) -> None:
        answer = await ask("GET", "/id/gaya", app=an_app(https=True))

        assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"

    async def test_keep_everything_out_of_caches_unless_it_says_otherwise(self) -> None:
        assert (await ask("GET", "/id/gaya")).headers["cache-control"] == "no-store"
        assert (await ask("GET", "/api/nowhere")).headers["cache-control"] == "no-store"
        assert (await ask("GET", "/tile")).headers.get_list("cache-control") == ["public, max-age=31536000, immutable"]

    async def test_do_not_pile_up_on_an_answer_that_is_used_twice(self) -> None:
        app = an_app()

        await ask("GET", "/shared", app=app)
        answer = await ask("GET", "/shared", app=app)

        assert len(answer.headers.get_list("content-security-policy")) == 1

    async def test_continue_the_callers_trace(self) -> None:
        known = await ask("GET", "/id/gaya", headers={"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"})
        nonsense = await ask("GET", "/id/gaya", headers={"traceparent": "nonsense"})

        assert known.headers["x-request-id"] == "ab" * 16
        assert len(nonsense.headers["x-request-id"]) == 32


class TestStaticFiles:
    async def test_are_kept_for_ever_under_their_sum(self) -> None:
        app = an_app()
        address: str = app.state.pages._environments["id"].globals["asset"]("app.css")

        exact = await ask("GET", address, app=app)
        plain = await ask("GET", "/static/app.css", app=app)
        again = await ask("GET", address, app=app, headers={"If-None-Match": exact.headers["etag"]})

        assert exact.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert exact.headers["content-encoding"] == "gzip"
        assert plain.headers["cache-control"] == "public, max-age=300"
        assert again.status_code == 304

    async def test_are_only_those_of_the_folder(self) -> None:
        for path in ("/static/nothing.css", "/static/../web/assets.py", "/static/%2e%2e/web/assets.py"):
            assert (await ask("GET", path)).status_code == 404


class TestBodyLimit:
    async def test_refuses_what_is_declared_too_large(self) -> None:
        answer = await ask("POST", "/api/small", content=b"x" * (DEFAULT_LIMIT + 1), headers=JSON)

        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"

    async def test_refuses_what_turns_out_too_large(self) -> None:
        async def endless() -> AsyncIterator[bytes]:
            for _ in range(20):
                yield b"x" * (DEFAULT_LIMIT // 16)

        for path in ("/api/small", "/api/hot"):
            assert (await ask("POST", path, content=endless(), headers=JSON)).status_code == 413

    async def test_takes_what_fits(self) -> None:
        answer = await ask("POST", "/api/small", content=b"x" * DEFAULT_LIMIT, headers=JSON)

        assert answer.json() == DEFAULT_LIMIT

    async def test_is_larger_where_a_route_says_so(self) -> None:
        fits = await ask("POST", "/api/large", content=b"x" * (2 * DEFAULT_LIMIT), headers=JSON)
        does_not = await ask("POST", "/api/large", content=b"x" * (2 * DEFAULT_LIMIT + 1), headers=JSON)

        assert fits.json() == 2 * DEFAULT_LIMIT
        assert does_not.status_code == 413


class TestBodyKind:
    @pytest.mark.parametrize(
        "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/csv", None]
    )
    async def test_refuses_what_does_not_say_that_it_is_json(self, kind: str | None) -> None:
        for path in ("/api/small", "/api/hot"):
            answer = await ask("POST", path, content=b"{}", headers={} if kind is None else {"Content-Type": kind})

            assert answer.status_code == 415
            assert answer.headers["content-type"] == "application/problem+json"

    async def test_takes_json_however_it_is_written(self) -> None:
        for kind in ("application/json", "Application/JSON; charset=utf-8"):
            assert (await ask("POST", "/api/small", content=b"{}", headers={"Content-Type": kind})).json() == 2

    async def test_is_another_where_a_route_says_so(self) -> None:
        assert (await ask("POST", "/api/list", content=b"a,b", headers={"Content-Type": "text/csv"})).json() == 3
        assert (await ask("POST", "/api/list", content=b"[]", headers=JSON)).status_code == 415

    async def test_does_not_matter_where_there_is_no_body(self) -> None:
        assert (await ask("DELETE", "/api/small")).json() == 0
