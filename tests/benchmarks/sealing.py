"""What the vault costs: its share of the time that a name list takes from the file to its last row."""

import time
from datetime import UTC, datetime

from services.intake.actions.manifests import take_in_manifest
from services.intake.actions.voyages import announce_voyage
from services.intake.domain.lookups import Kind
from services.intake.store.vault import Keyring, Sealed, Vault
from shared.kit.database import Database
from tests.benchmarks import people
from tests.benchmarks.chain import KEK, PORT, chain
from tests.benchmarks.harness import Extent, Result, counted
from tests.benchmarks.rig import Rig

ROWS = 20_000
MOST_PERCENT = 15


class TimedVault(Vault):
    """A vault that knows how long it has sealed and made digests of papers, the looking at the clock included."""

    spent_s = 0.0

    def seal(self, fields: bytes, *, person_id: str, case_id: str) -> Sealed:
        began = time.perf_counter()
        sealed = super().seal(fields, person_id=person_id, case_id=case_id)
        self.spent_s += time.perf_counter() - began
        return sealed

    def blind_index(self, kind: Kind, value: str) -> bytes | None:
        began = time.perf_counter()
        digest = super().blind_index(kind, value)
        self.spent_s += time.perf_counter() - began
        return digest


async def measure(rig: Rig, extent: Extent) -> list[Result]:
    databases, _ = await rig.fresh()
    async with chain(databases.__getitem__) as services:
        database = services.databases["intake"]
        await _percent(database, people.block(), start=people.block())  # warms up
        count = extent.of(ROWS, step=people.block())
        percents = [
            await _percent(database, count, start=count * (run + 2) + people.block()) for run in range(extent.pairs)
        ]
    return [counted("sealing_share", sorted(percents)[len(percents) // 2], "% of an import", limit=MOST_PERCENT)]


async def _percent(database: Database, count: int, *, start: int) -> float:
    """The vault's share of taking in one list of so many people."""
    vault = TimedVault(Keyring(KEK), KEK)
    manifest = people.manifest(count, start)
    async with database.work(PORT, purpose="reception") as work:
        voyage = await announce_voyage(
            work, modality="deportation", vessel="KM Purnama", announced=0, expected_at=datetime.now(UTC)
        )
    began = time.perf_counter()
    taken = await take_in_manifest(database, vault, PORT, voyage, manifest)
    took_s = time.perf_counter() - began
    assert taken.accepted == count, taken
    return vault.spent_s / took_s * 100
