"""What the tests of intake share: its database and its vault."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.intake.store.vault import Vault
from shared.kit.clock import FixedClock
from shared.kit.database import Database, connect
from tests.conftest import DatabaseUrls
from tests.intake.factories import KEK, START


@pytest.fixture
def vault() -> Vault:
    return Vault(KEK)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
async def database(database_urls: DatabaseUrls, clock: FixedClock) -> AsyncIterator[Database]:
    database = await connect(database_urls("intake").application, service="intake", clock=clock)
    yield database
    await database.aclose()


@pytest.fixture
async def owner(database: Database, database_urls: DatabaseUrls) -> AsyncIterator[asyncpg.Connection]:
    """A connection with the owner's role, past what the application may."""
    connection = await asyncpg.connect(database_urls("intake").owner)
    yield connection
    await connection.close()
