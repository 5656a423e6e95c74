"""The world of intake: voyages of two ports, people in every state, acceptances that it has heard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import services.intake.__main__
from services.intake.actions import (
    ages,
    consents,
    corrections,
    deaths,
    endings,
    erasures,
    holds,
    households,
    matches,
    reconciliation,
    screening,
    sending,
    totals,
)
from services.intake.actions.consents import Spoken
from services.intake.actions.totals import Said
from services.intake.domain.arrival_corrections import Proposal
from services.intake.domain.consents import Scope
from services.intake.domain.screening import Circumstances
from services.intake.store import match_keys
from services.intake.store import matches as match_store
from services.intake.store.matches import Proposed
from shared.contracts.referral.assignments import AssignmentAccepted, AssignmentCompleted, AssignmentFailed
from shared.kit.actor import Actor, system
from shared.kit.clock import FixedClock
from shared.kit.database import Database, connect
from shared.kit.ids import new_id
from shared.kit.short_codes import short_code
from tests.access.matrix import Cell
from tests.access.worlds.world import (
    NOW,
    OWN,
    REVOCATIONS,
    Asked,
    Content,
    World,
    actors_at,
    form,
    json_of,
    served,
    side,
)
from tests.intake import factories as intake

LIST = intake.a_list(intake.a_row(1), intake.a_row(2, sex="?"))
CONSENT = {"purpose": "help", "recipient_class": "civil_society"}
SAID = {"by": "self", "how": "signed", "explained_in": "id"}
SPOKEN = {"by": "self", "how": "signed", "language": "id"}
PROTECTOR = Actor("petugas-pdp", "KP2MI", frozenset({"data_protection_officer"}), authenticated_at=NOW)


@asynccontextmanager
async def intake_world(url: str) -> AsyncIterator[World]:
    database = await connect(url, service="intake", clock=FixedClock(NOW))
    actors = actors_at("P4MI-NNK", port=OWN["port"], region="65.03")
    async with served("intake", services.intake.__main__, database, actors) as (app, client):
        things = _Landed(database, app)
        voyage = "/{language:language}/pelayaran/{voyage_id}"
        kept = "/{language:language}/data-pribadi"
        draft = "/{language:language}/draf/{draft_id}"
        person = {"full_name": "Emong bin Kawaya", "sex": "M"}
        contents: dict[str, Asked] = {
            "POST /api/voyages": json_of(
                modality="deportation", vessel="KM Purnama", announced=3, expected_at=NOW.isoformat()
            ),
            "POST /{language:language}/pelayaran/baru": form(
                vessel="KM Purnama", modality="deportation", announced="3", time="14.30",
                expected_day="23", expected_month="11", expected_year="2026",
            ),
            "POST /api/voyages/{voyage_id}/drafts": lambda _i, _c: {
                "content": LIST,
                "headers": {"content-type": "text/csv"},
            },
            "POST /api/drafts/{draft_id}/uploads": lambda _i, _c: {
                "content": LIST + b"\n",
                "headers": {"content-type": "text/csv"},
            },
            "POST /api/drafts/{draft_id}/rows/{row}": json_of(version=0, cells={"2": "F"}),
            "POST /api/drafts/{draft_id}/rows/{row}/call": json_of(version=0, mark="here"),
            "POST /api/voyages/{voyage_id}/roll-call/rest": json_of(left=2),
            "POST /api/arrivals/{case_id}/absence": json_of(version=1, reason="not_boarded"),
            "POST /api/manifests/{manifest_id}/error": json_of(reason="wrong_voyage"),
            "POST /api/drafts/{draft_id}/columns": json_of(columns={"4": ""}),
            "POST /api/drafts/{draft_id}/sendings": json_of(version=1),
            "POST /api/drafts/{draft_id}/discard": json_of(),
            "POST /api/voyages/{voyage_id}/manifest": lambda _i, _c: {
                "content": intake.a_list(intake.a_row(1, number=f"XS{new_id()[-8:]}")),
                "headers": {"content-type": "text/csv"},
            },
            "POST /api/voyages/{voyage_id}/correction": json_of(
                version=1, vessel="KM Lambelu", reason="vessel_changed"
            ),
            "POST /api/voyages/{voyage_id}/totals": json_of(kind="count", heads=107),
            "POST /api/voyages/{voyage_id}/differences": json_of(pair="announced_arrived", heads=-5),
            "POST /api/totals/{source_id}/withdraw": json_of(reason="entered_in_error"),
            "POST /api/differences/{difference_id}/settle": json_of(version=1, reason="bail"),
            "POST /api/differences/{difference_id}/take": json_of(version=1),
            f"POST {voyage}/perbaiki": form(
                version="1", vessel="KM Lambelu", modality="deportation", time="11.00", reason="vessel_changed",
                expected_day="23", expected_month="11", expected_year="2026",
            ),
            f"POST {voyage}/angka": form(kind="count", heads_said="107"),
            f"POST {voyage}/selisih": form(pair="announced_arrived", heads="-5", reason=""),
            "POST /{language:language}/angka/{source_id}/cabut": form(reason="entered_in_error"),
            "POST /{language:language}/selisih/{difference_id}": form(version="1", reason="bail"),
            f"POST {voyage}/daftar": form(pasted=LIST.decode()),
            f"POST {draft}/baris/{{row}}": form(version="0", c3_2="P"),
            f"POST {draft}/absen/{{row}}": form(version="0", mark="absent", reason="ill_abroad"),
            f"POST {voyage}/absen/sisa": form(left="2"),
            "POST /{language:language}/tidak-hadir/{case_id}": form(version="1", reason="not_boarded"),
            "POST /{language:language}/daftar/{manifest_id}/pelayaran-lain": form(),
            f"POST {draft}/kolom": form(k4=""),
            f"POST {draft}/berkas": lambda _i, _c: {"files": {"file": ("daftar.csv", LIST + b"\n", "text/csv")}},
            f"POST {draft}/kirim": form(version="1"),
            f"POST {draft}/buang": form(),
            "POST /api/arrivals": lambda id_, _: {"json": {**person, "voyage_id": id_}},
            "POST /api/arrivals/batch": lambda id_, _: {
                "json": {"arrivals": [{**person, "voyage_id": id_, "key": f"batch-{id_}"}]}
            },
            f"POST {voyage}/catat": form(**person),
            "POST /api/disclosures": things.ask,
            "POST /api/persons/search": json_of(by="nik", value="7306991901910001"),
            "POST /api/cases/{case_id}/erasure": json_of(reason="request", reference="PPID/2026/1"),
            "POST /api/cases/{case_id}/export": json_of(reference="PPID/2026/1"),
            "POST /api/cases/{case_id}/holds": json_of(reason="court", reference="PN-JKT/1/2026"),
            "POST /api/holds/{hold_id}/lift": json_of(reason="hold_ended"),
            "POST /api/cases/{case_id}/corrections": json_of(field="alias", value="Emon", reference="PPID/2026/1"),
            f"POST {kept}": form(by="nik", value="7306991901910001"),
            f"POST {kept}/{{case_id}}/hapus": lambda id_, _: {
                "data": {
                    "reason": "request", "reference": "PPID/2026/1", "code": short_code(id_),
                    "idempotency_key": new_id(),
                }
            },
            f"POST {kept}/{{case_id}}/salinan": form(reference="PPID/2026/1"),
            f"POST {kept}/{{case_id}}/penangguhan": form(reason="court", reference="PN-JKT/1/2026"),
            "POST /{language:language}/penangguhan/{hold_id}/cabut": form(reason="hold_ended"),
            f"POST {kept}/{{case_id}}/perbaikan": form(field="alias", value="Emon", reference="PPID/2026/1"),
            "POST /{language:language}/perbaikan/{correction_id}": form(decision="rejected", reason="no_proof"),
            "POST /api/corrections/{correction_id}/decision": json_of(decision="rejected", reason="no_proof"),
            "POST /api/arrivals/{case_id}/sex": json_of(version=1, sex="X", reason="recorded_wrongly"),
            "POST /api/arrivals/{case_id}/origin": json_of(version=1, origin_regency="53.01", reason="person_said"),
            "POST /api/arrivals/{case_id}/needs": json_of(version=1, add=["WAGE"], reason="person_said"),
            "POST /api/arrivals/{case_id}/age": json_of(version=1, reason="assessed"),
            "POST /api/arrivals/{case_id}/error": json_of(version=1, reason="test_entry"),
            "POST /api/arrivals/{case_id}/death": json_of(
                version=1, died_on=NOW.date().isoformat(), place="in_care"
            ),
            "POST /api/arrivals/{case_id}/screening-trial": json_of(questionnaire="2026-12", answers={}),
            "POST /api/arrivals/{case_id}/screenings": json_of(
                questionnaire="2026-12", answers={}, version=1, decision="not_asked", place="ruang 2",
                spoken_in="id", interpreter="none", alone=True,
            ),
            "POST /{language:language}/kedatangan/{case_id}/penyaringan": form(questionnaire="2026-12", version="1"),
            "GET /api/cases": lambda _i, _c: {"params": {"code": "0000-0000-0"}},
            f"POST {voyage}/cepat": form(sex="F", group="adult"),
            "POST /api/arrivals/{case_id}/completion": json_of(version=1, mother_name="Aminah"),
            "POST /{language:language}/kedatangan/{case_id}/lengkapi": form(version="1", mother_name="Aminah"),
            "POST /{language:language}/kedatangan/{case_id}/{apa}": form(
                version="1", origin="53.01", reason="person_said"
            ),
            "POST /api/age-proposals/{proposal_id}/confirmation": json_of(),
            "POST /{language:language}/usulan-umur/{proposal_id}": form(decision="confirmed"),
            "POST /api/arrivals/{case_id}/death/doubt": json_of(version=2, reason="seen_alive"),
            "POST /api/death-doubts/{doubt_id}/confirmation": json_of(),
            "POST /{language:language}/ternyata-hidup/{doubt_id}": form(decision="confirmed"),
            "POST /api/cases/{case_id}/consents": json_of(**CONSENT, given=True, spoken=SAID),
            "POST /api/cases/{case_id}/bases": json_of(**CONSENT, basis="public_task", reason="task_by_law"),
            f"POST {kept}/{{case_id}}/persetujuan/catat": form(**CONSENT, **SPOKEN, answer="yes"),
            f"POST {kept}/{{case_id}}/persetujuan/dasar": form(**CONSENT, basis="public_task.task_by_law"),
            "POST /{language:language}/persetujuan/{consent_id}/cabut": form(**SPOKEN),
            "POST /{language:language}/dasar-hukum/{basis_id}/akhiri": form(reason="no_longer_needed"),
            "POST /api/consents/{consent_id}/withdrawal": json_of(spoken=SAID),
            "POST /api/bases/{basis_id}/end": json_of(reason="no_longer_needed"),
            "POST /api/cases/{case_id}/household": lambda id_, _: {
                "json": {"with_case_id": things.adults.get(id_, new_id()), "version": 1}
            },
            "POST /api/cases/{case_id}/household/parting": json_of(reason="family_parted", version=1),
            "POST /api/cases/{case_id}/guardians": lambda id_, _: {
                "json": {"adult_case_id": things.adults.get(id_, new_id()), "relation": "mother", "proof": "none"}
            },
            "POST /{language:language}/keluarga/{case_id}": lambda id_, _: {
                "data": {"with": things.adults.get(id_, new_id()), "version": "1", "idempotency_key": new_id()}
            },
            "POST /{language:language}/keluarga/{case_id}/pisah": form(reason="family_parted", version="1"),
            "POST /{language:language}/keluarga/{case_id}/wali": lambda id_, _: {
                "data": {
                    "adult": things.adults.get(id_, new_id()), "relation": "mother", "proof": "none",
                    "idempotency_key": new_id(),
                }
            },
            "POST /api/guardians/{link_id}/confirmation": json_of(version=1),
            "POST /api/guardians/{link_id}/end": json_of(version=1, reason="not_related"),
            "POST /{language:language}/wali/{link_id}": form(decision="confirmed", version="1"),
            "POST /api/matches/{match_id}/decision": json_of(decision="different", version=1),
            "POST /api/matches/{match_id}/undo": json_of(reason="new_proof", version=2),
            "POST /{language:language}/kecocokan/{match_id}": form(decision="different", version="1"),
            "POST /{language:language}/kecocokan/{match_id}/tarik": form(reason="new_proof", version="2"),
            **REVOCATIONS,
        }  # fmt: skip
        makers = {
            "voyage": things.voyage,
            "total": things.total,
            "difference": things.difference,
            "screening": things.screening,
            "acceptance": things.acceptance,
            "draft": things.draft,
            "draft_voyage": things.draft_voyage,
            "listed": things.listed,
            "manifest": things.manifest,
            "person": things.person,
            "hold": things.hold,
            "correction": things.correction,
            "consent": things.consent,
            "basis": things.basis,
            "arrival": things.arrival,
            "age_proposal": things.age_proposal,
            "death": things.death,
            "death_doubt": things.death_doubt,
            "family": things.family,
            "guardianship": things.guardianship,
            "match": things.match,
        }
        yield World("intake", app, client, makers, contents)
    await database.aclose()


class _Landed:
    """Voyages of two ports, and acceptances that intake has heard."""

    def __init__(self, database: Database, app: Any) -> None:
        self._database = database
        self._app = app
        self._cases: dict[str, str] = {}
        self.adults: dict[str, str] = {}
        """An adult who landed with each child."""

    async def voyage(self, cell: Cell) -> str:
        who = intake.OFFICER if cell["region"] == "own" else intake.STRANGER
        return (await intake.a_voyage(self._database, actor=who)).voyage_id

    async def total(self, cell: Cell) -> str:
        who = intake.OFFICER if cell["region"] == "own" else intake.STRANGER
        voyage_id = await self.voyage(cell)
        async with self._database.work(who, purpose="reconcile") as work:
            return (await totals.record_totals(work, voyage_id, Said("count", 107))).source_id

    async def screening(self, cell: Cell) -> str:
        who = intake.OFFICER if cell["region"] == "own" else intake.STRANGER
        case_id = await self.person({"region": cell["region"]})
        async with self._database.work(who, purpose="screen") as work:
            done = await screening.screen(
                work,
                self._app.state.vault,
                case_id,
                arrival_version=1,
                version="2026-12",
                answers={},
                chosen=(),
                decision="not_asked",
                reason=None,
                circumstances=Circumstances("ruang 2", "id", "none", alone=True),
            )
        return done.screening_id

    async def difference(self, cell: Cell) -> str:
        who = intake.OFFICER if cell["region"] == "own" else intake.STRANGER
        voyage_id = await self.voyage(cell)
        async with self._database.work(who, purpose="reconcile") as work:
            opened = await reconciliation.open_difference(work, voyage_id, pair="announced_arrived", heads=-5)
        return opened.difference_id

    async def draft(self, cell: Cell) -> str:
        who = intake.OFFICER if cell["region"] == "own" else intake.STRANGER
        voyage = await intake.a_voyage(self._database, actor=who)
        return await intake.a_draft(self._database, voyage.voyage_id, LIST, actor=who)

    async def draft_voyage(self, cell: Cell) -> str:
        """A voyage with a list of which somebody is left to be called."""
        voyage_id = await self.voyage(cell)
        await intake.a_draft(self._database, voyage_id, LIST, actor=_officer(cell))
        return voyage_id

    async def listed(self, cell: Cell) -> str:
        """Somebody whom a list has recorded."""
        found = await self._database.pool.fetchval(
            "SELECT case_id FROM arrivals WHERE manifest_id = $1", await self.manifest(cell)
        )
        return str(found)

    async def manifest(self, cell: Cell) -> str:
        """A list that was taken in."""
        who = _officer(cell)
        voyage = await intake.a_voyage(self._database, actor=who)
        draft_id = await intake.a_draft(self._database, voyage.voyage_id, LIST, actor=who)
        sent = await sending.send_draft(self._database, self._app.state.vault, who, draft_id, version=1)
        return sent.manifest.manifest_id

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
                await erasures.erase_person(
                    work, self._app.state.vault, recorded.case_id, reason="request", reference="PPID/2026/1"
                )
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

    async def arrival(self, cell: Cell) -> str:
        case_id = await self.person({"region": cell["region"]})
        if cell["state"] == "ended":
            async with self._database.work(_officer(cell), purpose="correct") as work:
                await endings.enter_in_error(work, case_id, version=1, reason="test_entry", duplicate_of=None)
        return case_id

    async def family(self, cell: Cell) -> str:
        who = _officer(cell)
        said = (intake.an_arrival(birth=None, accompanied=True), intake.an_arrival(), intake.an_arrival())
        landed = [
            (await self._app.state.desk.record(who, one, key=new_id(), voyage_id=None, arrived_at=NOW)).case_id
            for one in said
        ]
        async with self._database.work(who, purpose="reception") as work:
            await households.join(work, landed[0], landed[1], version=0)
        self.adults[landed[0]] = landed[2]
        return str(landed[0])

    async def guardianship(self, cell: Cell) -> str:
        child = await self.family(cell)
        async with self._database.work(_officer(cell), purpose="reception") as work:
            link = await households.propose_guardian(
                work, child, self.adults[child], relation="mother", proof="family_card"
            )
        return link.link_id

    async def match(self, cell: Cell) -> str:
        """Somebody of this port and of another who may be one; the order of landing does not matter here."""
        later = await self.person(cell)
        earlier = await self.person({"region": "other" if cell["region"] == "own" else "own"})
        match_id = new_id()
        async with self._database.work(system("intake", "clock"), purpose="compare") as work:
            both = await match_keys.find_sealed(work, [later, earlier])
            one, other = both[later], both[earlier]
            ids = (match_id, later, one.person_id, earlier, other.person_id)
            await match_store.propose(work, [Proposed(*ids, one.port, None, "strong", 20.0, "nik:same")])
        if cell["state"] == "decided":
            async with self._database.work(_officer(cell), purpose="match") as work:
                await matches.decide(work, match_id, "same", version=1)
        return match_id

    async def age_proposal(self, cell: Cell) -> str:
        recorded = await self._app.state.desk.record(
            _officer(cell), intake.an_arrival(birth=None), key=new_id(), voyage_id=None, arrived_at=NOW
        )
        async with self._database.work(_officer(cell), purpose="correct") as work:
            proposal = await ages.correct_age(
                work,
                self._app.state.vault,
                recorded.case_id,
                version=1,
                told=ages.Told(years=30),
                reason="papers_found",
                proof="identity_card",
            )
        assert isinstance(proposal, Proposal)
        if cell["state"] == "ended":
            async with self._database.work(_officer(cell), purpose="correct") as work:
                await ages.refuse(work, proposal.proposal_id)
        return proposal.proposal_id

    async def death(self, cell: Cell) -> str:
        recorded = await self._app.state.desk.record(
            _officer(cell), intake.an_arrival(), key=new_id(), voyage_id=None, arrived_at=NOW
        )
        async with self._database.work(_officer(cell), purpose="correct") as work:
            await endings.note_death(work, recorded.case_id, version=1, died_on=NOW.date(), place="in_care")
        return str(recorded.case_id)

    async def death_doubt(self, cell: Cell) -> str:
        case_id = await self.death(cell)
        async with self._database.work(_officer(cell), purpose="correct") as work:
            doubt = await deaths.doubt(work, case_id, version=2, reason="seen_alive")
        if cell["state"] == "ended":
            async with self._database.work(_officer(cell), purpose="correct") as work:
                await deaths.refuse(work, doubt.doubt_id)
        return doubt.doubt_id

    async def consent(self, cell: Cell) -> str:
        case_id = await self.person({"region": cell["region"]})
        vault, spoken, scope = self._app.state.vault, Spoken("self", "signed", "id"), Scope("help", "civil_society")
        async with self._database.work(PROTECTOR, purpose="consent") as work:
            kept = await consents.record_consent(
                work, vault, case_id, version=None, scope=scope, given=cell["state"] != "refused", spoken=spoken
            )
            if cell["state"] == "withdrawn":
                await consents.withdraw_consent(work, vault, kept.entry.entry_id, version=None, spoken=spoken)
        return kept.entry.entry_id

    async def basis(self, cell: Cell) -> str:
        case_id = await self.person({"region": cell["region"]})
        vault, scope = self._app.state.vault, Scope("help", "civil_society")
        async with self._database.work(PROTECTOR, purpose="consent") as work:
            kept = await consents.name_basis(
                work, vault, case_id, version=None, scope=scope, basis="public_task", reason="task_by_law"
            )
            if cell["state"] == "ended":
                await consents.end_basis(work, vault, kept.entry.entry_id, version=None, reason="named_in_error")
        return kept.entry.entry_id

    async def _held(self, case_id: str) -> str:
        async with self._database.work(PROTECTOR, purpose="protect") as work:
            placed = await holds.place_hold(work, case_id, reason="court", reference="PN-JKT/1/2026")
        return placed.hold_id

    def ask(self, id_: str, cell: Cell) -> Content:
        case_id = self._cases.get(id_) or new_id()
        body = {"case_id": case_id, "assignment_id": id_, "reader": "wati", "purpose": "read_identity"}
        return {"json": {**body, "agency_id": side(cell, "agency", "organisation")}}


def _officer(cell: Cell) -> Actor:
    return intake.OFFICER if cell["region"] == "own" else intake.STRANGER
