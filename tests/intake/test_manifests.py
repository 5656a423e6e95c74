"""Taking in a list: interrupted, repeated, corrected, in two versions; and how people are recognised again."""

import asyncio
import random
from datetime import timedelta
from typing import Any

import orjson
import pytest

from services.intake.actions import recording
from services.intake.actions.manifests import preview_manifest, take_in_manifest
from services.intake.actions.voyages import report_voyage
from services.intake.domain.refusals.manifests import VoyageNotDue
from services.intake.domain.voyages import EARLIEST, Voyage
from services.intake.store import manifests as lists
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

    @pytest.mark.parametrize(
        "corrected",
        [{"sex": "F"}, {"born": "1991-01-01"}, {"number": "XS9000009"}],
        ids=["sex", "birth", "document"],
    )
    async def test_who_was_recorded_and_is_corrected_is_held_back(
        self, database: Database, vault: Vault, corrected: dict[str, str]
    ) -> None:
        voyage = await a_voyage(database)
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(1), a_row(2)))
        changed = a_list(a_row(1, **corrected), a_row(2), a_row(3))

        looked = await preview_manifest(database, vault, voyage, changed)
        taken = await take_in_manifest(database, vault, OFFICER, voyage, changed)

        assert [(p.row, p.code) for row in looked.rows for p in row.problems] == [(2, "known_differently")]
        assert (looked.ready, counts(taken)) == (1, (3, 1, 1, 1))
        told = (await report_voyage(database, OFFICER, voyage.voyage_id)).counts
        assert (told.arrived, told.rejected) == (3, 1)

    async def test_who_comes_to_a_household_of_an_earlier_list_is_told_with_it(
        self, database: Database, vault: Vault
    ) -> None:
        voyage = await a_voyage(database)
        child = {"born": "2019-01-01", "sex": "F"}
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(1), a_row(2, **child, **{"with": "001"})))
        [home] = await database.pool.fetch("SELECT household_id::text FROM households")

        later = a_list(a_row(9, seq="009"), a_row(1, **{"with": "009"}), a_row(2, **child, **{"with": "001"}))
        await take_in_manifest(database, vault, OFFICER, voyage, later)

        payload = await database.pool.fetchval(
            "SELECT payload FROM journal WHERE type = 'intake.arrival_recorded.v1' ORDER BY position DESC LIMIT 1"
        )
        assert orjson.loads(payload)["data"]["household_id"] == home["household_id"]

    async def test_a_family_on_one_document_that_a_second_list_has_is_recorded(
        self, database: Database, vault: Vault
    ) -> None:
        voyage = await a_voyage(database)
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(1)))
        child = a_row(2, number="XS9000001", born="2019-01-01", sex="F")

        assert counts(await take_in_manifest(database, vault, OFFICER, voyage, a_list(child))) == (1, 1, 0, 0)
        both = a_list(a_row(1), child, a_row(3, number="XS9000001", sex="F"))
        assert counts(await take_in_manifest(database, vault, OFFICER, voyage, both)) == (3, 1, 0, 2)

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
        monkeypatch.setattr(recording, "BATCH", 2)
        voyage = await a_voyage(database)
        content = a_list(*(a_row(n) for n in range(1, 6)), a_row(6, sex="Q"))
        real, calls = recording.record_arrivals, 0

        async def dies(*given: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > stop_after:
                raise ConnectionError
            return await real(*given)

        monkeypatch.setattr(recording, "record_arrivals", dies)
        with pytest.raises(ConnectionError):
            await take_in_manifest(database, vault, OFFICER, voyage, content)
        monkeypatch.setattr(recording, "record_arrivals", real)
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

        assert len(asked) == 2 + 3  # whether anybody was recorded, who was logged one by one, and batches of up to 500


PLAIN = "Nama;L/P;Umur"


async def told(database: Database, voyage: Voyage, *, arrived: int | None = None) -> tuple[int, int, int]:
    """Listed, held back and arrived, after a look at whether they add up."""
    counts = (await report_voyage(database, OFFICER, voyage.voyage_id)).counts
    assert counts.listed + counts.unlisted == counts.arrived + counts.rejected + counts.waiting
    return counts.listed, counts.rejected, counts.arrived


async def superseded(database: Database, voyage: Voyage) -> list[bool]:
    """Of each list, the first one first, whether a later one has taken its place."""
    async with database.work(OFFICER, purpose="look") as work:
        return [one.superseded for one in reversed(await lists.of_voyage(work, voyage.voyage_id))]


class TestCounts:
    async def test_add_up_when_the_corrected_rows_alone_are_sent(self, database: Database, vault: Vault) -> None:
        voyage = await a_voyage(database)
        wrong = [{"sex": "Q"}, {"born": "5-8-30"}, {"regency": "73.1"}, {"nik": "6.5E+15"}, {"flags": "X1"}]
        held = [a_row(n, **said) for n, said in enumerate(wrong, start=20)]
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(*(a_row(n) for n in range(1, 16)), *held))
        assert await told(database, voyage) == (20, 5, 15)

        corrected = a_list(*(a_row(n) for n in range(20, 25)))
        await take_in_manifest(database, vault, OFFICER, voyage, corrected)

        assert await told(database, voyage) == (20, 0, 20)
        assert await superseded(database, voyage) == [False, False]

    async def test_add_up_when_two_lists_share_a_person(self, database: Database, vault: Vault) -> None:
        voyage = await a_voyage(database)
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(*(a_row(n) for n in range(1, 11))))
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(*(a_row(n) for n in range(10, 20))))

        assert await told(database, voyage) == (19, 0, 19)
        assert await superseded(database, voyage) == [False, False]

    async def test_add_up_when_the_whole_list_is_sent_again(self, database: Database, vault: Vault) -> None:
        voyage = await a_voyage(database)
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(1), a_row(2), a_row(3, name="")))
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(1), a_row(2)))

        assert await told(database, voyage) == (2, 0, 2)
        assert await superseded(database, voyage) == [True, False]

    async def test_add_up_when_every_row_had_to_be_corrected(self, database: Database, vault: Vault) -> None:
        voyage = await a_voyage(database)
        for ages in (["30-an", "40-an", "50-an"], ["30", "41", "52"]):
            rows = [f"{name};L;{age}" for name, age in zip(("Bala", "Siti", "Ulo"), ages, strict=True)]
            await take_in_manifest(database, vault, OFFICER, voyage, "\n".join([PLAIN, *rows]).encode())

        assert await told(database, voyage) == (3, 0, 3)
        assert await superseded(database, voyage) == [True, False]

    async def test_hide_nobody_behind_another_list(self, database: Database, vault: Vault) -> None:
        voyage = await a_voyage(database)
        held = [a_row(n, sex="Q") for n in range(2, 5)]
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(1), *held))
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(1), a_row(8), a_row(9)))

        assert await told(database, voyage) == (6, 3, 3)
        assert await superseded(database, voyage) == [False, False]

    async def test_hide_nobody_behind_a_namesake_or_a_relative(self, database: Database, vault: Vault) -> None:
        voyage = await a_voyage(database)
        namesakes = [PLAIN, "Siti;P;30-an", "Siti;P;40-an", "Bala;L;50"]
        family = a_list(a_row(1, sex="F"), a_row(2, name="Ana", number="XS9000001", sex="Q"))
        await take_in_manifest(database, vault, OFFICER, voyage, "\n".join(namesakes).encode())
        await take_in_manifest(database, vault, OFFICER, voyage, family)
        assert await told(database, voyage) == (5, 3, 2)

        await take_in_manifest(database, vault, OFFICER, voyage, f"{PLAIN}\nSiti;P;30".encode())
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(1, sex="F"), a_row(7)))

        assert await told(database, voyage) == (7, 3, 4)

    async def test_have_a_row_once_that_is_wrong_again(self, database: Database, vault: Vault) -> None:
        voyage = await a_voyage(database)
        for content in (a_list(a_row(1, sex="Q"), a_row(2, sex="Q")), a_list(a_row(1, sex="Z"), a_row(2))):
            await take_in_manifest(database, vault, OFFICER, voyage, content)

        assert await told(database, voyage) == (2, 1, 1)

    async def test_keep_what_was_held_until_its_own_correction_comes(self, database: Database, vault: Vault) -> None:
        voyage = await a_voyage(database)
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(1)))
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(1, sex="Q"), a_row(2)))
        assert await told(database, voyage) == (3, 1, 2)

        await take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(1), a_row(3)))

        assert await told(database, voyage) == (3, 0, 3)

    async def test_have_what_an_interrupted_list_still_holds(
        self, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        voyage = await a_voyage(database)

        async def dies(*_: Any) -> Any:
            raise ConnectionError

        monkeypatch.setattr(recording, "record_arrivals", dies)
        with pytest.raises(ConnectionError):
            await take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(1), a_row(2), a_row(3, sex="Q")))

        assert await told(database, voyage) == (3, 1, 0)

    @pytest.mark.parametrize("seed", range(6))
    async def test_add_up_however_lists_are_corrected_and_split(
        self, database: Database, vault: Vault, seed: int
    ) -> None:
        chance = random.Random(seed)
        voyage = await a_voyage(database)
        ready: set[int] = set()
        for _ in range(6):
            people = sorted(chance.sample(range(1, 13), chance.randint(1, 12)))
            good = {n for n in people if chance.random() < 0.7}
            ready |= good
            rows = [a_row(n) if n in good else a_row(n, sex="Q") for n in people]
            await take_in_manifest(database, vault, OFFICER, voyage, a_list(*rows))

            listed, held, arrived = await told(database, voyage)
            assert arrived == len(ready)
            assert listed == arrived + held

    async def test_hold_no_name_of_who_is_held_back(self, database: Database, vault: Vault) -> None:
        voyage = await a_voyage(database)
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(1, name="Kenari", sex="Q")))

        [row] = await database.pool.fetch("SELECT h::text AS text FROM held_rows h")
        for canary in ("Kenari", "kenari", "XS9000001", "1990-01-01"):
            assert canary not in row["text"]
            assert canary.encode().hex() not in row["text"]
