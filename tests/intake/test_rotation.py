"""The key-encryption key is changed while the service works: nobody is lost, nobody comes back, all is on the trail."""

import asyncio
import json
import signal
from collections import Counter

import asyncpg
import pytest

from services.intake.actions import keys
from services.intake.domain.people import Identity
from services.intake.store.vault import WrongKey, wrapped
from shared.kit.actor import system
from shared.kit.database import Database
from tests.intake import rotation
from tests.intake.factories import KEK
from tests.intake.rotation import AFTER, ALONE, BEFORE, NEW_KEK, environment, intake, opened, people, rewrapped, told


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "BATCH", 3)


async def until_started(process: asyncio.subprocess.Process) -> None:
    assert process.stderr is not None
    assert await asyncio.wait_for(process.stderr.readline(), 30)


class TestRewrapKeys:
    @pytest.mark.usefixtures("small_batches")
    async def test_leaves_everybody_readable_without_the_old_key(self, database: Database) -> None:
        await people(database, BEFORE, 7)
        everybody = await opened(database, BEFORE)

        done = await rewrapped(database)

        assert done == keys.Rewrapping(rewrapped=7, damaged=0, left=0, unknown=0)
        assert done.old_keys_may_go
        assert await opened(database, ALONE) == everybody
        with pytest.raises(WrongKey):
            await opened(database, BEFORE)

    async def test_touches_nothing_that_is_under_the_current_key(self, database: Database) -> None:
        await people(database, AFTER, 2)
        before = await database.fetch("SELECT ctid, wrapped_key FROM person_keys")

        assert (await rewrapped(database)).rewrapped == 0
        assert await database.fetch("SELECT ctid, wrapped_key FROM person_keys") == before

    @pytest.mark.usefixtures("small_batches")
    async def test_is_on_the_trail_with_counts_alone(self, database: Database) -> None:
        await people(database, BEFORE, 4)
        await rewrapped(database)

        facts = await told(database)

        assert {(str(fact["case_id"]), fact["shared"]) for fact in facts} == {(keys.STREAM, False)}
        said = [json.loads(fact["data"]) for fact in facts]
        assert [(one["rewrapped"], one["left"]) for one in said] == [(3, None), (1, None), (0, 0)]
        assert len({one["run_id"] for one in said}) == 1
        assert {name for one in said for name in one} == {"case_id", "run_id", "rewrapped", "left"}

    async def test_says_that_keys_are_left_under_one_it_does_not_have(self, database: Database) -> None:
        await people(database, BEFORE, 2)

        done = await rewrapped(database, ALONE)

        assert done == keys.Rewrapping(rewrapped=0, damaged=0, left=0, unknown=2)
        assert not done.old_keys_may_go

    async def test_leaves_a_damaged_key_as_it_is_and_goes_on(self, database: Database) -> None:
        _, hurt, _ = await people(database, BEFORE, 3)
        await database.pool.execute(
            "UPDATE person_keys SET wrapped_key = set_byte(wrapped_key, 63, get_byte(wrapped_key, 63) # 1)"
            " WHERE person_id = $1",
            hurt,
        )

        done = await rewrapped(database)

        assert done == keys.Rewrapping(rewrapped=2, damaged=1, left=1, unknown=0)

    @pytest.mark.usefixtures("small_batches")
    async def test_never_brings_an_erased_person_back(self, database: Database, owner: asyncpg.Connection) -> None:
        gone, *stay = await people(database, BEFORE, 4)

        # The erasure holds the row when the run comes to it, and commits before the run goes on.
        await owner.execute("SET rujukan.scope = 'service'")
        erasure = owner.transaction()
        await erasure.start()
        await owner.execute("DELETE FROM person_keys WHERE person_id = $1", gone)
        run = asyncio.create_task(rewrapped(database))
        await asyncio.sleep(0.2)
        await erasure.commit()

        assert (await run).rewrapped == len(stay)
        left = await database.fetch("SELECT person_id FROM person_keys ORDER BY 1")
        assert [str(row["person_id"]) for row in left] == stay

    async def test_lets_an_erasure_wait_for_its_batch_and_no_longer(self, database: Database) -> None:
        [gone] = await people(database, BEFORE, 1)

        async with database.work(system("intake", "test"), purpose="test") as work:
            await wrapped.lock_under(work, BEFORE.ring.marks, after=wrapped.FIRST, limit=1)
            erasure = asyncio.create_task(database.pool.execute("DELETE FROM person_keys WHERE person_id = $1", gone))
            await asyncio.sleep(0.1)
            assert not erasure.done()

        await erasure
        assert (await rewrapped(database)).rewrapped == 0
        assert await database.pool.fetchval("SELECT count(*) FROM person_keys") == 0

    @pytest.mark.usefixtures("small_batches")
    async def test_two_at_once_do_each_key_once(self, database: Database) -> None:
        await people(database, BEFORE, 20)

        done = await asyncio.gather(rewrapped(database), rewrapped(database))

        assert sum(one.rewrapped for one in done) == 20
        assert len(await opened(database, ALONE)) == 20

    @pytest.mark.usefixtures("small_batches")
    async def test_runs_while_people_land_and_are_opened(self, database: Database) -> None:
        """Processes that already have the new key, and one that has not been started again yet."""
        await people(database, BEFORE, 30)
        not_yet = rotation.a_vault(KEK, old=[NEW_KEK])
        run = asyncio.create_task(rewrapped(database))
        names: Counter[str] = Counter()
        while not run.done():
            await people(database, AFTER, 1, name="Baru")
            await people(database, not_yet, 1, name="Lama")
            for vault in (AFTER, not_yet):
                names.update(who.full_name.split()[0] for who in await opened(database, vault))

        assert names["Orang"] >= 60
        await rewrapped(database)
        assert all(isinstance(who, Identity) for who in await opened(database, ALONE))


class TestCommand:
    """`python -m services.intake rewrap`."""

    async def test_says_what_was_done_and_that_the_old_key_may_go(self, database: Database) -> None:
        await people(database, BEFORE, 3)

        process = await intake("rewrap", environment(database, NEW_KEK, [KEK]))
        printed, shown = await asyncio.wait_for(process.communicate(), 30)

        assert process.returncode == 0, shown.decode()
        assert json.loads(printed) == {
            "rewrapped": 3, "damaged": 0, "left": 0, "unknown": 0, "old_keys_may_go": True,
        }  # fmt: skip
        assert b"3 persons' keys rewrapped" in shown

    async def test_ends_with_1_while_the_old_key_is_needed(self, database: Database) -> None:
        await people(database, BEFORE, 3)

        process = await intake("rewrap", environment(database, NEW_KEK, []))
        printed, _ = await asyncio.wait_for(process.communicate(), 30)

        assert process.returncode == 1
        assert json.loads(printed)["unknown"] == 3

    @pytest.mark.parametrize("crash_at", ["work.before_commit:2", "work.after_commit:2"])
    async def test_that_was_killed_goes_on_where_it_stopped(self, database: Database, crash_at: str) -> None:
        await people(database, BEFORE, keys.BATCH * 2 + 5)
        everybody = await opened(database, BEFORE)

        killed = await intake("rewrap", environment(database, NEW_KEK, [KEK], CRASH_AT=crash_at))
        await asyncio.wait_for(killed.communicate(), 30)
        assert killed.returncode == -signal.SIGKILL
        again = await intake("rewrap", environment(database, NEW_KEK, [KEK]))
        printed, _ = await asyncio.wait_for(again.communicate(), 30)

        done = json.loads(printed)
        kept = keys.BATCH * (2 if "after" in crash_at else 1)
        assert (done["rewrapped"], done["old_keys_may_go"]) == (len(everybody) - kept, True)
        assert sum(json.loads(fact["data"])["rewrapped"] for fact in await told(database)) == len(everybody)
        assert await opened(database, ALONE) == everybody


class TestMissingKey:
    """Nobody seals or opens with a ring that lacks a key which persons' keys are under."""

    async def test_is_named_with_how_many_persons_it_is_about(self, database: Database) -> None:
        await people(database, BEFORE, 2)
        await people(database, AFTER, 1)

        assert await keys.list_missing_keys(database, AFTER.ring) == []
        [said] = await keys.list_missing_keys(database, ALONE.ring)
        assert said.startswith("VAULT_KEK_OLD lacks a key: 2 persons' keys")

    @pytest.mark.parametrize(("command", "status"), [("serve", 78), ("check", 1)])
    async def test_keeps_the_service_from_starting(self, database: Database, command: str, status: int) -> None:
        await people(database, BEFORE, 2)

        process = await intake(command, environment(database, NEW_KEK, []))
        _, shown = await asyncio.wait_for(process.communicate(), 30)

        assert process.returncode == status
        assert b"intake: VAULT_KEK_OLD lacks a key: 2 persons' keys" in shown
        assert b"Traceback" not in shown
