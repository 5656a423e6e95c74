"""The roll on pages and in the API: what is shown, in both languages, what is refused, and what is counted."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from services.intake.domain.voyages import Voyage
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.intake.conftest import Browser
from tests.intake.factories import a_draft, a_list, a_row, a_voyage

Site = Callable[[str], Browser]
NAMES = ("Bala", "Siti Aminah", "Bayu")


async def a_roll(database: Database) -> tuple[Voyage, str]:
    """A voyage with a list of three."""
    voyage = await a_voyage(database)
    rows = [a_row(n, name=name) for n, name in enumerate(NAMES, start=1)]
    return voyage, await a_draft(database, voyage.voyage_id, a_list(*rows))


async def post(browser: Browser, path: str, **form: Any) -> Any:
    return await browser.post(path, data={"idempotency_key": new_id(), **form})


class TestApi:
    async def test_shows_and_calls(self, database: Database, site: Site) -> None:
        voyage, draft_id = await a_roll(database)
        officer = site("officer")
        roll = f"/api/voyages/{voyage.voyage_id}/roll-call"
        assert (
            await officer.post(f"/api/drafts/{draft_id}/rows/2/call", json={"version": 0, "mark": "here"})
        ).status_code == 200
        absent = {"version": 0, "mark": "absent", "reason": "ill_abroad"}
        assert (await officer.post(f"/api/drafts/{draft_id}/rows/3/call", json=absent)).json()["counts"]["absent"] == 1

        said = (await officer.get(roll)).json()
        assert [said[name] for name in ("here", "absent", "left", "to_call", "in_all")] == [1, 1, 1, 1, 3]
        assert [(one["name"], one["mark"], one["reason"]) for one in said["items"]] == [
            ("Bala", "here", None), ("Siti Aminah", "absent", "ill_abroad"), ("Bayu", "open", None),
        ]  # fmt: skip
        assert [one["name"] for one in (await officer.get(roll, letters="am")).json()["items"]] == ["Siti Aminah"]
        assert [one["name"] for one in (await officer.get(roll, mark="open")).json()["items"]] == ["Bayu"]
        assert (await officer.get(roll, letters="ami")).status_code == 422

    async def test_calls_by_what_the_list_says_whose_name_is_to_be_mended(self, database: Database, site: Site) -> None:
        voyage = await a_voyage(database)
        names = ("Siti " * 30, "=Andi", "Ba\u202ela")
        rows = [a_row(n, name=name) for n, name in enumerate(names, start=1)]
        await a_draft(database, voyage.voyage_id, a_list(*rows))

        items = (await site("officer").get(f"/api/voyages/{voyage.voyage_id}/roll-call")).json()["items"]

        assert [one["name"] for one in items] == [("Siti " * 30).strip(), "=Andi", "Ba[U+202E]la"]

    async def test_tells_both_values_to_who_comes_second(self, database: Database, site: Site) -> None:
        _, draft_id = await a_roll(database)
        call = f"/api/drafts/{draft_id}/rows/2/call"
        await site("colleague").post(call, json={"version": 0, "mark": "absent", "reason": "pending_case"})
        answer = await site("officer").post(call, json={"version": 0, "mark": "here"})

        said = answer.json()
        assert (answer.status_code, said["code"]) == (409, "row_called")
        assert (said["theirs"]["reason"], said["theirs"]["by"], said["yours"]["mark"]) == (
            "pending_case",
            "sari",
            "here",
        )

    async def test_calls_the_rest_if_they_are_as_many_as_were_seen(self, database: Database, site: Site) -> None:
        voyage, _ = await a_roll(database)
        rest = f"/api/voyages/{voyage.voyage_id}/roll-call/rest"

        assert (await site("officer").post(rest, json={"left": 2})).status_code == 409
        assert (await site("officer").post(rest, json={"left": 3})).json() == {"called": 3}

    async def test_another_ports_roll_is_a_missing_one(self, database: Database, site: Site) -> None:
        voyage, draft_id = await a_roll(database)
        stranger = site("stranger")

        assert (await stranger.get(f"/api/voyages/{voyage.voyage_id}/roll-call")).status_code == 404
        call = await stranger.post(f"/api/drafts/{draft_id}/rows/2/call", json={"version": 0, "mark": "here"})
        assert call.status_code == 404

    async def test_who_was_recorded_and_was_not_there_is_listed_and_absent(
        self, database: Database, site: Site
    ) -> None:
        voyage, draft_id = await a_roll(database)
        officer = site("officer")
        sent = await officer.post(f"/api/drafts/{draft_id}/sendings", json={"version": 1})
        assert sent.json()["manifest"]["accepted"] == 3
        case_id = str(await database.pool.fetchval("SELECT case_id FROM arrivals WHERE manifest_row = 3"))
        said = {"version": 1, "reason": "documents_held"}
        assert (await officer.post(f"/api/arrivals/{case_id}/absence", json=said)).json()["version"] == 2

        counts = (await officer.get(f"/api/voyages/{voyage.voyage_id}")).json()
        assert [counts[name] for name in ("listed", "arrived", "absent", "unlisted")] == [3, 2, 1, 0]
        assert (await officer.post(f"/api/arrivals/{case_id}/absence", json=said)).status_code == 409

    async def test_who_was_logged_one_by_one_stands_on_no_list(self, database: Database, site: Site) -> None:
        voyage = await a_voyage(database)
        officer = site("officer")
        person = {"full_name": "Emong", "sex": "M", "voyage_id": voyage.voyage_id}
        case_id = (await officer.post("/api/arrivals", json=person)).json()["case_id"]
        answer = await officer.post(f"/api/arrivals/{case_id}/absence", json={"version": 1, "reason": "unknown"})

        assert (answer.status_code, answer.json()["code"]) == (409, "not_on_a_list")


class TestPages:
    @pytest.mark.parametrize(
        ("language", "words"),
        [("id", ("Absen", "Hadir", "Belum dipanggil")), ("en", ("Roll call", "Here", "Not called"))],
    )
    async def test_shows_everybody_in_both_languages(
        self, database: Database, site: Site, language: str, words: tuple[str, ...]
    ) -> None:
        voyage, _ = await a_roll(database)
        page = (await site("officer").get(f"/{language}/pelayaran/{voyage.voyage_id}/absen")).text

        assert "0/3" in page
        for said in (*words, *NAMES):
            assert said in page

    async def test_one_press_calls_somebody(self, database: Database, site: Site) -> None:
        voyage, draft_id = await a_roll(database)
        officer = site("officer")
        page = (await officer.get(f"/id/pelayaran/{voyage.voyage_id}/absen")).text
        action = re.search(rf'action="([^"]*/draf/{draft_id}/absen/2)"', page)
        assert action is not None
        answer = await post(officer, action[1], version="0", mark="here", shown="belum", letters="ba")
        assert (answer.status_code, "huruf=ba" in answer.headers["location"]) == (303, True)

        after = (await officer.get(f"/id/pelayaran/{voyage.voyage_id}/absen")).text
        assert "1/3" in after
        assert "Bala" not in after
        assert "Bala" in (await officer.get(f"/id/pelayaran/{voyage.voyage_id}/absen", tampil="hadir")).text

    async def test_who_is_not_here_needs_a_reason(self, database: Database, site: Site) -> None:
        voyage, draft_id = await a_roll(database)
        officer = site("officer")
        form = f"/id/draf/{draft_id}/absen/2"
        assert "Bala" in (await officer.get(form)).text
        assert (await post(officer, form, version="0", mark="absent")).status_code == 422
        assert (await post(officer, form, version="0", mark="absent", reason="ill_abroad")).status_code == 303

        page = (await officer.get(f"/id/pelayaran/{voyage.voyage_id}/absen", tampil="tidak")).text
        assert "Sakit di luar negeri" in page

    async def test_a_death_on_the_way_is_not_lost(self, database: Database, site: Site) -> None:
        voyage, draft_id = await a_roll(database)
        officer = site("officer")
        await post(officer, f"/id/draf/{draft_id}/absen/2", version="0", mark="absent", reason="died_on_the_way")
        for row in (3, 4):
            await post(officer, f"/id/draf/{draft_id}/absen/{row}", version="0", mark="here")
        draft = (await officer.get(f"/api/drafts/{draft_id}")).json()["draft"]
        sent = await officer.post(f"/api/drafts/{draft_id}/sendings", json={"version": draft["version"]})

        assert sent.json()["draft"]["state"] == "open"
        assert "1 meninggal dalam perjalanan" in (await officer.get(f"/id/pelayaran/{voyage.voyage_id}/absen")).text

    async def test_the_rest_is_confirmed_on_a_page_of_its_own(self, database: Database, site: Site) -> None:
        voyage, _ = await a_roll(database)
        officer = site("officer")
        link = f"/id/pelayaran/{voyage.voyage_id}/absen/sisa"
        assert "3" in (await officer.get(link)).text
        assert (await post(officer, link, left="2")).status_code == 409
        assert (await post(officer, link, left="3")).status_code == 303
        assert "3/3" in (await officer.get(f"/id/pelayaran/{voyage.voyage_id}/absen")).text

    async def test_who_comes_second_sees_both(self, database: Database, site: Site) -> None:
        _, draft_id = await a_roll(database)
        form = f"/id/draf/{draft_id}/absen/2"
        await post(site("colleague"), form, version="0", mark="absent", reason="pending_case")
        answer = await post(site("officer"), form, version="0", mark="here")

        assert answer.status_code == 409
        assert "Menurut sari" in answer.text

    async def test_who_is_recorded_and_was_not_there(self, database: Database, site: Site) -> None:
        voyage, draft_id = await a_roll(database)
        officer = site("officer")
        await post(officer, f"/id/draf/{draft_id}/kirim", version="1")
        case_id = str(await database.pool.fetchval("SELECT case_id FROM arrivals WHERE manifest_row = 2"))
        form = f"/id/tidak-hadir/{case_id}"
        assert (await officer.get(form)).status_code == 200
        assert (await post(officer, form, version="1", reason="not_boarded")).status_code == 303
        assert (await post(officer, form, version="1", reason="ill_abroad")).status_code == 409

        assert "Tidak hadir" in (await officer.get(f"/id/pelayaran/{voyage.voyage_id}")).text

    async def test_lead_from_the_voyage(self, database: Database, site: Site) -> None:
        voyage, _ = await a_roll(database)

        page = (await site("officer").get(f"/id/pelayaran/{voyage.voyage_id}")).text
        assert f"/pelayaran/{voyage.voyage_id}/absen" in page
