"""What a batch may cost, on any machine: statements and write-ahead log. Nothing here is timed."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest_asyncio

from shared.kit.broker import BATCH
from shared.kit.clock import FixedClock
from tests.benchmarks.chain import Chain, chain
from tests.conftest import DatabaseUrls

PEOPLE = 1_000
WAL_BYTES_PER_ARRIVAL = 2_560
"""For the five rows of an arrival and their index entries: 2.5 kB."""

STATEMENTS_PER_BATCH = {"intake": 1, "referral": 11, "notify": 9, "audit": 5}
"""Begin and commit among them, and of referral's two for households: locked and read before anybody is referred."""
AROUND_A_LIST = 9
"""What intake says about a list as a whole, however long it is."""
LINKING = 12
"""To link up to 200 households, whoever is in them; so many people are some 280."""


@pytest_asyncio.fixture
async def services(database_urls: DatabaseUrls) -> AsyncIterator[Chain]:
    # The clock stands, so that nothing is read again because it has been in memory for a while.
    async with chain(database_urls, clock=FixedClock(datetime.now(UTC))) as made:
        yield made


def batches(records: int) -> int:
    return -(-records // BATCH)


async def test_statements_grow_with_batches_and_never_with_rows(services: Chain) -> None:
    heard = await services.run(PEOPLE, start=PEOPLE)

    spent = services.statements
    assert spent["intake"] <= AROUND_A_LIST + STATEMENTS_PER_BATCH["intake"] * batches(PEOPLE) + 2 * LINKING
    for service, records in heard.items():
        assert spent[service] <= STATEMENTS_PER_BATCH[service] * batches(records), (service, records, dict(spent))


async def test_an_arrival_writes_no_more_than_its_share_of_log(services: Chain) -> None:
    await services.wal_per_arrival(PEOPLE, start=PEOPLE)  # the first pages are written whole

    assert await services.wal_per_arrival(PEOPLE, start=2 * PEOPLE) <= WAL_BYTES_PER_ARRIVAL
