"""A child is accompanied by somebody who is named, or counts as alone: the form, the API, and batches in any order."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from services.intake.domain.companions import LANDED_WITHIN, UNFIT
from shared.kit.database import Database
from shared.kit.ids import new_id
from shared.kit.short_codes import short_code
from tests.intake.conftest import Browser
from tests.intake.factories import START, a_voyage
from tests.intake.test_erasures import PERSON, a_case, told
from tests.intake.test_households_by_hand import ASKED, CHILD, ended, household, needs_of
from tests.reading import said

Site = Callable[[str], Browser]


async def a_child(site: Site, adult: str, **more: Any) -> dict[str, Any]:
    answer = await site("officer").post(
        "/api/arrivals", json={**PERSON, **CHILD, "companion": {"adult": adult, **ASKED}, **more}
    )
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


DEATH = {"version": 1, "died_on": START.date().isoformat(), "place": "at_port"}


async def ended_cases(site: Site, **more: Any) -> dict[str, str]:
    """An arrival that was none, and one of somebody who died, by how each ended."""
    wrong, dead = await a_case(site, **more), await a_case(site, **more)
    officer = site("officer")
    answers = (
        await officer.post(f"/api/arrivals/{wrong}/error", json={"version": 1, "reason": "never_arrived"}),
        await officer.post(f"/api/arrivals/{dead}/death", json=DEATH),
    )
    assert [answer.status_code for answer in answers] == [200, 200], [answer.text for answer in answers]
    return {"entered_in_error": wrong, "died": dead}


def assert_is_alone(child: dict[str, Any], why: str) -> None:
    """The child is protected as alone, and whoever logged it is told why and what to do."""
    assert "UAC" in child["needs"], why
    [warning] = child["warnings"]
    assert (warning["code"], warning["reason"]) == ("companion_unfit", why)
    assert warning["remedy"]
    assert "tanpa pendamping" in warning["title"]


@pytest.mark.invariant("I158")
class TestArrivals:
    @pytest.mark.parametrize("named", [str, short_code], ids=["by id", "by code"])
    async def test_name_who_answers_for_a_child(
        self, site: Site, database: Database, named: Callable[[str], str]
    ) -> None:
        mother = await a_case(site)
        child = await a_child(site, named(mother))

        assert ("UAC" in child["needs"], child["warnings"]) == (False, [])
        [link] = (await household(site, child["case_id"]))["guardians"]
        assert (link["state"], link["relation"], link["proof"]) == ("confirmed", "mother", "family_card")
        [linked] = await told(database, child["case_id"], "intake.guardian_linked.v1")
        [arrived] = await told(database, child["case_id"], "intake.arrival_recorded.v1")
        assert linked["household_id"] == arrived["household_id"]
        [joined] = await told(database, mother, "intake.household_changed.v1")
        assert (joined["change"], joined["members"]) == ("joined", [child["case_id"]])
        assert await database.pool.fetchval("SELECT count(*) FROM household_members") == 2

    async def test_of_an_old_client_that_names_nobody_are_of_a_child_alone(self, site: Site) -> None:
        answer = await site("officer").post("/api/arrivals", json={**PERSON, **CHILD, "accompanied": True})

        assert answer.status_code == 201
        assert "UAC" in answer.json()["needs"]
        [warning] = answer.json()["warnings"]
        assert warning["code"] == "companion_unnamed"
        assert "tanpa pendamping" in warning["title"]

    async def test_with_a_nik_of_elsewhere_are_recorded_and_asked_about(self, site: Site) -> None:
        sent = {**PERSON, "nik": "7306020508870001", "origin_regency": "73.71"}
        answer = await site("officer").post("/api/arrivals", json=sent)

        assert answer.status_code == 201
        assert [one["code"] for one in answer.json()["warnings"]] == ["nik_elsewhere"]

    async def test_of_adults_are_warned_about_nothing(self, site: Site) -> None:
        answer = await site("officer").post("/api/arrivals", json={**PERSON, "accompanied": True})

        assert (answer.json()["warnings"], "UAC" in answer.json()["needs"]) == ([], False), PERSON

    async def test_name_nobody_who_is_no_adult_of_the_voyage(self, site: Site, database: Database) -> None:
        voyage, other_voyage = [(await a_voyage(database)).voyage_id for _ in range(2)]
        unfit = {
            "child": await a_case(site, **CHILD, voyage_id=voyage),
            "other_voyage": await a_case(site, voyage_id=other_voyage),
            "unknown": new_id(),
            **await ended_cases(site, voyage_id=voyage),
        }
        for why, adult in unfit.items():
            child = await a_child(site, adult, voyage_id=voyage)
            assert_is_alone(child, why)
        assert await database.pool.fetchval("SELECT count(*) FROM guardian_links") == 0

    async def test_without_a_voyage_name_nobody_who_cannot_be_it(self, site: Site, database: Database) -> None:
        long_ago = (START - LANDED_WITHIN - timedelta(minutes=1)).isoformat()
        elsewhere = await site("stranger").post("/api/arrivals", json=PERSON)
        unfit = {
            "landed_apart": await a_case(site, arrived_at=long_ago),
            "child": await a_case(site, **CHILD),
            "unknown": elsewhere.json()["case_id"],
            **await ended_cases(site),
        }
        for why, adult in unfit.items():
            assert_is_alone(await a_child(site, adult), why)
        assert_is_alone(await a_child(site, await a_case(site), arrived_at=long_ago), "landed_apart")
        assert await database.pool.fetchval("SELECT count(*) FROM guardian_links") == 0

    @pytest.mark.parametrize("ahead", [False, True], ids=["adult first", "child first"])
    async def test_without_a_voyage_name_who_landed_with_another_at_the_port_these_days(
        self, site: Site, database: Database, ahead: bool
    ) -> None:
        voyage = (await a_voyage(database)).voyage_id
        long_ago = (START - LANDED_WITHIN).isoformat()
        adult = await a_case(site, voyage_id=voyage, **({} if ahead else {"arrived_at": long_ago}))
        child = await a_child(site, short_code(adult), **({"arrived_at": long_ago} if ahead else {}))

        assert ("UAC" in child["needs"], child["warnings"]) == (False, [])

    async def test_refuse_what_is_no_case(self, site: Site) -> None:
        answer = await site("officer").post(
            "/api/arrivals", json={**PERSON, **CHILD, "companion": {"adult": "7K9M-Q2TX-6"}}
        )

        assert answer.status_code == 422

    async def test_are_repeated_with_one_effect(self, site: Site, database: Database) -> None:
        mother, key = await a_case(site), new_id()
        sent = {**PERSON, **CHILD, "companion": {"adult": mother, **ASKED}}
        first = await site("officer").post("/api/arrivals", key=key, json=sent)
        [link] = (await household(site, first.json()["case_id"]))["guardians"]
        await ended(site, link["link_id"], 1)
        again = await site("officer").post("/api/arrivals", key=key, json=sent)
        other = await site("officer").post("/api/arrivals", key=key, json={**sent, "companion": {"adult": mother}})

        assert (again.status_code, again.json()["case_id"]) == (201, first.json()["case_id"])
        assert again.headers["idempotent-replay"] == "true"
        assert other.status_code == 422
        assert await database.pool.fetchval("SELECT count(*) FROM guardian_links") == 1

    async def test_protect_the_child_at_once_when_it_is_unlinked(self, site: Site, database: Database) -> None:
        child = await a_child(site, await a_case(site))
        [link] = (await household(site, child["case_id"]))["guardians"]
        await ended(site, link["link_id"], 1)

        assert "UAC" in await needs_of(database, child["case_id"])


@pytest.mark.invariant("I158")
class TestBatch:
    @pytest.mark.parametrize("child_first", [True, False])
    async def test_takes_a_child_and_its_adult_in_any_order(
        self, site: Site, database: Database, child_first: bool
    ) -> None:
        mother = {**PERSON, "key": "a", "case_id": new_id()}
        child = {**PERSON, **CHILD, "key": "b", "companion": {"adult": mother["case_id"], **ASKED}}
        second = {**child, "key": "c", "full_name": "Dua"}
        sent = [child, mother, second] if child_first else [mother, child, second]
        answer = (await site("officer").post("/api/arrivals/batch", json={"arrivals": sent})).json()["results"]

        assert [one["status"] for one in answer] == ["recorded"] * 3
        assert [one["key"] for one in answer] == [one["key"] for one in sent]
        assert not any("UAC" in one["arrival"]["needs"] for one in answer)
        assert await database.pool.fetchval("SELECT count(*) FROM guardian_links WHERE state = 'confirmed'") == 2
        assert await database.pool.fetchval("SELECT count(DISTINCT household_id) FROM household_members") == 1

    async def test_takes_a_child_whose_adult_names_a_companion_too(self, site: Site, database: Database) -> None:
        mother = {**PERSON, "key": "a", "case_id": new_id()}
        father = {**PERSON, "key": "b", "case_id": new_id(), "companion": {"adult": mother["case_id"]}}
        child = {**PERSON, **CHILD, "key": "c", "companion": {"adult": father["case_id"], **ASKED}}
        sent = {"arrivals": [child, father, mother]}
        answer = (await site("officer").post("/api/arrivals/batch", json=sent)).json()["results"]

        assert [one["status"] for one in answer] == ["recorded"] * 3
        assert "UAC" not in answer[0]["arrival"]["needs"]

    async def test_a_child_whose_adult_is_refused_is_alone(self, site: Site) -> None:
        mother = {**PERSON, "key": "a", "case_id": new_id(), "sex": "Q"}
        child = {**PERSON, **CHILD, "key": "b", "companion": {"adult": mother["case_id"]}}
        answer = (await site("officer").post("/api/arrivals/batch", json={"arrivals": [child, mother]})).json()

        assert [one["status"] for one in answer["results"]] == ["recorded", "refused"]
        assert answer["results"][0]["arrival"]["warnings"][0]["code"] == "companion_unfit"


class TestForms:
    @pytest.fixture
    async def link(self, database: Database) -> str:
        return f"/id/pelayaran/{(await a_voyage(database)).voyage_id}"

    async def test_log_an_adult_and_the_child_who_is_with_it(self, site: Site, database: Database, link: str) -> None:
        adult = {"full_name": "Bala", "sex": "M", "age": "34", "next": "child"}
        gone = (await site("officer").post(f"{link}/catat", data=adult)).headers["location"]
        form = await site("officer").get(gone)
        code = short_code(re.search(r"bersama=([0-9a-f-]{36})", gone)[1])  # type: ignore[index]
        child = {"full_name": "Bayu", "sex": "M", "age": "8", "companion": code, "relation": "father", "proof": "none"}
        saved = await site("officer").post(f"{link}/catat", data=child)

        assert f'value="{code}"' in form.text
        assert saved.status_code == 303
        link_ = await database.pool.fetchrow("SELECT relation, proof, state FROM guardian_links")
        assert tuple(link_ or ()) == ("father", "none", "confirmed")

    @pytest.mark.parametrize("form", ["catat", "cepat"])
    async def test_say_that_a_child_without_an_adult_is_alone(
        self, site: Site, database: Database, link: str, form: str
    ) -> None:
        child = {"full_name": "Bayu", "sex": "M", "age": "8", "group": "child", "accompanied": "1"}
        wrong = await site("officer").post(f"{link}/{form}", data={**child, "companion": "0000-0000-0"})
        await site("officer").post(f"{link}/{form}", data=child)

        assert "anak dihitung tanpa pendamping" in said(await site("officer").get(f"{link}/{form}"))
        assert wrong.status_code == 422
        assert "Catat orang dewasanya dahulu" in wrong.text
        assert 'href="#f-companion"' in wrong.text
        assert "UAC" in await database.pool.fetchval("SELECT needs FROM arrivals")

    @pytest.mark.parametrize("form", ["catat", "cepat"])
    async def test_say_why_somebody_of_another_voyage_is_not_the_adult(
        self, site: Site, database: Database, link: str, form: str
    ) -> None:
        adult = await a_case(site, voyage_id=(await a_voyage(database)).voyage_id)
        child = {"full_name": "Bayu", "sex": "M", "age": "8", "group": "child", "companion": short_code(adult)}

        refused = await site("officer").post(f"{link}/{form}", data=child)

        assert refused.status_code == 422
        assert "tidak tiba dengan pelayaran ini" in refused.text
        assert "keluarga serumah" in refused.text


def test_the_sentence_names_the_days_that_are_kept() -> None:
    assert f" {LANDED_WITHIN.days} days " in UNFIT["landed_apart"][0]
