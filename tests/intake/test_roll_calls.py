"""Calling the roll: who is here and who is not, by several people at once; what is sent then, and what counts."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.intake.actions import drafts, roll_calls, uploading
from services.intake.actions.drafts import Write, find_draft, list_drafts, open_draft
from services.intake.actions.held import settle_logged
from services.intake.actions.manifests import read_manifest
from services.intake.actions.opening import open_file
from services.intake.actions.roll_calls import Entry, Sheet
from services.intake.actions.voyages import report_voyage
from services.intake.domain.drafts import Draft
from services.intake.domain.held import who_arrived
from services.intake.domain.refusals import Refused
from services.intake.domain.refusals.drafts import DraftCarried, DraftMoved, DraftUnknown, LineRecorded, LineUnknown
from services.intake.domain.refusals.roll_calls import NextVoyageUnknown, RollMoved, RowCalled, RowCarried
from services.intake.domain.refusals.voyages import VoyageUnknown
from services.intake.domain.roll_calls import Reason
from services.intake.domain.voyages import Counts, Voyage
from services.intake.store import roll_calls as store
from services.intake.store.vault import Vault
from shared.kit.actor import Actor
from shared.kit.clock import FixedClock
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.intake.factories import COLLEAGUE, OFFICER, START, STRANGER, a_list, a_row, a_voyage
from tests.intake.test_draft_crashes import Killed, killed_after
from tests.intake.test_drafts import SEX, Desk, recorded, written
from tests.soaking import examples

TRIES = 50
LATER = START + timedelta(days=3)


class Quay(Desk):
    """What an officer does with a list on the quay."""

    async def prepare(self, draft: Draft, row: int, mark: str, *, actor: Actor = OFFICER, **said: Any) -> Write:
        return await roll_calls.prepare_call(
            *(self.database, self.vault, actor, draft.draft_id, row),
            **{"version": 0, "mark": mark, **said},
        )

    async def call(self, draft: Draft, row: int, mark: str = "here", *, actor: Actor = OFFICER, **said: Any) -> Draft:
        """As the edges do: what somebody else got in the way of is prepared again."""
        for _ in range(TRIES):
            write = await self.prepare(draft, row, mark, actor=actor, **said)
            try:
                return await written(self.database, write, actor=actor)
            except DraftMoved:
                continue
        raise AssertionError("it never gets its turn")

    async def absent(self, draft: Draft, row: int, reason: Reason = "not_boarded", **said: Any) -> Draft:
        return await self.call(draft, row, "absent", reason=reason, **said)

    async def rest(self, voyage: Voyage, left: int) -> int:
        async with self.database.work(OFFICER, purpose="manifest") as work:
            return await roll_calls.call_the_rest(work, self.vault, voyage.voyage_id, left=left)

    async def roll(self, voyage: Voyage) -> Sheet:
        return await roll_calls.read_roll(self.database, self.vault, OFFICER, voyage.voyage_id, form="page")

    async def entry(self, voyage: Voyage, row: int) -> Entry:
        return next(one for one in (await self.roll(voyage)).entries if one.row == row)

    async def counts(self, voyage: Voyage) -> Counts:
        return (await report_voyage(self.database, OFFICER, voyage.voyage_id)).counts

    async def reasons(self, voyage: Voyage) -> dict[Reason, int]:
        async with self.database.work(OFFICER, purpose="look") as work:
            return await store.absent_by_reason(work, voyage.voyage_id)


@pytest.fixture
def quay(database: Database, vault: Vault) -> Quay:
    return Quay(database, vault)


def add_up(counts: Counts) -> bool:
    return counts.listed + counts.unlisted == counts.arrived + counts.rejected + counts.waiting + counts.absent


@pytest.mark.invariant("I161")
class TestCalling:
    async def test_says_who_is_here_who_is_not_and_who_is_left(self, database: Database, quay: Quay) -> None:
        voyage = await a_voyage(database)
        draft = await quay.upload(voyage, a_list(*(a_row(n) for n in range(1, 5)), a_row(5, sex="Q")))
        await quay.call(draft, 2)
        await quay.absent(draft, 3, "ill_abroad")

        roll = await quay.roll(voyage)
        assert (roll.here, roll.absent, roll.left, roll.in_all) == (1, 1, 3, 5)
        assert [(one.name, one.sex, one.age_band, one.mark) for one in roll.entries[:2]] == [
            ("Orang1", "M", "adult", "here"),
            ("Orang2", "M", "adult", "absent"),
        ]
        assert (roll.entries[0].call and roll.entries[0].call.by, roll.entries[4].sex) == ("rina", None)

    async def test_a_call_is_taken_back(self, database: Database, quay: Quay) -> None:
        voyage = await a_voyage(database)
        draft = await quay.upload(voyage, a_list(a_row(1), a_row(2)))
        await quay.call(draft, 2)
        await quay.absent(draft, 3)
        await quay.call(draft, 2, "open", version=1)
        draft = await quay.call(draft, 3, "open", version=1)

        assert ((await quay.roll(voyage)).left, draft.ready, draft.absent) == (2, 2, 0)

    async def test_who_comes_second_and_says_otherwise_is_told(self, database: Database, quay: Quay) -> None:
        draft = await quay.upload(await a_voyage(database), a_list(a_row(1), a_row(2)))
        await quay.absent(draft, 2, "pending_case", actor=COLLEAGUE)

        with pytest.raises(RowCalled) as refused:
            await quay.call(draft, 2)
        assert (refused.value.theirs.mark, refused.value.theirs.reason, refused.value.theirs.by) == (
            "absent",
            "pending_case",
            "sari",
        )
        assert refused.value.yours.mark == "here"

    async def test_who_comes_second_and_says_the_same_changes_nothing(self, database: Database, quay: Quay) -> None:
        voyage = await a_voyage(database)
        draft = await quay.upload(voyage, a_list(a_row(1)))
        await quay.call(draft, 2, actor=COLLEAGUE)
        await quay.call(draft, 2)

        call = (await quay.entry(voyage, 2)).call
        assert call is not None
        assert (call.version, call.by) == (1, "sari")

    async def test_two_tablets_call_everybody_at_once(self, database: Database, quay: Quay) -> None:
        """Calls of different rows never refuse one another, whether they change how a row stands or not."""
        voyage = await a_voyage(database)
        people = 40
        draft = await quay.upload(voyage, a_list(*(a_row(n) for n in range(1, people + 1))))

        async def tablet(actor: Actor, rows: range) -> None:
            for row in rows:
                if row % 10 == 0:
                    await quay.absent(draft, row, "not_boarded", actor=actor)
                else:
                    await quay.call(draft, row, actor=actor)

        middle = people // 2 + 2
        await asyncio.gather(tablet(OFFICER, range(2, middle)), tablet(COLLEAGUE, range(middle, people + 2)))
        roll = await quay.roll(voyage)
        assert (roll.here, roll.absent, roll.left) == (36, 4, 0)

    async def test_calls_of_here_never_wait_for_another_try(self, database: Database, quay: Quay) -> None:
        draft = await quay.upload(await a_voyage(database), a_list(*(a_row(n) for n in range(1, 21))))
        writes = [await quay.prepare(draft, row, "here") for row in range(2, 22)]
        await quay.absent(draft, 2)  # whatever else has changed meanwhile

        await asyncio.gather(*(written(database, write) for write in writes[1:]))
        with pytest.raises(DraftMoved):
            await written(database, writes[0])

    async def test_calls_the_rest_at_once_but_who_may_be_twice(self, database: Database, quay: Quay) -> None:
        voyage = await a_voyage(database)
        draft = await quay.upload(
            voyage, a_list(a_row(1), a_row(2), a_row(3, sex="Q"), a_row(1, seq="9"), "", a_row(4))
        )
        await quay.absent(draft, 2)

        with pytest.raises(RollMoved):
            await quay.rest(voyage, 4)
        assert (await quay.roll(voyage)).to_call == await quay.rest(voyage, 3) == 3
        roll = await quay.roll(voyage)
        assert (roll.here, roll.absent, roll.left) == (3, 1, 1)

    async def test_no_other_port_sees_or_calls_anybody(self, database: Database, quay: Quay) -> None:
        voyage = await a_voyage(database)
        draft = await quay.upload(voyage, a_list(a_row(1)))

        with pytest.raises(DraftUnknown):
            await quay.call(draft, 2, actor=STRANGER)
        with pytest.raises(VoyageUnknown):
            await roll_calls.read_roll(database, quay.vault, STRANGER, voyage.voyage_id, form="page")

    async def test_only_somebody_who_stands_there_is_called(self, database: Database, quay: Quay) -> None:
        draft = await quay.upload(await a_voyage(database), a_list(a_row(1), "", a_row(2, sex="Q"), a_row(3)))
        sent = (await quay.send(draft)).draft

        with pytest.raises(LineRecorded):
            await quay.call(sent, 2)
        for row in (1, 3, 99):
            with pytest.raises(LineUnknown):
                await quay.call(sent, row)

    async def test_only_who_rolls_over_has_another_voyage_and_one_that_is_to_come(
        self, database: Database, quay: Quay
    ) -> None:
        voyage = await a_voyage(database)
        draft = await quay.upload(voyage, a_list(a_row(1)))

        for reason in ("rolled_over", "ill_abroad"):
            with pytest.raises(NextVoyageUnknown):
                await quay.absent(draft, 2, reason, next_voyage_id=voyage.voyage_id)

    async def test_what_is_called_is_on_the_trail_in_codes_and_stays(
        self, database: Database, quay: Quay, owner: asyncpg.Connection
    ) -> None:
        voyage = await a_voyage(database)
        draft = await quay.upload(voyage, a_list(a_row(1, name="Kenari"), a_row(2)))
        await quay.absent(draft, 2, "documents_held")

        told = await database.pool.fetchval(
            "SELECT payload FROM journal WHERE type = 'intake.roll_called.v1' ORDER BY position DESC LIMIT 1"
        )
        assert "documents_held" in str(told)
        row = dict(await owner.fetchrow("SELECT * FROM roll_calls"))
        assert (row["sex"], row["age_band"], row["origin_regency"], row["called_by"]) == ("M", "adult", "73.06", "rina")
        assert "kenari" not in str(row).casefold()
        for change in ("UPDATE roll_calls SET mark = 'here'", "DELETE FROM roll_calls"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await database.fetch(change)


@pytest.mark.invariant("I160")
class TestSending:
    async def test_records_only_who_is_here(self, database: Database, quay: Quay) -> None:
        voyage = await a_voyage(database)
        draft = await quay.upload(voyage, a_list(*(a_row(n) for n in range(1, 6))))
        await quay.call(draft, 2)
        await quay.call(draft, 3)
        draft = await quay.absent(draft, 4, "pending_case")
        sent = await quay.send(draft)

        counts = await quay.counts(voyage)
        assert await recorded(database) == [2, 3]
        assert (counts.listed, counts.arrived, counts.absent, counts.rejected) == (5, 2, 1, 2)
        assert (sent.draft.state, sent.draft.known, sent.draft.absent, sent.draft.ready) == ("open", 2, 1, 2)
        assert await quay.reasons(voyage) == {"pending_case": 1}

    async def test_goes_on_until_everybody_was_called(self, database: Database, quay: Quay) -> None:
        voyage = await a_voyage(database)
        draft = await quay.upload(voyage, a_list(a_row(1), a_row(2, sex="Q"), a_row(3), a_row(4)))
        draft = (await quay.send(await quay.call(draft, 2))).draft
        await quay.call(draft, 3)  # there, and to mend
        await quay.absent(draft, 4)
        draft = await quay.mend(await quay.call(draft, 5), 3, {SEX: "F"})
        draft = (await quay.send(draft)).draft

        counts = await quay.counts(voyage)
        assert (draft.state, draft.known, draft.absent) == ("sent", 3, 1)
        assert (counts.listed, counts.arrived, counts.absent, counts.rejected) == (4, 3, 1, 0)
        assert add_up(counts)

    async def test_without_a_roll_call_is_as_it_was(self, database: Database, quay: Quay) -> None:
        voyage = await a_voyage(database)
        sent = await quay.send(await quay.upload(voyage, a_list(a_row(1), a_row(2))))

        assert (sent.manifest.accepted, sent.draft.state) == (2, "sent")

    async def test_a_call_that_was_taken_back_leaves_the_roll_begun(self, database: Database, quay: Quay) -> None:
        """Whoever took back a slip of the finger does not mean that everybody is here."""
        draft = await quay.upload(await a_voyage(database), a_list(a_row(1), a_row(2)))
        await quay.call(draft, 2)
        sent = await quay.send(await quay.call(draft, 2, "open", version=1))

        assert (sent.manifest.accepted, sent.manifest.rejected) == (0, 2)

    async def test_who_is_back_after_all_is_recorded(self, database: Database, quay: Quay) -> None:
        voyage = await a_voyage(database)
        draft = await quay.upload(voyage, a_list(a_row(1), a_row(2), a_row(3)))
        await quay.call(draft, 2)
        draft = (await quay.send(await quay.absent(draft, 3))).draft
        draft = await quay.call(draft, 3, version=1)
        between = await quay.counts(voyage)
        await quay.send(draft)
        after = await quay.counts(voyage)

        assert (between.arrived, between.absent, between.rejected) == (1, 0, 2)
        assert (after.listed, after.arrived, after.absent, after.rejected) == (3, 2, 0, 1)

    async def test_a_child_whose_adult_is_not_here_is_unaccompanied(self, database: Database, quay: Quay) -> None:
        voyage = await a_voyage(database)
        draft = await quay.upload(voyage, a_list(a_row(1), a_row(2, born="2020-01-01", **{"with": "001"}), a_row(3)))
        await quay.call(draft, 3)
        await quay.send(await quay.absent(draft, 2))

        needs = await database.pool.fetchval("SELECT needs FROM arrivals")
        assert "UAC" in needs

    async def test_who_is_absent_and_logged_by_hand_after_all_counts_once(
        self, database: Database, quay: Quay, vault: Vault
    ) -> None:
        voyage = await a_voyage(database)
        draft = await quay.upload(voyage, a_list(a_row(1), a_row(2)))
        await quay.call(draft, 2)
        await quay.send(await quay.absent(draft, 3))
        before = await quay.counts(voyage)
        arrival = (await a_reading(database, quay, voyage))[3]
        async with database.work(OFFICER, purpose="reception") as work:
            await settle_logged(work, vault, voyage.voyage_id, who_arrived(arrival), new_id())

        assert (before.absent, (await quay.counts(voyage)).absent) == (1, 0)

    async def test_a_corrected_file_keeps_who_was_called(self, database: Database, quay: Quay) -> None:
        voyage = await a_voyage(database)
        draft = await quay.upload(voyage, a_list(a_row(1), a_row(2), a_row(3), a_row(4)))
        await quay.call(draft, 2)
        await quay.absent(draft, 4)
        draft = await quay.upload_again(draft, a_list(a_row(9), a_row(2), a_row(3, born="1991-01-01"), a_row(1)))

        marks = {one.name: one.mark for one in (await quay.roll(voyage)).entries}
        assert marks == {"Orang9": "open", "Orang2": "open", "Orang3": "absent", "Orang1": "here"}
        assert (draft.ready, draft.absent) == (3, 1)

    async def test_a_corrected_file_lets_nobody_be_called_by_the_number_of_another(
        self, database: Database, quay: Quay
    ) -> None:
        voyage = await a_voyage(database)
        draft = await quay.upload(voyage, a_list(a_row(1), a_row(2), a_row(3)))
        await quay.call(draft, 2)
        looked_at = {one.name: one for one in (await quay.roll(voyage)).entries}
        await quay.upload_again(draft, a_list(a_row(3), a_row(1), a_row(2)))

        for name in ("Orang1", "Orang2", "Orang3"):
            with pytest.raises(RowCalled) as refused:
                await quay.absent(draft, looked_at[name].row, version=looked_at[name].version)
            assert refused.value.theirs.by == "rina"
        marks = {one.name: one.mark for one in (await quay.roll(voyage)).entries}
        assert marks == {"Orang3": "open", "Orang1": "here", "Orang2": "open"}


async def a_reading(database: Database, quay: Quay, voyage: Voyage) -> dict[int, Any]:
    """What a list of three said, by row."""
    _, rows = await read_manifest(voyage, a_list(a_row(1), a_row(2)))
    return {row.number: row.arrival for row in rows}


@pytest.mark.invariant("I162")
class TestRollingOver:
    async def test_takes_the_row_out_of_one_list_and_into_that_of_the_next_voyage(
        self, database: Database, quay: Quay, owner: asyncpg.Connection
    ) -> None:
        voyage, following = await a_voyage(database), await a_voyage(database, expected_at=LATER)
        draft = await quay.upload(voyage, a_list(a_row(1), a_row(2, name="Kenari"), a_row(3, name="Merpati")))
        for row in (3, 4):
            draft = await quay.absent(draft, row, "rolled_over", next_voyage_id=following.voyage_id)
        await quay.call(draft, 2)
        sent = await quay.send(draft)

        counts = await quay.counts(voyage)
        assert (counts.listed, counts.arrived, counts.absent, sent.draft.state) == (3, 1, 2, "sent")
        carried = await carried_to(database, following)
        opened = await open_draft(database, quay.vault, OFFICER, carried.draft_id)
        assert (carried.form, carried.ready, opened.header.sender) == ("carried", 2, "KM Purnama, Pelabuhan Tunon Taka")
        assert [one.name for one in (await quay.roll(following)).entries] == ["Kenari", "Merpati"]
        assert await quay.reasons(voyage) == {"rolled_over": 2}

    async def test_to_the_second_ferry_that_is_late_or_has_just_come(
        self, database: Database, quay: Quay, clock: FixedClock
    ) -> None:
        voyage = await a_voyage(database)
        following = await a_voyage(database, expected_at=START + timedelta(minutes=30))
        draft = await quay.upload(voyage, a_list(a_row(1), a_row(2)))
        clock.advance(timedelta(hours=12, minutes=29))
        await quay.absent(draft, 2, "rolled_over", next_voyage_id=following.voyage_id)
        assert [one.name for one in (await quay.roll(following)).entries] == ["Orang1"]

        clock.advance(timedelta(minutes=2))
        with pytest.raises(NextVoyageUnknown):
            await quay.absent(draft, 3, "rolled_over", next_voyage_id=following.voyage_id)

    async def test_cannot_be_discarded_nor_replaced_where_it_was_carried_to(
        self, database: Database, quay: Quay
    ) -> None:
        voyage, following = await a_voyage(database), await a_voyage(database, expected_at=LATER)
        draft = await quay.upload(voyage, a_list(a_row(1)))
        await quay.absent(draft, 2, "rolled_over", next_voyage_id=following.voyage_id)
        carried = await carried_to(database, following)
        file = await open_file(database, quay.vault, OFFICER, a_list(a_row(7)))

        with pytest.raises(DraftCarried):
            async with database.work(OFFICER, purpose="manifest") as work:
                await drafts.discard_draft(work, carried.draft_id)
        with pytest.raises(DraftCarried):
            await uploading.prepare_file(database, quay.vault, OFFICER, carried.draft_id, file)
        assert (await carried_to(database, following)).ready == 1

    async def test_leaves_nothing_of_the_words_behind(self, database: Database, quay: Quay) -> None:
        voyage, following = await a_voyage(database), await a_voyage(database, expected_at=LATER)
        draft = await quay.upload(voyage, a_list(a_row(1), a_row(2, name="Kenari", sex="Q")))
        draft = await quay.mend(draft, 3, {SEX: "F"})
        draft = await quay.absent(draft, 3, "rolled_over", next_voyage_id=following.voyage_id)

        line = (await quay.lines(draft))[1]
        assert (line.cells, line.is_moved, line.standing) == ((), True, "absent")
        assert "Kenari" not in str(line)
        with pytest.raises(RowCarried):
            await quay.mend(draft, 3, {1: "Bala"}, version=line.version)

    async def test_to_a_voyage_that_nobody_knows_yet_waits_with_its_row(self, database: Database, quay: Quay) -> None:
        voyage = await a_voyage(database)
        draft = await quay.upload(voyage, a_list(a_row(1), a_row(2)))
        await quay.call(draft, 2)
        draft = (await quay.send(await quay.absent(draft, 3, "rolled_over"))).draft
        assert draft.state == "open"

        following = await a_voyage(database, expected_at=LATER)
        draft = await quay.absent(draft, 3, "rolled_over", version=1, next_voyage_id=following.voyage_id)
        assert (await quay.send(draft)).draft.state == "sent"
        assert (await carried_to(database, following)).ready == 1
        assert (await quay.counts(voyage)).absent == 1

    async def test_to_another_port_is_that_ports_from_then_on(self, database: Database, quay: Quay) -> None:
        voyage, following = await a_voyage(database), await a_voyage(database, actor=STRANGER, expected_at=LATER)
        draft = await quay.upload(voyage, a_list(a_row(1)))
        await quay.absent(draft, 2, "rolled_over", next_voyage_id=following.voyage_id)

        assert [one.voyage_id for one in await list_drafts(database, STRANGER)] == [following.voyage_id]
        assert [one.voyage_id for one in await list_drafts(database, OFFICER)] == [voyage.voyage_id]

    @pytest.mark.parametrize("first", ["carried", "own"])
    async def test_who_stands_on_the_next_voyages_own_list_too_is_recorded_once(
        self, database: Database, quay: Quay, clock: FixedClock, first: str
    ) -> None:
        voyage, following = await a_voyage(database), await a_voyage(database, expected_at=LATER)
        draft = await quay.upload(voyage, a_list(a_row(1), a_row(2)))
        for row in (2, 3):
            draft = await quay.absent(draft, row, "rolled_over", next_voyage_id=following.voyage_id)
        own = await quay.upload(following, a_list(a_row(1), a_row(2, name="Orang dua")))
        carried = await carried_to(database, following)
        clock.advance(LATER - START)
        for one in (carried, own) if first == "carried" else (own, carried):
            sent = await quay.send(one)

        # The same is known; the same document under another name is for a person to look at.
        assert (sent.draft.known, sent.draft.twice, sent.draft.ready) == (1, 1, 0)
        assert (await quay.counts(following)).arrived == 2

    async def test_a_corrected_file_does_not_bring_back_who_was_carried(self, database: Database, quay: Quay) -> None:
        voyage, following = await a_voyage(database), await a_voyage(database, expected_at=LATER)
        draft = await quay.upload(voyage, a_list(a_row(1), a_row(2)))
        draft = await quay.absent(draft, 3, "rolled_over", next_voyage_id=following.voyage_id)
        draft = await quay.upload_again(draft, a_list(a_row(2), a_row(1), a_row(3)))

        assert (draft.ready, draft.absent) == (2, 1)
        assert [line.is_moved for line in await quay.lines(draft)] == [True, False, False]


CARRYING = ["work.before_commit", "work.after_commit", "work.before_commit:2"]


@pytest.mark.invariant("I162")
@pytest.mark.parametrize("crash_at", CARRYING)
async def test_who_is_killed_while_carrying_leaves_each_row_in_one_place(
    database: Database, quay: Quay, crash_at: str
) -> None:
    voyage, following = await a_voyage(database), await a_voyage(database, expected_at=LATER)
    draft = await quay.upload(voyage, a_list(a_row(1), a_row(2)))

    async def carry(crash_at: str = "") -> int:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.intake.carry_rows", database.url, draft.draft_id, following.voyage_id),
            env={**os.environ, "CRASH_AT": crash_at},
        )
        return await process.wait()

    async def places() -> list[str]:
        names = [line.cells[1] for line in await quay.lines(draft) if line.cells]
        for one in await list_drafts(database, OFFICER, voyage_id=following.voyage_id):
            names += [line.cells[1] for line in await quay.lines(one)]
        return sorted(names)

    assert await carry(crash_at) == -signal.SIGKILL
    assert await places() == ["Orang1", "Orang2"]
    assert await carry() == 0
    assert await places() == ["Orang1", "Orang2"]
    assert (await carried_to(database, following)).ready == 2


async def carried_to(database: Database, voyage: Voyage) -> Draft:
    """The one list of those who roll over to a voyage."""
    found = await list_drafts(database, OFFICER, voyage_id=voyage.voyage_id)
    (one,) = [draft for draft in found if draft.form == "carried"]
    return one


PEOPLE = 6
steps = st.lists(
    st.one_of(
        st.tuples(st.just("here"), st.integers(0, PEOPLE - 1)),
        st.tuples(st.just("absent"), st.integers(0, PEOPLE - 1)),
        st.tuples(st.just("open"), st.integers(0, PEOPLE - 1)),
        st.tuples(st.just("mend"), st.integers(0, PEOPLE - 1)),
        st.tuples(st.just("send"), st.one_of(st.none(), st.none(), st.integers(0, 2))),
        st.tuples(st.just("rest"), st.none()),
    ),
    max_size=14,
)


@pytest.mark.invariant("I160")
@settings(max_examples=examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps)
async def test_whatever_is_called_and_sent_everybody_is_here_absent_or_held_back(
    database: Database, vault: Vault, done: list[tuple[str, Any]]
) -> None:
    quay = Quay(database, vault)
    voyage = await a_voyage(database)
    draft = await quay.upload(voyage, a_list(*(a_row(n, sex="Q" if n == 2 else "M") for n in range(1, PEOPLE + 1))))
    await quay.call(draft, 2)
    was_sent = False

    for what, how in done:
        with suppress(Refused, Killed):
            now = await find_draft(database, OFFICER, draft.draft_id)
            if what == "send":
                with killed_after(how):
                    await quay.send(now)
                was_sent = True
            elif what == "rest":
                await quay.rest(voyage, (await quay.roll(voyage)).to_call)
            elif what == "mend":
                line = (await quay.lines(now))[how]
                await quay.mend(now, line.number, {SEX: "M"}, version=line.version)
            else:
                versions = {one.row: one.version for one in (await quay.roll(voyage)).entries}
                reason: dict[str, Any] = {"reason": "not_boarded"} if what == "absent" else {}
                await quay.call(now, how + 2, what, version=versions.get(how + 2, 0), **reason)
        counts = await quay.counts(voyage)
        assert add_up(counts)
        now = await find_draft(database, OFFICER, draft.draft_id)
        if not was_sent or now.state == "sending":
            continue  # a list that is still being recorded stands beside the one before
        assert (counts.listed, counts.unlisted) == (PEOPLE, 0)
        if now.is_under_way:
            roll = await quay.roll(voyage)
            assert counts.absent == roll.absent
            assert counts.arrived == sum(one.standing == "known" for one in roll.entries)
    cases = await database.pool.fetch("SELECT manifest_row FROM arrivals WHERE voyage_id = $1", voyage.voyage_id)
    assert len(cases) == len({row["manifest_row"] for row in cases})
