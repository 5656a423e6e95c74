"""Lists that are kept until they are done with: looked at, mended, sent in part, uploaded again; and what is left."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from services.intake.actions import drafts, mending, sending, uploading
from services.intake.actions.drafts import Write, list_drafts, open_draft, read_draft
from services.intake.actions.opening import open_file
from services.intake.actions.voyages import report_voyage
from services.intake.clock import Retention
from services.intake.domain.drafts import STANDINGS, Draft
from services.intake.domain.refusals.drafts import (
    DraftChanged,
    DraftEnded,
    DraftMoved,
    DraftSending,
    DraftUnknown,
    LineChanged,
    LineRecorded,
    NothingToSend,
)
from services.intake.domain.voyages import Voyage
from services.intake.store.vault import Vault
from shared.kit.actor import Actor
from shared.kit.clock import FixedClock
from shared.kit.database import Database
from tests.intake.factories import OFFICER, STRANGER, a_list, a_row, a_voyage
from tests.intake.rotation import ALONE, rewrapped

COLLEAGUE = Actor(id="sari", organisation="P4MI-NNK", roles=frozenset({"port_officer"}), port="NNK")
SEX, BORN = 2, 3
"""Columns of a list of `a_list`."""


async def written(database: Database, write: Write, *, actor: Actor = OFFICER) -> Draft:
    async with database.work(actor, purpose="manifest") as work:
        return await write(work)


class Desk:
    """What an officer does with lists."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self.database = database
        self.vault = vault

    async def upload(self, voyage: Voyage, content: bytes, *, sender: str = "", actor: Actor = OFFICER) -> Draft:
        file = await open_file(self.database, self.vault, actor, content, sender=sender)
        write = await uploading.prepare_draft(self.database, self.vault, actor, voyage, file)
        return await written(self.database, write, actor=actor)

    async def upload_again(self, draft: Draft, content: bytes) -> Draft:
        file = await open_file(self.database, self.vault, OFFICER, content)
        return await written(
            self.database, await uploading.prepare_file(self.database, self.vault, OFFICER, draft.draft_id, file)
        )

    async def mend(
        self, draft: Draft, row: int, cells: Mapping[int, str], *, version: int = 0, actor: Actor = OFFICER
    ) -> Draft:
        write = await mending.prepare_cells(
            self.database, self.vault, actor, draft.draft_id, row, version=version, cells=cells
        )
        return await written(self.database, write, actor=actor)

    async def leave_out(self, draft: Draft, row: int, out: bool = True, *, version: int = 0) -> Draft:
        write = await mending.prepare_cells(
            self.database, self.vault, OFFICER, draft.draft_id, row, version=version, out=out
        )
        return await written(self.database, write)

    async def send(self, draft: Draft) -> sending.Sent:
        return await sending.send_draft(self.database, self.vault, OFFICER, draft.draft_id, version=draft.version)

    async def lines(self, draft: Draft) -> list[Any]:
        return list((await open_draft(self.database, self.vault, OFFICER, draft.draft_id)).lines)


@pytest.fixture
def desk(database: Database, vault: Vault) -> Desk:
    return Desk(database, vault)


async def recorded(database: Database) -> list[int]:
    rows = await database.pool.fetch("SELECT manifest_row FROM arrivals ORDER BY case_id")
    return [row["manifest_row"] for row in rows]


async def told(database: Database) -> list[str]:
    rows = await database.pool.fetch("SELECT type FROM journal WHERE type LIKE 'intake.draft%' ORDER BY position")
    return [row["type"].split(".")[1] for row in rows]


def counts(draft: Draft) -> tuple[int, ...]:
    """Ready, to mend, possibly twice, known, blank, left out."""
    return tuple(getattr(draft, standing) for standing in STANDINGS if standing != "absent")


class TestKeeping:
    async def test_counts_how_each_row_stands(self, database: Database, desk: Desk) -> None:
        draft = await desk.upload(await a_voyage(database), a_list(a_row(1), a_row(2, sex="Q"), "", a_row(1, seq="3")))

        assert counts(draft) == (1, 1, 1, 0, 1, 0)
        assert draft.lines == 4
        assert await told(database) == ["draft_kept"]

    async def test_warns_of_letters_that_two_encodings_in_one_file_spoil(self, database: Database, desk: Desk) -> None:
        first, second = a_list(a_row(1, name="José")).decode(), f"\n{a_row(2, name='René')}\n{a_row(3)}"
        draft = await desk.upload(await a_voyage(database), first.encode("utf-8") + second.encode("cp1252"))

        spoilt, whole, plain = await desk.lines(draft)
        assert [(one.field, one.code, one.hint) for one in spoilt.warnings] == [("full_name", "letters_spoilt", "José")]
        assert (whole.cells[1], whole.warnings, plain.warnings, counts(draft)) == ("René", (), (), (3, 0, 0, 0, 0, 0))
        mended = await desk.mend(draft, 2, {1: "José"})
        assert (await desk.lines(mended))[0].warnings == ()

    async def test_the_same_file_is_the_same_draft(self, database: Database, desk: Desk) -> None:
        voyage, content = await a_voyage(database), a_list(a_row(1), a_row(2, sex="Q"))
        first = await desk.upload(voyage, content)
        await desk.mend(first, 3, {SEX: "M"})
        again = await desk.upload(voyage, content, actor=COLLEAGUE)

        assert again.draft_id == first.draft_id
        assert counts(again) == (2, 0, 0, 0, 0, 0)
        assert [one.draft_id for one in await list_drafts(database, OFFICER)] == [first.draft_id]

    async def test_nothing_that_a_list_says_stands_in_the_clear(
        self, database: Database, desk: Desk, owner: asyncpg.Connection
    ) -> None:
        await desk.upload(await a_voyage(database), a_list(a_row(1, name="Kenari"), a_row(2)), sender="KJRI Kenari")

        for table in ("drafts", "draft_blocks", "draft_keys", "journal", "sender_columns"):
            for row in await owner.fetch(f"SELECT * FROM {table}"):
                assert "kenari" not in str(dict(row)).casefold()

    async def test_counts_that_do_not_add_up_are_refused(self, database: Database, desk: Desk) -> None:
        await desk.upload(await a_voyage(database), a_list(a_row(1)))

        with pytest.raises(asyncpg.CheckViolationError):
            await database.fetch("UPDATE drafts SET ready = ready + 1")


class TestReading:
    async def test_shows_what_was_asked_for_with_what_is_wrong(self, database: Database, desk: Desk) -> None:
        draft = await desk.upload(
            await a_voyage(database), a_list(*(a_row(n, sex="Q" if n % 2 else "M") for n in range(1, 8)))
        )
        ask = {"standings": ["mend"], "limit": 3, "form": "page"}
        first = await read_draft(database, desk.vault, OFFICER, draft.draft_id, after=-1, **ask)  # type: ignore[arg-type]
        second = await read_draft(
            database,
            desk.vault,
            OFFICER,
            draft.draft_id,
            after=first.after,
            **ask,  # type: ignore[arg-type]
        )

        assert [line.number for line in (*first.lines, *second.lines)] == [2, 4, 6, 8]
        assert first.in_all == 4
        assert second.after is None
        assert [(one.field, one.code) for one in first.lines[0].findings] == [("sex", "sex_unknown")]
        assert await told(database) == ["draft_kept", "draft_read", "draft_read"]

    async def test_no_other_port_sees_or_changes_it(self, database: Database, desk: Desk) -> None:
        draft = await desk.upload(await a_voyage(database), a_list(a_row(1, sex="Q")))

        with pytest.raises(DraftUnknown):
            await open_draft(database, desk.vault, STRANGER, draft.draft_id)
        with pytest.raises(DraftUnknown):
            await desk.mend(draft, 2, {SEX: "M"}, actor=STRANGER)
        with pytest.raises(DraftUnknown):
            await sending.send_draft(database, desk.vault, STRANGER, draft.draft_id, version=1)
        assert await list_drafts(database, STRANGER) == []


class TestMending:
    async def test_makes_a_row_ready_and_says_who_did(self, database: Database, desk: Desk) -> None:
        draft = await desk.upload(await a_voyage(database), a_list(a_row(1), a_row(2, sex="Q")))
        draft = await desk.mend(draft, 3, {SEX: "F"}, actor=COLLEAGUE)

        line = (await desk.lines(draft))[1]
        assert counts(draft) == (2, 0, 0, 0, 0, 0)
        assert (draft.version, draft.changed_by, line.version) == (2, "sari", 1)
        assert (line.cells[SEX], line.source[SEX], line.edits[0].by) == ("F", "Q", "sari")

    async def test_in_one_row_may_concern_another(self, database: Database, desk: Desk) -> None:
        draft = await desk.upload(await a_voyage(database), a_list(a_row(1), a_row(2, number="XS9000001")))
        assert counts(draft) == (1, 0, 1, 0, 0, 0)

        assert counts(await desk.mend(draft, 2, {6: "XS9000009"})) == (2, 0, 0, 0, 0, 0)

    async def test_who_comes_second_is_told_both_values(self, database: Database, desk: Desk) -> None:
        draft = await desk.upload(await a_voyage(database), a_list(a_row(1, sex="Q")))
        await desk.mend(draft, 2, {SEX: "F"}, actor=COLLEAGUE)

        with pytest.raises(LineChanged) as refused:
            await desk.mend(draft, 2, {SEX: "M"})
        assert (refused.value.by, refused.value.theirs, refused.value.yours) == ("sari", {SEX: "F"}, {SEX: "M"})
        assert (await desk.lines(draft))[0].cells[SEX] == "F"

    async def test_at_once_by_two_is_prepared_again_by_one(self, database: Database, desk: Desk) -> None:
        draft = await desk.upload(await a_voyage(database), a_list(a_row(1, sex="Q"), a_row(2, sex="Q")))
        writes = [
            await mending.prepare_cells(database, desk.vault, OFFICER, draft.draft_id, row, version=0, cells={SEX: "M"})
            for row in (2, 3)
        ]
        await written(database, writes[0])

        with pytest.raises(DraftMoved):
            await written(database, writes[1])
        assert counts(await desk.mend(draft, 3, {SEX: "M"})) == (2, 0, 0, 0, 0, 0)

    async def test_fills_up_a_row_that_was_cut_off_and_shortens_one_that_is_too_long(
        self, database: Database, desk: Desk
    ) -> None:
        content = b"Nama;L/P;Umur;Kasus\nBala;L\nSiti;P;30;x;y"
        draft = await desk.upload(await a_voyage(database), content)
        assert counts(draft) == (0, 2, 0, 0, 0, 0)
        draft = await desk.mend(draft, 2, {3: "x"})
        assert counts(draft) == (1, 1, 0, 0, 0, 0)

        lines = await desk.lines(draft)
        assert [line.source for line in lines] == [("Bala", "L"), ("Siti", "P", "30", "x", "y")]

    async def test_a_row_that_is_left_out_is_neither_sent_nor_counted_as_listed(
        self, database: Database, desk: Desk
    ) -> None:
        voyage = await a_voyage(database)
        draft = await desk.upload(voyage, a_list(a_row(1), a_row(1, seq="2"), "Jumlah,2,,,,,,,,"))
        assert counts(draft) == (1, 1, 1, 0, 0, 0)
        draft = await desk.leave_out(await desk.leave_out(draft, 3), 4)
        assert counts(draft) == (1, 0, 0, 0, 0, 2)
        draft = await desk.leave_out(draft, 3, False, version=1)
        assert counts(draft) == (1, 0, 1, 0, 0, 1)

        sent = await desk.send(await desk.leave_out(draft, 3, version=2))
        assert (sent.manifest.listed, sent.manifest.accepted, sent.draft.state) == (1, 1, "sent")

    async def test_says_what_columns_mean_and_remembers_it_of_the_sender(self, database: Database, desk: Desk) -> None:
        voyage = await a_voyage(database)
        content = b"Nama;L/P;Umur;Tempat tinggal\nBala;L;30;Bontobulaeng"
        draft = await desk.upload(voyage, content, sender="KJRI  Tawau")
        write = await mending.prepare_columns(
            database, desk.vault, OFFICER, draft.draft_id, columns={3: "origin_village"}
        )
        await written(database, write)
        other = await desk.upload(await a_voyage(database), content + b"\nSiti;P;30;x", sender="kjri tawau")
        unnamed = await desk.upload(await a_voyage(database), content, sender="KRI Tawau")

        assert (await open_draft(database, desk.vault, OFFICER, other.draft_id)).header.fields["origin_village"] == 3
        assert "origin_village" not in (await open_draft(database, desk.vault, OFFICER, unnamed.draft_id)).header.fields


class TestSending:
    async def test_in_part_keeps_what_is_held_back_until_it_is_mended(self, database: Database, desk: Desk) -> None:
        voyage = await a_voyage(database)
        draft = await desk.upload(voyage, a_list(a_row(1), a_row(2, sex="Q"), a_row(3)))
        sent = await desk.send(draft)
        first = (await report_voyage(database, OFFICER, voyage.voyage_id)).counts

        assert (sent.manifest.accepted, sent.manifest.rejected) == (2, 1)
        assert counts(sent.draft) == (0, 1, 0, 2, 0, 0)
        assert (first.listed, first.rejected, first.arrived) == (3, 1, 2)
        with pytest.raises(LineRecorded):
            await desk.mend(sent.draft, 2, {SEX: "F"})
        again = await desk.send(sent.draft)
        assert (again.manifest.accepted, again.manifest.rejected, again.manifest.known) == (0, 1, 2)
        assert (await report_voyage(database, OFFICER, voyage.voyage_id)).counts == first

        sent = await desk.send(await desk.mend(again.draft, 3, {SEX: "F"}))
        second = (await report_voyage(database, OFFICER, voyage.voyage_id)).counts
        assert (sent.manifest.listed, sent.manifest.accepted, sent.manifest.known) == (3, 1, 2)
        assert (second.listed, second.rejected, second.arrived) == (3, 0, 3)
        assert await recorded(database) == [2, 4, 3]

    async def test_of_all_of_it_leaves_nothing_but_counts(self, database: Database, desk: Desk) -> None:
        draft = await desk.upload(await a_voyage(database), a_list(a_row(1), a_row(2)))
        sent = await desk.send(draft)

        assert (sent.draft.state, counts(sent.draft)) == ("sent", (0, 0, 0, 2, 0, 0))
        for table in ("draft_keys", "draft_blocks"):
            assert await database.pool.fetchval(f"SELECT count(*) FROM {table}") == 0
        with pytest.raises(DraftEnded):
            await open_draft(database, desk.vault, OFFICER, draft.draft_id)
        assert await told(database) == ["draft_kept", "draft_ended"]

    async def test_of_what_was_changed_since_is_refused(self, database: Database, desk: Desk) -> None:
        draft = await desk.upload(await a_voyage(database), a_list(a_row(1), a_row(2, sex="Q")))
        await desk.mend(draft, 3, {SEX: "F"}, actor=COLLEAGUE)

        with pytest.raises(DraftChanged) as refused:
            await desk.send(draft)
        assert refused.value.by == "sari"
        assert await recorded(database) == []

    async def test_of_what_has_nothing_left_is_refused(self, database: Database, desk: Desk) -> None:
        draft = await desk.upload(await a_voyage(database), a_list(a_row(1)))

        with pytest.raises(NothingToSend):
            await desk.send(await desk.leave_out(draft, 2))

    async def test_lets_nobody_change_it_meanwhile(self, database: Database, desk: Desk) -> None:
        draft = await desk.upload(await a_voyage(database), a_list(a_row(1), a_row(2, sex="Q")))
        await database.fetch("UPDATE drafts SET state = 'sending'")

        with pytest.raises(DraftSending):
            await desk.mend(draft, 3, {SEX: "F"})
        async with database.work(OFFICER, purpose="manifest") as work:
            with pytest.raises(DraftSending):
                await drafts.discard_draft(work, draft.draft_id)
        assert counts((await desk.send(draft)).draft) == (0, 1, 0, 1, 0, 0)

    async def test_who_is_logged_on_another_list_meanwhile_is_not_recorded_again(
        self, database: Database, desk: Desk
    ) -> None:
        voyage = await a_voyage(database)
        first = await desk.upload(voyage, a_list(a_row(1), a_row(2)))
        second = await desk.upload(voyage, a_list(a_row(2), a_row(3)))
        await desk.send(first)
        sent = await desk.send(second)

        assert (sent.manifest.accepted, sent.manifest.known) == (1, 1)
        assert len(await recorded(database)) == 3


class TestEnding:
    async def test_comes_by_itself_after_two_weeks(self, database: Database, desk: Desk, clock: FixedClock) -> None:
        draft = await desk.upload(await a_voyage(database), a_list(a_row(1), a_row(2, sex="Q")))
        clock.advance(timedelta(days=13))
        fresh = await desk.upload(await a_voyage(database), a_list(a_row(3, sex="Q")))
        clock.advance(timedelta(days=1, seconds=1))
        retain = Retention(database, desk.vault)
        while await retain():
            pass

        assert (await drafts.find_draft(database, OFFICER, draft.draft_id)).state == "expired"
        with pytest.raises(DraftEnded):
            await open_draft(database, desk.vault, OFFICER, draft.draft_id)
        kept = await database.pool.fetch("SELECT draft_id::text FROM draft_keys")
        assert [row["draft_id"] for row in kept] == [fresh.draft_id]
        assert await database.pool.fetchval("SELECT count(*) FROM draft_blocks") == 1
        assert await database.pool.fetchval("SELECT removed FROM retention_reports WHERE rule = 'drafts'") == 1

    async def test_leaves_an_open_list_to_the_next_key(self, database: Database, desk: Desk) -> None:
        draft = await desk.upload(await a_voyage(database), a_list(a_row(1, name="Kenari", sex="Q")))
        done = await rewrapped(database)

        assert (done.rewrapped, done.left, done.unknown) == (1, 0, 0)
        opened = await open_draft(database, ALONE, OFFICER, draft.draft_id)
        assert opened.lines[0].cells[1] == "Kenari"


class TestUploadingAgain:
    async def test_changes_only_what_changed(self, database: Database, desk: Desk) -> None:
        voyage = await a_voyage(database)
        draft = await desk.upload(
            voyage, a_list(a_row(1), a_row(2, sex="Q"), a_row(3, sex="Q"), a_row(4), a_row(5, sex="Q"))
        )
        draft = await desk.mend(draft, 3, {SEX: "F"})
        draft = await desk.upload_again(
            draft, a_list(a_row(2, sex="Q"), a_row(1), a_row(3), a_row(5, sex="Q"), a_row(6))
        )

        opened = await open_draft(database, desk.vault, OFFICER, draft.draft_id)
        differences = opened.header.differences
        assert differences is not None
        assert (differences.same, differences.new, differences.changed, differences.gone) == (3, (6,), (4,), (5,))
        assert [line.cells[SEX] for line in opened.lines] == ["F", "M", "M", "Q", "M"]
        assert counts(draft) == (4, 1, 0, 0, 0, 0)
        assert (draft.upload, draft.version) == (2, 3)

    async def test_after_part_was_sent_records_who_is_new(self, database: Database, desk: Desk) -> None:
        voyage = await a_voyage(database)
        sent = await desk.send(await desk.upload(voyage, a_list(a_row(1), a_row(2, sex="Q"), a_row(3))))
        draft = await desk.upload_again(sent.draft, a_list(a_row(3), a_row(2), a_row(4), a_row(1)))
        assert counts(draft) == (2, 0, 0, 2, 0, 0)
        sent = await desk.send(draft)

        told = (await report_voyage(database, OFFICER, voyage.voyage_id)).counts
        assert (told.listed, told.rejected, told.arrived) == (4, 0, 4)
        assert sent.draft.state == "sent"
