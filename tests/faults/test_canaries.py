"""Values planted in every identifying field are found nowhere but in intake's vault, where nobody can read them.

They come in by the list, the form, singly and by the batch, right and wrong, in addresses and as the key of a write;
people are then found by them, corrected and handed what is kept. They are looked for in every column of every database,
in Kafka, logs, spans, metrics, notices, the ledger's tiles and its proof bundles.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from deploy.local.demo import leaks, person
from deploy.local.demo.leaks import Canaries, Leak
from shared.kit.ids import new_id
from tests.conftest import Background
from tests.faults import playing
from tests.faults.collector import Span
from tests.faults.playing import Landing
from tests.faults.rig import Rig
from tests.waiting import until

COLUMNS = (
    *("full_name", "alias", "nik", "doc_number", "birthplace", "mother_name", "origin_village", "family_contact"),
    *("health_note", "language", "country_from", "region_from", "detained_at", "employer", "sector", "return_reason"),
)
API_FIELD = {"doc_number": "document_number"}
WORDS = ("kanariwaria", "kanaribanta", "kanaricolek", "kanaridunta", "kanarielang")
BIRTHS = ("1951-02-17", "1988-10-29", "1979-07-31", "1993-12-13", "1966-04-23")
FLAGS = ("", "SICK", "LEGAL", "WAGE", "TIP")
CSRF = re.compile(r'name="csrf" value="([^"]+)"')
BASE64 = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")


def a_canary(n: int) -> dict[str, str]:
    """One value per identifying column, each of which is found once in the world."""
    word = WORDS[n]
    year, month, day = BIRTHS[n].split("-")
    return {
        **{column: f"{word}{place}" for place, column in enumerate(COLUMNS)},
        "full_name": f"Siti {word} binti {word[::-1]}",
        "nik": f"65039{n}{int(day) + 40}{month}{year[2:]}{''.join(str(ord(letter) % 10) for letter in word[6:10])}",
        "doc_number": f"{word[6:].upper()}77{n}31",
        "family_contact": f"+62 811 90{n}4 77{n}3",
    }


@pytest.fixture(scope="module")
def planted() -> list[dict[str, str]]:
    return [a_canary(n) for n in range(len(WORDS))]


@pytest.mark.timeout(300)
def test_a_name_is_found_nowhere_but_in_the_vault(
    rig: Rig, background: Background, planted: list[dict[str, str]]
) -> None:
    background.run(_plant_and_search(rig, planted))


async def _plant_and_search(rig: Rig, planted: list[dict[str, str]]) -> None:
    await playing.subscribe(rig)
    agencies = playing.Agencies(rig)
    cases = await _plant(rig, planted)
    await agencies.tend()
    shown = await _handle(rig, cases[0], planted[2])
    await rig.settle()
    values = [*(value for canary in planted for value in canary.values()), *WORDS, *BIRTHS]

    told = json.dumps(agencies.identities).encode()
    assert Canaries(values).found_in(told) & {canary["full_name"] for canary in planted}, "they were not planted"
    assert all(planted[2]["full_name"] in text for text in shown), "what is kept was not shown"
    found = [
        *await leaks.leaks(
            values,
            databases=dict(rig.owners),
            bootstrap=rig.running.bootstrap,
            folders=[rig.running.data / "logs"],
        ),
        *_found(values, "notice", _notices(rig)),
        *_found(values, "telemetry", rig.collector.texts()),
        *_found(values, "ledger", await _ledger(rig, cases)),
    ]
    assert found == []


async def _plant(rig: Rig, planted: list[dict[str, str]]) -> list[str]:
    """Each way in takes some of them. Answers the case ids that were told back."""
    port = rig.client(playing.PORT, "intake")
    listed, single, batched, wrong = planted[:2], planted[2], planted[3], planted[4]
    landing = Landing(frozenset())
    await playing.announce(port, landing, rows=4)
    lines = [[*canary.values(), "F", born, flags] for canary, born, flags in zip(listed, BIRTHS, FLAGS, strict=False)]
    lines += [[*{**wrong, "nik": f"{WORDS[4]}x"}.values(), "F", BIRTHS[4], ""], [*wrong.values(), WORDS[4], "", ""]]
    heading = [*planted[0], "sex", "date_of_birth", "screening_flags"]
    content = "\n".join(",".join(line) for line in [heading, *lines]).encode()
    await playing.confirm(port, landing, content)
    assert len(landing.held_back) == 2
    await playing.record(port, landing, _by_api(single, BIRTHS[2], FLAGS[2]))
    batch = {"arrivals": [{"key": batched["doc_number"], **_by_api(batched, BIRTHS[3], FLAGS[3])}]}
    said = await playing.patiently(lambda: port.post("/api/arrivals/batch", batch))
    refused = [
        await playing.once(port, "POST", "/api/arrivals", {**_by_api(wrong, BIRTHS[4], ""), **bad}, key=new_id())
        for bad in ({"nik": WORDS[4]}, {WORDS[4]: "1"}, {"sex": WORDS[4]}, {"full_name": WORDS[4] * 20})
    ]
    assert [status for status, _, _ in refused] == [422] * 4
    for path in (f"/api/voyages?day={WORDS[4]}", f"/api/voyages/{WORDS[4]}", f"/id/{WORDS[4]}", f"/{WORDS[4]}?q=1"):
        assert (await playing.once(port, "GET", path))[0] in (404, 422)
    await _write_down(rig, landing.voyage_id, single, wrong)
    return [*landing.acknowledged, said["results"][0]["arrival"]["case_id"]]


async def _write_down(rig: Rig, voyage_id: str, right: dict[str, str], wrong: dict[str, str]) -> None:
    """An officer at the quay fills in the form, once well and once with a number that is none."""
    async with person.signed_in(rig.running.urls["intake"], "petugas.nnk") as officer:
        path = f"/id/pelayaran/{voyage_id}/catat"
        token = CSRF.search(await officer.get(path))
        assert token
        for canary, nik, status in ((right, right["nik"], 200), (wrong, WORDS[4], 422)):
            named = {API_FIELD.get(column, column): value for column, value in canary.items()}
            form = {**named, "nik": nik, "sex": "F", "age": "40", "csrf": token[1], "idempotency_key": new_id()}
            async with officer.http.post(officer.url + path, data=form) as answer:
                assert answer.status == status, await answer.text()


async def _handle(rig: Rig, case_id: str, canary: dict[str, str]) -> list[str]:
    """The officer for the protection of data finds somebody by number, corrects a field, hands out what is kept.

    Answers what was handed out, as JSON and as a page.
    """
    async with person.signed_in(rig.running.urls["intake"], "dpo") as dpo:
        token = CSRF.search(await dpo.get("/id/data-pribadi"))
        assert token

        async def post(path: str, status: int, said: dict[str, str], *, form: bool = False) -> str:
            sent: dict[str, Any] = {"data": {**said, "csrf": token[1]}} if form else {"json": said}
            headers = {"X-CSRF-Token": token[1], "Idempotency-Key": f"{canary['doc_number']}/{path}"}
            async with dpo.http.post(dpo.url + path, headers=headers, **sent) as answer:
                assert answer.status == status, await answer.text()
                return await answer.text()

        kept, asked = f"cases/{case_id}", {"reference": "PPID/2026/0113"}
        for number in (canary["nik"], WORDS[4]):
            found = await post("/api/persons/search", 200, {"by": "nik", "value": number})
            assert (case_id in found) == (number == canary["nik"])
            await post("/id/data-pribadi", 200, {"by": "nik", "value": number}, form=True)
        await post(f"/api/{kept}/corrections", 422, {**asked, "field": "nik", "value": WORDS[4]})
        wish = {**asked, "field": "alias", "value": WORDS[2]}
        new = json.loads(await post(f"/api/{kept}/corrections", 201, wish))["correction_id"]
        await dpo.get(f"/id/perbaikan/{new}")
        await post(f"/api/corrections/{new}/decision", 204, {"decision": "accepted"})
        return [
            await post(f"/api/{kept}/export", 200, asked),
            await post(f"/id/data-pribadi/{case_id}/salinan", 200, asked, form=True),
        ]


def _by_api(canary: dict[str, str], born: str, flag: str) -> dict[str, Any]:
    named = {API_FIELD.get(column, column): value for column, value in canary.items()}
    return {**named, "sex": "F", "birth_date": born, "needs": [flag] if flag else []}


def _notices(rig: Rig) -> Iterator[bytes]:
    for one in rig.receiver.received:
        yield json.dumps([one.path, one.headers]).encode() + one.body


async def _ledger(rig: Rig, cases: list[str]) -> list[bytes]:
    """Proof bundles, trails, the checkpoint and the tiles, with what is written in base64 in them."""
    read: dict[str, bytes] = {}
    async with person.signed_in(rig.running.urls["audit"], "auditor") as auditor:

        async def get(path: str) -> bytes:
            async with auditor.http.get(auditor.url + path) as answer:
                assert answer.status == 200, path
                read[path] = await answer.read()
            return read[path]

        for case in cases:
            await get(f"/api/cases/{case}/proof")
            await get(f"/api/cases/{case}/trail")
            await get(f"/id/kasus/{case}")
        size = int((await get("/checkpoint")).splitlines()[1])
        for kind in ("0", "entries"):
            await get(f"/tile/{kind}/{_tile(size)}")
    return [part for content in read.values() for part in (content, *_decoded(content.decode("latin-1")))]


def _tile(size: int) -> str:
    """The path of the first tile of a tree of this size."""
    return "000" if size >= 256 else f"000.p/{size}"


def _decoded(text: str) -> Iterator[bytes]:
    for match in BASE64.findall(text):
        for decode in (base64.b64decode, base64.urlsafe_b64decode):
            try:
                yield decode(match + "=" * (-len(match) % 4))
            except ValueError:
                continue


def _found(values: Iterable[str], place: str, contents: Iterable[bytes]) -> list[Leak]:
    canaries = Canaries(values)
    return [Leak(place, value) for content in contents for value in sorted(canaries.found_in(content))]


@pytest.mark.timeout(300)
def test_one_trace_leads_from_the_request_through_journal_and_kafka_to_the_webhook(
    rig: Rig, background: Background
) -> None:
    background.run(_follow(rig))


async def _follow(rig: Rig) -> None:
    await playing.subscribe(rig)
    trace, caller = new_id().replace("-", ""), new_id().replace("-", "")[-16:]
    person_ = {"full_name": "Orang Dilacak", "sex": "F", "age": 44, "origin_regency": "73.06"}
    status, _, body = await playing.once(
        rig.client(playing.PORT, "intake"),
        *("POST", "/api/arrivals", person_),
        key=new_id(),
        headers={"traceparent": f"00-{trace}-{caller}-01"},
    )
    assert status == 201
    case = json.loads(body)["case_id"]
    await playing.Agencies(rig).tend()
    await rig.settle()
    for service in ("intake", "referral", "notify"):
        rows = await rig.databases.connections[service].fetch(
            "SELECT traceparent FROM journal WHERE case_id = $1", case
        )
        # What a clock does by itself, an expiry for instance, belongs to no request.
        assert any(trace in (row["traceparent"] or "") for row in rows), service

    webhooks = [one.headers.get("traceparent", "").split("-") for one in rig.receiver.received]
    ends = [parts[2] for parts in webhooks if parts[1:2] == [trace]]
    assert ends, "no notice carried the trace on"
    await until(lambda: [span.parent for span in _spans(rig, trace, ends[0])][-1:] == [caller])
    names = [span.name for span in _spans(rig, trace, ends[0])]
    assert names == ["notify.send", "notify.hear", "referral.hear", "POST record_arrival"]


def _spans(rig: Rig, trace: str, last: str) -> list[Span]:
    """This span and its parents, upwards as far as they are known."""
    known = {span.span_id: span for span in rig.collector.spans(trace)}
    found: list[Span] = []
    while last in known:
        found.append(known[last])
        last = known[last].parent
    return found
