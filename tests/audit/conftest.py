"""A ledger with a database of its own."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from services.audit import actions, consumers
from shared.kit.actor import Actor, system
from shared.kit.database import Database, connect
from shared.kit.inbox import Inbox
from tests.audit import factories
from tests.conftest import DatabaseUrls

ORIGIN = "rujukan.example/ledger"
AUDITOR = Actor("auditor", "BPK", frozenset({"auditor"}))


@pytest.fixture
def signer() -> actions.Signer:
    return actions.Signer(ORIGIN, b"k" * 32)


@pytest_asyncio.fixture
async def database(database_urls: DatabaseUrls) -> AsyncIterator[Database]:
    """The ledger's database, as the application's role."""
    database = await connect(database_urls("audit").application, service="audit")
    yield database
    await database.aclose()


@pytest_asyncio.fixture
async def superuser(database_urls: DatabaseUrls, postgres_server: object) -> AsyncIterator[asyncpg.Connection]:
    """Somebody who can do anything to the ledger's database, past every trigger."""
    name = database_urls("audit").application.rsplit("/", 1)[-1]
    connection = await asyncpg.connect(str(postgres_server.url), database=name)  # type: ignore[attr-defined]
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


class Ledger:
    """A ledger as a test tells its story: records heard, checkpoints sealed, verified."""

    def __init__(self, database: Database, signer: actions.Signer) -> None:
        self.database = database
        self.signer = signer
        self.inbox = Inbox(database)
        consumers.subscribe(self.inbox)
        self._offset = 0

    async def hear(self, *records: dict[str, object]) -> None:
        """Digest one batch of records."""
        batch = []
        for told in records:
            self._offset += 1
            batch.append(factories.a_record(**{"offset": self._offset, **told}))  # type: ignore[arg-type]
        await self.inbox.digest(batch)

    async def hear_cases(self, count: int) -> None:
        """Digest so many arrivals, each its own case."""
        for first in range(0, count, 500):
            await self.hear(
                *({"case_id": f"019ab000-0000-7000-8000-{n:012x}"} for n in range(first, min(count, first + 500)))
            )

    async def seal(self) -> int:
        async with self.database.work(system("audit", "clock"), purpose="seal") as work:
            return await actions.seal(work, self.signer)

    async def problems(self, saved: tuple[str, ...] = ()) -> list[str]:
        """What the verification of the whole ledger complains of."""
        async with self.database.work(system("audit", "operator"), purpose="verify") as work:
            return (await actions.verify_ledger(work, [self.signer.verifier_key], saved)).problems

    async def proof(self, case_id: str = factories.CASE) -> dict[str, object]:
        async with self.database.work(AUDITOR, purpose="audit") as work:
            return await actions.export_proof(work, self.signer, case_id)


@pytest.fixture
def ledger(database: Database, signer: actions.Signer) -> Ledger:
    return Ledger(database, signer)
