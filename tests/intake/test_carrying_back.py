"""Who was carried over to a later voyage and is here after all: the row comes back, unless that voyage has it."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from services.intake.actions import retention
from services.intake.actions.drafts import find_draft, list_drafts
from services.intake.actions.erasures import erase_person
from services.intake.clock import CLOCK
from services.intake.domain.drafts import Draft
from services.intake.domain.refusals.drafts import DraftEnded, DraftMoved, LineUnknown
from services.intake.domain.refusals.roll_calls import ComesFromThere, RowCarried, RowTakenBack, StaysFor, StaysThere
from services.intake.domain.retention import BY_CODE
from services.intake.domain.roll_calls import MOST_CALLS
from services.intake.domain.voyages import Voyage
from services.intake.store import drafts as drafts_store
from services.intake.store.vault import Vault
from shared.kit.actor import Actor
from shared.kit.clock import FixedClock
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.intake.conftest import Browser
from tests.intake.factories import COLLEAGUE, DPO, OFFICER, START, STRANGER, a_list, a_row, a_voyage
from tests.intake.test_drafts import BORN, SEX, written
from tests.intake.test_roll_calls import CARRYING, LATER, Quay, carried_to

Site = Callable[[str], Browser]
FIRST, SECOND = 2, 3
"""Rows of a list."""


@pytest.fixture
def quay(database: Database, vault: Vault) -> Quay:
    return Quay(database, vault)


async def carried(
    database: Database, quay: Quay, *, people: int = 2, port: Actor = OFFICER, rows: tuple[int, ...] = (SECOND,)
) -> tuple[Draft, Voyage, Voyage]:
    """A list of whose people some were carried over to a later voyage, and both voyages."""
    voyage, following = await a_voyage(database), await a_voyage(database, actor=port, expected_at=LATER)
    draft = await quay.upload(voyage, a_list(*(a_row(n) for n in range(1, people + 1))))
    for row in rows:
        draft = await quay.absent(draft, row, "rolled_over", next_voyage_id=following.voyage_id)
    return draft, voyage, following


async def names(quay: Quay, voyage: Voyage) -> list[str]:
    return [one.name for one in (await quay.roll(voyage)).entries]


@pytest.mark.invariant("I167")
class TestTakingBack:
    async def test_brings_the_row_back_and_leaves_nothing_there(self, database: Database, quay: Quay) -> None:
        draft, voyage, following = await carried(database, quay, people=3, rows=(FIRST, SECOND))
        draft = await quay.call(draft, SECOND, "open", version=1)

        assert [(one.name, one.mark) for one in (await quay.roll(voyage)).entries] == [
            ("", "absent"), ("Orang2", "open"), ("Orang3", "open"),
        ]  # fmt: skip
        assert (draft.ready, draft.absent) == (2, 1)
        assert await names(quay, following) == ["Orang1"]
        there = await carried_to(database, following)
        assert (there.ready, there.empty) == (1, 1)
        assert "Orang2" not in str(await quay.lines(there))

    async def test_is_offered_on_the_page_of_who_is_absent(self, database: Database, site: Site, quay: Quay) -> None:
        draft, voyage, _ = await carried(database, quay)
        officer = site("officer")
        page = (await officer.get(f"/id/pelayaran/{voyage.voyage_id}/absen", tampil="tidak")).text
        action = f"/id/draf/{draft.draft_id}/absen/{SECOND}"
        assert f'action="{action}"' in page
        assert "Baris 3" in page
        data = {"idempotency_key": new_id(), "version": "1", "mark": "open", "shown": "tidak", "letters": ""}
        assert (await officer.post(action, data=data)).status_code == 303

        assert await names(quay, voyage) == ["Orang1", "Orang2"]

    async def test_is_one_press_for_who_is_here_after_all(self, database: Database, quay: Quay) -> None:
        draft, voyage, following = await carried(database, quay)
        await quay.call(draft, FIRST)
        draft = await quay.call(draft, SECOND, version=1)
        sent = await quay.send(draft)

        assert (sent.manifest.accepted, sent.draft.state) == (2, "sent")
        assert (await quay.counts(voyage)).absent == 0
        assert await names(quay, following) == []

    async def test_ends_the_list_of_which_nobody_is_left(self, database: Database, quay: Quay) -> None:
        draft, _, following = await carried(database, quay)
        there = await carried_to(database, following)
        await quay.call(draft, SECOND, "open", version=1)

        assert await list_drafts(database, OFFICER, voyage_id=following.voyage_id) == []
        assert (await find_draft(database, OFFICER, there.draft_id)).state == "discarded"

    async def test_keeps_what_was_mended_on_either_list(self, database: Database, quay: Quay) -> None:
        voyage, following = await a_voyage(database), await a_voyage(database, expected_at=LATER)
        draft = await quay.upload(voyage, a_list(a_row(1), a_row(2, sex="Q")))
        draft = await quay.mend(draft, SECOND, {SEX: "F"})
        draft = await quay.absent(draft, SECOND, "rolled_over", next_voyage_id=following.voyage_id)
        there = await carried_to(database, following)
        await quay.mend(there, FIRST, {BORN: "1991-02-03"}, version=1)
        draft = await quay.call(draft, SECOND, "open", version=1)

        line = (await quay.lines(draft))[1]
        assert (line.cells[SEX], line.cells[BORN], line.source[SEX]) == ("F", "1991-02-03", "Q")
        draft = await quay.upload_again(draft, a_list(a_row(2, sex="Q"), a_row(1)))
        assert (await quay.lines(draft))[0].cells[BORN] == "1991-02-03"

    async def test_takes_in_again_who_was_left_out_there(self, database: Database, quay: Quay) -> None:
        draft, _, following = await carried(database, quay)
        await quay.leave_out(await carried_to(database, following), FIRST)

        assert (await quay.call(draft, SECOND, "open", version=1)).ready == 2

    async def test_is_gone_to_another_voyage_in_one_step(self, database: Database, quay: Quay) -> None:
        draft, voyage, following = await carried(database, quay)
        third = await a_voyage(database, expected_at=LATER + timedelta(days=2))
        await quay.absent(draft, SECOND, "rolled_over", version=1, next_voyage_id=third.voyage_id)

        assert (await names(quay, following), await names(quay, third)) == ([], ["Orang2"])
        assert (await quay.counts(voyage)).arrived == 0
        assert await quay.call(draft, SECOND, version=2)
        assert await names(quay, third) == []

    async def test_is_carried_over_again_to_the_same_voyage(self, database: Database, quay: Quay) -> None:
        draft, _, following = await carried(database, quay, people=3, rows=(FIRST, SECOND))
        draft = await quay.call(draft, SECOND, "open", version=1)
        draft = await quay.absent(draft, SECOND, "rolled_over", version=2, next_voyage_id=following.voyage_id)
        assert await names(quay, following) == ["Orang1", "Orang2"]

        await quay.call(draft, SECOND, "open", version=3)
        assert await names(quay, following) == ["Orang1"]

    async def test_comes_back_where_a_corrected_file_has_the_row(self, database: Database, quay: Quay) -> None:
        draft, voyage, following = await carried(database, quay)
        draft = await quay.upload_again(draft, a_list(a_row(2), a_row(1)))
        await quay.call(draft, FIRST, "open", version=(await quay.entry(voyage, FIRST)).version)

        assert await names(quay, voyage) == ["Orang2", "Orang1"]
        assert await names(quay, following) == []

    async def test_comes_back_from_another_port_unseen(
        self, database: Database, quay: Quay, owner: asyncpg.Connection
    ) -> None:
        draft, voyage, following = await carried(database, quay, port=STRANGER)
        await quay.call(draft, SECOND, "open", version=1)

        assert await list_drafts(database, STRANGER) == []
        assert "Orang2" in await names(quay, voyage)
        told = await owner.fetchval("SELECT payload FROM journal WHERE type = 'intake.draft_changed.v1'")
        assert "brought_back" in str(told)
        assert following.voyage_id in str(told)

    async def test_each_call_stays_on_the_record(
        self, database: Database, quay: Quay, owner: asyncpg.Connection
    ) -> None:
        draft, _, following = await carried(database, quay)
        await quay.call(draft, SECOND, "open", version=1, actor=COLLEAGUE)

        rows = await owner.fetch("SELECT mark, next_voyage_id, next_row, called_by FROM roll_calls ORDER BY version")
        assert [(row["mark"], row["next_row"], row["called_by"]) for row in rows] == [
            ("absent", FIRST, "rina"), ("open", None, "sari"),
        ]  # fmt: skip
        assert str(rows[0]["next_voyage_id"]) == following.voyage_id

    @pytest.mark.parametrize("by", ["nobody else", "a third voyage"])
    async def test_nobody_is_carried_back_to_where_they_come_from(
        self, database: Database, quay: Quay, by: str
    ) -> None:
        """They would stand there twice: once as who went over, once as who came over."""
        voyage, following = await a_voyage(database), await a_voyage(database, expected_at=LATER)
        draft = await quay.upload(voyage, a_list(a_row(1), a_row(2)))
        await quay.absent(draft, 2, "rolled_over", next_voyage_id=following.voyage_id)
        there = await carried_to(database, following)
        if by == "a third voyage":
            third = await a_voyage(database, expected_at=LATER)
            await quay.absent(there, 2, "rolled_over", next_voyage_id=third.voyage_id)
            there = await carried_to(database, third)

        with pytest.raises(ComesFromThere):
            await quay.absent(there, 2, "rolled_over", next_voyage_id=voyage.voyage_id)
        assert [one.form for one in await list_drafts(database, OFFICER, voyage_id=voyage.voyage_id)] == ["csv"]

    async def test_nobody_mends_what_was_taken_back(self, database: Database, quay: Quay) -> None:
        draft, _, following = await carried(database, quay, people=3, rows=(FIRST, SECOND))
        await quay.call(draft, SECOND, "open", version=1)

        there = await carried_to(database, following)
        line = (await quay.lines(there))[1]
        with pytest.raises(RowCarried):
            await quay.mend(there, SECOND, {SEX: "F"}, version=line.version)
        with pytest.raises(RowTakenBack):
            await quay.call(there, SECOND)
        with pytest.raises(LineUnknown):
            await quay.call(there, 99)


@pytest.mark.invariant("I167")
class TestStaying:
    """What holds somebody at the later voyage, by name."""

    async def refused(self, quay: Quay, draft: Draft, why: StaysFor, *, version: int = 1) -> None:
        with pytest.raises(StaysThere) as refused:
            await quay.call(draft, SECOND, "open", version=version)
        assert refused.value.why == why

    @pytest.mark.parametrize("mark", ["here", "absent"])
    async def test_who_was_called_there(self, database: Database, quay: Quay, mark: str) -> None:
        draft, voyage, following = await carried(database, quay)
        there = await carried_to(database, following)
        said: dict[str, Any] = {"reason": "ill_abroad"} if mark == "absent" else {}
        await quay.call(there, FIRST, mark, **said)
        await self.refused(quay, draft, "called")

        await quay.call(there, FIRST, "open", version=1)
        await quay.call(draft, SECOND, "open", version=1)
        assert "Orang2" in await names(quay, voyage)

    async def test_who_was_recorded_there(self, database: Database, quay: Quay, clock: FixedClock) -> None:
        draft, _, following = await carried(database, quay)
        own = await quay.upload(following, a_list(a_row(2)))
        clock.advance(LATER - START)
        await quay.call(own, FIRST)
        await quay.send(await find_draft(database, OFFICER, own.draft_id))
        await self.refused(quay, draft, "recorded")

    async def test_who_was_erased_there(self, database: Database, quay: Quay, clock: FixedClock) -> None:
        """An empty row that came back would be somebody of whom nobody knows any more."""
        draft, voyage, following = await carried(database, quay, people=3, rows=(FIRST, SECOND))
        own = await quay.upload(following, a_list(a_row(2)))
        clock.advance(LATER - START)
        await quay.call(own, FIRST)
        await quay.send(await find_draft(database, OFFICER, own.draft_id))
        case_id = str(await database.pool.fetchval("SELECT case_id FROM arrivals"))
        async with database.work(DPO, purpose="erase") as work:
            await erase_person(work, quay.vault, case_id, reason="request", reference="PPID/2026/1")

        await self.refused(quay, draft, "recorded")
        assert (await quay.roll(voyage)).absent == 2

    async def test_whom_a_sent_list_holds_back(self, database: Database, quay: Quay, clock: FixedClock) -> None:
        draft, _, following = await carried(database, quay, people=3, rows=(FIRST, SECOND))
        clock.advance(LATER - START)
        await quay.send(await quay.call(await carried_to(database, following), FIRST))
        await self.refused(quay, draft, "sent")

    async def test_while_the_list_is_being_sent(self, database: Database, quay: Quay) -> None:
        draft, _, following = await carried(database, quay)
        async with database.work(OFFICER, purpose="manifest") as work:
            await drafts_store.begin_sending(work, await carried_to(database, following))
        await self.refused(quay, draft, "sending")

    async def test_when_the_list_is_done_with(self, database: Database, quay: Quay, clock: FixedClock) -> None:
        draft, _, _ = await carried(database, quay)
        clock.advance(timedelta(days=13))
        await quay.call(draft, FIRST)
        draft = await quay.upload_again(draft, a_list(a_row(1), a_row(2), a_row(3)))
        clock.advance(timedelta(days=6))
        async with database.work(CLOCK, purpose="retain") as work:
            await retention.apply_rule(work, quay.vault, BY_CODE["drafts"])
        await self.refused(quay, draft, "done", version=MOST_CALLS + 1)

    async def test_who_was_carried_before_anybody_kept_where(
        self, database: Database, quay: Quay, owner: asyncpg.Connection
    ) -> None:
        draft, _, _ = await carried(database, quay)
        await owner.execute("UPDATE roll_calls SET next_draft_id = NULL, next_row = NULL")
        await self.refused(quay, draft, "long_ago")

    async def test_when_the_list_here_is_done_with(self, database: Database, quay: Quay) -> None:
        draft, _, following = await carried(database, quay)
        await quay.send(await quay.call(draft, FIRST))

        with pytest.raises(DraftEnded):
            await quay.call(draft, SECOND, "open", version=1)
        assert await names(quay, following) == ["Orang2"]

    async def test_says_why_and_what_to_do_in_both_languages(self, database: Database, site: Site, quay: Quay) -> None:
        draft, _, following = await carried(database, quay)
        await quay.call(await carried_to(database, following), FIRST)
        path = f"/api/drafts/{draft.draft_id}/rows/{SECOND}/call"
        answer = await site("officer").post(path, json={"version": 1, "mark": "open"})
        assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (409, "stays_there")

        form = {"idempotency_key": new_id(), "version": "1", "mark": "open"}
        for language, words in (("id", "sudah memanggil orang ini"), ("en", "has called this person already")):
            page = await site("officer").post(f"/{language}/draf/{draft.draft_id}/absen/{SECOND}", data=form)
            assert (page.status_code, words in page.text) == (409, True), page.text


@pytest.mark.invariant("I167")
class TestRacing:
    async def test_who_calls_there_first_keeps_the_person(self, database: Database, quay: Quay) -> None:
        draft, _, following = await carried(database, quay)
        back = await quay.prepare(draft, SECOND, "open", version=1)
        await quay.call(await carried_to(database, following), FIRST, actor=COLLEAGUE)

        with pytest.raises(DraftMoved):
            await written(database, back)
        assert await names(quay, following) == ["Orang2"]
        with pytest.raises(StaysThere):
            await quay.call(draft, SECOND, "open", version=1)

    async def test_who_takes_back_first_has_the_person(self, database: Database, quay: Quay) -> None:
        draft, voyage, following = await carried(database, quay, people=3, rows=(FIRST, SECOND))
        there = await carried_to(database, following)
        here = await quay.prepare(there, SECOND, "here", actor=COLLEAGUE)
        await quay.call(draft, SECOND, "open", version=1)

        with pytest.raises(DraftMoved):
            await written(database, here, actor=COLLEAGUE)
        with pytest.raises(RowTakenBack):
            await quay.call(there, SECOND, actor=COLLEAGUE)
        assert (await quay.roll(voyage)).left == 2

    async def test_a_call_that_is_not_committed_yet_is_waited_for(self, database: Database, quay: Quay) -> None:
        """What was taken back does not overtake a call that holds the list there."""
        draft, _, following = await carried(database, quay)
        there = await carried_to(database, following)
        back = await quay.prepare(draft, SECOND, "open", version=1)
        here = await quay.prepare(there, FIRST, "here", actor=COLLEAGUE)

        async with database.work(COLLEAGUE, purpose="manifest") as work:
            await here(work)
            taking = asyncio.create_task(written(database, back))
            await until_somebody_waits(database)
        with pytest.raises(DraftMoved):
            await taking
        assert (await quay.entry(following, FIRST)).mark == "here"

    @pytest.mark.parametrize("people", [12])
    async def test_everybody_stands_in_one_place_whoever_is_faster(
        self, database: Database, quay: Quay, people: int
    ) -> None:
        rows = tuple(range(2, people + 2))
        draft, voyage, following = await carried(database, quay, people=people, rows=rows)
        there = await carried_to(database, following)

        async def take_back(row: int) -> bool:
            try:
                await quay.call(draft, row, "open", version=1)
            except StaysThere:
                return False
            return True

        async def call_there(row: int) -> bool:
            try:
                await quay.call(there, row, actor=COLLEAGUE)
            except (RowTakenBack, DraftEnded):
                return False
            return True

        done = await asyncio.gather(*(one for row in rows for one in (take_back(row), call_there(row))))
        won = list(zip(done[::2], done[1::2], strict=True))
        assert all(here != called for here, called in won), won
        assert (await quay.roll(voyage)).left == sum(here for here, _ in won)
        assert (await quay.roll(following)).here == sum(called for _, called in won)


@pytest.mark.invariant("I167")
@pytest.mark.parametrize("crash_at", CARRYING)
async def test_who_is_killed_while_taking_back_leaves_each_row_in_one_place(
    database: Database, quay: Quay, crash_at: str
) -> None:
    draft, _, following = await carried(database, quay, rows=(FIRST, SECOND))

    async def take_back(crash_at: str = "") -> int:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.intake.carry_rows", database.url, draft.draft_id),
            env={**os.environ, "CRASH_AT": crash_at},
        )
        return await process.wait()

    async def places() -> list[str]:
        lines = await quay.lines(draft)
        for one in await list_drafts(database, OFFICER, voyage_id=following.voyage_id):
            lines += await quay.lines(one)
        return sorted(line.cells[1] for line in lines if line.cells)

    assert await take_back(crash_at) == -signal.SIGKILL
    assert await places() == ["Orang1", "Orang2"]
    assert await take_back() == 0
    assert (await find_draft(database, OFFICER, draft.draft_id)).ready == 2
    assert await list_drafts(database, OFFICER, voyage_id=following.voyage_id) == []


async def until_somebody_waits(database: Database) -> None:
    while not await database.pool.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
        await asyncio.sleep(0.01)
