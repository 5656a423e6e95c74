"""Recording the rows of a list: in batches, those who travel together in one, while the next are read and sealed."""

import asyncio
from collections import Counter
from collections.abc import Container, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache

from services.intake.actions.arrivals import (
    Recorded,
    Submitted,
    day_at,
    is_known_person,
    record_arrivals,
    seal_arrival,
)
from services.intake.actions.held import Holding
from services.intake.actions.listed_households import GROUPS_AT_ONCE, Group, groups_of, link_groups
from services.intake.actions.telling import Telling
from services.intake.domain.doubles import Logged
from services.intake.domain.held import who_arrived
from services.intake.domain.likely import Corrected
from services.intake.domain.manifests import HeldRow, Reading, Row, ToldAnew
from services.intake.domain.parties import in_parties
from services.intake.domain.problems import Problem
from services.intake.domain.refusals.arrivals import RecordedDifferently
from services.intake.domain.roll_calls import Called
from services.intake.domain.voyages import Voyage
from services.intake.store import arrivals
from services.intake.store.arrivals import NewArrival
from services.intake.store.vault import Vault
from shared.contracts import codes
from shared.kit.actor import Actor
from shared.kit.crash import crash_point
from shared.kit.database import Database

BATCH = 500
BREATH = 50
"""Rows between two looks at what else the process has to do."""


@dataclass(slots=True)
class Recording:
    """Records rows in batches, preparing the next while PostgreSQL writes one; households are linked beside that.

    `is_first`: nobody of the voyage's lists was recorded before. `repeated` counts by list the rows that earlier ones
    had brought in, `known` says which list had a row where that is `asked`. A row that is known with other details is
    held back, and so is who may be one of the `corrected` whom an earlier list recorded, and who was `logged` one by
    one, or may be: `settled` are the cases of the latter, by row number.
    Of the rows of households that are still to be linked, `cases` are by row number, and `told` those that were
    recorded with their household now.
    """

    database: Database
    vault: Vault
    actor: Actor
    voyage: Voyage
    manifest_id: str
    arrived_at: datetime
    holding: Holding
    logged: Logged
    corrected: Corrected
    is_first: bool
    asked: bool
    repeated: Counter[str] = field(default_factory=Counter)
    known: dict[int, str] = field(default_factory=dict)
    settled: dict[int, str] = field(default_factory=dict)
    telling: Telling = field(init=False)
    _groups: list[Group] = field(default_factory=list)
    _cases: dict[int, str] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)
    _writing: asyncio.Task[None] | None = None
    _linking: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.telling = Telling(self.actor)

    async def run(self, rows: Reading | ToldAnew | Called) -> None:
        """Record those of the rows that are ready, hold back the others, link who travels together."""
        batch: list[Row] = []
        async with AsyncExitStack() as ending:
            # Whatever becomes of it, what is being written is waited for, and who is held back is kept.
            for last in (self.holding.flush, self._settle_links, self._settle):
                ending.push_async_callback(last)
            for n, party in enumerate(in_parties(rows, rows.named.values()), start=1):
                batch += party
                if n % BREATH == 0:
                    await asyncio.sleep(0)
                if len(batch) >= BATCH:
                    await self._prepare(batch)
                    batch = []
            await self._prepare(batch)
            await self._settle()
            await self._link()

    async def _prepare(self, batch: Sequence[Row]) -> None:
        """Seal these rows and have them written, once the rows before them are."""
        batch = await self._without_logged(batch)
        groups = await groups_of(self.database, self.vault, self.voyage.voyage_id, batch, are_new=self.is_first)
        households = {number: group.household_id for group in groups for number in group.rows}
        ready = [row for row in batch if row.arrival is not None]
        sealed: list[NewArrival] = []
        now = self.database.clock.now()
        for n, row in enumerate(ready, start=1):
            submitted = self._submission(row, self.manifest_id, households.get(row.number))
            sealed.append(seal_arrival(self.vault, self.telling, submitted, now))
            if n % BREATH == 0:
                await asyncio.sleep(0)
        await self._settle()
        await self.database.still_allows(self.actor)
        self._groups += groups
        self._writing = asyncio.create_task(self._write(batch, ready, sealed, households))

    async def _without_logged(self, batch: Sequence[Row]) -> Sequence[Row]:
        """The rows, of which those are held back that no list has recorded and that are, or may be, who was logged."""
        if not (self.logged or self.corrected):
            return batch
        said = {row.number: who_arrived(row.arrival) for row in batch if row.arrival is not None}
        near = {
            row.number: self._submission(row)
            for row in batch
            if row.number in said and (self.logged.may_be(said[row.number]) or self.corrected.may_be(said[row.number]))
        }
        if not near:
            return batch
        recorded = await arrivals.known(self.database, [(one.scope, one.key) for one in near.values()])
        held: dict[int, Row] = {}
        for row in batch:
            if row.number not in near or (near[row.number].scope, near[row.number].key) in recorded:
                continue
            if case_id := self.logged.find(said[row.number]):
                self.logged.take(case_id)
                self.settled[row.number] = case_id
            code = "logged_maybe" if self.logged.may_be(said[row.number]) else "known_differently"
            problem = Problem(row.number, "full_name", "", "", code)
            held[row.number] = HeldRow(
                row.number, row.name, None, (problem,), row.person, settles=row.settles, who=said[row.number]
            )
        return [held.get(row.number, row) for row in batch]

    async def _settle(self) -> None:
        """Wait for the batch that is being written."""
        if self._writing is not None:
            writing, self._writing = self._writing, None
            await writing

    async def _write(
        self, batch: Sequence[Row], ready: Sequence[Row], sealed: Sequence[NewArrival], households: Container[int]
    ) -> None:
        """Record a batch, and take note of what became of each row."""
        for row in batch:
            if isinstance(row, HeldRow):
                await self.holding.hold(row.number, row.who, [(one.field, one.code) for one in row.problems])
        for row, result in zip(ready, await record_arrivals(self.database, sealed), strict=True):
            if row.number in households:
                self._cases[row.number] = result.case_id
                if isinstance(result, Recorded) and result.new:
                    self._told.add(result.case_id)
            if not (isinstance(result, Recorded) and result.new):
                await self._note_known(row, result)
        if len(self._groups) >= GROUPS_AT_ONCE:
            await self._link()
        crash_point("manifest.after_batch")

    async def _note_known(self, row: Row, result: Recorded | RecordedDifferently) -> None:
        """Take note of a row that was taken in before; hold it back if it was by other details."""
        if isinstance(result, RecordedDifferently):
            assert row.arrival is not None
            if not is_known_person(self.vault, self._submission(row), result):
                await self.holding.hold(row.number, who_arrived(row.arrival), [("full_name", "known_differently")])
        if result.manifest_id not in (None, self.manifest_id):
            self.repeated[str(result.manifest_id)] += 1
            if self.asked:
                self.known[row.number] = str(result.manifest_id)

    async def _link(self) -> None:
        """Begin to link the households whose rows are all recorded, once those before are, and forget them."""
        await self._settle_links()
        groups, self._groups = self._groups, []
        cases, self._cases = self._cases, {}
        told, self._told = self._told, set()
        self._linking = asyncio.create_task(link_groups(self.database, self.actor, groups, cases, told))

    async def _settle_links(self) -> None:
        """Wait for the households that are being linked."""
        if self._linking is not None:
            linking, self._linking = self._linking, None
            await linking

    def _submission(self, row: Row, manifest_id: str | None = None, household_id: str | None = None) -> Submitted:
        return submission_of(self.vault, self.voyage, row, self.arrived_at, manifest_id, household_id)


def submission_of(
    vault: Vault,
    voyage: Voyage,
    row: Row,
    arrived_at: datetime,
    manifest_id: str | None = None,
    household_id: str | None = None,
) -> Submitted:
    """A row as something to record. Its key is who it is about, so a renumbered or extended list repeats nobody."""
    assert row.arrival is not None
    return Submitted(
        arrival=row.arrival,
        scope=voyage.voyage_id,
        key=vault.digest(*row.person),
        port=codes.ports()[voyage.port],
        channel="manifest",
        arrived_at=arrived_at,
        voyage_id=voyage.voyage_id,
        manifest_id=manifest_id,
        manifest_row=row.number,
        on=landing_day(voyage),
        told_on=voyage.told_on,
        household_id=household_id,
    )


def landing_day(voyage: Voyage) -> date:
    """The day at the port on which its people land."""
    return _landing(voyage.port, voyage.expected_at)


def told_day(voyage: Voyage) -> date:
    """The day that ages on its lists are told for."""
    return voyage.told_on or landing_day(voyage)


@lru_cache(maxsize=64)
def _landing(port: str, when: datetime) -> date:
    return day_at(codes.ports()[port], when)
