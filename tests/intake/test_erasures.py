"""An erased person stays erased: the key goes, what led to who it was goes, and who had been shown it is told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import asyncpg
import orjson
import pytest

from services.intake.actions.arrivals import Recorded, record_arrivals
from services.intake.store.blind_indexes import find_persons_by
from services.intake.store.vault import Vault
from shared.contracts.referral.assignments import AssignmentAccepted
from shared.contracts.referral.recipients import ErasureConfirmed, ErasureOverdue
from shared.kit.clock import FixedClock
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.intake.conftest import Browser
from tests.intake.factories import (
    DPO,
    START,
    a_disclosure,
    a_list,
    a_new_arrival,
    a_referral_fact,
    a_row,
    a_voyage,
    an_accepted,
    an_arrival,
    hear,
)

Site = Callable[[str], Browser]

PERSON = {"full_name": "Kenari Kuning", "sex": "M", "age": 30, "nik": "7306991901910001", "needs": ["SICK"]}
ASKED = {"reason": "request", "reference": "PPID/2026/0113"}


async def a_case(site: Site, key: str | None = None, **said: Any) -> str:
    recorded = await site("officer").post("/api/arrivals", key=key, json={**PERSON, **said})
    assert recorded.status_code == 201
    case_id: str = recorded.json()["case_id"]
    return case_id


async def erased(site: Site, case_id: str, **said: str) -> Any:
    answer = await site("dpo").post(f"/api/cases/{case_id}/erasure", json={**ASKED, **said})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def told(database: Database, case_id: str, type_: str) -> list[dict[str, Any]]:
    rows = await database.pool.fetch(
        "SELECT payload FROM journal WHERE case_id = $1 AND type = $2 ORDER BY case_seq", case_id, type_
    )
    return [orjson.loads(row["payload"])["data"] for row in rows]


class TestErasing:
    async def test_destroys_the_key_and_whatever_else_led_to_the_person(
        self, site: Site, database: Database, vault: Vault
    ) -> None:
        case_id = await a_case(site)
        person_id = await database.pool.fetchval("SELECT person_id::text FROM arrivals")
        await erased(site, case_id)

        assert await database.pool.fetchval("SELECT count(*) FROM person_keys") == 0
        assert await database.pool.fetchval("SELECT count(*) FROM blind_indexes") == 0
        assert await database.pool.fetchval("SELECT sealed FROM arrivals") == b""
        assert await database.pool.fetchval("SELECT content FROM requests") == b""
        async with database.work(DPO, purpose="look") as work:
            await work.as_service()
            assert await find_persons_by(work, vault, "nik", PERSON["nik"]) == []
        assert await database.pool.fetchval("SELECT person_id::text FROM erasures") == person_id

    async def test_leaves_nothing_of_a_key_that_was_a_number_of_the_person(
        self, site: Site, database: Database
    ) -> None:
        case_id = await a_case(site, key=PERSON["nik"])
        again = await site("officer").post("/api/arrivals", key=PERSON["nik"], json=PERSON)
        await erased(site, case_id)

        assert (again.json()["case_id"], again.headers["idempotent-replay"]) == (case_id, "true")
        assert await database.pool.fetchval("SELECT key FROM requests") != PERSON["nik"].encode()
        once_more = await site("officer").post("/api/arrivals", key=PERSON["nik"], json=PERSON)
        assert once_more.json()["code"] == "identity_erased"

    async def test_leaves_the_codes_that_figures_are_made_of(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        await erased(site, case_id)

        row = await database.pool.fetchrow("SELECT sex, age_band, needs, port FROM arrivals")
        assert dict(row) == {"sex": "M", "age_band": "adult", "needs": ["SICK", "NEED"], "port": "NNK"}

    async def test_tells_everybody_with_those_who_had_been_shown_the_person(
        self, site: Site, database: Database
    ) -> None:
        case_id = await a_case(site)
        for agency in ("DINKES-73.06", "DINSOS-73.06"):
            await a_disclosure(site("referral"), case_id, await an_accepted(database, case_id, agency=agency), agency)
        receipt = await erased(site, case_id)

        [fact] = await told(database, case_id, "intake.person_erased.v1")
        assert fact == {
            "case_id": case_id,
            "reason": "request",
            "recipients": ["DINKES-73.06", "DINSOS-73.06"],
            "confirm_by": (START + timedelta(hours=72)).isoformat().replace("+00:00", "Z"),
        }
        assert [one["agency_id"] for one in receipt["recipients"]] == ["DINKES-73.06", "DINSOS-73.06"]
        assert {one["state"] for one in receipt["recipients"]} == {"waiting"}

    async def test_again_answers_the_first_receipt_and_tells_nothing_more(
        self, site: Site, database: Database, clock: FixedClock
    ) -> None:
        case_id = await a_case(site)
        first = await erased(site, case_id)
        clock.advance(timedelta(days=1))
        again = await erased(site, case_id, reason="order", reference="PN-JKT/112/2026")

        assert again == first
        assert len(await told(database, case_id, "intake.person_erased.v1")) == 1

    @pytest.mark.parametrize(
        "reference", ["", "SITI", "siti binti amat", "SITI-AMINAH-BINTI", "A" * 41, "KENARIKUNING/1"]
    )
    async def test_takes_a_number_that_is_no_name(self, site: Site, database: Database, reference: str) -> None:
        case_id = await a_case(site)
        answer = await site("dpo").post(f"/api/cases/{case_id}/erasure", json={**ASKED, "reference": reference})

        assert answer.status_code == 422
        assert await database.pool.fetchval("SELECT count(*) FROM person_keys") == 1

    @pytest.mark.parametrize("actor", ["officer", "system", "worker", "referral", "notify"])
    async def test_is_for_the_data_protection_officer_alone(self, site: Site, database: Database, actor: str) -> None:
        case_id = await a_case(site)
        answer = await site(actor).post(f"/api/cases/{case_id}/erasure", json=ASKED)

        assert answer.status_code == 403
        assert await database.pool.fetchval("SELECT count(*) FROM person_keys") == 1

    async def test_of_a_case_that_is_not_there_is_refused(self, site: Site) -> None:
        assert (await site("dpo").post(f"/api/cases/{new_id()}/erasure", json=ASKED)).status_code == 404

    async def test_without_the_trail_erases_nothing(
        self, site: Site, database: Database, owner: asyncpg.Connection
    ) -> None:
        case_id = await a_case(site)
        role = await database.pool.fetchval("SELECT current_user")
        await owner.execute(f'REVOKE INSERT ON journal FROM "{role}"')

        assert (await site("dpo").post(f"/api/cases/{case_id}/erasure", json=ASKED)).status_code >= 500
        assert await database.pool.fetchval("SELECT count(*) FROM person_keys") == 1


class TestReplay:
    async def test_of_an_acceptance_brings_nobody_back(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        assignment_id = new_id()
        accepted = a_referral_fact(
            AssignmentAccepted, case_id, need="SICK", assignment_id=assignment_id, agency_id="DINKES-73.06",
            attempt=1, service_due_at=START,
        )  # fmt: skip
        await hear(database, accepted)
        await erased(site, case_id)
        await hear(database, accepted)

        answer = await site("referral").post("/api/disclosures", json={
            "case_id": case_id, "assignment_id": assignment_id, "agency_id": "DINKES-73.06", "reader": "wati",
            "purpose": "service",
        })  # fmt: skip
        assert answer.status_code == 410

    async def test_of_the_same_write_records_nobody_and_says_why(self, site: Site, database: Database) -> None:
        case_id = await a_case(site, "tablet-7")
        await erased(site, case_id)
        answer = await site("officer").post("/api/arrivals", key="tablet-7", json=PERSON)

        assert (answer.status_code, answer.json()["code"]) == (410, "identity_erased")
        batch = {"arrivals": [{"key": "tablet-7", **PERSON}]}
        [item] = (await site("officer").post("/api/arrivals/batch", json=batch)).json()["results"]
        assert (item["status"], item["problem"]["code"]) == ("refused", "identity_erased")
        assert await database.pool.fetchval("SELECT count(*) FROM arrivals") == 1

    async def test_of_the_same_list_and_of_a_longer_one_takes_the_person_for_known(
        self, site: Site, database: Database
    ) -> None:
        voyage = await a_voyage(database)
        path = f"/api/voyages/{voyage.voyage_id}/manifest"
        await site("officer").post(path, content=a_list(a_row(1), a_row(2)))
        case_id = await database.pool.fetchval("SELECT case_id::text FROM arrivals WHERE manifest_row = 2")
        await erased(site, case_id)

        longer = a_list(a_row(1), a_row(2), a_row(3))
        looked = (await site("officer").post(f"{path}?preview=1", content=longer)).json()
        again = (await site("officer").post(path, content=longer)).json()

        assert (looked["known"], looked["ready"], looked["held"]) == (2, 1, 0)
        assert (again["accepted"], again["known"], again["rejected"]) == (1, 2, 0)
        assert await database.pool.fetchval("SELECT count(*) FROM person_keys") == 2
        lines = (await site("officer").get(f"/api/voyages/{voyage.voyage_id}/arrivals")).json()["items"]
        assert [line["manifest_row"] for line in lines] == [None, 3, 4]

    async def test_of_what_a_backup_of_the_sealed_bytes_holds_opens_nothing(
        self, site: Site, database: Database, vault: Vault
    ) -> None:
        [recorded] = await record_arrivals(database, [a_new_arrival(vault, arrival=an_arrival())])
        assert isinstance(recorded, Recorded)
        sealed = await database.pool.fetchval("SELECT sealed FROM arrivals")
        await erased(site, recorded.case_id)
        await database.pool.execute("UPDATE arrivals SET sealed = $1", sealed)
        assignment_id = await an_accepted(database, recorded.case_id)

        answer = await a_disclosure(site("referral"), recorded.case_id, assignment_id, "DINKES-73.06")

        assert answer.status_code == 410


class TestConfirmations:
    async def test_stand_in_the_receipt_in_whichever_order_and_however_often_they_come(
        self, site: Site, database: Database, clock: FixedClock
    ) -> None:
        case_id = await a_case(site)
        agencies = ("DINKES-73.06", "DINSOS-73.06", "DISNAKER-73.06")
        for agency in agencies:
            await a_disclosure(site("referral"), case_id, await an_accepted(database, case_id, agency=agency), agency)
        await erased(site, case_id)
        due = START + timedelta(hours=72)
        clock.advance(timedelta(hours=73))
        overdue = [ErasureOverdue(case_id=case_id, agency_id=agency, confirm_by=due) for agency in agencies[:2]]
        await hear(database, *overdue, ErasureConfirmed(case_id=case_id, agency_id="DINKES-73.06"))
        await hear(database, ErasureConfirmed(case_id=case_id, agency_id="A-STRANGER"), overdue[0])

        receipt = (await site("dpo").get(f"/api/cases/{case_id}/erasure")).json()

        assert {one["agency_id"]: one["state"] for one in receipt["recipients"]} == {
            "DINKES-73.06": "confirmed", "DINSOS-73.06": "overdue", "DISNAKER-73.06": "waiting",
        }  # fmt: skip
        assert receipt["outstanding"] == 2

    async def test_are_found_from_the_list_of_erasures(self, site: Site, database: Database) -> None:
        case_ids = [await a_case(site), await a_case(site)]
        for case_id in case_ids:
            await erased(site, case_id)

        listed = (await site("dpo").get("/api/erasures", limit=1)).json()
        older = (await site("dpo").get("/api/erasures", limit=1, after=listed["next"])).json()

        assert {listed["items"][0]["case_ids"][0], older["items"][0]["case_ids"][0]} == set(case_ids)
        assert older["next"] is None
        assert (await site("officer").get("/api/erasures")).status_code == 403


async def test_a_disclosure_is_kept_with_its_entry_on_the_trail(site: Site, database: Database) -> None:
    case_id = await a_case(site)
    await a_disclosure(site("referral"), case_id, await an_accepted(database, case_id), "DINKES-73.06")

    [row] = await database.pool.fetch(
        "SELECT d.agency_id, d.fields, d.purpose, j.type FROM disclosures d JOIN journal j"
        " ON j.event_id = d.disclosure_id AND j.occurred_at = d.disclosed_at"
    )
    assert tuple(row) == ("DINKES-73.06", ["full_name", "birth", "nik"], "service", "intake.identity_disclosed.v1")
