"""A ledger as a test tells its story: records heard, checkpoints sealed, verified."""

from services.audit import actions, consumers
from shared.kit.actor import Actor, system
from shared.kit.database import Database
from shared.kit.inbox import Inbox
from tests.audit import factories

ORIGIN = "rujukan.example/ledger"
AUDITOR = Actor("auditor", "BPK", frozenset({"auditor"}))


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
