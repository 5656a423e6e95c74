"""Lists of any length: taken in as they are read, in memory that does not grow with them."""

import gc
import hashlib
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from services.intake.actions import lists, recording
from services.intake.actions.manifests import take_in_file
from services.intake.domain import sheets
from services.intake.store.manifests import Manifest
from services.intake.store.vault import Vault
from shared.kit.database import Database
from tests.intake.conftest import Browser
from tests.intake.factories import OFFICER, a_voyage
from tests.intake.people_file import PeopleFile

Site = Callable[[str], Browser]

HELD_OF_A_ROW = 200
"""Bytes that may be kept of a row: what it is known again by. Its cells take eight times that."""


async def taken_in(database: Database, vault: Vault, people: int) -> Manifest:
    """The people of one list, on a voyage of their own."""
    voyage = await a_voyage(database)
    hashed = hashlib.sha256(b"%d" % people)
    return await take_in_file(database, vault, OFFICER, voyage, PeopleFile(people), hashed)


async def most_memory(database: Database, vault: Vault, people: int) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        assert (await taken_in(database, vault, people)).accepted == people
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.invariant("I138")
class TestMemory:
    async def test_does_not_grow_with_the_rows(
        self, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(recording, "BATCH", 100)
        monkeypatch.setattr(lists, "SHORT_BYTES", 0)
        await most_memory(database, vault, 100)  # what is made once and kept

        few = await most_memory(database, vault, 500)
        many = await most_memory(database, vault, 3_000)

        assert many - few < 2_500 * HELD_OF_A_ROW, (few, many)

    @pytest.mark.slow
    @pytest.mark.timeout(3600)
    async def test_does_not_grow_with_a_million_rows(self, database: Database, vault: Vault) -> None:
        await taken_in(database, vault, 10_000)
        before = resident_mib()
        taken = await taken_in(database, vault, 1_000_000)

        assert (taken.listed, taken.accepted) == (1_000_000, 1_000_000)
        assert most_resident_mib() - before < 96
        assert await database.pool.fetchval("SELECT count(*) FROM household_members") == 101_000


def resident_mib() -> float:
    return _status("VmRSS")


def most_resident_mib() -> float:
    return _status("VmHWM")


def _status(what: str) -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{what}:")[2].split()[0]) / 1024


class TestLimits:
    async def test_of_rows_are_named_before_anybody_is_recorded(
        self, database: Database, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sheets, "MOST_STREAMED_ROWS", 50)
        voyage = await a_voyage(database)
        answer = await site("officer").post(
            f"/api/voyages/{voyage.voyage_id}/manifest", content=PeopleFile(51).read(), kind="text/csv"
        )

        assert answer.status_code == 422
        assert "50" in answer.json()["errors"][0]["message"]
        assert await database.pool.fetchval("SELECT count(*) FROM manifests") == 0
        assert await database.pool.fetchval("SELECT count(*) FROM arrivals") == 0

    async def test_are_tighter_where_all_rows_are_shown(
        self, database: Database, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sheets, "MOST_ROWS", 50)
        voyage = await a_voyage(database)
        path, content = f"/api/voyages/{voyage.voyage_id}/manifest", PeopleFile(51).read()
        looked = await site("officer").post(f"{path}?preview=1", content=content, kind="text/csv")
        taken = await site("officer").post(path, content=content, kind="text/csv")

        assert looked.status_code == 422
        assert taken.json()["accepted"] == 51

    async def test_of_a_file_that_is_no_text_stay(
        self, database: Database, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("services.intake.domain.files.MOST_BYTES", 1 << 20)
        voyage = await a_voyage(database)
        answer = await site("officer").post(
            f"/api/voyages/{voyage.voyage_id}/manifest", content=b"PK\x03\x04" + bytes(1 << 20), kind="text/csv"
        )

        assert answer.status_code == 422
        assert "1 MiB" in answer.json()["errors"][0]["message"]
