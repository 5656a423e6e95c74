"""Taking in a list: interrupted, repeated, corrected, in two versions; and how people are recognised again."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.intake.actions import manifests
from services.intake.actions.manifests import preview_manifest, take_in_manifest
from services.intake.actions.voyages import report_voyage
from services.intake.domain.refusals import VoyageNotDue
from services.intake.domain.voyages import EARLIEST
from services.intake.store.manifests import Manifest
from services.intake.store.vault import Vault
from shared.kit.clock import FixedClock
from shared.kit.database import Database
from tests.intake.factories import OFFICER, START, a_list, a_row, a_voyage


def counts(taken: Manifest) -> tuple[int, int | None, int, int | None]:
    return taken.listed, taken.accepted, taken.rejected, taken.known


async def cases(database: Database) -> int:
    return int(await database.pool.fetchval("SELECT count(*) FROM arrivals"))


class TestTakeIn:
    async def test_rows_remember_where_they_stood(self, database: Database, vault: Vault) -> None:
        voyage = await a_voyage(database)
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(1), "", a_row(2)))

        rows = await database.pool.fetch("SELECT manifest_row FROM arrivals ORDER BY case_id")
        assert [row["manifest_row"] for row in rows] == [2, 4]

    async def test_a_corrected_list_brings_in_only_what_is_new(self, database: Database, vault: Vault) -> None:
        voyage = await a_voyage(database)
        first = a_list(a_row(1), a_row(2, sex="Q"), a_row(3))
        corrected = a_list(a_row(1), a_row(2), a_row(3))

        assert counts(await take_in_manifest(database, vault, OFFICER, voyage, first)) == (3, 2, 1, 0)
        assert counts(await take_in_manifest(database, vault, OFFICER, voyage, corrected)) == (3, 1, 0, 2)

        told = (await report_voyage(database, OFFICER, voyage.voyage_id)).counts
        assert (told.listed, told.rejected, told.arrived) == (3, 0, 3)

    async def test_a_renumbered_list_repeats_nobody(self, database: Database, vault: Vault) -> None:
        voyage = await a_voyage(database)
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(1), a_row(2), a_row(3)))
        shifted = a_list(a_row(3, seq="1"), a_row(1, seq="2"))

        assert counts(await take_in_manifest(database, vault, OFFICER, voyage, shifted)) == (2, 0, 0, 2)
        assert await cases(database) == 3

    async def test_two_lists_of_one_voyage_add_up(self, database: Database, vault: Vault) -> None:
        voyage = await a_voyage(database)
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(1), a_row(2, sex="Q")))
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(3, seq="1"), a_row(4, seq="2")))

        told = (await report_voyage(database, OFFICER, voyage.voyage_id)).counts
        assert (told.listed, told.rejected, told.arrived) == (4, 1, 3)

    async def test_a_known_person_with_other_details_is_held_back(self, database: Database, vault: Vault) -> None:
        voyage = await a_voyage(database)
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(1), a_row(2)))
        changed = a_list(a_row(1, regency="73.71"), a_row(2))

        looked = await preview_manifest(database, vault, voyage, changed)
        taken = await take_in_manifest(database, vault, OFFICER, voyage, changed)

        assert [(p.row, p.code) for row in looked.rows for p in row.problems] == [(2, "known_differently")]
        assert (looked.ready, looked.held, looked.known) == (0, 1, {3})
        assert counts(taken) == (2, 0, 1, 1)
        assert await cases(database) == 2

    async def test_the_same_person_on_another_voyage_is_another_arrival(self, database: Database, vault: Vault) -> None:
        for _ in range(2):
            await take_in_manifest(database, vault, OFFICER, await a_voyage(database), a_list(a_row(1)))

        assert await cases(database) == 2

    async def test_a_list_with_ages_is_the_same_list_on_another_day(
        self, database: Database, vault: Vault, clock: FixedClock
    ) -> None:
        voyage = await a_voyage(database, expected_at=START + EARLIEST)
        rows = ["Nama;L/P;Umur", "Bala;L;18", "Siti;P;59"]
        await take_in_manifest(database, vault, OFFICER, voyage, "\n".join(rows).encode())
        clock.advance(timedelta(days=1))

        taken = await take_in_manifest(database, vault, OFFICER, voyage, "\n".join([*rows, "Ulo;L;40"]).encode())

        assert counts(taken) == (3, 1, 0, 2)
        bands = await database.pool.fetch("SELECT age_band FROM arrivals ORDER BY case_id")
        assert [row["age_band"] for row in bands] == ["adult", "adult", "adult"]

    async def test_records_nobody_while_the_ship_is_at_sea(
        self, database: Database, vault: Vault, clock: FixedClock
    ) -> None:
        voyage = await a_voyage(database, expected_at=START + EARLIEST + timedelta(minutes=1))
        content = a_list(a_row(1))

        looked = await preview_manifest(database, vault, voyage, content)
        with pytest.raises(VoyageNotDue):
            await take_in_manifest(database, vault, OFFICER, voyage, content)

        assert looked.ready == 1
        for table in ("manifests", "arrivals"):
            assert await database.pool.fetchval(f"SELECT count(*) FROM {table}") == 0
        clock.advance(timedelta(minutes=1))
        assert counts(await take_in_manifest(database, vault, OFFICER, voyage, content)) == (1, 1, 0, 0)

    @pytest.mark.parametrize("stop_after", [0, 1, 2])
    async def test_goes_on_where_it_was_interrupted(
        self, database: Database, vault: Vault, stop_after: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(manifests, "BATCH", 2)
        voyage = await a_voyage(database)
        content = a_list(*(a_row(n) for n in range(1, 6)), a_row(6, sex="Q"))
        real, calls = manifests.record_arrivals, 0

        async def dies(*given: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > stop_after:
                raise ConnectionError
            return await real(*given)

        monkeypatch.setattr(manifests, "record_arrivals", dies)
        with pytest.raises(ConnectionError):
            await take_in_manifest(database, vault, OFFICER, voyage, content)
        monkeypatch.setattr(manifests, "record_arrivals", real)
        before = await cases(database)
        taken = await take_in_manifest(database, vault, OFFICER, voyage, content)

        assert before == 2 * stop_after
        assert counts(taken) == (6, 5, 1, 0)
        assert await cases(database) == 5

    async def test_two_at_once_record_everybody_once(self, database: Database, vault: Vault) -> None:
        voyage = await a_voyage(database)
        content = a_list(*(a_row(n) for n in range(1, 30)))

        taken = await asyncio.gather(*(take_in_manifest(database, vault, OFFICER, voyage, content) for _ in range(4)))

        assert {counts(one) for one in taken} == {(29, 29, 0, 0)}
        told = await database.pool.fetchval("SELECT count(*) FROM journal WHERE type = 'intake.manifest_confirmed.v1'")
        assert told == 1

    async def test_lists_of_any_length_take_one_statement_per_batch(
        self, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        voyage = await a_voyage(database)
        asked: list[str] = []
        fetch = Database.fetch

        async def counted(self: Database, statement: str, *arguments: object) -> list[Any]:
            asked.append(statement)
            return await fetch(self, statement, *arguments)

        monkeypatch.setattr(Database, "fetch", counted)
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(*(a_row(n) for n in range(1, 1201))))

        assert len(asked) == 1 + 3  # is it known as a whole? and three batches of up to 500
