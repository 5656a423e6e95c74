"""Killed between any two steps of uploading, mending and sending a list: whoever goes on records everybody once."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.intake.actions import arrivals, drafts, recording
from services.intake.actions.voyages import report_voyage
from services.intake.domain.drafts import Draft
from services.intake.domain.refusals import Refused
from services.intake.domain.voyages import Voyage
from services.intake.store.vault import Sealed, Vault
from shared.kit.database import Database
from tests import forking
from tests.intake.factories import OFFICER, a_list, a_row, a_voyage
from tests.intake.test_drafts import SEX, Desk
from tests.soaking import examples

ROWS = 10
MANY = 10_000


async def send(database: Database, voyage_id: str, rows: int, crash_at: str = "") -> int:
    """How the process ended that uploaded, mended and sent the list."""
    process = await asyncio.create_subprocess_exec(
        *(*forking.python(), "tests.intake.send_draft", database.url, voyage_id, str(rows)),
        env={**os.environ, "CRASH_AT": crash_at},
    )
    try:
        async with asyncio.timeout(90):
            return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()


STEPS = [
    *(f"work.{point}:{n}" for point in ("before_commit", "after_commit") for n in (1, 2, 4)),
    *("manifest.after_begin", "manifest.after_begin:2", "manifest.after_batch:3", "arrivals.after_commit:3"),
    *("manifest.after_rows", "manifest.after_rows:2", "manifest.after_finish", "manifest.after_finish:2"),
]


@pytest.mark.parametrize(
    ("crash_at", "rows"), [*((step, ROWS) for step in STEPS), ("arrivals.after_commit:7", MANY)], ids=str
)
async def test_a_list_that_is_gone_on_with_is_recorded_whole(database: Database, crash_at: str, rows: int) -> None:
    voyage = await a_voyage(database)

    assert await send(database, voyage.voyage_id, rows, crash_at) == -signal.SIGKILL
    assert await send(database, voyage.voyage_id, rows) == 0

    found = "SELECT count(*), count(DISTINCT manifest_row), count(DISTINCT person_id) FROM arrivals"
    assert tuple(await database.pool.fetchrow(found)) == (rows, rows, rows)
    told = dict(await database.pool.fetch("SELECT type, count(*) FROM journal GROUP BY type"))
    assert told["intake.arrival_recorded.v1"] == rows
    assert told["intake.manifest_confirmed.v1"] == await database.pool.fetchval("SELECT count(*) FROM manifests")
    counts = (await report_voyage(database, OFFICER, voyage.voyage_id)).counts
    assert (counts.listed, counts.rejected, counts.arrived, counts.waiting) == (rows, 0, rows, 0)
    for table in ("draft_keys", "draft_blocks"):
        assert await database.pool.fetchval(f"SELECT count(*) FROM {table}") == 0
    assert await database.pool.fetchval("SELECT count(*) FROM drafts WHERE ended_at IS NULL") == 0


class Killed(Exception):
    """What a process sees of its own end."""


@contextmanager
def killed_after(batches: int | None) -> Iterator[None]:
    """Within, whoever records a list dies after so many batches of two rows; None: nobody does."""
    real, size, calls = arrivals.record_arrivals, recording.BATCH, 0

    async def dies(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        if batches is not None and calls > batches:
            raise Killed
        return await real(*given)

    setattr(recording, "record_arrivals", dies)  # noqa: B010 - as the module knows it
    recording.BATCH = 2
    try:
        yield
    finally:
        setattr(recording, "record_arrivals", real)  # noqa: B010
        recording.BATCH = size


PEOPLE = 7
files = st.lists(st.tuples(st.integers(1, PEOPLE), st.booleans()), min_size=1, max_size=6, unique_by=lambda row: row[0])
"""Who is on a list, and whose row has to be mended."""
steps = st.lists(
    st.one_of(
        st.tuples(st.just("upload"), files),
        st.tuples(st.just("again"), files),
        st.tuples(st.just("mend"), st.integers(0, 5)),
        st.tuples(st.just("leave out"), st.integers(0, 5)),
        st.tuples(st.just("send"), st.one_of(st.none(), st.integers(0, 3))),
        st.tuples(st.just("discard"), st.none()),
    ),
    max_size=10,
)


def content_of(rows: list[tuple[int, bool]]) -> bytes:
    return a_list(*(a_row(n, seq=str(at), sex="Q" if wrong else "M") for at, (n, wrong) in enumerate(rows, 1)))


class Story:
    """One officer and the lists of one voyage."""

    def __init__(self, desk: Desk, voyage: Voyage) -> None:
        self.desk = desk
        self.database = desk.database
        self.voyage = voyage
        self.latest: str | None = None

    async def step(self, what: str, how: Any) -> None:
        """Do this with the latest list; what is refused does nothing."""
        with suppress(Refused, Killed):
            await self._do(what, how)

    async def _do(self, what: str, how: Any) -> None:
        if what == "upload":
            self.latest = (await self.desk.upload(self.voyage, content_of(how))).draft_id
        if self.latest is None:
            return
        draft = await drafts.find_draft(self.database, OFFICER, self.latest)
        if what == "again":
            await self.desk.upload_again(draft, content_of(how))
        elif what == "send":
            with killed_after(how):
                await self.desk.send(draft)
        elif what == "discard":
            async with self.database.work(OFFICER, purpose="manifest") as work:
                await drafts.discard_draft(work, draft.draft_id)
        elif what in ("mend", "leave out"):
            await self._change(draft, what, how)

    async def _change(self, draft: Draft, what: str, place: int) -> None:
        lines = await self.desk.lines(draft)
        line = lines[place % len(lines)]
        if what == "mend":
            await self.desk.mend(draft, line.number, {SEX: "M"}, version=line.version)
        else:
            await self.desk.leave_out(draft, line.number, not line.is_out, version=line.version)

    async def names(self, vault: Vault) -> list[str]:
        """Who is recorded, as the vault says."""
        rows = await self.database.fetch(
            "SELECT a.case_id, a.person_id, a.sealed, k.wrapped_key"
            " FROM arrivals a JOIN person_keys k USING (person_id) WHERE a.voyage_id = $1",
            self.voyage.voyage_id,
        )
        return [
            vault.open(
                Sealed(bytes(row["wrapped_key"]), bytes(row["sealed"])),
                person_id=str(row["person_id"]),
                case_id=str(row["case_id"]),
            ).full_name
            for row in rows
        ]

    async def finish(self) -> set[str]:
        """Mend and send everything that is under way; answers who stood in it, but for who was left out."""
        stood: set[str] = set()
        for draft in await drafts.list_drafts(self.database, OFFICER, voyage_id=self.voyage.voyage_id):
            now = draft
            if now.state == "sending":
                now = (await self.desk.send(now)).draft
            rounds = 0
            while now.is_under_way and now.listed:
                rounds += 1
                assert rounds < 5, "what is mended and sent is ready again and again"
                lines = await self.desk.lines(now)
                stood |= {line.cells[1] for line in lines if not line.is_out}
                wrong = [line for line in lines if line.standing == "mend"]
                for line in wrong:
                    now = await self.desk.mend(now, line.number, {SEX: "M"}, version=line.version)
                now = (await self.desk.send(now)).draft
        return stood


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps)
async def test_whatever_is_done_with_lists_records_everybody_once_and_adds_up(
    database: Database, vault: Vault, done: list[tuple[str, Any]]
) -> None:
    story = Story(Desk(database, vault), await a_voyage(database))

    for what, how in done:
        await story.step(what, how)
        counts = (await report_voyage(database, OFFICER, story.voyage.voyage_id)).counts
        assert counts.listed + counts.unlisted == counts.arrived + counts.rejected + counts.waiting
        names = await story.names(vault)
        assert len(names) == len(set(names)) == counts.arrived

    stood = await story.finish()
    names = await story.names(vault)
    assert len(names) == len(set(names))
    assert stood <= set(names)
