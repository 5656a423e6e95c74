"""Migrations run once, in order, by one runner at a time; an edited one is refused; grants follow the comments."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from shared.kit.database import MigrationChanged, grant, migrate, role_of
from tests.conftest import DatabaseUrls
from tests.waiting import until

WAITING = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "example" / "migrations"
    folder.mkdir(parents=True)
    (folder / "0001_add_things.sql").write_text("SET LOCAL lock_timeout = '5s';\nCREATE TABLE things (thing_id uuid);")
    (folder / "0002_add_more.sql").write_text("ALTER TABLE things ADD COLUMN name text;")
    return folder


async def test_applies_each_file_once_in_order(database_urls: DatabaseUrls, folder: Path) -> None:
    url = database_urls("example").owner

    assert await migrate(url, [folder]) == ["example/0001_add_things.sql", "example/0002_add_more.sql"]
    assert await migrate(url, [folder]) == []


async def test_two_runners_do_not_meet(database_urls: DatabaseUrls, folder: Path) -> None:
    url = database_urls("example").owner

    applied = await asyncio.gather(*(migrate(url, [folder]) for _ in range(4)))

    assert sorted(applied, key=len) == [[], [], [], ["example/0001_add_things.sql", "example/0002_add_more.sql"]]


async def test_refuses_a_file_that_was_edited_after_it_was_applied(database_urls: DatabaseUrls, folder: Path) -> None:
    url = database_urls("example").owner
    await migrate(url, [folder])
    (folder / "0002_add_more.sql").write_text("ALTER TABLE things ADD COLUMN other text;")

    with pytest.raises(MigrationChanged, match=r"0002_add_more\.sql"):
        await migrate(url, [folder])


async def test_a_failing_file_leaves_nothing_behind(database_urls: DatabaseUrls, folder: Path) -> None:
    url = database_urls("example").owner
    (folder / "0003_fail.sql").write_text("CREATE TABLE half (id uuid); SELECT 1/0;")

    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(url, [folder])

    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT to_regclass('half')") is None
    assert await connection.fetchval("SELECT to_regclass('things')") == "things"
    await connection.close()


async def test_who_still_runs_writes_between_two_files_also_what_a_new_trigger_writes(
    database_urls: DatabaseUrls, folder: Path
) -> None:
    urls = database_urls("example")
    role = role_of(urls.application)
    await migrate(urls.owner, [folder], application_role=role)
    (folder / "0003_count_them.sql").write_text(
        "CREATE TABLE counted (n integer);"
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO counted VALUES (1); RETURN NULL; END $$;"
        "CREATE TRIGGER counted AFTER INSERT ON things FOR EACH ROW EXECUTE FUNCTION note();"
    )
    (folder / "0004_take_long.sql").write_text("SELECT pg_advisory_xact_lock(4);")
    holder, running = await asyncpg.connect(urls.owner), await asyncpg.connect(urls.application)
    await holder.execute("SELECT pg_advisory_lock(4)")
    await running.execute("SET rujukan.scope = 'service'")

    migrating = asyncio.create_task(migrate(urls.owner, [folder], application_role=role))
    await until(lambda: holder.fetch(WAITING))
    await running.execute("INSERT INTO things (name) VALUES ('in between')")
    await running.execute("SET rujukan.scope = ''")
    unscoped = await running.fetch("SELECT FROM counted")
    await holder.execute("SELECT pg_advisory_unlock(4)")
    await migrating

    assert await holder.fetchval("SELECT count(*) FROM pg_policy WHERE polrelid = 'counted'::regclass") == 1
    assert unscoped == []
    await running.execute("SET rujukan.scope = 'service'")
    assert await running.fetchval("SELECT sum(n) FROM counted") == 1
    for connection in (holder, running):
        await connection.close()


@pytest.mark.parametrize(
    ("comment", "rights"),
    [
        ("append-only: kept", {"SELECT", "INSERT"}),
        ("reference: read", {"SELECT"}),
        ("", {"SELECT", "INSERT", "UPDATE", "DELETE"}),
    ],
)
async def test_the_application_gets_what_the_comment_allows(
    database_urls: DatabaseUrls, comment: str, rights: set[str]
) -> None:
    urls = database_urls("example")
    connection = await asyncpg.connect(urls.owner)
    await connection.execute(f"CREATE TABLE things (id uuid); COMMENT ON TABLE things IS '{comment}'")

    await grant(connection, "rujukan_test_example_app")

    granted = await connection.fetch(
        "SELECT privilege_type FROM information_schema.role_table_grants"
        " WHERE table_name = 'things' AND grantee = 'rujukan_test_example_app'"
    )
    assert {row[0] for row in granted} == rights
    await connection.close()


async def test_records_parked_by_an_earlier_version_stay_in_the_order_they_came_in(
    database_urls: DatabaseUrls, folder: Path
) -> None:
    """The numbers of places were given in the order in which the rows happened to lie."""
    url = database_urls("example").owner
    await migrate(url, [folder])
    connection = await asyncpg.connect(url)
    await connection.execute("SET rujukan.scope = 'service'")
    for offset, minute in ((7, 1), (9, 0), (8, 0)):
        await connection.execute(
            "INSERT INTO parked (parked_id, consumer, topic, kafka_partition, kafka_offset, headers, value, reason,"
            " error, parked_at) VALUES (gen_random_uuid(), 'example', 'intake.events', 0, $1, '[]', '', 'failed', '',"
            " timestamptz '2026-11-23 03:00Z' + $2 * interval '1 minute')",
            offset,
            minute,
        )
    await connection.execute("DELETE FROM schema_migrations WHERE name = 'kit/0006_keep_the_order_of_parked.sql'")

    await migrate(url, [folder])

    rows = await connection.fetch("SELECT kafka_offset, place FROM parked ORDER BY place")
    await connection.close()
    assert [tuple(row) for row in rows] == [(8, 1), (9, 2), (7, 3)]
