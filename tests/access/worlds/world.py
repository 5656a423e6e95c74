"""What all worlds have: who asks, how a route is asked, what a service answered."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import httpx2
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.ids import new_id
from shared.kit.service import application
from tests.access.matrix import NOBODY, Cell
from tests.contracts.openapi import SETTINGS

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
CLIENTS = frozenset({"agency_system", "ngo_system", "port_system", "service"})
"""Roles of systems; all others are of people."""

OWN = {"agency": "DINSOS-73.06", "region": "73.06", "port": "NNK", "ngo": "SBMI"}
OTHER = {"agency": "DINSOS-64.71", "region": "64.71", "port": "ETK", "ngo": "LBH"}


@dataclass(frozen=True)
class Said:
    """What a service answered, without what differs from answer to answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str

    @property
    def done(self) -> bool:
        """The request had the effect that was asked for, or showed what was asked for."""
        return self.status < 400

    @property
    def gist(self) -> str:
        """What it says for people, in a few words."""
        title = re.search(r"<title>([^<]*)|\"title\":\"([^\"]*)", self.body)
        return title[0] if title else self.body[:100]

    def naming(self, id_: str) -> "Said":
        """The same, with this id made unrecognisable."""
        headers = tuple((name, value.replace(id_, "ID")) for name, value in self.headers)
        return Said(self.status, headers, self.body.replace(id_, "ID"))

    def difference(self, other: "Said") -> str:
        """Where two answers part, in a line; empty when they are the same."""
        if self.status != other.status:
            return f"{self.status} here, {other.status} there"
        if self.headers != other.headers:
            return f"headers {sorted(set(self.headers) ^ set(other.headers))}"
        n = next((n for n, (a, b) in enumerate(zip(self.body, other.body, strict=False)) if a != b), -1)
        at = slice(max(0, n - 60), n + 100)
        return "" if self.body == other.body else f"{self.body[at]!r} here, {other.body[at]!r} there"


class SignedIn:
    """Tells the application who asks by a header, as the gate would after checking a session or a token."""

    def __init__(self, app: ASGIApp, actors: Callable[[str], Actor]) -> None:
        self._app = app
        self._actors = actors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        role = dict(scope["headers"]).get(b"x-role", b"").decode()
        if role and role != NOBODY:
            scope.setdefault("state", {})["actor"] = self._actors(role)
        await self._app(scope, receive, send)


Content = dict[str, Any]
Make = Callable[[Cell], Awaitable[str]]


class Asked(Protocol):
    def __call__(self, id_: str, cell: Cell) -> Content: ...


@dataclass
class World:
    """A service with everything in it that the matrix speaks of."""

    service: str
    app: Any
    client: httpx2.AsyncClient
    makers: Mapping[str, Make]
    """How a thing of each kind comes to be, in the state and place of a cell."""
    contents: Mapping[str, Asked]
    """What a route is sent besides the id in its address, by `METHOD template`."""
    places: Mapping[str, str] = field(default_factory=dict)
    """Where templates lead that take more than an id, and what those need to be asked."""
    _made: dict[tuple[str, ...], str] = field(default_factory=dict)

    async def thing(self, kind: str, cell: Cell) -> str:
        """The id of a thing as the cell says; the same one until `spend` says that it has changed."""
        key = self._key(kind, cell)
        if key not in self._made:
            self._made[key] = await self.makers[kind](cell)
        return self._made[key]

    def spend(self, kind: str, cell: Cell) -> None:
        """Something was done to the thing of this cell; the next who asks gets a new one."""
        self._made.pop(self._key(kind, cell), None)

    async def ask(self, route: str, role: str, id_: str, cell: Cell) -> Said:
        """Send the request of this route about this thing, as an actor in this role."""
        method, template = route.split(" ", 1)
        path = re.sub(r"\{language:language\}", "id", template)
        path = re.sub(r"\{(\w+_id|version)\}", id_, path).replace("{name:path}", "app.css")
        path = path.replace("{row}", "3").replace("{table}", "candidates").replace("{apa}", "asal")
        path = self.places.get(path, path)
        content = self.contents[route](id_, cell) if route in self.contents else {}
        headers = {
            "x-role": role,
            "accept": "application/json" if path.startswith("/api") else "text/html",
            "traceparent": f"00-{'a' * 32}-{'b' * 16}-01",
            **content.pop("headers", {}),
        }
        if method != "GET":
            headers["idempotency-key"] = new_id()
        response = await self.client.request(method, path, headers=headers, **content)
        return _said(response)

    def _key(self, kind: str, cell: Cell) -> tuple[str, ...]:
        """Of what a person has made, each role has its own."""
        personal = kind == "glass" and cell["organisation"] == "own"
        return (kind, *(value for name, value in sorted(cell.items()) if personal or name != "role"))


VOLATILE = frozenset({"date", "traceparent", "content-length", "set-cookie"})


def _said(response: httpx2.Response) -> Said:
    """A list's only item speaks for the whole answer; a way to the log-in is a refusal."""
    status, body = response.status_code, response.text
    if response.headers.get("location", "").startswith("/masuk") and not str(response.url.path).startswith("/masuk"):
        status = 401
    if status == 200 and response.headers.get("content-type", "").startswith("application/json"):
        read = json.loads(body)
        items = (read.get("items") or read.get("results")) if isinstance(read, dict) else None
        if items and response.request.method == "POST":
            said = items[0].get("status", status)
            status = {"recorded": 200, "known": 200, "refused": 404}.get(said, said)
    headers = sorted((name, value) for name, value in response.headers.items() if name not in VOLATILE)
    # Each form has a new key of its own.
    body = re.sub(r'(name="idempotency_key" value=")[0-9a-f-]+', r"\1~", body)
    return Said(status, tuple(headers), body)


def one(**item: Any) -> Asked:
    """A list of one item about the thing."""
    return lambda id_, _: {"json": {"items": [{name: id_ if value is ... else value for name, value in item.items()}]}}


def form(**fields: str | list[str]) -> Asked:
    return lambda _id, _cell: {"data": {**fields, "key": new_id()}}


def json_of(**fields: Any) -> Asked:
    return lambda _id, _cell: {"json": fields}


REVOCATIONS: dict[str, Asked] = {
    "POST /api/revocations": json_of(scope="person", code="somebody-else", why="left"),
    "POST /api/restorations": json_of(scope="person", code="somebody-else"),
    "POST /{language:language}/pencabutan": form(scope="person", code="somebody-else", kind="end", why="left"),
    "POST /{language:language}/pencabutan/pulih": form(scope="person", code="somebody-else"),
}


@asynccontextmanager
async def served(
    service: str, module: Any, database: Database, actors: Callable[[str], Actor], **settings: Any
) -> AsyncIterator[tuple[Any, httpx2.AsyncClient]]:
    settings_class = __import__(f"services.{service}.settings", fromlist=["Settings"]).Settings
    given = {"environment": "development", "database_url": database.url, "roles": "http", **SETTINGS[service]}
    async with AsyncExitStack() as stack:
        made = settings_class(**{**given, "oidc_issuer": "http://127.0.0.1:1", **settings})
        app = application(await module.build(made, database, stack))
        stack.push_async_callback(app.state.identity.aclose)
        transport = httpx2.ASGITransport(app=SignedIn(app, actors))
        client = await stack.enter_async_context(
            httpx2.AsyncClient(transport=transport, base_url=f"http://{service}.test")
        )
        yield app, client


def the(role: str) -> str:
    """The id of the one actor in this role."""
    return f"the-{role.replace('_', '-')}"


def somebody(role: str) -> Actor:
    """Somebody in this role who belongs to everything of the own side at once."""
    return actors_at(OWN["agency"], port=OWN["port"], region=OWN["region"])(role)


def actors_at(organisation: str, *, port: str | None = None, region: str | None = None) -> Callable[[str], Actor]:
    """For every role somebody in the same place, so that nothing but the role tells them apart."""

    def actor(role: str) -> Actor:
        name = "svc-referral" if role == "service" else the(role)
        return Actor(
            authenticated_at=NOW,
            id=name,
            organisation=organisation,
            roles=frozenset({role}),
            kind="client" if role in CLIENTS else "person",
            port=port,
            region=region,
        )

    return actor


def side(cell: Cell, what: str, dimension: str) -> str:
    return (OWN if cell[dimension] == "own" else OTHER)[what]
