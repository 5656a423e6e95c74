"""While a legal hold stands nobody erases the person, and each placing, lifting and refusal is on the trail."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.intake.conftest import Browser
from tests.intake.test_erasures import ASKED, a_case, erased, told

Site = Callable[[str], Browser]

COURT = {"reason": "court", "reference": "PN-JKT/112/2026"}


async def a_hold(site: Site, case_id: str, **said: str) -> dict[str, Any]:
    answer = await site("dpo").post(f"/api/cases/{case_id}/holds", json={**COURT, **said})
    assert answer.status_code == 201, answer.text
    placed: dict[str, Any] = answer.json()
    return placed


class TestHold:
    async def test_keeps_the_person_and_the_refusal_is_on_the_trail(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        hold = await a_hold(site, case_id)
        answer = await site("dpo").post(f"/api/cases/{case_id}/erasure", json=ASKED)

        assert (answer.status_code, answer.json()["code"]) == (409, "legal_hold")
        for told_ in ("23 Nov 2026", "dpo", "court", COURT["reference"]):
            assert told_ in answer.json()["detail"]
        assert await database.pool.fetchval("SELECT count(*) FROM person_keys") == 1
        [refused] = await told(database, case_id, "intake.erasure_refused.v1")
        assert refused == {"case_id": case_id, "reason": "request", "hold_id": hold["hold_id"]}
        [placed] = await told(database, case_id, "intake.legal_hold_placed.v1")
        assert placed == {"case_id": case_id, "reason": "court", "hold_id": hold["hold_id"]}

    async def test_of_which_two_stand_has_to_be_lifted_twice(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        holds = [await a_hold(site, case_id), await a_hold(site, case_id, reason="claim")]
        for n, hold in enumerate(holds):
            assert (await site("dpo").post(f"/api/cases/{case_id}/erasure", json=ASKED)).status_code == 409, n
            lifted = await site("dpo").post(f"/api/holds/{hold['hold_id']}/lift", json={"reason": "hold_ended"})
            assert lifted.json()["lifted_by"] == "dpo"

        await erased(site, case_id)

        assert len(await told(database, case_id, "intake.legal_hold_lifted.v1")) == 2

    async def test_is_lifted_once(self, site: Site) -> None:
        hold = await a_hold(site, await a_case(site))
        path = f"/api/holds/{hold['hold_id']}/lift"

        first, again = [await site("dpo").post(path, json={"reason": "placed_in_error"}) for _ in range(2)]

        assert (first.status_code, again.status_code, again.json()["code"]) == (200, 409, "hold_lifted")

    async def test_is_listed_while_it_stands(self, site: Site) -> None:
        ended, standing = [await a_hold(site, await a_case(site)) for _ in range(2)]
        await site("dpo").post(f"/api/holds/{ended['hold_id']}/lift", json={"reason": "hold_ended"})

        listed = (await site("dpo").get("/api/holds")).json()

        assert [one["hold_id"] for one in listed["items"]] == [standing["hold_id"]]
        assert listed["items"][0]["reference"] == COURT["reference"]
        assert listed["items"][0]["placed_by"] == "dpo"

    async def test_comes_too_late_for_who_was_erased(self, site: Site) -> None:
        case_id = await a_case(site)
        await erased(site, case_id)

        assert (await site("dpo").post(f"/api/cases/{case_id}/holds", json=COURT)).status_code == 410

    @pytest.mark.parametrize("actor", ["officer", "system", "worker", "referral"])
    async def test_is_for_the_data_protection_officer_alone(self, site: Site, actor: str) -> None:
        case_id = await a_case(site)
        hold = await a_hold(site, case_id)

        for path, said in (
            (f"/api/cases/{case_id}/holds", COURT),
            (f"/api/holds/{hold['hold_id']}/lift", {"reason": "hold_ended"}),
        ):
            assert (await site(actor).post(path, json=said)).status_code == 403
        assert (await site(actor).get("/api/holds")).status_code == 403

    async def test_that_is_not_there_cannot_be_lifted(self, site: Site) -> None:
        answer = await site("dpo").post(f"/api/holds/{new_id()}/lift", json={"reason": "hold_ended"})

        assert answer.status_code == 404
