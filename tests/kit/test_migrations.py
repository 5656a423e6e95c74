"""Migrations run once, in order, by one runner at a time; an edited one is refused; grants follow the comments."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from shared.kit.database import MigrationChanged, grant, migrate
from tests.conftest import DatabaseUrls


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
