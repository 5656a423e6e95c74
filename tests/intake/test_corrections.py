"""A correction is sealed like what it corrects, decided in 3 x 24 hours, and told to who had been shown the person."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from services.intake.clock import count_overdue
from shared.kit.clock import FixedClock
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.intake.conftest import Browser
from tests.intake.factories import START, a_disclosure, an_accepted
from tests.intake.test_erasures import a_case, erased, told
from tests.intake.test_records import export, search

Site = Callable[[str], Browser]

WRONG = {"field": "full_name", "value": "Kenanga Putih", "reference": "P4MI-NNK/2026/17"}


async def a_request(site: Site, case_id: str, actor: str = "officer", **said: str) -> str:
    answer = await site(actor).post(f"/api/cases/{case_id}/corrections", json={**WRONG, **said})
    assert answer.status_code == 201, answer.text
    correction_id: str = answer.json()["correction_id"]
    return correction_id


async def decided(site: Site, correction_id: str, **said: str) -> int:
    answer = await site("dpo").post(f"/api/corrections/{correction_id}/decision", json=said or {"decision": "accepted"})
    return int(answer.status_code)


class TestRequest:
    async def test_is_sealed_and_written_nowhere_else(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        correction_id = await a_request(site, case_id)

        rows = [str(dict(row)) for row in await database.pool.fetch("SELECT * FROM corrections")]
        rows += [str(dict(row)) for row in await database.pool.fetch("SELECT * FROM answers")]
        rows += [str(dict(row)) for row in await database.pool.fetch("SELECT * FROM journal")]
        assert "Kenanga" not in "".join(rows)
        # A digest of the whole request without a key could be compared with guessed names.
        assert await database.pool.fetchval("SELECT octet_length(request_digest) FROM answers") == 16
        [asked] = await told(database, case_id, "intake.correction_requested.v1")
        assert asked == {
            "case_id": case_id, "correction_id": correction_id, "fields": ["full_name"],
            "decide_by": (START + timedelta(hours=72)).isoformat().replace("+00:00", "Z"),
        }  # fmt: skip

    async def test_of_another_port_looks_like_a_missing_case(self, site: Site) -> None:
        case_id = await a_case(site)

        answers = [
            await site("stranger").post(f"/api/cases/{id_}/corrections", json=WRONG) for id_ in (case_id, new_id())
        ]

        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].json()["detail"] == answers[1].json()["detail"]

    @pytest.mark.parametrize(
        ("said", "status"),
        [
            ({"field": "sex", "value": "F"}, 422),
            ({"field": "nik", "value": "123"}, 422),
            ({"value": ""}, 422),
            ({"field": "birth", "value": "2020-01-01"}, 409),
            ({"field": "birth", "value": "2030-01-01"}, 422),
            ({"reference": "SITI"}, 422),
        ],
        ids=["a code", "no NIK", "no name", "a child", "not born yet", "a name for a number"],
    )
    async def test_has_to_be_about_the_identity_and_possible(
        self, site: Site, database: Database, said: dict[str, str], status: int
    ) -> None:
        answer = await site("dpo").post(f"/api/cases/{await a_case(site)}/corrections", json={**WRONG, **said})

        assert answer.status_code == status, answer.text
        assert await database.pool.fetchval("SELECT count(*) FROM corrections") == 0

    @pytest.mark.parametrize("actor", ["system", "worker", "referral"])
    async def test_is_for_people_at_ports_and_the_officer_for_data(self, site: Site, actor: str) -> None:
        answer = await site(actor).post(f"/api/cases/{await a_case(site)}/corrections", json=WRONG)

        assert answer.status_code == 403

    async def test_comes_too_late_for_who_was_erased(self, site: Site) -> None:
        case_id = await a_case(site)
        await erased(site, case_id)

        assert (await site("dpo").post(f"/api/cases/{case_id}/corrections", json=WRONG)).status_code == 410


class TestDecision:
    async def test_sees_the_old_and_the_new_and_that_is_on_the_trail(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        correction_id = await a_request(site, case_id)
        looked = (await site("dpo").get(f"/api/corrections/{correction_id}")).json()

        assert (looked["now"], looked["proposed"]) == ("Kenari Kuning", "Kenanga Putih")
        [read] = await told(database, case_id, "intake.person_record_read.v1")
        assert read["fields"] == ["full_name"]
        assert (await site("officer").get(f"/api/corrections/{correction_id}")).status_code == 403

    async def test_accepted_is_read_from_then_on_under_the_same_key(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        key = await database.pool.fetchval("SELECT wrapped_key FROM person_keys")
        assert await decided(site, await a_request(site, case_id)) == 204

        answer = await a_disclosure(site("referral"), case_id, await an_accepted(database, case_id), "DINKES-73.06")
        assert answer.json()["fields"]["full_name"] == "Kenanga Putih"
        assert await database.pool.fetchval("SELECT wrapped_key FROM person_keys") == key
        assert await database.pool.fetchval("SELECT sealed FROM corrections") == b""

    async def test_on_a_value_that_was_corrected_since_it_was_looked_at_is_refused(self, site: Site) -> None:
        case_id = await a_case(site)
        first, second = await a_request(site, case_id), await a_request(site, case_id, value="Kenanga Ungu")
        path = f"/api/corrections/{second}"
        looked = (await site("dpo").get(path)).json()
        await decided(site, first)

        late = await site("dpo").post(f"{path}/decision", json={"decision": "accepted", "seen": looked["seen"]})
        again = (await site("dpo").get(path)).json()

        assert (late.status_code, late.json()["code"]) == (409, "identity_changed")
        assert (again["now"], again["proposed"]) == ("Kenanga Putih", "Kenanga Ungu")
        assert await decided(site, second, decision="accepted", seen=again["seen"]) == 204

    async def test_on_a_page_shows_both_values_when_that_was_corrected_since(self, site: Site) -> None:
        case_id = await a_case(site)
        first, second = await a_request(site, case_id), await a_request(site, case_id, value="Kenanga Ungu")
        path = f"/id/perbaikan/{second}"

        def seen(page: Any) -> str:
            found = re.search(r'name="seen" value="([0-9a-f]+)"', page.text)
            assert found
            return found[1]

        looked = await site("dpo").get(path)
        await decided(site, first)
        late = await site("dpo").post(path, data={"decision": "accepted", "seen": seen(looked)})
        done = await site("dpo").post(path, data={"decision": "accepted", "seen": seen(late)})

        assert (late.status_code, done.status_code) == (409, 303)
        assert "Kenanga Putih" in late.text
        assert "Kenanga Ungu" in late.text

    async def test_accepted_is_told_to_who_had_been_shown_the_person(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        await a_disclosure(site("referral"), case_id, await an_accepted(database, case_id), "DINKES-73.06")
        await decided(site, await a_request(site, case_id))

        [fact] = await told(database, case_id, "intake.identity_corrected.v1")
        assert fact == {"case_id": case_id, "fields": ["full_name"], "recipients": ["DINKES-73.06"]}

    async def test_accepted_for_a_number_moves_where_the_person_is_found(self, site: Site) -> None:
        case_id = await a_case(site)
        await decided(site, await a_request(site, case_id, field="nik", value="7306991901910077"))

        assert await search(site, "nik", "7306991901910001") == []
        assert [case["case_id"] for case in await search(site, "nik", "7306991901910077")] == [case_id]

    async def test_accepted_can_take_a_field_away(self, site: Site) -> None:
        case_id = await a_case(site)
        await decided(site, await a_request(site, case_id, field="nik", value=""))

        assert "nik" not in (await export(site, case_id))["cases"][0]["identity"]
        assert await search(site, "nik", "7306991901910001") == []

    async def test_rejected_changes_nothing_and_says_why(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        assert await decided(site, await a_request(site, case_id), decision="rejected", reason="no_proof") == 204

        assert (await export(site, case_id))["cases"][0]["identity"]["full_name"] == "Kenari Kuning"
        [fact] = await told(database, case_id, "intake.correction_rejected.v1")
        assert (fact["fields"], fact["reason"]) == (["full_name"], "no_proof")

    @pytest.mark.parametrize("said", [{"decision": "rejected"}, {"decision": "accepted", "reason": "no_proof"}])
    async def test_needs_a_reason_to_reject_and_none_to_accept(self, site: Site, said: dict[str, str]) -> None:
        assert await decided(site, await a_request(site, await a_case(site)), **said) == 422

    async def test_is_made_once(self, site: Site) -> None:
        correction_id = await a_request(site, await a_case(site))

        assert [await decided(site, correction_id) for _ in range(2)] == [204, 409]

    async def test_is_made_by_an_erasure_too(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        correction_id = await a_request(site, case_id)
        await erased(site, case_id)

        assert await decided(site, correction_id) == 409
        row = await database.pool.fetchrow("SELECT decision, sealed FROM corrections")
        assert tuple(row) == ("erased", b"")


class TestClock:
    async def test_overdue_ones_stand_first_and_are_counted(
        self, site: Site, database: Database, clock: FixedClock
    ) -> None:
        late = await a_request(site, await a_case(site))
        clock.advance(timedelta(hours=71))
        early = await a_request(site, await a_case(site))
        before = await count_overdue(database)
        clock.advance(timedelta(hours=2))

        listed: list[dict[str, Any]] = (await site("dpo").get("/api/corrections")).json()["items"]

        assert [(one["correction_id"], one["overdue"]) for one in listed] == [(late, True), (early, False)]
        assert (before, await count_overdue(database)) == (0, 1)
