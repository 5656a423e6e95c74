"""Earlier returns are found after the arrival, in intake alone, and what is kept of it are digests and codes."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from services.intake import clock as clocks
from services.intake.actions.arrivals import record_arrivals
from services.intake.actions.comparing import compare_all_anew
from services.intake.clock import Comparing
from services.intake.store import match_keys
from services.intake.store.arrivals import NewArrival
from services.intake.store.vault import Vault
from shared.kit.clock import FixedClock
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.intake.factories import OFFICER, STRANGER, a_new_arrival, a_vault, an_arrival
from tests.intake.test_erasures import told


async def landed(database: Database, vault: Vault, *people: dict[str, str], port: str = "NNK") -> list[str]:
    """The case ids of people who landed, in the order they are given in."""
    new: list[NewArrival] = []
    for who in people:
        arrival = a_new_arrival(vault, arrival=an_arrival(who=who))
        new.append(arrival._replace(port=port))
    await record_arrivals(database, new)
    return [arrival.case_id for arrival in new]


async def compared(database: Database, vault: Vault) -> int:
    """How many were compared until nobody was left."""
    compare = Comparing(database, vault)
    total = 0
    while done := await compare():
        total += done
    return total


async def proposed(database: Database) -> list[tuple[str, str, str]]:
    """Pairs (later, earlier, strength)."""
    rows = await database.fetch("SELECT case_id, earlier_case_id, strength FROM possible_matches ORDER BY match_id")
    return [(str(row["case_id"]), str(row["earlier_case_id"]), row["strength"]) for row in rows]


BEFORE = {"full_name": "Moch. Soekarno Djafar", "nik": "7306991901910001", "document_number": "XD1000001"}
AGAIN = {"full_name": "MUHAMMAD SUKARNO JAFAR", "nik": "7306991901910001", "document_number": "XD2000002"}
NAMESAKE = {"full_name": "Siti Aminah", "nik": "5306994202800003", "document_number": "XD3000003"}


class TestComparing:
    async def test_finds_who_came_before_under_another_spelling(self, database: Database, vault: Vault) -> None:
        [earlier] = await landed(database, vault, BEFORE, port="ETK")
        [later, _] = await landed(database, vault, AGAIN, NAMESAKE)

        assert await compared(database, vault) == 3
        assert await proposed(database) == [(later, earlier, "strong")]

    async def test_finds_two_who_land_together(self, database: Database, vault: Vault) -> None:
        [earlier, later] = await landed(database, vault, BEFORE, AGAIN)
        await compared(database, vault)

        assert await proposed(database) == [(later, earlier, "strong")]

    async def test_is_done_once(self, database: Database, vault: Vault) -> None:
        await landed(database, vault, BEFORE, AGAIN)
        await compared(database, vault)

        assert (await compared(database, vault), len(await proposed(database))) == (0, 1)

    async def test_is_on_the_trail_with_whom_it_was(self, database: Database, vault: Vault) -> None:
        [earlier, later] = await landed(database, vault, BEFORE, AGAIN)
        await compared(database, vault)

        [fact] = await told(database, later, "intake.identities_compared.v1")
        assert fact == {"case_id": later, "compared": [earlier], "proposed": 1}

    async def test_says_nothing_of_who_shares_nothing(self, database: Database, vault: Vault) -> None:
        [case_id, _] = await landed(database, vault, BEFORE, NAMESAKE)
        await compared(database, vault)

        assert await told(database, case_id, "intake.identities_compared.v1") == []

    async def test_goes_on_past_an_identity_that_does_not_open(
        self, database: Database, vault: Vault, owner: asyncpg.Connection
    ) -> None:
        [damaged] = await landed(database, vault, BEFORE)
        await owner.execute("SET rujukan.scope = 'service'")
        await owner.execute("UPDATE arrivals SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)")
        await landed(database, vault, AGAIN)

        assert await compared(database, vault) == 2
        assert await proposed(database) == []
        assert await database.pool.fetchval("SELECT count(*) FROM compared_cases WHERE case_id = $1", damaged) == 1

    @pytest.mark.parametrize(
        ("old", "rest"), [(timedelta(days=2), timedelta(minutes=6)), (timedelta(days=400), timedelta(hours=7))]
    )
    async def test_finds_who_was_recorded_late(
        self, database: Database, vault: Vault, clock: FixedClock, old: timedelta, rest: timedelta
    ) -> None:
        """A tablet had no signal: the id is old when the arrival comes, and is found by a round that reaches so far."""
        clock.advance(datetime.now(UTC) - clock.now() + old)
        compare = Comparing(database, vault)
        assert await compare() == 0
        await landed(database, vault, BEFORE)
        assert await compare() == 0
        clock.advance(rest)

        assert (await compare(), await compare()) == (0, 1)

    async def test_asks_where_somebody_landed_later_whatever_the_order_of_the_ids(
        self, database: Database, vault: Vault
    ) -> None:
        """A tablet whose clock is wrong makes ids of another time."""
        now, before = [a_new_arrival(vault, arrival=an_arrival(who=who)) for who in (AGAIN, BEFORE)]
        before = before._replace(port="ETK", arrived_at=now.arrived_at - timedelta(days=300))
        await record_arrivals(database, [now, before])
        await compared(database, vault)

        assert now.case_id < before.case_id
        assert [pair[:2] for pair in await proposed(database)] == [(now.case_id, before.case_id)]
        assert await database.pool.fetchval("SELECT port FROM possible_matches") == "NNK"

    @pytest.mark.parametrize("batch", [1, 2])
    async def test_finds_the_same_in_any_batches(
        self, database: Database, vault: Vault, batch: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(clocks, "COMPARED_AT_ONCE", batch)
        [one, two, three] = await landed(database, vault, BEFORE, AGAIN, {**AGAIN, "document_number": "XD9"})
        await compared(database, vault)

        assert sorted((later, earlier) for later, earlier, _ in await proposed(database)) == sorted(
            [(two, one), (three, one), (three, two)]
        )

    async def test_is_done_anew_for_everybody_when_an_operator_says_so(self, database: Database, vault: Vault) -> None:
        people = await landed(database, vault, BEFORE, AGAIN, NAMESAKE)
        await compared(database, vault)

        assert await compare_all_anew(database, limit=2) == len(people)
        assert await database.fetch("SELECT FROM match_keys") == []
        assert (await compared(database, vault), len(await proposed(database))) == (len(people), 1)


class TestWhoIsCompared:
    """Of those who share a key only so many are opened: first those whom few others could be taken for."""

    async def test_are_those_first_whose_keys_fewest_have(self, database: Database) -> None:
        rare, common, new = new_id(), [new_id() for _ in range(5)], new_id()
        async with database.work(clocks.CLOCK, purpose="compare") as work:
            await match_keys.add(work, {rare: [1], **{case_id: [2] for case_id in common}})
            found = await match_keys.find_sharing(work, {new: [1, 2, 3]}, most=4)

        assert found[new] == [rare, *reversed(common)][:4], "then the latest"

    async def test_are_those_who_share_more(self, database: Database) -> None:
        one, both, new = new_id(), new_id(), new_id()
        async with database.work(clocks.CLOCK, purpose="compare") as work:
            await match_keys.add(work, {both: [1, 2], one: [1], new: [1, 2]})
            found = await match_keys.find_sharing(work, {new: [1, 2]}, most=4)

        assert found[new] == [both, one]


class TestWhatIsKept:
    async def test_has_no_name_and_no_number(self, database: Database, vault: Vault) -> None:
        await landed(database, vault, BEFORE, AGAIN)
        await compared(database, vault)

        kept = await rows_of(database, "match_keys", "compared_cases", "possible_matches", "journal")
        assert [
            word for word in ("ukarno", "afar", "7306991901910001", "1000001") if word.lower() in kept.lower()
        ] == []

    async def test_is_digested_under_the_index_key(self, database: Database, vault: Vault) -> None:
        other = a_vault(index_key=bytes(range(64, 96)))

        assert vault.match_key("nik 7306991901910001") != other.match_key("nik 7306991901910001")

    async def test_ends_with_the_key_of_the_person(
        self, database: Database, vault: Vault, owner: asyncpg.Connection
    ) -> None:
        [earlier, later] = await landed(database, vault, BEFORE, AGAIN)
        await compared(database, vault)
        await owner.execute("SET rujukan.scope = 'service'")
        await owner.execute(
            "DELETE FROM person_keys WHERE person_id = (SELECT person_id FROM arrivals WHERE case_id = $1)", earlier
        )

        assert await proposed(database) == []
        rows = await database.fetch("SELECT DISTINCT case_id FROM match_keys")
        assert [str(row["case_id"]) for row in rows] == [later]
        assert await database.pool.fetchval("SELECT count(*) FROM compared_cases") == 1

    async def test_is_seen_at_the_port_of_the_later_landing_alone(self, database: Database, vault: Vault) -> None:
        await landed(database, vault, BEFORE, port="ETK")
        await landed(database, vault, AGAIN)
        await compared(database, vault)

        for actor, seen in ((OFFICER, 1), (STRANGER, 0), (replace(OFFICER, roles=frozenset({"port_system"})), 0)):
            async with database.work(actor, purpose="look") as work:
                assert await work.connection.fetchval("SELECT count(*) FROM possible_matches") == seen
                assert await work.connection.fetchval("SELECT count(*) FROM match_keys") == 0


async def rows_of(database: Database, *tables: str) -> str:
    """Everything that these tables hold, as text; what is in bytes as it is read."""
    found: Iterable[asyncpg.Record] = [
        row for table in tables for row in await database.fetch(f"SELECT t.*::text AS said FROM {table} t")
    ]
    told = [row["payload"].decode() for row in await database.fetch("SELECT payload FROM journal")]
    return "\n".join([*(row["said"] for row in found), *told])
