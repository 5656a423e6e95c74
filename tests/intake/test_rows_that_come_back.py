"""Rows of a list that were taken away come back where they belong, and every cell as it was uploaded."""

import csv
import io
from collections.abc import Callable

import openpyxl
import pytest

from services.intake.actions import drafts
from services.intake.actions.giving_back import FileForm, RowsOf, take_away
from services.intake.actions.spreadsheets import is_added
from services.intake.domain.drafts import Differences, Draft
from shared.kit.database import Database
from tests.intake.conftest import Browser
from tests.intake.factories import HEADING, OFFICER, a_list, a_row, a_voyage
from tests.intake.test_corrected_files import as_text, differences, names
from tests.intake.test_drafts import SEX, Desk, counts, desk
from tests.intake.workbooks import saved

__all__ = ["desk"]

Site = Callable[[str], Browser]


async def taken_away(desk: Desk, draft: Draft, *, form: FileForm = "csv", rows: RowsOf = "held") -> bytes:
    file = await take_away(desk.database, desk.vault, OFFICER, draft.draft_id, form=form, rows=rows, language="id")
    return file.content


def cells_in(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))


class TestRowsThatComeBack:
    @pytest.mark.parametrize("rows", ["held", "all"])
    async def test_uploaded_as_the_corrected_file_lose_nobody(
        self, database: Database, desk: Desk, rows: RowsOf
    ) -> None:
        draft = await desk.upload(await a_voyage(database), a_list(a_row(1), a_row(2, sex="Q"), a_row(3)))
        back = (await taken_away(desk, draft, rows=rows)).replace(b"Orang2;Q", b"Orang2;F")

        draft = await desk.upload_again(draft, back)

        assert await names(desk, draft) == ["Orang1", "Orang2", "Orang3"]
        assert counts(draft) == (3, 0, 0, 0, 0, 0)

    @pytest.mark.parametrize("named", [True, False])
    async def test_without_any_row_or_name_of_a_row_take_nobodys_place(
        self, database: Database, desk: Desk, named: bool
    ) -> None:
        draft = await desk.upload(await a_voyage(database), a_list(a_row(1), a_row(2, sex="Q" if named else "F")))
        heading, *rows = cells_in(await taken_away(desk, draft))

        draft = await desk.upload_again(draft, as_text([heading, *(["", *row[1:]] for row in rows)]))

        assert (await names(desk, draft), draft.version) == (["Orang1", "Orang2"], 1)

    async def test_again_add_nobody_twice(self, database: Database, desk: Desk) -> None:
        voyage = await a_voyage(database)
        draft = await desk.upload(voyage, a_list(a_row(1), a_row(2, sex="Q")))
        heading, row = cells_in(await taken_away(desk, draft))
        new = ["", *a_row(7).split(","), ""]
        back = as_text([heading, row, new])

        first = await desk.upload(voyage, back)
        again = await desk.upload(voyage, back)

        assert first.draft_id == again.draft_id == draft.draft_id
        assert (first.version, again.version) == (2, 2)
        assert await names(desk, again) == ["Orang1", "Orang2", "Orang7"]

    async def test_for_who_was_recorded_meanwhile_change_nothing_and_say_so(
        self, site: Site, database: Database, desk: Desk
    ) -> None:
        voyage = await a_voyage(database)
        draft = await desk.upload(voyage, a_list(a_row(1), a_row(2, sex="Q"), a_row(3, sex="Q")))
        back = (await taken_away(desk, draft)).replace(b"Orang2;Q", b"Orang2;M")
        sent = await desk.send(await desk.mend(draft, 3, {SEX: "F"}))

        draft = await desk.upload(voyage, back)
        again = await desk.upload(voyage, back)

        assert (await desk.lines(draft))[1].cells[SEX] == "F"
        assert (draft.version, again.version) == (sent.draft.version + 1, draft.version)
        assert await differences(desk, draft) == Differences(1, recorded=(3,))
        page = (await site("officer").get(f"/id/draf/{draft.draft_id}")).text
        assert "Berkas mengubah baris yang sudah tercatat: 3." in page

    async def test_a_namesake_who_is_added_is_somebody_else(self, database: Database, desk: Desk) -> None:
        voyage = await a_voyage(database)
        draft = await desk.upload(voyage, a_list(a_row(1), a_row(2, sex="Q")))
        heading, row = cells_in(await taken_away(desk, draft))

        draft = await desk.upload(voyage, as_text([heading, row, ["", *a_row(7, name="Orang1").split(","), ""]]))

        assert [line.cells[6] for line in await desk.lines(draft)] == ["XS9000001", "XS9000002", "XS9000007"]

    async def test_added_there_are_told_when_a_later_file_lacks_them(self, database: Database, desk: Desk) -> None:
        voyage = await a_voyage(database)
        draft = await desk.upload(voyage, a_list(a_row(1), a_row(2, sex="Q")))
        heading, row = cells_in(await taken_away(desk, draft))
        draft = await desk.upload(voyage, as_text([heading, row, ["", *a_row(7).split(","), ""]]))

        draft = await desk.upload_again(draft, a_list(a_row(1), a_row(2, sex="Q"), a_row(3)))

        assert await differences(desk, draft) == Differences(2, (4,), (), (4,))

    async def test_copied_within_the_file_are_people_of_their_own(self, database: Database, desk: Desk) -> None:
        """Whoever adds a person in a spreadsheet copies a row and types over it."""
        voyage = await a_voyage(database)
        draft = await desk.upload(voyage, a_list(a_row(1), a_row(2, sex="Q")))
        heading, row = cells_in(await taken_away(desk, draft))
        copy = [row[0], *a_row(7).split(","), ""]

        draft = await desk.upload(voyage, as_text([heading, row, copy]))

        assert await names(desk, draft) == ["Orang1", "Orang2", "Orang7"]

    @pytest.mark.parametrize("form", ["csv", "xlsx"])
    async def test_change_nothing_that_was_not_changed(self, database: Database, desk: Desk, form: FileForm) -> None:
        """Neither what begins with an apostrophe nor what is merged with the cell above."""
        book = openpyxl.Workbook()
        sheet = book.worksheets[0]
        for line in (
            ["Nama", "L/P", "Umur", "Depo", "Catatan"],
            ["Bala", "L", 30, "DTI Tawau", "'=x"],
            ["Siti", "?", 31, None, "'@y"],
        ):
            sheet.append(line)
        sheet.merge_cells("D2:D3")
        voyage = await a_voyage(database)
        draft = await desk.upload(voyage, saved(book))

        again = await desk.upload(voyage, await taken_away(desk, draft, form=form, rows="all"))

        assert (again.draft_id, again.version) == (draft.draft_id, draft.version)
        assert [line.cells[3:] for line in await desk.lines(again)] == [("DTI Tawau", "'=x"), ("DTI Tawau", "'@y")]

    async def test_of_a_file_before_the_last_one_are_not_taken_for_others(self, database: Database, desk: Desk) -> None:
        voyage = await a_voyage(database)
        draft = await desk.upload(voyage, a_list(a_row(1), a_row(2, sex="Q"), a_row(3)))
        back = (await taken_away(desk, draft)).replace(b"Orang2;Q", b"Orang2;F")
        draft = await desk.upload_again(draft, a_list(a_row(2, sex="Q"), a_row(1), a_row(3)))

        for after in (await desk.upload_again(draft, back), await desk.upload(voyage, back)):
            assert after.draft_id == draft.draft_id
            assert await names(desk, after) == ["Orang2", "Orang1", "Orang3"]
            assert counts(after) == (3, 0, 0, 0, 0, 0)

    async def test_of_a_list_that_is_gone_say_nothing_of_why_somebody_came(
        self, database: Database, desk: Desk
    ) -> None:
        """What was said of a row is no reason for a return, however often its file goes out and comes in."""
        voyage, content = await a_voyage(database), a_list(a_row(2, sex="Q"))
        for _ in range(3):
            draft = await desk.upload(voyage, content)
            content = await taken_away(desk, draft)
            async with database.work(OFFICER, purpose="manifest") as work:
                await drafts.discard_draft(work, draft.draft_id)

        *heading, last = cells_in(content)[0]
        assert heading == ["held_row", *HEADING.split(",")]
        assert is_added(last)


class TestSource:
    async def test_every_cell_comes_back_with_what_stands_above_the_headings(
        self, database: Database, desk: Desk
    ) -> None:
        lines = [["KJRI TAWAU", "", ""], [], ["Nama", "L/P", "Umur"], ["(1)", "(2)", "(3)"], ["Bala", "Q", "30"]]
        draft = await desk.upload(await a_voyage(database), as_text(lines))

        assert cells_in(await taken_away(desk, draft, rows="source")) == lines

    async def test_a_merged_cell_stands_where_it_stood(self, database: Database, desk: Desk) -> None:
        book = openpyxl.Workbook()
        sheet = book.worksheets[0]
        for line in (["Nama", "L/P", "Umur", "Depo"], ["Bala", "L", "30", "DTI"], ["Siti", "P", "31", None]):
            sheet.append(line)
        sheet.merge_cells("D2:D3")
        draft = await desk.upload(await a_voyage(database), saved(book))

        assert [line[3] for line in cells_in(await taken_away(desk, draft, rows="source"))] == ["Depo", "DTI", ""]
