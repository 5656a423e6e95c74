"""Deaths are noted by the port; that somebody lives after all takes two people."""

import re
from datetime import date

import asyncpg
import pytest

from services.intake.domain import arrival_corrections as domain
from shared.kit.database import Database
from tests.intake.correcting import Site, a_kept, corrected, filled, state
from tests.intake.factories import START
from tests.intake.test_erasures import a_case, told


class TestDeath:
    async def test_is_told_with_day_and_place_and_the_remains_are_due(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)

        status, after = await corrected(site, case_id, "death", died_on=START.date().isoformat(), place="in_care")

        assert (status, after["ended_as"], "REMAINS" in after["needs"]) == (200, "died", True)
        [fact] = await told(database, case_id, "intake.person_died.v1")
        assert (fact["died_on"], fact["place"]) == (START.date().isoformat(), "in_care")

    async def test_leaves_the_origin_to_be_corrected_alone(self, site: Site) -> None:
        case_id = await a_case(site)
        await corrected(site, case_id, "death", died_on=START.date().isoformat(), place="at_port")

        assert (await corrected(site, case_id, "sex", version=2, sex="X", reason="assessed"))[1]["code"] == (
            "person_has_died"
        )
        assert (await corrected(site, case_id, "origin", version=2, origin_regency="53.01", reason="family_said"))[
            0
        ] == 200


async def dead(site: Site, case_id: str) -> None:
    status, _ = await corrected(site, case_id, "death", died_on=START.date().isoformat(), place="in_care")
    assert status == 200


async def doubted(site: Site, case_id: str, *, version: int = 2) -> str:
    status, answer = await corrected(site, case_id, "death/doubt", version=version, reason="seen_alive")
    assert status == 202, answer
    doubt_id: str = answer["doubt_id"]
    return doubt_id


@pytest.mark.invariant("I156")
class TestDeathUndone:
    @pytest.mark.parametrize("second", ["colleague", "supervisor"])
    async def test_takes_two_people_and_leaves_the_history(self, site: Site, database: Database, second: str) -> None:
        case_id = await a_case(site)
        before = (await state(site, case_id))["needs"]
        await dead(site, case_id)
        doubt_id = await doubted(site, case_id)
        path = f"/api/death-doubts/{doubt_id}/confirmation"

        alone = await site("officer").post(path, json={})
        assert (alone.status_code, alone.json()["code"]) == (403, "not_two_people")
        answer = await site(second).post(path, json={"version": 2})

        assert (answer.status_code, answer.json()["ended_as"], answer.json()["needs"]) == (200, None, before)
        [fact] = await told(database, case_id, "intake.death_undone.v1")
        assert (fact["reason"], fact["struck"], fact["version"]) == ("seen_alive", ["REMAINS"], 3)
        history = (await state(site, case_id))["history"]
        assert [(one["kind"], one["proposed_by"]) for one in history] == [
            ("died", None),
            ("death_undone", fact["proposed_by"]),
        ]
        assert (await site(second).post(path, json={})).json()["code"] == "proposal_ended"

    async def test_is_refused_or_taken_back_and_said_again(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        assert (await corrected(site, case_id, "death/doubt", reason="seen_alive"))[1]["code"] == "not_dead"
        await dead(site, case_id)
        first = await doubted(site, case_id)
        again = await corrected(site, case_id, "death/doubt", version=2, reason="recorded_wrongly")
        assert again[1]["code"] == "doubted_already"
        assert (await site("far").get("/api/death-doubts")).json()["items"] == []
        assert [one["doubt_id"] for one in (await site("supervisor").get("/api/death-doubts")).json()["items"]] == [
            first
        ]

        for actor in ("officer", "supervisor"):
            answer = await site(actor).post(f"/api/death-doubts/{first}/refusal")
            assert answer.status_code == 204, answer.text
            first = await doubted(site, case_id)

        rows = await told(database, case_id, "intake.death_doubt_ended.v1")
        assert [row["how"] for row in rows] == ["withdrawn", "refused"]
        assert (await state(site, case_id))["ended_as"] == "died"

    async def test_is_refused_to_who_has_seen_another_version(self, site: Site) -> None:
        case_id = await a_case(site)
        await dead(site, case_id)
        doubt_id = await doubted(site, case_id)
        await corrected(site, case_id, "origin", version=2, origin_regency="53.01", reason="family_said")

        answer = await site("colleague").post(f"/api/death-doubts/{doubt_id}/confirmation", json={"version": 2})

        assert (answer.status_code, answer.json()["code"]) == (409, "arrival_changed")

    async def test_ends_with_an_arrival_that_was_none_which_is_logged_anew(
        self, site: Site, database: Database
    ) -> None:
        case_id = await a_case(site)
        await dead(site, case_id)
        doubt_id = await doubted(site, case_id)
        await corrected(site, case_id, "error", version=2, reason="test_entry")

        answer = await site("colleague").post(f"/api/death-doubts/{doubt_id}/confirmation", json={})

        assert answer.json()["code"] == "proposal_ended"
        [fact] = await told(database, case_id, "intake.death_doubt_ended.v1")
        assert (fact["doubt_id"], fact["how"]) == (doubt_id, "overtaken")
        assert "catat orang itu kembali" in (await site("officer").get(f"/id/kedatangan/{case_id}")).text

    async def test_of_one_person_is_refused_by_the_database(self, site: Site, owner: asyncpg.Connection) -> None:
        case_id = await a_case(site)
        await dead(site, case_id)

        with pytest.raises(asyncpg.CheckViolationError, match="two_people_undo_a_death"):
            await owner.execute(
                "INSERT INTO arrival_corrections (case_id, version, port, kind, added, struck, reason, proposed_by,"
                " corrected_by, corrected_at) VALUES ($1, 3, 'NNK', 'death_undone', '{}', '{}', 'seen_alive', 'a',"
                " 'a', now())",
                case_id,
            )

    async def test_by_forms(self, site: Site) -> None:
        case_id = await a_case(site)
        await dead(site, case_id)

        answer = await filled(site, case_id, "hidup", reason="seen_alive")
        assert answer.status_code == 303, answer.text
        page = await site("supervisor").get("/id/ternyata-hidup")
        action = re.search(r'action="(/id/ternyata-hidup/[0-9a-f-]+)"', page.text)
        assert action is not None
        answer = await site("supervisor").post(action[1], data={"decision": "confirmed"})

        assert answer.status_code == 303, answer.text
        assert "Orangnya terlihat hidup" in (await site("officer").get(f"/id/kedatangan/{case_id}")).text


class TestDays:
    def test_go_with_the_place(self) -> None:
        landed = date(2026, 11, 23)

        after, step = domain.note_death(
            a_kept("adult"), died_on=date(2026, 11, 20), place="before_arrival", landed_on=landed, today=landed
        )

        assert (after.ended_as, step.added) == ("died", ("REMAINS",))
