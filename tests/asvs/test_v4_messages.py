"""V4, over a real socket: where one message ends and the next begins, how long one may be, which methods there are."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI, Request
from starlette.responses import PlainTextResponse, Response

from deploy.local import ports
from shared.kit import service, web
from shared.kit.identity import NotSignedIn, sign_in
from shared.kit.settings import KitSettings
from shared.kit.web.assets import KIT_STATIC
from tests.contracts import openapi

ROOT = Path(__file__).parents[2]
PAGE = {"accept": "text/html"}
METHODS = {"get", "post", "put", "delete", "patch", "options", "trace", "connect", "spy"}
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: here\r\n\r\n"


class AnySettings(KitSettings):
    service: ClassVar[str] = "intake"


def an_app() -> FastAPI:
    app = FastAPI()
    web.install(app, https=True)

    @app.post("/api/echo")
    async def echo(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    @app.get("/smuggled")
    async def smuggled() -> Response:
        return PlainTextResponse("smuggled")

    @app.get("/api/bug")
    async def bug() -> Response:
        raise RuntimeError

    @app.get("/id/{rest:path}")
    async def closed(rest: str) -> Response:
        raise NotSignedIn

    return app


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[int]:
    """The port on which the application is served as services are."""
    port = ports.free()
    settings = AnySettings(environment="development", database_url="postgresql://", roles="http", port=port)
    task = asyncio.create_task(service._listen(app, settings))
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            break
        except ConnectionError:
            await asyncio.sleep(0.01)
    writer.close()
    yield port
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest_asyncio.fixture
async def port() -> AsyncIterator[int]:
    async with serving(an_app()) as port:
        yield port


async def said_to(port: int, sent: bytes) -> bytes:
    """All that comes back on one connection until it is closed or silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    answer = b""
    try:
        while part := await asyncio.wait_for(reader.read(65536), 1):
            answer += part
    except TimeoutError:
        pass
    writer.close()
    return answer


def post(*headers: str, body: bytes = b"") -> bytes:
    fields = ["Host: here", "Content-Type: application/json", *headers]
    return ("POST /api/echo HTTP/1.1\r\n" + "\r\n".join(fields) + "\r\n\r\n").encode() + body


class TestBoundaries:
    @pytest.mark.parametrize(
        "sent",
        [
            post("Content-Length: 5", "Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED),
            post("Transfer-Encoding: chunked", "Content-Length: 5", body=b"0\r\n\r\n" + SMUGGLED),
            post("Content-Length: 0", f"Content-Length: {len(SMUGGLED)}", body=SMUGGLED),
            post(f"Content-Length: 0, {len(SMUGGLED)}", body=SMUGGLED),
            post("Content-Length: +5", body=b"00000" + SMUGGLED),
            post("Content-Length: 0x5", body=b"00000" + SMUGGLED),
            post("Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n" + SMUGGLED),
            post("Transfer-Encoding: xchunked", body=b"0\r\n\r\n" + SMUGGLED),
            post("Transfer-Encoding : chunked", body=b"0\r\n\r\n" + SMUGGLED),
            post("Transfer-Encoding: chunked", body=b"1;\n0\r\n" + SMUGGLED),
            post("Transfer-Encoding: chunked", body=b"g\r\n\r\n" + SMUGGLED),
            post("X-Folded: a\r\n Content-Length: 0", f"Content-Length: {len(SMUGGLED) + 1}", body=b"{" + SMUGGLED),
        ],
    )
    async def test_of_a_message_that_has_two_are_none(self, port: int, sent: bytes) -> None:
        answer = await said_to(port, sent)

        assert b"smuggled" not in answer
        assert (
            answer == b""
            or answer.startswith(b"HTTP/1.1 400 ")
            or b"\r\n\r\n" + str(1 + len(SMUGGLED)).encode() in answer
        )

    async def test_are_those_of_the_body(self, port: int) -> None:
        """A request inside a body of known length is a body."""
        fits = post(f"Content-Length: {len(SMUGGLED)}", body=SMUGGLED)
        chunked = post(
            "Transfer-Encoding: chunked", body=f"{len(SMUGGLED):x}\r\n".encode() + SMUGGLED + b"\r\n0\r\n\r\n"
        )

        for sent in (fits, chunked):
            answer = await said_to(port, sent)
            assert answer.endswith(b"\r\n\r\n" + str(len(SMUGGLED)).encode())

    async def test_of_our_answers_are_what_they_say(self, port: int) -> None:
        """Each answer's content is as long as it says, and the next begins right behind it."""
        asked = [
            ("GET", "/smuggled"),
            ("HEAD", "/static/app.css"),
            ("GET", "/static/app.css"),
            ("GET", "/static/nothing"),
            ("GET", "/"),
            ("GET", "/api/bug"),
            ("PUT", "/api/echo"),
            ("GET", "/smuggled"),
        ]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        for method, path in asked:
            writer.write(f"{method} {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
            head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).lower()
            assert head.startswith(b"http/1.1 ")
            [length] = [
                int(line.partition(b":")[2]) for line in head.splitlines() if line.startswith(b"content-length:")
            ]
            assert b"transfer-encoding" not in head
            content = await reader.readexactly(0 if method == "HEAD" else length)
            assert len(content) == (0 if method == "HEAD" else length)

        writer.write(b"GET /smuggled HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).endswith(b"\r\n\r\nsmuggled")
        writer.close()


class TestAddresses:
    async def test_that_we_lead_to_are_never_too_long(self) -> None:
        """A long way back is left out: neither the next address nor a cookie may grow beyond what a server reads."""
        transport = httpx2.ASGITransport(app=an_app())
        async with httpx2.AsyncClient(transport=transport, base_url="http://here", headers=PAGE) as browser:
            short = await browser.get("/id/kasus?" + "a" * 100)
            long = await browser.get("/id/kasus?" + "a" * 20_000)

        back = parse_qs(urlsplit(short.headers["location"]).query)["next"]
        assert back == ["/id/kasus?" + "a" * 100]
        assert long.headers["location"] == "/masuk?next=/id/"

    def test_that_wait_in_a_cookie_fit_into_one(self) -> None:
        longest = sign_in.local_path("/" + "a" * (sign_in.LONGEST_PATH - 1))
        attempt = sign_in.Attempt("s" * 43, "n" * 43, "v" * 64, longest)

        assert len(longest) == sign_in.LONGEST_PATH
        assert len(attempt.cookie()) < 4_000
        assert sign_in.local_path(longest + "a") == "/"


class TestPrograms:
    @pytest.mark.parametrize("scheme", ["http", "HTTP", "http, https"])
    async def test_are_refused_and_not_led_on_when_they_came_by_plain_http(self, scheme: str) -> None:
        answer = await asked("GET", "/api/bug", **{"x-forwarded-proto": scheme})

        assert (answer.status_code, answer.json()["code"]) == (403, "https_needed")
        assert "location" not in answer.headers
        assert "strict-transport-security" in answer.headers

    async def test_are_served_when_they_came_by_https(self) -> None:
        assert (await asked("GET", "/api/nothing", **{"x-forwarded-proto": "https"})).status_code == 404
        assert (await asked("GET", "/api/nothing")).status_code == 404

    def test_are_left_alone_by_the_ingress(self) -> None:
        """What it is told: people may be led to https, programs not."""
        for file in ("deploy/k8s/overlays/production/ingress.yaml", "docs/operations.md"):
            said = " ".join(line.strip("# ") for line in (ROOT / file).read_text(encoding="utf-8").splitlines())
            assert "lead people from http to https, but not what begins with /api/" in said.replace("`", "")

    async def test_get_no_header_of_a_proxy_taken_for_the_truth(self, port: int) -> None:
        forwarded = b"X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\n"

        answer = await said_to(port, b"GET / HTTP/1.1\r\nHost: here\r\n" + forwarded + b"Connection: close\r\n\r\n")

        assert b"evil.example" not in answer


class TestMethods:
    def test_are_few(self) -> None:
        """No route takes a method that the interface does not speak of."""
        for app in openapi.applications().values():
            methods = {method for route in app.routes for method in getattr(route, "methods", None) or ()}
            assert methods <= {"GET", "HEAD", "POST", "PUT", "DELETE"}

    @pytest.mark.parametrize("name", ["intake", "referral", "notify", "audit"])
    async def test_that_a_route_does_not_take_are_refused(self, name: str) -> None:
        app = (await openapi._applications())[name]
        documented = app.openapi()["paths"]
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://here") as client:
            for path in documented:
                address = path.replace("{", "").replace("}", "")
                for method in sorted(METHODS - {m for p, ms in documented.items() if fits(p, address) for m in ms}):
                    answer = await client.request(method.upper(), address)
                    assert answer.status_code == 405, (method, path)
                    assert answer.headers["content-type"] == "application/problem+json"


def fits(template: str, address: str) -> bool:
    return re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", template), address) is not None


class TestContentTypes:
    @pytest.mark.parametrize("file", sorted(file.name for file in KIT_STATIC.iterdir()))
    async def test_of_files_say_how_their_text_is_written(self, file: str) -> None:
        answer = await asked("GET", f"/static/{file}")

        kind, _, charset = answer.headers["content-type"].partition("; ")
        assert kind == {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}[file.rpartition(".")[2]]
        assert charset == "charset=utf-8"

    async def test_of_pages_and_problems_are_what_they_are(self) -> None:
        page = await asked("GET", "/static/nothing", accept="text/html")
        problem = await asked("GET", "/static/nothing")

        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.text.startswith("<!doctype html>")
        # JSON is UTF-8 by definition; its media types have no such parameter (RFC 8259, 11).
        assert problem.headers["content-type"] == "application/problem+json"
        assert problem.json()["status"] == 404


async def asked(method: str, path: str, **headers: str) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=an_app())
    async with httpx2.AsyncClient(transport=transport, base_url="http://here") as client:
        return await client.request(method, path, headers=headers)
