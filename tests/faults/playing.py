"""A small landing and everybody who answers it, through the public API: officer, tablets, agencies, one NGO.

What goes wrong is found by the demo's checker, and by what only the clients can know: what they were promised.
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, TypeVar

import aiohttp

from deploy.local.demo import checker, manifest, waiting
from deploy.local.demo.client import Client, Refused
from deploy.local.demo.evidence import Evidence
from tests.faults.rig import SETTLES_WITHIN_S, Rig

T = TypeVar("T")
Answer = Literal["help", "decline", "silence", "accept"]

PORT = "port-NNK"
NGO = "NGO-SBMI"
HEADING = "seq,full_name,sex,date_of_birth,nik,doc_type,doc_number,origin_regency_code,screening_flags"
REGENCIES = ("73.06", "73.71", "65.03", "53.06")
FLAGS = ("", "SICK", "", "WAGE", "", "PREG", "", "LEGAL")
DAMAGED_NIK = '"6,5E+15"'
ASKED = "SELECT DISTINCT agency_id FROM assignments WHERE state IN ('sent', 'delivered', 'acknowledged')"
CASES = "SELECT case_id::text FROM arrivals"
AWAY = (0, 503)
"""What a client gets from a service that is not there: no answer, or an honest no."""

LATE_S = 10.0
NO_LIST = "00000000-0000-0000-0000-000000000000"

_numbers = itertools.count(1)


@dataclass(slots=True)
class Landing:
    """The clients' own journal: what was sent, and what was acknowledged."""

    before: frozenset[str]
    """Cases that were there already."""
    voyage_id: str = ""
    manifest_id: str = NO_LIST
    listed: list[int] = field(default_factory=list)
    held_back: frozenset[int] = frozenset()
    acknowledged: list[str] = field(default_factory=list)
    """Case ids that intake answered to arrivals sent singly and in batches."""

    @property
    def people(self) -> int:
        return len(self.listed) - len(self.held_back) + len(self.acknowledged)


async def subscribe(rig: Rig) -> str:
    """The NGO subscribes to everything it may hear; the same subscription however often it asks."""
    wish = {"name": "all", "url": f"{rig.receiver.url}/ok", "provinces": [], "needs": [], "events": []}
    created = await patiently(lambda: rig.client(NGO, "notify").post("/api/subscriptions", wish))
    return str(created["subscription_id"])


async def land(rig: Rig, *, rows: int = 12, singles: int = 3, batch: int = 2) -> Landing:
    """Record some people by hand, then announce a voyage and send its list; lost answers are asked for again."""
    number = next(_numbers)
    landing = Landing(frozenset(row[0] for row in await rig.databases.connections["intake"].fetch(CASES)))
    port = rig.client(PORT, "intake")
    for n in range(singles):
        await record(port, landing, {"full_name": f"Satu {number} {n}", "sex": "M", "age": 30, "needs": ["SICK"]})
    if batch:
        people = [
            {"key": f"{number}-{n}", "full_name": f"Lot {number} {n}", "sex": "F", "age": 25} for n in range(batch)
        ]
        said = await patiently(lambda: port.post("/api/arrivals/batch", {"arrivals": people}))
        landing.acknowledged += [result["arrival"]["case_id"] for result in said["results"]]
    await announce(port, landing, rows=rows)
    if rows:
        await confirm(port, landing, a_list(number, rows))
    return landing


async def record(port: Client, landing: Landing, person: dict[str, Any]) -> str:
    """Record one person, and once more with the same key: the answer must be the same case."""
    first, again = [await patiently(lambda: port.post("/api/arrivals", person)) for _ in range(2)]
    assert again["case_id"] == first["case_id"], "the same key answered with another case"
    landing.acknowledged.append(first["case_id"])
    return str(first["case_id"])


async def announce(port: Client, landing: Landing, *, rows: int) -> None:
    at = datetime.now(UTC).replace(microsecond=0).isoformat()
    voyage = {"modality": "deportation", "vessel": "KM Uji", "announced": rows, "expected_at": at}
    landing.voyage_id = (await patiently(lambda: port.post("/api/voyages", voyage)))["voyage_id"]


async def confirm(port: Client, landing: Landing, content: bytes) -> None:
    """Look at the preview of a list, then confirm it."""
    path = f"/api/voyages/{landing.voyage_id}/manifest"
    preview = await patiently(lambda: port.post(path, content, preview="1"))
    landing.held_back = frozenset(problem["row"] for problem in preview["problems"])
    landing.listed = [row.number for row in manifest.parse("list", content).rows]
    taken = await patiently(lambda: port.post(path, content))
    landing.manifest_id = taken["manifest_id"]
    assert (taken["listed"], taken["rejected"]) == (len(landing.listed), len(landing.held_back)), taken


def a_list(number: int, rows: int) -> bytes:
    """A manifest; the NIK of its third row is damaged, so that one row is held back."""
    lines = [
        f"{n},Daftar {number} Nomor {n},{'MF'[n % 2]},19{60 + n % 40}-05-1{n % 9},{DAMAGED_NIK if n == 3 else ''},"
        f"SPLP,XS{number:04}{n:04},{REGENCIES[n % len(REGENCIES)]},{FLAGS[n % len(FLAGS)]}"
        for n in range(1, rows + 1)
    ]
    return "\n".join([HEADING, *lines]).encode()


class Agencies:
    """All desks of the country. Of four first attempts one is helped to the end, one declined, one left unanswered
    and one accepted; every later attempt is accepted, and helped to the end as long as nobody has been: on a busy
    machine the time for a first answer may be over before it is given."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.identities: list[dict[str, str]] = []
        """Who the people are whom an agency asked for."""
        self._turn: Iterator[Answer] = itertools.cycle(("help", "decline", "silence", "accept"))
        self._choices: dict[str, Answer] = {}
        self._desks: dict[str, Client] = {}

    async def tend(self) -> None:
        """Answer until every need is referred and nobody is asked any more."""
        end = time.monotonic() + SETTLES_WITHIN_S
        questions = waiting.answered(self._rig.databases)
        while left := {what: n for what, ask in questions.items() if (n := await ask()) > 0}:
            assert time.monotonic() < end, f"still open: {left}"
            asked = [row[0] for row in await self._rig.databases.connections["referral"].fetch(ASKED)]
            await asyncio.gather(*map(self._at_desk, asked))
            await asyncio.sleep(0.05)

    async def _at_desk(self, agency_id: str) -> None:
        if agency_id not in self._desks:
            self._desks[agency_id] = self._rig.client(agency_id, "referral")
        desk = self._desks[agency_id]
        inbox = await patiently(lambda: desk.get("/api/inbox", state="sent", limit="500"))
        by: dict[Answer, list[str]] = {"help": [], "decline": [], "silence": [], "accept": []}
        for item in inbox["items"]:
            id_ = item["assignment_id"]
            if id_ not in self._choices:
                later: Answer = "accept" if self.identities else "help"
                self._choices[id_] = next(self._turn) if item["attempt"] == 1 else later
            by[self._choices[id_]].append(id_)
        await send(desk, "declines", [{"assignment_id": i, "reason": "no_capacity"} for i in by["decline"]])
        await send(desk, "acceptances", [{"assignment_id": i} for i in by["accept"]])
        helped = await send(desk, "acceptances", [{"assignment_id": i} for i in by["help"]])
        for id_ in helped:
            answer = await patiently(partial(desk.get, f"/api/assignments/{id_}/identity"))
            self.identities.append(answer["fields"])
        await send(desk, "completions", [{"assignment_id": i, "outcome": "SERVICE_DELIVERED"} for i in helped])


async def send(desk: Client, verb: str, items: Sequence[dict[str, Any]]) -> list[str]:
    """Post answers in bulk; the ids that were taken."""
    if not items:
        return []
    said = await patiently(lambda: desk.post(f"/api/assignments/{verb}", {"items": list(items)}))
    return [item["assignment_id"] for item in said["items"] if item["ok"]]


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again while the service is away, as its client would: with the same key."""
    end = time.monotonic() + SETTLES_WITHIN_S
    while True:
        try:
            return await ask()
        except Refused as refused:
            if refused.status not in AWAY or time.monotonic() > end:
                raise


async def once(
    client: Client, method: str, path: str, body: Any = None, *, key: str = "", headers: Mapping[str, str] | None = None
) -> tuple[int, Mapping[str, str], str]:
    """One request, not repeated: status (0 when there was no answer), headers and body of the answer."""
    own = {"Authorization": f"Bearer {await client._bearer()}", "Accept-Language": "en", **(headers or {})}
    if key:
        own["Idempotency-Key"] = key
    try:
        async with client.http.request(method, client.url + path, json=body, headers=own) as answer:
            return answer.status, answer.headers, await answer.text()
    except (aiohttp.ClientConnectionError, TimeoutError):
        return 0, {}, ""


async def judge(rig: Rig, landing: Landing) -> list[str]:
    """Everything that is wrong, in words. What only came a moment late is not lost, so it gets a second look."""
    end = time.monotonic() + LATE_S
    while True:
        seen = await rig.seen(landing.manifest_id, landing.listed, landing.held_back)
        wrong = [
            *map(str, checker.check(seen).findings),
            *promised(seen, landing),
            *out_of_order(seen),
            *notices(rig, seen),
        ]
        if not wrong or time.monotonic() > end:
            return wrong
        await asyncio.sleep(0.2)


def promised(seen: Evidence, landing: Landing) -> list[str]:
    """Each acknowledged arrival is there, and nobody who was not sent."""
    there = {arrival.case_id for arrival in seen.arrivals}
    wrong = [f"acknowledged arrival {case_id} is not there" for case_id in landing.acknowledged if case_id not in there]
    fresh = len(there - landing.before)
    return wrong if fresh == landing.people else [*wrong, f"{landing.people} people were sent, {fresh} recorded"]


def out_of_order(seen: Evidence) -> list[str]:
    """In each topic the facts of a case come, for the first time, in the order in which they were told."""
    wrong = []
    latest: dict[tuple[str, str], int] = {}
    known: set[str] = set()
    for record in seen.records:
        if record.event_id in known:
            continue
        known.add(record.event_id)
        at = (record.topic, record.key)
        if record.case_seq <= latest.get(at, 0):
            wrong.append(f"{record.topic}: number {record.case_seq} of case {record.key} came after {latest[at]}")
        latest[at] = record.case_seq
    return wrong


def notices(rig: Rig, seen: Evidence) -> list[str]:
    """Each notice came under the id of its delivery, always with the same bytes; none came that nobody queued."""
    bodies: dict[str, set[bytes]] = {}
    for one in rig.receiver.received:
        bodies.setdefault(one.headers["webhook-id"], set()).add(one.body)
    queued = {delivery.delivery_id for delivery in seen.deliveries}
    return [
        *(f"notice {id_} never came" for id_ in sorted(queued - bodies.keys())),
        *(f"notice {id_} came, but there is no such delivery" for id_ in sorted(bodies.keys() - queued)),
        *(f"notice {id_} came with {len(texts)} bodies" for id_, texts in bodies.items() if len(texts) > 1),
    ]
