"""Logged in a hurry, on the record at once, completed later; a slip whose code is made by who sends it."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.actions import completing
from services.intake.domain.completing import COMPLETED, completed, guessed
from services.intake.domain.people import Identity, age_band, born_on
from services.intake.domain.refusals.identities import AgeBandWouldChange, FieldFilled, NothingToComplete
from shared.kit.clock import FixedClock
from shared.kit.database import Database
from shared.kit.ids import new_id
from shared.kit.short_codes import short_code
from tests.intake.conftest import Browser
from tests.intake.test_erasures import erased, told
from tests.intake.test_households_by_hand import ended, needs_of
from tests.intake.test_reconciliation import a_voyage

MIGRATIONS = Path(completing.__file__).parents[1] / "migrations"
Site = Callable[[str], Browser]
TODAY = date(2026, 11, 23)
HURRY = {"sex": "F", "unfinished": True, "looks": "adult", "needs": ["SICK"]}


async def logged(site: Site, **more: Any) -> str:
    answer = await site("officer").post("/api/arrivals", json={**HURRY, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["case_id"])


async def unfinished(site: Site, actor: str = "officer") -> list[str]:
    answer = await site(actor).get("/api/arrivals/unfinished")
    return [one["case_id"] for one in answer.json()["items"]]


class TestGuess:
    @pytest.mark.parametrize("group", ["child", "adult", "elderly"])
    def test_is_of_the_age_group_that_was_seen(self, group: Any) -> None:
        for days in range(0, 1500, 97):
            on = TODAY + timedelta(days=days)
            assert age_band(guessed(group, on), on) == group

    @given(st.dates(date(1930, 1, 1), TODAY))
    def test_takes_a_birth_of_that_group_and_no_other(self, day: date) -> None:
        band = age_band(born_on(day), TODAY)
        for group in ("child", "adult", "elderly"):
            identity = Identity(birth=guessed(group, TODAY).text)  # type: ignore[arg-type]
            if group == band:
                assert completed(identity, {"birth": day.isoformat()})[0].birth == day.isoformat()
            else:
                near = min(abs((day - edge).days) for edge in _edges())
                if near > 2:
                    with pytest.raises(AgeBandWouldChange):
                        completed(identity, {"birth": day.isoformat()})


def _edges() -> list[date]:
    return [TODAY.replace(year=TODAY.year - years) for years in (18, 60)] + [TODAY]


class TestCompleted:
    def test_fills_what_is_empty_and_leaves_what_stands_there(self) -> None:
        identity = Identity("Siti", nik="6503996912850002")

        after, fields = completed(identity, {"full_name": "Siti", "document_number": "XS1", "mother_name": ""})

        assert (after.document_number, after.full_name, fields) == ("XS1", "Siti", ("document_number",))
        with pytest.raises(FieldFilled):
            completed(identity, {"nik": "6503996912850003"})
        with pytest.raises(NothingToComplete):
            completed(identity, {"full_name": "Siti"})

    def test_knows_every_field_that_is_asked_for(self) -> None:
        assert all(hasattr(Identity(), name) for name in COMPLETED)


class TestHurry:
    async def test_records_at_once_what_is_needed_and_leaves_the_rest_as_a_task(
        self, site: Site, database: Database
    ) -> None:
        case_id = await logged(site)

        [recorded] = await told(database, case_id, "intake.arrival_recorded.v1")
        assert (recorded["age_band"], recorded["channel"], "SICK" in recorded["needs"]) == ("adult", "single", True)
        assert await unfinished(site) == [case_id]
        assert await unfinished(site, "stranger") == []

    async def test_of_somebody_whose_age_nobody_guesses_counts_as_a_child(self, site: Site, database: Database) -> None:
        case_id = await logged(site, looks=None)

        [recorded] = await told(database, case_id, "intake.arrival_recorded.v1")
        assert (recorded["age_band"], "UAC" in recorded["needs"]) == ("unknown", True)

    async def test_is_the_only_way_to_leave_the_name_out(self, site: Site) -> None:
        answer = await site("officer").post("/api/arrivals", json={"sex": "F"})

        assert answer.status_code == 422

    async def test_is_completed_once_and_found_by_number_afterwards(self, site: Site, database: Database) -> None:
        case_id = await logged(site)
        said = {
            "version": 1, "full_name": "Siti binti Aman", "birth": "5 Agustus 1987", "nik": "6503994508870002",
            "document_number": "XS9000001", "origin_regency": "73.06",
        }  # fmt: skip
        path = f"/api/arrivals/{case_id}/completion"

        done = await site("officer").post(path, json=said)
        found = await site("dpo").post("/api/persons/search", json={"by": "nik", "value": said["nik"]})
        stale = await site("officer").post(path, json={**said, "full_name": "Sitti"})
        filled = await site("officer").post(path, json={"version": done.json()["version"], "full_name": "Sitti"})

        assert (done.status_code, done.json()["version"]) == (200, 2), done.text
        assert [one["case_id"] for one in found.json()["items"]] == [case_id]
        assert (stale.status_code, stale.json()["code"]) == (409, "arrival_changed")
        assert (filled.status_code, filled.json()["code"]) == (409, "field_filled")
        assert "Siti" not in filled.text
        assert await unfinished(site) == []
        [corrected] = await told(database, case_id, "intake.identity_corrected.v1")
        assert set(corrected["fields"]) == {"full_name", "birth", "nik", "document_number"}
        [origin] = await told(database, case_id, "intake.origin_corrected.v1")
        assert (origin["was"], origin["origin_regency"]) == (None, "73.06")

    async def test_is_not_completed_to_another_age_group(self, site: Site) -> None:
        case_id = await logged(site, looks="child")

        answer = await site("officer").post(f"/api/arrivals/{case_id}/completion", json={"version": 1, "birth": "1987"})

        assert (answer.status_code, answer.json()["code"]) == (409, "age_band_would_change")
        assert await unfinished(site) == [case_id]

    async def test_stays_a_task_until_there_is_a_name(self, site: Site) -> None:
        case_id = await logged(site)

        await site("officer").post(f"/api/arrivals/{case_id}/completion", json={"version": 1, "document_number": "XS1"})

        assert await unfinished(site) == [case_id]

    async def test_is_no_task_any_more_once_the_person_was_erased(self, site: Site) -> None:
        case_id = await logged(site)
        other = await logged(site)

        await erased(site, case_id)

        answer = await site("officer").post(
            f"/api/arrivals/{case_id}/completion", json={"version": 1, "full_name": "S"}
        )
        assert answer.status_code == 410
        assert await unfinished(site) == [other]

    async def test_is_no_task_of_who_was_erased_by_an_earlier_version(
        self, site: Site, owner: asyncpg.Connection
    ) -> None:
        case_id, other = [await logged(site) for _ in range(2)]
        await erased(site, case_id)
        async with owner.transaction():
            await owner.execute("SET LOCAL rujukan.scope = 'service'")
            await owner.execute("UPDATE arrivals SET unfinished = TRUE WHERE case_id = $1", case_id)
            settling = MIGRATIONS / "0031_ask_nobody_to_complete_who_was_erased.sql"
            await owner.execute(settling.read_text(encoding="utf-8"))

        assert await unfinished(site) == [other]

    @pytest.mark.parametrize(("actor", "status"), [("stranger", 404), ("system", 403), ("dpo", 403), ("worker", 403)])
    async def test_is_completed_by_the_port_alone(self, site: Site, actor: str, status: int) -> None:
        case_id = await logged(site)

        answer = await site(actor).post(f"/api/arrivals/{case_id}/completion", json={"version": 1, "full_name": "Siti"})

        assert answer.status_code == status


async def logged_with(site: Site, **said: Any) -> tuple[str, str]:
    """A child who is logged in a hurry with an adult, and the adult."""
    adult = await logged(site)
    child = await logged(site, looks="child", companion={"adult": short_code(adult), **said})
    return child, adult


async def guardian_of(site: Site, case_id: str) -> Any:
    items = (await site("officer").get("/api/arrivals/unfinished")).json()["items"]
    return next(one["guardian"] for one in items if one["case_id"] == case_id)


@pytest.mark.invariant("I172")
class TestChildWithAnAdult:
    async def test_is_accompanied_though_nobody_said_what_the_adult_is_to_it(
        self, site: Site, database: Database
    ) -> None:
        child, adult = await logged_with(site)
        alone = await logged(site, looks="child")

        [recorded] = await told(database, child, "intake.arrival_recorded.v1")
        assert "UAC" not in recorded["needs"]
        found = await guardian_of(site, child)
        assert (found["adult_case_id"], found["relation"], found["proof"]) == (adult, "not_stated", "none")
        assert await guardian_of(site, alone) is None
        assert await guardian_of(site, adult) is None

    async def test_stays_a_task_until_it_is_said_and_then_keeps_it(self, site: Site, database: Database) -> None:
        child, adult = await logged_with(site, proof="travel_document")
        path, officer = f"/api/arrivals/{child}/completion", site("officer")

        await officer.post(path, json={"version": 1, "full_name": "Bayu"})
        named = await unfinished(site)
        done = await officer.post(path, json={"version": 1, "relation": "mother"})
        other = await officer.post(path, json={"version": 1, "relation": "father"})
        same = await officer.post(path, json={"version": 1, "relation": "mother"})

        assert child in named
        assert done.status_code == 200, done.text
        assert await unfinished(site) == [adult]
        assert (other.status_code, other.json()["code"]) == (409, "field_filled")
        assert (same.status_code, same.json()["code"]) == (422, "nothing_to_complete")
        [fact] = await told(database, child, "intake.guardian_described.v1")
        assert (fact["adult_case_id"], fact["relation"], fact["proof"]) == (adult, "mother", "travel_document")
        row = await database.pool.fetchrow("SELECT relation, proof, state, version FROM guardian_links")
        assert tuple(row or ()) == ("mother", "travel_document", "confirmed", 2)

    async def test_whom_nobody_answers_for_is_not_described(self, site: Site) -> None:
        child = await logged(site, looks="child")

        answer = await site("officer").post(
            f"/api/arrivals/{child}/completion", json={"version": 1, "full_name": "Bayu", "relation": "mother"}
        )

        assert (answer.status_code, answer.json()["code"]) == (409, "nobody_answers")
        assert await unfinished(site) == [child]

    async def test_is_unlinked_and_no_relation_is_asked_for_any_more(self, site: Site, database: Database) -> None:
        child, _ = await logged_with(site)
        link = await guardian_of(site, child)

        await ended(site, link["link_id"], 1)

        assert await guardian_of(site, child) is None
        assert "UAC" in await needs_of(database, child)

    async def test_is_complete_with_a_name_once_the_adult_answers_no_longer(self, site: Site) -> None:
        child, adult = await logged_with(site)
        path, officer = f"/api/arrivals/{child}/completion", site("officer")
        await officer.post(path, json={"version": 1, "full_name": "Bayu"})
        await ended(site, (await guardian_of(site, child))["link_id"], 1)
        assert child in await unfinished(site)

        done = await officer.post(path, json={"version": 2})
        again = await officer.post(path, json={"version": 2})

        assert done.status_code == 200, done.text
        assert await unfinished(site) == [adult]
        assert (again.status_code, again.json()["code"]) == (422, "nothing_to_complete")

    @pytest.mark.parametrize(
        "rewriting",
        [
            "relation = 'father', proof = 'family_card', version = version + 1",
            "proof = 'family_card', confirmed_by = 'other', version = version + 1",
            "proof = 'family_card', version = version + 2",
            "version = version + 1",
        ],
    )
    async def test_keeps_what_was_said_whatever_is_written(
        self, site: Site, owner: asyncpg.Connection, rewriting: str
    ) -> None:
        await logged_with(site, relation="mother")

        with pytest.raises(asyncpg.CheckViolationError):
            await owner.execute(f"UPDATE guardian_links SET {rewriting}")


class TestOwnIds:
    async def test_are_the_cases_ids(self, site: Site) -> None:
        mine = new_id()

        assert await logged(site, case_id=mine) == mine

    async def test_that_are_sent_again_under_the_same_key_record_once(self, site: Site, database: Database) -> None:
        sent, key = {**HURRY, "case_id": new_id()}, new_id()

        answers = [await site("officer").post("/api/arrivals", key=key, json=sent) for _ in range(2)]

        assert [answer.json()["case_id"] for answer in answers] == [sent["case_id"]] * 2
        assert await database.pool.fetchval("SELECT count(*) FROM arrivals") == 1

    async def test_that_were_taken_are_refused_and_fail_no_other(self, site: Site, database: Database) -> None:
        taken = await logged(site, case_id=new_id())
        again = await site("officer").post("/api/arrivals", json={**HURRY, "case_id": taken})
        batch = [{**HURRY, "key": "1", "case_id": taken}, {**HURRY, "key": "2", "case_id": new_id()}]
        results = (await site("officer").post("/api/arrivals/batch", json={"arrivals": batch})).json()["results"]

        assert (again.status_code, again.json()["code"]) == (409, "case_id_taken")
        assert [one["status"] for one in results] == ["refused", "recorded"]
        assert results[0]["problem"]["code"] == "case_id_taken"
        assert await database.pool.fetchval("SELECT count(*) FROM arrivals") == 2

    async def test_that_do_not_grow_with_time_are_refused(self, site: Site) -> None:
        answer = await site("officer").post(
            "/api/arrivals", json={**HURRY, "case_id": "6f1c2a4e-1b2d-4c3e-8f90-0123456789ab"}
        )

        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/case_id")


class TestSlip:
    async def test_shows_code_and_name_and_no_need_and_is_on_the_trail(self, site: Site, database: Database) -> None:
        case_id = await logged(site, full_name="Siti binti Aman", needs=["TIP"])

        page = await site("officer").get(f"/id/kedatangan/{case_id}/slip")

        assert page.status_code == 200
        for shown in (short_code(case_id), "Siti binti Aman", "Nunukan", "Simpan", "Keep this slip"):
            assert shown in page.text, shown
        assert "Selain nama Anda dan kapan Anda mendarat, tidak ada hal lain tentang Anda di sini." in page.text
        assert "TPPO" not in page.text
        assert "trafficking" not in page.text.casefold()
        [read] = await told(database, case_id, "intake.person_record_read.v1")
        assert read["fields"] == ["full_name"]

    async def test_is_not_printed_a_month_later(self, site: Site, clock: FixedClock) -> None:
        case_id = await logged(site, full_name="Siti")
        clock.advance(timedelta(days=31))

        page = await site("officer").get(f"/id/kedatangan/{case_id}/slip")

        assert page.status_code == 409
        assert "Siti" not in page.text

    async def test_of_another_port_is_as_if_there_were_none(self, site: Site) -> None:
        case_id = await logged(site, full_name="Siti")

        pages = [await site("stranger").get(f"/id/kedatangan/{id_}/slip") for id_ in (case_id, new_id())]

        assert {page.status_code for page in pages} == {404}

    async def test_leads_back_to_the_case_however_its_code_is_written(self, site: Site) -> None:
        voyage_id = await a_voyage(site)
        cases = [await logged(site), await logged(site, voyage_id=voyage_id)]

        for case_id in cases:
            code = short_code(case_id)
            found = await site("officer").get(f"/api/cases?code={quote(code.replace('-', ' ').lower())}")
            page = await site("officer").get(f"/id/cari?kode={quote(code)}")
            strange = await site("stranger").get(f"/api/cases?code={quote(code)}")

            assert found.json() == {"case_ids": [case_id]}
            assert page.headers["location"] == f"/id/kedatangan/{case_id}"
            assert strange.json() == {"case_ids": []}

    async def test_that_was_copied_wrongly_leads_nowhere_and_says_so(self, site: Site) -> None:
        code = short_code(await logged(site))
        wrong = ("1" if code[0] == "0" else "0") + code[1:]

        answer = await site("officer").get(f"/api/cases?code={quote(wrong)}")
        page = await site("officer").get(f"/id/cari?kode={quote(wrong)}")

        assert (answer.status_code, page.status_code) == (422, 422)
        assert "salin" in page.text


class TestPages:
    async def test_log_in_a_hurry_then_complete(self, site: Site) -> None:
        voyage_id = await a_voyage(site)
        officer = site("officer")
        mine = new_id()
        form = {"sex": "M", "group": "adult", "needs": ["SICK"], "full_name": "", "case_id": mine}

        saved = await officer.post(f"/id/pelayaran/{voyage_id}/cepat", data=form)
        waiting = await officer.get("/id/belum-lengkap")
        shown = await officer.get(f"/id/kedatangan/{mine}/lengkapi")
        bad = await officer.post(f"/id/kedatangan/{mine}/lengkapi", data={"version": "1", "nik": "12", "origin": "?"})
        done = await officer.post(
            f"/id/kedatangan/{mine}/lengkapi",
            data={"version": "1", "full_name": "Emong", "birth_year": "1987", "origin": "Kabupaten Gowa"},
        )

        assert saved.headers["location"].startswith(f"/id/kedatangan/{mine}/slip")
        slip = await officer.get(saved.headers["location"])
        assert f'href="/id/pelayaran/{voyage_id}/cepat"' in slip.text
        assert "Tersimpan. Sisanya dapat menyusul." in slip.text
        assert f'href="/id/pelayaran/{voyage_id}"' in (await officer.get(f"/id/kedatangan/{mine}")).text
        assert short_code(mine) in waiting.text
        assert 'name="version" value="1"' in shown.text
        assert bad.status_code == 422
        assert 'value="12"' in bad.text
        assert done.status_code == 303, done.text
        assert await unfinished(site) == []

    async def test_log_a_child_with_an_adult_and_say_later_what_the_adult_is(
        self, site: Site, database: Database
    ) -> None:
        voyage_id, officer, child = await a_voyage(site), site("officer"), new_id()
        adult = await logged(site, voyage_id=voyage_id)
        form = {"sex": "M", "group": "child", "companion": short_code(adult), "case_id": child}

        shown = await officer.get(f"/id/pelayaran/{voyage_id}/cepat")
        await officer.post(f"/id/pelayaran/{voyage_id}/cepat", data={**form, "relation": "not_stated"})
        waiting = await officer.get("/en/belum-lengkap")
        asked = await officer.get(f"/id/kedatangan/{child}/lengkapi")
        done = await officer.post(
            f"/id/kedatangan/{child}/lengkapi",
            data={"version": "1", "full_name": "Bayu", "relation": "mother", "proof": "family_card"},
        )
        again = await officer.get(f"/id/kedatangan/{child}/lengkapi")

        assert 'name="relation"' in shown.text
        assert "What the adult is to the child: not yet" in waiting.text
        assert "What shows it: not yet" in waiting.text
        assert 'name="relation"' in asked.text
        assert short_code(adult) in asked.text
        assert done.status_code == 303, done.text
        assert 'name="relation"' not in again.text
        row = await database.pool.fetchrow("SELECT relation, proof FROM guardian_links")
        assert tuple(row or ()) == ("mother", "family_card")

    async def test_ask_for_the_sex_alone(self, site: Site) -> None:
        voyage_id = await a_voyage(site)

        page = await site("officer").post(f"/id/pelayaran/{voyage_id}/cepat", data={"full_name": "Emong"})

        assert page.status_code == 422
        assert 'value="Emong"' in page.text
        assert await unfinished(site) == []
