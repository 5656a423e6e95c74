"""The one way in: keys, conflicts, statements, and what the rows hold."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import asyncpg
import orjson
import pytest

from services.intake.actions.arrivals import Desk, Item, Recorded, record_arrivals
from services.intake.domain.refusals import NotAllowed
from services.intake.domain.refusals.arrivals import ArrivalInFuture, RecordedDifferently
from services.intake.domain.refusals.voyages import VoyageUnknown
from services.intake.store.arrivals import NewArrival
from services.intake.store.vault import Vault
from shared.kit.actor import system
from shared.kit.database import Database
from shared.kit.identity import Revoked, revocations
from shared.kit.identity.revocations import Revocations
from shared.kit.lane import Lane
from tests.intake.factories import OFFICER, START, STRANGER, WORKER, a_new_arrival, a_voyage, an_arrival


@pytest.fixture
async def guarded(database: Database) -> AsyncIterator[Database]:
    """The database of a process that holds whoever writes against what was revoked."""
    known = Revocations(database)
    database.allowed = known.check
    yield database
    await known.aclose()


async def count(database: Database, table: str) -> int:
    return int(await database.pool.fetchval(f"SELECT count(*) FROM {table}"))


class TestRecordArrivals:
    async def test_writes_state_key_journal_and_outbox_together(self, database: Database, vault: Vault) -> None:
        [recorded] = await record_arrivals(database, [a_new_arrival(vault)])

        assert isinstance(recorded, Recorded)
        assert recorded.new
        counts = {t: await count(database, t) for t in ("requests", "arrivals", "person_keys", "journal", "outbox")}
        assert set(counts.values()) == {1}
        row = await database.pool.fetchrow("SELECT * FROM journal")
        assert (row["type"], row["case_seq"], row["shared"]) == ("intake.arrival_recorded.v1", 1, True)
        told = orjson.loads(row["payload"])
        assert told["actor"] == "rina"
        assert told["data"]["case_id"] == recorded.case_id == str(row["case_id"])
        assert told["data"]["needs"] == ["NEED"]

    async def test_same_key_answers_the_same_case(self, database: Database, vault: Vault) -> None:
        [first] = await record_arrivals(database, [a_new_arrival(vault, key="k1")])
        [again] = await record_arrivals(database, [a_new_arrival(vault, key="k1")])

        assert isinstance(first, Recorded)
        assert isinstance(again, Recorded)
        assert (again.case_id, again.new, again.needs) == (first.case_id, False, first.needs)
        assert await count(database, "arrivals") == await count(database, "journal") == 1

    async def test_same_key_twice_in_one_batch_is_one_case(self, database: Database, vault: Vault) -> None:
        results = await record_arrivals(database, [a_new_arrival(vault, key="k1"), a_new_arrival(vault, key="k1")])

        assert len({r.case_id for r in results if isinstance(r, Recorded)}) == 1
        assert await count(database, "arrivals") == 1

    async def test_same_key_with_other_details_is_a_conflict(self, database: Database, vault: Vault) -> None:
        await record_arrivals(database, [a_new_arrival(vault, key="k1")])
        [other] = await record_arrivals(
            database, [a_new_arrival(vault, key="k1", arrival=an_arrival(who={"full_name": "Bala"}))]
        )

        assert isinstance(other, RecordedDifferently)
        assert await count(database, "arrivals") == 1

    async def test_keys_belong_to_the_actor(self, database: Database, vault: Vault) -> None:
        await record_arrivals(
            database, [a_new_arrival(vault, key="k1"), a_new_arrival(vault, key="k1", actor=STRANGER)]
        )

        assert await count(database, "arrivals") == 2

    async def test_concurrent_writers_of_one_key_make_one_case(self, database: Database, vault: Vault) -> None:
        batches = [[a_new_arrival(vault, key=f"k{n}") for n in order] for order in itertools.permutations(range(4))]

        answers = await asyncio.gather(*(record_arrivals(database, batch) for batch in batches))

        cases = {r.case_id for results in answers for r in results if isinstance(r, Recorded)}
        assert len(cases) == 4
        assert await count(database, "arrivals") == await count(database, "journal") == 4

    async def test_holds_no_name_outside_the_sealed_column(self, database: Database, vault: Vault) -> None:
        await record_arrivals(
            database, [a_new_arrival(vault, key="k1", arrival=an_arrival(who={"full_name": "Kenari Kuning"}))]
        )

        for table in ("requests", "arrivals", "person_keys", "blind_indexes", "journal", "outbox"):
            row = str(
                await database.pool.fetchrow(
                    f"SELECT t::text AS row, encode(convert_to(t::text, 'UTF8'), 'escape') AS bytes FROM {table} t"
                )
            )
            assert "Kenari" not in row
            assert b"Kenari".hex() not in row  # bytea is written in hex


class TestStatements:
    @pytest.mark.parametrize("arrivals", [1, 250])
    async def test_a_batch_of_any_size_is_one_statement(
        self, database: Database, vault: Vault, arrivals: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        statements: list[str] = []
        fetch = type(database).fetch

        async def counted(self: Database, statement: str, *arguments: object) -> list[asyncpg.Record]:
            statements.append(statement)
            return await fetch(self, statement, *arguments)

        monkeypatch.setattr(type(database), "fetch", counted)
        await record_arrivals(database, [a_new_arrival(vault) for _ in range(arrivals)])
        assert len(statements) == 1

        await record_arrivals(database, [a_new_arrival(vault, key="k1"), a_new_arrival(vault, key="k1")])
        assert len(statements) == 3


class TestDesk:
    async def test_one_bad_arrival_in_a_lane_fails_no_other(self, database: Database, vault: Vault) -> None:
        lane: Lane[NewArrival, Recorded] = Lane(partial(record_arrivals, database))
        people = [a_new_arrival(vault) for _ in range(8)]
        people[3] = people[3]._replace(needs="SICK")

        results = await asyncio.gather(*map(lane.put, people), return_exceptions=True)

        assert isinstance(results[3], asyncpg.CheckViolationError)
        assert all(isinstance(r, Recorded) for n, r in enumerate(results) if n != 3)
        assert await count(database, "arrivals") == 7

    async def test_refuses_an_arrival_in_the_future(self, database: Database, vault: Vault) -> None:
        with pytest.raises(ArrivalInFuture):
            await Desk(database, vault).record(
                OFFICER, an_arrival(), key="k", voyage_id=None, arrived_at=START.replace(year=2027)
            )

    async def test_refuses_a_voyage_of_another_port(self, database: Database, vault: Vault) -> None:
        voyage = await a_voyage(database, actor=STRANGER)

        with pytest.raises(VoyageUnknown):
            await Desk(database, vault).record(
                OFFICER, an_arrival(), key="k", voyage_id=voyage.voyage_id, arrived_at=None
            )

    async def test_refuses_who_works_at_no_port(self, database: Database, vault: Vault) -> None:
        with pytest.raises(NotAllowed):
            await Desk(database, vault).record(WORKER, an_arrival(), key="k", voyage_id=None, arrived_at=None)

    async def test_writes_nothing_more_of_who_was_revoked_and_what_others_sent_with_it(
        self, guarded: Database, vault: Vault
    ) -> None:
        desk = Desk(guarded, vault)
        revoked, other = (replace(officer, issued_at=START) for officer in (OFFICER, replace(OFFICER, id="nurul")))
        async with guarded.work(system("intake", "operator"), purpose="revoke") as work:
            await revocations.revoke(work, scope="person", code=revoked.id, bars=True, why="misuse")

        refused, recorded = await asyncio.gather(
            *(desk.record(who, an_arrival(), key="k", voyage_id=None, arrived_at=None) for who in (revoked, other)),
            return_exceptions=True,
        )
        with pytest.raises(Revoked):
            await desk.record_many(revoked, [Item("k2", an_arrival(), None, None)])

        assert isinstance(refused, Revoked)
        assert isinstance(recorded, Recorded)
        assert await count(guarded, "arrivals") == 1

    async def test_gives_each_of_a_batch_a_result_of_its_own(self, database: Database, vault: Vault) -> None:
        desk = Desk(database, vault)
        strange = await a_voyage(database, actor=STRANGER)
        late = START.replace(year=2027)

        results = await desk.record_many(
            OFFICER,
            [
                Item("a", an_arrival(), None, None),
                Item("b", an_arrival(), strange.voyage_id, None),
                Item("c", an_arrival(), None, late),
                Item("a", an_arrival(), None, None),
                Item("a", an_arrival(sex="F"), None, None),
            ],
        )

        assert [type(r) for r in results] == [Recorded, VoyageUnknown, ArrivalInFuture, Recorded, RecordedDifferently]
        assert await count(database, "arrivals") == 1
