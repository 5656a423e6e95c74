"""schema.sql is what the migrations make."""

import asyncpg
import pytest

from tests import schema
from tests.conftest import DatabaseUrls


@pytest.mark.parametrize("service", schema.NAMES)
async def test_the_written_schema_is_that_of_the_migrations(service: str, database_urls: DatabaseUrls) -> None:
    connection = await asyncpg.connect(database_urls(service).owner)

    found = await schema.described(connection)

    await connection.close()
    assert (schema.SERVICES / service / "schema.sql").read_text(encoding="utf-8") == found, "run `make schema`"


@pytest.mark.parametrize("service", schema.NAMES)
def test_each_migration_gives_up_rather_than_wait_for_a_lock(service: str) -> None:
    for file in (schema.SERVICES / service / "migrations").glob("*.sql"):
        first = file.read_text(encoding="utf-8").lstrip().splitlines()[0]
        assert first == "SET LOCAL lock_timeout = '5s';", file.name
