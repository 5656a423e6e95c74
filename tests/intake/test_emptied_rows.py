"""Erasing somebody empties the rows of that person in lists that are not done with, and of nobody else."""

import asyncio
from collections.abc import Callable, Sequence

import asyncpg
import pytest

from services.intake.actions import drafts, mending
from services.intake.actions.erasures import erase_person
from services.intake.actions.giving_back import take_away
from services.intake.actions.voyages import report_voyage
from services.intake.domain.drafts import Draft
from services.intake.domain.refusals.drafts import DraftChanged, DraftMoved, RowUndecided
from services.intake.store import drafts as store
from services.intake.store.drafts import Block
from services.intake.store.vault import Damaged, Vault, drafting
from shared.kit.database import Database
from shared.kit.work import Work
from tests.intake.conftest import Browser
from tests.intake.factories import DPO, OFFICER, a_list, a_row, a_voyage
from tests.intake.test_carrying_back import until_somebody_waits
from tests.intake.test_drafts import BORN, SEX, Desk, counts, desk, written
from tests.intake.test_erasures import told

__all__ = ["desk"]

Site = Callable[[str], Browser]
REFERENCE = "PPID/2026/1"


async def case_of(database: Database, row: int) -> str:
    found: str = await database.pool.fetchval("SELECT case_id::text FROM arrivals WHERE manifest_row = $1", row)
    return found


async def erased(database: Database, desk: Desk, case_id: str) -> None:
    async with database.work(DPO, purpose="erase") as work:
        await erase_person(work, desk.vault, case_id, reason="request", reference=REFERENCE)


async def now(database: Database, draft: Draft) -> Draft:
    return await drafts.find_draft(database, OFFICER, draft.draft_id)


async def names(desk: Desk, draft: Draft) -> list[str]:
    return [line.cells[1] if line.cells else "" for line in await desk.lines(draft)]


@pytest.mark.invariant("I171")
class TestErasingSomebody:
    async def test_empties_that_row_and_keeps_those_that_wait(self, database: Database, desk: Desk) -> None:
        voyage = await a_voyage(database)
        sent = await desk.send(
            await desk.upload(voyage, a_list(a_row(1), a_row(2), a_row(3, sex="Q"), a_row(4, sex="Q")))
        )
        draft = await desk.mend(sent.draft, 4, {1: "Kenari"})

        await erased(database, desk, await case_of(database, 2))

        after = await now(database, draft)
        assert (after.state, after.version, counts(after)) == ("open", draft.version + 1, (0, 2, 0, 1, 1, 0))
        assert await names(desk, after) == ["", "Orang2", "Kenari", "Orang4"]
        [emptied, *_, mended, _] = await desk.lines(after)
        assert [edit.now for edit in emptied.edits] == ["erased"]
        assert [edit.was for edit in mended.edits] == ["Orang3"]
        *_, changed = await told(database, voyage.voyage_id, "intake.draft_changed.v1")
        assert (changed["change"], changed["rows"]) == ("emptied", 1)

    async def test_lets_the_rest_be_mended_and_sent_and_the_counts_add_up(self, database: Database, desk: Desk) -> None:
        voyage = await a_voyage(database)
        sent = await desk.send(
            await desk.upload(voyage, a_list(a_row(1), a_row(2), a_row(3, born="1990-13-01", number="")))
        )
        await erased(database, desk, await case_of(database, 2))

        draft = await desk.mend(await now(database, sent.draft), 4, {BORN: "1990-12-01"})
        done = await desk.send(draft)

        assert (done.draft.state, done.manifest.accepted) == ("sent", 1)
        report = (await report_voyage(database, OFFICER, voyage.voyage_id)).counts
        assert (report.listed, report.arrived, report.rejected, report.unlisted) == (3, 3, 0, 0)

    async def test_leaves_nothing_that_the_old_key_opens(
        self, database: Database, desk: Desk, vault: Vault, owner: asyncpg.Connection
    ) -> None:
        voyage = await a_voyage(database)
        sent = await desk.send(await desk.upload(voyage, a_list(a_row(1), a_row(2, sex="Q"))))
        draft_id = sent.draft.draft_id
        wrapped = bytes(await owner.fetchval("SELECT wrapped_key FROM draft_keys"))
        before = bytes(await owner.fetchval("SELECT sealed FROM draft_blocks"))
        key = drafting.open_key(vault.ring, wrapped, draft_id)
        assert b"Orang1" in key.open("block 0", before)

        await erased(database, desk, await case_of(database, 2))

        with pytest.raises(Damaged):
            key.open("block 0", bytes(await owner.fetchval("SELECT sealed FROM draft_blocks")))
        with pytest.raises(Damaged):
            key.open("header", bytes(await owner.fetchval("SELECT header FROM drafts")))
        other = drafting.open_key(
            vault.ring, bytes(await owner.fetchval("SELECT wrapped_key FROM draft_keys")), draft_id
        )
        with pytest.raises(Damaged):
            other.open("block 0", before)

    async def test_empties_every_list_of_the_voyage_and_no_other(self, database: Database, desk: Desk) -> None:
        voyage = await a_voyage(database)
        await desk.send(await desk.upload(voyage, a_list(a_row(1), a_row(2))))
        again = await desk.upload(voyage, a_list(a_row(7), a_row(1), a_row(8)))
        without = await desk.upload(voyage, a_list(a_row(2), a_row(9)))
        elsewhere = await desk.upload(await a_voyage(database), a_list(a_row(1), a_row(9)))
        asking = await desk.upload(voyage, a_list(a_row(1), heading="a,b,c,d,e,f,g,h,i,j"))

        await erased(database, desk, await case_of(database, 2))

        assert await names(desk, again) == ["Orang7", "", "Orang8"]
        assert await names(desk, without) == ["Orang2", "Orang9"]
        assert await names(desk, elsewhere) == ["Orang1", "Orang9"]
        for draft in (without, elsewhere, asking):
            assert (await now(database, draft)).version == draft.version

    async def test_empties_what_was_left_out_of_that_person(self, database: Database, desk: Desk) -> None:
        voyage = await a_voyage(database)
        await desk.send(await desk.upload(voyage, a_list(a_row(1), a_row(2))))
        left_out = await desk.leave_out(await desk.upload(voyage, a_list(a_row(4), a_row(1, flags="SICK"))), 3)

        await erased(database, desk, await case_of(database, 2))

        assert await names(desk, left_out) == ["Orang4", ""]

    async def test_waits_for_a_row_that_was_told_anew_or_is_of_another(self, database: Database, desk: Desk) -> None:
        voyage = await a_voyage(database)
        await desk.send(await desk.upload(voyage, a_list(a_row(1))))
        anew = await desk.upload(voyage, a_list(a_row(1, name="Lain"), a_row(3)))
        case_id = await case_of(database, 2)

        with pytest.raises(RowUndecided):
            await erased(database, desk, case_id)

        assert await names(desk, anew) == ["Lain", "Orang3"]
        await desk.leave_out(anew, 2)
        await erased(database, desk, case_id)
        assert await names(desk, anew) == ["", "Orang3"]

    async def test_waits_for_a_row_that_says_of_that_person_something_else_by_now(
        self, database: Database, desk: Desk
    ) -> None:
        """What it said when the person was recorded is kept beside it."""
        voyage = await a_voyage(database)
        sent = await desk.send(await desk.upload(voyage, a_list(a_row(1), a_row(2, sex="Q"))))
        anew = await desk.upload_again(sent.draft, a_list(a_row(1, sex="F"), a_row(2, sex="Q")))
        case_id = await case_of(database, 2)

        with pytest.raises(RowUndecided):
            await erased(database, desk, case_id)

        await desk.leave_out(anew, 2, version=(await desk.lines(anew))[0].version)
        await erased(database, desk, case_id)
        assert await names(desk, anew) == ["", "Orang2"]
        assert [line.recorded for line in await desk.lines(anew)] == [None, None]

    @pytest.mark.parametrize(
        ("logged", "row"),
        [
            ({"document_type": "SPLP", "document_number": "XS9000001"}, {"name": "Lain"}),
            ({"nik": "7306990101900001"}, {"number": "", "nik": "7306990101900001"}),
            ({"document_type": "SPLP", "document_number": "XS9000001", "nik": "7306990101900001"},
             {"number": "", "nik": "7306990101900001"}),
            ({}, {"number": "", "type": ""}),
        ],
        ids=["document", "nik", "one_paper_of_two", "name"],
    )  # fmt: skip
    async def test_empties_what_a_list_says_of_who_was_logged_by_hand(
        self, site: Site, database: Database, desk: Desk, logged: dict[str, str], row: dict[str, str]
    ) -> None:
        """Somebody decides first about a row that says otherwise who it is."""
        voyage = await a_voyage(database)
        who = {"full_name": "Orang1", "sex": "M", "birth_date": "1990-01-01", "origin_regency": "73.06", **logged}
        made = await site("officer").post("/api/arrivals", json={**who, "voyage_id": voyage.voyage_id})
        case_id = made.json()["case_id"]
        draft = await desk.upload(voyage, a_list(a_row(1, **row), a_row(2, name="Kenari")))

        if "name" in row:
            with pytest.raises(RowUndecided):
                await erased(database, desk, case_id)
            await desk.leave_out(draft, 2)
        await erased(database, desk, case_id)

        assert await names(desk, draft) == ["", "Kenari"]

    async def test_empties_the_row_by_which_who_was_logged_by_hand_is_known(
        self, site: Site, database: Database, desk: Desk
    ) -> None:
        """The list says more of who it is than was known when the person was logged."""
        voyage = await a_voyage(database)
        who = {"full_name": "Orang1", "sex": "M", "birth_date": "1990-01-01", "voyage_id": voyage.voyage_id}
        case_id = (await site("officer").post("/api/arrivals", json=who)).json()["case_id"]
        draft = await desk.upload(voyage, a_list(a_row(1), a_row(2, name="Kenari")))
        assert draft.known == 1

        await erased(database, desk, case_id)

        assert await names(desk, draft) == ["", "Kenari"]

    async def test_leaves_the_row_that_recorded_somebody_else_of_that_name_and_birth(
        self, site: Site, database: Database, desk: Desk
    ) -> None:
        voyage = await a_voyage(database)
        sent = await desk.send(await desk.upload(voyage, a_list(a_row(1), a_row(2, sex="Q"))))
        who = {"full_name": "Orang1", "sex": "M", "birth_date": "1990-01-01", "voyage_id": voyage.voyage_id}
        case_id = (await site("officer").post("/api/arrivals", json=who)).json()["case_id"]

        await erased(database, desk, case_id)

        assert await names(desk, sent.draft) == ["Orang1", "Orang2"]

    async def test_stays_so_when_rows_come_back_that_were_taken_away_before(
        self, database: Database, desk: Desk
    ) -> None:
        voyage = await a_voyage(database)
        sent = await desk.send(await desk.upload(voyage, a_list(a_row(1), a_row(2, sex="Q"), a_row(3, sex="Q"))))
        away = await take_away(
            database, desk.vault, OFFICER, sent.draft.draft_id, form="csv", rows="all", language="en"
        )
        await erased(database, desk, await case_of(database, 2))

        back = away.content.decode("utf-8-sig").replace("Orang1;M", "Orang1;F").replace("Orang2;Q", "Orang2;F")
        after = await desk.upload(voyage, back.encode())
        assert after.draft_id == sent.draft.draft_id
        assert counts(after) == (1, 1, 0, 0, 1, 0)
        assert await names(desk, after) == ["", "Orang2", "Orang3"]

    async def test_ends_a_list_of_which_nobody_is_left(self, database: Database, desk: Desk) -> None:
        voyage = await a_voyage(database)
        await desk.send(await desk.upload(voyage, a_list(a_row(1))))
        other = await desk.upload(voyage, a_list("", a_row(1)))

        await erased(database, desk, await case_of(database, 2))

        assert (await now(database, other)).state == "erased"
        assert await database.pool.fetchval("SELECT count(*) FROM draft_keys") == 0

    async def test_lets_a_child_of_that_adult_be_sent_as_alone(self, database: Database, desk: Desk) -> None:
        voyage = await a_voyage(database)
        child = a_row(2, born="2019-01-01", **{"with": "001"})
        await desk.send(await desk.upload(voyage, a_list(a_row(1))))
        draft = await desk.upload(voyage, a_list(a_row(1), child))

        await erased(database, desk, await case_of(database, 2))

        [_, waiting] = await desk.lines(draft)
        assert [one.code for one in waiting.warnings] == ["companion_unknown"]
        await desk.send(await now(database, draft))
        assert "UAC" in await database.pool.fetchval("SELECT needs FROM arrivals WHERE manifest_row = 3")

    async def test_makes_whoever_looked_before_look_again(self, database: Database, desk: Desk) -> None:
        voyage = await a_voyage(database)
        sent = await desk.send(await desk.upload(voyage, a_list(a_row(1), a_row(2, sex="Q"))))
        write = await mending.prepare_cells(
            database, desk.vault, OFFICER, sent.draft.draft_id, 3, version=0, cells={SEX: "F"}
        )

        await erased(database, desk, await case_of(database, 2))

        with pytest.raises(DraftMoved):
            await written(database, write)
        with pytest.raises(DraftChanged):
            await desk.send(sent.draft)
        assert await names(desk, sent.draft) == ["", "Orang2"]

    async def test_waits_until_who_has_begun_to_read_the_list_has_read_it(
        self, database: Database, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever holds the key of a list opens all of it, and whoever comes after that opens what is left."""
        voyage = await a_voyage(database)
        await desk.send(await desk.upload(voyage, a_list(a_row(1))))
        draft = await desk.upload(voyage, a_list(a_row(1), a_row(2)))
        case_id = await case_of(database, 2)
        erasing: list[asyncio.Task[None]] = []

        async def meanwhile(work: Work, draft_id: str, numbers: Sequence[int] | None = None) -> list[Block]:
            monkeypatch.undo()
            erasing.append(asyncio.create_task(erased(database, desk, case_id)))
            waits = asyncio.create_task(until_somebody_waits(database))
            await asyncio.wait((*erasing, waits), return_when=asyncio.FIRST_COMPLETED)
            waits.cancel()
            return await store.blocks_of(work, draft_id, numbers)

        monkeypatch.setattr(store, "blocks_of", meanwhile)
        assert await names(desk, draft) == ["Orang1", "Orang2"]
        await asyncio.gather(*erasing)
        assert await names(desk, draft) == ["", "Orang2"]

    async def test_while_the_list_is_sent_lets_it_be_sent_again(self, database: Database, desk: Desk) -> None:
        voyage = await a_voyage(database)
        await desk.send(await desk.upload(voyage, a_list(a_row(1))))
        draft = await desk.upload(voyage, a_list(a_row(1), a_row(2), a_row(3)))
        async with database.work(OFFICER, purpose="manifest") as work:
            assert await store.begin_sending(work, draft)

        await erased(database, desk, await case_of(database, 2))

        after = await now(database, draft)
        assert (after.state, after.version) == ("sending", draft.version + 1)
        done = await desk.send(after)
        assert (done.draft.state, done.manifest.accepted) == ("sent", 2)

    async def test_is_refused_while_the_row_of_a_twin_is_held_back(
        self, site: Site, database: Database, desk: Desk
    ) -> None:
        voyage = await a_voyage(database)
        await desk.send(await desk.upload(voyage, a_list(a_row(1))))
        twins = await desk.upload(voyage, a_list(a_row(1), a_row(1, seq="002", name="Kembar")))
        case_id = await case_of(database, 2)

        with pytest.raises(RowUndecided):
            await erased(database, desk, case_id)
        answer = await site("dpo").post(
            f"/api/cases/{case_id}/erasure", json={"reason": "request", "reference": REFERENCE}
        )

        assert (answer.status_code, answer.json()["code"]) == (409, "row_undecided")
        assert await database.pool.fetchval("SELECT count(*) FROM erasures") == 0
        assert await database.pool.fetchval("SELECT count(*) FROM person_keys") == 1
        assert await names(desk, twins) == ["Orang1", "Kembar"]

        other = await desk.mend(twins, 3, {6: "XS9000002"})
        await erased(database, desk, case_id)
        assert await names(desk, other) == ["", "Kembar"]
        assert counts(await now(database, other))[0] == 1
