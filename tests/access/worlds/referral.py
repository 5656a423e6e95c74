"""The world of referral: needs and attempts, copies to erase, cases opened in an emergency."""

import base64
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import orjson

import services.referral.__main__
from services.referral import rules
from services.referral.actions import asking, importing, ruling, steering, supervising
from services.referral.actions.answering import Answer
from services.referral.actions.asking import Reply
from services.referral.actions.routing import Routing
from services.referral.actions.steering import Hold
from services.referral.actions.supervising import Closing
from services.referral.domain.glass import REVIEW_WITHIN, Glass
from services.referral.domain.households import Reunification
from services.referral.domain.pauses import Pause
from services.referral.domain.referrals import closings
from services.referral.store import glasses, households, pauses
from shared.contracts import codes
from shared.kit.actor import Actor, system
from shared.kit.clock import FixedClock
from shared.kit.database import connect
from shared.kit.ids import new_id
from tests.access.matrix import Cell
from tests.access.worlds.world import (
    NOW,
    OTHER,
    OWN,
    REVOCATIONS,
    Asked,
    World,
    actors_at,
    form,
    one,
    served,
    side,
    the,
)
from tests.referral import factories as referral
from tests.referral.conftest import Desk
from tests.referral.intake_server import IntakeServer

KINDS = ("DINKES", "DINSOS", "DISNAKER")
TAKER = {"normal": "DISNAKER-73", "restricted": "UPTDPPA-73"}
"""Who may be named to take over."""
LOCAL = (NOW - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
MINUTES = {"number": "BAST/1", "receiver": "social_ministry", "witness": "police", "place": "73.06"}
LATER = (NOW + timedelta(days=3)).isoformat()
AGES = {"open": timedelta(), "over": timedelta(hours=5), "overdue": REVIEW_WITHIN + timedelta(hours=1)}
"""How long ago a glass was broken that is in such a state."""
ENTRY = "DINSOS-73.06"
OFFICE = {
    **{f"/api/agencies/{{office}}{part}": f"/api/agencies/{ENTRY}{part}" for part in ("", "/versions", "/changes")},
    "/id/direktori/{office}": f"/id/direktori/{ENTRY}",
    "/id/direktori/{office}/jeda": "/id/direktori/DISDUKCAPIL-11.01/jeda",
    "/id/direktori/berkas.{format_}": "/id/direktori/berkas.csv",
}
NOTHING = b"kind,name\n"
SEEN = importing.looked(NOTHING, {}, frozenset()).digest
PACKED = base64.urlsafe_b64encode(zlib.compress(NOTHING)).decode()
STATEMENT = {"number": "PNL/1", "refuser": "self", "witness": "village", "place": "11.01"}
PLACES = {"sex": "F", "age_band": "any", "offered": 2, "expires_at": LATER}


def a_version() -> str:
    """A name that no rules have."""
    return f"v{new_id().replace('-', '')[-20:]}"


def a_file() -> dict[str, Any]:
    """A directory without any office, which changes nothing."""
    return {"content": NOTHING, "headers": {"content-type": "text/csv"}}


def other_rules() -> bytes:
    """The rules in force in other words, as nobody has said them before."""
    text = orjson.loads(rules.shipped(rules.latest()))
    next(node for node in text["nodes"] if node["id"] == "candidates")["content"]["rules"][0]["_description"] = new_id()
    return orjson.dumps(text)


def a_number() -> str:
    """A telephone number that no office had before."""
    return f"+62 {new_id().replace('-', '').translate(str.maketrans('abcdef', '012345'))[-16:]}"


@asynccontextmanager
async def referral_world(url: str) -> AsyncIterator[World]:
    clock = FixedClock(NOW)
    server = IntakeServer()
    await server.start()
    database = await connect(url, service="referral", clock=clock)
    desk = Desk(database, clock, Routing(rules.load(rules.latest())))
    actors = actors_at(OWN["agency"], region=OWN["region"], port=OWN["port"])
    places = {"intake_url": server.url, "oidc_issuer": server.url, "oidc_client_secret": "s"}
    async with served("referral", services.referral.__main__, database, actors, **places) as (app, client):
        things = _Needs(desk)
        worker = "/{language:language}/rujukan/{assignment_id}"
        over = "/{language:language}/eskalasi/{referral_id}"
        contents: dict[str, Asked] = {
            "POST /api/assignments/acknowledgements": one(assignment_id=...),
            "POST /api/assignments/acceptances": one(assignment_id=...),
            "POST /api/assignments/declines": one(assignment_id=..., reason="no_capacity"),
            "POST /api/assignments/starts": one(assignment_id=...),
            "POST /api/assignments/completions": one(assignment_id=..., outcome="SERVICE_DELIVERED"),
            "POST /api/assignments/failures": one(assignment_id=..., outcome="NO_CAPACITY"),
            "POST /api/assignments/undoings": one(assignment_id=...),
            "POST /api/assignments/waitlistings": one(assignment_id=..., until=LATER),
            "POST /api/assignments/questions": one(assignment_id=..., question="company"),
            "POST /api/assignments/takeovers": one(assignment_id=...),
            f"POST {worker}/ambil-alih": form(),
            "POST /api/assignments/handovers": lambda id_, _: {
                "json": {
                    "items": [{"assignment_id": id_, "documents": ["none"], "condition": "well"}],
                    "handed_at": NOW.isoformat(),
                    "signed_at": NOW.isoformat(),
                    **MINUTES,
                }
            },
            f"POST {worker}/berita-acara": form(
                documents="none", condition="well", handed_at=LOCAL, signed_at=LOCAL, **MINUTES | {"number": "BAST/2"}
            ),
            "POST /api/reunifications/decisions": one(task_id=..., decision="persons_wish"),
            "POST /api/reunifications/joins": one(task_id=...),
            "POST /{language:language}/keluarga-terpisah/{task_id}/satukan": form(),
            "POST /{language:language}/keluarga-terpisah/{task_id}": form(decision="persons_wish"),
            "POST /api/assignments/refusals": lambda id_, _: {
                "json": {
                    "items": [{"assignment_id": id_}],
                    "explained_in": "id",
                    "explained": ["help_offered", "what_follows"],
                    "refused_at": NOW.isoformat(),
                    "signed_at": NOW.isoformat(),
                    **STATEMENT,
                }
            },
            "POST /api/referrals/refusals": lambda id_, _: {
                "json": {
                    "items": [{"referral_id": id_}],
                    "explained_in": "id",
                    "explained": ["help_offered", "what_follows"],
                    "refused_at": NOW.isoformat(),
                    "signed_at": NOW.isoformat(),
                    **STATEMENT,
                }
            },
            f"POST {over}/penolakan": form(
                language="id",
                explained=["help_offered", "what_follows"],
                refused_at=LOCAL,
                signed_at=LOCAL,
                **STATEMENT,
            ),
            f"POST {worker}/penolakan": form(
                language="id",
                explained=["help_offered", "what_follows"],
                refused_at=LOCAL,
                signed_at=LOCAL,
                **STATEMENT,
            ),
            "POST /api/assignments/transfers": lambda id_, cell: one(
                assignment_id=..., agency_id=TAKER[cell["visibility"]]
            )(id_, cell),
            "POST /api/assignments/forwards": lambda id_, cell: one(
                assignment_id=..., agency_id=TAKER[cell["visibility"]], reason="outside_region"
            )(id_, cell),
            f"POST {worker}/tunggu": form(days="3"),
            f"POST {worker}/tanya": form(question="company"),
            f"POST {worker}/alihkan": lambda id_, cell: form(taker=TAKER[cell["visibility"]])(id_, cell),
            f"POST {worker}/teruskan": lambda id_, cell: form(right=TAKER[cell["visibility"]], why="outside_region")(
                id_, cell
            ),
            "POST /{language:language}/buka": form(),
            "POST /{language:language}/tolak": form(reason="outside_region"),
            "POST /{language:language}/urungkan": form(),
            "POST /api/referrals/recalls": one(referral_id=..., reason="NEW_FACTS"),
            "POST /api/referrals/errors": one(referral_id=..., attempt=1),
            "POST /api/referrals/holds": one(referral_id=..., reason="IN_HOSPITAL", until=LATER, personally=True),
            "POST /api/referrals/resumptions": one(referral_id=...),
            f"POST {over}/tarik": form(recall="NEW_FACTS"),
            f"POST {over}/keliru": form(attempt="1", sure="1"),
            f"POST {over}/tunda": form(hold="IN_HOSPITAL", days="3", personally="1"),
            f"POST {over}/lanjut": form(),
            "POST /api/pauses/liftings": one(pause_id=...),
            "POST /api/questions/answers": one(question_id=..., answer="alone"),
            "POST /{language:language}/pertanyaan/{question_id}": form(answer="alone"),
            "POST /api/cancellations/confirmations": one(assignment_id=...),
            f"POST {worker}/terima": form(),
            f"POST {worker}/tolak": form(reason="no_capacity"),
            f"POST {worker}/mulai": form(),
            f"POST {worker}/selesai": form(outcome="SERVICE_DELIVERED"),
            f"POST {worker}/gagal": form(failure="NO_CAPACITY"),
            "POST /{language:language}/terima": form(),
            "POST /api/referrals/takes": one(referral_id=...),
            "POST /api/referrals/closures": one(referral_id=..., reason=things.closing, personally=True),
            "POST /api/referrals/reopenings": one(referral_id=..., reason=things.reopening),
            f"POST {over}/minta": form(),
            f"POST {over}/tutup": form(reason=things.closing, personally="1"),
            f"POST {over}/buka": form(reason=things.reopening),
            "POST /api/erasures/confirmations": one(task_id=...),
            "POST /api/copies/confirmations": one(task_id=...),
            "POST /{language:language}/salinan/{task_id}/konfirmasi": form(done="1"),
            "POST /{language:language}/salinan/{task_id}/wakili": form(done="1"),
            "POST /{language:language}/darurat": form(
                number=await things.case_here(),
                matter="help",
                reason="danger_to_life",
                reference="ND/1/2026",
                hours="1",
            ),
            "POST /{language:language}/darurat/{glass_id}/tinjauan": form(decision="justified"),
            "POST /api/agencies/previews": lambda *_: a_file(),
            "POST /api/what-if": lambda *_: a_file(),
            "POST /api/agencies/imports": lambda *_: a_file() | {"params": {"digest": SEEN}},
            "POST /api/agencies/{office}/changes": lambda *_: {"json": {"fields": {"phone": a_number()}}},
            "POST /api/agencies/own/changes": lambda *_: {"json": {"fields": {"phone": a_number()}}},
            "POST /{language:language}/kantor": lambda *_: {"data": {"phone": a_number()}},
            "POST /{language:language}/kantor/benar": form(),
            "POST /{language:language}/kantor/tempat": form(sex="M", age_band="any", offered="2", days="3"),
            "POST /{language:language}/direktori/berkas": lambda *_: {"files": {"file": ("direktori.csv", NOTHING)}},
            "POST /{language:language}/direktori/berkas/terima": form(content=PACKED, digest=SEEN),
            "POST /{language:language}/direktori/{office}": lambda *_: {
                "data": {"name": "Dinas Sosial Gowa", "zone": "Asia/Makassar", "phone": a_number()}
            },
            "POST /{language:language}/direktori/{office}/jeda": form(suspend="yes"),
            "POST /api/rules": lambda *_: {
                "content": other_rules(),
                "headers": {"content-type": "application/json"},
                "params": {"version": a_version()},
            },
            "POST /{language:language}/aturan": lambda *_: {
                "data": {"version": a_version()},
                "files": {"file": ("rules.json", other_rules())},
            },
            "POST /api/places": lambda *_: {"json": {"items": [PLACES]}},
            **REVOCATIONS,
        }
        makers = {
            "assignment": things.assignment,
            "need": things.need,
            "request": things.request,
            "pause": things.pause,
            "reunification": things.reunification,
            "question": things.question,
            "cancellation": things.cancellation,
            "erasure": things.erasure,
            "glass": things.glass,
            "rules": things.rules,
        }
        yield World("referral", app, client, makers, contents, OFFICE)
    await database.aclose()
    await server.stop()


class _Needs:
    """Needs and attempts, brought where a cell wants them by what agencies and supervisors really do."""

    closing = closings("open")[0]
    reopening = "NEED_REMAINS"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._paused = 0

    async def assignment(self, cell: Cell) -> str:
        agency, region = side(cell, "agency", "organisation"), side(cell, "region", "region")
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
        agency, region = side(cell, "agency", "organisation"), side(cell, "region", "region")
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

    async def request(self, cell: Cell) -> str:
        """A need that is asked of an agency elsewhere, or that waits."""
        region = side(cell, "region", "region")
        assignment_id = await self._asked("BP3MI-11", region, restricted=cell["visibility"] == "restricted")
        referral_id = await self._desk.referral_of(assignment_id)
        if cell["state"] == "held":
            until = NOW + timedelta(days=3)
            async with self._desk.database.work(_supervisor(region), purpose="supervise") as work:
                [held] = await steering.hold_needs(work, [Hold(referral_id, "IN_HOSPITAL", until, personally=True)])
            assert not isinstance(held, Exception), repr(held)
        return referral_id

    async def reunification(self, cell: Cell) -> str:
        """Somebody whose household is helped elsewhere."""
        apart = Reunification(
            task_id=new_id(),
            household_id=new_id(),
            case_id=new_id(),
            agency_id="BP3MI-11",
            apart_from="BP3MI-73",
            regency=side(cell, "region", "region"),
            reason="declined",
            opened_at=NOW,
            rung="agency_supervisor",
            due_at=NOW + timedelta(days=3),
        )
        async with self._desk.database.work(system("referral", "test"), purpose="test") as work:
            await households.add_tasks(work, [apart])
        return apart.task_id

    async def pause(self, cell: Cell) -> str:
        """An office of the region that declined such a need; each time another kind of need."""
        self._paused += 1
        paused = Pause(
            pause_id=new_id(),
            agency_id=f"{KINDS[self._paused // 18 % 3]}-{side(cell, 'region', 'region')}",
            need=sorted(codes.needs())[self._paused % 18],
            restricted=True,
            region=None,
            reason="no_capacity",
            since=NOW,
            until=NOW + timedelta(days=3),
        )
        async with self._desk.database.work(system("referral", "test"), purpose="test") as work:
            await pauses.add_pauses(work, [paused])
        return paused.pause_id

    async def question(self, cell: Cell) -> str:
        """A question to a port, asked by an agency elsewhere."""
        assignment_id = await self._asked("BP3MI-11", OTHER["region"], restricted=False)
        port = side(cell, "port", "region")
        await self._desk.rows(
            "UPDATE referrals r SET port = $2 FROM assignments a WHERE a.referral_id = r.referral_id"
            " AND a.assignment_id = $1 RETURNING 1",
            assignment_id,
            port,
        )
        async with self._desk.database.work(referral.an_agency("BP3MI-11"), purpose="ask") as work:
            await asking.ask_port(work, [Answer(assignment_id, question="company")], routing=self._desk.routing)
        [row] = await self._desk.rows("SELECT question_id::text FROM questions WHERE assignment_id = $1", assignment_id)
        if cell["state"] == "answered":
            officer = Actor("petugas", "P4MI", frozenset({"port_officer"}), port=port)
            async with self._desk.database.work(officer, purpose="answer") as work:
                replies = [Reply(row["question_id"], "alone")]
                await asking.answer_questions(work, replies, routing=self._desk.routing)
        return str(row["question_id"])

    async def cancellation(self, cell: Cell) -> str:
        """Help that a supervisor ended; the region is that of who sees to it, wherever the agency is."""
        agency, region = side(cell, "agency", "organisation"), OTHER["region"]
        assignment_id = await self._asked(agency, region, restricted=False)
        await self._do("accept", agency, Answer(assignment_id))
        referral_id = await self._desk.referral_of(assignment_id)
        async with self._desk.database.work(_supervisor(region), purpose="supervise") as work:
            [closed] = await supervising.close_needs(work, [Closing(referral_id, "PERSON_LEFT")])
        assert not isinstance(closed, Exception), repr(closed)
        await self._desk.rows(
            "UPDATE cancellations SET region = $2, confirm_by = confirm_by - $3::interval WHERE assignment_id = $1"
            " RETURNING 1",
            assignment_id,
            side(cell, "region", "region"),
            timedelta(days=2) if cell["state"] == "overdue" else timedelta(),
        )
        return assignment_id

    async def erasure(self, cell: Cell) -> str:
        """A task of an agency; the region is that of the task, wherever the agency is."""
        case_id = new_id()
        await self._desk.erase(referral.an_erasure(case_id, side(cell, "agency", "organisation")))
        shift = timedelta(days=4) if cell["state"] == "overdue" else timedelta()
        [row] = await self._desk.rows(
            "UPDATE recipient_tasks SET region = $2, asked_at = asked_at - $3::interval,"
            " confirm_by = confirm_by - $3::interval WHERE case_id = $1 RETURNING task_id::text",
            case_id,
            side(cell, "region", "region"),
            shift,
        )
        return str(row["task_id"])

    async def rules(self, cell: Cell) -> str:
        """A version that somebody has drafted, and tried, and asked for."""
        version, somebody = a_version(), Actor("koordinator.lain", "KP2MI", frozenset({"coordinator"}))
        async with self._desk.database.work(somebody, purpose="keep_rules") as work:
            await ruling.draft_rules(work, version, other_rules())
            if cell["state"] != "draft":
                await ruling.note_tried(work, version)
            if cell["state"] == "asked":
                await ruling.ask_activation(work, version)
        return version

    async def glass(self, cell: Cell) -> str:
        """A case that was opened: by who asks, or by a coordinator elsewhere, so that its supervisor has to judge."""
        region, age = side(cell, "region", "region"), AGES[cell["state"]]
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
        """A need for help in this region that this agency is asked about, wherever the rules would have sent it.

        What is restricted is a child's.
        """
        need, age = ("TIP", "child") if restricted else ("WAGE", "adult")
        arrival = referral.an_arrival(need, "NEED", origin=region, age_band=age)
        await self._desk.open(arrival)
        [row] = await self._desk.rows(
            "UPDATE assignments a SET agency_id = $2 FROM referrals r WHERE r.referral_id = a.referral_id"
            " AND r.case_id = $1 AND r.need = $3 RETURNING a.assignment_id::text",
            arrival.case_id,
            agency,
            need,
        )
        return str(row["assignment_id"])

    async def _do(self, verb: str, agency: str, answer: Answer) -> None:
        [result] = await self._desk.answer(verb, agency, answer)
        assert not isinstance(result, Exception), f"{verb}: {result!r}"


def _supervisor(region: str) -> Actor:
    return Actor("penyelia", "BP3MI", frozenset({"agency_supervisor"}), region=region)
