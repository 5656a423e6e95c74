"""Every write that names a person, of somebody who was erased, was none, has died, or is one person with another: each
is refused with what to do, or does what it is for; none fails, and no consent, screening or disclosure is new of who is
gone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest

from services.intake import screening
from services.intake.actions import matches
from services.intake.store import match_keys
from services.intake.store import matches as match_store
from services.intake.store.matches import Proposed
from shared.contracts.referral.assignments import AssignmentAccepted
from shared.kit.actor import system
from shared.kit.database import Database
from shared.kit.ids import new_id
from shared.kit.short_codes import short_code
from tests.intake.conftest import Browser
from tests.intake.correcting import a_child, a_proposal, corrected
from tests.intake.factories import OFFICER, START, a_referral_fact, hear
from tests.intake.test_erasures import a_case, erased
from tests.intake.test_households_by_hand import joined

Site = Callable[[str], Browser]
CONTRACT = Path(__file__).parents[2] / "docs" / "contracts" / "openapi.intake.json"
OF_LISTS = (
    "/api/voyages", "/api/drafts", "/api/manifests", "/api/totals", "/api/differences", "/api/persons",
    "/api/disclosures",
)  # fmt: skip
"""Writes that name no person by a case or by what is kept of one; who may have a name is asked elsewhere."""
SCOPE = {"purpose": "help", "recipient_class": "civil_society"}
SAID = {"by": "self", "how": "signed", "explained_in": "id"}
SPOKEN = {"by": "self", "how": "signed", "language": "id"}
TALK = {"questionnaire": screening.current().version, "interpreter": "none"}
NEW = (
    "arrival_screened", "consent_recorded", "consent_withdrawn", "lawful_basis_named", "identity_disclosed",
    "identity_corrected", "correction_requested", "needs_corrected", "age_corrected", "age_proposed",
    "sex_corrected", "origin_corrected", "guardian_linked", "guardian_proposed", "return_matched", "person_died",
    "arrival_entered_in_error", "person_erased", "death_doubted", "death_undone",
)  # fmt: skip
"""What is told of a person."""


class Family(NamedTuple):
    """Somebody with all that can be kept of one, and a child of unknown age."""

    case: str
    child: str
    ids: dict[str, str]
    """What stands in a path for what."""


async def a_family(site: Site, database: Database) -> Family:
    officer, dpo = site("officer"), site("dpo")
    case, spouse, sibling, child = await a_case(site), await a_case(site), await a_case(site), await a_child(site)
    for other in (spouse, child):
        await joined(site, case, other)
    links = [
        await officer.post(f"/api/cases/{child}/guardians", json={**GUARDIAN, "adult_case_id": adult})
        for adult in (case, sibling)
    ]
    consent = await dpo.post(f"/api/cases/{case}/consents", json={**SCOPE, "given": True, "spoken": SAID})
    basis = await dpo.post(f"/api/cases/{case}/bases", json={**SCOPE, **BASIS})
    asked = await dpo.post(f"/api/cases/{case}/corrections", json=ALIAS)
    match_id, assignment_id = new_id(), new_id()
    async with database.work(system("intake", "clock"), purpose="compare") as work:
        both = await match_keys.find_sealed(work, [case, sibling])
        people = (sibling, both[sibling].person_id, case, both[case].person_id)
        await match_store.propose(work, [Proposed(match_id, *people, "NNK", None, "strong", 20.0, "nik:same")])
    accepted = {"assignment_id": assignment_id, "agency_id": "LSM-SBMI", "attempt": 1, "service_due_at": START}
    await hear(database, a_referral_fact(AssignmentAccepted, case, need="SICK", **accepted))
    for answer in (*links[:1], consent, basis, asked):
        assert answer.status_code in (200, 201, 202), answer.text
    return Family(
        case,
        child,
        {
            "case_id": case,
            "link_id": links[0].json()["link_id"],
            "consent_id": consent.json()["entry_id"],
            "basis_id": basis.json()["entry_id"],
            "correction_id": asked.json()["correction_id"],
            "proposal_id": await a_proposal(site, child),
            "doubt_id": new_id(),
            "hold_id": new_id(),
            "match_id": match_id,
            "assignment_id": assignment_id,
            "other": sibling,
        },
    )


async def ended(site: Site, database: Database, family: Family, state: str) -> None:
    """Let both be so."""
    if state == "merged":
        async with database.work(OFFICER, purpose="match") as work:
            await matches.decide(work, family.ids["match_id"], "same", version=1)
        return
    for case_id in (family.case, family.child):
        if state == "erased":
            await erased(site, case_id)
        elif state == "in_error":
            assert (await corrected(site, case_id, "error", reason="test_entry"))[0] == 200
        else:
            died = {"died_on": START.date().isoformat(), "place": "in_care"}
            assert (await corrected(site, case_id, "death", **died))[0] == 200


GUARDIAN = {"relation": "mother", "proof": "family_card"}
BASIS = {"basis": "public_task", "reason": "task_by_law"}
ALIAS = {"field": "alias", "value": "Emon", "reference": "PPID/2026/1"}


class Write(NamedTuple):
    """One way to write: by whom, and what is sent; `{other}` is somebody of the port to whom nothing happened."""

    path: str
    actor: str
    sent: dict[str, Any]


API = (
    Write("/api/arrivals/{case_id}/sex", "officer", {"sex": "X", "reason": "recorded_wrongly"}),
    Write("/api/arrivals/{case_id}/origin", "officer", {"origin_regency": "53.01", "reason": "person_said"}),
    Write("/api/arrivals/{case_id}/needs", "officer", {"add": ["WAGE"], "reason": "person_said"}),
    Write("/api/arrivals/{case_id}/age", "officer", {"age": 31, "reason": "assessed"}),
    Write("/api/arrivals/{case_id}/absence", "officer", {"reason": "not_boarded"}),
    Write("/api/arrivals/{case_id}/completion", "officer", {"mother_name": "Aminah"}),
    Write("/api/arrivals/{case_id}/screening-trial", "officer", {
        "questionnaire": TALK["questionnaire"], "answers": {}}),
    Write("/api/arrivals/{case_id}/screenings", "officer", {
        **TALK, "answers": {"hurt_now": "yes"}, "needs": ["SICK"], "decision": "not_indicated", "place": "ruang 2",
        "spoken_in": "id", "alone": True}),
    Write("/api/cases/{case_id}/household", "officer", {"with_case_id": "{other}"}),
    Write("/api/cases/{case_id}/guardians", "officer", {**GUARDIAN, "adult_case_id": "{other}"}),
    Write("/api/guardians/{link_id}/confirmation", "colleague", {}),
    Write("/api/guardians/{link_id}/end", "officer", {"reason": "not_related"}),
    Write("/api/cases/{case_id}/household/parting", "officer", {"reason": "family_parted"}),
    Write("/api/age-proposals/{proposal_id}/confirmation", "supervisor", {}),
    Write("/api/age-proposals/{proposal_id}/refusal", "supervisor", {}),
    Write("/api/cases/{case_id}/consents", "dpo", {**SCOPE, "given": False, "spoken": SAID}),
    Write("/api/cases/{case_id}/bases", "dpo", {**SCOPE, **BASIS, "purpose": "family_tracing"}),
    Write("/api/consents/{consent_id}/withdrawal", "dpo", {"spoken": SAID}),
    Write("/api/bases/{basis_id}/end", "dpo", {"reason": "no_longer_needed"}),
    Write("/api/cases/{case_id}/corrections", "dpo", {**ALIAS, "value": "Emong"}),
    Write("/api/corrections/{correction_id}/decision", "dpo", {"decision": "accepted"}),
    Write("/api/matches/{match_id}/decision", "officer", {"decision": "same"}),
    Write("/api/matches/{match_id}/undo", "officer", {"reason": "new_proof"}),
    Write("/api/death-doubts/{doubt_id}/confirmation", "colleague", {}),
    Write("/api/death-doubts/{doubt_id}/refusal", "colleague", {}),
    Write("/api/holds/{hold_id}/lift", "dpo", {"reason": "hold_ended"}),
    Write("/api/cases/{case_id}/export", "dpo", {"reference": "PPID/2026/1"}),
    Write("/api/arrivals/{case_id}/error", "officer", {"reason": "test_entry"}),
    Write("/api/arrivals/{case_id}/death", "officer", {"died_on": START.date().isoformat(), "place": "in_care"}),
    Write("/api/arrivals/{case_id}/death/doubt", "officer", {"reason": "seen_alive"}),
    Write("/api/cases/{case_id}/erasure", "dpo", {"reason": "request", "reference": "PPID/2026/1"}),
    Write("/api/cases/{case_id}/holds", "dpo", {"reason": "court", "reference": "PN-JKT/1/2026"}),
)  # fmt: skip
PAGES = (
    Write("/id/kedatangan/{case_id}/jenis-kelamin", "officer", {"sex": "X", "reason": "recorded_wrongly"}),
    Write("/id/kedatangan/{case_id}/asal", "officer", {"origin": "53.01", "reason": "person_said"}),
    Write("/id/kedatangan/{case_id}/kebutuhan", "officer", {"add": "WAGE", "reason": "person_said"}),
    Write("/id/kedatangan/{case_id}/umur", "officer", {"age": "31", "reason": "assessed"}),
    Write("/id/kedatangan/{case_id}/lengkapi", "officer", {"mother_name": "Aminah"}),
    Write("/id/kedatangan/{case_id}/penyaringan", "officer", {
        **TALK, "decide": "1", "decision": "not_asked", "place": "Ruang 2", "language": "Bugis"}),
    Write("/id/tidak-hadir/{case_id}", "officer", {"reason": "not_boarded"}),
    Write("/id/keluarga/{case_id}", "officer", {"with": "{other}"}),
    Write("/id/keluarga/{case_id}/wali", "officer", {**GUARDIAN, "adult": "{other}"}),
    Write("/id/keluarga/{case_id}/pisah", "officer", {"reason": "family_parted"}),
    Write("/id/wali/{link_id}", "colleague", {"decision": "confirmed"}),
    Write("/id/usulan-umur/{proposal_id}", "supervisor", {"decision": "confirmed"}),
    Write("/id/ternyata-hidup/{doubt_id}", "colleague", {"decision": "confirmed"}),
    Write("/id/kecocokan/{match_id}", "officer", {"decision": "same"}),
    Write("/id/kecocokan/{match_id}/tarik", "officer", {"reason": "new_proof"}),
    Write("/id/data-pribadi/{case_id}/persetujuan/catat", "dpo", {**SCOPE, **SPOKEN, "answer": "yes"}),
    Write("/id/data-pribadi/{case_id}/persetujuan/dasar", "dpo", {**SCOPE, "basis": "public_task.task_by_law"}),
    Write("/id/persetujuan/{consent_id}/cabut", "dpo", SPOKEN),
    Write("/id/dasar-hukum/{basis_id}/akhiri", "dpo", {"reason": "no_longer_needed"}),
    Write("/id/data-pribadi/{case_id}/perbaikan", "dpo", ALIAS),
    Write("/id/perbaikan/{correction_id}", "dpo", {"decision": "accepted"}),
    Write("/id/data-pribadi/{case_id}/salinan", "dpo", {"reference": "PPID/2026/1"}),
    Write("/id/penangguhan/{hold_id}/cabut", "dpo", {"reason": "hold_ended"}),
    Write("/id/kedatangan/{case_id}/hidup", "officer", {"reason": "seen_alive"}),
    Write("/id/kedatangan/{case_id}/meninggal", "officer", {
        "place": "at_port", "died_day": "23", "died_month": "11", "died_year": "2026"}),
    Write("/id/kedatangan/{case_id}/keliru", "officer", {"reason": "test_entry"}),
    Write("/id/data-pribadi/{case_id}/hapus", "dpo", {"reason": "request", "reference": "PPID/2026/1"}),
    Write("/id/data-pribadi/{case_id}/penangguhan", "dpo", {"reason": "court", "reference": "PN-JKT/1/2026"}),
)  # fmt: skip


async def version_of(database: Database, path: str, ids: dict[str, str]) -> int:
    """The version that whoever looked last has seen."""
    asked = {
        "/guardians/": "SELECT version FROM guardian_links WHERE link_id = $1",
        "/wali/": "SELECT version FROM guardian_links WHERE link_id = $1",
        "match": "SELECT version FROM possible_matches WHERE match_id = $1",
        "kecocokan": "SELECT version FROM possible_matches WHERE match_id = $1",
    }
    for part, statement in asked.items():
        if part in path and "{case_id}" not in path:
            found = await database.pool.fetchval(statement, ids["link_id" if "link_id" in path else "match_id"])
            return int(found or 1)
    return int(await database.pool.fetchval("SELECT version FROM arrivals WHERE case_id = $1", ids["case_id"]))


async def journal(database: Database) -> int:
    return int(await database.pool.fetchval("SELECT coalesce(max(position), 0) FROM journal"))


ALLOWED = {
    # Whoever is erased may be helped on: codes are corrected, and who answers for whom is confirmed.
    "erased": [
        "/api/arrivals/{case_id}/sex: sex_corrected",
        "/api/arrivals/{case_id}/origin: origin_corrected",
        "/api/arrivals/{case_id}/needs: needs_corrected",
        "/api/guardians/{link_id}/confirmation: guardian_linked",
        "/api/arrivals/{case_id}/error: arrival_entered_in_error",
    ],
    # What is kept of an arrival that was none is still corrected, its use ended, and it is erased.
    "in_error": [
        "/api/consents/{consent_id}/withdrawal: consent_withdrawn",
        "/api/cases/{case_id}/corrections: correction_requested",
        "/api/corrections/{correction_id}/decision: identity_corrected",
        "/api/cases/{case_id}/erasure: person_erased",
    ],
    # Who the dead were is found out, and told.
    "dead": [
        "/api/arrivals/{case_id}/origin: origin_corrected",
        "/api/arrivals/{case_id}/completion: identity_corrected",
        "/api/cases/{case_id}/corrections: correction_requested",
        "/api/corrections/{correction_id}/decision: identity_corrected",
        "/api/arrivals/{case_id}/error: arrival_entered_in_error",
        "/api/cases/{case_id}/erasure: person_erased",
    ],
    "merged": [],
}
"""What is told anew of who is gone, and by which write; of who is one person with another, all is."""


@pytest.mark.invariant("I191")
@pytest.mark.parametrize("state", ALLOWED)
@pytest.mark.parametrize("who", ["case", "child"])
async def test_every_write_is_refused_with_what_to_do_or_does_it(
    site: Site, database: Database, state: str, who: str
) -> None:
    family = await a_family(site, database)
    await ended(site, database, family, state)
    gone = {family.case, family.child} if state != "merged" else set()
    ids = {**family.ids, "case_id": family.case if who == "case" else family.child}
    done: list[str] = []
    for one in (*API, *PAGES):
        before = await journal(database)
        sent: dict[str, Any] = {name: ids["other"] if value == "{other}" else value for name, value in one.sent.items()}
        path = one.path.format(**ids)
        told = await version_of(database, one.path, ids)
        if one.path.startswith("/api"):
            answer = await site(one.actor).post(path, json={**sent, "version": told})
            if answer.status_code == 422 and "version" in answer.text:
                answer = await site(one.actor).post(path, json=sent)
        else:
            more = {"code": short_code(ids["case_id"])} if path.endswith("hapus") else {}
            form = {**sent, **more, "version": str(told), "idempotency_key": new_id()}
            answer = await site(one.actor).post(path, data=form)
        assert answer.status_code < 500, (state, one.path, answer.text)
        if one.path.startswith("/api") and answer.status_code >= 400:
            assert answer.json()["detail"], (state, one.path)
            assert answer.status_code != 422 or "errors" not in answer.json(), (state, one.path, answer.text)
        rows = await database.pool.fetch(
            "SELECT type, case_id::text FROM journal WHERE position > $1 ORDER BY position", before
        )
        done += [
            f"{one.path}: {row['type'].split('.')[1]}"
            for row in rows
            if row["case_id"] in gone and row["type"].split(".")[1] in NEW
        ]
    assert done == ALLOWED[state]


@pytest.mark.invariant("I191")
def test_no_write_of_the_interface_is_left_out() -> None:
    paths = orjson.loads(CONTRACT.read_bytes())["paths"]
    named = {path for path, said in paths.items() if "post" in said and "{" in path and not path.startswith(OF_LISTS)}

    assert {one.path for one in API} == named
