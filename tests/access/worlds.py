"""One world per service: its whole application, an actor for each role, and things on both sides of every wall."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import httpx2
from starlette.types import ASGIApp, Receive, Scope, Send

import services.audit.__main__
import services.intake.__main__
import services.notify.__main__
import services.referral.__main__
from services.intake.actions import corrections, erasures, holds
from services.intake.pages import manifests
from services.notify.actions import subscriptions
from services.notify.store import tasks
from services.referral import rules
from services.referral.actions import supervising
from services.referral.actions.answering import Answer
from services.referral.actions.routing import Routing
from services.referral.actions.supervising import Closing
from services.referral.domain.glass import REVIEW_WITHIN, Glass
from services.referral.domain.referrals import closings
from services.referral.store import glasses
from shared.contracts.referral import AssignmentAccepted, AssignmentCompleted, AssignmentFailed
from shared.kit.actor import Actor, system
from shared.kit.clock import FixedClock
from shared.kit.database import Database, connect
from shared.kit.ids import new_id
from shared.kit.service import application
from tests.access.matrix import NOBODY, Cell
from tests.audit import factories as audit
from tests.audit.ledger import Ledger
from tests.contracts.openapi import SETTINGS
from tests.intake import factories as intake
from tests.notify import factories as notify
from tests.referral import factories as referral
from tests.referral.conftest import Desk
from tests.referral.intake_server import IntakeServer

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
        path = re.sub(r"\{\w+_id\}", id_, path)
        path = PLACES.get(path, path)
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


PLACES = {
    "/tile/{level}/{path:path}": "/tile/0/000.p/3",
    "/tile/entries/{path:path}": "/tile/entries/000.p/3",
    "/static/{name:path}": "/static/app.css",
    "/api/ledger/consistency": "/api/ledger/consistency?from=1&to=3",
    "/api/search": f"/api/search?case={audit.CASE}",
    "/api/matches": "/api/matches?events=referral.referral_opened.v1",
}
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


def _one(**item: Any) -> Asked:
    """A list of one item about the thing."""
    return lambda id_, _: {"json": {"items": [{name: id_ if value is ... else value for name, value in item.items()}]}}


def _form(**fields: str) -> Asked:
    return lambda _id, _cell: {"data": {**fields, "key": new_id()}}


def _json(**fields: Any) -> Asked:
    return lambda _id, _cell: {"json": fields}


REVOCATIONS: dict[str, Asked] = {
    "POST /api/revocations": _json(scope="person", code="somebody-else", why="left"),
    "POST /api/restorations": _json(scope="person", code="somebody-else"),
    "POST /{language:language}/pencabutan": _form(scope="person", code="somebody-else", kind="end", why="left"),
    "POST /{language:language}/pencabutan/pulih": _form(scope="person", code="somebody-else"),
}


@asynccontextmanager
async def _served(
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
    return _actors(OWN["agency"], port=OWN["port"], region=OWN["region"])(role)


def _actors(organisation: str, *, port: str | None = None, region: str | None = None) -> Callable[[str], Actor]:
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


# --------------------------------------------------------------------------------------------------- referral


@asynccontextmanager
async def referral_world(url: str) -> AsyncIterator[World]:
    clock = FixedClock(NOW)
    server = IntakeServer()
    await server.start()
    database = await connect(url, service="referral", clock=clock)
    desk = Desk(database, clock, Routing(rules.load(rules.latest())))
    actors = _actors(OWN["agency"], region=OWN["region"])
    module = services.referral.__main__
    async with _served(
        "referral", module, database, actors, intake_url=server.url, oidc_issuer=server.url, oidc_client_secret="s"
    ) as (app, client):
        things = _Needs(desk)
        worker = "/{language:language}/rujukan/{assignment_id}"
        over = "/{language:language}/eskalasi/{referral_id}"
        contents: dict[str, Asked] = {
            "POST /api/assignments/acknowledgements": _one(assignment_id=...),
            "POST /api/assignments/acceptances": _one(assignment_id=...),
            "POST /api/assignments/declines": _one(assignment_id=..., reason="no_capacity"),
            "POST /api/assignments/starts": _one(assignment_id=...),
            "POST /api/assignments/completions": _one(assignment_id=..., outcome="SERVICE_DELIVERED"),
            "POST /api/assignments/failures": _one(assignment_id=..., outcome="NO_CAPACITY"),
            f"POST {worker}/terima": _form(),
            f"POST {worker}/tolak": _form(reason="no_capacity"),
            f"POST {worker}/mulai": _form(),
            f"POST {worker}/selesai": _form(outcome="SERVICE_DELIVERED"),
            f"POST {worker}/gagal": _form(failure="NO_CAPACITY"),
            "POST /{language:language}/terima": _form(),
            "POST /api/referrals/closures": _one(referral_id=..., reason=things.closing, personally=True),
            "POST /api/referrals/reopenings": _one(referral_id=..., reason=things.reopening),
            f"POST {over}/minta": _form(),
            f"POST {over}/tutup": _form(reason=things.closing, personally="1"),
            f"POST {over}/buka": _form(reason=things.reopening),
            "POST /api/erasures/confirmations": _one(task_id=...),
            "POST /{language:language}/penghapusan/{task_id}/konfirmasi": _form(erased="1"),
            "POST /{language:language}/penghapusan/{task_id}/wakili": _form(erased="1"),
            "POST /{language:language}/darurat": _form(
                number=await things.case_here(),
                matter="help",
                reason="danger_to_life",
                reference="ND/1/2026",
                hours="1",
            ),
            "POST /{language:language}/darurat/{glass_id}/tinjauan": _form(decision="justified"),
            **REVOCATIONS,
        }
        makers = {
            "assignment": things.assignment,
            "need": things.need,
            "erasure": things.erasure,
            "glass": things.glass,
        }
        yield World("referral", app, client, makers, contents)
    await database.aclose()
    await server.stop()


class _Needs:
    """Needs and attempts, brought where a cell wants them by what agencies and supervisors really do."""

    closing = closings("open")[0]
    reopening = "NEED_REMAINS"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def assignment(self, cell: Cell) -> str:
        agency, region = _side(cell, "agency", "organisation"), _side(cell, "region", "region")
        assignment_id = await self._asked(agency, region, restricted=cell["visibility"] == "restricted")
        answer = Answer(assignment_id)
        if cell["state"] == "declined":
            await self._do("decline", agency, Answer(assignment_id, reason="no_capacity"))
        elif cell["state"] != "asked":
            await self._do("accept", agency, answer)
        if cell["state"] in ("helped", "long_ago"):
            await self._do("complete", agency, Answer(assignment_id, outcome="SERVICE_DELIVERED"))
        if cell["state"] == "long_ago":
            await self._desk.rows(
                "UPDATE assignments SET ended_at = ended_at - interval '31 days' WHERE assignment_id = $1 RETURNING 1",
                assignment_id,
            )
        return assignment_id

    async def need(self, cell: Cell) -> str:
        agency, region = _side(cell, "agency", "organisation"), _side(cell, "region", "region")
        assignment_id = await self._asked(agency, region, restricted=cell["visibility"] == "restricted")
        referral_id = await self._desk.referral_of(assignment_id)
        if cell["state"] == "met":
            await self._do("accept", agency, Answer(assignment_id))
            await self._do("complete", agency, Answer(assignment_id, outcome="SERVICE_DELIVERED"))
            return referral_id
        await self._do("decline", agency, Answer(assignment_id, reason="person_refused"))
        if cell["state"] == "given_up":
            by = Actor("penyelia", "BP3MI", frozenset({"agency_supervisor"}), region=region)
            async with self._desk.database.work(by, purpose="supervise") as work:
                [closed] = await supervising.close_needs(work, [Closing(referral_id, self.closing, personally=True)])
            assert not isinstance(closed, Exception), repr(closed)
        return referral_id

    async def erasure(self, cell: Cell) -> str:
        """A task of an agency; the region is that of the task, wherever the agency is."""
        case_id = new_id()
        await self._desk.erase(referral.an_erasure(case_id, _side(cell, "agency", "organisation")))
        shift = timedelta(days=4) if cell["state"] == "overdue" else timedelta()
        [row] = await self._desk.rows(
            "UPDATE erasure_tasks SET region = $2, asked_at = asked_at - $3::interval,"
            " confirm_by = confirm_by - $3::interval WHERE case_id = $1 RETURNING task_id::text",
            case_id,
            _side(cell, "region", "region"),
            shift,
        )
        return str(row["task_id"])

    async def glass(self, cell: Cell) -> str:
        """A case that was opened: by who asks, or by a coordinator elsewhere, so that its supervisor has to judge."""
        region, age = _side(cell, "region", "region"), AGES[cell["state"]]
        opened = Glass(
            glass_id=new_id(),
            case_id=await self._case(region),
            region=region,
            matter="help",
            reason="danger_to_life",
            reference="ND/1/2026",
            broken_by=the(cell["role"]) if cell["organisation"] == "own" else "koordinator.lain",
            broken_at=NOW - age,
            expires_at=NOW - age + timedelta(hours=1),
            told=f"supervisor-{region[:2]}",
            review_by=NOW - age + REVIEW_WITHIN,
        )
        async with self._desk.database.work(system("referral", "test"), purpose="emergency") as work:
            await glasses.add_glass(work, opened)
        return opened.glass_id

    async def case_here(self) -> str:
        """The id of a case of the own region."""
        return await self._case(OWN["region"])

    async def _case(self, region: str) -> str:
        arrival = referral.an_arrival("TIP", origin=region)
        await self._desk.open(arrival)
        return str(arrival.case_id)

    async def _asked(self, agency: str, region: str, *, restricted: bool) -> str:
        """A need for help in this region that this agency is asked about, wherever the rules would have sent it."""
        arrival = referral.an_arrival("TIP" if restricted else "WAGE", "NEED", origin=region)
        await self._desk.open(arrival)
        [row] = await self._desk.rows(
            "UPDATE assignments a SET agency_id = $2 FROM referrals r WHERE r.referral_id = a.referral_id"
            " AND r.case_id = $1 AND r.need = $3 RETURNING a.assignment_id::text",
            arrival.case_id,
            agency,
            "TIP" if restricted else "WAGE",
        )
        return str(row["assignment_id"])

    async def _do(self, verb: str, agency: str, answer: Answer) -> None:
        [result] = await self._desk.answer(verb, agency, answer)
        assert not isinstance(result, Exception), f"{verb}: {result!r}"


AGES = {"open": timedelta(), "over": timedelta(hours=5), "overdue": REVIEW_WITHIN + timedelta(hours=1)}
"""How long ago a glass was broken that is in such a state."""


def _side(cell: Cell, what: str, dimension: str) -> str:
    return (OWN if cell[dimension] == "own" else OTHER)[what]


# ----------------------------------------------------------------------------------------------------- intake


@asynccontextmanager
async def intake_world(url: str) -> AsyncIterator[World]:
    database = await connect(url, service="intake", clock=FixedClock(NOW))
    actors = _actors("P4MI-NNK", port=OWN["port"])
    async with _served("intake", services.intake.__main__, database, actors) as (app, client):
        things = _Landed(database, app)
        voyage = "/{language:language}/pelayaran/{voyage_id}"
        kept = "/{language:language}/data-pribadi"
        packed = manifests.pack(LIST)
        person = {"full_name": "Emong bin Kawaya", "sex": "M"}
        contents: dict[str, Asked] = {
            "POST /api/voyages": _json(
                modality="deportation", vessel="KM Purnama", announced=3, expected_at=NOW.isoformat()
            ),
            "POST /{language:language}/pelayaran/baru": _form(
                vessel="KM Purnama", modality="deportation", announced="3", time="14.30",
                expected_day="23", expected_month="11", expected_year="2026",
            ),
            "POST /api/voyages/{voyage_id}/manifest": lambda _i, _c: {
                "content": intake.a_list(intake.a_row(1, number=f"XS{new_id()[-8:]}")),
                "headers": {"content-type": "text/csv"},
            },
            f"POST {voyage}/daftar": _form(pasted=LIST.decode()),
            f"POST {voyage}/daftar/kirim": _form(content=packed),
            f"POST {voyage}/daftar/tertahan.csv": _form(content=packed),
            "POST /api/arrivals": lambda id_, _: {"json": {**person, "voyage_id": id_}},
            "POST /api/arrivals/batch": lambda id_, _: {
                "json": {"arrivals": [{**person, "voyage_id": id_, "key": f"batch-{id_}"}]}
            },
            f"POST {voyage}/catat": _form(**person),
            "POST /api/disclosures": things.ask,
            "POST /api/persons/search": _json(by="nik", value="7306991901910001"),
            "POST /api/cases/{case_id}/erasure": _json(reason="request", reference="PPID/2026/1"),
            "POST /api/cases/{case_id}/export": _json(reference="PPID/2026/1"),
            "POST /api/cases/{case_id}/holds": _json(reason="court", reference="PN-JKT/1/2026"),
            "POST /api/holds/{hold_id}/lift": _json(reason="hold_ended"),
            "POST /api/cases/{case_id}/corrections": _json(field="alias", value="Emon", reference="PPID/2026/1"),
            f"POST {kept}": _form(by="nik", value="7306991901910001"),
            f"POST {kept}/{{case_id}}/hapus": lambda id_, _: {
                "data": {"reason": "request", "reference": "PPID/2026/1", "code": id_[-8:], "idempotency_key": new_id()}
            },
            f"POST {kept}/{{case_id}}/salinan": _form(reference="PPID/2026/1"),
            f"POST {kept}/{{case_id}}/penangguhan": _form(reason="court", reference="PN-JKT/1/2026"),
            "POST /{language:language}/penangguhan/{hold_id}/cabut": _form(reason="hold_ended"),
            f"POST {kept}/{{case_id}}/perbaikan": _form(field="alias", value="Emon", reference="PPID/2026/1"),
            "POST /{language:language}/perbaikan/{correction_id}": _form(decision="rejected", reason="no_proof"),
            "POST /api/corrections/{correction_id}/decision": _json(decision="rejected", reason="no_proof"),
            **REVOCATIONS,
        }  # fmt: skip
        makers = {
            "voyage": things.voyage,
            "acceptance": things.acceptance,
            "person": things.person,
            "hold": things.hold,
            "correction": things.correction,
        }
        yield World("intake", app, client, makers, contents)
    await database.aclose()


LIST = intake.a_list(intake.a_row(1), intake.a_row(2, sex="?"))


PROTECTOR = Actor("petugas-pdp", "KP2MI", frozenset({"data_protection_officer"}), authenticated_at=NOW)


class _Landed:
    """Voyages of two ports, and acceptances that intake has heard."""

    def __init__(self, database: Database, app: Any) -> None:
        self._database = database
        self._app = app
        self._cases: dict[str, str] = {}

    async def voyage(self, cell: Cell) -> str:
        who = intake.OFFICER if cell["region"] == "own" else intake.STRANGER
        return (await intake.a_voyage(self._database, actor=who)).voyage_id

    async def acceptance(self, cell: Cell) -> str:
        recorded = await self._app.state.desk.record(
            intake.OFFICER, intake.an_arrival(), key=new_id(), voyage_id=None, arrived_at=NOW
        )
        assignment_id, need = new_id(), "TIP" if cell["visibility"] == "restricted" else "WAGE"
        said: dict[str, Any] = {"assignment_id": assignment_id, "agency_id": OWN["agency"], "attempt": 1}

        def fact(kind: Any, **more: Any) -> Any:
            return intake.a_referral_fact(kind, recorded.case_id, need=need, **{**said, **more})

        facts = [fact(AssignmentAccepted, service_due_at=NOW)]
        if cell["state"] in ("helped", "long_ago"):
            facts.append(fact(AssignmentCompleted, outcome="SERVICE_DELIVERED"))
        elif cell["state"] == "failed":
            facts.append(fact(AssignmentFailed, outcome="NO_CAPACITY"))
        await intake.hear(self._database, *facts)
        if cell["state"] == "long_ago":
            await self._database.fetch(
                "UPDATE disclosure_grants SET ended_at = ended_at - interval '31 days' WHERE assignment_id = $1",
                assignment_id,
            )
        self._cases[assignment_id] = recorded.case_id
        return assignment_id

    async def person(self, cell: Cell) -> str:
        who = intake.OFFICER if cell["region"] == "own" else intake.STRANGER
        recorded = await self._app.state.desk.record(
            who, intake.an_arrival(), key=new_id(), voyage_id=None, arrived_at=NOW
        )
        if cell.get("state") == "held":
            await self._held(recorded.case_id)
        elif cell.get("state") == "erased":
            async with self._database.work(PROTECTOR, purpose="erase") as work:
                await erasures.erase_person(work, recorded.case_id, reason="request", reference="PPID/2026/1")
        return str(recorded.case_id)

    async def hold(self, cell: Cell) -> str:
        return await self._held(await self.person(cell))

    async def correction(self, cell: Cell) -> str:
        case_id = await self.person({"region": cell["region"]})
        async with self._database.work(PROTECTOR, purpose="correct") as work:
            asked = await corrections.request_correction(
                work, self._app.state.vault, case_id, field="alias", value="Emon", reference="PPID/2026/1"
            )
        if cell["state"] == "decided":
            async with self._database.work(PROTECTOR, purpose="correct") as work:
                await corrections.reject_correction(work, asked.correction_id, reason="no_proof")
        return asked.correction_id

    async def _held(self, case_id: str) -> str:
        async with self._database.work(PROTECTOR, purpose="protect") as work:
            placed = await holds.place_hold(work, case_id, reason="court", reference="PN-JKT/1/2026")
        return placed.hold_id

    def ask(self, id_: str, cell: Cell) -> Content:
        case_id = self._cases.get(id_) or new_id()
        body = {"case_id": case_id, "assignment_id": id_, "reader": "wati", "purpose": "read_identity"}
        return {"json": {**body, "agency_id": _side(cell, "agency", "organisation")}}


# ----------------------------------------------------------------------------------------------------- notify


@asynccontextmanager
async def notify_world(url: str, receiver: str) -> AsyncIterator[World]:
    database = await connect(url, service="notify", clock=FixedClock(NOW))
    actors = _actors(OWN["ngo"])
    place = receiver.partition("//")[2].partition("/")[0]
    async with _served("notify", services.notify.__main__, database, actors, webhook_allow_private=place) as (
        app,
        client,
    ):
        things = _Told(database, receiver, app.state.seal)
        one = "/{language:language}/langganan"
        wanted = {"name": "Posko", "url": f"{receiver}/ok", "events": ["referral.referral_opened.v1"]}
        contents: dict[str, Asked] = {
            "POST /api/subscriptions": _json(**wanted),
            "PUT /api/subscriptions/{subscription_id}": _json(**wanted),
            "PUT /api/subscriptions/{subscription_id}/status": lambda _, cell: {
                "json": {"status": "active" if cell["state"] == "paused" else "paused"}
            },
            f"POST {one}/baru": _form(name="Posko", url=f"{receiver}/ok", events="referral.referral_opened.v1"),
            f"POST {one}/{{subscription_id}}/ubah": _form(
                name="Posko", url=f"{receiver}/ok", events="referral.referral_opened.v1"
            ),
            **REVOCATIONS,
        }
        makers = {"subscription": things.subscription, "delivery": things.delivery, "task": things.task}
        yield World("notify", app, client, makers, contents)
    await database.aclose()


class _Told:
    """Subscriptions of two organisations, what was sent to them, and what they have to see to."""

    def __init__(self, database: Database, receiver: str, seal: Any) -> None:
        self._database = database
        self._receiver = receiver
        self._seal = seal

    async def subscription(self, cell: Cell) -> str:
        who = Actor("mila", _side(cell, "ngo", "organisation"), frozenset({"ngo_member"}))
        made = await notify.a_subscription(self._database, actor=who, url=f"{self._receiver}/ok", seal=self._seal)
        if cell.get("state") in ("paused", "ended"):
            act = subscriptions.pause_subscription if cell["state"] == "paused" else subscriptions.end_subscription
            async with self._database.work(who, purpose="subscribe") as work:
                await act(work, made)
        return made

    async def delivery(self, cell: Cell) -> str:
        subscription_id = await self.subscription({"organisation": cell["organisation"], "state": "active"})
        await notify.hear(self._database, notify.a_fact())
        [row] = await self._database.fetch(
            "SELECT delivery_id::text FROM deliveries WHERE subscription_id = $1", subscription_id
        )
        if cell["state"] != "waiting":
            await self._database.fetch(
                "UPDATE deliveries SET status = $2, ended_at = $3, attempts = 1, next_attempt_at = NULL,"
                " lease_until = NULL WHERE delivery_id = $1",
                row["delivery_id"],
                cell["state"],
                NOW - timedelta(minutes=1),
            )
        return str(row["delivery_id"])

    async def task(self, cell: Cell) -> str:
        delivery_id = await self.delivery({**cell, "state": "dead_lettered"})
        [row] = await self._database.fetch(
            "SELECT organisation, subscription_id::text FROM deliveries WHERE delivery_id = $1", delivery_id
        )
        about = (row["organisation"], row["subscription_id"], delivery_id)
        async with self._database.work(system("notify", "clock"), purpose="give_up") as work:
            await tasks.open_tasks(work, kind="dead_letter", about=[about])
        [task] = await self._database.fetch("SELECT task_id::text FROM tasks WHERE delivery_id = $1", delivery_id)
        return str(task["task_id"])


# ------------------------------------------------------------------------------------------------------ audit


@asynccontextmanager
async def audit_world(url: str) -> AsyncIterator[World]:
    database = await connect(url, service="audit", clock=FixedClock(NOW))
    actors = _actors("BPK")
    async with _served("audit", services.audit.__main__, database, actors) as (app, client):
        ledger = Ledger(database, app.state.signer)
        cases = {"normal": audit.CASE, "restricted": new_id()}
        records: list[dict[str, object]] = [{"case_id": case_id} for case_id in (*cases.values(), new_id())]
        await ledger.hear(*records)
        await ledger.seal()

        async def case(cell: Cell) -> str:
            return cases[cell["visibility"]]

        yield World("audit", app, client, {"case": case}, REVOCATIONS)
    await database.aclose()
