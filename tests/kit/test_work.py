"""A unit of work: state and journal commit together, numbers are dense, the journal cannot be changed."""

import asyncio
import json

import asyncpg
import pytest

from shared.kit import ids
from shared.kit.database import Database
from tests.conftest import DatabaseUrls
from tests.kit.conftest import OFFICER, a_voyage


async def journal(database: Database) -> list[asyncpg.Record]:
    return await database.fetch("SELECT * FROM journal ORDER BY position")


class TestWork:
    async def test_writes_a_fact_with_who_and_why_and_a_pointer(self, database: Database) -> None:
        async with database.work(OFFICER, purpose="announce") as work:
            event_id = work.emit(a_voyage(announced=259))

        (row,) = await journal(database)
        told = json.loads(row["payload"])
        assert str(row["event_id"]) == event_id
        assert (row["type"], row["case_seq"], row["shared"]) == ("intake.voyage_announced.v1", 1, True)
        assert (told["actor"], told["organisation"], told["role"], told["purpose"]) == (
            "officer",
            "BP3MI-65",
            "port_officer",
            "announce",
        )
        assert told["data"]["announced"] == 259
        assert await database.fetch("SELECT position FROM outbox") == [(row["position"],)]

    async def test_tells_nothing_when_the_body_fails(self, database: Database) -> None:
        with pytest.raises(RuntimeError, match="half way"):
            async with database.work(OFFICER, purpose="announce") as work:
                work.emit(a_voyage())
                raise RuntimeError("half way")

        assert await journal(database) == []
        assert await database.fetch("SELECT * FROM outbox") == []

    async def test_numbers_each_case_densely_in_the_order_told(self, database: Database) -> None:
        one, other = ids.new_id(), ids.new_id()
        for _ in range(2):
            async with database.work(OFFICER, purpose="announce") as work:
                for case in (one, other, one):
                    work.emit(a_voyage(case))

        rows = [(str(r["case_id"]), r["case_seq"]) for r in await journal(database)]
        assert rows == [(one, 1), (other, 1), (one, 2), (one, 3), (other, 2), (one, 4)]

    async def test_concurrent_works_on_the_same_cases_wait_and_leave_no_hole(self, database: Database) -> None:
        cases = [ids.new_id() for _ in range(20)]

        async def tell(order: list[str]) -> None:
            async with database.work(OFFICER, purpose="announce") as work:
                await work.lock_cases(order)
                for case in order:
                    work.emit(a_voyage(case))

        await asyncio.gather(*(tell(cases if n % 2 else cases[::-1]) for n in range(8)))

        for case in cases:
            sequence = [r["case_seq"] for r in await journal(database) if str(r["case_id"]) == case]
            assert sequence == list(range(1, 9))


class TestJournal:
    @pytest.mark.parametrize("statement", ["UPDATE journal SET type = 'x'", "DELETE FROM journal", "TRUNCATE journal"])
    async def test_cannot_be_changed_by_the_application(self, database: Database, statement: str) -> None:
        async with database.work(OFFICER, purpose="announce") as work:
            work.emit(a_voyage())

        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.fetch(statement)

    @pytest.mark.parametrize("statement", ["UPDATE journal SET type = 'x'", "DELETE FROM journal", "TRUNCATE journal"])
    async def test_cannot_be_changed_by_its_owner_either(
        self, database: Database, database_urls: DatabaseUrls, statement: str
    ) -> None:
        async with database.work(OFFICER, purpose="announce") as work:
            work.emit(a_voyage())
        owner = await asyncpg.connect(database_urls("speaker").owner)

        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.execute(statement)

        await owner.close()


async def test_a_connection_that_is_never_given_back_holds_no_end_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.kit.database.CLOSE_S", 0.1)
    kept = await database.pool.acquire()

    await database.aclose()

    with pytest.raises(asyncpg.InterfaceError):
        await kept.execute("SELECT 1")
