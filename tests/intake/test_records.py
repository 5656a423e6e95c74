"""A person is found by a number, and gets everything that is kept and who has seen it; each on the trail first."""

from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from shared.kit.database import Database
from shared.kit.identity import person_stream
from shared.kit.ids import new_id
from shared.kit.short_codes import short_code
from tests.intake.conftest import Browser
from tests.intake.factories import DPO, a_disclosure, an_accepted
from tests.intake.test_erasures import PERSON, a_case, erased, told

Site = Callable[[str], Browser]

ASKED = {"reference": "PPID/2026/0113"}


async def search(site: Site, by: str, value: str) -> list[dict[str, Any]]:
    answer = await site("dpo").post("/api/persons/search", json={"by": by, "value": value})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def export(site: Site, case_id: str) -> dict[str, Any]:
    answer = await site("dpo").post(f"/api/cases/{case_id}/export", json=ASKED)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


class TestSearch:
    async def test_finds_all_cases_of_who_came_with_a_number(self, site: Site, database: Database) -> None:
        case_ids = [await a_case(site, document_number="XS 9000001"), await a_case(site)]
        await a_case(site, nik="7306991901910002")

        by_nik = await search(site, "nik", "7306-9919-0191-0001")
        by_document = await search(site, "document", "xs9000001")
        by_case = await search(site, "case", case_ids[1])

        assert [case["case_id"] for case in by_nik] == case_ids
        assert [case["case_id"] for case in by_document] == case_ids[:1]
        assert [case["case_id"] for case in by_case] == case_ids[1:]
        assert "Kenari" not in str(by_nik)
        assert [one["by"] for one in await told(database, case_ids[0], "intake.person_sought.v1")] == [
            "nik",
            "document",
        ]

    async def test_finds_a_case_by_the_code_of_its_slip_however_it_is_written(
        self, site: Site, database: Database
    ) -> None:
        case_id = await a_case(site)
        await a_case(site, nik="7306991901910002")
        code = short_code(case_id)

        for typed in (code, code.lower().replace("-", " "), code.replace("0", "o").replace("1", "l")):
            assert [case["case_id"] for case in await search(site, "case", typed)] == [case_id]
        assert [one["by"] for one in await told(database, case_id, "intake.person_sought.v1")] == ["case"] * 3

    async def test_in_vain_is_on_the_trail_of_who_searched(self, site: Site, database: Database) -> None:
        assert await search(site, "nik", "7306991901910009") == []
        assert await search(site, "case", "no id at all") == []

        searched = await told(database, person_stream(DPO.id), "intake.person_sought.v1")
        assert [(one["by"], one["found"]) for one in searched] == [("nik", 0), ("case", 0)]

    @pytest.mark.parametrize("actor", ["officer", "system", "worker", "referral"])
    async def test_is_for_the_data_protection_officer_alone(self, site: Site, actor: str) -> None:
        answer = await site(actor).post("/api/persons/search", json={"by": "nik", "value": PERSON["nik"]})

        assert answer.status_code == 403


class TestExport:
    async def test_has_every_field_and_everybody_who_has_seen_it(self, site: Site, database: Database) -> None:
        case_id = await a_case(site, family_contact="+62 811 2", alias="Kenari")
        await a_disclosure(site("referral"), case_id, await an_accepted(database, case_id), "DINKES-73.06")
        made = await export(site, case_id)

        assert made["schema"] == "rujukan.person.v1"
        [case] = made["cases"]
        assert case["identity"].keys() == {"full_name", "alias", "birth", "nik", "family_contact"}
        assert (case["sex"], case["needs"], case["erased"]) == ("M", ["SICK", "NEED"], False)
        assert [(step["what"], step["organisation"]) for step in made["processing"]] == [
            ("intake.arrival_recorded.v1", "P4MI-NNK"), ("intake.identity_disclosed.v1", "rujukan"),
        ]  # fmt: skip
        shown = made["processing"][1]
        assert (shown["facts"]["agency_id"], shown["purpose"]) == ("DINKES-73.06", "service")
        assert shown["facts"]["fields"] == ["full_name", "alias", "birth", "nik", "family_contact"]

    async def test_is_on_the_trail_itself_and_in_the_next_one(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        await export(site, case_id)

        [handed] = await told(database, case_id, "intake.person_data_exported.v1")
        assert handed == {
            "case_id": case_id, "form": "json", "fields": ["full_name", "birth", "nik"], "reference": "PPID/2026/0113",
        }  # fmt: skip
        assert "intake.person_data_exported.v1" in [
            step["what"] for step in (await export(site, case_id))["processing"]
        ]

    async def test_of_an_erased_person_has_the_trail_alone(self, site: Site) -> None:
        case_id = await a_case(site)
        await erased(site, case_id)
        made = await export(site, case_id)

        assert made["cases"][0]["identity"] == {}
        assert made["cases"][0]["erased"]
        assert [step["what"] for step in made["processing"]] == [
            "intake.arrival_recorded.v1", "intake.person_erased.v1",
        ]  # fmt: skip

    async def test_without_the_trail_nothing_leaves(
        self, site: Site, database: Database, owner: asyncpg.Connection
    ) -> None:
        case_id = await a_case(site)
        role = await database.pool.fetchval("SELECT current_user")
        await owner.execute(f'REVOKE INSERT ON journal FROM "{role}"')

        answer = await site("dpo").post(f"/api/cases/{case_id}/export", json=ASKED)

        assert answer.status_code >= 500
        assert "Kenari" not in answer.text

    @pytest.mark.parametrize("actor", ["officer", "system", "worker", "referral"])
    async def test_is_for_the_data_protection_officer_alone(self, site: Site, actor: str) -> None:
        case_id = await a_case(site)

        assert (await site(actor).post(f"/api/cases/{case_id}/export", json=ASKED)).status_code == 403

    async def test_needs_the_number_of_the_request_and_a_case(self, site: Site) -> None:
        case_id = await a_case(site)

        assert (await site("dpo").post(f"/api/cases/{case_id}/export", json={"reference": "SITI"})).status_code == 422
        assert (await site("dpo").post(f"/api/cases/{new_id()}/export", json=ASKED)).status_code == 404
