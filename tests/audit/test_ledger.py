"""Records become leaves, leaves become checkpoints: once each, dense, whatever happens in between."""

import asyncio
import re

import asyncpg
import pytest

from services.audit import store
from services.audit.domain import merkle, tiles
from services.audit.domain.refusals import LedgerBroken
from shared.kit.actor import Actor, system
from shared.kit.database import Database, connect
from shared.kit.ids import new_id
from tests.audit import factories
from tests.audit.ledger import Ledger
from tests.conftest import DatabaseUrls


async def indexes(database: Database) -> list[int]:
    return [row["leaf_index"] for row in await database.fetch("SELECT leaf_index FROM leaves ORDER BY leaf_index")]


async def sizes(database: Database) -> list[int]:
    return [row["tree_size"] for row in await database.fetch("SELECT tree_size FROM checkpoints ORDER BY tree_size")]


class TestLeaves:
    async def test_the_same_batch_twice_makes_no_second_leaf(self, ledger: Ledger) -> None:
        batch = [{"event_id": new_id(), "case_seq": n} for n in (1, 2, 3)]

        await ledger.hear(*batch)
        await ledger.hear(*batch, {"case_seq": 4})
        await ledger.hear(batch[0], batch[0])

        assert await indexes(ledger.database) == [0, 1, 2, 3]
        assert await ledger.database.fetch("SELECT FROM parked") == []

    async def test_two_sequencers_that_race_give_dense_places(
        self, ledger: Ledger, database_urls: DatabaseUrls
    ) -> None:
        others = [await connect(database_urls("audit").application, service="audit") for _ in range(3)]
        ledgers = [ledger, *(Ledger(database, ledger.signer) for database in others)]

        await asyncio.gather(
            *(
                one.hear(*({"case_id": new_id(), "source": "intake"} for _ in range(20)))
                for one in ledgers
                for _ in range(5)
            )
        )

        assert await indexes(ledger.database) == list(range(400))
        await ledger.seal()
        assert await ledger.problems() == []
        for database in others:
            await database.aclose()

    async def test_a_record_with_an_id_that_is_not_canonical_is_parked_and_holds_up_nobody(
        self, ledger: Ledger
    ) -> None:
        await ledger.hear({"case_id": factories.CASE.upper()}, {"case_id": new_id()})

        [parked] = await ledger.database.fetch("SELECT reason FROM parked")
        assert parked["reason"] == "unreadable"
        assert await indexes(ledger.database) == [0]


class TestSeal:
    async def test_an_empty_ledger_has_a_checkpoint_too(self, ledger: Ledger) -> None:
        assert await ledger.seal() == 0
        assert await sizes(ledger.database) == [0]

    async def test_nothing_is_signed_when_nothing_is_new(self, ledger: Ledger) -> None:
        await ledger.hear_cases(3)
        await ledger.seal()
        await ledger.seal()

        assert await sizes(ledger.database) == [3]

    async def test_old_checkpoints_stay_and_the_newest_covers_all(self, ledger: Ledger) -> None:
        for count in (1, 255, 256, 700):
            await ledger.hear(*({"case_id": new_id()} for _ in range(count % 400)))
            await ledger.seal()

        assert await sizes(ledger.database) == [1, 256, 512, 812]
        assert await ledger.problems() == []

    async def test_a_backlog_is_sealed_in_steps(self, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("services.audit.actions.sealing.MOST_LEAVES", 300)
        await ledger.hear_cases(700)

        assert [await ledger.seal() for _ in range(4)] == [300, 300, 100, 0]
        assert await ledger.problems() == []

    async def test_two_sealers_that_race_sign_one_root_per_size(
        self, ledger: Ledger, database_urls: DatabaseUrls
    ) -> None:
        other = await connect(database_urls("audit").application, service="audit")
        second = Ledger(other, ledger.signer)
        for _ in range(5):
            await ledger.hear(*({"case_id": new_id()} for _ in range(30)))
            await asyncio.gather(ledger.seal(), second.seal(), ledger.seal())

        found = await sizes(ledger.database)
        assert len(found) == len(set(found))
        assert found[-1] == 150
        assert await ledger.problems() == []
        await other.aclose()

    async def test_a_second_root_for_one_size_is_refused(self, ledger: Ledger) -> None:
        await ledger.hear_cases(2)
        await ledger.seal()

        with pytest.raises(asyncpg.UniqueViolationError, match="size_has_one_root"):
            async with ledger.database.work(system("audit", "clock"), purpose="seal") as work:
                await store.add_checkpoint(
                    work, store.Sealed(2, b"r" * 32, "note", ledger.signer.verifier_key, work.now)
                )

    async def test_never_signs_over_a_tree_that_contradicts_the_last_checkpoint(
        self, ledger: Ledger, superuser: asyncpg.Connection
    ) -> None:
        await ledger.hear_cases(5)
        await ledger.seal()
        await superuser.execute("UPDATE tiles SET hashes = set_byte(hashes, 40, 1 - get_byte(hashes, 40) % 2)")
        await ledger.hear({"case_id": new_id()})

        with pytest.raises(LedgerBroken):
            await ledger.seal()
        assert await sizes(ledger.database) == [5]


class TestApplicationRole:
    @pytest.mark.parametrize(
        "statement",
        [
            "DELETE FROM leaves",
            "TRUNCATE leaves",
            "UPDATE leaves SET case_seq = 9",
            "UPDATE leaves SET payload = 'x'",
            "UPDATE leaves SET salt = NULL, payload = NULL, redacted_at = now(), type = 'x'",
            "UPDATE tiles SET hashes = set_byte(hashes, 0, 1)",
            "UPDATE tiles SET hashes = substring(hashes FROM 1 FOR 32)",
            "UPDATE tiles SET tile_index = 7",
            "DELETE FROM tiles",
            "UPDATE checkpoints SET note = 'x'",
            "DELETE FROM checkpoints",
            "TRUNCATE checkpoints",
        ],
    )
    async def test_cannot_change_the_ledger(self, ledger: Ledger, statement: str) -> None:
        await ledger.hear_cases(3)
        await ledger.seal()

        with pytest.raises(asyncpg.PostgresError) as refused:
            await ledger.database.fetch(statement)
        assert isinstance(refused.value, asyncpg.InsufficientPrivilegeError | asyncpg.CheckViolationError)

    async def test_can_redact_once_and_the_tree_still_verifies(self, ledger: Ledger) -> None:
        event_id = new_id()
        await ledger.hear({"event_id": event_id}, {"case_seq": 2})
        await ledger.seal()

        async with ledger.database.work(system("audit", "erasure"), purpose="erase") as work:
            assert await store.redact_leaves(work, [event_id]) == 1
            assert await store.redact_leaves(work, [event_id]) == 0

        [row] = await ledger.database.fetch("SELECT salt, payload FROM leaves WHERE leaf_index = 0")
        assert (row["salt"], row["payload"]) == (None, None)
        assert await ledger.problems() == []


TAMPERINGS = {
    "a payload is edited": (
        "UPDATE leaves SET payload = overlay(payload PLACING '\\x41' FROM 20) WHERE leaf_index = 300",
        r"the payload of leaf 300 \(intake 1\) is not what was committed to",
    ),
    "a payload is redacted halfway": (
        "UPDATE leaves SET payload = NULL WHERE leaf_index = 300",
        r"the payload of leaf 300",
    ),
    "a commitment is edited": (
        "UPDATE leaves SET commitment = sha256('x') WHERE leaf_index = 7",
        r"leaf 7 \(intake 1\) is not what was hashed",
    ),
    "a time is moved": (
        "UPDATE leaves SET occurred_at = occurred_at - interval '1 day' WHERE leaf_index = 7",
        r"leaf 7 \(intake 1\) is not what was hashed",
    ),
    "a row is deleted": ("DELETE FROM leaves WHERE leaf_index = 299", r"leaf 299 is missing"),
    "the first row is deleted": ("DELETE FROM leaves WHERE leaf_index = 0", r"leaf 0 is missing"),
    "the last row is deleted": (
        "DELETE FROM leaves WHERE leaf_index = 599",
        r"a checkpoint covers 600 leaves, but only 599",
    ),
    "all rows are deleted": ("DELETE FROM leaves", r"a checkpoint covers 600 leaves, but only 0"),
    "two rows are swapped": (
        "UPDATE leaves SET leaf_index = CASE leaf_index WHEN 10 THEN -11 ELSE -10 END WHERE leaf_index IN (10, 11);"
        "UPDATE leaves SET leaf_index = -leaf_index WHERE leaf_index < 0",
        r"the leaves do not give the root",
    ),
    "a row is taken out and the others move up": (
        "DELETE FROM leaves WHERE leaf_index = 10;"
        "UPDATE leaves SET leaf_index = -leaf_index WHERE leaf_index > 10;"
        "UPDATE leaves SET leaf_index = -leaf_index - 1 WHERE leaf_index < 0",
        r"a checkpoint covers 600 leaves, but only 599",
    ),
    "a tile is edited": (
        "UPDATE tiles SET hashes = set_byte(hashes, 64, 255 - get_byte(hashes, 64)) WHERE (level, tile_index) = (0, 1)",
        r"tile/0/001 is not what its leaves give",
    ),
    "an upper tile is edited": (
        "UPDATE tiles SET hashes = set_byte(hashes, 3, 255 - get_byte(hashes, 3)) WHERE level = 1",
        r"tile/1/000 is not what its leaves give",
    ),
    "a tile is deleted": ("DELETE FROM tiles WHERE (level, tile_index) = (0, 0)", r"tile/0/000 is not"),
    "an old root is edited": (
        "UPDATE checkpoints SET root = sha256('x') WHERE tree_size = 250",
        r"root that was signed for 250 leaves",
    ),
    "a note is edited": (
        "UPDATE checkpoints SET note = replace(note, E'250\\n', E'251\\n') WHERE tree_size = 250",
        r"the checkpoint for 250 leaves is not signed with a key that is trusted",
    ),
}


class TestVerification:
    async def a_ledger_of_600(self, ledger: Ledger) -> None:
        for end in (250, 600):
            have = len(await indexes(ledger.database))
            await ledger.hear(*({"case_id": new_id()} for _ in range(end - have)))
            await ledger.seal()
        assert await ledger.problems() == []

    @pytest.mark.parametrize("name", TAMPERINGS)
    async def test_names_what_a_superuser_did(self, ledger: Ledger, superuser: asyncpg.Connection, name: str) -> None:
        await self.a_ledger_of_600(ledger)
        statement, complaint = TAMPERINGS[name]
        if "halfway" in name:
            await superuser.execute("ALTER TABLE leaves DROP CONSTRAINT opened_or_redacted")
        if "swapped" in name or "move up" in name:
            await superuser.execute("ALTER TABLE leaves DROP CONSTRAINT leaves_count_from_zero")

        await superuser.execute(statement)

        assert any(re.search(complaint, problem) for problem in await ledger.problems())

    async def test_a_leaf_that_is_rewritten_with_all_its_hashes_still_shows(
        self, ledger: Ledger, superuser: asyncpg.Connection
    ) -> None:
        await self.a_ledger_of_600(ledger)
        await superuser.execute("UPDATE leaves SET case_seq = 2 WHERE leaf_index = 5")
        async with ledger.database.work(system("audit", "test"), purpose="test") as work:
            hashes = [merkle.leaf_hash(leaf.data) for leaf in await store.list_leaves(work, 0, 600)]
        await superuser.execute("UPDATE leaves SET leaf_hash = $1 WHERE leaf_index = 5", hashes[5])
        for (level, index), row in tiles.extended(0, {}, hashes).items():
            await superuser.execute(
                "UPDATE tiles SET hashes = $3 WHERE level = $1 AND tile_index = $2", level, index, row
            )

        assert await ledger.problems() == [
            "the leaves do not give the root that was signed for 250 leaves",
            "the leaves do not give the root that was signed for 600 leaves",
        ]

    async def test_a_ledger_put_back_to_an_earlier_state_shows_against_a_kept_checkpoint(
        self, ledger: Ledger, superuser: asyncpg.Connection
    ) -> None:
        await self.a_ledger_of_600(ledger)
        [kept] = await superuser.fetch("SELECT note FROM checkpoints WHERE tree_size = 600")
        await superuser.execute("DELETE FROM leaves WHERE leaf_index >= 250")
        await superuser.execute("DELETE FROM checkpoints WHERE tree_size = 600")
        await superuser.execute("DELETE FROM tiles WHERE level = 1 OR tile_index > 0")
        await superuser.execute("UPDATE tiles SET hashes = substring(hashes FROM 1 FOR 250 * 32)")

        assert await ledger.problems() == []
        assert await ledger.problems((kept["note"],)) == [
            "a checkpoint covers 600 leaves, but only 250 can be read in order"
        ]

    async def test_a_ledger_that_was_begun_anew_shows_against_a_kept_checkpoint(
        self, ledger: Ledger, superuser: asyncpg.Connection
    ) -> None:
        await self.a_ledger_of_600(ledger)
        [kept] = await superuser.fetch("SELECT note FROM checkpoints WHERE tree_size = 250")
        await superuser.execute("DELETE FROM leaves; DELETE FROM tiles; DELETE FROM checkpoints")
        await ledger.hear(*({"case_id": new_id()} for _ in range(300)))
        await ledger.seal()

        assert await ledger.problems() == []
        assert await ledger.problems((kept["note"],)) == [
            "the tree of 250 leaves is not the one of the saved checkpoint"
        ]


class TestSecondWall:
    """What the database itself does not show, were a gate forgotten."""

    @pytest.mark.parametrize("role", ["agency_worker", "port_officer", "operator", "ngo_member"])
    async def test_who_is_no_auditor_reads_nothing(self, ledger: Ledger, role: str) -> None:
        await ledger.hear({})
        await ledger.seal()

        async with ledger.database.work(Actor("sari", "SBMI", frozenset({role})), purpose="look") as work:
            assert await store.list_leaves(work, 0, 10) == []
            assert await store.list_last_checkpoints(work, 10) == []
            assert await store.list_tiles_from(work, 0) == {}
