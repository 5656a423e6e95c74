"""An identity leaves only for the agency that accepted, only the fields of its need, and on the trail first."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import asyncpg
import orjson
import pytest

from services.intake.actions.arrivals import Recorded, record_arrivals
from services.intake.domain.disclosures import FIELDS, GRACE
from services.intake.domain.people import IDENTITY_FIELDS
from services.intake.store.vault import Vault
from shared.contracts import codes
from shared.contracts.referral.assignments import AssignmentCancelled, AssignmentCompleted, AssignmentFailed
from shared.contracts.referral.referrals import ReferralFact, ReferralOpened
from shared.kit.clock import FixedClock
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.intake.conftest import Browser
from tests.intake.factories import START, a_new_arrival, a_referral_fact, an_accepted, an_arrival, hear

Site = Callable[[str], Browser]

SECRET = {"full_name": "Kenari Kuning", "nik": "7306991901910001", "health_note": "batuk", "return_reason": "narcotics"}


async def a_case(database: Database, vault: Vault) -> str:
    [recorded] = await record_arrivals(database, [a_new_arrival(vault, arrival=an_arrival(who=SECRET))])
    assert isinstance(recorded, Recorded)
    return recorded.case_id


async def asked(site: Site, case_id: str, assignment_id: str, actor: str = "referral", **said: str) -> Any:
    sent = {"case_id": case_id, "assignment_id": assignment_id, "agency_id": "DINKES-73.06", "reader": "wati",
            "purpose": "service", **said}  # fmt: skip
    return await site(actor).post("/api/disclosures", json=sent)


async def on_the_trail(database: Database, case_id: str) -> list[tuple[str, dict[str, Any]]]:
    rows = await database.pool.fetch(
        "SELECT type, shared, payload FROM journal WHERE case_id = $1 AND case_seq > 1 ORDER BY case_seq", case_id
    )
    assert not any(row["shared"] for row in rows)
    return [(row["type"], orjson.loads(row["payload"])["data"]) for row in rows]


async def test_the_accepting_agency_gets_what_its_need_allows(site: Site, database: Database, vault: Vault) -> None:
    case_id = await a_case(database, vault)
    answer = await asked(site, case_id, await an_accepted(database, case_id))

    assert answer.status_code == 200
    assert answer.json()["fields"] == {
        "full_name": "Kenari Kuning", "nik": "7306991901910001", "health_note": "batuk",
    }  # fmt: skip
    [(type_, told)] = await on_the_trail(database, case_id)
    assert type_ == "intake.identity_disclosed.v1"
    assert told["fields"] == ["full_name", "nik", "health_note"]
    assert told["reader"] == "wati"
    assert "Kenari" not in str(told)


async def test_health_and_custody_are_not_for_everybody(site: Site, database: Database, vault: Vault) -> None:
    case_id = await a_case(database, vault)
    answer = await asked(site, case_id, await an_accepted(database, case_id, need="NEED"))

    assert answer.json()["fields"].keys() == {"full_name", "nik", "document_number"}


async def test_before_the_acceptance_is_heard_it_says_come_back(site: Site, database: Database, vault: Vault) -> None:
    case_id = await a_case(database, vault)
    answer = await asked(site, case_id, new_id())

    assert answer.status_code == 409
    assert answer.headers["retry-after"] == "1"
    [(type_, told)] = await on_the_trail(database, case_id)
    assert (type_, told["reason"]) == ("intake.disclosure_refused.v1", "not_accepted")


@pytest.mark.parametrize("said", [{"agency_id": "DINSOS-73.06"}, {"case_id": new_id()}])
async def test_another_agency_or_case_gets_nothing_and_that_is_on_the_trail(
    site: Site, database: Database, vault: Vault, said: dict[str, str]
) -> None:
    case_id = await a_case(database, vault)
    assignment_id = await an_accepted(database, case_id)
    answer = await asked(site, assignment_id=assignment_id, **{"case_id": case_id, **said})

    assert answer.status_code == 403
    assert "Kenari" not in answer.text
    reasons = await database.pool.fetch("SELECT payload FROM journal WHERE type = 'intake.disclosure_refused.v1'")
    assert len(reasons) == 1


async def ended(database: Database, end: type[ReferralFact], case_id: str, assignment_id: str, **said: str) -> None:
    await hear(database, a_referral_fact(end, case_id, need="SICK", assignment_id=assignment_id,
                                         agency_id="DINKES-73.06", attempt=1, **said))  # fmt: skip


async def test_help_that_was_given_leaves_thirty_days(
    site: Site, database: Database, vault: Vault, clock: FixedClock
) -> None:
    case_id = await a_case(database, vault)
    assignment_id = await an_accepted(database, case_id)
    await ended(database, AssignmentCompleted, case_id, assignment_id, outcome="SERVICE_DELIVERED")

    clock.advance(GRACE - timedelta(hours=1))
    assert (await asked(site, case_id, assignment_id)).status_code == 200
    clock.advance(timedelta(hours=2))
    assert (await asked(site, case_id, assignment_id)).status_code == 403


@pytest.mark.parametrize(
    ("end", "said"), [(AssignmentFailed, {"outcome": "COULD_NOT_CONTACT"}), (AssignmentCancelled, {})]
)
async def test_help_that_was_not_given_leaves_nothing(
    site: Site, database: Database, vault: Vault, end: type[ReferralFact], said: dict[str, str]
) -> None:
    case_id = await a_case(database, vault)
    assignment_id = await an_accepted(database, case_id)
    await ended(database, end, case_id, assignment_id, **said)

    answer = await asked(site, case_id, assignment_id)

    assert answer.status_code == 403
    assert "Kenari" not in answer.text
    [(_, told)] = await on_the_trail(database, case_id)
    assert told["reason"] == "ended"


@pytest.mark.parametrize("actor", ["officer", "worker", "notify"])
async def test_nobody_but_referral_may_ask(site: Site, database: Database, vault: Vault, actor: str) -> None:
    case_id = await a_case(database, vault)
    answer = await asked(site, case_id, await an_accepted(database, case_id), actor)

    assert answer.status_code == 403
    assert "Kenari" not in answer.text


async def test_without_the_trail_nothing_leaves(
    site: Site, database: Database, vault: Vault, owner: asyncpg.Connection
) -> None:
    case_id = await a_case(database, vault)
    assignment_id = await an_accepted(database, case_id)
    role = await database.pool.fetchval("SELECT current_user")
    await owner.execute(f'REVOKE INSERT ON journal FROM "{role}"')

    answer = await asked(site, case_id, assignment_id)

    assert answer.status_code >= 500
    assert "Kenari" not in answer.text


async def test_an_erased_person_stays_erased(site: Site, database: Database, vault: Vault) -> None:
    case_id = await a_case(database, vault)
    assignment_id = await an_accepted(database, case_id)
    await database.pool.execute("DELETE FROM person_keys")

    answer = await asked(site, case_id, assignment_id)

    assert answer.status_code == 410
    [(type_, told)] = await on_the_trail(database, case_id)
    assert (type_, told["reason"]) == ("intake.disclosure_refused.v1", "erased")


def test_every_need_has_fields_and_no_other_fields_exist() -> None:
    assert FIELDS.keys() == codes.needs().keys()
    assert {name for fields in FIELDS.values() for name in fields} <= set(IDENTITY_FIELDS)
    custody = {"detained_at", "return_reason"}
    assert all(custody.isdisjoint(fields) for need, fields in FIELDS.items() if need != "LEGAL")


async def test_open_referrals_show_as_referred(site: Site, database: Database, vault: Vault) -> None:
    voyage_id = (
        await site("officer").post(
            "/api/voyages", json={"modality": "deportation", "announced": 1, "expected_at": START.isoformat()}
        )
    ).json()["voyage_id"]
    person = {"full_name": "Bala", "sex": "M", "age": 30, "needs": ["SICK"], "voyage_id": voyage_id}
    case_id = (await site("officer").post("/api/arrivals", json=person)).json()["case_id"]
    opened = {"port": "NNK", "regency": "73.06", "rules_version": "1", "explanation": "0" * 64}

    await hear(database, a_referral_fact(ReferralOpened, case_id, need="SICK", **opened))
    half = (await site("officer").get(f"/api/voyages/{voyage_id}")).json()
    await hear(database, a_referral_fact(ReferralOpened, case_id, need="NEED", **opened))
    whole = (await site("officer").get(f"/api/voyages/{voyage_id}")).json()

    assert (half["referred"], half["needs"]["SICK"]) == (0, {"people": 1, "referred": 1})
    assert whole["referred"] == 1
