"""What was announced of a voyage is corrected: on the version that was seen, with a reason, and with its history."""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx2
import pytest

from services.intake.actions import manifests
from services.intake.actions.voyage_corrections import correct_voyage
from services.intake.actions.voyages import find_voyage
from services.intake.domain.refusals.voyages import VoyageMoved
from services.intake.domain.voyage_corrections import Said
from services.intake.domain.voyages import Voyage
from services.intake.store.vault import Vault
from shared.kit.clock import FixedClock
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.intake.conftest import Browser
from tests.intake.factories import OFFICER, START, a_list, a_row, a_voyage
from tests.intake.test_erasures import told
from tests.reading import said

Site = Callable[[str], Browser]
LATER = START + timedelta(hours=6)


async def corrected(
    site: Site, voyage_id: str, *, actor: str = "officer", version: int = 1, key: str | None = None, **said: Any
) -> tuple[int, Any]:
    """Correct a voyage; status and answer."""
    answer = await site(actor).post(
        f"/api/voyages/{voyage_id}/correction", key=key, json={"version": version, "reason": "rescheduled", **said}
    )
    return answer.status_code, answer.json()


async def put_off(database: Database, voyage: Voyage, expected_at: datetime) -> Voyage:
    async with database.work(OFFICER, purpose="correct") as work:
        return await correct_voyage(
            work, voyage.voyage_id, version=voyage.version, said=Said(expected_at), reason="rescheduled"
        )


async def landings(database: Database, voyage: Voyage) -> list[tuple[int, datetime, str]]:
    """Row, time of landing and age group of everybody who was recorded."""
    rows = await database.pool.fetch(
        "SELECT manifest_row, arrived_at, age_band FROM arrivals WHERE voyage_id = $1"
        " ORDER BY arrived_at, manifest_row",
        voyage.voyage_id,
    )
    return [tuple(row) for row in rows]


class TestCorrection:
    async def test_says_what_it_was_what_it_is_and_why_to_the_port_and_to_the_trail(
        self, site: Site, database: Database
    ) -> None:
        voyage_id = (await a_voyage(database)).voyage_id

        status, after = await corrected(
            site, voyage_id, expected_at=LATER.isoformat(), modality="repatriation", vessel="KM Lambelu"
        )

        assert status == 200
        assert (after["version"], after["vessel"], after["modality"]) == (2, "KM Lambelu", "repatriation")
        report = (await site("officer").get(f"/api/voyages/{voyage_id}")).json()
        assert datetime.fromisoformat(report["expected_at"]) == LATER
        [step] = report["corrections"]
        assert (step["version"], step["changed"]) == (2, ["expected_at", "vessel", "modality"])
        assert (step["was_vessel"], step["vessel"], step["reason"]) == ("KM Purnama", "KM Lambelu", "rescheduled")
        assert step["corrected_by"] == "rina"
        [fact] = await told(database, voyage_id, "intake.voyage_corrected.v1")
        assert (fact["version"], fact["was_modality"], fact["modality"]) == (2, "deportation", "repatriation")
        assert datetime.fromisoformat(fact["was_expected_at"]) == START
        assert "Lambelu" not in str(fact)

    async def test_leaves_what_is_not_said_as_it_was(self, site: Site, database: Database) -> None:
        voyage_id = (await a_voyage(database)).voyage_id

        await corrected(site, voyage_id, expected_at=LATER.isoformat())
        status, after = await corrected(site, voyage_id, version=2, vessel="", reason="recorded_wrongly")

        assert (status, after["version"], after["vessel"], after["modality"]) == (200, 3, "", "deportation")
        assert datetime.fromisoformat(after["expected_at"]) == LATER

    async def test_moves_the_voyage_to_its_day(self, site: Site, database: Database) -> None:
        voyage_id = (await a_voyage(database)).voyage_id

        await corrected(site, voyage_id, expected_at=(START + timedelta(days=1)).isoformat())

        days = [(await site("officer").get("/api/voyages", day=f"2026-11-{day}")).json() for day in (23, 24)]
        assert [[one["voyage_id"] for one in day] for day in days] == [[], [voyage_id]]

    async def test_again_under_the_same_key_gives_the_first_answer(self, site: Site, database: Database) -> None:
        voyage_id, key = (await a_voyage(database)).voyage_id, new_id()

        answers = [await corrected(site, voyage_id, key=key, vessel="KM Lambelu") for _ in range(2)]

        assert answers[0] == answers[1]
        assert len(await told(database, voyage_id, "intake.voyage_corrected.v1")) == 1

    async def test_of_who_comes_second_is_refused_with_both_values(self, site: Site, database: Database) -> None:
        voyage_id = (await a_voyage(database)).voyage_id
        await corrected(site, voyage_id, actor="colleague", vessel="KM Lambelu", reason="vessel_changed")

        status, answer = await corrected(site, voyage_id, vessel="KM Bukit Siguntang")

        assert (status, answer["code"]) == (409, "voyage_changed")
        for word in ("sari", "KM Purnama", "KM Lambelu", "versi 1", "2"):
            assert word in answer["detail"]

    async def test_of_two_at_once_one_is_in_force(self, site: Site, database: Database) -> None:
        voyage_id = (await a_voyage(database)).voyage_id

        answers = await asyncio.gather(*(corrected(site, voyage_id, vessel=f"KM {n}") for n in range(4)))

        assert sorted(status for status, _ in answers) == [200, 409, 409, 409]
        assert len((await site("officer").get(f"/api/voyages/{voyage_id}")).json()["corrections"]) == 1

    @pytest.mark.parametrize(
        ("sent", "status", "code"),
        [
            ({}, 409, "nothing_to_correct"),
            ({"vessel": "KM Purnama"}, 409, "nothing_to_correct"),
            ({"expected_at": "2029-11-23T03:00:00Z"}, 422, "expected_far_off"),
            ({"expected_at": "2026-11-23T03:00:00"}, 422, "invalid"),
            ({"vessel": "KM\u0000"}, 422, "invalid"),
            ({"vessel": "KM Lambelu", "reason": "late"}, 422, "invalid"),
            ({"vessel": "KM Lambelu", "port": "ETK"}, 422, "invalid"),
            ({"vessel": "KM Lambelu", "version": 7}, 409, "voyage_changed"),
        ],
    )
    async def test_that_cannot_be_says_what_stands_in_the_way(
        self, site: Site, database: Database, sent: dict[str, Any], status: int, code: str
    ) -> None:
        voyage_id = (await a_voyage(database)).voyage_id

        found, answer = await corrected(site, voyage_id, **sent)

        assert (found, answer["code"]) == (status, code), answer
        assert (await site("officer").get(f"/api/voyages/{voyage_id}")).json()["corrections"] == []

    async def test_of_another_port_looks_like_a_missing_voyage(self, site: Site, database: Database) -> None:
        voyage_id = (await a_voyage(database)).voyage_id

        answers = [await corrected(site, id_, actor="stranger", vessel="KM X") for id_ in (voyage_id, new_id())]

        assert [(status, answer["code"]) for status, answer in answers] == [(404, "voyage_unknown")] * 2
        assert answers[0][1]["detail"] == answers[1][1]["detail"]

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE voyages SET expected_at = now() WHERE voyage_id = $1",
            "UPDATE voyages SET vessel = 'KM Lain', version = version + 1 WHERE voyage_id = $1",
            "UPDATE voyages SET port = 'ETK' WHERE voyage_id = $1",
            "UPDATE voyages SET announced = 7 WHERE voyage_id = $1",
        ],
    )
    @pytest.mark.invariant("I184")
    async def test_is_written_with_its_history_alone(self, database: Database, statement: str) -> None:
        voyage_id = (await a_voyage(database)).voyage_id

        with pytest.raises(asyncpg.CheckViolationError, match="with its history alone"):
            async with database.pool.acquire() as connection, connection.transaction():
                await connection.execute("SET LOCAL rujukan.scope = 'service'")
                await connection.execute(statement, voyage_id)


class TestPeopleOnBoard:
    async def test_of_a_ship_that_is_late_land_when_it_lands(
        self, database: Database, vault: Vault, clock: FixedClock
    ) -> None:
        voyage = await a_voyage(database)
        clock.advance(timedelta(hours=7))

        late = await put_off(database, voyage, LATER)
        await manifests.take_in_manifest(database, vault, OFFICER, late, a_list(a_row(1)))

        assert [at for _, at, _ in await landings(database, voyage)] == [LATER]

    async def test_of_a_ship_that_is_early_are_taken_in(self, site: Site, database: Database) -> None:
        voyage = await a_voyage(database, expected_at=START + timedelta(hours=20))
        path = f"/api/voyages/{voyage.voyage_id}/manifest"
        refused = await site("officer").post(path, content=a_list(a_row(1)))
        assert refused.json()["code"] == "voyage_not_due"

        await corrected(site, voyage.voyage_id, expected_at=START.isoformat())
        taken = await site("officer").post(path, content=a_list(a_row(1)))

        assert (taken.status_code, taken.json()["accepted"]) == (200, 1)
        assert [at for _, at, _ in await landings(database, voyage)] == [START]

    @pytest.mark.invariant("I184")
    async def test_who_are_recorded_landed_as_recorded_and_later_ones_at_the_new_time(
        self, database: Database, vault: Vault, clock: FixedClock
    ) -> None:
        voyage = await a_voyage(database)
        clock.advance(timedelta(hours=7))
        await manifests.take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(1)))

        late = await put_off(database, voyage, LATER)
        await manifests.take_in_manifest(database, vault, OFFICER, late, a_list(a_row(1), a_row(2)))

        assert [(row, at) for row, at, _ in await landings(database, voyage)] == [(2, START), (3, LATER)]

    @pytest.mark.invariant("I184")
    @pytest.mark.parametrize("days", [-200, -1, 1, 200])
    async def test_whose_ages_are_told_are_recorded_once_though_the_day_moves(
        self, database: Database, vault: Vault, clock: FixedClock, days: int
    ) -> None:
        clock.advance(timedelta(days=300))
        voyage = await a_voyage(database, expected_at=START + timedelta(days=300))
        rows = [a_row(n, born=f"{years} th") for n, years in enumerate((17, 18, 34), start=1)]
        await manifests.take_in_manifest(database, vault, OFFICER, voyage, a_list(*rows))

        moved = await put_off(database, voyage, voyage.expected_at + timedelta(days=days))
        clock.advance(timedelta(days=250))
        again = await manifests.take_in_manifest(database, vault, OFFICER, moved, a_list(*rows, a_row(4, born="17 th")))

        assert (again.accepted, again.known, again.rejected) == (1, 3, 0)
        bands = {row: band for row, _, band in await landings(database, voyage)}
        assert bands == {2: "child", 3: "adult", 4: "adult", 5: "child"}

    async def test_whose_ages_are_told_are_so_old_when_they_land_where_no_list_came_before(
        self, database: Database, vault: Vault, clock: FixedClock
    ) -> None:
        voyage = await a_voyage(database, expected_at=START - timedelta(days=300))

        moved = await put_off(database, voyage, START)
        await manifests.take_in_manifest(database, vault, OFFICER, moved, a_list(a_row(1, born="17 th")))
        born = await put_off(database, moved, START + timedelta(days=2))

        assert [band for _, _, band in await landings(database, voyage)] == ["child"]
        assert (moved.told_on, str(born.told_on)) == (None, "2026-11-23")

    async def test_whose_births_are_known_are_as_old_as_on_the_day_when_they_land(
        self, database: Database, vault: Vault, clock: FixedClock
    ) -> None:
        voyage = await a_voyage(database)
        await manifests.take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(1, born="2008-11-25")))

        moved = await put_off(database, voyage, START + timedelta(days=3))
        clock.advance(timedelta(days=3))
        await manifests.take_in_manifest(
            database, vault, OFFICER, moved, a_list(a_row(1, born="2008-11-25"), a_row(2, born="2008-11-25"))
        )

        assert [band for _, _, band in await landings(database, voyage)] == ["child", "adult"]

    async def test_are_read_for_the_voyage_as_it_is(self, database: Database, vault: Vault) -> None:
        seen = await a_voyage(database)
        await put_off(database, seen, START - timedelta(days=1))

        with pytest.raises(VoyageMoved):
            await manifests.take_in_manifest(database, vault, OFFICER, seen, a_list(a_row(1, born="34 th")))

        assert await landings(database, seen) == []
        now = await find_voyage(database, OFFICER, seen.voyage_id)
        assert (await manifests.take_in_manifest(database, vault, OFFICER, now, a_list(a_row(1)))).accepted == 1


class TestPage:
    async def test_shows_the_voyage_as_it_is_and_corrects_it(self, site: Site, database: Database) -> None:
        voyage_id = (await a_voyage(database)).voyage_id
        page = await site("officer").get(f"/id/pelayaran/{voyage_id}/perbaiki")
        assert 'value="11.00"' in page.text
        assert 'value="KM Purnama"' in page.text
        assert "Belum ada yang diperbaiki" in said(page)

        answer = await filled(site, voyage_id, time="17.00", reason="rescheduled")

        assert answer.status_code == 303
        shown = said(await site("officer").get(f"/id/pelayaran/{voyage_id}"))
        assert "Tiba lebih cepat atau lebih lambat" in shown
        assert "23 Nov 2026 17.00 WITA" in shown
        assert (await site("officer").get(f"/api/voyages/{voyage_id}")).json()["version"] == 2

    @pytest.mark.parametrize(
        ("form", "words"),
        [
            ({"reason": ""}, "Alasan belum diisi"),
            ({"time": "25.99"}, "bukan tanggal dan waktu"),
            ({"expected_year": "2029"}, "Periksa tahun"),
            ({"modality": "x"}, "Pilih salah satu"),
            ({}, "tidak ada yang berubah"),
        ],
    )
    async def test_says_what_is_wrong_beside_what_was_typed(
        self, site: Site, database: Database, form: dict[str, str], words: str
    ) -> None:
        voyage_id = (await a_voyage(database)).voyage_id

        answer = await filled(site, voyage_id, **{"reason": "rescheduled", **form})

        assert answer.status_code == 422
        assert words in said(answer)
        assert (await site("officer").get(f"/api/voyages/{voyage_id}")).json()["version"] == 1

    async def test_shows_who_comes_second_both_values_and_what_was_typed(self, site: Site, database: Database) -> None:
        voyage_id = (await a_voyage(database)).voyage_id
        await corrected(site, voyage_id, actor="colleague", modality="repatriation", reason="letter_changed")

        answer = await filled(site, voyage_id, version="1", vessel="KM Lambelu", reason="vessel_changed")

        assert answer.status_code == 409
        for word in ("sari", "Deportasi", "Repatriasi"):
            assert word in said(answer)
        assert 'value="KM Lambelu"' in answer.text
        assert 'name="version" value="2"' in answer.text

    async def test_says_how_many_are_recorded_already(self, site: Site, database: Database, vault: Vault) -> None:
        voyage = await a_voyage(database)
        await manifests.take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(1), a_row(2)))

        page = await site("officer").get(f"/id/pelayaran/{voyage.voyage_id}/perbaiki")

        assert "2 orang sudah dicatat" in said(page)


async def filled(site: Site, voyage_id: str, **form: str) -> httpx2.Response:
    """Fill in the form as the page offers it."""
    path = f"/id/pelayaran/{voyage_id}/perbaiki"
    page = await site("officer").get(path)
    version = re.search(r'name="version" value="(\d+)"', page.text)
    assert version, said(page)
    at = START.astimezone(UTC)
    shown = {
        "version": version[1], "vessel": "KM Purnama", "modality": "deportation", "time": "11.00", "reason": "",
        "expected_day": str(at.day), "expected_month": str(at.month), "expected_year": str(at.year),
    }  # fmt: skip
    return await site("officer").post(path, data={**shown, **form})
